import enum

MODE = "w"


class Buffering(enum.IntEnum):
    NONE = 0
    LINE = 1
    BLOCK = 4096
