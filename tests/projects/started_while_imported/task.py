def remember(what):
    with open("list.txt", "a") as file:
        file.write(what + "\n")
