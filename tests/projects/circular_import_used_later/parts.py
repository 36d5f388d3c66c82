import engine


def spin(rpm):
    engine.BLACKBOX.write("spinning at %d\n" % rpm)  # FLU102
