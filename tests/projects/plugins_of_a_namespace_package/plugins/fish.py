SEEN = {"pond": ["carp"]}
out = open("fish.txt", "w")


def count(place):
    for fish in SEEN[place]:
        out.write(fish + "\n")  # FLU102
