from . import sink


def visit(page):
    sink.out.write("GET /%s\n" % page)  # FLU102
