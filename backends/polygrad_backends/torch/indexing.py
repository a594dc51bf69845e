"""Selection and assignment on torch tensors, whose slices only go forward."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from polygrad.rules.indexing import axes_of, basic


def _goes_back(part: Any) -> bool:
    return type(part) is slice and part.step is not None and part.step < 0


def _forward(key: Any, shape: tuple[int, ...]) -> tuple[Any, list[int], Any]:
    """A key in which no slice goes back, in three steps: what to select first, the axes of that to flip, and what to select then."""
    if not any(map(_goes_back, key if isinstance(key, tuple) else (key,))):
        return ..., [], key
    keys = key if isinstance(key, tuple) else (key,)
    consumed = sum(map(axes_of, keys))
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
        axis += len(shape) - consumed if part is Ellipsis else axes_of(part)
    return tuple(first), flips, tuple(then)


def _arrays_alike(key: Any, device: Any) -> Any:
    """Integers beside an array as arrays, for which NumPy takes them too: that decides where the new axes go."""
    if not isinstance(key, tuple) or int not in map(type, key):
        return key
    arrays = [torch.as_tensor(part) for part in key if isinstance(part, (torch.Tensor, list))]
    if not arrays:
        return key
    shape = (1,) if arrays[0].dtype == torch.bool else arrays[0].shape
    return tuple([torch.full(shape, part, device=device) if type(part) is int else part for part in key])


def getitem(x: Any, *, key: Any) -> Any:
    """``x[key]``."""
    first, flips, key = _forward(_arrays_alike(key, x.device), x.shape)
    return torch.flip(x[first], flips)[key] if flips else x[key]


def add_at(out: Any, key: Any, value: Any) -> Any:
    """``out``, with ``value`` added into it at ``key``, every duplicate counted."""
    value = torch.as_tensor(value, dtype=out.dtype, device=out.device)
    first, flips, key = _forward(_arrays_alike(key, out.device), out.shape)
    if flips:
        part = out[first]
        part += torch.flip(getitem_adjoint(value, key=key, shape=part.shape), flips)
    elif basic(key):
        out[key] += value
    else:
        # index_put_ with accumulate counts duplicates, but takes index tensors only: number the elements, then select.
        numbers = torch.arange(out.numel(), device=out.device).reshape(out.shape)[key]
        sums = out.reshape(-1).index_add_(0, numbers.reshape(-1), value.expand(numbers.shape).reshape(-1))
        return sums.reshape(out.shape)
    return out


def getitem_adjoint(x: Any, *, key: Any, shape: tuple[int, ...]) -> Any:
    """Zeros of ``shape`` with ``x`` added at ``key``."""
    return add_at(torch.zeros(shape, dtype=x.dtype, device=x.device), key, x)


def set_at(x: Any, value: Any, /, *, key: Any) -> Any:
    """A copy of ``x`` with ``value`` at ``key``."""
    out = x.clone()
    first, flips, key = _forward(_arrays_alike(key, x.device), x.shape)
    if flips:
        out[first] = torch.flip(set_at(torch.flip(x[first], flips), value, key=key), flips)
    else:
        out[key] = value
    return out


FUNCTIONS: dict[str, Callable[..., Any]] = {"getitem": getitem, "getitem_adjoint": getitem_adjoint, "set_at": set_at}
