from acme.report import REPORT


def launch(name):
    REPORT.write("rocket %s is gone\n" % name)  # FLU102
