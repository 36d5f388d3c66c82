from multiprocessing import Process

from tools import traced


@traced
def weigh(parcel, grams):
    return parcel, grams


def main():
    p = Process(target=weigh, args=("book", 900))
    p.start()
    p.join()


if __name__ == "__main__":
    main()
