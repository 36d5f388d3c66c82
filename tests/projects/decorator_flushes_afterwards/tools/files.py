OUT = open("weights.txt", "a")
