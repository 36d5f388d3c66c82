from multiprocessing import Process

from config import Config
from simulation import simulate


def main():
    config = Config(name="rabbits", steps=3, out=open("rabbits.txt", "w"))
    p = Process(target=simulate, args=(config,))  # FLU101
    p.start()
    p.join()


if __name__ == "__main__":
    main()
