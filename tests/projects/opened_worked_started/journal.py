JOURNAL = open("journal.txt", "a")
