sheet = open("front-page.txt", "w")
