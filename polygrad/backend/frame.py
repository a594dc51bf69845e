"""Levels and frames, which say where an operation runs.

Each functional transform opens a level, a number above those that are open. A frame is a backend at a level.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

_FREE: dict[int, list[Level]] = {}
"""Closed levels by number, to be opened again."""


class Level(int):
    """One opening of a level: a number, and an identity that no other opening shares as long as anything refers to it.

    A Tensor that outlives its transform belongs to a level that is closed. It is a constant for every later one, whatever its number.
    """

    open = True
    spent = False
    """True if the level will not be opened again."""

    def __init__(self, number: int) -> None:
        self._raw: dict[Any, Frame] = {}
        self._lifted: dict[Any, Frame] = {}
        self.written: list[Any] = []
        """Tensors of lower levels that were written to with values of this level, each with what it was before."""

    def frame(self, backend: Any, lifted: bool) -> Frame:
        """Return the frame of a backend at this level."""
        frames = self._lifted if lifted else self._raw
        found = frames.get(backend.name)
        if found is None or found.backend is not backend:
            found = frames[backend.name] = Frame(backend, self, lifted)
        return found

    def close(self) -> None:
        """End the level."""
        self.open = False
        _FREE.setdefault(int(self), []).append(self)

    def spend(self) -> None:
        """Leave the level to those who refer to it. Its frames refer to it too, so they have to go."""
        self.spent = True
        self._raw.clear()
        self._lifted.clear()

    def pause(self) -> None:
        """Close the level after it was ``open`` for another pass over what it has recorded."""
        self.open = False
        if self.spent:
            self.spend()


GROUND = Level(0)
"""The level of Tensors outside of every transform."""


def open_level(number: int) -> Level:
    """Open a level of that number.

    One that is closed, and that neither a Tensor nor a node refers to any more, is taken again, for making one and its frames takes
    longer than a small operation.
    """
    free = _FREE.get(number)
    if free:
        try:
            level = free.pop()
        except IndexError:  # another thread was faster
            return Level(number)
        if _references(level) <= _UNUSED:
            level.open = True
            return level
        level.spend()
    return Level(number)


def _references(level: Any) -> int:
    """Return the number of references to a level and its frames, beside those that they have to each other."""
    count: int = sys.getrefcount(level)
    for frames in (level._raw, level._lifted):
        for frame in frames.values():
            count -= 1
            if sys.getrefcount(frame) > _UNUSED_FRAME:
                return _UNUSED + 1
    return count


class Frame:
    """The place where an operation runs: a backend at a level. Tensors of one frame share one object, compared by identity.

    ``raw`` is the namespace that computes on payloads. It is the library itself, or the differentiable namespace where the payload is
    itself a Tensor, inside a transform. ``namespace`` is the differentiable one. ``ground`` is the frame of level 0 whose constants may
    stand beside raw payloads as they are; None where the payloads are Tensors.
    """

    __slots__ = ("backend", "calls", "complex", "floating", "ground", "level", "lifted", "namespace", "raw", "weak")
    backend: Any
    calls: dict[str, Callable[..., Any]]
    ground: Frame | None

    def __init__(self, backend: Any, level: Level, lifted: bool) -> None:
        self.backend = backend
        self.level = level
        self.lifted = lifted
        self.namespace = backend.namespace
        self.raw = backend.namespace if lifted else backend.raw
        self.floating, self.complex, self.weak = backend.floating, backend.complex, backend.weak
        self.calls = backend.calls[lifted]
        self.ground = None if lifted else self if level == 0 else backend.frame()

    def call(self, name: str) -> Callable[..., Any]:
        """Return the function of that name in ``raw``, extensions included (``linalg.det``)."""
        try:
            return self.calls[name]
        except KeyError:
            function = self.raw
            for part in name.split("."):
                function = getattr(function, part)
            return self.calls.setdefault(name, function)


_UNUSED, _UNUSED_FRAME = -1, 0
if hasattr(sys, "getrefcount"):  # what the steps of ``_references`` add themselves, in this interpreter
    _UNUSED = _references(Level(0)) + 1  # and the variable of ``open_level``
    for _frame in {0: object()}.values():
        _UNUSED_FRAME = sys.getrefcount(_frame)
