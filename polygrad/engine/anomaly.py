"""Anomaly mode in a backward pass: search each gradient for nan, and say which operation made the first one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..core.graph import Lazy, Node, OutputNode
from ..core.sites import differentiating, origin_of, site_of
from ..core.tensor import Tensor
from ..errors import AnomalyError


def watch(
    node: Node, pull: Callable[..., Any], check_nan: bool, xp: Any, g: Any, edges: Any, saved: Any
) -> Sequence[Any]:
    """Run ``pull`` in anomaly mode: what it records belongs to this node, and what it returns must not be nan."""
    token = differentiating.set((node.name(), origin_of(node)))
    try:
        parts: Sequence[Any] = pull(xp, g, edges, saved)
    finally:
        differentiating.reset(token)
    if check_nan and type(node) is not OutputNode:
        backend = node.frame.backend
        for i, part in enumerate(parts):
            for array in arrays_in(part):
                if has_nan(backend, array):
                    raise _error(node, i, array, any(has_nan(backend, a) for a in arrays_in(g)))
    return parts


def arrays_in(part: Any) -> list[Any]:
    """Return the arrays of the bottom level in a cotangent."""
    if isinstance(part, Lazy):
        part = list(part.arrays())
    if isinstance(part, list):
        return [array for one in part for array in arrays_in(one)]
    while isinstance(part, Tensor):
        part = part._data
    return [] if part is None else [part]


def has_nan(backend: Any, array: Any) -> bool:
    """Return True if an array whose values can be read holds a nan."""
    if array.dtype not in backend.floating or not backend.concrete(array):
        return False
    return bool(backend.raw.any(backend.raw.isnan(array)))


def _error(node: Node, i: int, array: Any, before: bool) -> AnomalyError:
    site, origin = site_of(node), origin_of(node)
    error = AnomalyError(
        f"Function {node.name()!r} returned nan values in its {i}th output: the gradient of its input {i}, of shape "
        f"{tuple(array.shape)} and dtype {array.dtype}. The gradient that came in "
        + ("was nan already" if before else "had no nan")
        + (f". The operation was called at {site}: {site.text}" if site is not None else "")
    )
    if origin is not None:
        error.add_note(str(origin))
    return error
