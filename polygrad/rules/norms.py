"""Norms of vectors and matrices.

A norm is real, so its derivative is one array d of the shape of x: the cotangent of x is g d, and the tangent Re <d, dx>. Where the norm
has no derivative, d is torch's: 0 where the norm is 0, equal shares where several elements reach an extreme.
"""

from __future__ import annotations

from math import inf
from typing import Any

from ..errors import ArgumentError, ShapeError, describe
from .declare import composite, constant, rule
from .helpers import cast, conj, real
from .linalg import as_row, as_scalar
from .reductions import broadcast_back
from .vmap import forms


def _real_inner(xp: Any, a: Any, b: Any, axis: Any, keepdims: bool) -> Any:
    """Return the real inner product along axes."""
    return xp.sum(real(xp, conj(xp, a) * b), axis=axis, keepdims=keepdims)


def _share_equally(xp: Any, mask: Any, axis: Any) -> Any:
    """Return 1 over the number of elements that reach an extreme, at those elements."""
    count = xp.sum(mask, axis=axis, keepdims=True)
    return mask / xp.where(count == 0, 1.0, count)


def _safe_ratio(xp: Any, x: Any, norm: Any) -> Any:
    """Return ``x / norm``, and 0 where the norm is 0."""
    zero = norm == 0
    return xp.where(zero, 0.0, x / cast(xp, xp.where(zero, 1.0, norm), x.dtype))


def _vector_direction(xp: Any, x: Any, out: Any, axis: Any, keepdims: bool, ord: float) -> Any:
    if ord == 0:
        return xp.zeros_like(x)
    if ord == 1:
        return xp.sign(x)
    norm = broadcast_back(xp, out, x.shape, axis, keepdims)
    if ord == 2:
        return _safe_ratio(xp, x, norm)
    size = xp.abs(x)
    if ord in (inf, -inf):
        reached = (size == norm) | (xp.isnan(size) & xp.isnan(norm))
        return xp.sign(x) * cast(xp, _share_equally(xp, xp.astype(reached, size.dtype), axis), x.dtype)
    ratio = _safe_ratio(xp, size, norm)
    if ord > 2:
        return _safe_ratio(xp, x, norm) * cast(xp, ratio ** (ord - 2), x.dtype)
    # The power of 0 would be infinite below 1, and have an infinite derivative below 2.
    zero = ratio == 0
    return xp.sign(x) * cast(xp, xp.where(zero, 0.0, xp.where(zero, 1.0, ratio) ** (ord - 1)), x.dtype)


vector_norm = rule(
    "linalg.vector_norm(x, /, *, axis=None, keepdims=False, ord=2)",
    vjp=lambda xp, g, x, out, *, axis, keepdims, ord: (
        broadcast_back(xp, cast(xp, g, x.dtype), x.shape, axis, keepdims)
        * _vector_direction(xp, x, out, axis, keepdims, ord)
    ),
    jvp=lambda xp, t, x, out, *, axis, keepdims, ord: _real_inner(
        xp, _vector_direction(xp, x, out, axis, keepdims, ord), t, axis, keepdims
    ),
    node="LinalgVectorNormBackward0",
    batch=forms.reduction,
)


def _matrix_direction(xp: Any, x: Any, out: Any, keepdims: bool, ord: Any) -> Any:
    if ord == "fro" or ord is None:
        return _safe_ratio(xp, x, out if keepdims else as_scalar(xp, out))
    if ord in ("nuc", 2, -2):
        u, s, vh = xp.linalg.svd(x, full_matrices=False)
        if ord != "nuc":
            top = (xp.max if ord == 2 else xp.min)(s, axis=-1, keepdims=True)
            u = u * cast(xp, as_row(xp, _share_equally(xp, xp.astype(s == top, s.dtype), -1)), x.dtype)
        return xp.matmul(u, vh)
    down = -1 if ord in (inf, -inf) else -2
    sums = xp.sum(xp.abs(x), axis=down, keepdims=True)
    top = (xp.max if ord > 0 else xp.min)(sums, axis=-3 - down, keepdims=True)
    return xp.sign(x) * cast(xp, _share_equally(xp, xp.astype(sums == top, sums.dtype), -3 - down), x.dtype)


def _matrix_norm_name(payloads: Any, params: Any) -> str:
    ord = params["ord"]
    if ord in ("fro", None):
        return "LinalgVectorNormBackward0"
    return "SumBackward1" if ord == "nuc" else "AmaxBackward0" if ord > 0 else "AminBackward0"


matrix_norm = rule(
    "linalg.matrix_norm(x, /, *, keepdims=False, ord='fro')",
    vjp=lambda xp, g, x, out, *, keepdims, ord: (
        cast(xp, g if keepdims else as_scalar(xp, g), x.dtype) * _matrix_direction(xp, x, out, keepdims, ord)
    ),
    jvp=lambda xp, t, x, out, *, keepdims, ord: _real_inner(
        xp, _matrix_direction(xp, x, out, keepdims, ord), t, (-2, -1), keepdims
    ),
    node=_matrix_norm_name,
    batch=forms.matrix,
)


def _norm(xp: Any, x: Any, *, ord: Any, axis: Any, keepdims: bool) -> Any:
    if isinstance(axis, (tuple, list)) and len(axis) == 1:
        (axis,) = axis
    if ord is None or isinstance(axis, int) or (axis is None and x.ndim == 1):
        if isinstance(ord, str):
            raise ArgumentError(f"norm: ord={ord!r} is for matrices: give two axes")
        return xp.linalg.vector_norm(x, axis=axis, keepdims=keepdims, ord=2 if ord is None else ord)
    if axis is None:
        axis = tuple(range(x.ndim))
    if len(axis) != 2:
        raise ShapeError(f"norm: with ord={ord!r} the norm is over one axis or two; got axis={axis} for {describe(x)}")
    first, second = (a % x.ndim for a in axis)
    out = xp.linalg.matrix_norm(xp.moveaxis(x, (first, second), (-2, -1)), ord=ord)
    if not keepdims:
        return out
    return xp.reshape(out, tuple([1 if i in (first, second) else n for i, n in enumerate(x.shape)]))


norm = composite(
    "linalg.norm(x, /, ord=None, axis=None, keepdims=False)",
    _norm,
    arrays=("x",),
    doc="A norm of vectors or matrices, as ``vector_norm`` and ``matrix_norm``; without ``ord`` the norm of all elements as one vector.",
)


def _cond(xp: Any, x: Any, *, p: Any) -> Any:
    if p in (None, 2, -2):
        values = xp.linalg.svdvals(x)
        return values[..., -1] / values[..., 0] if p == -2 else values[..., 0] / values[..., -1]
    return xp.linalg.matrix_norm(x, ord=p) * xp.linalg.matrix_norm(xp.linalg.inv(x), ord=p)


cond = composite("linalg.cond(x, /, p=None)", _cond, arrays=("x",))
matrix_rank = constant("linalg.matrix_rank(x, /, *, rtol=None)", batch=forms.matrix)
norm_ = composite("norm(x, /, ord=None, axis=None, keepdims=False)", _norm, arrays=("x",), methods="norm")
