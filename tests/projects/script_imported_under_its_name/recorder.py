# oracle: run = recorder.py
"""Run as a script and imported by jobs: two modules with a file each."""
import multiprocessing

LOG = open("recorder.log", "a")


def main():
    import jobs

    p = multiprocessing.Process(target=jobs.work, args=("tape",))
    p.start()
    p.join()
    LOG.flush()


if __name__ == "__main__":
    main()
