"""The statistical functions of the standard, and their like."""

from __future__ import annotations

from typing import Any

from .declare import constant, linear, rule


def spread(xp: Any, g: Any, shape: tuple[int, ...], axis: Any, keepdims: bool) -> Any:
    """The cotangent of a reduction, broadcast back over the axes that were reduced."""
    if not keepdims and len(shape) > 0:
        axes = range(len(shape)) if axis is None else (axis,) if isinstance(axis, int) else axis
        reduced = {a % len(shape) for a in axes}
        g = xp.reshape(g, tuple([1 if i in reduced else n for i, n in enumerate(shape)]))
    return xp.broadcast_to(g, shape)


def _numbered(name: str) -> Any:
    """torch numbers the overloads of a reduction: 0 over everything, 1 over some axes."""
    return lambda payloads, params: f"{name}Backward{0 if params['axis'] is None else 1}"


sum = linear(
    "sum(x, /, *, axis=None, dtype=None, keepdims=False)",
    transpose=lambda xp, g, *, x_shape, x_dtype, axis, keepdims: spread(xp, xp.astype(g, x_dtype, copy=False), x_shape, axis, keepdims),
    node=_numbered("Sum"),
)
