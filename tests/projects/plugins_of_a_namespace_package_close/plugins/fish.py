SEEN = {"pond": ["carp"]}
out = open("fish.txt", "w")


def count(place):
    with out:
        for fish in SEEN[place]:
            out.write(fish + "\n")
