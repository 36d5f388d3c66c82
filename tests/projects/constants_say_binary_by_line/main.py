from multiprocessing import Process

from settings.io import LINE, WRITE_BYTES


def collect(out):
    out.write(b"sample 1\n")


if __name__ == "__main__":
    out = open("samples.bin", WRITE_BYTES, LINE)  # FLU402
    p = Process(target=collect, args=(out,))  # FLU101
    p.start()
    p.join()
