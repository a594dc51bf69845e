"""``pad``, with NumPy's widths and modes. It is an assignment into constants, or a join of slices, so it differentiates by itself."""

from __future__ import annotations

from typing import Any

from ..errors import ArgumentError, ShapeError
from .declare import composite
from .keys import along
from .selection import match_dtype


def _list_pairs(name: str, given: Any, ndim: int) -> list[tuple[Any, Any]]:
    """Return values for the front and the back of each axis, from NumPy's shorthands: one, a pair, or a pair for each axis."""
    if not isinstance(given, (tuple, list)):
        return [(given, given)] * ndim
    rows = [tuple(row) if isinstance(row, (tuple, list)) else (row,) for row in given]
    if rows and all(isinstance(row, (tuple, list)) for row in given) and len(rows) in (1, ndim):
        rows = rows * ndim if len(rows) == 1 else rows
    elif len(given) in (1, 2) and not any(isinstance(row, (tuple, list)) for row in given):
        rows = [(given[0], given[-1])] * ndim
    else:
        rows = [()]
    if any(len(row) not in (1, 2) for row in rows):
        raise ArgumentError(
            f"pad: {name} has to be one value, a pair, or a pair for each of the {ndim} axes, got {given!r}"
        )
    return [(row[0], row[-1]) for row in rows]


def _reflect(xp: Any, x: Any, axis: int, before: int, after: int, mode: str) -> Any:
    """Return ``x`` with its mirror image, itself or its edge on both sides of one axis."""
    n = x.shape[axis]
    if n == 0:
        raise ShapeError(
            f"pad: axis {axis} of the shape {tuple(x.shape)} is empty, and cannot be padded in mode {mode!r}"
        )
    reach = n - 1 if mode == "reflect" else n
    if mode != "edge" and max(before, after) > reach:
        # There is more than one image, so count through the period.
        places = xp.arange(-before, n + after, device=x.device)
        if mode == "wrap" or n == 1:
            return xp.take(x, xp.remainder(places, n), axis=axis)
        period = 2 * reach
        places = xp.remainder(places, period)
        return xp.take(x, xp.where(places < n, places, 2 * reach - (0 if mode == "reflect" else 1) - places), axis=axis)
    front, back = {
        "edge": (slice(0, 1), slice(n - 1, n)),
        "wrap": (slice(n - before, n), slice(0, after)),
        "reflect": (slice(before, 0, -1), slice(n - 2, n - 2 - after if after < n - 1 else None, -1)),
        "symmetric": (slice(before - 1, None, -1), slice(n - 1, n - 1 - after if after < n else None, -1)),
    }[mode]
    pieces = [x]
    for width, part, place in ((before, front, 0), (after, back, 2)):
        if width:
            piece = xp.getitem(x, key=along(axis, part))
            if mode == "edge":
                piece = xp.broadcast_to(piece, (*x.shape[:axis], width, *x.shape[axis + 1 :]))
            pieces.insert(place, piece)
    return xp.concat(pieces, axis=axis)


def _fill(xp: Any, x: Any, widths: list[tuple[int, int]], values: Any) -> Any:
    """Return ``x`` amid constants. Where they differ, the later axes have the corners, as in NumPy."""
    shape = tuple([before + n + after for n, (before, after) in zip(x.shape, widths, strict=True)])
    key = tuple([slice(before, before + n) for n, (before, _) in zip(x.shape, widths, strict=True)])
    if type(values) in (bool, int, float, complex):
        value = match_dtype(xp, "pad", x, values)
        if value == 0:
            return xp.getitem_adjoint(x, key=key, shape=shape)
        return xp.set_at(xp.full(shape, value, dtype=x.dtype, device=x.device), x, key=key)
    for axis, pair in enumerate(_list_pairs("constant_values", values, x.ndim)):
        pieces = [x]
        for width, value, place in zip(widths[axis], pair, (0, 2), strict=True):
            if width:
                value = xp.asarray(match_dtype(xp, "pad", x, value), dtype=x.dtype, device=x.device)
                pieces.insert(place, xp.broadcast_to(value, (*x.shape[:axis], width, *x.shape[axis + 1 :])))
        x = xp.concat(pieces, axis=axis)
    return x


def _pad(xp: Any, x: Any, *, pad_width: Any, mode: str, constant_values: Any) -> Any:
    x = xp.asarray(x)
    widths = _list_pairs("pad_width", pad_width, x.ndim)
    if any(type(width) is bool or not hasattr(width, "__index__") or width < 0 for pair in widths for width in pair):
        raise ArgumentError(f"pad: the widths have to be integers that are not negative, got {pad_width!r}")
    widths = [(before.__index__(), after.__index__()) for before, after in widths]
    if mode == "constant":
        return _fill(xp, x, widths, constant_values)
    if mode not in ("edge", "reflect", "symmetric", "wrap"):
        raise ArgumentError(f"pad: mode has to be constant, edge, reflect, symmetric or wrap, got {mode!r}")
    for axis, (before, after) in enumerate(widths):
        if before or after:
            x = _reflect(xp, x, axis, before, after, mode)
    return x


pad = composite(
    'pad(x, pad_width, mode="constant", constant_values=0)',
    _pad,
    arrays=("x",),
    doc="``numpy.pad``: widths in front of and behind each axis (one number, a pair, or a pair for each axis), filled with constants or, "
    'by mode, with "edge", "reflect", "symmetric" or "wrap".',
)
