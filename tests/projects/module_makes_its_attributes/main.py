from multiprocessing import Process

import settings


def work(n):
    settings.log.write("working on %d\n" % n)  # FLU102


if __name__ == "__main__":
    p = Process(target=work, args=(4,))
    p.start()
    p.join()
