"""Keys, as they stand between the brackets of ``x[key]``: tests of their parts, and functions that build keys and split them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def is_basic(key: Any) -> bool:
    """Return whether a key has integers, slices, ellipsis and None only: then it selects every element at most once, and gives a view."""
    if type(key) is tuple:
        return all(map(is_basic, key))
    return key is None or key is Ellipsis or type(key) is slice or type(key) is int


def is_mask(part: Any) -> bool:
    """Return whether a part of a key is an array of Booleans."""
    return "bool" in str(getattr(part, "dtype", ""))


def axes_indexed(part: Any) -> int:
    """Return how many axes of the array a part of a key takes up."""
    if part is None or part is Ellipsis:
        return 0
    return part.ndim if is_mask(part) else 1


def arrays_are_neighbours(parts: Sequence[Any]) -> bool:
    """Return whether nothing stands between the arrays and integers of a key, not even an ellipsis without axes."""
    chosen = [i for i, part in enumerate(parts) if type(part) is int or hasattr(part, "dtype")]
    return not chosen or chosen[-1] - chosen[0] < len(chosen)


def along(axis: int, part: Any) -> tuple[Any, ...]:
    """Return the key that selects ``part`` along one axis, counted from the front, and everything along the others."""
    return (*(slice(None),) * axis, part, ...)


def gather_key(xp: Any, indices: Any, x_shape: tuple[int, ...], axis: int, device: Any) -> tuple[Any, ...]:
    """Return the key whose selection is ``take_along_axis``. On the other axes it has the position of each element."""
    ndim = len(x_shape)
    at = axis % ndim
    return tuple(
        [
            indices if i == at else xp.reshape(xp.arange(n, device=device), (*(1,) * i, n, *(1,) * (ndim - 1 - i)))
            for i, n in enumerate(x_shape)
        ]
    )


def _goes_back(part: Any) -> bool:
    return type(part) is slice and part.step is not None and part.step < 0


def turn_forward(key: Any, shape: tuple[int, ...]) -> tuple[Any, list[int], Any]:
    """Split a key into three steps without negative strides: a key to select first, the axes of that to flip, a key to select then.

    It is for libraries that lack negative steps, or have them with faults.
    """
    keys = key if isinstance(key, tuple) else (key,)
    if not any(map(_goes_back, keys)):
        return ..., [], key
    consumed = sum(map(axes_indexed, keys))
    first = [slice(None)] * len(shape)
    flips, then = [], []
    axis = 0
    for part in keys:
        if _goes_back(part):
            indices = range(*part.indices(shape[axis]))
            first[axis] = slice(indices[-1], indices[0] + 1, -part.step) if indices else slice(0, 0)
            flips.append(axis)
            part = slice(None)
        then.append(part)
        axis += len(shape) - consumed if part is Ellipsis else axes_indexed(part)
    return tuple(first), flips, tuple(then)
