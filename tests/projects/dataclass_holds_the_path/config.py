from dataclasses import dataclass, field


@dataclass
class Config:
    name: str
    out: str
    steps: int = 3
    tags: list = field(default_factory=list)

    def open(self):
        return open(self.out, "w")
