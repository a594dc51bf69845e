"""Taking a Tensor to the level below and back: what a transform's arguments are outside of it, and what comes back inside."""

from __future__ import annotations

from typing import Any

from ..core.tensor import Tensor, constant, level_of


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
