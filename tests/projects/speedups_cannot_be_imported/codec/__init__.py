try:
    from ._speedups import encode
except ImportError:
    from ._plain import encode
