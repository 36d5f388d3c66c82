"""Children that are killed: where they stand when the signal comes, and who sends it.

The machine runs a child to its end before its parent goes on. So a child notes each point at
which it may stand for long, a *halt*, and the parent each signal that it sends, a *kill*. Both
may know of the other by what they tell one another: `outcomes` brings them together. A parent
that lets a child come to its end on some path *spares* it: then the kill is conditional.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.knowledge.blocking import DEADLY, SIGKILL, SIGTERM
from flushlint.machine import calls, classes
from flushlint.machine.calls import Arguments
from flushlint.machine.ends import losses
from flushlint.machine.log import Halt, Kill
from flushlint.machine.objects import Instance, Sequence
from flushlint.machine.state import EXCEPTED, SIGNALLED, STD_STREAMS, UNSEEN
from flushlint.machine.values import FALSE, NONE, TRUE, Const, Ext, Ref, Union, Unknown, Value

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    import libcst as cst

    from flushlint.machine.interpreter import Machine
    from flushlint.machine.objects import Write
    from flushlint.machine.state import State

__all__ = [
    "DEFAULT",
    "IGNORED",
    "NUMBER",
    "alive",
    "ask",
    "await_",
    "give",
    "halt",
    "handler_of",
    "handles_any",
    "install",
    "is_child",
    "is_default",
    "is_ignored",
    "joined",
    "killed",
    "make",
    "number_of",
    "numbers",
    "part",
    "pending",
    "pid_of",
    "put",
    "renew",
    "send",
    "stay",
    "stays",
    "tell",
    "untell",
    "wait_for_thread",
]

NUMBER = "%number"
_FIRST_PID = 4000  # no number of a process is taken for an exit status or a descriptor
_MOST_ALIKE = 3
_BY_THEMSELVES = (SIGNALLED, UNSEEN)  # such paths have been asked about already
_HANDLER = "%signal"
_STAYS = "stays"
DEFAULT, IGNORED = Ext("signal.SIG_DFL"), Ext("signal.SIG_IGN")
_DEFAULT = (DEFAULT, Const(0))
_IGNORE = (IGNORED, Const(1))


# -- numbers of processes ---------------------------------------------------------------------


def pid_of(number: int) -> Const:
    """Return the process id that the machine gives to a process."""
    return Const(_FIRST_PID + number)


def number_of(m: Machine, pid: Value | None) -> int | None:
    """Return the process that has this id."""
    known = isinstance(pid, Const) and isinstance(pid.value, int)
    number = pid.value - _FIRST_PID if known else 0  # type: ignore[union-attr, operator]  # an int
    return number if number in m.log.processes and number != 0 else None


def numbers(state: State, child: Value) -> list[int]:
    """Return the processes that a process object, or what is kept of a fork, stands for."""
    if isinstance(child, Const):
        return [int(str(child.value)) - _FIRST_PID]
    instance = state.look(Instance, child)
    number = None if instance is None else instance.attributes.get(NUMBER)
    options = number.options if isinstance(number, Union) else (number,)
    return [int(str(o.value)) for o in options if isinstance(o, Const)]


# -- where a process stands -------------------------------------------------------------------


def halt(m: Machine, state: State, node: cst.CSTNode, on: Iterable[Hashable] = ()) -> list[State]:
    """The process may stand here when a signal comes: note what is in its buffers.

    `on` is what it waits for. Returns the states in which a handler has run and returned.
    """
    if not m.kills or not state.process or not state.facts.keys().isdisjoint(_BY_THEMSELVES):
        return []
    handlers = {
        int(name.removeprefix(_HANDLER)): value
        for name, value in state.externals.items()
        if name.startswith(_HANDLER)
    }
    resumed: list[State] = []
    for signal, handler in sorted(handlers.items()) if not m.beside else ():
        resumed += _handle(m, state, node, signal, handler)
    if len(state.streams) > STD_STREAMS:
        handled = {signal for signal, value in handlers.items() if value not in _DEFAULT}
        _note(m, state, node, frozenset(on), frozenset(handled))
    return resumed


def _note(
    m: Machine,
    state: State,
    node: cst.CSTNode,
    on: frozenset[Hashable],
    handled: frozenset[int],
) -> None:
    given = m.log.given.get(state.process, frozenset())
    halts = m.log.halts if not m.beside else m.halts_beside
    for loss in losses(m, state, "signal", None, std=False):
        if m.beside and loss.write in m.written_before:
            continue  # the main thread's, which may flush it while this one waits
        alike = [
            (h.loss.facts, h.given)
            for h in halts
            if (h.node, h.loss.process, h.loss.write) == (node, loss.process, loss.write)
        ]
        if len(alike) < _MOST_ALIKE and (loss.facts, given) not in alike:
            halts.append(Halt(loss, node, on, handled, given))


def pending(state: State) -> frozenset[Write]:
    """Return all that is in the buffers of a process."""
    return frozenset(write for i in state.streams for write in state.stream(i).pending)


def wait_for_thread(m: Machine, state: State, node: cst.CSTNode) -> list[State]:
    """Wait for a thread: the process stands where the thread does.

    Returns the states that go on.
    """
    if not m.beside:
        mine = [h for h in m.halts_beside if h.loss.process == state.process]
        m.log.halts += mine
        m.halts_beside = [h for h in m.halts_beside if h not in mine]
    return [*halt(m, state, node), state]


def _handle(
    m: Machine, state: State, node: cst.CSTNode, signal: int, handler: Value
) -> list[State]:
    """Run a handler where the process stands; the paths it opens are marked as signalled."""
    if isinstance(handler, (Unknown, Union)) or handler in _DEFAULT or handler in _IGNORE:
        return []
    branch = state.copy()
    given = m.log.given.get(state.process, frozenset())
    branch.facts[SIGNALLED] = (state.process, signal, given)
    found = calls.call(m, branch, handler, Arguments(node, [Const(signal), m.unknown()]))
    for after in found:
        after.pop()
    return found


def stay(m: Machine, state: State) -> None:
    """A thread that is no daemon never ends, and so the process does not, unless it is killed."""
    if m.kills:
        state.facts[_STAYS] = state.process


def stays(m: Machine, state: State, node: cst.CSTNode) -> bool:
    """Say whether a process waits at its end for a thread of its own that never ends."""
    if state.facts.get(_STAYS) != state.process:
        return False
    halt(m, state, node)
    return True


def install(state: State, signal: Value | None, handler: Value | None) -> Value:
    """Set the handler of a signal; return the one before."""
    if handler is None or not (isinstance(signal, Const) and isinstance(signal.value, int)):
        return Unknown("handler")
    name = f"{_HANDLER}{int(signal.value)}"
    before = state.externals.get(name, _DEFAULT[0])
    state.externals[name] = handler
    return before


def handler_of(state: State, signal: int) -> Value:
    """Return what is to run when a signal comes."""
    return state.externals.get(f"{_HANDLER}{signal}", _DEFAULT[0])


def is_default(handler: Value) -> bool:
    """Say whether a signal has no handler of the program's own."""
    return handler in _DEFAULT


def is_ignored(handler: Value) -> bool:
    """Say whether a signal does nothing."""
    return handler in _IGNORE


def handles_any(state: State) -> bool:
    """Say whether the process handles some signal."""
    return any(name.startswith(_HANDLER) for name in state.externals)


# -- what processes tell one another --------------------------------------------------------------


def make(state: State, token: Hashable) -> None:
    """A new event or queue: nobody has told anybody anything by it."""
    for kind in ("told", "word", "gave", "awaited", "asked"):
        state.facts.pop((kind, token), None)


def tell(state: State, token: Hashable) -> None:
    """Whoever waits for this goes on, and may come to its end: an event, `None` in a queue."""
    state.facts["told", token] = True


def untell(state: State, token: Hashable) -> None:
    """An event is cleared, or a queue gets more work."""
    state.facts.pop(("told", token), None)


def put(m: Machine, state: State, token: Hashable, item: Value | None) -> None:
    """Something goes into a queue or a pipe: work, or the word that tells to end."""
    sequence = None if item is None else state.look(Sequence, item)
    items = {item} if sequence is None else set(sequence.items)
    if items & {NONE, FALSE} or not items.isdisjoint(m.log.words):
        state.facts["word", token] = True
    else:
        state.facts.pop(("word", token), None)


def give(m: Machine, state: State, token: Hashable) -> None:
    """Let others know how far this process has come: set an event, put something in a queue."""
    if m.kills:
        state.facts["gave", token] = True
        m.log.gives.add((state.process, token))
        if SIGNALLED not in state.facts:  # what a handler gives comes by another way
            before = m.log.given.get(state.process, frozenset())
            m.log.given[state.process] = before | {token}


def await_(m: Machine, state: State, token: Hashable) -> None:
    """Somebody else has given this: what came before it in that process is over."""
    if m.kills:
        state.facts["awaited", token] = True


def ask(m: Machine, state: State, token: Hashable) -> None:
    """Look whether something was told, without waiting for it."""
    if m.kills:
        state.facts["asked", token] = True


# -- who kills --------------------------------------------------------------------------------


def renew(state: State, number: int) -> None:
    """A process has started: what is known of one before it at the same place holds no more."""
    state.facts.pop(("alive", pid_of(number)), None)
    state.facts.pop(("timed", pid_of(number)), None)
    state.facts.pop(("sent", pid_of(number)), None)


def alive(m: Machine, state: State, child: Value) -> Value:
    """Return what `is_alive()` does: an answer that is open, and that a kill remembers."""
    known = numbers(state, child)
    for number in known:
        state.facts.pop(("alive", pid_of(number)), None)  # it is asked anew
    return Unknown(("alive", pid_of(known[0]))) if known else m.unknown()


def is_child(m: Machine, state: State, child: Value) -> bool:
    """Say whether this is a process that the present one has started."""
    return any(m.log.processes[n].parent == state.process for n in numbers(state, child))


def joined(m: Machine, state: State, child: Value, *, timed: bool) -> None:
    """The parent waits for the end of a child, for ever or for a time."""
    for number in numbers(state, child):
        if timed:
            state.facts["timed", pid_of(number)] = True
        elif child in state.roots and ("sent", pid_of(number)) not in state.facts:
            _spare(m, state, number)
    if not timed:
        _forget(state, child)


def _forget(state: State, child: Value) -> None:
    if child in state.roots:
        state.roots = tuple(r for r in state.roots if r != child)
        state.dirty = True


def _spare(m: Machine, state: State, number: int) -> None:
    if EXCEPTED not in state.facts:
        m.log.spared.add(number)


def send(m: Machine, state: State, child: Value, node: cst.CSTNode | None, signal: int) -> None:
    """Send a signal to a child. A child that was joined is no more.

    Without a node it is the end of the parent that does so.
    """
    if child not in state.roots or signal not in DEADLY:
        return
    for number in numbers(state, child):
        if signal in (SIGKILL, SIGTERM):
            state.facts["sent", pid_of(number)] = True
        answer = state.facts.get(("alive", pid_of(number)))
        if answer is False:
            m.log.unasked.add((number, node))
            continue
        conditional = (
            ("timed", pid_of(number)) in state.facts
            or EXCEPTED in state.facts
            or any(s.kind == "raise" for s in state.handling)
        )
        held = frozenset(lock.lock for lock in state.locks)
        facts = state.facts.copy()
        kill = Kill(number, node, signal, conditional, facts, answer is True, held)
        if kill not in m.log.kills:
            m.log.kills.append(kill)
    if signal == SIGKILL:
        _forget(state, child)


def killed(
    m: Machine,
    state: State,
    number: int,
    node: cst.CSTNode | None,
    signal: int = SIGTERM,
    *,
    conditional: bool = False,
) -> None:
    """Note that a process is killed here; without a node it is the end of its parent that does."""
    kill = Kill(number, node, signal, conditional, state.facts.copy())
    if kill not in m.log.kills:
        m.log.kills.append(kill)


def part(m: Machine, state: State, *, exits: bool) -> None:
    """A process ends, or leaves what the machine sees of it: its daemons are killed.

    `exits` says that it ends as an interpreter does; then `multiprocessing` looks after them.
    """
    if not m.kills:
        return
    for child in state.roots:
        for number in numbers(state, child):
            process = m.log.processes.get(number)
            if process is None or process.parent != state.process:
                continue
            if ("sent", pid_of(number)) in state.facts:
                continue
            if exits and isinstance(child, Ref) and _is_daemon(state, child):
                send(m, state, child, None, SIGTERM)
            else:
                _spare(m, state, number)


def _is_daemon(state: State, child: Ref) -> bool:
    instance = state.look(Instance, child)
    if instance is None:
        return False
    own = instance.attributes.get("daemon") or classes.class_attribute(
        state, instance.cls, "daemon"
    )
    return own == TRUE
