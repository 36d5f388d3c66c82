trail = open("trail.txt", "a")
