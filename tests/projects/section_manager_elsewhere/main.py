from multiprocessing import Process

from layout import section


def fill(out, title):
    with section(out, title):
        out.write("nothing to report\n")


def main():
    out = open("report.txt", "w")
    for title in ("North", "South"):
        p = Process(target=fill, args=(out, title))  # FLU101
        p.start()
        p.join()
    out.close()


if __name__ == "__main__":
    main()
