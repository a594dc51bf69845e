"""Batching rules of the rearrangements, joins and repetitions in ``rules.manipulation``."""

from __future__ import annotations

from math import prod
from typing import Any

from ...errors import ShapeError
from .alignment import Run, add_batch, flatten_examples, pad_rank, shift_axes


def reshape(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    """Batch ``reshape``; -1 is worked out from one example."""
    (x,) = arrays
    shape = params["shape"]
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    if -1 in shape:
        known = prod([n for n in shape if n != -1])
        have = prod(x.shape[1:])
        shape = tuple([have // known if n == -1 and known else n for n in shape])
    if prod(shape) != prod(x.shape[1:]) or min(shape, default=0) < 0:
        raise ShapeError(
            f"reshape: an array of shape {tuple(x.shape[1:])} cannot take the shape {tuple(params['shape'])}"
        )
    return run(x, **{**params, "shape": (run.size, *shape)})


def expand_dims(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    """Batch ``expand_dims``, whose axes are counted in the result."""
    (x,) = arrays
    axis = params["axis"]
    more = len(axis) if isinstance(axis, (tuple, list)) else 1
    return run(x, axis=shift_axes(run, axis, x.ndim - 1 + more))


def squeeze(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    """Batch ``squeeze``; no axes at all leave the array as it is."""
    (x,) = arrays
    return run(x, axis=shift_axes(run, params["axis"], x.ndim - 1)) if params["axis"] != () else x


def permute_dims(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    """Batch ``permute_dims``; the batch stays in front."""
    (x,) = arrays
    return run(x, axes=(0, *shift_axes(run, tuple(params["axes"]), x.ndim - 1)))


def flip(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    """Batch ``flip``; no axes at all leave the array as it is."""
    (x,) = arrays
    axis = shift_axes(run, params["axis"], x.ndim - 1)
    return run(x, axis=axis) if axis != () else x


def broadcast_to(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    """Batch ``broadcast_to``; new axes come behind the batch."""
    (x,) = arrays
    shape = tuple(params["shape"])
    if len(shape) < x.ndim - 1:
        raise ShapeError(f"broadcast_to: the shape {tuple(x.shape[1:])} does not broadcast to {shape}")
    return run(pad_rank(run, x, len(shape)), shape=(run.size, *shape))


def concat(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    """Batch ``concat``; without an axis the examples are joined as rows."""
    full = [add_batch(run, x, own) for x, own in zip(arrays, mapped, strict=True)]
    if params["axis"] is None:
        return run(*[flatten_examples(run, x) for x in full], axis=1)
    return run(*full, axis=shift_axes(run, params["axis"], max([x.ndim for x in full]) - 1))


def stack(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    """Batch ``stack``, whose axis is counted in the result."""
    full = [add_batch(run, x, own) for x, own in zip(arrays, mapped, strict=True)]
    return run(*full, axis=shift_axes(run, params["axis"], full[0].ndim))


def roll(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    """Batch ``roll``; without an axis the elements of each example roll in a row."""
    (x,) = arrays
    shift, axis = params["shift"], params["axis"]
    if axis is None:
        shift = shift if isinstance(shift, int) else sum(shift)
        return run.xp.reshape(run(flatten_examples(run, x), shift=shift, axis=1), x.shape)
    return run(x, shift=shift, axis=shift_axes(run, axis, x.ndim - 1))


def repeat(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    """Batch ``repeat``; without an axis the elements of each example are repeated in a row."""
    (x,) = arrays
    if params["axis"] is None:
        return run(flatten_examples(run, x), repeats=params["repeats"], axis=1)
    return run(x, repeats=params["repeats"], axis=shift_axes(run, params["axis"], x.ndim - 1))


def tile(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    """Batch ``tile``; the batch itself is not repeated."""
    (x,) = arrays
    times = params["repetitions"]
    times = (times,) if isinstance(times, int) else tuple(times)
    times = (1,) * (x.ndim - 1 - len(times)) + times
    return run(pad_rank(run, x, len(times)), repetitions=(1, *times))
