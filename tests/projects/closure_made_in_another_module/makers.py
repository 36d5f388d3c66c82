def make_recorder(path):
    def record(text):
        with open(path, "w") as file:
            file.write(text)

    return record
