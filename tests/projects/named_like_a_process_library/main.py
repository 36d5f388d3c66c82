"""billiard is a module of this folder, in which a Process is a thread."""
import billiard

OUT = open("scores.txt", "w")


def score(player, points):
    OUT.write("%s: %d\n" % (player, points))


if __name__ == "__main__":
    for player, points in (("Ada", 31), ("Bob", 28)):
        p = billiard.Process(target=score, args=(player, points))
        p.start()
        p.join()
