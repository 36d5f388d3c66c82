from .oven import *
from .shelf import *

__all__ = oven.__all__ + shelf.__all__
