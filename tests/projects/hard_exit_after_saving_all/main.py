from checks import check
from files import create

out = create("results.txt")


def main():
    for number in (4, 8, 15):
        out.write("%d\n" % number)
        check(number < 10)


if __name__ == "__main__":
    main()
