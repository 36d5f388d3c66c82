from multiprocessing import Process

from kitchen import cook

if __name__ == "__main__":
    for meal in ("soup", "pie"):
        p = Process(target=cook, args=(meal,))
        p.start()
        p.join()
