# table.csv holds the header three times: once from each child's copy of the buffer, and once from
# the parent's. A flush() before the loop is missing.
from multiprocessing import Process


def work(out, number):
    out.write(f"{number},{number * number}\n")
    out.flush()


if __name__ == "__main__":
    out = open("table.csv", "w")
    out.write("number,square\n")
    for number in (1, 2):
        p = Process(target=work, args=(out, number))
        p.start()
        p.join()
    out.close()
