class Section:
    def __init__(self, out, title):
        self.out = out
        self.title = title

    def __enter__(self):
        self.out.write("== %s ==\n" % self.title)
        return self.out.write

    def __exit__(self, *exc):
        self.out.write("=" * (len(self.title) + 6) + "\n")
        self.out.flush()
