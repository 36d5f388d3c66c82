from multiprocessing import Process

from tools.decorators import saved
from tools.files import OUT


@saved(OUT)
def weigh(parcel, grams):
    OUT.write(f"{parcel} {grams}\n")


if __name__ == "__main__":
    for parcel, grams in {"book": 900, "lamp": 2100}.items():
        p = Process(target=weigh, args=(parcel, grams))
        p.start()
        p.join()
