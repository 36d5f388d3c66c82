HISTORY = open("history.txt", "a")
