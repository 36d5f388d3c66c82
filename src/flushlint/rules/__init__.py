"""The rules: their records (`registry`), their pages (`pages/`) and the checks behind them."""
