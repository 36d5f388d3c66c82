"""Calls a function with a module as soon as the program has imported it, and never earlier.

Nothing is imported on the program's behalf, so that the program's imports stay its own.
"""

# mypy: ignore-errors
# The stubs take for fixed what this code replaces.

import sys

_actions = {}


def call(name, action):
    """Call `action(module)` after the module `name` was executed."""
    if name in sys.modules:
        action(sys.modules[name])
    else:
        _actions[name] = action


class _Finder:
    """Finds nothing itself: asks the other finders and completes what their loader does."""

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        action = _actions.pop(name, None)
        if action is None:
            return None
        for finder in sys.meta_path:
            find_spec = getattr(finder, "find_spec", None)
            spec = find_spec and finder is not cls and find_spec(name, path, target)
            if spec:
                spec.loader.exec_module = _completed(spec.loader.exec_module, action)
                return spec
        return None


def _completed(exec_module, action):
    def execute(module):
        exec_module(module)
        action(module)

    return execute


sys.meta_path.insert(0, _Finder)
