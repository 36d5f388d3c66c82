from multiprocessing import Process

import lab

if __name__ == "__main__":
    run = Process(target=lab.experiment, args=(7,))
    run.start()
    run.join()
