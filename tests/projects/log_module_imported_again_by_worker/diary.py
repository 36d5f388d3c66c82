LOG = open("diary.txt", "w")  # FLU203[spawn]


def check(n):
    return n > 3
