"""Python versions as people write them: `3.12`, and the specifiers of `requires-python`."""

from __future__ import annotations

import re

__all__ = ["lowest_allowed", "parse_version"]

_VERSION = re.compile(r"3\.([0-9]{1,2})")
# Operator, release, wildcard. What follows a release (rc1, .dev0) makes no difference here.
_CLAUSE = re.compile(r"(~=|===?|!=|<=?|>=?)\s*v?(\d+(?:\.\d+)*)(\.\*)?[a-z0-9.+-]*", re.IGNORECASE)
_MINORS = range(100)
_LATE_MICRO = 999

_Clause = tuple[str, tuple[int, ...], bool]


def parse_version(text: str) -> tuple[int, int]:
    """Return the version that `text`, as ``3.12``, names. Raises ValueError with the reason."""
    match = _VERSION.fullmatch(text)
    if match is None:
        raise ValueError(f"invalid Python version {text!r}: expected the form 3.12")
    return 3, int(match[1])


def lowest_allowed(specifiers: str) -> tuple[int, int] | None:
    """Return the lowest Python 3 minor version that a `requires-python` value allows.

    None if it sets no lower bound, allows nothing, or can't be read: to complain of that is the
    build backend's business.
    """
    clauses: list[_Clause] = []
    for text in specifiers.split(","):
        match = _CLAUSE.fullmatch(text.strip())
        if match is None:
            return None
        release = tuple(int(number) for number in match[2].split("."))
        clauses.append((match[1], release, match[3] is not None))
    if all(operator.startswith(("<", "!")) for operator, _, _ in clauses):
        return None
    # A minor version is allowed if one of its releases is; these are the ones that can differ.
    micros = {0, _LATE_MICRO}
    micros |= {
        micro + step for _, release, _ in clauses for micro in release[2:3] for step in (0, 1)
    }
    for minor in _MINORS:
        for micro in micros:
            if all(_allows(clause, (3, minor, micro)) for clause in clauses):
                return 3, minor
    return None


def _allows(clause: _Clause, version: tuple[int, ...]) -> bool:
    """Return whether `version`, of three numbers, satisfies one clause (PEP 440)."""
    operator, release, wildcard = clause
    padded = (*release, 0, 0)[:3]
    if operator in {"==", "===", "!="}:
        equal = version[: len(release)] == release if wildcard else version == padded
        return equal == (operator != "!=")
    if operator == "~=":
        return version >= padded and version[: len(release) - 1] == release[:-1]
    if operator.startswith(">"):
        return version > padded or (version == padded and operator == ">=")
    return version < padded or (version == padded and operator == "<=")
