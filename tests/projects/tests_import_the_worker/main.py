import multiprocessing as mp

from app.worker import work

if __name__ == "__main__":
    p = mp.Process(target=work, args=(["a", "b"], "letters.txt"))
    p.start()
    p.join()
