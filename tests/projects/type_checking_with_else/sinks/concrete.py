sink = open("items.txt", "w")
