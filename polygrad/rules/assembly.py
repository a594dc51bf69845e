"""Arrays put together and taken apart under torch's names and NumPy's: diagonals, blocks, windows, products.

They are made of the rearrangements and joins of other tables, so they differentiate by themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations as _choices
from itertools import combinations_with_replacement as _choices_again
from math import prod
from typing import Any

from ..errors import ArgumentError, ShapeError, describe
from .declare import applied, composite, elementwise
from .helpers import front_axis, is_complex, raise_rank
from .keys import along
from .selection import match_dtype


# -- diagonals ---------------------------------------------------------------------------------------------------------
def _diagonal(rows: int, columns: int, offset: int) -> slice:
    """Return the slice that selects a diagonal of a matrix laid out row by row: every ``columns + 1``-th element. It is a basic key."""
    length = min(rows, columns - offset) if offset >= 0 else min(rows + offset, columns)
    if length <= 0:
        return slice(0, 0)
    start = offset if offset >= 0 else -offset * columns
    return slice(start, start + (length - 1) * (columns + 1) + 1, columns + 1)


def _check_pair(name: str, axis1: int, axis2: int, ndim: int) -> tuple[int, int]:
    pair = front_axis(name, axis1, ndim), front_axis(name, axis2, ndim)
    if pair[0] == pair[1]:
        raise ArgumentError(f"{name}: the axes of the diagonal have to be two, got {axis1} and {axis2}")
    return pair


def _diag_embed(xp: Any, x: Any, *, offset: int, axis1: int, axis2: int) -> Any:
    x = xp.asarray(x)
    axes = _check_pair("diag_embed", axis1, axis2, x.ndim + 1)
    lead, n = tuple(x.shape[:-1]), x.shape[-1] + abs(offset)
    flat = xp.getitem_adjoint(x, key=(..., _diagonal(n, n, offset)), shape=(*lead, n * n))
    out = xp.reshape(flat, (*lead, n, n))
    return out if axes == (x.ndim - 1, x.ndim) else xp.moveaxis(out, (-2, -1), axes)


diag_embed = composite(
    "diag_embed(x, offset=0, axis1=-2, axis2=-1)",
    _diag_embed,
    arrays=("x",),
    doc="Matrices of zeros with the last axis of ``x`` on a diagonal; they lie along two axes of the result.",
    methods="diag_embed",
)


def _diag(xp: Any, x: Any, *, offset: int) -> Any:
    x = xp.asarray(x)
    if x.ndim == 1:
        return _diag_embed(xp, x, offset=offset, axis1=-2, axis2=-1)
    if x.ndim != 2:
        raise ShapeError(
            f"diag: expected one axis or two, got {describe(x)}; linalg.diagonal and diag_embed take stacks"
        )
    return xp.clone(xp.linalg.diagonal(x, offset=offset))  # a copy, as in torch; the diagonal itself is a view


diag = composite(
    "diag(x, offset=0)",
    _diag,
    arrays=("x",),
    doc="The matrix with a vector on its diagonal; of a matrix, a copy of its diagonal.",
    methods="diag",
)
diagflat = composite(
    "diagflat(x, offset=0)",
    lambda xp, x, *, offset: _diag_embed(xp, xp.reshape(x, (-1,)), offset=offset, axis1=-2, axis2=-1),
    arrays=("x",),
    doc="The matrix with all elements of ``x`` on its diagonal.",
    methods="diagflat",
)


def _diagonal_scatter(xp: Any, input: Any, src: Any, *, offset: int, axis1: int, axis2: int) -> Any:
    input = xp.asarray(input)
    src = match_dtype(xp, "diagonal_scatter", input, xp.asarray(src))
    axes = _check_pair("diagonal_scatter", axis1, axis2, input.ndim)
    moved = xp.moveaxis(input, axes, (-2, -1))
    *lead, rows, columns = moved.shape
    where = _diagonal(rows, columns, offset)
    _check_shape("diagonal_scatter", src, (*lead, len(range(rows * columns)[where])))
    flat = xp.set_at(xp.reshape(moved, (*lead, rows * columns)), src, key=(..., where))
    return xp.moveaxis(xp.reshape(flat, moved.shape), (-2, -1), axes)


def _check_shape(name: str, src: Any, shape: tuple[int, ...]) -> None:
    if tuple(src.shape) != shape:
        raise ShapeError(f"{name}: expected src to have the shape {shape} of what it replaces, got {tuple(src.shape)}")


diagonal_scatter = composite(
    "diagonal_scatter(input, src, offset=0, axis1=0, axis2=1)",
    _diagonal_scatter,
    arrays=("input", "src"),
    doc="``input`` with ``src`` on a diagonal.",
    methods="diagonal_scatter",
)


# -- assignments that give a new array ---------------------------------------------------------------------------------
def _select_scatter(xp: Any, input: Any, src: Any, *, axis: int, index: int) -> Any:
    input = xp.asarray(input)
    src = match_dtype(xp, "select_scatter", input, xp.asarray(src))
    at = front_axis("select_scatter", axis, input.ndim)
    n = input.shape[at]
    if not -n <= index < n:
        raise IndexError(
            f"select_scatter: index {index} out of range for axis {axis} of the shape {tuple(input.shape)}"
        )
    _check_shape("select_scatter", src, (*input.shape[:at], *input.shape[at + 1 :]))
    return xp.set_at(input, src, key=along(at, index))


select_scatter = composite(
    "select_scatter(input, src, axis, index)",
    _select_scatter,
    arrays=("input", "src"),
    doc="``input`` with ``src`` at one index of an axis.",
    methods="select_scatter",
)


def _slice_scatter(xp: Any, input: Any, src: Any, *, axis: int, start: int | None, end: int | None, step: int) -> Any:
    input = xp.asarray(input)
    src = match_dtype(xp, "slice_scatter", input, xp.asarray(src))
    at = front_axis("slice_scatter", axis, input.ndim)
    if step <= 0:
        raise ArgumentError(f"slice_scatter: the step has to be positive, got {step}")
    part = slice(start, end, step)
    _check_shape("slice_scatter", src, (*input.shape[:at], len(range(input.shape[at])[part]), *input.shape[at + 1 :]))
    return xp.set_at(input, src, key=along(at, part))


slice_scatter = composite(
    "slice_scatter(input, src, axis=0, start=None, end=None, step=1)",
    _slice_scatter,
    arrays=("input", "src"),
    doc="``input`` with ``src`` in a slice of an axis.",
    methods="slice_scatter",
)


# -- windows, turns, axes ----------------------------------------------------------------------------------------------
def _unfold(xp: Any, x: Any, *, axis: int, size: int, step: int) -> Any:
    x = xp.asarray(x)
    whole = xp.reshape(x, (1,)) if x.ndim == 0 else x
    at = front_axis("unfold", axis, whole.ndim)
    n = whole.shape[at]
    if size < 0 or step <= 0 or size > n:
        raise ArgumentError(
            f"unfold: the size has to be between 0 and {n}, the length of axis {axis} of the shape {tuple(x.shape)}, and the "
            f"step positive; got size={size} and step={step}"
        )
    starts = xp.arange(0, n - size + 1, step, device=x.device)
    places = xp.expand_dims(starts, axis=1) + xp.arange(size, device=x.device)
    out = xp.take(whole, xp.reshape(places, (-1,)), axis=at)
    out = xp.reshape(out, (*whole.shape[:at], *places.shape, *whole.shape[at + 1 :]))
    return xp.reshape(out, (size,)) if x.ndim == 0 else xp.moveaxis(out, at + 1, -1)


unfold = composite(
    "unfold(x, axis, size, step)",
    _unfold,
    arrays=("x",),
    doc="All windows of ``size`` elements along an axis, ``step`` apart; the elements of a window are the last axis.",
    methods="unfold",
)


def _rot90(xp: Any, x: Any, *, k: int, axes: Sequence[int]) -> Any:
    x = xp.asarray(x)
    if len(axes) != 2:
        raise ArgumentError(f"rot90: a turn has two axes, got {axes!r}")
    first, second = _check_pair("rot90", axes[0], axes[1], x.ndim)
    if k % 4 == 0:
        return xp.clone(x)
    if k % 4 == 2:
        return xp.flip(x, axis=(first, second))
    return xp.swapaxes(xp.flip(x, axis=second if k % 4 == 1 else first), first, second)


rot90 = composite(
    "rot90(x, k=1, axes=(0, 1))",
    _rot90,
    arrays=("x",),
    doc="``x`` turned ``k`` times by 90 degrees in the plane of two axes, from the first towards the second.",
    methods="rot90",
)
movedim = composite(
    "movedim(x, source, destination)",
    lambda xp, x, *, source, destination: xp.moveaxis(x, source, destination),
    arrays=("x",),
    doc="torch's name of ``moveaxis``.",
    methods="movedim",
)
swapdims = composite(
    "swapdims(x, axis0, axis1)",
    lambda xp, x, *, axis0, axis1: xp.swapaxes(x, axis0, axis1),
    arrays=("x",),
    doc="torch's name of ``swapaxes``.",
    methods="swapdims",
)


def _unflatten(xp: Any, x: Any, *, axis: int, sizes: Sequence[int]) -> Any:
    x = xp.asarray(x)
    at = front_axis("unflatten", axis, x.ndim)
    n = x.shape[at]
    known = prod([size for size in sizes if size != -1])
    lengths = [n // known if size == -1 and known else size for size in sizes]
    if prod(lengths) != n or min(lengths, default=0) < 0:
        raise ShapeError(
            f"unflatten: the sizes {tuple(sizes)} do not multiply to {n}, the length of axis {axis} of {tuple(x.shape)}"
        )
    return xp.reshape(x, (*x.shape[:at], *lengths, *x.shape[at + 1 :]))


unflatten = composite(
    "unflatten(x, axis, sizes)",
    _unflatten,
    arrays=("x",),
    doc="One axis as several; one of the sizes may be -1.",
    methods="unflatten",
)


# -- joins -------------------------------------------------------------------------------------------------------------
def _at_least(xp: Any, x: Any, ndim: int) -> Any:
    """Give an array at least so many axes. As in NumPy, the third axis goes behind."""
    x = xp.asarray(x)
    if x.ndim < ndim == 3:
        return xp.reshape(x, (*(1,) * (2 - x.ndim), *x.shape, 1))
    return raise_rank(xp, x, ndim)


def _raise_each(ndim: int) -> Callable[..., Any]:
    def body(xp: Any, arrays: Sequence[Any]) -> Any:
        given = arrays[0] if len(arrays) == 1 else arrays
        if not isinstance(given, (tuple, list)):
            return _at_least(xp, given, ndim)
        return tuple([_at_least(xp, x, ndim) for x in given])

    return body


for _ndim in (1, 2, 3):
    composite(
        f"atleast_{_ndim}d(*arrays)",
        _raise_each(_ndim),
        arrays=("arrays",),
        doc="An array with axes of length 1 put before its own until there are enough; of several arrays, a tuple.",
    )


def _as_column(xp: Any, x: Any) -> Any:
    x = xp.asarray(x)
    return xp.reshape(x, (-1, 1)) if x.ndim < 2 else x


column_stack = composite(
    "column_stack(arrays, /)",
    lambda xp, arrays: xp.concat([_as_column(xp, x) for x in arrays], axis=1),
    doc="Vectors as the columns of a matrix; matrices are put in as they are.",
)
dstack = composite(
    "dstack(arrays, /)",
    lambda xp, arrays: xp.concat([_at_least(xp, x, 3) for x in arrays], axis=2),
    doc="Arrays side by side along the third axis.",
)


def _block_diag(xp: Any, arrays: Sequence[Any]) -> Any:
    blocks = [_at_least(xp, x, 2) for x in arrays]
    for block in blocks:
        if block.ndim > 2:
            raise ShapeError(f"block_diag: expected arrays of two axes at most, got {describe(block)}")
    if not blocks:
        return xp.zeros((1, 0))
    columns = sum(block.shape[1] for block in blocks)
    rows = []
    start = 0
    for block in blocks:
        stop = start + block.shape[1]
        key = (slice(None), slice(start, stop))
        rows.append(xp.getitem_adjoint(block, key=key, shape=(block.shape[0], columns)))
        start = stop
    return xp.concat(rows, axis=0)


block_diag = composite(
    "block_diag(*arrays)",
    _block_diag,
    arrays=("arrays",),
    doc="Matrices (vectors are rows) along the diagonal of one of zeros.",
)


def _check_vectors(name: str, arrays: Sequence[Any]) -> None:
    if any(x.ndim != 1 for x in arrays):
        raise ShapeError(f"{name}: expected arrays of one axis, got {', '.join(map(describe, arrays))}")


def _cartesian_prod(xp: Any, arrays: Sequence[Any]) -> Any:
    arrays = [xp.asarray(x) for x in arrays]
    if not arrays:
        raise ArgumentError("cartesian_prod: expected at least one array")
    _check_vectors("cartesian_prod", arrays)
    if len(arrays) == 1:
        return arrays[0]
    return xp.stack([xp.reshape(grid, (-1,)) for grid in xp.meshgrid(*arrays, indexing="ij")], axis=1)


cartesian_prod = composite(
    "cartesian_prod(*arrays)",
    _cartesian_prod,
    arrays=("arrays",),
    doc="All combinations of an element of each vector, one in each row, in the order of nested loops.",
)


def _combinations(xp: Any, x: Any, *, r: int, with_replacement: bool) -> Any:
    x = xp.asarray(x)
    _check_vectors("combinations", [x])
    if r < 0:
        raise ArgumentError(f"combinations: r must not be negative, got {r}")
    if r == 0:
        return x[:0]
    chosen = list((_choices_again if with_replacement else _choices)(range(x.shape[0]), r))
    if not chosen:
        return xp.reshape(x[:0], (0, r))
    places = xp.asarray([i for choice in chosen for i in choice], device=x.device)
    return xp.reshape(xp.take(x, places, axis=0), (len(chosen), r))


combinations = composite(
    "combinations(x, r=2, with_replacement=False)",
    _combinations,
    arrays=("x",),
    doc="All choices of ``r`` elements of a vector, one in each row, in the order of ``itertools.combinations``.",
)


# -- products ----------------------------------------------------------------------------------------------------------
def _kron(xp: Any, a: Any, b: Any) -> Any:
    a, b = xp.asarray(a), xp.asarray(b)
    ndim = max(a.ndim, b.ndim)
    outer = (*(1,) * (ndim - a.ndim), *a.shape)
    inner = (*(1,) * (ndim - b.ndim), *b.shape)
    spread = xp.reshape(a, tuple([n for size in outer for n in (size, 1)]))
    repeated = xp.reshape(b, tuple([n for size in inner for n in (1, size)]))
    return xp.reshape(spread * repeated, tuple([m * n for m, n in zip(outer, inner, strict=True)]))


kron = composite(
    "kron(a, b)",
    _kron,
    arrays=("a", "b"),
    doc="The Kronecker product: ``b`` times each element of ``a``, in blocks.",
    methods="kron",
)


def _vander(xp: Any, x: Any, *, N: int | None, increasing: bool) -> Any:
    x = xp.asarray(x)
    _check_vectors("vander", [x])
    n = x.shape[0]
    N = n if N is None else N
    if N < 0:
        raise ArgumentError(f"vander: N must not be negative, got {N}")
    if N == 0:
        return xp.reshape(x[:0], (n, 0))
    # Other than pow, a running product has the right derivative at 0 for every exponent.
    factors = xp.broadcast_to(xp.reshape(x, (n, 1)), (n, N - 1))
    powers = xp.cumulative_prod(factors, axis=1, dtype=x.dtype, include_initial=True)
    return powers if increasing else xp.flip(powers, axis=1)


vander = composite(
    "vander(x, N=None, increasing=False)",
    _vander,
    arrays=("x",),
    doc="The matrix of the powers of a vector: column j has the power ``N - 1 - j``, or ``j`` if ``increasing``.",
)


# -- values ------------------------------------------------------------------------------------------------------------
def _nan_to_num(xp: Any, x: Any, *, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Any:
    if is_complex(xp, x):
        parts = [_nan_to_num(xp, part, nan=nan, posinf=posinf, neginf=neginf) for part in (xp.real(x), xp.imag(x))]
        return xp.astype(parts[0], x.dtype) + 1j * xp.astype(parts[1], x.dtype)
    if not xp.isdtype(x.dtype, "real floating"):
        return xp.asarray(x, copy=True)
    limits = xp.finfo(x.dtype)
    out = xp.where(xp.isnan(x), nan, x)
    out = xp.where(x == xp.inf, float(limits.max) if posinf is None else posinf, out)
    return xp.where(x == -xp.inf, float(limits.min) if neginf is None else neginf, out)


def _mask_finite(xp: Any, g: Any, x: Any) -> Any:
    if is_complex(xp, x):  # each part is replaced by itself
        real = xp.where(xp.isfinite(xp.real(x)), xp.real(g), 0.0)
        imag = xp.where(xp.isfinite(xp.imag(x)), xp.imag(g), 0.0)
        return xp.astype(real, g.dtype) + 1j * xp.astype(imag, g.dtype)
    return xp.where(xp.isfinite(x), g, 0.0)


nan_to_num = elementwise(
    "nan_to_num(x, nan=0.0, posinf=None, neginf=None)",
    applied(_mask_finite),
    arrays=("x",),
    default=_nan_to_num,
    doc="``x`` with numbers for nan and the infinities (default: 0 and the limits of the dtype); what was replaced has no gradient.",
    methods="nan_to_num nan_to_num_",
)
