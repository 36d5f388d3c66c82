from multiprocessing import Process

from plugins import load

plugin = load("playlist")

if __name__ == "__main__":
    p = Process(target=plugin.add, args=("Blackbird",))
    p.start()
    p.join()
