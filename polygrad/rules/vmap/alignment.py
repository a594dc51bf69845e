"""The call of a batching rule: the operation to run, and functions that align arrays with and without the batch.

A batching rule says how an operation runs on a batch, which is what ``vmap`` does with it. It is called as
``rule(run, arrays, mapped, params)``. Where ``mapped`` says so, an array has the batch as its first axis; the others are the same for
every example. ``run(*arrays, **params)`` is the operation itself, one level below, ``run.xp`` is the namespace there and ``run.size``
the length of the batch. The result, or each of several, has the batch as its first axis. A rule returns ``NotImplemented`` for a call
that has to run in a loop over the examples. Arrays inside a parameter, such as the index arrays of a key, come as ``Mapped`` where they
have a batch axis.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from string import ascii_letters
from typing import Any

from ..helpers import front_axis

Rule = Callable[..., Any]
# In the place of a rule: run the operation's default, which is made of other operations.
DECOMPOSE = "decompose"


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
    """An operation to call one level below, with the namespace there and the length of the batch."""

    __slots__ = ("call", "name", "size", "xp")

    def __init__(self, name: str, call: Callable[..., Any], xp: Any, size: int) -> None:
        self.name = name
        self.call = call
        self.xp = xp
        self.size = size

    def __call__(self, *arrays: Any, **params: Any) -> Any:
        """Call the operation on arrays of the level below."""
        return self.call(arrays, params)


# -- shapes ------------------------------------------------------------------------------------------------------------
def example_ndim(x: Any, mapped: bool) -> int:
    """Return the number of axes of one example; a number has none."""
    return getattr(x, "ndim", 0) - mapped


def pad_rank(run: Run, x: Any, ndim: int) -> Any:
    """Give the examples of a mapped array ``ndim`` axes, new ones of length 1 in front of their own."""
    missing = ndim - (x.ndim - 1)
    return x if missing <= 0 else run.xp.reshape(x, (x.shape[0], *(1,) * missing, *x.shape[1:]))


def align(run: Run, arrays: Sequence[Any], mapped: Sequence[bool]) -> list[Any]:
    """Return the arrays as they broadcast against each other, the batch in front of all."""
    ndim = max([example_ndim(x, own) for x, own in zip(arrays, mapped, strict=True)])
    return [pad_rank(run, x, ndim) if own else x for x, own in zip(arrays, mapped, strict=True)]


def add_batch(run: Run, x: Any, mapped: bool) -> Any:
    """Return the array with a batch axis, repeated if it had none."""
    return x if mapped else run.xp.broadcast_to(x, (run.size, *x.shape))


def shift_axes(run: Run, axis: Any, ndim: int) -> Any:
    """Return axes of an example as axes of the batch; None means all of them."""
    if axis is None:
        return tuple(range(1, ndim + 1))
    if isinstance(axis, (tuple, list)):
        return tuple([front_axis(run.name, a, ndim) + 1 for a in axis])
    return front_axis(run.name, axis, ndim) + 1


def flatten_examples(run: Run, x: Any) -> Any:
    """Return a matrix with each example as a row."""
    return run.xp.reshape(x, (run.size, prod(x.shape[1:])))


def label_batch(labels: Sequence[str], out: str, mapped: Sequence[bool]) -> str:
    """Return an equation of ``einsum`` with a letter for the batch, from the labels of the operands and of the result."""
    letter = next(letter for letter in ascii_letters if letter not in "".join(labels) and letter not in out)
    return ",".join([letter * own + term for term, own in zip(labels, mapped, strict=True)]) + f"->{letter}{out}"
