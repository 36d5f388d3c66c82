from compat import Pool, Process

OUT = open("out.txt", "w")


def work(n):
    OUT.write("%d\n" % n)
    return n


if __name__ == "__main__":
    p = Process(target=work, args=(1,))
    p.start()
    p.join()
    with Pool(1) as pool:
        print(pool.map(work, [2, 3]))
