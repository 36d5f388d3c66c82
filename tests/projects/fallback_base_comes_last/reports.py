try:
    from _speedups import Writer
except ImportError:
    from pure import Writer

from saving import SavesAtEnd


class Report(SavesAtEnd, Writer):
    def fill(self, rows):
        for row in rows:
            self.put("row %d" % row)
        self.end()
