import tracing


def assemble(thing):
    try:
        tracing.trace("assembling a " + thing)
    finally:
        tracing.teardown()
