book = open("ledger.txt", "w")
