"""NumPy's reductions with all of their options: ``dtype=``, ``where=``, ``initial=``, ``mean=`` and ``ddof=``.

Each takes the namespace first, as in ``numpy_functions``. ``where`` leaves elements out, and ``initial`` is one element more.
"""

from __future__ import annotations

import math
from typing import Any

from ..errors import ArgumentError
from .numpy_functions import FUNCTIONS, is_complex, register, size


def _masked(xp: Any, a: Any, where: Any, filler: Any) -> Any:
    """Return ``a`` with a filler in the place of what ``where`` leaves out; where that is all, ``a`` itself."""
    return a if where is True else xp.where(xp.asarray(where), a, filler)


def _in(xp: Any, a: Any, dtype: Any) -> Any:
    a = xp.asarray(a)
    return a if dtype is None else a.to(dtype=dtype)


def _register_sum(name: str, unit: int, combine: str) -> None:
    def reduce(
        xp: Any, a: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False, initial: Any = None, where: Any = True
    ) -> Any:  # fmt: skip
        out = getattr(xp, name)(_masked(xp, _in(xp, a, dtype), where, unit), axis=axis, keepdims=keepdims)
        return out if initial is None else getattr(xp, combine)(out, initial)

    def skipping(
        xp: Any, a: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False, initial: Any = None, where: Any = True
    ) -> Any:  # fmt: skip
        a = xp.asarray(a)
        return reduce(xp, xp.where(xp.isnan(a), unit, a), axis, dtype, keepdims, initial, where)

    FUNCTIONS[name] = reduce
    FUNCTIONS[f"nan{name}"] = skipping


_register_sum("sum", 0, "add")
_register_sum("prod", 1, "multiply")


def _register_extremum(name: str, combine: str, last: float) -> None:
    def reduce(
        xp: Any, a: Any, axis: Any = None, keepdims: bool = False, initial: Any = None, where: Any = True
    ) -> Any:  # fmt: skip
        if where is not True and initial is None:
            raise ArgumentError(f"numpy.{name}: with where= an initial= has to be given, for nothing may be left")
        out = getattr(xp, name)(_masked(xp, xp.asarray(a), where, initial), axis=axis, keepdims=keepdims)
        return out if initial is None else getattr(xp, combine)(out, initial)

    def skipping(
        xp: Any, a: Any, axis: Any = None, keepdims: bool = False, initial: Any = None, where: Any = True
    ) -> Any:  # fmt: skip
        a = xp.asarray(a)
        nan = xp.isnan(a)
        out = reduce(xp, xp.where(nan, last, a), axis, keepdims, initial, where)
        return out if initial is not None else xp.where(xp.all(nan, axis=axis, keepdims=keepdims), math.nan, out)

    FUNCTIONS[name] = FUNCTIONS[f"a{name}"] = reduce
    FUNCTIONS[f"nan{name}"] = skipping


_register_extremum("max", "maximum", -math.inf)
_register_extremum("min", "minimum", math.inf)


def _register_test(name: str, unit: bool) -> None:
    def reduce(xp: Any, a: Any, axis: Any = None, keepdims: bool = False, where: Any = True) -> Any:
        a = xp.asarray(a)
        return getattr(xp, name)(a if where is True else _masked(xp, a != 0, where, unit), axis=axis, keepdims=keepdims)

    FUNCTIONS[name] = reduce


_register_test("all", True)
_register_test("any", False)


def _count(xp: Any, a: Any, axis: Any, where: Any, keepdims: bool) -> Any:
    if where is True:
        return size(xp, a, axis)
    there = xp.broadcast_to(xp.asarray(where), a.shape)
    return xp.astype(xp.count_nonzero(there, axis=axis, keepdims=keepdims), xp.real(a).dtype)


@register
def mean(
    xp: Any, a: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False, where: Any = True
) -> Any:  # fmt: skip
    a = _floating(xp, a, dtype, "mean")
    if where is True:
        return xp.mean(a, axis=axis, keepdims=keepdims)
    return xp.sum(_masked(xp, a, where, 0), axis=axis, keepdims=keepdims) / _count(xp, a, axis, where, keepdims)


def _floating(xp: Any, a: Any, dtype: Any, name: str) -> Any:
    given = xp.asarray(a)
    a = _in(xp, given, dtype)
    if a.dtype in xp.floating_dtypes:
        if dtype is not None and a.is_complex() and not given.is_complex() and name != "mean":
            raise ArgumentError(f"numpy.{name}: dtype has to be a real one for a real Tensor, got {dtype!r}")
        return a
    if dtype is not None:
        raise ArgumentError(f"numpy.{name}: dtype has to be a floating or complex one for Tensors, got {dtype!r}")
    return xp.astype(a, xp.__array_namespace_info__().default_dtypes()["real floating"])


@register
def var(
    xp: Any, a: Any, axis: Any = None, dtype: Any = None, ddof: float = 0, keepdims: bool = False, where: Any = True,
    mean: Any = None, correction: float | None = None,
) -> Any:  # fmt: skip
    a = _floating(xp, a, dtype, "var")
    if correction is not None and ddof:
        raise ArgumentError("numpy.var: ddof and correction are two names of one option; give one of them")
    less = ddof if correction is None else correction
    if where is True and mean is None:
        return xp.var(a, axis=axis, correction=less, keepdims=keepdims)
    middle = FUNCTIONS["mean"](xp, a, axis, None, True, where) if mean is None else xp.asarray(mean)
    gap = _masked(xp, a - middle, where, 0)
    square = xp.real(gap * xp.conj(gap)) if is_complex(xp, gap) else gap * gap
    count = _count(xp, a, axis, where, keepdims) - less
    return xp.sum(square, axis=axis, keepdims=keepdims) / (count if where is not True else max(count, 0))


@register
def std(
    xp: Any, a: Any, axis: Any = None, dtype: Any = None, ddof: float = 0, keepdims: bool = False, where: Any = True,
    mean: Any = None, correction: float | None = None,
) -> Any:  # fmt: skip
    if where is True and mean is None and not (correction is not None and ddof):
        less = ddof if correction is None else correction
        return xp.std(_floating(xp, a, dtype, "std"), axis=axis, correction=less, keepdims=keepdims)
    return xp.sqrt(var(xp, a, axis, dtype, ddof, keepdims, where, mean, correction))


def _present(xp: Any, a: Any, where: Any) -> tuple[Any, Any]:
    """Return ``a`` with 0 for nan, and where to look."""
    a = xp.asarray(a)
    nan = xp.isnan(a)
    there = xp.logical_not(nan)
    return xp.where(nan, 0, a), there if where is True else there & xp.asarray(where)


@register
def nanmean(
    xp: Any, a: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False, where: Any = True
) -> Any:  # fmt: skip
    if where is True:
        return xp.nanmean(_floating(xp, a, dtype, "mean"), axis=axis, keepdims=keepdims)
    a, there = _present(xp, a, where)
    return mean(xp, a, axis, dtype, keepdims, there)


@register
def nanvar(
    xp: Any, a: Any, axis: Any = None, dtype: Any = None, ddof: float = 0, keepdims: bool = False, where: Any = True,
    mean: Any = None, correction: float | None = None,
) -> Any:  # fmt: skip
    a, there = _present(xp, a, where)
    out = var(xp, a, axis, dtype, ddof, keepdims, there, mean, correction)
    left = _count(xp, a, axis, there, keepdims) - (ddof if correction is None else correction)
    return xp.where(left > 0, out, math.nan)  # where NumPy warns


@register
def nanstd(
    xp: Any, a: Any, axis: Any = None, dtype: Any = None, ddof: float = 0, keepdims: bool = False, where: Any = True,
    mean: Any = None, correction: float | None = None,
) -> Any:  # fmt: skip
    return xp.sqrt(nanvar(xp, a, axis, dtype, ddof, keepdims, where, mean, correction))
