import json


def export(record):
    with open("song.json", "w") as file:
        json.dump(record, file, sort_keys=True)
