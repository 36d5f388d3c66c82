from .notes import Protocol as Protocol
