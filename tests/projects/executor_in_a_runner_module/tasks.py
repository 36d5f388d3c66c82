defects = open("defects.txt", "w")


def inspect_part(name):
    if len(name) > 3:
        defects.write(name + " is too long\n")  # FLU103
    return name.title()
