from multiprocessing import Process

import registry


def work(lines):
    for line in lines:
        name, _, rest = line.partition(" ")
        registry.dispatch(name, rest)


if __name__ == "__main__":
    p = Process(target=work, args=(["open door", "say hello"],))
    p.start()
    p.join()
