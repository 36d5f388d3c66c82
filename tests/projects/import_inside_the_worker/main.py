# oracle: start-methods = fork, spawn, forkserver
"""The child is the first to import the module that opens the file."""
import multiprocessing


def settle(account):
    from bank.audit import trail

    trail.write("settled %s\n" % account)  # FLU102[fork,forkserver]


def main():
    clerk = multiprocessing.Process(target=settle, args=("A-17",))
    clerk.start()
    clerk.join()


if __name__ == "__main__":
    main()
