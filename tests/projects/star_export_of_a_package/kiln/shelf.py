__all__ = ["book", "put"]

book = open("kiln.txt", "w")
_pots = []


def put(pot):
    _pots.append(pot)
