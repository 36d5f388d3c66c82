"""The laboratory's public face."""
from .bench import experiment

__all__ = ["experiment"]
