"""The sorting, searching and set functions of the standard."""

from __future__ import annotations

from typing import Any

from .declare import constant, rule
from .vmap import forms
from .vmap.alignment import Mapped, Run, add_batch, flatten_examples


# Sorting is a selection in another order. The order is found again in the backward pass. So a sort without a gradient costs no more than
# the library's own, and the node keeps x, which is there anyway, and no indices.
def _sort_vjp(xp: Any, g: Any, x: Any, *, axis: int, descending: bool, stable: bool) -> Any:
    if x.ndim == 0:
        return g
    order = xp.argsort(x, axis=axis, descending=descending, stable=stable)
    return xp.take_along_axis(g, xp.argsort(order, axis=axis, stable=False), axis=axis)


def _sort_jvp(xp: Any, t: Any, x: Any, *, axis: int, descending: bool, stable: bool) -> Any:
    if x.ndim == 0:
        return t
    return xp.take_along_axis(t, xp.argsort(x, axis=axis, descending=descending, stable=stable), axis=axis)


sort = rule(
    "sort(x, /, *, axis=-1, descending=False, stable=True)",
    vjp=_sort_vjp,
    jvp=_sort_jvp,
    batch=forms.along,
    methods="sort",
    by_position=("axis",),
)
argsort = constant(
    "argsort(x, /, *, axis=-1, descending=False, stable=True)",
    batch=forms.along,
    methods="argsort",
    by_position=("axis",),
)
nonzero = constant("nonzero(x, /)", outputs=("indices",), batch=forms.data_dependent, methods="nonzero")


def _batch_searchsorted(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    x1, x2 = arrays
    xp, sorter = run.xp, params["sorter"]
    if not mapped[0] and not isinstance(sorter, Mapped):
        return xp.reshape(run(x1, xp.reshape(x2, (-1,)), **params), x2.shape)
    x1 = add_batch(run, x1, mapped[0])
    if sorter is not None:
        order = sorter.data if isinstance(sorter, Mapped) else add_batch(run, sorter, False)
        x1 = xp.take_along_axis(x1, order, axis=1)
    x2 = x2 if mapped[1] else xp.expand_dims(x2, axis=0)
    # The place of a value is the number of elements before it; nan counts as the largest number.
    x1 = xp.reshape(x1, (run.size, *(1,) * (x2.ndim - 1), -1))
    x2 = xp.expand_dims(x2, axis=-1)
    earlier = x1 < x2 if params["side"] == "left" else xp.logical_not(x2 < x1)
    if xp.isdtype(x1.dtype, "real floating"):
        nan1, nan2 = xp.isnan(x1), xp.isnan(x2)
        left = params["side"] == "left"
        earlier = xp.where(nan2, xp.logical_not(nan1) if left else xp.ones_like(nan1), earlier & ~nan1)
    dtype = run(
        *[xp.zeros((1,), dtype=x1.dtype)] * 2, side=params["side"], sorter=None
    ).dtype  # the dtype of the integers is the library's choice
    return xp.sum(xp.astype(earlier, dtype), axis=-1, dtype=dtype)


searchsorted = constant("searchsorted(x1, x2, /, *, side='left', sorter=None)", promote=True, batch=_batch_searchsorted)


def _batch_isin(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    x1, x2 = arrays
    if not mapped[1]:
        return run(x1, x2, **params)
    xp = run.xp
    pool = flatten_examples(run, x2)
    x1 = xp.reshape(x1, (run.size if mapped[0] else 1, -1, 1)) if hasattr(x1, "ndim") else x1
    found = xp.any(xp.equal(x1, xp.expand_dims(pool, axis=1)), axis=-1)
    shape = arrays[0].shape[int(mapped[0]) :] if hasattr(arrays[0], "ndim") else ()
    found = xp.reshape(found, (run.size, *shape))
    return xp.logical_not(found) if params["invert"] else found


isin = constant(
    "isin(x1, x2, /, *, invert=False)",
    promote=True,
    default=lambda xp, x1, x2, *, invert=False: _isin(xp, x1, x2, invert),
    batch=_batch_isin,
)


def _isin(xp: Any, x1: Any, x2: Any, invert: bool) -> Any:
    if not hasattr(x1, "ndim"):
        found = xp.any(xp.equal(x2, x1))
    elif not hasattr(x2, "ndim"):
        found = xp.equal(x1, x2)
    else:
        found = xp.any(xp.equal(xp.expand_dims(x1, axis=-1), xp.reshape(x2, (-1,))), axis=-1)
    return xp.logical_not(found) if invert else found


# As in torch.unique, the values have no derivative: asking for their gradient is an error, not a zero.
unique_all = rule(
    "unique_all(x, /)",
    vjp=(None,),
    jvp=None,
    outputs=("values", "indices", "inverse_indices", "counts"),
    node="Unique2Backward0",
    batch=forms.data_dependent,
)
unique_counts = rule(
    "unique_counts(x, /)",
    vjp=(None,),
    jvp=None,
    outputs=("values", "counts"),
    node="Unique2Backward0",
    batch=forms.data_dependent,
)
unique_inverse = rule(
    "unique_inverse(x, /)",
    vjp=(None,),
    jvp=None,
    outputs=("values", "inverse_indices"),
    node="Unique2Backward0",
    batch=forms.data_dependent,
)
unique_values = rule("unique_values(x, /)", vjp=(None,), jvp=None, node="Unique2Backward0", batch=forms.data_dependent)
