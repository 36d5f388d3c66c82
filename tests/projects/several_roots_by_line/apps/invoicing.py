# oracle: run = apps/invoicing.py
# oracle: roots = libs
from multiprocessing import Process

from common.output import invoice_file


def bill(customer, amount, out):
    print("%s owes %d" % (customer, amount), file=out)


if __name__ == "__main__":
    out = invoice_file("invoices.txt")
    for customer in ("Ada", "Grace"):
        p = Process(target=bill, args=(customer, 10 * len(customer), out))
        p.start()
        p.join()
    out.close()
