import functools


def saved(stream):
    def decorate(function):
        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            try:
                return function(*args, **kwargs)
            finally:
                stream.flush()

        return wrapper

    return decorate
