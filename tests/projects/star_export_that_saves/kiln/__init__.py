from .oven import *
from .shelf import *
