import logging


class CountingFileHandler(logging.FileHandler):
    """Knows how many records it has written."""

    count = 0

    def flush(self):
        self.count += 1
        super().flush()
