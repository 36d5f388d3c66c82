"""flushlint: finds data that a Python program loses at a process boundary."""

__version__ = "0.1.0"
