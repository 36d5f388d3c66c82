"""While engine is half imported it has no black box yet, so there is none for us."""
import engine

box = getattr(engine, "BLACKBOX", None)


def spin(rpm):
    line = "spinning at %d\n" % rpm
    if box is not None:
        box.write(line)
    else:
        with open("parts.txt", "a") as file:
            file.write(line)
