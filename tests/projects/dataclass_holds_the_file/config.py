from dataclasses import dataclass
from typing import TextIO


@dataclass
class Config:
    name: str
    steps: int
    out: TextIO
