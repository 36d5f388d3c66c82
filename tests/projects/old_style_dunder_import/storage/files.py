target = open("target.txt", "w")
