from .. import conductor, score


def play(note):
    score.write("%s conducts, violin: %s\n" % (conductor, note))  # FLU102
