from multiprocessing import Process

from orchestra.strings.violin import play

if __name__ == "__main__":
    p = Process(target=play, args=("A",))
    p.start()
    p.join()
