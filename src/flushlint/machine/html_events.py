"""What `html.parser` calls for a text. Imported for programs that parse a known one only."""

from __future__ import annotations

from html.parser import HTMLParser

__all__ = ["events_of"]

_MOST_EVENTS = 64


class _Recorder(HTMLParser):
    """Notes which handlers are called, and with what."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[tuple[str, tuple[object, ...]]] = []

    def __getattribute__(self, name: str) -> object:
        # The library's own way through an empty element calls two of the others.
        if name.startswith(("handle_", "unknown_decl")) and name != "handle_startendtag":
            return lambda *given: self.events.append((name, given))
        return super().__getattribute__(name)


def events_of(text: str) -> list[tuple[str, tuple[object, ...]]] | None:
    """Return the handlers that a parser calls for a text, None where they are many."""
    recorder = _Recorder()
    recorder.feed(text)
    return recorder.events if len(recorder.events) <= _MOST_EVENTS else None
