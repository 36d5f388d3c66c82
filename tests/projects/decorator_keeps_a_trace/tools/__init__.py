from .tracing import traced
