NUMBERS = {"rose": 4, "iris": 2}
plan = open("plan.txt", "w")
