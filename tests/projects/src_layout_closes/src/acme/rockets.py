from acme.report import report


def launch(name):
    with report("rocket-" + name) as file:
        file.write("rocket %s is gone\n" % name)
