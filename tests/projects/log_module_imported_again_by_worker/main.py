# oracle: start-methods = fork, spawn
"""main imports nothing outside of main(); the child imports diary for the function it is sent."""
import multiprocessing


def main():
    import diary

    diary.LOG.write("parent begins\n")
    diary.LOG.flush()
    p = multiprocessing.Process(target=diary.check, args=(5,))
    p.start()
    p.join()
    diary.LOG.write("parent ends\n")


if __name__ == "__main__":
    main()
