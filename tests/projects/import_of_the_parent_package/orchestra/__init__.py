from .score import score

conductor = "Clara"
