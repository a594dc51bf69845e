"""Indexing: selection by a key, its transpose, and assignment.

A key is whatever Python puts between the brackets: integers, slices, None, an ellipsis, boolean masks, integer arrays, mixtures. The
standard has only some of these keys, and it has assignment only where a library allows it. The defaults here do the rest with the
functions of the standard.
"""

from __future__ import annotations

from math import prod
from typing import Any

from ..errors import describe
from .declare import linear
from .helpers import fit
from .keys import arrays_are_neighbours, axes_indexed, is_basic, is_mask
from .vmap import forms
from .vmap import indexing as selections


def _take_apart(xp: Any, key: Any, shape: tuple[int, ...], device: Any) -> tuple[list[Any], list[int], bool]:
    """Take a key apart. Return a part for every axis and every None, the lengths of the axes, and whether the arrays are neighbours.

    Integers count as arrays there. The ellipsis is written out, lists become arrays, and masks become the positions where they are true.
    A mask without axes selects from an axis of length 1 that is put in for it.
    """
    given = list(key) if isinstance(key, tuple) else [key]
    given = [xp.asarray(part, device=device) if isinstance(part, (list, bool)) else part for part in given]
    for i, part in enumerate(given):
        if part is not None and part is not Ellipsis and type(part) is not slice and not hasattr(part, "dtype"):
            if not hasattr(part, "__index__"):
                raise IndexError(
                    f"a key is made of integers, slices, ellipsis, None and arrays of integers or Booleans; {describe(part)} is none"
                )
            given[i] = part.__index__()
    consumed = sum(map(axes_indexed, given))
    if consumed > len(shape):
        raise IndexError(f"there are {len(shape)} axes, and the key speaks of {consumed}")
    neighbours = arrays_are_neighbours(given)
    missing = [slice(None)] * (len(shape) - consumed)
    at = next((i for i, part in enumerate(given) if part is Ellipsis), len(given))
    parts: list[Any] = []
    lengths: list[int] = []
    axis = 0
    for part in (*given[:at], *missing, *given[at + 1 :]):
        own = shape[axis : axis + axes_indexed(part)]
        axis += len(own)
        if is_mask(part):
            # As in NumPy, a mask without elements selects nothing, whatever the lengths.
            if any(n not in (0, length) for n, length in zip(part.shape, own, strict=True)):
                raise IndexError(f"a mask of shape {tuple(part.shape)} does not fit axes of lengths {own}")
            parts += xp.nonzero(part if part.ndim else xp.reshape(part, (1,)))
            lengths += own or (1,)
        else:
            parts.append(part)
            lengths += own
    return parts, lengths, neighbours


def _number_elements(xp: Any, key: Any, shape: tuple[int, ...], device: Any) -> Any:
    """Return the row-major numbers of the elements that a key selects from an array of that shape, in the shape of the selection.

    Arrays are broadcast together; integers beside them count as arrays. Their axes come where the arrays are if those are neighbours, and
    first if they are not.
    """
    parts, lengths, neighbours = _take_apart(xp, key, shape, device)
    for axis, part in enumerate([part for part in parts if part is not None]):
        if type(part) is int and not -lengths[axis] <= part < lengths[axis]:
            raise IndexError(f"index {part} is out of bounds for axis {axis} with size {lengths[axis]}")
    if any(hasattr(part, "dtype") for part in parts):
        parts = [xp.asarray(part, device=device) if type(part) is int else part for part in parts]
    chosen = [i for i, part in enumerate(parts) if hasattr(part, "dtype")]
    arrays = dict(zip(chosen, xp.broadcast_arrays(*[parts[i] for i in chosen]) if chosen else (), strict=True))
    common = tuple(arrays[chosen[0]].shape) if chosen else ()
    kept = [i for i, part in enumerate(parts) if i not in chosen and type(part) is not int]
    before = sum(i < chosen[0] for i in kept) if chosen and neighbours else 0
    ndim = len(kept) + len(common)
    out = xp.zeros((1,) * ndim, dtype=xp.int64, device=device)
    axis = 0
    for i, part in enumerate(parts):
        if part is None:
            continue
        length, stride = lengths[axis], prod(lengths[axis + 1 :])
        axis += 1
        if type(part) is int:
            out = out + part % length * stride
            continue
        if i in arrays:
            steps = xp.astype(arrays[i], xp.int64)
            steps = xp.where(steps < 0, steps + length, steps)
            place = before
        else:
            steps = xp.arange(*part.indices(length), dtype=xp.int64, device=device)
            place = kept.index(i)
            place = place if place < before else place + len(common)
        shown = (*(1,) * place, *steps.shape, *(1,) * (ndim - place - steps.ndim))
        out = out + xp.reshape(steps, shown) * stride
    return out


def _complete_key(key: Any, ndim: int) -> Any:
    """Return a basic key that names every axis, as the standard demands."""
    keys = key if isinstance(key, tuple) else (key,)
    return key if Ellipsis in keys or sum(part is not None for part in keys) == ndim else (*keys, Ellipsis)


def _getitem(xp: Any, x: Any, *, key: Any) -> Any:
    if is_basic(key):
        return x[_complete_key(key, x.ndim)]
    numbers = _number_elements(xp, key, tuple(x.shape), x.device)
    return xp.reshape(xp.take(xp.reshape(x, (-1,)), xp.reshape(numbers, (-1,)), axis=0), numbers.shape)


def _node_name(payloads: Any, params: Any) -> str:
    """Return torch's name: it has a node for each kind of selection. A mixed key is named after its most general part."""
    key = params["key"]
    if type(key) is int:
        return "SelectBackward0"
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
    default=_getitem,
    node=_node_name,
    view=lambda params: is_basic(params["key"]),
    write=lambda xp, base, value, *, key: xp.set_at(base, value, key=key),
    batch=selections.getitem,
)


def _getitem_adjoint(xp: Any, x: Any, *, key: Any, shape: tuple[int, ...]) -> Any:
    """Compute the adjoint by the standard alone: number the elements, select the numbers, and add up the values of each number.

    The values are sorted by target and summed among equals, over distances that double. So no sum ever holds values of another target: an
    infinite, a nan or a very large value stays where it is.
    """
    size = prod(shape)
    zeros = xp.zeros(shape, dtype=x.dtype, device=x.device)
    if is_basic(key):
        return xp.set_at(zeros, x, key=key)
    numbers = _number_elements(xp, key, shape, x.device)
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
    last = xp.searchsorted(numbers, targets, side="right") - 1  # the last value of each target has the whole sum
    last = xp.where(last < 0, xp.zeros_like(last), last)
    hit = xp.equal(xp.take(numbers, last, axis=0), targets)
    return xp.reshape(xp.where(hit, xp.take(sums, last, axis=0), xp.reshape(zeros, (-1,))), shape)


getitem_adjoint = linear(
    "getitem_adjoint(x, /, *, key, shape)",
    transpose=lambda xp, g, *, key, x_shape: fit(xp, xp.getitem(g, key=key), x_shape),
    default=_getitem_adjoint,
    node="IndexPutBackward0",
    batch=selections.getitem_adjoint,
    doc="Zeros of the given shape with ``x`` added at ``key``, duplicates counted: the transpose of selection.",
)


def _set_at(xp: Any, x: Any, value: Any, *, key: Any) -> Any:
    """Assign where the library can and the standard has the key. Otherwise find out for every element which value is written to it last."""
    if is_basic(key):
        key = _complete_key(key, x.ndim)
        kept = tuple([part for part in (key if isinstance(key, tuple) else (key,)) if part is not None])
        ndim: int = getattr(value, "ndim", 0)
        if ndim and isinstance(key, tuple) and None in key:  # new axes, which the standard allows in a selection only
            value = xp.reshape(xp.broadcast_to(value, x[key].shape), x[kept].shape)
        try:
            out = xp.asarray(x, copy=True)
            out[kept] = value
            return out
        except TypeError:  # the library's arrays cannot be written
            key = kept
    numbers = _number_elements(xp, key, tuple(x.shape), x.device)
    if 0 in numbers.shape:
        return x
    value = xp.astype(value, x.dtype) if hasattr(value, "dtype") else xp.asarray(value, dtype=x.dtype, device=x.device)
    values = xp.reshape(xp.broadcast_to(value, numbers.shape), (-1,))
    numbers = xp.reshape(numbers, (-1,))
    order = xp.argsort(numbers, stable=True)
    sorted_numbers = xp.take(numbers, order, axis=0)
    elements = xp.arange(prod(x.shape), dtype=numbers.dtype, device=x.device)
    last = xp.searchsorted(sorted_numbers, elements, side="right") - 1
    last = xp.where(last < 0, xp.zeros_like(last), last)
    written = xp.take(sorted_numbers, last, axis=0) == elements
    flat = xp.where(written, xp.take(values, xp.take(order, last, axis=0), axis=0), xp.reshape(x, (-1,)))
    return xp.reshape(flat, x.shape)


def _written_cotangent(xp: Any, g: Any, *, key: Any, value_shape: tuple[int, ...], x_device: Any) -> Any:
    """Return the cotangent of the written values. Of several values written to one element only the last counts."""
    if value_shape == () and is_mask(key):
        # Nothing is selected, so this works where no shape may depend on values, too: under jax.jit, on dask.
        mask = xp.reshape(key, (*key.shape, *(1,) * (g.ndim - key.ndim)))
        return xp.sum(xp.where(mask, g, xp.zeros_like(g)))
    chosen = xp.getitem(g, key=key)
    if not is_basic(key) and any(_may_repeat(part) for part in (key if isinstance(key, tuple) else (key,))):
        size = 1
        for n in chosen.shape:
            size *= n
        turns = xp.reshape(xp.arange(size, device=x_device), chosen.shape)
        last = xp.set_at(xp.zeros(g.shape, dtype=turns.dtype, device=x_device), turns, key=key)
        chosen = xp.where(xp.getitem(last, key=key) == turns, chosen, xp.zeros_like(chosen))
    return fit(xp, chosen, value_shape)


def _may_repeat(part: Any) -> bool:
    return isinstance(part, list) or (hasattr(part, "dtype") and not is_mask(part))


set_at = linear(
    "set_at(x, value, /, *, key)",
    transpose=(
        lambda xp, g, *, key: xp.set_at(g, 0.0, key=key),
        _written_cotangent,
    ),
    default=_set_at,
    node="CopySlices",
    batch=selections.set_at,
    doc="``x`` with ``value``, which is broadcast, in the place of ``x[key]``; ``x`` itself is not changed.",
)


to_device = linear(
    "to_device(x, device, /, *, stream=None)",
    arrays=("x",),
    transpose=lambda xp, g, *, x_device: xp.to_device(g, x_device),
    default=lambda xp, x, device: x.to_device(device),
    node="ToCopyBackward0",
    batch=forms.elementwise,
)
