def enter(text):
    with open("journal.txt", "w") as file:
        file.write(text + "\n")
