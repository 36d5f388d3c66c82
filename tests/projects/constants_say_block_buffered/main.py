from multiprocessing import Process

import constants


def collect(out):
    out.write("sample 1\n")
    out.write("sample 2\n")


if __name__ == "__main__":
    out = open("samples.txt", constants.MODE, constants.Buffering.BLOCK)
    p = Process(target=collect, args=(out,))  # FLU101
    p.start()
    p.join()
