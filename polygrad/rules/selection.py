"""torch's selections and scatters: ``gather``, the ``scatter``, ``index`` and ``mask`` families, ``one_hot``.

Each is a selection by a key, the adjoint of one, or an assignment at one (see ``indexing``), so nearly all of them differentiate by
themselves. Only the largest and the smallest of the values at an element have a rule, because of ties.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from ..errors import ArgumentError, DtypeError, ShapeError, describe
from .declare import composite, constant, linear, rule
from .helpers import cast, device_of, front_axis, match_shape, raise_rank
from .keys import along, gather_key
from .vmap import forms
from .vmap import indexing as selections
from .vmap.alignment import Run

_KINDS = ("bool", "integral", "real floating", "complex floating")


# -- the arguments -----------------------------------------------------------------------------------------------------
def match_dtype(xp: Any, name: str, input: Any, value: Any) -> Any:
    """Return ``value`` as it can be written into ``input``: an array in its dtype; a Python number stays one."""
    rank = next(i for i, kind in enumerate(_KINDS) if xp.isdtype(input.dtype, kind))
    if type(value) in (bool, int, float, complex):
        if (bool, int, float, complex).index(type(value)) > rank:
            raise DtypeError(
                f"{name}: {value!r} cannot be written into an array of dtype {input.dtype}; convert that with astype"
            )
        return value
    value = xp.asarray(value)
    if value.dtype == input.dtype:
        return value
    if not xp.isdtype(value.dtype, _KINDS[: rank + 1]):
        raise DtypeError(
            f"{name}: values of dtype {value.dtype} cannot be written into an array of dtype {input.dtype}; convert one with astype"
        )
    return xp.astype(value, input.dtype)


def _check_index(xp: Any, name: str, index: Any) -> Any:
    index = xp.asarray(index)
    if not xp.isdtype(index.dtype, "integral"):
        raise DtypeError(f"{name}: the index has to be an array of integers, got {describe(index)}")
    return index


def _prepare_scatter(xp: Any, name: str, input: Any, axis: int, index: Any, src: Any = 0) -> tuple[Any, int, Any, Any]:
    """Check the arguments of the scatter family. Return them with at least one axis, and the source cut to the index."""
    input = xp.asarray(input)
    index = _check_index(xp, name, index)
    src = match_dtype(xp, name, input, src)
    whole = raise_rank(xp, input, 1)
    index = raise_rank(xp, index, 1)
    at = front_axis(name, axis, whole.ndim)
    number = type(src) in (bool, int, float, complex)
    if not number:
        src = raise_rank(xp, src, 1)
    if index.ndim != whole.ndim or not (number or src.ndim == index.ndim):
        raise ShapeError(
            f"{name}: input, index{'' if number else ' and src'} must have the same number of dimensions, got "
            f"{describe(input)}, {describe(index)}{'' if number else f' and {describe(src)}'}"
        )
    for i, n in enumerate(index.shape):
        if (i != at and n > whole.shape[i]) or not (number or n <= src.shape[i]):
            raise ShapeError(
                f"{name}: expected an index no larger than the input apart from axis {at}"
                f"{'' if number else ' and no larger than src'}, got the index {tuple(index.shape)} for the input "
                f"{tuple(input.shape)}{'' if number else f' and src {tuple(src.shape)}'}"
            )
    if not number and src.shape != index.shape:
        src = xp.getitem(src, key=tuple([slice(0, n) for n in index.shape]))
    return whole, at, index, src


def _scatter_key(xp: Any, index: Any, at: int) -> tuple[Any, ...]:
    """Return the key under which the scatter family writes. Along the other axes it has each position of the index itself."""
    return gather_key(xp, index, tuple(index.shape), at, index.device)


def _prepare_index(
    xp: Any, name: str, input: Any, axis: int, index: Any, source: Any
) -> tuple[Any, Any, tuple[Any, ...]]:
    """Return input, source and key of the index family, where the index is a vector and counts slices of the input."""
    input = xp.asarray(input)
    index = raise_rank(xp, _check_index(xp, name, index), 1)
    source = match_dtype(xp, name, input, source)
    whole = raise_rank(xp, input, 1)
    at = front_axis(name, axis, whole.ndim)
    if index.ndim != 1:
        raise ShapeError(f"{name}: the index is supposed to be a vector, got {describe(index)}")
    if type(source) not in (bool, int, float, complex):
        expected = (*whole.shape[:at], index.shape[0], *whole.shape[at + 1 :])
        if source.ndim == 0 and whole.ndim == 1:
            source = xp.reshape(source, (1,))
        if tuple(source.shape) != expected:
            raise ShapeError(
                f"{name}: the source must have the shape of the input but for axis {at}, where it has that of the index: "
                f"{expected}, not {tuple(source.shape)}"
            )
    return whole, source, along(at, index)


def _restore(xp: Any, out: Any, like: Any) -> Any:
    """Reshape a result to the shape of the input, which was given an axis if it is 0-d or a number."""
    return match_shape(xp, out, getattr(like, "shape", ()))


# -- gather and scatter ------------------------------------------------------------------------------------------------
def _gather(xp: Any, input: Any, index: Any, *, axis: int) -> Any:
    whole, at, places, _ = _prepare_scatter(xp, "gather", input, axis, index)
    sizes = tuple([slice(0, whole.shape[i] if i == at else n) for i, n in enumerate(places.shape)])
    if any(part.stop != n for part, n in zip(sizes, whole.shape, strict=True)):
        whole = xp.getitem(whole, key=sizes)
    return _restore(xp, xp.take_along_axis(whole, places, axis=at), index)


gather = composite(
    "gather(input, axis, index)",
    _gather,
    arrays=("input", "index"),
    doc="``out[i][j] = input[index[i][j]][j]`` for axis 0 of two; the index may be smaller than the input.",
    methods="gather",
)


def _scatter(xp: Any, input: Any, index: Any, src: Any, *, axis: int, reduce: str | None) -> Any:
    if reduce is not None:
        if reduce not in ("add", "multiply"):
            raise ArgumentError(
                f'scatter: reduce has to be "add" or "multiply", got {reduce!r}; scatter_reduce has more'
            )
        if type(src) in (bool, int, float, complex):
            index = xp.asarray(index)
            src = xp.full(tuple(index.shape), src, dtype=xp.asarray(input).dtype, device=index.device)
        name = {"add": "sum", "multiply": "prod"}[reduce]
        return _scatter_reduce(xp, input, index, src, axis=axis, reduce=name, include_self=True)
    whole, at, places, values = _prepare_scatter(xp, "scatter", input, axis, index, src)
    return _restore(xp, xp.set_at(whole, values, key=_scatter_key(xp, places, at)), input)


scatter = composite(
    "scatter(input, axis, index, src, *, reduce=None)",
    _scatter,
    arrays=("input", "index", "src"),
    doc="``input`` with ``src`` (an array or a number) written at ``index`` along an axis; of what is written several times the "
    "backend keeps one, which gets the gradient.",
    methods="scatter scatter_",
)


def _scatter_add(xp: Any, input: Any, index: Any, src: Any, *, axis: int) -> Any:
    whole, at, places, values = _prepare_scatter(xp, "scatter_add", input, axis, index, src)
    key = _scatter_key(xp, places, at)
    return _restore(xp, _add_at(xp, whole, xp.broadcast_to(xp.asarray(values), places.shape), key), input)


def _add_at(xp: Any, input: Any, values: Any, key: Any) -> Any:
    return input + xp.getitem_adjoint(values, key=key, shape=tuple(input.shape))


scatter_add = composite(
    "scatter_add(input, axis, index, src)",
    _scatter_add,
    arrays=("input", "index", "src"),
    doc="``input`` with ``src`` added at ``index`` along an axis, duplicates counted.",
    methods="scatter_add scatter_add_",
)


# -- what falls on one element, reduced --------------------------------------------------------------------------------
def _fold(xp: Any, values: Any, numbers: Any, size: int, combine: Callable[[Any, Any, Any], Any]) -> tuple[Any, Any]:
    """Return for each of ``size`` targets the combination of the values with its number, and whether there are any.

    The values are sorted by target. Then in each step every value takes in the combination of its predecessor at twice the distance, unless
    that belongs to another target: an inclusive scan (Hillis and Steele, "Data parallel algorithms", 1986). There is no division, so zeros
    are no special case, and a result is accurate whatever stands elsewhere.
    """
    order = xp.argsort(numbers)
    numbers, values = xp.take(numbers, order, axis=0), xp.take(values, order, axis=0)
    step = 1
    while step < numbers.shape[0]:
        same = numbers[step:] == numbers[:-step]
        values = xp.concat([values[:step], combine(values[step:], values[:-step], same)])
        step *= 2
    targets = xp.arange(size, dtype=numbers.dtype, device=device_of(numbers))
    ends = xp.searchsorted(numbers, targets, side="right") - 1
    ends = xp.where(ends < 0, 0, ends)
    return xp.take(values, ends, axis=0), xp.take(numbers, ends, axis=0) == targets


def _fold_at(
    xp: Any, src: Any, key: Any, shape: tuple[int, ...], combine: Callable[[Any, Any, Any], Any]
) -> tuple[Any, Any]:
    """Apply ``_fold`` to the values that a key puts on each element of an array of that shape."""
    size = prod(shape)
    numbers = xp.getitem(xp.reshape(xp.arange(size, device=device_of(src)), shape), key=key)
    values, hit = _fold(xp, xp.reshape(src, (-1,)), xp.reshape(numbers, (-1,)), size, combine)
    return xp.reshape(values, shape), xp.reshape(hit, shape)


def _count_hits(xp: Any, key: Any, shape: tuple[int, ...], src_shape: tuple[int, ...], like: Any) -> Any:
    """Return how many values a key puts on each element."""
    return xp.getitem_adjoint(xp.ones(src_shape, dtype=like.dtype, device=device_of(like)), key=key, shape=shape)


def _extreme_at(xp: Any, x: Any, src: Any, *, key: Any, largest: bool, include_self: bool) -> Any:
    better = xp.maximum if largest else xp.minimum
    best, hit = _fold_at(xp, src, key, tuple(x.shape), lambda a, b, same: better(a, xp.where(same, b, a)))
    return xp.where(hit, better(x, best) if include_self else best, x)


def _find_shares(xp: Any, x: Any, src: Any, out: Any, key: Any, include_self: bool) -> tuple[Any, Any, Any]:
    """Return masks of the elements of ``x`` and of ``src`` that are the result, and their number for each element: ties share equally."""
    shape = tuple(x.shape)
    own = x == out
    if not include_self:
        own = xp.logical_and(own, _count_hits(xp, key, shape, tuple(src.shape), src) == 0)
    chosen = src == xp.getitem(out, key=key)
    number = xp.astype(own, x.dtype) + xp.getitem_adjoint(xp.astype(chosen, x.dtype), key=key, shape=shape)
    return own, chosen, xp.where(number == 0, 1.0, number)


def _extreme_vjp(xp: Any, g: Any, x: Any, src: Any, out: Any, *, key: Any, include_self: bool) -> Any:
    own, chosen, number = _find_shares(xp, x, src, out, key, include_self)
    share = g / number
    return xp.where(own, share, 0.0), xp.where(chosen, xp.getitem(share, key=key), 0.0)


def _extreme_jvp(xp: Any, tangents: Any, x: Any, src: Any, out: Any, *, key: Any, include_self: bool) -> Any:
    own, chosen, number = _find_shares(xp, x, src, out, key, include_self)
    t_x, t_src = tangents
    parts = [] if t_x is None else [xp.where(own, t_x, 0.0)]
    if t_src is not None:
        parts.append(xp.getitem_adjoint(xp.where(chosen, t_src, 0.0), key=key, shape=tuple(x.shape)))
    return (parts[0] if len(parts) == 1 else parts[0] + parts[1]) / number


extreme_at = rule(
    "extreme_at(x, src, /, *, key, largest, include_self)",
    vjp=_extreme_vjp,
    jvp=_extreme_jvp,
    default=_extreme_at,
    node="ScatterReduceBackward0",
    doc="``x`` with the largest (or smallest) of what ``src`` puts at ``key``, and of ``x`` itself if ``include_self``.",
    batch=selections.extreme_at,
)


def _reduce_at(xp: Any, name: str, input: Any, src: Any, key: Any, reduce: str, include_self: bool) -> Any:
    shape, cut = tuple(input.shape), tuple(src.shape)
    if 0 in cut or 0 in shape:
        return xp.clone(input)
    if reduce in ("amax", "amin"):
        return xp.extreme_at(input, src, key=key, largest=reduce == "amax", include_self=include_self)
    if reduce == "prod":
        product, hit = _fold_at(xp, src, key, shape, lambda a, b, same: a * xp.where(same, b, 1))
        product = xp.where(hit, product, 1)
        return input * product if include_self else xp.where(hit, product, input)
    base = input if include_self else xp.set_at(input, 0, key=key)
    total = _add_at(xp, base, src, key)
    if reduce == "sum":
        return total
    number = _count_hits(xp, key, shape, cut, src)
    number = number + 1 if include_self else xp.where(number == 0, 1, number)
    return xp.floor_divide(total, number) if xp.isdtype(input.dtype, "integral") else total / number


_REDUCTIONS = ("sum", "prod", "mean", "amax", "amin")


def _scatter_reduce(xp: Any, input: Any, index: Any, src: Any, *, axis: int, reduce: str, include_self: bool) -> Any:
    if reduce not in _REDUCTIONS:
        raise ArgumentError(f"scatter_reduce: reduce has to be one of {', '.join(_REDUCTIONS)}, got {reduce!r}")
    whole, at, places, values = _prepare_scatter(xp, "scatter_reduce", input, axis, index, src)
    values = xp.broadcast_to(xp.asarray(values), places.shape)
    out = _reduce_at(xp, "scatter_reduce", whole, values, _scatter_key(xp, places, at), reduce, include_self)
    return _restore(xp, out, input)


scatter_reduce = composite(
    "scatter_reduce(input, axis, index, src, reduce, *, include_self=True)",
    _scatter_reduce,
    arrays=("input", "index", "src"),
    doc='What ``src`` puts at ``index`` along an axis, reduced by "sum", "prod", "mean", "amax" or "amin", with ``input`` itself unless '
    "``include_self=False``; elements that nothing falls on stay.",
    methods="scatter_reduce scatter_reduce_",
)


# -- the index family --------------------------------------------------------------------------------------------------
def _index_add(xp: Any, input: Any, index: Any, source: Any, *, axis: int, alpha: Any) -> Any:
    whole, values, key = _prepare_index(xp, "index_add", input, axis, index, source)
    if type(alpha) not in (int, float) or alpha != 1:
        values = values * match_dtype(xp, "index_add", whole, alpha)
    return _restore(xp, _add_at(xp, whole, values, key), input)


index_add = composite(
    "index_add(input, axis, index, source, *, alpha=1)",
    _index_add,
    arrays=("input", "index", "source"),
    doc="``input`` with ``alpha * source`` added to the slices that ``index`` counts along an axis, duplicates counted.",
    methods="index_add index_add_",
)


def _index_copy(xp: Any, input: Any, index: Any, source: Any, *, axis: int) -> Any:
    whole, values, key = _prepare_index(xp, "index_copy", input, axis, index, source)
    return _restore(xp, xp.set_at(whole, values, key=key), input)


index_copy = composite(
    "index_copy(input, axis, index, source)",
    _index_copy,
    arrays=("input", "index", "source"),
    doc="``input`` with ``source`` in the place of the slices that ``index`` counts along an axis.",
    methods="index_copy index_copy_",
)


def _check_scalar(name: str, value: Any) -> None:
    if getattr(value, "ndim", 0):
        raise ShapeError(f"{name}: only supports a 0-dimensional value, got {describe(value)}")


def _index_fill(xp: Any, input: Any, index: Any, value: Any, *, axis: int) -> Any:
    _check_scalar("index_fill", value)
    input = xp.asarray(input)
    whole, _, key = _prepare_index(xp, "index_fill", input, axis, index, False)
    return _restore(xp, xp.set_at(whole, match_dtype(xp, "index_fill", input, value), key=key), input)


index_fill = composite(
    "index_fill(input, axis, index, value)",
    _index_fill,
    arrays=("input", "index", "value"),
    doc="``input`` with one value in the slices that ``index`` counts along an axis.",
    methods="index_fill index_fill_",
)


def _index_reduce(xp: Any, input: Any, index: Any, source: Any, *, axis: int, reduce: str, include_self: bool) -> Any:
    if reduce not in _REDUCTIONS[1:]:
        other = "; for a sum there is index_add" if reduce == "sum" else ""
        raise ArgumentError(
            f"index_reduce: reduce has to be one of {', '.join(_REDUCTIONS[1:])}, got {reduce!r}{other}"
        )
    whole, values, key = _prepare_index(xp, "index_reduce", input, axis, index, xp.asarray(source))
    return _restore(xp, _reduce_at(xp, "index_reduce", whole, values, key, reduce, include_self), input)


index_reduce = composite(
    "index_reduce(input, axis, index, source, reduce, *, include_self=True)",
    _index_reduce,
    arrays=("input", "index", "source"),
    doc='As ``index_add``, with "prod", "mean", "amax" or "amin" for the sum, and without ``input`` if ``include_self=False``.',
    methods="index_reduce index_reduce_",
)


def _index_put(xp: Any, input: Any, values: Any, *, indices: Sequence[Any], accumulate: bool) -> Any:
    if not isinstance(indices, (tuple, list)):
        raise ArgumentError(f"index_put: the indices have to be a tuple of arrays, got {describe(indices)}")
    input = xp.asarray(input)
    key = tuple([slice(None) if index is None else xp.asarray(index) for index in indices])
    values = match_dtype(xp, "index_put", input, values)
    if not accumulate:
        return xp.set_at(input, values, key=key)
    return _add_at(xp, input, xp.asarray(values, dtype=input.dtype), key)


index_put = composite(
    "index_put(input, indices, values, accumulate=False)",
    _index_put,
    arrays=("input", "values"),
    doc="``input`` with ``input[indices] = values``, or ``+=`` with duplicates counted if ``accumulate``; the values broadcast.",
    methods="index_put index_put_",
)


# -- masks -------------------------------------------------------------------------------------------------------------
def _masked_fill(xp: Any, input: Any, mask: Any, value: Any) -> Any:
    _check_scalar("masked_fill", value)
    input = xp.asarray(input)
    return xp.where(_check_mask(xp, "masked_fill", mask), match_dtype(xp, "masked_fill", input, value), input)


def _check_mask(xp: Any, name: str, mask: Any) -> Any:
    mask = xp.asarray(mask)
    if not xp.isdtype(mask.dtype, "bool"):
        raise DtypeError(f"{name}: the mask has to be boolean, got {describe(mask)}")
    return mask


masked_fill = composite(
    "masked_fill(input, mask, value)",
    _masked_fill,
    arrays=("input", "mask", "value"),
    doc="``input`` with one value wherever ``mask`` is true; the two broadcast.",
    methods="masked_fill masked_fill_",
)


def _masked_select(xp: Any, input: Any, mask: Any) -> Any:
    input, mask = xp.broadcast_arrays(xp.asarray(input), _check_mask(xp, "masked_select", mask))
    return xp.getitem(input, key=mask)


masked_select = composite(
    "masked_select(input, mask)",
    _masked_select,
    arrays=("input", "mask"),
    doc="The elements of ``input`` where ``mask`` is true, in a vector; the two broadcast.",
    methods="masked_select",
)


def _masked_scatter(xp: Any, input: Any, mask: Any, source: Any) -> Any:
    # Elements are counted, not selected with the mask, so that no shape depends on its values.
    input, mask = xp.broadcast_arrays(xp.asarray(input), _check_mask(xp, "masked_scatter", mask))
    source = xp.reshape(match_dtype(xp, "masked_scatter", input, xp.asarray(source)), (-1,))
    if prod(input.shape) == 0:
        return xp.clone(input)
    places = xp.arange(prod(input.shape), device=mask.device)
    flat = xp.reshape(mask, (-1,))
    number = xp.cumulative_sum(xp.astype(flat, places.dtype)) - 1
    chosen = xp.take(source, xp.where(flat, number, 0), axis=0)
    return xp.where(mask, xp.reshape(chosen, input.shape), input)


masked_scatter = composite(
    "masked_scatter(input, mask, source)",
    _masked_scatter,
    arrays=("input", "mask", "source"),
    doc="``input`` with the elements of ``source``, one after the other, wherever ``mask`` is true.",
    methods="masked_scatter masked_scatter_",
)


# -- counts ------------------------------------------------------------------------------------------------------------
def _one_hot(xp: Any, x: Any, *, num_classes: int) -> Any:
    x = _check_index(xp, "one_hot", x)
    if num_classes == -1:
        if prod(x.shape) == 0:
            raise ArgumentError(
                "one_hot: the number of classes cannot be inferred from an empty array; give num_classes"
            )
        num_classes = int(xp.max(x)) + 1
    numbers = xp.arange(num_classes, dtype=x.dtype, device=x.device)
    return xp.astype(xp.equal(xp.expand_dims(x, axis=-1), numbers), x.dtype)


one_hot = composite(
    "one_hot(x, num_classes=-1)",
    _one_hot,
    arrays=("x",),
    doc="Rows of zeros with a one at each index, in the dtype of ``x``; an index out of range has a row of zeros.",
)


def _bincount(xp: Any, x: Any, weights: Any, *, minlength: int) -> Any:
    size = max(minlength, int(xp.max(x)) + 1 if prod(x.shape) else 0)
    if weights is None:
        weights = xp.ones_like(xp.arange(prod(x.shape), device=device_of(x)))
    return xp.getitem_adjoint(weights, key=(x,), shape=(size,))


def _batch_bincount(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    x, weights = arrays
    if mapped[0]:
        return forms.data_dependent(run, arrays, mapped, params)
    size = max(params["minlength"], int(run.xp.max(x)) + 1 if prod(x.shape) else 0)
    return run.xp.getitem_adjoint(weights, key=(slice(None), x), shape=(run.size, size))


bincount = linear(
    "bincount(x, weights=None, minlength=0)",
    transpose=(
        None,
        lambda xp, g, x, *, weights_dtype: cast(xp, xp.take(g, x, axis=0), weights_dtype),
    ),
    arrays=("x", "weights"),
    default=_bincount,
    doc="How often each of 0, 1, ... is in ``x``, or the sum of the weights that come with it.",
    batch=_batch_bincount,
    methods="bincount",
)
argwhere = constant(
    "argwhere(x, /)",
    default=lambda xp, x: xp.stack(xp.nonzero(x), axis=1),
    doc="The positions of the elements that are not zero, one in each row.",
    batch=forms.data_dependent,
    methods="argwhere",
)
