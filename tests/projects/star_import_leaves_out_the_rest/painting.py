__all__ = ["blend"]

log = open("painting.log", "w")


def blend(colours):
    return "-".join(sorted(colours))
