"""Indexing: selection by a key, its transpose, and assignment.

A key is whatever Python puts between the brackets: integers, slices, None, an ellipsis, boolean masks, integer arrays, mixtures.
"""

from __future__ import annotations

from typing import Any

from .declare import fit, linear


def basic(key: Any) -> bool:
    """Whether a key selects every element at most once, and gives a view: integers, slices, ellipsis and None only."""
    if type(key) is tuple:
        return all(map(basic, key))
    return key is None or key is Ellipsis or type(key) is slice or type(key) is int


def _name(payloads: Any, params: Any) -> str:
    """torch has a node for each kind of selection; a mixed key is named after the most general part."""
    key = params["key"]
    keys = key if isinstance(key, tuple) else (key,)
    if any(hasattr(part, "dtype") or isinstance(part, list) for part in keys):
        return "IndexBackward0"
    if any(type(part) is int for part in keys):
        return "SelectBackward0"
    if any(isinstance(part, slice) and part != slice(None) for part in keys):
        return "SliceBackward0"
    return "UnsqueezeBackward0" if None in keys else "AliasBackward0"


getitem = linear(
    "getitem(x, /, *, key)",
    transpose=lambda xp, g, *, x_shape, key: xp.getitem_adjoint(g, key=key, shape=x_shape),
    default=lambda xp, x, *, key: x[key],
    node=_name,
    view=lambda params: basic(params["key"]),
    write=lambda xp, base, value, *, key: xp.set_at(base, value, key=key),
)


def _getitem_adjoint(xp: Any, x: Any, *, key: Any, shape: tuple[int, ...]) -> Any:
    """For a library that only speaks the standard: number the elements, select the numbers, and add up what falls on each.

    The contributions are sorted by target and summed as differences of a cumulative sum, which is exact for integers and accurate to
    rounding of the running total for the rest.
    """
    size = 1
    for n in shape:
        size *= n
    zeros = xp.zeros(shape, dtype=x.dtype, device=x.device)
    numbers = xp.getitem(xp.reshape(xp.arange(size, device=x.device), shape), key=key)
    values = xp.reshape(xp.broadcast_to(x, numbers.shape), (-1,))
    numbers = xp.reshape(numbers, (-1,))
    if numbers.shape[0] == 0:
        return zeros
    order = xp.argsort(numbers)
    sums = xp.cumulative_sum(xp.take(values, order, axis=0), include_initial=True)
    ends = xp.searchsorted(xp.take(numbers, order, axis=0), xp.arange(size + 1, device=x.device))
    totals = xp.take(sums, ends, axis=0)
    return xp.reshape(totals[1:] - totals[:-1], shape)


getitem_adjoint = linear(
    "getitem_adjoint(x, /, *, key, shape)",
    transpose=lambda xp, g, *, key, x_shape: fit(xp, xp.getitem(g, key=key), x_shape),
    default=_getitem_adjoint,
    node="IndexPutBackward0",
)
"""Zeros of ``shape`` with ``x`` added at ``key``, duplicates counted: the transpose of selection."""


def _set_at(xp: Any, x: Any, value: Any, *, key: Any) -> Any:
    out = xp.asarray(x, copy=True)
    out[key] = value
    return out


def _written(xp: Any, g: Any, *, key: Any, value_shape: tuple[int, ...], x_device: Any) -> Any:
    """The cotangent of what is written. Where an element is written several times only the last time counts, so find out which."""
    if value_shape == () and "bool" in str(getattr(key, "dtype", "")):
        # Nothing has to be selected, so this also works where no shape may depend on values: under jax.jit, on dask.
        mask = xp.reshape(key, (*key.shape, *(1,) * (g.ndim - key.ndim)))
        return xp.sum(xp.where(mask, g, xp.zeros_like(g)))
    chosen = xp.getitem(g, key=key)
    if not basic(key) and any(_may_repeat(part) for part in (key if isinstance(key, tuple) else (key,))):
        size = 1
        for n in chosen.shape:
            size *= n
        turns = xp.reshape(xp.arange(size, device=x_device), chosen.shape)
        last = xp.set_at(xp.zeros(g.shape, dtype=turns.dtype, device=x_device), turns, key=key)
        chosen = xp.where(xp.getitem(last, key=key) == turns, chosen, xp.zeros_like(chosen))
    return fit(xp, chosen, value_shape)


def _may_repeat(part: Any) -> bool:
    return isinstance(part, list) or (hasattr(part, "dtype") and "bool" not in str(part.dtype))


set_at = linear(
    "set_at(x, value, /, *, key)",
    transpose=(
        lambda xp, g, *, key: xp.set_at(g, 0.0, key=key),
        _written,
    ),
    default=_set_at,
    node="CopySlices",
)
"""``x`` with ``value`` (broadcast) in the place of ``x[key]``; ``x`` itself is not changed."""


to_device = linear(
    "to_device(x, device, /, *, stream=None)",
    arrays=("x",),
    transpose=lambda xp, g, *, x_device: xp.to_device(g, x_device),
    default=lambda xp, x, device: x.to_device(device),
    node="ToCopyBackward0",
)
