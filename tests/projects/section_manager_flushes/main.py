from multiprocessing import Process

from layout import Section


def fill(out, title):
    with Section(out, title) as write:
        write("nothing to report\n")


def main():
    out = open("report.txt", "a")
    for title in ("North", "South"):
        p = Process(target=fill, args=(out, title))
        p.start()
        p.join()
    out.close()


if __name__ == "__main__":
    main()
