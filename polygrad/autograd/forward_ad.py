"""Forward mode in torch's manner: dual numbers made and unpacked by hand inside a level.

    with forward_ad.dual_level():
        x = forward_ad.make_dual(primal, tangent)
        y = polygrad.sin(x)
        value, derivative = forward_ad.unpack_dual(y)

Levels nest, which they do not in torch: a dual belongs to the level in which it was made.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, NamedTuple

from ..backend.frame import Level
from ..core.tensor import Tensor, as_frame, live
from ..errors import ArgumentError, DtypeError, GraphError, ShapeError, describe
from ..levels.dual import Dual
from ..levels.dual import make_dual as dual_at
from ..levels.level import new_level

_open: ContextVar[tuple[tuple[Level, new_level], ...]] = ContextVar("polygrad_dual_levels", default=())


class UnpackedDualTensor(NamedTuple):
    """The two parts of a dual number; ``tangent`` is None where there is none."""

    primal: Tensor
    tangent: Tensor | None


def enter_dual_level() -> int:
    """Open a level and return its number."""
    manager = new_level()
    level = manager.__enter__()
    _open.set((*_open.get(), (level, manager)))
    return level


def exit_dual_level(*, level: int | None = None) -> None:
    """Close the innermost level.

    Parameters
    ----------
    level
        The number that the innermost level has to have.

    Raises
    ------
    GraphError
        No level is open, or another one is innermost.
    """
    levels = _open.get()
    if not levels:
        raise GraphError("exit_dual_level: no forward-mode level is open; call enter_dual_level first")
    number, manager = levels[-1]
    if level is not None and level != number:
        raise GraphError(
            f"exit_dual_level: level {level} is not the innermost one, which is {number}; close them in reverse order"
        )
    _open.set(levels[:-1])
    manager.__exit__(None, None, None)


class dual_level:
    """Forward-mode level as a context manager; it gives its number."""

    def __enter__(self) -> int:
        self.level = enter_dual_level()
        return self.level

    def __exit__(self, *exc_info: object) -> None:
        exit_dual_level(level=self.level)


def _chosen(level: int | None, where: str) -> Level:
    levels = _open.get()
    if not levels:
        raise GraphError(f"{where}: no forward-mode level is open; use it inside `with forward_ad.dual_level():`")
    if level is None:
        return levels[-1][0]
    for number, _ in levels:
        if number == level:
            return number
    raise GraphError(f"{where}: no forward-mode level {level} is open; open are {', '.join(str(n) for n, _ in levels)}")


def make_dual(tensor: Any, tangent: Any, *, level: int | None = None) -> Tensor:
    """Make a dual number of the innermost level.

    Parameters
    ----------
    tensor, tangent
        Tensors or raw arrays of the same shape and dtype, floating or complex.
    level
        Another level that is open.

    Returns
    -------
    Tensor
        The dual number.

    Raises
    ------
    GraphError
        No level is open.
    DtypeError
        The dtype is neither floating nor complex.
    ShapeError
        The tangent does not fit the tensor.
    ArgumentError
        The tensor is a dual number of this level already.
    """
    number = _chosen(level, "make_dual")
    tensor, tangent = live(as_frame(tensor), "make_dual"), live(as_frame(tangent), "make_dual")
    if tensor.dtype not in tensor._frame.floating:
        raise DtypeError(f"make_dual: only floating and complex Tensors have tangents, got dtype {tensor.dtype}")
    if tuple(tensor.shape) != tuple(tangent.shape) or tensor.dtype != tangent.dtype:
        raise ShapeError(f"make_dual: the tangent {describe(tangent)} does not fit its primal {describe(tensor)}")
    if isinstance(tensor, Dual) and tensor._frame.level is number:
        raise ArgumentError(
            "make_dual: the Tensor is a dual number of this level already; unpack it, or open another level"
        )
    return dual_at(tensor, tangent, number)


def unpack_dual(tensor: Tensor, *, level: int | None = None) -> UnpackedDualTensor:
    """Return the primal and the tangent of a dual number of the innermost level.

    Parameters
    ----------
    tensor
        A Tensor. If it is no dual number of the level, or once the levels are closed, it has no tangent.
    level
        Another level that is open.

    Returns
    -------
    UnpackedDualTensor
        The primal, and the tangent or None.
    """
    if not isinstance(tensor, Tensor):
        raise ArgumentError(f"unpack_dual: expected a Tensor, got {describe(tensor)}")
    levels = _open.get()
    number = _chosen(level, "unpack_dual") if levels or level is not None else None
    tensor = live(tensor, "unpack_dual")
    if isinstance(tensor, Dual) and tensor._frame.level is number:
        return UnpackedDualTensor(tensor.primal, tensor.tangent)
    return UnpackedDualTensor(tensor, None)
