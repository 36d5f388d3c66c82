_out = open("slow.csv", "w")


def save(path, rows):
    for row in rows:
        _out.write(",".join(map(str, row)) + "\n")
