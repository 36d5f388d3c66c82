from .sink import Sink


def visit(page, sink: Sink):
    with sink:
        sink.say("GET /%s" % page)
