REPORT = open("report.txt", "a")
