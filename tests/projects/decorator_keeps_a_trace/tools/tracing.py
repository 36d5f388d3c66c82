import functools

CALLS = open("calls.txt", "w")


def traced(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        CALLS.write("%s%r\n" % (function.__name__, args))  # FLU102
        return function(*args, **kwargs)

    return wrapper
