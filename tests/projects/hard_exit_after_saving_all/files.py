_created = []


def create(path):
    file = open(path, "w")
    _created.append(file)
    return file


def save_all():
    for file in _created:
        file.flush()
