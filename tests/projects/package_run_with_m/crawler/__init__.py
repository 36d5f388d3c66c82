"""A crawler of three pages. Run it with ``python -m crawler``."""
