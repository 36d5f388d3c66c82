import atexit

links = open("links.txt", "w")


@atexit.register  # FLU404
def close():
    if not links.closed:
        links.flush()
        links.close()
