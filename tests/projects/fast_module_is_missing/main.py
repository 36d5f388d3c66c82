"""There is no fast_table; slow_table does the work."""
from multiprocessing import Process

try:
    import fast_table as table
except ImportError:
    import slow_table as table


def convert(rows):
    table.begin("rows.csv")
    for row in rows:
        table.add(row)


if __name__ == "__main__":
    p = Process(target=convert, args=([[1, 2], [3, 4]],))
    p.start()
    p.join()
