"""The manipulation functions of the standard, and torch's everyday names: views, rearrangements, joins, gathers.

An operation that only rearranges is declared with ``view=True``. Its transpose is its exact inverse, by which a write to the view reaches
the base. Plain selections are made of ``getitem``, and are views through it.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from ..errors import ArgumentError, GraphError, ShapeError, describe
from .declare import composite, linear
from .helpers import cast, device_of, fit, front_axis, raise_rank
from .keys import along, gather_key
from .vmap import forms, rearranging
from .vmap import indexing as selections

# -- shape helpers -----------------------------------------------------------------------------------------------------


def _invert_permutation(axes: Sequence[int]) -> tuple[int, ...]:
    """Return the permutation that undoes this one."""
    order = [axis % len(axes) for axis in axes]
    return tuple([order.index(i) for i in range(len(order))])


def _swap(ndim: int, axis0: int, axis1: int) -> tuple[int, ...]:
    axes = list(range(ndim))
    axes[axis0], axes[axis1] = axes[axis1], axes[axis0]
    return tuple(axes)


# -- views -------------------------------------------------------------------------------------------------------------
reshape = linear(
    "reshape(x, /, shape, *, copy=None)",
    transpose=lambda xp, g, *, x_shape: xp.reshape(g, x_shape),
    node="ViewBackward0",
    view=lambda params: not params["copy"],
    batch=rearranging.reshape,
)
permute_dims = linear(
    "permute_dims(x, /, axes)",
    transpose=lambda xp, g, *, axes: xp.permute_dims(g, _invert_permutation(axes)),
    node="PermuteBackward0",
    view=True,
    batch=rearranging.permute_dims,
    methods="permute_dims",
)
expand_dims = linear(
    "expand_dims(x, /, axis=0)",
    transpose=lambda xp, g, *, x_shape: xp.reshape(g, x_shape),
    node="UnsqueezeBackward0",
    view=True,
    batch=rearranging.expand_dims,
    methods="expand_dims",
)
squeeze = linear(
    "squeeze(x, /, axis)",
    transpose=lambda xp, g, *, x_shape: xp.reshape(g, x_shape),
    node=lambda payloads, params: f"SqueezeBackward{1 if isinstance(params['axis'], int) else 2}",
    view=True,
    batch=rearranging.squeeze,
)
matrix_transpose = linear(
    "matrix_transpose(x, /)",
    transpose=lambda xp, g: xp.matrix_transpose(g),
    node="TransposeBackward0",
    view=True,
    batch=forms.matrix,
)
swapaxes = linear(
    "swapaxes(x, axis0, axis1, /)",
    arrays=("x",),
    transpose=lambda xp, g, *, axis0, axis1: xp.swapaxes(g, axis0, axis1),
    default=lambda xp, x, axis0, axis1: xp.permute_dims(x, _swap(x.ndim, axis0, axis1)),
    node="TransposeBackward0",
    view=True,
    batch=forms.named_axes,
    methods="swapaxes",
)


def _transpose(xp: Any, x: Any, *, axis0: Any, axis1: int | None) -> Any:
    if axis0 is None and axis1 is None:
        return xp.permute_dims(x, tuple(reversed(range(x.ndim))))
    if axis1 is not None:
        return xp.swapaxes(x, axis0, axis1)
    if not isinstance(axis0, (tuple, list)):
        raise ArgumentError(
            f"transpose: takes two axes to exchange, or a tuple with all of them in their new order, not {axis0!r} alone"
        )
    return xp.permute_dims(x, tuple(axis0))


transpose = composite(
    "transpose(x, axis0=None, axis1=None)",
    _transpose,
    arrays=("x",),
    doc="Two axes exchanged, as in torch; or, given a tuple, all of them in that order, and without axes in reverse order, as in NumPy.",
    methods="transpose",
)
moveaxis = linear(
    "moveaxis(x, source, destination, /)",
    arrays=("x",),
    transpose=lambda xp, g, *, source, destination: xp.moveaxis(g, destination, source),
    node="PermuteBackward0",
    view=True,
    batch=forms.named_axes,
    methods="moveaxis",
)
flip = linear(
    "flip(x, /, *, axis=None)",
    transpose=lambda xp, g, *, axis: xp.flip(g, axis=axis),
    view=True,
    batch=rearranging.flip,
    methods="flip",
    by_position=("axis",),
)
ravel = composite("ravel(x, /)", lambda xp, x: xp.reshape(x, (-1,)), methods="ravel")


def _flatten(xp: Any, x: Any, *, start_dim: int, end_dim: int) -> Any:
    if x.ndim == 0:
        return xp.reshape(x, (1,))
    start, end = front_axis("flatten", start_dim, x.ndim), front_axis("flatten", end_dim, x.ndim)
    if start > end:
        raise ArgumentError(
            f"flatten: start_dim={start_dim} comes after end_dim={end_dim} in the shape {tuple(x.shape)}"
        )
    shape = tuple(x.shape)
    return xp.reshape(x, (*shape[:start], prod(shape[start : end + 1]), *shape[end + 1 :]))


flatten = composite("flatten(x, start_dim=0, end_dim=-1)", _flatten, arrays=("x",), methods="flatten")


# -- selections: views by way of getitem -------------------------------------------------------------------------------
def _unstack(xp: Any, x: Any, *, axis: int) -> tuple[Any, ...]:
    axis = front_axis("unstack", axis, x.ndim)
    return tuple([xp.getitem(x, key=along(axis, i)) for i in range(x.shape[axis])])


unstack = composite("unstack(x, /, *, axis=0)", _unstack, methods="unstack")
unbind = composite("unbind(x, axis=0)", _unstack, arrays=("x",), methods="unbind")


def _narrow(xp: Any, x: Any, *, axis: int, start: int, length: int) -> Any:
    axis = front_axis("narrow", axis, x.ndim)
    n = x.shape[axis]
    first = start + n if start < 0 else start
    if min(first, length) < 0 or first + length > n:
        raise IndexError(
            f"narrow: start ({start}) + length ({length}) exceeds dimension size ({n}): axis {axis} of the shape "
            f"{tuple(x.shape)} has no such range"
        )
    return xp.getitem(x, key=along(axis, slice(first, first + length)))


narrow = composite("narrow(x, axis, start, length)", _narrow, arrays=("x",), methods="narrow")


def _select(xp: Any, x: Any, *, axis: int, index: int) -> Any:
    axis = front_axis("select", axis, x.ndim)
    n = x.shape[axis]
    if not -n <= index < n:
        raise IndexError(f"select: index {index} out of range for axis {axis} of the shape {tuple(x.shape)}")
    return xp.getitem(x, key=along(axis, index))


select = composite("select(x, axis, index)", _select, arrays=("x",))


def _split(xp: Any, x: Any, *, size_or_sections: int | Sequence[int], axis: int) -> tuple[Any, ...]:
    axis = front_axis("split", axis, x.ndim)
    n = x.shape[axis]
    if isinstance(size_or_sections, int):
        size = size_or_sections
        if size < 0 or (size == 0 and n > 0):
            raise ArgumentError(
                f"split: the size of the pieces has to be positive, got {size} for an axis of length {n}"
            )
        sizes = [min(size, n - start) for start in range(0, n, size)] if n else [0]
    else:
        sizes = list(size_or_sections)
        if sum(sizes) != n or min(sizes, default=0) < 0:
            raise ShapeError(
                f"split: the sizes of the pieces have to sum up to {n}, the length of axis {axis} of the shape "
                f"{tuple(x.shape)}, and be non-negative; got {sizes}"
            )
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    return tuple([xp.getitem(x, key=along(axis, slice(a, a + size))) for a, size in zip(starts, sizes, strict=True)])


split = composite("split(x, size_or_sections, axis=0)", _split, arrays=("x",), methods="split")


def _chunk(xp: Any, x: Any, *, chunks: int, axis: int) -> tuple[Any, ...]:
    if chunks < 1:
        raise ArgumentError(f"chunk: chunk expects `chunks` to be greater than 0, got: {chunks}")
    n = x.shape[front_axis("chunk", axis, x.ndim)]
    # As in torch: the pieces have one size, so there may be fewer of them. An axis of length 0 gives as many as asked for.
    return _split(xp, x, size_or_sections=-(-n // chunks) if n else [0] * chunks, axis=axis)


chunk = composite("chunk(x, chunks, axis=0)", _chunk, arrays=("x",), methods="chunk")


# -- broadcasting ------------------------------------------------------------------------------------------------------
def _write_expanded(xp: Any, x: Any, value: Any, *, shape: tuple[int, ...]) -> Any:
    if tuple(x.shape) != tuple(value.shape):
        raise GraphError(
            f"an in-place operation on a Tensor of shape {tuple(value.shape)} that shows one of shape {tuple(x.shape)} expanded: more than "
            f"one element of the written-to tensor refers to a single memory location. clone() it before"
        )
    return value


broadcast_to = linear(
    "broadcast_to(x, /, shape)",
    transpose=lambda xp, g, *, x_shape: fit(xp, g, x_shape),
    node="ExpandBackward0",
    view=True,
    write=_write_expanded,
    batch=rearranging.broadcast_to,
)


def _broadcast_arrays(xp: Any, arrays: Sequence[Any]) -> tuple[Any, ...]:
    shapes = [tuple(x.shape) for x in arrays]
    out: list[int] = [1] * max(map(len, shapes), default=0)
    for shape in shapes:
        for i, n in enumerate(shape, len(out) - len(shape)):
            if n != 1 and out[i] not in (1, n):
                raise ShapeError(
                    f"broadcast_arrays: the shapes {', '.join(map(str, shapes))} do not broadcast: axis "
                    f"{i - len(out)} has length {out[i]} in one and {n} in another"
                )
            out[i] = out[i] if n == 1 else n
    return tuple([xp.broadcast_to(x, tuple(out)) for x in arrays])


broadcast_arrays = composite("broadcast_arrays(*arrays)", _broadcast_arrays, arrays=("arrays",))


def _expand(xp: Any, x: Any, *, shape: tuple[Any, ...]) -> Any:
    sizes = tuple(shape[0]) if len(shape) == 1 and not isinstance(shape[0], int) else shape
    lead = len(sizes) - x.ndim
    if any(n == -1 and i < lead for i, n in enumerate(sizes)):
        raise ShapeError(
            f"expand: -1 keeps a length, and a new axis in front has none: {sizes} for the shape {tuple(x.shape)}"
        )
    return xp.broadcast_to(x, tuple([x.shape[i - lead] if n == -1 else n for i, n in enumerate(sizes)]))


expand = composite("expand(x, *shape)", _expand, arrays=("x",))


def _meshgrid(xp: Any, arrays: Sequence[Any], *, indexing: str) -> tuple[Any, ...]:
    if indexing not in ("xy", "ij"):
        raise ArgumentError(f'meshgrid: indexing must be "xy" or "ij", got {indexing!r}')
    if any(x.ndim > 1 for x in arrays):
        raise ShapeError(f"meshgrid: expected arrays of one axis, got {', '.join(describe(x) for x in arrays)}")
    order = list(range(len(arrays)))
    if indexing == "xy":
        order[:2] = order[:2][::-1]
    sizes = [prod(x.shape) for x in arrays]
    full = tuple([sizes[i] for i in order])
    return tuple(
        [
            xp.broadcast_to(xp.reshape(x, tuple([sizes[i] if i == j else 1 for j in order])), full)
            for i, x in enumerate(arrays)
        ]
    )


meshgrid = composite('meshgrid(*arrays, indexing="xy")', _meshgrid, arrays=("arrays",))


# -- joins -------------------------------------------------------------------------------------------------------------
def _unconcat(
    xp: Any, g: Any, *, shapes: Sequence[tuple[int, ...]], axis: int | None, needs: Sequence[bool]
) -> list[Any]:
    at = 0 if axis is None else axis % g.ndim
    parts: list[Any] = []
    stop = 0
    for shape, need in zip(shapes, needs, strict=True):
        start, stop = stop, stop + (prod(shape) if axis is None else shape[at])
        part = xp.getitem(g, key=along(at, slice(start, stop))) if need else None
        parts.append(xp.reshape(part, shape) if need and axis is None else part)
    return parts


concat = linear(
    "concat(arrays, /, *, axis=0)", transpose=_unconcat, promote=True, node="CatBackward0", batch=rearranging.concat
)
stack = linear(
    "stack(arrays, /, *, axis=0)",
    transpose=lambda xp, g, *, axis, needs: [
        xp.getitem(g, key=along(axis % g.ndim, i)) if need else None for i, need in enumerate(needs)
    ],
    promote=True,
    batch=rearranging.stack,
)


def _hstack(xp: Any, arrays: Sequence[Any]) -> Any:
    arrays = [raise_rank(xp, x, 1) for x in arrays]
    return xp.concat(arrays, axis=0 if arrays and arrays[0].ndim == 1 else 1)


hstack = composite("hstack(arrays, /)", _hstack)
vstack = composite("vstack(arrays, /)", lambda xp, arrays: xp.concat([raise_rank(xp, x, 2) for x in arrays], axis=0))


# -- rearrangements and repetitions ------------------------------------------------------------------------------------
def _negate_shift(shift: Any) -> Any:
    return tuple([-n for n in shift]) if isinstance(shift, (tuple, list)) else -shift


roll = linear(
    "roll(x, /, shift, *, axis=None)",
    transpose=lambda xp, g, *, shift, axis: xp.roll(g, _negate_shift(shift), axis=axis),
    batch=rearranging.roll,
    methods="roll",
    by_position=("axis",),
)


def _unrepeat(xp: Any, g: Any, *, x_shape: tuple[int, ...], x_device: Any, repeats: Any, axis: int | None) -> Any:
    flat = (prod(x_shape),) if axis is None else x_shape
    at = 0 if axis is None else axis % len(x_shape)
    if isinstance(repeats, int):
        g = xp.sum(xp.reshape(g, (*flat[: at + 1], repeats, *flat[at + 1 :])), axis=at + 1)
    else:
        origin = xp.repeat(xp.arange(flat[at], device=x_device), repeats)
        g = xp.getitem_adjoint(g, key=along(at, origin), shape=flat)
    return xp.reshape(g, x_shape) if axis is None else g


repeat = linear(
    "repeat(x, repeats, /, *, axis=None)",
    arrays=("x",),
    transpose=_unrepeat,
    node="RepeatInterleaveBackward0",
    batch=rearranging.repeat,
    methods="repeat",
)


def _untile(xp: Any, g: Any, *, x_shape: tuple[int, ...], repetitions: Any) -> Any:
    """Sum the cotangent over the repetitions: each axis of length r*n is split into (r, n), and r is summed."""
    times = (repetitions,) if isinstance(repetitions, int) else tuple(repetitions)
    times = (1,) * (len(x_shape) - len(times)) + times
    lengths = (1,) * (len(times) - len(x_shape)) + x_shape
    shape: list[int] = []
    summed: list[int] = []
    for r, n in zip(times, lengths, strict=True):
        if r != 1:
            summed.append(len(shape))
            shape.append(r)
        shape.append(n)
    if summed:
        g = xp.sum(xp.reshape(g, tuple(shape)), axis=tuple(summed))
    return g if tuple(g.shape) == x_shape else xp.reshape(g, x_shape)


tile = linear(
    "tile(x, repetitions, /)",
    arrays=("x",),
    transpose=_untile,
    node="RepeatBackward0",
    batch=rearranging.tile,
    methods="tile",
)
tril = linear(
    "tril(x, /, *, k=0)",
    transpose=lambda xp, g, *, x_shape, k: fit(xp, xp.tril(g, k=k), x_shape),
    batch=forms.matrix,
    methods="tril",
    by_position=("k",),
)
triu = linear(
    "triu(x, /, *, k=0)",
    transpose=lambda xp, g, *, x_shape, k: fit(xp, xp.triu(g, k=k), x_shape),
    batch=forms.matrix,
    methods="triu",
    by_position=("k",),
)


# -- gathers -----------------------------------------------------------------------------------------------------------
def _untake(xp: Any, g: Any, indices: Any, *, x_shape: tuple[int, ...], axis: int | None) -> Any:
    if axis is not None:
        return xp.getitem_adjoint(g, key=along(axis % len(x_shape), indices), shape=x_shape)
    total = xp.getitem_adjoint(g, key=(indices,), shape=(prod(x_shape),))
    return total if len(x_shape) == 1 else xp.reshape(total, x_shape)


take = linear(
    "take(x, indices, /, *, axis=None)",
    transpose=(_untake, None),
    node=lambda payloads, params: "TakeBackward0" if params["axis"] is None else "IndexSelectBackward0",
    batch=selections.take,
    methods="take",
)
index_select = composite(
    "index_select(x, axis, index)",
    lambda xp, x, *, axis, index: xp.take(x, index, axis=axis),
    arrays=("x",),
    methods="index_select",
)


take_along_axis = linear(
    "take_along_axis(x, indices, /, *, axis=-1)",
    transpose=(
        lambda xp, g, indices, *, indices_device, x_shape, axis: xp.getitem_adjoint(
            g, key=gather_key(xp, indices, x_shape, axis, indices_device), shape=x_shape
        ),
        None,
    ),
    default=lambda xp, x, indices, *, axis: xp.getitem(
        x, key=gather_key(xp, indices, tuple(x.shape), axis, device_of(indices))
    ),
    node="GatherBackward0",
    batch=selections.take_along_axis,
    methods="take_along_axis",
)


# -- copies and conversions --------------------------------------------------------------------------------------------
clone = linear(
    "clone(x, /)",
    transpose=lambda xp, g: g,
    default=lambda xp, x: xp.asarray(x, copy=True),
    batch=forms.elementwise,
    methods="clone",
)
contiguous = composite(
    "contiguous(x, /)", lambda xp, x: x, doc="The array itself: its layout in memory is left to the array library."
)


def _unastype(xp: Any, g: Any, *, x_dtype: Any, x_device: Any, device: Any) -> Any:
    return cast(xp, g if device is None else xp.astype(g, g.dtype, copy=False, device=x_device), x_dtype)


astype = linear(
    "astype(x, dtype, /, *, copy=True, device=None)",
    arrays=("x",),
    transpose=_unastype,
    conversion=True,
    node="ToCopyBackward0",
    batch=forms.elementwise,
)
