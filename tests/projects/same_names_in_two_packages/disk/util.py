out = open("disk.txt", "w")


def save(lines):
    print("\n".join(lines))
