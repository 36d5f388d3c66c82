from multiprocessing import Process

from archive import Archive


def pack(archive, names):
    with archive:
        for name in names:
            archive.add(name)


if __name__ == "__main__":
    archive = Archive("names.gz")
    p = Process(target=pack, args=(archive, ["a.txt", "b.txt"]))
    p.start()
    p.join()
