# oracle: run = apps/invoicing.py
# oracle: roots = libs
from multiprocessing import Process

from common.output import invoice_file
from customers import CUSTOMERS


def bill(customer, amount, out):
    print("%s owes %d" % (customer, amount), file=out)


def main():
    out = invoice_file("invoices.txt")
    for customer in CUSTOMERS:
        p = Process(target=bill, args=(customer, 10 * len(customer), out))  # FLU101
        p.start()
        p.join()
    out.close()


if __name__ == "__main__":
    main()
