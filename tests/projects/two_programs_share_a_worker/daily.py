import multiprocessing

import shared.rotate


def main():
    job = multiprocessing.Process(target=shared.rotate.rotate, args=("daily",))
    job.start()
    job.join()


if __name__ == "__main__":
    main()
