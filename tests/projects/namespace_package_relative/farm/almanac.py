pages = open("almanac.txt", "a", buffering=1)


def entry(text):
    pages.write(text + "\n")
