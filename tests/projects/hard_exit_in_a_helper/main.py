import sys

from checks import check

out = open("results.txt", "w")


def main():
    for number in (4, 8, 15):
        out.write("%d\n" % number)
        check(number < 10, "too big: %d" % number)


if __name__ == "__main__":
    sys.exit(main())
