"""Differences and integrals along an axis: ``diff``, ``gradient``, ``trapezoid`` and its running version."""

from __future__ import annotations

from typing import Any

from ..errors import ArgumentError, ShapeError, describe
from .declare import bilinear, composite, linear
from .helpers import conj, fit, slice_axis
from .vmap.alignment import Run, add_batch, example_ndim, pad_rank, shift_axes


def _zero_gradient(xp: Any, g: Any, shape: tuple[int, ...]) -> Any:
    """Return zeros of the dtype of ``g``: the gradient of an input on which no output depends."""
    return xp.broadcast_to(xp.sum(xp.reshape(g, (-1,))[:0]), shape)


# -- diff, trapezoid -------------------------------------------------------------------------------------------------
def _transpose_difference(xp: Any, g: Any, axis: int) -> Any:
    """Transpose ``x[1:] - x[:-1]``, which has at least one element."""
    return xp.concat(
        [
            -slice_axis(g, axis, None, 1),
            slice_axis(g, axis, None, -1) - slice_axis(g, axis, 1, None),
            slice_axis(g, axis, -1, None),
        ],
        axis=axis,
    )


def _diff_transpose(which: str) -> Any:
    """Return the transpose by one of the three arrays that are joined and then differenced."""

    def transpose(xp: Any, g: Any, *, x_shape: Any, prepend_shape: Any, append_shape: Any, axis: int, n: int) -> Any:
        axis %= len(x_shape)
        shapes = {"prepend": prepend_shape, "x": x_shape, "append": append_shape}
        # NumPy also takes numbers and 0-d arrays for the ends; such an end is one element along the axis.
        lengths = {name: 0 if shape is None else shape[axis] if shape else 1 for name, shape in shapes.items()}
        start = {"prepend": 0, "x": lengths["prepend"], "append": lengths["prepend"] + lengths["x"]}[which]
        if n > 0 and g.shape[axis] == 0:  # nothing was left after n differences
            return _zero_gradient(xp, g, shapes[which])
        for _ in range(n):
            g = _transpose_difference(xp, g, axis)
        return fit(xp, slice_axis(g, axis, start, start + lengths[which]), shapes[which])

    return transpose


def _diff(xp: Any, x: Any, *, axis: int = -1, n: int = 1, prepend: Any = None, append: Any = None) -> Any:
    x = xp.concat([piece for piece in (prepend, x, append) if piece is not None], axis=axis)
    for _ in range(n):
        x = slice_axis(x, axis, 1, None) - slice_axis(x, axis, None, -1)
    return x


def _batch_diff(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    full: list[Any] = [None if x is None else add_batch(run, x, own) for x, own in zip(arrays, mapped, strict=True)]
    ndim = full[0].ndim - 1
    axis = shift_axes(run, params["axis"], ndim)
    for i, end in enumerate(full):
        if end is not None and end.ndim - 1 < ndim:  # one element for each line, as in NumPy
            shape = tuple([1 if a == axis else n for a, n in enumerate(full[0].shape)])
            full[i] = run.xp.broadcast_to(pad_rank(run, end, ndim), shape)
    return run(*full, **{**params, "axis": axis})


diff = linear(
    "diff(x, /, *, axis=-1, n=1, prepend=None, append=None)",
    arrays=("x", "prepend", "append"),
    transpose=(_diff_transpose("x"), _diff_transpose("prepend"), _diff_transpose("append")),
    default=_diff,
    node="SubBackward0",
    promote=True,
    batch=_batch_diff,
)


def _trapezoid(xp: Any, y: Any, x: Any = None, *, dx: float | None = None, axis: int = -1) -> Any:
    if y.shape[axis] == 0:  # the standard has no slice that starts beyond the end
        return xp.sum(y if x is None or x.ndim == 1 else y * x, axis=axis)
    pairs = slice_axis(y, axis, 1, None) + slice_axis(y, axis, None, -1)
    if x is None:
        return xp.sum(pairs, axis=axis) * ((1.0 if dx is None else dx) / 2)
    return xp.sum(point_distances(xp, x, y.ndim, axis) * pairs, axis=axis) / 2


def point_distances(xp: Any, x: Any, ndim: int, axis: int) -> Any:
    """Return the distances between points, in a shape that broadcasts with an array of ``ndim`` dimensions."""
    if x.ndim == 1:
        return xp.reshape(x[1:] - x[:-1], (*[1] * (axis % ndim), -1, *[1] * (ndim - 1 - axis % ndim)))
    return slice_axis(x, axis, 1, None) - slice_axis(x, axis, None, -1)


def _trapezoid_of_y(xp: Any, g: Any, x: Any, *, y_shape: tuple[int, ...], dx: float | None, axis: int) -> Any:
    ndim = len(y_shape)
    axis %= ndim
    n = y_shape[axis]
    if n < 2:
        return _zero_gradient(xp, g, y_shape)
    g = xp.expand_dims(g, axis=axis) / 2
    g = g * (1.0 if dx is None else dx) if x is None else g * conj(xp, point_distances(xp, x, ndim, axis))
    g = xp.broadcast_to(g, (*g.shape[:axis], n - 1, *g.shape[axis + 1 :]))
    g = fit(xp, g, (*y_shape[:axis], n - 1, *y_shape[axis + 1 :]))
    inner = slice_axis(g, axis, 1, None) + slice_axis(g, axis, None, -1)
    return xp.concat([slice_axis(g, axis, None, 1), inner, slice_axis(g, axis, -1, None)], axis=axis)


def _trapezoid_of_x(xp: Any, g: Any, y: Any, *, x_shape: tuple[int, ...], axis: int) -> Any:
    axis %= y.ndim
    if y.shape[axis] < 2:
        return _zero_gradient(xp, g, x_shape)
    g = xp.expand_dims(g, axis=axis) / 2 * conj(xp, slice_axis(y, axis, 1, None) + slice_axis(y, axis, None, -1))
    if len(x_shape) == 1 and y.ndim > 1:
        g = xp.sum(g, axis=tuple([a for a in range(y.ndim) if a != axis]))
        axis = 0
    return fit(xp, _transpose_difference(xp, g, axis), x_shape)


def _batch_trapezoid(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    y, x = arrays
    ndim = example_ndim(y, mapped[0])
    axis = shift_axes(run, params["axis"], ndim)
    y = add_batch(run, y, mapped[0])
    if x is not None and mapped[1]:
        if x.ndim == 2:
            x = run.xp.reshape(
                x, tuple([run.size if a == 0 else x.shape[1] if a == axis else 1 for a in range(ndim + 1)])
            )
        else:
            x = pad_rank(run, x, ndim)
    elif x is not None and x.ndim > 1:
        x = run.xp.reshape(x, (*(1,) * (ndim + 1 - x.ndim), *x.shape))
    return run(y, x, **{**params, "axis": axis})


trapezoid = bilinear(
    "trapezoid(y, /, x=None, *, dx=None, axis=-1)",
    arrays=("y", "x"),
    transpose=(_trapezoid_of_y, _trapezoid_of_x),
    default=_trapezoid,
    node=lambda payloads, params: "MulBackward1" if payloads[1] is None else "DivBackward1",
    promote=True,
    batch=_batch_trapezoid,
    doc="The integral of ``y`` by the trapezoidal rule, over the points ``x``, or over points ``dx`` apart.",
)


def _cumulative_trapezoid(xp: Any, y: Any, x: Any, *, dx: float, axis: int) -> Any:
    pairs = slice_axis(y, axis, 1, None) + slice_axis(y, axis, None, -1)
    pairs = pairs * (dx / 2) if x is None else pairs * (point_distances(xp, x, y.ndim, axis) / 2)
    return xp.cumulative_sum(pairs, axis=axis % pairs.ndim)


cumulative_trapezoid = composite(
    "cumulative_trapezoid(y, /, x=None, *, dx=1, axis=-1)", _cumulative_trapezoid, arrays=("y", "x")
)


def _slope(xp: Any, x: Any, spacing: Any, axis: int, edge_order: int) -> Any:
    """Differentiate along one axis: central differences within, one-sided ones of ``edge_order`` at the ends.

    For the coefficients at uneven distances see Fornberg, "Generation of finite difference formulas on arbitrarily spaced grids", 1988.
    """
    n = x.shape[axis]
    if n < edge_order + 1:
        raise ShapeError(f"gradient: axis {axis} of {describe(x)} is too short for edge_order={edge_order}")

    def f(start: int | None, stop: int | None) -> Any:
        return slice_axis(x, axis, start, stop)

    if not getattr(spacing, "ndim", 0):
        h = spacing
        inner = [(f(2, None) - f(None, -2)) / (2 * h)] if n > 2 else []
        if edge_order == 1:
            first, last = (f(1, 2) - f(0, 1)) / h, (f(n - 1, None) - f(n - 2, n - 1)) / h
        else:
            first = (f(0, 1) * -1.5 + f(1, 2) * 2 + f(2, 3) * -0.5) / h
            last = (f(n - 3, n - 2) * 0.5 + f(n - 2, n - 1) * -2 + f(n - 1, None) * 1.5) / h
        return xp.concat([first, *inner, last], axis=axis)
    if spacing.ndim != 1 or spacing.shape[0] != n:
        raise ShapeError(
            f"gradient: the points along axis {axis} have to be {n} in one dimension, got {describe(spacing)}"
        )
    steps = point_distances(xp, spacing, x.ndim, axis)

    def d(start: int | None, stop: int | None) -> Any:
        return slice_axis(steps, axis, start, stop)

    inner = []
    if n > 2:
        a, b = d(None, -1), d(1, None)
        inner = [f(None, -2) * (-b / (a * (a + b))) + f(1, -1) * ((b - a) / (a * b)) + f(2, None) * (a / (b * (a + b)))]
    if edge_order == 1:
        first, last = (f(1, 2) - f(0, 1)) / d(0, 1), (f(n - 1, None) - f(n - 2, n - 1)) / d(n - 2, None)
    else:
        a, b = d(0, 1), d(1, 2)
        first = (
            f(0, 1) * (-(a * 2 + b) / (a * (a + b))) + f(1, 2) * ((a + b) / (a * b)) + f(2, 3) * (-a / (b * (a + b)))
        )
        a, b = d(n - 3, n - 2), d(n - 2, None)
        last = f(n - 3, n - 2) * (b / (a * (a + b))) + f(n - 2, n - 1) * (-(a + b) / (a * b))
        last = last + f(n - 1, None) * ((a + b * 2) / (b * (a + b)))
    return xp.concat([first, *inner, last], axis=axis)


def _gradient(xp: Any, x: Any, *, spacing: Any, axis: Any, edge_order: int) -> Any:
    if edge_order not in (1, 2):
        raise ArgumentError(f"gradient: edge_order has to be 1 or 2, not {edge_order!r}")
    axes = tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, (tuple, list)) else (axis,)
    spacings = spacing if isinstance(spacing, (tuple, list)) else [spacing] * len(axes)
    if len(spacings) != len(axes):
        raise ArgumentError(f"gradient: there are {len(axes)} axes and {len(spacings)} spacings")
    return tuple([_slope(xp, x, h, a % x.ndim, edge_order) for a, h in zip(axes, spacings, strict=True)])


gradient = composite(
    "gradient(x, /, *, spacing=1, axis=None, edge_order=1)",
    _gradient,
    doc="The derivative along each axis by differences, as a tuple. ``spacing`` is a distance or the points, for all axes or for each.",
)
