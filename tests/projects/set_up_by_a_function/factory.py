from tracing import trace


def assemble(thing):
    trace("assembling a " + thing)
    print(thing, "is ready")
