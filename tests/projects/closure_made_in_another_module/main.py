# oracle: start-methods = fork, spawn
import multiprocessing

from makers import make_recorder

if __name__ == "__main__":
    record = make_recorder("song.txt")
    p = multiprocessing.Process(target=record, args=("la la la\n",))  # FLU302[spawn]
    p.start()
    p.join()
