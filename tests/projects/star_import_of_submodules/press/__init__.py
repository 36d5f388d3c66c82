__all__ = ["reader", "writer"]
