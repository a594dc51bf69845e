"""The known differences: TOML entries that say which checks fail, of what, and why.

    [[entry]]
    backend = "*"                     # a pattern, as for file names; so are the next four
    op = "special.bessel_*"
    dtype = "*"
    check = ["forward"]               # one pattern or several
    sample = "*"
    reason = "torch returns a tangent of zeros: it has no derivative of this function and does not say so"
    link = "https://github.com/pytorch/pytorch/issues/..."
    since = "2.13.0"                  # the version of the library in which it was seen
    strict = true                     # once nothing that it covers fails any more, the run fails until it is removed

Scenarios are covered with ``op = "scenario:NAME"``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

LEDGER = Path(__file__).with_name("ledger.toml")


@dataclass
class Entry:
    """One known difference."""

    reason: str
    op: str | list[str]
    backend: str | list[str] = "*"
    dtype: str | list[str] = "*"
    check: str | list[str] = "*"
    sample: str | list[str] = "*"
    link: str = ""
    since: str = ""
    strict: bool = True
    compared: int = field(default=0, init=False)
    """How many samples that it covers were compared in this run."""
    used: int = field(default=0, init=False)
    """How many of them failed."""

    def covers(self, backend: str, op: str, dtype: str, check: str, sample: str) -> bool:
        """Return whether the entry speaks of this."""
        pairs = (
            (self.backend, backend),
            (self.op, op),
            (self.dtype, dtype),
            (self.check, check),
            (self.sample, sample),
        )
        return all(matches(name, patterns) for patterns, name in pairs)


def matches(name: str, patterns: str | Iterable[str]) -> bool:
    """Return whether a name fits one of the patterns. Square brackets stand for themselves."""
    listed = [patterns] if isinstance(patterns, str) else patterns
    return any(fnmatchcase(name, pattern.replace("[", "[[]")) for pattern in listed)


class Ledger:
    """All entries, and which of them were used."""

    def __init__(self, entries: Iterable[dict[str, Any]]) -> None:
        self.entries = []
        for entry in entries:
            if not entry.get("reason", "").strip():
                raise ValueError(f"an entry of the ledger has no reason: {entry}")
            self.entries.append(Entry(**entry))

    @classmethod
    def read(cls, path: Path = LEDGER) -> Ledger:
        """The entries of a file.

        Raises:
            ValueError, TypeError: an entry has no reason, or a key that no entry has.
        """
        return cls(tomllib.loads(path.read_text(encoding="utf-8")).get("entry", []))

    def find(self, backend: str, op: str, dtype: str, check: str, sample: str, failed: bool) -> Entry | None:
        """The entry that speaks of a sample that was compared; counts it."""
        found = None
        for entry in self.entries:
            if entry.covers(backend, op, dtype, check, sample):
                entry.compared += 1
                entry.used += failed
                found = found or entry
        return found

    def counts(self) -> list[tuple[int, int]]:
        """How often each entry was compared and used: what one process tells another."""
        return [(entry.compared, entry.used) for entry in self.entries]

    def add(self, counts: Iterable[tuple[int, int]]) -> None:
        """Add what another process counted."""
        for entry, (compared, used) in zip(self.entries, counts, strict=True):
            entry.compared += compared
            entry.used += used

    def stale(self) -> list[Entry]:
        """Strict entries of which nothing failed, though it was compared."""
        return [entry for entry in self.entries if entry.strict and entry.compared and not entry.used]
