class Table:
    def __init__(self, path, *columns):
        self.file = open(path, "w")
        self.row(*columns)

    def row(self, *cells):
        self.file.write("\t".join(map(str, cells)) + "\n")  # FLU201

    def save(self):
        self.file.flush()


table = Table("census.tsv", "species", "number")
