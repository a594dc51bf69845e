"""Functions that the rules of several tables share: complex numbers, shapes and axes of cotangents, logistic functions.

``xp`` is the namespace that a rule is given (``backend.interface.RuleNamespace``).
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

from ..errors import ShapeError


# -- complex numbers ---------------------------------------------------------------------------------------------------
def is_complex_dtype(xp: Any, dtype: Any) -> bool:
    """Return whether a dtype is complex.

    The dtypes that can be differentiated are in a set of the namespace. The library is asked only about others, such as those of another
    byte order.
    """
    if dtype in xp.complex_dtypes:
        return True
    return dtype not in xp.floating_dtypes and dtype is not None and bool(xp.isdtype(dtype, "complex floating"))


def is_complex(xp: Any, x: Any) -> bool:
    """Return whether ``x`` is a complex array. A Python number is none."""
    return is_complex_dtype(xp, getattr(x, "dtype", None))


def conj(xp: Any, x: Any) -> Any:
    """Return the conjugate of a complex array, and any other value as it is."""
    return xp.conj(x) if is_complex(xp, x) else x


def real(xp: Any, x: Any) -> Any:
    """Return the real part of a complex array, and any other value as it is."""
    return xp.real(x) if is_complex(xp, x) else x


def adjoint(xp: Any, x: Any) -> Any:
    """Return the conjugate transposed matrix, which is a view where the array is real."""
    return xp.matrix_transpose(conj(xp, x))


def cast(xp: Any, g: Any, dtype: Any) -> Any:
    """Convert a cotangent to the dtype of its input: a real input of a complex result takes the real part."""
    if g.dtype == dtype:
        return g
    if is_complex_dtype(xp, g.dtype) and not is_complex_dtype(xp, dtype):
        g = xp.real(g)
    return xp.astype(g, dtype)


# -- shapes and axes ---------------------------------------------------------------------------------------------------
def fit(xp: Any, g: Any, shape: tuple[int, ...]) -> Any:
    """Sum a cotangent over the axes that broadcasting added to its input or stretched, so that it has the input's shape."""
    if g.shape == shape:
        return g
    lead = g.ndim - len(shape)
    stretched = [lead + i for i, n in enumerate(shape) if n == 1 and g.shape[lead + i] != 1]
    axes = (*range(lead), *stretched)
    if axes:
        g = xp.sum(g, axis=axes)
    return g if g.shape == shape else xp.reshape(g, shape)


def broadcast_shapes(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape that arrays of these shapes broadcast to.

    Raises
    ------
    ShapeError
        The shapes do not broadcast.
    """
    ndim = max(map(len, shapes), default=0)
    result = [1] * ndim
    for shape in shapes:
        for i, n in enumerate(shape, ndim - len(shape)):
            if result[i] not in (1, n) and n != 1:
                raise ShapeError(
                    f"broadcast_shapes: the shapes {', '.join(map(str, shapes))} do not broadcast at axis {i - ndim}"
                )
            result[i] = n if result[i] == 1 else result[i]
    return tuple(result)


def front_axis(name: str, axis: int, ndim: int) -> int:
    """Return an axis counted from the front, for code that computes with axes.

    A library checks the axes that it is given; this function checks the others.

    Raises
    ------
    IndexError
        There is no such axis.
    """
    if not -ndim <= axis < ndim:
        bounds = f"[{-ndim}, {ndim - 1}]" if ndim else "no axis, since the array is 0-d"
        raise IndexError(f"{name}: Dimension out of range (expected to be in range of {bounds}, but got {axis})")
    return axis % ndim


def front_axes(axes: Sequence[int], shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return a permutation of all axes of an array of that shape, counted from the front.

    It is for libraries that do not count from the end, or do not say which axis comes twice.

    Raises
    ------
    ValueError
        An axis is missing, comes twice, or is not there.
    """
    ndim = len(shape)
    given = [index(axis) for axis in axes]
    order = tuple([axis + ndim if axis < 0 else axis for axis in given])
    if sorted(order) != list(range(ndim)):
        raise ValueError(f"axes={tuple(given)} has to name each of the {ndim} axes of an array of shape {shape} once")
    return order


def slice_axis(x: Any, axis: int, start: int | None, stop: int | None) -> Any:
    """Return ``x[start:stop]`` along one axis."""
    return x[(slice(None),) * (axis % x.ndim) + (slice(start, stop), Ellipsis)]


def match_shape(xp: Any, x: Any, shape: tuple[int, ...]) -> Any:
    """Reshape ``x`` if its shape is another one, for libraries that give a 0-d result one axis."""
    return x if tuple(x.shape) == tuple(shape) else xp.reshape(x, shape)


def raise_rank(xp: Any, x: Any, ndim: int) -> Any:
    """Give an array at least ``ndim`` axes, new ones of length 1 in front of its own."""
    return x if x.ndim >= ndim else xp.reshape(x, (*(1,) * (ndim - x.ndim), *x.shape))


def device_of(x: Any) -> Any:
    """Return the device of ``x``, on which to create an array that meets it. It is None for dask's arrays and for a tracer."""
    return getattr(x, "device", None)


def fill_numbers(xp: Any, *values: Any) -> tuple[Any, ...]:
    """Replace Python numbers among values by arrays, for functions that take no numbers. At least one value is an array."""
    like = next(value for value in values if hasattr(value, "dtype"))
    return tuple([value if hasattr(value, "dtype") else xp.full_like(like, value) for value in values])


def weigh(x: Any, weight: Any) -> Any:
    """Return ``x * weight``, or ``x`` where the weight is None."""
    return x if weight is None else x * weight


# -- logistic functions ------------------------------------------------------------------------------------------------
def logistic(xp: Any, x: Any) -> Any:
    """Return ``1 / (1 + exp(-x))``. Nothing overflows, and small values keep their relative accuracy."""
    if is_complex(xp, x):
        positive = xp.real(x) >= 0
        small = xp.exp(xp.where(positive, -x, x))
        return xp.where(positive, 1.0, small) / (1 + small)
    # minima cost less than selections
    return xp.exp(xp.minimum(x, 0.0)) / (1 + xp.exp(-xp.abs(x)))


def falling_logistic(xp: Any, x: Any) -> Any:
    """Return ``1 / (1 + exp(x))``, computed as ``exp(-logaddexp(0, x))``, which is accurate at any order of derivative."""
    return xp.exp(-xp.logaddexp(xp.zeros_like(x), x))


def log1p_exp(xp: Any, x: Any) -> Any:
    """Return ``log(1 + exp(x))`` without overflow."""
    return xp.maximum(x, 0.0) + xp.log1p(xp.exp(-xp.abs(x)))
