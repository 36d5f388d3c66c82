from multiprocessing import Process

from codec import encode

if __name__ == "__main__":
    p = Process(target=encode, args=("morse.txt", "sos"))
    p.start()
    p.join()
