# oracle: start-methods = spawn
"""The context is chosen in compat; what the machine's default is does not matter."""
from compat import Process

OUT = open("out.txt", "a")


def work(n):
    OUT.write("%d\n" % n)  # FLU102


if __name__ == "__main__":
    p = Process(target=work, args=(1,))
    p.start()
    p.join()
