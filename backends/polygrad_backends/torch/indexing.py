"""Selection and assignment on torch tensors, whose slices only go forward."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from polygrad.backend import get_backend
from polygrad.rules.keys import arrays_are_neighbours, axes_indexed, is_basic, is_mask, turn_forward


def _as_numpy(key: Any, device: Any) -> Any:
    """Return a key with arrays in the place of integers beside arrays.

    NumPy takes such integers for arrays, and torch takes arrays without axes for integers. That decides where the new axes go.
    """
    if not isinstance(key, tuple):
        return key
    key = tuple([torch.as_tensor(part, device=device) if isinstance(part, list) else part for part in key])
    like = next((part for part in key if isinstance(part, torch.Tensor) and part.ndim), None)
    if like is None:
        return key
    one = (1,) * (1 if is_mask(like) else like.ndim)
    return tuple([torch.full(one, int(part), device=device) if _is_integer(part) else part for part in key])


def _is_integer(part: Any) -> bool:
    return type(part) is int or (isinstance(part, torch.Tensor) and part.ndim == 0 and not is_mask(part))


def _overlooked(key: Any, ndim: int) -> bool:
    """Return whether nothing but an ellipsis without axes stands between the arrays: NumPy heeds it, torch does not."""
    if not isinstance(key, tuple) or not any(part is Ellipsis for part in key) or sum(map(axes_indexed, key)) < ndim:
        return False
    return arrays_are_neighbours([part for part in key if part is not Ellipsis]) and not arrays_are_neighbours(key)


def getitem(x: Any, *, key: Any) -> Any:
    """Return ``x[key]``."""
    first, flips, key = turn_forward(_as_numpy(key, x.device), x.shape)
    x = torch.flip(x[first], flips) if flips else x
    return get_backend("torch").default("getitem")(x, key=key) if _overlooked(key, x.ndim) else x[key]


def _numbers(key: Any, like: Any) -> Any:
    """Return the row-major numbers of the elements that a key selects."""
    return getitem(torch.arange(like.numel(), device=like.device).reshape(like.shape), key=key)


def add_at(out: Any, key: Any, value: Any) -> Any:
    """Return ``out``, with ``value`` added into it at ``key``, every duplicate counted."""
    value = torch.as_tensor(value, dtype=out.dtype, device=out.device)
    if not is_basic(key):
        # index_put_ with accumulate counts duplicates, but takes index tensors only
        numbers = _numbers(key, out)
        sums = out.reshape(-1).index_add_(0, numbers.reshape(-1), value.expand(numbers.shape).reshape(-1))
        return sums.reshape(out.shape)
    first, flips, key = turn_forward(key, out.shape)
    if flips:
        part = out[first]
        part += torch.flip(getitem_adjoint(value, key=key, shape=part.shape), flips)
    else:
        out[key] += value
    return out


def getitem_adjoint(x: Any, *, key: Any, shape: tuple[int, ...]) -> Any:
    """Return zeros of ``shape`` with ``x`` added at ``key``."""
    return add_at(torch.zeros(shape, dtype=x.dtype, device=x.device), key, x)


def set_at(x: Any, value: Any, /, *, key: Any) -> Any:
    """Return a copy of ``x`` with ``value`` at ``key``."""
    out = x.clone()
    first, flips, then = turn_forward(_as_numpy(key, x.device), x.shape)
    if flips:
        out[first] = torch.flip(set_at(torch.flip(x[first], flips), value, key=then), flips)
    elif _overlooked(then, x.ndim):
        numbers = _numbers(key, x)
        out.view(-1)[numbers] = torch.as_tensor(value, dtype=x.dtype, device=x.device).expand(numbers.shape)
    else:
        out[then] = value
    return out


FUNCTIONS: dict[str, Callable[..., Any]] = {"getitem": getitem, "getitem_adjoint": getitem_adjoint, "set_at": set_at}
