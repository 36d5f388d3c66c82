def export(record):
    file = open("song.txt", "w")
    for key in sorted(record):
        file.write("%s: %s\n" % (key, record[key]))
    file.close()
