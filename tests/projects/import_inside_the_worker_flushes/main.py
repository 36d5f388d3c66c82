# oracle: start-methods = fork, spawn, forkserver
import multiprocessing


def settle(account):
    from bank import audit

    audit.note("settled %s" % account)


def main():
    from bank.clerks import Clerk

    clerk = Clerk(settle, "A-17")
    clerk.start()
    clerk.join()


if __name__ == "__main__":
    main()
