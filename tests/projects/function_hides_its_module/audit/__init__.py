from .log import log
