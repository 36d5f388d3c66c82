# oracle: run = recorder.py
# oracle: start-methods = fork, spawn
import multiprocessing

LOG = open("recorder.log", "a")


def note(text):
    with open(LOG.name, "a") as file:
        file.write(text + "\n")


def main():
    import jobs

    p = multiprocessing.Process(target=jobs.work, args=("tape",))
    p.start()
    p.join()
    LOG.write("all recorded\n")


if __name__ == "__main__":
    main()
