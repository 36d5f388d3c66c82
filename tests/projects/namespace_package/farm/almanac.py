pages = open("almanac.txt", "w")
