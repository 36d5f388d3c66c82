def write_all(path, lines):
    with open(path, "w") as file:
        for line in iter(lines.get, None):
            file.write(line)
