# oracle: start-methods = spawn, forkserver
"""Nothing of what the children run is defined here."""
import multiprocessing

from brewery import stages

if __name__ == "__main__":
    with multiprocessing.Pool(1) as pool:
        print(pool.map(stages.mash, [62, 72]))
    p = multiprocessing.Process(target=stages.boil, kwargs={"minutes": 60})
    p.start()
    p.join()
