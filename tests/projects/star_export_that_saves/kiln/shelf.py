__all__ = ["book", "save"]

book = open("kiln.txt", "w")


def save():
    book.flush()
