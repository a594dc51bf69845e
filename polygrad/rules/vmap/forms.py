"""Batching rules that many operations share; a declaration names its own with ``batch=``.

Elementwise operations need none: their arrays are aligned behind the batch. Most others move their axes up by one. How a rule is called
is told in ``alignment``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...errors import ShapeError
from ..helpers import broadcast_shapes
from .alignment import Run, align, example_ndim, flatten_examples, shift_axes


def elementwise(run: Run, arrays: Sequence[Any], mapped: Sequence[bool], params: dict[str, Any]) -> Any:
    """Batch a function of each element."""
    if len(arrays) == 1:
        return run(*arrays, **params)
    return run(*align(run, arrays, mapped), **params)


def reduction(run: Run, arrays: Sequence[Any], mapped: Sequence[bool], params: dict[str, Any]) -> Any:
    """Batch a reduction over one axis, several, or all (None)."""
    (x,) = arrays
    axis, ndim = params["axis"], x.ndim - 1
    if axis == () or (axis is None and ndim == 0):
        # Libraries differ about no axis at all, but not about an axis of length 1.
        return run(run.xp.expand_dims(x, axis=-1), **{**params, "axis": ndim + 1, "keepdims": False})
    return run(x, **{**params, "axis": shift_axes(run, axis, ndim)})


def position(run: Run, arrays: Sequence[Any], mapped: Sequence[bool], params: dict[str, Any]) -> Any:
    """Batch ``argmax`` and ``argmin``, which take one axis or the whole array."""
    (x,) = arrays
    if params["axis"] is not None:
        return run(x, **{**params, "axis": shift_axes(run, params["axis"], x.ndim - 1)})
    out = run(flatten_examples(run, x), **{**params, "axis": 1, "keepdims": False})
    return run.xp.reshape(out, (run.size, *(1,) * (x.ndim - 1))) if params["keepdims"] else out


def along(run: Run, arrays: Sequence[Any], mapped: Sequence[bool], params: dict[str, Any]) -> Any:
    """Batch an operation along one axis, which an array of no axes is taken to have."""
    (x,) = arrays
    if x.ndim == 1:
        changed = {"axis": 1, **({"keepdims": False} if "keepdims" in params else {})}
        out = run(run.xp.expand_dims(x, axis=1), **{**params, **changed})
        parts = [run.xp.reshape(part, (run.size,)) for part in (out if isinstance(out, tuple) else (out,))]
        return tuple(parts) if isinstance(out, tuple) else parts[0]
    return run(x, **{**params, "axis": shift_axes(run, params["axis"], x.ndim - 1)})


def cumulative(run: Run, arrays: Sequence[Any], mapped: Sequence[bool], params: dict[str, Any]) -> Any:
    """Batch a running sum or product, whose axis may be left out where there is only one."""
    (x,) = arrays
    axis = params["axis"]
    if x.ndim == 1 or (axis is None and x.ndim > 2):
        return NotImplemented
    return run(x, **{**params, "axis": shift_axes(run, axis or 0, x.ndim - 1)})


def named_axes(run: Run, arrays: Sequence[Any], mapped: Sequence[bool], params: dict[str, Any]) -> Any:
    """Batch an operation all of whose parameters are axes (``swapaxes``, ``moveaxis``)."""
    (x,) = arrays
    return run(x, **{name: shift_axes(run, axis, x.ndim - 1) for name, axis in params.items()})


def several_axes(run: Run, arrays: Sequence[Any], mapped: Sequence[bool], params: dict[str, Any]) -> Any:
    """Batch a transform over ``axes``, the last ones where only their lengths ``s`` are given."""
    (x,) = arrays
    axes, ndim = params["axes"], x.ndim - 1
    if axes is None and params.get("s") is not None:
        axes = range(-len(params["s"]), 0)
    axes = shift_axes(run, tuple(axes) if isinstance(axes, range) else axes, ndim)
    return run(x, **{**params, "axes": axes}) if axes != () else x


def matrix(run: Run, arrays: Sequence[Any], mapped: Sequence[bool], params: dict[str, Any]) -> Any:
    """Batch a function of matrices, which the library takes in stacks."""
    (x,) = arrays
    return run(x, **params) if x.ndim > 2 else NotImplemented


def matrices(run: Run, arrays: Sequence[Any], mapped: Sequence[bool], params: dict[str, Any]) -> Any:
    """Batch a function of several matrices, which the library takes in stacks of one shape."""
    if min([example_ndim(x, own) for x, own in zip(arrays, mapped, strict=True)]) < 2:
        return NotImplemented
    return run(*stack_matrices(run, arrays, mapped), **params)


def stack_matrices(run: Run, arrays: Sequence[Any], mapped: Sequence[bool]) -> list[Any]:
    """Return matrices with the same axes in front of the last two."""
    arrays = align(run, arrays, mapped)
    lead = broadcast_shapes(*[tuple(x.shape[:-2]) for x in arrays])
    return [x if tuple(x.shape[:-2]) == lead else run.xp.broadcast_to(x, (*lead, *x.shape[-2:])) for x in arrays]


def data_dependent(run: Run, arrays: Sequence[Any], mapped: Sequence[bool], params: dict[str, Any]) -> Any:
    """Refuse an operation whose results have shapes that depend on the values."""
    raise ShapeError(
        f"vmap: the shape of what {run.name} returns depends on the values, so the results of a batch are no array; take it out of "
        f"the function, or use a mask (where)"
    )


def count_from_end(run: Run, axis: int, ndims: Sequence[int]) -> int:
    """Return an axis of arrays with ``ndims`` axes counted from the end, where they meet behind the batch.

    Raises
    ------
    ShapeError
        The axis is given from the front, and the arrays have different numbers of axes.
    """
    if axis < 0:
        return axis
    if len(set(ndims)) > 1:
        raise ShapeError(f"{run.name}: with {ndims[0]} and {ndims[1]} axes, axis={axis} has to be given from the end")
    return axis - ndims[0]
