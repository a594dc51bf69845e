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

    The contributions are sorted by target and summed among equals, over distances that double. So no sum ever holds what belongs to
    another target: an infinite, a nan or a very large contribution stays where it is.
    """
    size = 1
    for n in shape:
        size *= n
    zeros = xp.zeros(shape, dtype=x.dtype, device=x.device)
    numbers = xp.getitem(xp.reshape(xp.arange(size, device=x.device), shape), key=key)
    sums = xp.reshape(xp.broadcast_to(x, numbers.shape), (-1,))
    numbers = xp.reshape(numbers, (-1,))
    count = numbers.shape[0]
    if count == 0:
        return zeros
    order = xp.argsort(numbers)
    numbers, sums = xp.take(numbers, order, axis=0), xp.take(sums, order, axis=0)
    distance = 1
    while distance < count:
        same = xp.equal(numbers[distance:], numbers[: count - distance])
        earlier = sums[: count - distance]
        further = sums[distance:] + xp.where(same, earlier, xp.zeros_like(earlier))
        sums = xp.concat([sums[:distance], further])
        distance *= 2
    targets = xp.arange(size, device=x.device)
    last = (
        xp.searchsorted(numbers, targets, side="right") - 1
    )  # the last of each target's contributions has the whole sum
    last = xp.where(last < 0, xp.zeros_like(last), last)
    hit = xp.equal(xp.take(numbers, last, axis=0), targets)
    return xp.reshape(xp.where(hit, xp.take(sums, last, axis=0), xp.reshape(zeros, (-1,))), shape)


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
