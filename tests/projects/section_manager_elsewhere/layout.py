from contextlib import contextmanager


@contextmanager
def section(out, title):
    """A section between rules. The file stays open."""
    out.write("== %s ==\n" % title)
    yield
    out.write("=" * (len(title) + 6) + "\n")
