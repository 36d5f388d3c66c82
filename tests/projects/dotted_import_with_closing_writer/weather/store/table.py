import csv


def append(*row):
    with open("weather.csv", "a", newline="") as file:
        csv.writer(file).writerow(row)
