from farm import almanac


def plough(field):
    almanac.pages.write(f"ploughed the {field} field\n")  # FLU102
