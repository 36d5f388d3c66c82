_list = open("playlist.m3u", "w")


def add(song):
    _list.write(song + ".mp3\n")  # FLU102
