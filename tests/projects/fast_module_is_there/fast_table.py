def save(path, rows):
    with open(path, "w") as out:
        out.writelines(",".join(map(str, row)) + "\n" for row in rows)
