from multiprocessing import Process

try:
    import fast_table as table
except ImportError:
    import slow_table as table


def convert(rows):
    table.save("rows.csv", rows)


if __name__ == "__main__":
    p = Process(target=convert, args=([[1, 2], [3, 4]],))
    p.start()
    p.join()
