import threading


class Process(threading.Thread):
    """For machines that are too small for processes."""
