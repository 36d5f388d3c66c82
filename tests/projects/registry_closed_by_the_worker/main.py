import multiprocessing

import registry
from work import work

if __name__ == "__main__":
    registry.register("log", "work.log")
    registry.register("errors", "errors.log")
    p = multiprocessing.Process(target=work, args=("log",))
    p.start()
    p.join()
