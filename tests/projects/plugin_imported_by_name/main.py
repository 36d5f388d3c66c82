import importlib
import multiprocessing


def export(songs):
    plugin = importlib.import_module("plugins.playlist")
    for song in songs:
        plugin.add(song)


if __name__ == "__main__":
    p = multiprocessing.Process(target=export, args=(["Blackbird", "Yesterday"],))
    p.start()
    p.join()
