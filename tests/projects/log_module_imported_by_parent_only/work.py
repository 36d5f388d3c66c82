def work(n):
    with open("work.txt", "w") as file:
        file.write("worked on %d\n" % n)
