import csv

_file = open("weather.csv", "w", newline="")
rows = csv.writer(_file)
