from multiprocessing import Process

from reports import Report

if __name__ == "__main__":
    p = Process(target=Report("report.txt").fill, args=([3, 4],))
    p.start()
    p.join()
