weights = open("weights.dat.txt", "w")


def experiment(n):
    for grams in range(0, 10 * n, 10):
        print(grams, "g", file=weights)  # FLU102
