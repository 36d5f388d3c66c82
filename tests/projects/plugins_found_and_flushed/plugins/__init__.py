import importlib
import pkgutil

registry = {}


def plugin(name):
    def decorate(function):
        registry[name] = function
        return function

    return decorate


def discover():
    for info in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{info.name}")
