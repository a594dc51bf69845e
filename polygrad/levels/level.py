"""Taking a Tensor to the level below and back: what a transform's arguments are outside of it, and what comes back inside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from ..backend.select import backend_of
from ..core import modes
from ..core.graph import LEAF
from ..core.tensor import Tensor, constant, edge_of, level_of
from ..errors import ArgumentError, DtypeError, describe


def lowered(arg: Any, level: int) -> Any:
    """An argument without that level."""
    if level_of(arg) != level:
        return arg
    data = arg._data
    return data if isinstance(data, Tensor) else constant(data, arg._frame.backend.frame())


def lifted(value: Any, level: int, raw: bool) -> Any:
    """An output of the level below as a constant of that level; ``raw`` says that its payload may be a raw array."""
    if not isinstance(value, Tensor):
        return value
    if level == 0:
        return constant(value._data, value._frame)
    backend = value._frame.backend
    if raw and value._node is None and value._frame.level == 0:
        return constant(value._data, backend.frame(level, False))
    return constant(value, backend.frame(level, True))


LEVEL: ContextVar[int] = ContextVar("polygrad_level", default=0)


@contextmanager
def new_level(records: bool = True, room: int = 0) -> Iterator[int]:
    """A level above all that are open; recording is on in it, whatever the mode outside.

    A level that does not record has no mode of its own: ``no_grad`` inside it is about the level below. What was recorded in a level
    may be used after its end, under transforms that are opened by then: ``room`` is for so many of them below it.
    """
    level = LEVEL.get() + 1 + room
    before, mode, batches = LEVEL.get(), modes.current(), OPEN.get()
    LEVEL.set(level)
    modes.MODE.set(mode.with_level(level) if records else mode)
    OPEN.set(batches if records else level)
    try:
        yield level
    finally:
        LEVEL.set(before)
        modes.MODE.set(mode)
        OPEN.set(batches)


def wrap(value: Any, level: int, where: str, requires_grad: bool = True) -> Tensor:
    """An array or Tensor of a lower level as a leaf of this level."""
    if isinstance(value, Tensor):
        # A snapshot: what the caller does to his Tensor in place later is not seen here.
        inner = value if type(value) is not Tensor else _alias(value)
        out = constant(inner, value._frame.backend.frame(level, True))
    else:
        backend = backend_of(value)
        if backend is None:
            raise ArgumentError(
                f"{where}: the arguments to differentiate have to be arrays or Tensors, got {describe(value)}"
            )
        backend.check(value)
        out = constant(value, backend.frame(level, False))
    if requires_grad:
        if out.dtype not in out._frame.floating:
            raise DtypeError(
                f"{where}: can only differentiate with respect to floating or complex arrays, and an argument has dtype {out.dtype}; "
                f"choose others with argnums, or convert it"
            )
        out._node = LEAF
    return out


def adopt(value: Any) -> Any:
    """A raw array as a Tensor, so that a function sees only Tensors; anything else as it is."""
    if not isinstance(value, Tensor) and (backend := backend_of(value)) is not None:
        backend.check(value)
        return constant(value, backend.frame())
    return value


def _alias(tensor: Tensor) -> Tensor:
    out = constant(tensor._data, tensor._frame)
    out._node = edge_of(tensor)
    return out


def unwrap(value: Any, level: int) -> Any:
    """A result as the caller sees it: without this level."""
    return value._data if level_of(value) == level else value


def lower(value: Any) -> Any:
    """The raw array inside a Tensor that carries no history; anything else as it is. For those who passed raw arrays."""
    if isinstance(value, Tensor) and type(value) is Tensor and value._node is None and not value._frame.lifted:
        return value.array if value._frame.level == 0 else value
    return value


@contextmanager
def _below(level: int) -> Iterator[None]:
    mode = modes.current()
    modes.MODE.set(mode.below_level(level))
    try:
        yield
    finally:
        modes.MODE.set(mode)


OPEN: ContextVar[int] = ContextVar("polygrad_batch_level", default=0)
"""The level of the innermost batch that is open."""


RANDOM: ContextVar[Any] = ContextVar("polygrad_random", default=None)
"""What draws random numbers in place of the backend: a transform that maps over a batch decides for how many examples."""
