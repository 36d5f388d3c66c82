palette = open("palette.txt", "w")
notes = open("notes.txt", "w")
_private = None
