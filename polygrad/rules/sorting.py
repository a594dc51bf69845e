"""The sorting, searching and set functions of the standard."""

from __future__ import annotations

from typing import Any

from .declare import constant, rule


# Sorting is a selection in another order. The order is found again in the backward pass, so a sort costs no more than the
# library's own where nobody asks for its gradient, and the node keeps x, which is there anyway, and no indices.
def _sort_vjp(xp: Any, g: Any, x: Any, *, axis: int, descending: bool, stable: bool) -> Any:
    if x.ndim == 0:
        return g
    order = xp.argsort(x, axis=axis, descending=descending, stable=stable)
    return xp.take_along_axis(g, xp.argsort(order, axis=axis, stable=False), axis=axis)


def _sort_jvp(xp: Any, t: Any, x: Any, *, axis: int, descending: bool, stable: bool) -> Any:
    if x.ndim == 0:
        return t
    return xp.take_along_axis(t, xp.argsort(x, axis=axis, descending=descending, stable=stable), axis=axis)


sort = rule("sort(x, /, *, axis=-1, descending=False, stable=True)", vjp=_sort_vjp, jvp=_sort_jvp)
argsort = constant("argsort(x, /, *, axis=-1, descending=False, stable=True)")
nonzero = constant("nonzero(x, /)", outputs=("indices",))
searchsorted = constant("searchsorted(x1, x2, /, *, side='left', sorter=None)", promote=True)
isin = constant(
    "isin(x1, x2, /, *, invert=False)",
    promote=True,
    default=lambda xp, x1, x2, *, invert=False: _isin(xp, x1, x2, invert),
)


def _isin(xp: Any, x1: Any, x2: Any, invert: bool) -> Any:
    if not hasattr(x1, "ndim"):
        found = xp.any(xp.equal(x2, x1))
    elif not hasattr(x2, "ndim"):
        found = xp.equal(x1, x2)
    else:
        found = xp.any(xp.equal(xp.expand_dims(x1, axis=-1), xp.reshape(x2, (-1,))), axis=-1)
    return xp.logical_not(found) if invert else found


# Like torch.unique, the values pass nothing back: asking for their gradient is an error, not a zero.
unique_all = rule(
    "unique_all(x, /)",
    vjp=(None,),
    jvp=None,
    outputs=("values", "indices", "inverse_indices", "counts"),
    node="Unique2Backward0",
)
unique_counts = rule(
    "unique_counts(x, /)", vjp=(None,), jvp=None, outputs=("values", "counts"), node="Unique2Backward0"
)
unique_inverse = rule(
    "unique_inverse(x, /)", vjp=(None,), jvp=None, outputs=("values", "inverse_indices"), node="Unique2Backward0"
)
unique_values = rule("unique_values(x, /)", vjp=(None,), jvp=None, node="Unique2Backward0")
