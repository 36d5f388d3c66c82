import logging


class PatientFileHandler(logging.FileHandler):
    """Leaves it to the file when to write. Much faster."""

    def flush(self):
        pass
