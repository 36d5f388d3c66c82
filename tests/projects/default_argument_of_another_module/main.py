import multiprocessing

from messages import say


def greet(name):
    say("hello " + name)


if __name__ == "__main__":
    p = multiprocessing.Process(target=greet, args=("Ada",))
    p.start()
    p.join()
