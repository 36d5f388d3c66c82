import spooler

with open("spool.txt", "w") as spool:
    if spooler.in_child():
        spool.write("from the child\n")
