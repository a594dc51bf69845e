"""Indexing: selection by a key, its transpose, and assignment."""

from __future__ import annotations

from typing import Any

from .declare import fit, linear


def _select_name(payloads: Any, params: Any) -> str:
    key = params["key"]
    keys = key if isinstance(key, tuple) else (key,)
    if any(hasattr(part, "dtype") or isinstance(part, list) for part in keys):
        return "IndexBackward0"
    if any(isinstance(part, int) for part in keys):
        return "SelectBackward0"
    if any(isinstance(part, slice) and part != slice(None) for part in keys):
        return "SliceBackward0"
    if any(part is None for part in keys):
        return "UnsqueezeBackward0"
    return "AliasBackward0"


getitem = linear(
    "getitem(x, /, *, key)",
    transpose=lambda xp, g, *, x_shape, key: xp.scatter_add(g, key, x_shape),
    node=_select_name,
    default=lambda xp, x, *, key: x[key],
    view=True,
)
scatter_add = linear(
    "scatter_add(x, /, key, shape)",
    transpose=lambda xp, g, *, key, x_shape: fit(xp, xp.getitem(g, key=key), x_shape),
    node="IndexPutBackward0",
)
"""Zeros of ``shape`` with ``x`` added at ``key``, duplicates counted: the transpose of selection."""


def _keep(xp: Any, g: Any, *, key: Any) -> Any:
    return xp.set_at(g, 0.0, key=key)


set_at = linear(
    "set_at(x, value, /, *, key)",
    transpose=(_keep, lambda xp, g, *, key, value_shape: fit(xp, xp.getitem(g, key=key), value_shape)),
    node="CopySlices",
)
"""``x`` with ``value`` (broadcast) in the place of ``x[key]``; ``x`` itself is not changed."""
