class SavesAtEnd:
    """To be mixed into a writer."""

    def end(self):
        super().end()
        self.file.flush()
