"""The places where operations were called: in anomaly mode each node keeps the stack of its call, and errors name its line.

Outside of anomaly mode nothing is kept.
"""

from __future__ import annotations

import os
import sys
from contextvars import ContextVar
from pathlib import Path
from traceback import FrameSummary, StackSummary, walk_stack
from types import FrameType
from typing import Any, NamedTuple, TypeVar

from ..errors import describe

_ROOT = str(Path(__file__).resolve().parents[1]) + os.sep
_GENERATED = "<polygrad."


class Site(NamedTuple):
    """A line of the user's: file, line number, function, and the text of the line where it can be read."""

    file: str
    line: int
    function: str
    text: str

    def __str__(self) -> str:
        return f'File "{self.file}", line {self.line}, in {self.function}'


class Origin:
    """Origin of a node: the stack down to the user's line, outermost frame first, and, where it was recorded by a backward pass,
    the name and origin of the node whose derivative it belongs to."""

    __slots__ = ("induced", "stack")

    def __init__(self, stack: StackSummary, induced: tuple[str, Origin | None] | None) -> None:
        self.stack = stack
        self.induced = induced

    @property
    def site(self) -> Site:
        """The user's line."""
        frame: FrameSummary = self.stack[-1]
        return Site(frame.filename, frame.lineno or 0, frame.name, (frame.line or "").strip())

    def __str__(self) -> str:
        text = "".join(
            ["Traceback of the call that recorded the operation (most recent call last):\n", *self.stack.format()]
        )
        if self.induced is not None:
            name, origin = self.induced
            text += f"It belongs to the derivative of {name}. "
            text += str(origin) if origin is not None else "That was recorded outside of anomaly mode.\n"
        return text


differentiating: ContextVar[tuple[str, Origin | None] | None] = ContextVar("polygrad_differentiating", default=None)
"""In anomaly mode: the node whose backward formula is running."""


def _ours(frame: FrameType) -> bool:
    file = frame.f_code.co_filename
    return file.startswith((_ROOT, _GENERATED))


def user_frame() -> FrameType:
    """Return the innermost frame that is not polygrad's own."""
    first = sys._getframe(1)
    frame: FrameType | None = first
    while frame is not None and _ours(frame):
        frame = frame.f_back
    return frame or first


def note_origin(node: Any) -> None:
    """Keep with a node where it was called; the observer of anomaly mode."""
    stack = StackSummary.extract(walk_stack(user_frame()), lookup_lines=False)
    stack.reverse()
    node._extra().origin = Origin(stack, differentiating.get())


def origin_of(node: Any) -> Origin | None:
    """Return the origin of a node; None where it is not known, which is so outside of anomaly mode."""
    extra = getattr(node, "extra", None)
    return None if extra is None else extra.origin


def site_of(node: Any) -> Site | None:
    """The user's line that recorded a node: (file, line, function, text); None where it is not known.

    It is known of what was recorded in anomaly mode (``polygrad.autograd.detect_anomaly``).
    """
    origin = origin_of(node)
    return None if origin is None else origin.site


def annotate(error: BaseException, node: Any) -> None:
    """Add to an error of a backward pass which operation it was at, and the line that recorded it."""
    leaf = getattr(node, "leaf", None)
    if leaf is not None:
        error.add_note(f"In the backward pass, at AccumulateGrad of the leaf {describe(leaf)}")
        return
    site = site_of(node)
    where = (
        f"recorded at {site}" + (f"\n    {site.text}" if site.text else "")
        if site is not None
        else "recorded outside of anomaly mode (inside polygrad.autograd.detect_anomaly() its line would be named here)"
    )
    error.add_note(f"In the backward pass, at {node.name()}, {where}")


E = TypeVar("E", bound=BaseException)


def located(error: E, edge: Any) -> E:
    """An error about the value at ``edge``, with a note of the line that recorded it, where that is known."""
    node = edge.edges[0] if hasattr(edge, "index") else edge  # one output of several stands for its operation
    site = site_of(node)
    if site is not None:
        error.add_note(f"{node.name()} was recorded at {site}" + (f"\n    {site.text}" if site.text else ""))
    return error
