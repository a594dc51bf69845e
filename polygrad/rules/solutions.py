"""Inverses, the solution of equations, pseudo-inverses and least squares."""

from __future__ import annotations

from collections import namedtuple
from math import prod
from typing import Any

from ..errors import ShapeError, describe
from .declare import composite, rule
from .helpers import adjoint, conj, fit, real
from .linalg import as_column, identity, svdvals_gradient, svdvals_tangent
from .vmap import forms
from .vmap.alignment import Run, example_ndim


def triangle(xp: Any, x: Any, upper: bool, strictly: bool = False) -> Any:
    """Return one triangle of the matrices, with or without the diagonal."""
    return xp.triu(x, k=int(strictly)) if upper else xp.tril(x, k=-int(strictly))


# -- inverses and solutions -----------------------------------------------------------------------------------------------
inv = rule(
    "linalg.inv(x, /)",
    vjp=lambda xp, g, out: -xp.matmul(xp.matmul(adjoint(xp, out), g), adjoint(xp, out)),
    jvp=lambda xp, t, out: -xp.matmul(xp.matmul(out, t), out),
    node="LinalgInvExBackward0",
    batch=forms.matrix,
)


def _solution(xp: Any, a: Any, b: Any, vector: bool) -> Any:
    return xp.squeeze(xp.linalg.solve(a, as_column(xp, b)), axis=-1) if vector else xp.linalg.solve(a, b)


def _solve_first(xp: Any, g: Any, x1: Any, out: Any, *, x1_shape: Any, x2_ndim: int) -> Any:
    vector = x2_ndim == 1
    b = _solution(xp, adjoint(xp, x1), g, vector)
    b, out = (as_column(xp, b), as_column(xp, out)) if vector else (b, out)
    return fit(xp, -xp.matmul(b, adjoint(xp, out)), x1_shape)


def _solve_first_jvp(xp: Any, t: Any, x1: Any, out: Any, *, x2_ndim: int) -> Any:
    vector = x2_ndim == 1
    moved = xp.matmul(t, as_column(xp, out) if vector else out)
    out = -xp.linalg.solve(x1, moved)
    return xp.squeeze(out, axis=-1) if vector else out


def _batch_solve(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    x1, x2 = arrays
    xp = run.xp
    if example_ndim(x2, mapped[1]) != 1:
        return run(*forms.stack_matrices(run, arrays, mapped))
    if not mapped[0] and x1.ndim == 2:  # one matrix for all examples, which are the columns
        return xp.matrix_transpose(run(x1, xp.matrix_transpose(x2)))
    x1, x2 = forms.stack_matrices(run, (x1, xp.expand_dims(x2, axis=-1)), mapped)
    return xp.squeeze(run(x1, x2), axis=-1)


solve = rule(
    "linalg.solve(x1, x2, /)",
    vjp=(
        _solve_first,
        lambda xp, g, x1, *, x2_shape: fit(xp, _solution(xp, adjoint(xp, x1), g, len(x2_shape) == 1), x2_shape),
    ),
    jvp=(_solve_first_jvp, lambda xp, t, x1: xp.linalg.solve(x1, t)),
    promote=True,
    node="LinalgSolveExBackward0",
    batch=_batch_solve,
)


def _solve_triangular(xp: Any, a: Any, b: Any, *, upper: bool, left: bool = True, unitriangular: bool = False) -> Any:
    a = triangle(xp, a, upper, unitriangular)
    if unitriangular:
        a = a + identity(xp, a)
    if left:
        return xp.linalg.solve(a, b)
    return xp.matrix_transpose(xp.linalg.solve(xp.matrix_transpose(a), xp.matrix_transpose(b)))


def _triangular_first(
    xp: Any, g: Any, a: Any, out: Any, *, a_shape: Any, upper: bool, left: bool, unitriangular: bool
) -> Any:
    b = xp.linalg.solve_triangular(adjoint(xp, a), g, upper=not upper, left=left, unitriangular=unitriangular)
    whole = xp.matmul(b, adjoint(xp, out)) if left else xp.matmul(adjoint(xp, out), b)
    return -fit(xp, triangle(xp, whole, upper, unitriangular), a_shape)


def _triangular_first_jvp(xp: Any, t: Any, a: Any, out: Any, *, upper: bool, left: bool, unitriangular: bool) -> Any:
    t = triangle(xp, t, upper, unitriangular)
    moved = xp.matmul(t, out) if left else xp.matmul(out, t)
    return -xp.linalg.solve_triangular(a, moved, upper=upper, left=left, unitriangular=unitriangular)


solve_triangular = rule(
    "linalg.solve_triangular(a, b, /, *, upper, left=True, unitriangular=False)",
    vjp=(
        _triangular_first,
        lambda xp, g, a, *, b_shape, upper, left, unitriangular: fit(
            xp,
            xp.linalg.solve_triangular(adjoint(xp, a), g, upper=not upper, left=left, unitriangular=unitriangular),
            b_shape,
        ),
    ),
    jvp=(
        _triangular_first_jvp,
        lambda xp, t, a, *, upper, left, unitriangular: xp.linalg.solve_triangular(
            a, t, upper=upper, left=left, unitriangular=unitriangular
        ),
    ),
    promote=True,
    default=_solve_triangular,
    node="LinalgSolveTriangularBackward0",
    batch=forms.matrices,
    doc="The solution of ``a x = b``, or of ``x a = b`` with ``left=False``; only one triangle of ``a`` is read.",
)


def _cholesky_solve(xp: Any, b: Any, factor: Any, *, upper: bool) -> Any:
    lower = adjoint(xp, factor) if upper else factor
    return xp.linalg.solve_triangular(adjoint(xp, lower), xp.linalg.solve_triangular(lower, b, upper=False), upper=True)


cholesky_solve = composite(
    "linalg.cholesky_solve(b, factor, /, *, upper=False)",
    _cholesky_solve,
    doc="The solution of ``a x = b`` from the Cholesky factor of ``a``.",
)
cholesky_inverse = composite(
    "linalg.cholesky_inverse(factor, /, *, upper=False)",
    lambda xp, factor, *, upper: _cholesky_solve(
        xp, xp.broadcast_to(identity(xp, factor), factor.shape), factor, upper=upper
    ),
    doc="The inverse of a matrix from its Cholesky factor.",
)


def _square_rows(shape: tuple[int, ...], ind: int) -> tuple[int, int]:
    return prod(shape[:ind]), prod(shape[ind:])


def _tensorinv(xp: Any, x: Any, *, ind: int) -> Any:
    if ind < 1 or len(set(_square_rows(x.shape, ind))) != 1:
        raise ShapeError(
            f"tensorinv: the first {ind} axes and the others need the same number of elements, got {describe(x)}"
        )
    flat = xp.reshape(x, _square_rows(x.shape, ind))
    return xp.reshape(xp.linalg.inv(flat), (*x.shape[ind:], *x.shape[:ind]))


tensorinv = composite("linalg.tensorinv(x, /, *, ind=2)", _tensorinv)


def _tensorsolve(xp: Any, a: Any, b: Any, *, axes: Any) -> Any:
    if axes is not None:
        moved = [axis % a.ndim for axis in axes]
        a = xp.permute_dims(a, (*[i for i in range(a.ndim) if i not in moved], *moved))
    if prod(a.shape) != prod(b.shape) ** 2:
        raise ShapeError(f"tensorsolve: expected as many unknowns as equations, got {describe(a)} and {describe(b)}")
    size = prod(b.shape)
    return xp.reshape(xp.linalg.solve(xp.reshape(a, (size, size)), xp.reshape(b, (size,))), a.shape[b.ndim :])


tensorsolve = composite("linalg.tensorsolve(a, b, /, *, axes=None)", _tensorsolve)


# -- the pseudo-inverse and least squares, while the rank stays what it is ---------------------------------------------------
# dP = -P dA P + P Pᴴ dAᴴ (1 - A P) + (1 - P A) dAᴴ Pᴴ P  (Golub and Pereyra, "The differentiation of pseudo-inverses and nonlinear
# least squares problems whose variables separate", 1973). Products are ordered so that no square of the long side appears.
def _pinv_jvp(xp: Any, t: Any, x: Any, out: Any) -> Any:
    a, p, th = x, out, adjoint(xp, t)
    first = xp.matmul(xp.matmul(p, adjoint(xp, p)), th)
    last = xp.matmul(xp.matmul(th, adjoint(xp, p)), p)
    if x.shape[-2] >= x.shape[-1]:
        first = first - xp.matmul(xp.matmul(first, a), p)
        last = last - xp.matmul(xp.matmul(p, a), last)
    else:
        first = first - xp.matmul(first, xp.matmul(a, p))
        last = last - xp.matmul(p, xp.matmul(a, last))
    return first + last - xp.matmul(xp.matmul(p, t), p)


def _pinv_vjp(xp: Any, g: Any, x: Any, out: Any) -> Any:
    a, p, gh = x, out, adjoint(xp, g)
    ph = adjoint(xp, p)
    first = xp.matmul(gh, xp.matmul(p, ph))
    last = xp.matmul(ph, xp.matmul(p, gh))
    if x.shape[-2] >= x.shape[-1]:
        first = first - xp.matmul(a, xp.matmul(p, first))
        last = last - xp.matmul(last, xp.matmul(p, a))
    else:
        first = first - xp.matmul(xp.matmul(a, p), first)
        last = last - xp.matmul(xp.matmul(last, p), a)
    return first + last - xp.matmul(xp.matmul(ph, g), ph)


pinv = rule(
    "linalg.pinv(x, /, *, rtol=None)", vjp=_pinv_vjp, jvp=_pinv_jvp, node="LinalgPinvBackward0", batch=forms.matrix
)

LstsqResult = namedtuple("LstsqResult", ["solution", "residuals", "rank", "singular_values"])


def _least_squares(xp: Any, a: Any, b: Any, *, rtol: float | None = None) -> tuple[Any, Any, Any]:
    """Return the solution of least norm, by the singular value decomposition, the rank, and the singular values."""
    u, s, vh = xp.linalg.svd(a, full_matrices=False)
    if rtol is None:
        rtol = max(a.shape[-2:]) * float(xp.finfo(a.dtype).eps)
    top = xp.max(s, axis=-1, keepdims=True) if s.shape[-1] else s
    kept = s > rtol * top
    scale = xp.where(kept, 1 / xp.where(kept, s, 1.0), 0.0)
    x = xp.matmul(adjoint(xp, vh), xp.astype(as_column(xp, scale), a.dtype) * xp.matmul(adjoint(xp, u), b))
    return x, xp.sum(xp.astype(kept, xp.int64), axis=-1), s


# x = P b with P the pseudo-inverse: dx = P (db - dA x) + P Pᴴ dAᴴ (b - A x) + (1 - P A) dAᴴ Pᴴ x
def _least_squares_vjp(xp: Any, g: Any, a: Any, b: Any, solution: Any, *, rtol: Any, needs: Any) -> tuple[Any, Any]:
    ga = gb = None
    gx, _, g_values = g
    if gx is not None:
        p = xp.linalg.pinv(a, rtol=rtol)
        ph = adjoint(xp, p)
        gb = xp.matmul(ph, gx)
        if needs[0]:
            residual = b - xp.matmul(a, solution)
            ga = (
                xp.matmul(residual, adjoint(xp, xp.matmul(p, gb)))
                + xp.matmul(xp.matmul(ph, solution), adjoint(xp, gx - xp.matmul(adjoint(xp, a), gb)))
                - xp.matmul(gb, adjoint(xp, solution))
            )
            ga = fit(xp, ga, a.shape)
        gb = fit(xp, gb, b.shape) if needs[1] else None
    if g_values is not None and needs[0]:
        of_values = svdvals_gradient(xp, g_values, a)
        ga = of_values if ga is None else ga + of_values
    return ga, gb


def _least_squares_jvp_a(xp: Any, t: Any, a: Any, b: Any, solution: Any, *, rtol: Any) -> tuple[Any, None, Any]:
    p = xp.linalg.pinv(a, rtol=rtol)
    th, ph = adjoint(xp, t), adjoint(xp, p)
    first = xp.matmul(p, xp.matmul(ph, xp.matmul(th, b - xp.matmul(a, solution))))
    last = xp.matmul(th, xp.matmul(ph, solution))
    out = first + last - xp.matmul(p, xp.matmul(a, last)) - xp.matmul(p, xp.matmul(t, solution))
    return out, None, svdvals_tangent(xp, t, a)


least_squares = rule(
    "linalg.least_squares(a, b, /, *, rtol=None)",
    vjp=_least_squares_vjp,
    jvp=(
        _least_squares_jvp_a,
        lambda xp, t, a, *, rtol: (xp.matmul(xp.linalg.pinv(a, rtol=rtol), t), None, None),
    ),
    outputs=("solution", "rank", "singular_values"),
    promote=True,
    default=_least_squares,
    node="LinalgLstsqBackward0",
    batch=forms.matrices,
    doc="The least-squares solution for matrices ``b``, the rank of ``a``, and its singular values; ``lstsq`` is made of it.",
)


def _lstsq(xp: Any, a: Any, b: Any, *, rcond: float | None, rtol: float | None) -> LstsqResult:
    rtol = rcond if rtol is None else rtol
    vector = b.ndim == 1
    if vector:
        b = as_column(xp, b)
    x, rank, values = xp.linalg.least_squares(a, b, rtol=rtol)
    gap = b - xp.matmul(a, x)
    residuals = xp.sum(real(xp, conj(xp, gap) * gap), axis=-2)
    return LstsqResult(
        xp.squeeze(x, axis=-1) if vector else x, residuals[..., 0] if vector else residuals, rank, values
    )


lstsq = composite(
    "linalg.lstsq(a, b, /, rcond=None, *, rtol=None)",
    _lstsq,
    doc="The ``x`` of least norm among those that minimise the norm of ``a x - b``; the squared norms that remain, the rank and the "
    "singular values. The derivative is the one at constant rank. ``rcond`` is the name of ``rtol`` in NumPy and torch.",
)
inverse_ = composite("inverse(x, /)", lambda xp, x: xp.linalg.inv(x))
