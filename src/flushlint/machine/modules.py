"""The modules of a program: which of its own it may import, and what each import runs.

Only modules that are given are imported. Everything else is external: the standard library, what
others have written, and modules of the program that nobody has found.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import libcst as cst

from flushlint.machine.interpreter import BudgetError
from flushlint.machine.log import Limit
from flushlint.machine.objects import Env, Function
from flushlint.machine.scope import build_scopes
from flushlint.machine.state import Frame
from flushlint.machine.values import NONE, Const, Ext, Ref

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flushlint.machine.interpreter import Machine
    from flushlint.machine.scope import Scope
    from flushlint.machine.state import State
    from flushlint.machine.values import Value

__all__ = [
    "Module",
    "Program",
    "enter",
    "load",
    "load_for",
    "module_named",
    "package_of",
    "tree_of",
]


# What the body of one imported module may take.
_MOST_STEPS = 2_000


@dataclass(frozen=True, eq=False)
class Module:
    """A parsed module. `name` is the dotted one by which others import it, "" if nobody can.

    A namespace package is an empty one. `known_scopes` are those of `build_scopes`, where they are
    known from another program.
    """

    tree: cst.Module
    name: str = ""
    is_package: bool = False
    known_scopes: Mapping[cst.CSTNode, Scope] | None = None

    @cached_property
    def scopes(self) -> Mapping[cst.CSTNode, Scope]:
        """The scope of the module, and of each function, lambda and class in it."""
        return build_scopes(self.tree) if self.known_scopes is None else self.known_scopes

    def with_tree(self, tree: cst.Module) -> Module:
        """Return the module as it is when its text has been changed to that of `tree`."""
        return self if tree is self.tree else replace(self, tree=tree, known_scopes=None)

    @property
    def package(self) -> str:
        """The package to which its relative imports are relative, "" if there is none."""
        return self.name if self.is_package else self.name.rpartition(".")[0]


@dataclass(frozen=True, eq=False)
class Program:
    """The module that runs first, and those of its own that it may import, by their names."""

    main: Module
    imported: Mapping[str, Module] = field(default_factory=dict)

    def scopes(self) -> dict[cst.CSTNode, Scope]:
        """Map each module, function, lambda and class to its scope; `main` comes first."""
        scopes = dict(self.main.scopes)
        for module in self.imported.values():
            if module.tree is not self.main.tree:
                scopes.update(module.scopes)
        return scopes


def enter(m: Machine, state: State, module: Module, name: str, *, is_main: bool = False) -> int:
    """Begin to run the body of a module under a name; return its environment.

    It stands among the modules of the state from now on, as in `sys.modules`. The main module is
    the same one in every process, whatever its name there.
    """
    variables: dict[str, Value] = {
        "__name__": Const(name),
        "__file__": m.unknown(),
        "__package__": Const(module.package),
    }
    if module.is_package:
        variables["__path__"] = Ext(f"{module.name}.__path__")
    env = Env(variables, m.scopes[module.tree], None)
    identity = state.place(m.identity(("module", "" if is_main else name)), env).id
    context = 0 if is_main else m.identity(("import", name))
    state.modules = {**state.modules, name: identity}
    code = None if is_main else module.tree
    state.frames.append(Frame(identity, identity, context, len(state.stack), code=code))
    return identity


def load(m: Machine, state: State, name: str) -> list[State]:
    """Import a module and the packages around it, as far as they are the program's own.

    The states that come back have them among their modules; those in which a body raises leave.
    """
    states = [state]
    parts = name.split(".")
    for count in range(1, len(parts) + 1):
        prefix = ".".join(parts[:count])
        if prefix not in m.imported:
            break
        states = m.join([after for before in states for after in _load_one(m, before, prefix)])
    return states


def _load_one(m: Machine, state: State, name: str) -> list[State]:
    if name in state.modules:
        return [state]
    module = m.imported[name]
    untouched = state.copy()
    identity = enter(m, state, module, name)
    spent, limit, handlers, depth = m.steps, m.limit, m.handlers, len(m.resuming)
    m.steps, m.limit = 0, _MOST_STEPS
    m.resuming.append(None)  # a generator being taken up is not resumed in what it imports
    try:
        normal, abrupt = m.captured(lambda inside: m.run(module.tree.body, inside), [state])
    except BudgetError:
        # What it binds is then as little known as if it were somebody else's.
        m.log.limits.append(Limit(module.tree, "it takes too many steps to follow"))
        m.handlers = handlers
        identity = enter(m, untouched, replace(module, name=name), name)
        normal, abrupt = [untouched], []
    finally:
        m.steps, m.limit = spent, limit
        del m.resuming[depth:]
    for after in abrupt:
        m.drop_frame(after)
        after.modules = {k: v for k, v in after.modules.items() if k != name}
    m.abrupt += abrupt
    outer, _, leaf = name.rpartition(".")
    for after in normal:
        m.drop_frame(after)
        if outer in after.modules:
            after.edit(Env, after.modules[outer]).variables[leaf] = Ref(identity)
    return normal


def load_for(m: Machine, state: State, sender: State, sent: set[int]) -> list[State]:
    """Import in a child the modules of the functions and classes that it is sent.

    `sent` are objects of the sender; a child for which an import raises never runs. What the
    imports empty is in the log.
    """
    names = {identity: name for name, identity in sender.modules.items()}
    homes = {obj.module for i in sent if isinstance(obj := sender.heap[i], Function)}
    states = [state]
    for home in sorted(homes - set(state.modules.values())):
        if home in names:
            states, _ = m.captured(
                lambda inside, name=names[home]: [s for i in inside for s in load(m, i, name)],  # type: ignore[misc]  # bound now
                states,
            )
    return states


def module_named(state: State, name: str) -> Ref | None:
    """Return a module that has been imported, None for others."""
    identity = state.modules.get(name)
    return None if identity is None else Ref(identity)


def package_of(state: State) -> str:
    """Return the package to which the imports of the running code are relative."""
    env = state.heap[state.frames[-1].module]
    assert isinstance(env, Env)
    package = env.variables.get("__package__", NONE)
    return package.value if isinstance(package, Const) and isinstance(package.value, str) else ""


def tree_of(state: State) -> cst.Module:
    """Return the module of the running code."""
    env = state.heap[state.frames[-1].module]
    assert isinstance(env, Env)
    assert isinstance(env.scope.node, cst.Module)
    return env.scope.node
