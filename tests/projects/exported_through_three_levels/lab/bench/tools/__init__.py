from .scale import experiment, weights  # noqa: F401
