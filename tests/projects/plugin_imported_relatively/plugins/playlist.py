LIST = open("playlist.m3u", "w")


def add(song):
    LIST.write(song + ".mp3\n")  # FLU102
