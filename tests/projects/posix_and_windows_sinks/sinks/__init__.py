import sys

if sys.platform == "win32":
    from .windows import sink
else:
    from .posix import sink
