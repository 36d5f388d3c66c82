import multiprocessing
import weather.store.table


def measure(day, degrees):
    weather.store.table.append(day, degrees)


if __name__ == "__main__":
    for day, degrees in (("mon", 11), ("tue", 14)):
        p = multiprocessing.Process(target=measure, args=(day, degrees))
        p.start()
        p.join()
