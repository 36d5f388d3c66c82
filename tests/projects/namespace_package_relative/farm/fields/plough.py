from . import tools
from ..almanac import entry


def plough(field):
    entry(f"{tools.CHOSEN}: {field} field")
