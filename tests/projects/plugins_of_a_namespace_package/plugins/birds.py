import io

SEEN = {"pond": ["heron", "duck"]}


def count(place):
    lines = io.StringIO()
    for bird in SEEN[place]:
        lines.write(bird + "\n")
    with open("birds.txt", "w") as out:
        out.write(lines.getvalue())
