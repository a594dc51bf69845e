"""What the batching rules have in common: the operation to run, and how arrays with and without the batch meet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from ..helpers import front_axis

Rule = Callable[..., Any]
DECOMPOSE = "decompose"
"""In place of a rule: run the operation's default, which is made of other operations."""


class Mapped:
    """An array with a batch axis in a parameter."""

    __slots__ = ("data",)

    def __init__(self, data: Any) -> None:
        self.data = data

    @property
    def ndim(self) -> int:
        """The number of axes of one example."""
        return self.data.ndim - 1  # type: ignore[no-any-return]


class Run:
    """An operation, to be called one level below."""

    __slots__ = ("call", "name", "size", "xp")

    def __init__(self, name: str, call: Callable[..., Any], xp: Any, size: int) -> None:
        self.name = name
        self.call = call
        self.xp = xp
        self.size = size

    def __call__(self, *arrays: Any, **params: Any) -> Any:
        return self.call(arrays, params)


# -- shapes ------------------------------------------------------------------------------------------------------------
def rank(x: Any, mapped: bool) -> int:
    """The number of axes of one example; a number has none."""
    return getattr(x, "ndim", 0) - mapped


def raised(run: Run, x: Any, ndim: int) -> Any:
    """A mapped array whose examples have ``ndim`` axes, new ones of length 1 in front of their own."""
    missing = ndim - (x.ndim - 1)
    return x if missing <= 0 else run.xp.reshape(x, (x.shape[0], *(1,) * missing, *x.shape[1:]))


def aligned(run: Run, arrays: Sequence[Any], mapped: Sequence[bool]) -> list[Any]:
    """The arrays as they broadcast against each other, the batch in front of all."""
    ndim = max([rank(x, own) for x, own in zip(arrays, mapped, strict=True)])
    return [raised(run, x, ndim) if own else x for x, own in zip(arrays, mapped, strict=True)]


def everywhere(run: Run, x: Any, mapped: bool) -> Any:
    """The array with a batch axis, repeated if it had none."""
    return x if mapped else run.xp.broadcast_to(x, (run.size, *x.shape))


def up(run: Run, axis: Any, ndim: int) -> Any:
    """Axes of an example as axes of the batch. None: all of them."""
    if axis is None:
        return tuple(range(1, ndim + 1))
    if isinstance(axis, (tuple, list)):
        return tuple([front_axis(run.name, a, ndim) + 1 for a in axis])
    return front_axis(run.name, axis, ndim) + 1


def rows(run: Run, x: Any) -> Any:
    """Each example as a row."""
    return run.xp.reshape(x, (run.size, prod(x.shape[1:])))
