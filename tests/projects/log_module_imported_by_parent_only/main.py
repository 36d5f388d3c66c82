# oracle: start-methods = fork, spawn, forkserver
import multiprocessing

from work import work


def main():
    import log

    log.log("parent begins")
    p = multiprocessing.Process(target=work, args=(5,))
    p.start()
    p.join()
    log.log("parent ends")


if __name__ == "__main__":
    main()
