from multiprocessing import Process

import kiln

if __name__ == "__main__":
    p = Process(target=kiln.fire, args=("vase",))
    p.start()
    p.join()
