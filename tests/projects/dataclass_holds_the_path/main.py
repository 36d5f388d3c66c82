# oracle: start-methods = fork, spawn
from multiprocessing import Process

from config import Config
from simulation import simulate

if __name__ == "__main__":
    config = Config(name="rabbits", out="rabbits.txt")
    p = Process(target=simulate, args=(config,))
    p.start()
    p.join()
    print(config.steps, "steps")
