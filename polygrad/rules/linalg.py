"""The linear algebra of the standard and of torch, but for the decompositions: products, determinants, inverses, solutions, norms.

The formulas with an inverse are those of Giles, "Collected matrix derivative results for forward and reverse mode algorithmic
differentiation" (2008), with the conjugates of complex matrices. Every function takes stacks of matrices.
"""

from __future__ import annotations

from collections import namedtuple
from math import inf, prod
from typing import Any

from ..errors import ArgumentError, ShapeError, describe
from .declare import bilinear, cast, composite, constant, fit, linear, rule
from .reductions import spread


# -- helpers --------------------------------------------------------------------------------------------------------
def is_complex(xp: Any, x: Any) -> bool:
    return x.dtype in xp._backend.complex


def conj(xp: Any, x: Any) -> Any:
    return xp.conj(x) if x.dtype in xp._backend.complex else x


def adjoint(xp: Any, x: Any) -> Any:
    """The conjugate transposed matrix; a view where the array is real."""
    return xp.matrix_transpose(conj(xp, x))


def real(xp: Any, x: Any) -> Any:
    return xp.real(x) if x.dtype in xp._backend.complex else x


def column(xp: Any, x: Any) -> Any:
    return xp.expand_dims(x, axis=-1)


def row(xp: Any, x: Any) -> Any:
    return xp.expand_dims(x, axis=-2)


def scalar(xp: Any, x: Any) -> Any:
    """A number for each matrix, ready to meet the matrices."""
    return xp.expand_dims(xp.expand_dims(x, axis=-1), axis=-1)


def hermitian(xp: Any, x: Any) -> Any:
    """The Hermitian part."""
    return (x + adjoint(xp, x)) / 2


def identity(xp: Any, x: Any, n: int | None = None) -> Any:
    """The identity matrix, of the dtype and device of ``x`` and its number of columns or ``n``."""
    return xp.eye(x.shape[-1] if n is None else n, dtype=x.dtype, device=x.device)


def diagonal_mask(xp: Any, x: Any, rows: int, columns: int, offset: int = 0) -> Any:
    return xp.eye(rows, columns, k=offset, dtype=xp.bool, device=x.device)


def embed(xp: Any, d: Any, rows: int, columns: int, offset: int = 0) -> Any:
    """The matrices of that shape with ``d`` on the diagonal and zeros elsewhere."""
    # Above the main diagonal the numbers go by row, below it by column; the lines that the diagonal does not reach are filled up.
    by_row = offset >= 0
    missing = (rows if by_row else columns) - d.shape[-1]
    if missing > 0:
        d = xp.concat([d, xp.zeros((*d.shape[:-1], missing), dtype=d.dtype, device=d.device)], axis=-1)
    return xp.where(diagonal_mask(xp, d, rows, columns, offset), column(xp, d) if by_row else row(xp, d), 0.0)


def hollow(xp: Any, x: Any) -> Any:
    """``x`` with zeros on its main diagonal, whatever stood there."""
    return xp.where(diagonal_mask(xp, x, x.shape[-2], x.shape[-1]), 0.0, x)


def real_inner(xp: Any, a: Any, b: Any, axis: Any, keepdims: bool) -> Any:
    """The real inner product along axes."""
    return xp.sum(real(xp, conj(xp, a) * b), axis=axis, keepdims=keepdims)


# -- the products of the main namespace -------------------------------------------------------------------------------
matmul = composite("linalg.matmul(x1, x2, /)", lambda xp, x1, x2: xp.matmul(x1, x2))
matrix_transpose = composite("linalg.matrix_transpose(x, /)", lambda xp, x: xp.matrix_transpose(x))
tensordot = composite(
    "linalg.tensordot(x1, x2, /, *, axes=2)", lambda xp, x1, x2, *, axes: xp.tensordot(x1, x2, axes=axes)
)
vecdot = composite("linalg.vecdot(x1, x2, /, *, axis=-1)", lambda xp, x1, x2, *, axis: xp.vecdot(x1, x2, axis=axis))

outer = bilinear(
    "linalg.outer(x1, x2, /)",
    transpose=(lambda xp, g, x2: xp.matmul(g, conj(xp, x2)), lambda xp, g, x1: xp.matmul(conj(xp, x1), g)),
    promote=True,
    node="MulBackward0",
)


def _cross(xp: Any, x1: Any, x2: Any, *, axis: int = -1) -> Any:
    if axis < 0:
        axis += max(x1.ndim, x2.ndim)
    x1, x2 = xp.broadcast_arrays(x1, x2)
    if x1.shape[axis] != 3:
        raise ShapeError(f"cross: the vectors need 3 components along axis {axis}, got {describe(x1)}")
    a, b = ([xp.take(x, xp.asarray([i], device=x.device), axis=axis) for i in range(3)] for x in (x1, x2))
    parts = [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
    return xp.concat(parts, axis=axis)


def _crossed(xp: Any, x1: Any, x2: Any, shape: Any, axis: int) -> Any:
    """The product of two arrays, spread over the shape of the cotangent, since some libraries broadcast no axis here."""
    x1, x2 = (x if tuple(x.shape) == tuple(shape) else xp.broadcast_to(x, shape) for x in (x1, x2))
    return xp.linalg.cross(x1, x2, axis=axis)


# <g, a × b> = <b × g, a> = <g × a, b>
cross = bilinear(
    "linalg.cross(x1, x2, /, *, axis=-1)",
    transpose=(
        lambda xp, g, x2, *, x1_shape, axis: fit(xp, _crossed(xp, conj(xp, x2), g, g.shape, axis), x1_shape),
        lambda xp, g, x1, *, x2_shape, axis: fit(xp, _crossed(xp, g, conj(xp, x1), g.shape, axis), x2_shape),
    ),
    promote=True,
    default=_cross,
    node="LinalgCrossBackward0",
)


def _chain(sizes: list[int]) -> dict[tuple[int, int], int]:
    """Where to split each run of factors so that the products cost least (Cormen et al., "Introduction to Algorithms", section 15.2)."""
    n = len(sizes) - 1
    cost = {(i, i): 0 for i in range(n)}
    split = {}
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            cost[i, j], split[i, j] = min(
                (cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k) for k in range(i, j)
            )
    return split


def _multi_dot(xp: Any, arrays: Any) -> Any:
    if len(arrays) < 2:
        raise ArgumentError(f"multi_dot: expected at least 2 arrays, got {len(arrays)}")
    first, last = arrays[0].ndim == 1, arrays[-1].ndim == 1
    factors = [
        row(xp, arrays[0]) if first else arrays[0],
        *arrays[1:-1],
        column(xp, arrays[-1]) if last else arrays[-1],
    ]
    for array, factor in zip(arrays, factors, strict=True):
        if factor.ndim != 2:
            raise ShapeError(f"multi_dot: expected matrices, and vectors only at the ends; got {describe(array)}")
    split = _chain([factors[0].shape[0], *[factor.shape[1] for factor in factors]])

    def product(i: int, j: int) -> Any:
        return factors[i] if i == j else xp.matmul(product(i, split[i, j]), product(split[i, j] + 1, j))

    out = product(0, len(factors) - 1)
    kept = tuple([n for n, gone in zip(out.shape, (first, last), strict=True) if not gone])
    return xp.reshape(out, kept)


multi_dot = composite("linalg.multi_dot(arrays, /)", _multi_dot)
"""The product of two or more matrices, in the order of least work; the first and the last may be vectors."""

# -- diagonals --------------------------------------------------------------------------------------------------------
diagonal = linear(
    "linalg.diagonal(x, /, *, offset=0)",
    transpose=lambda xp, g, *, x_shape, offset: embed(xp, g, x_shape[-2], x_shape[-1], offset),
    view=True,
)
trace = linear(
    "linalg.trace(x, /, *, offset=0, dtype=None)",
    transpose=lambda xp, g, *, x_shape, x_dtype, offset: xp.where(
        diagonal_mask(xp, g, x_shape[-2], x_shape[-1], offset), scalar(xp, cast(xp, g, x_dtype)), 0.0
    ),
)


# -- determinants -------------------------------------------------------------------------------------------------------
# The derivative of the determinant is the matrix of cofactors, det(x) x^-T where there is an inverse. An operation of its own gives the
# cofactors without dividing by the determinant, so singular matrices are no special case, neither in first nor in second order.
def _nudged(xp: Any, x: Any, singular: Any) -> Any:
    """``x``, and where it is singular a matrix within rounding of it that is not."""
    n = x.shape[-1]
    size = xp.max(xp.abs(x), axis=(-2, -1), keepdims=True)
    step = xp.where(size > 0, size, 1.0) * (8 * n * float(xp.finfo(x.dtype).eps))
    places = xp.reshape(xp.astype(xp.arange(n * n, device=x.device), step.dtype), (n, n))
    generic = xp.cos(places * places + places)  # no structure that the matrix could share
    return x + xp.where(scalar(xp, singular), xp.astype(step * generic, x.dtype), 0.0)


def _cofactors(xp: Any, x: Any) -> Any:
    if x.shape[-1] == 0:
        return x
    x = _nudged(xp, x, xp.linalg.det(x) == 0)
    return scalar(xp, xp.linalg.det(x)) * xp.matrix_transpose(xp.linalg.inv(x))


def _without_two(xp: Any, s: Any) -> Any:
    """The products of all ``s`` but two, without dividing; zeros on the diagonal. The work and the memory are those of a matrix."""
    n = s.shape[-1]
    before = xp.cumulative_prod(s[..., :-1], axis=-1, include_initial=True)
    after = xp.flip(xp.cumulative_prod(xp.flip(s[..., 1:], axis=-1), axis=-1, include_initial=True), axis=-1)
    numbers = xp.arange(n, device=s.device)
    later = row(xp, numbers) > column(xp, numbers)
    between = xp.cumulative_prod(xp.where(later, row(xp, s), 1.0)[..., :-1], axis=-1, include_initial=True)
    upper = xp.where(later, column(xp, before) * between * row(xp, after), 0.0)
    return upper + xp.matrix_transpose(upper)


def _cofactors_derivative(xp: Any, x: Any, t: Any) -> Any:
    """The derivative of the cofactors in the direction ``t``: the second derivative of the determinant, so its own transpose."""
    n = x.shape[-1]
    if n == 0:
        return t
    determinant = xp.linalg.det(x)
    singular = scalar(xp, determinant == 0)
    p = xp.linalg.inv(xp.where(singular, identity(xp, x), x))
    pt, tt = xp.matrix_transpose(p), xp.matrix_transpose(t)
    regular = scalar(xp, determinant) * (
        scalar(xp, xp.sum(pt * t, axis=(-2, -1))) * pt - xp.matmul(xp.matmul(pt, tt), pt)
    )
    # Between the singular vectors the matrix is diagonal, and its minors are products of singular values. The matrices that are not
    # singular give way here to one with distinct singular values, which can be differentiated further.
    distinct = embed(xp, xp.astype(xp.arange(1, n + 1, device=x.device), x.dtype), n, n)
    u, s, vh = xp.linalg.svd(xp.where(singular, x, distinct), full_matrices=False)
    s = xp.astype(s, x.dtype)
    phase = scalar(xp, xp.linalg.det(u) * xp.linalg.det(vh))
    e = xp.matmul(xp.matmul(adjoint(xp, u), t), adjoint(xp, vh))
    minors = _without_two(xp, s)
    on = xp.squeeze(xp.matmul(minors, column(xp, xp.linalg.diagonal(e))), axis=-1)
    inner = embed(xp, on, n, n) - minors * xp.matrix_transpose(e)
    return xp.where(singular, phase * xp.matmul(xp.matmul(conj(xp, u), inner), conj(xp, vh)), regular)


cofactors = rule(
    "linalg.cofactors(x, /)",
    vjp=lambda xp, g, x: conj(xp, _cofactors_derivative(xp, x, conj(xp, g))),
    jvp=lambda xp, t, x: _cofactors_derivative(xp, x, t),
    default=_cofactors,
    doc="The matrix of cofactors: the transposed adjugate, and the derivative of the determinant; of singular matrices too.",
)
det = rule(
    "linalg.det(x, /)",
    vjp=lambda xp, g, x: scalar(xp, g) * conj(xp, xp.linalg.cofactors(x)),
    jvp=lambda xp, t, x: xp.sum(xp.linalg.cofactors(x) * t, axis=(-2, -1)),
    node="LinalgDetBackward0",
)


def _logarithmic(xp: Any, x: Any, sign: Any) -> Any:
    """The inverse; where there is none, infinity times the sign of the cofactors."""
    singular = sign == 0
    if x.shape[-1] == 0:
        return x
    return xp.linalg.inv(_nudged(xp, x, singular)) * xp.where(
        scalar(xp, singular), xp.asarray(inf, dtype=real(xp, x).dtype), 1.0
    )


# With q = tr(x^-1 dx): d(logabsdet) = Re q and d(sign) = i Im(q) sign.
def _slogdet_vjp(xp: Any, g: Any, x: Any, sign: Any) -> Any:
    g_sign, g_log = g
    inverse = adjoint(xp, _logarithmic(xp, x, sign))
    if not is_complex(xp, x):
        return scalar(xp, xp.zeros_like(sign) if g_log is None else g_log) * inverse
    weight = xp.zeros_like(sign) if g_log is None else xp.astype(g_log, sign.dtype)
    if g_sign is not None:
        weight = weight + 1j * xp.astype(xp.imag(g_sign * xp.conj(sign)), sign.dtype)
    return scalar(xp, weight) * inverse


def _slogdet_jvp(xp: Any, t: Any, x: Any, sign: Any) -> Any:
    q = xp.sum(xp.matrix_transpose(_logarithmic(xp, x, sign)) * t, axis=(-2, -1))
    if not is_complex(xp, x):
        return None, q
    return 1j * xp.astype(xp.imag(q), sign.dtype) * sign, xp.real(q)


slogdet = rule(
    "linalg.slogdet(x, /)",
    vjp=_slogdet_vjp,
    jvp=_slogdet_jvp,
    outputs=("sign", "logabsdet"),
    node="LinalgSlogdetBackward0",
)


def _logdet(xp: Any, x: Any) -> Any:
    sign, logabsdet = xp.linalg.slogdet(x)
    if is_complex(xp, x):
        return xp.log(sign) + logabsdet
    return xp.where(sign == -1, xp.asarray(float("nan"), dtype=x.dtype, device=x.device), logabsdet)


logdet = composite("linalg.logdet(x, /)", _logdet)
"""The logarithm of the determinant: -inf of a singular matrix, nan where a real determinant is negative."""


# -- inverses and solutions -----------------------------------------------------------------------------------------------
inv = rule(
    "linalg.inv(x, /)",
    vjp=lambda xp, g, out: -xp.matmul(xp.matmul(adjoint(xp, out), g), adjoint(xp, out)),
    jvp=lambda xp, t, out: -xp.matmul(xp.matmul(out, t), out),
    node="LinalgInvExBackward0",
)


def _solution(xp: Any, a: Any, b: Any, vector: bool) -> Any:
    return xp.squeeze(xp.linalg.solve(a, column(xp, b)), axis=-1) if vector else xp.linalg.solve(a, b)


def _solve_first(xp: Any, g: Any, x1: Any, out: Any, *, x1_shape: Any, x2_ndim: int) -> Any:
    vector = x2_ndim == 1
    b = _solution(xp, adjoint(xp, x1), g, vector)
    b, out = (column(xp, b), column(xp, out)) if vector else (b, out)
    return fit(xp, -xp.matmul(b, adjoint(xp, out)), x1_shape)


def _solve_first_jvp(xp: Any, t: Any, x1: Any, out: Any, *, x2_ndim: int) -> Any:
    vector = x2_ndim == 1
    moved = xp.matmul(t, column(xp, out) if vector else out)
    out = -xp.linalg.solve(x1, moved)
    return xp.squeeze(out, axis=-1) if vector else out


solve = rule(
    "linalg.solve(x1, x2, /)",
    vjp=(
        _solve_first,
        lambda xp, g, x1, *, x2_shape: fit(xp, _solution(xp, adjoint(xp, x1), g, len(x2_shape) == 1), x2_shape),
    ),
    jvp=(_solve_first_jvp, lambda xp, t, x1: xp.linalg.solve(x1, t)),
    promote=True,
    node="LinalgSolveExBackward0",
)


def triangle(xp: Any, x: Any, upper: bool, strictly: bool = False) -> Any:
    return xp.triu(x, k=int(strictly)) if upper else xp.tril(x, k=-int(strictly))


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
)
"""The solution of ``a x = b``, or with ``left=False`` of ``x a = b``; only one triangle of ``a`` is looked at."""


def _cholesky_solve(xp: Any, b: Any, factor: Any, *, upper: bool) -> Any:
    lower = adjoint(xp, factor) if upper else factor
    return xp.linalg.solve_triangular(adjoint(xp, lower), xp.linalg.solve_triangular(lower, b, upper=False), upper=True)


cholesky_solve = composite("linalg.cholesky_solve(b, factor, /, *, upper=False)", _cholesky_solve)
"""The solution of ``a x = b`` from the Cholesky factor of a."""
cholesky_inverse = composite(
    "linalg.cholesky_inverse(factor, /, *, upper=False)",
    lambda xp, factor, *, upper: _cholesky_solve(
        xp, xp.broadcast_to(identity(xp, factor), factor.shape), factor, upper=upper
    ),
)
"""The inverse of the matrix with that Cholesky factor."""


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


pinv = rule("linalg.pinv(x, /, *, rtol=None)", vjp=_pinv_vjp, jvp=_pinv_jvp, node="LinalgPinvBackward0")

LstsqResult = namedtuple("LstsqResult", ["solution", "residuals", "rank", "singular_values"])


def _least_squares(xp: Any, a: Any, b: Any, *, rtol: float | None = None) -> tuple[Any, Any, Any]:
    """The solution of least norm, by the singular value decomposition; the rank; the singular values."""
    u, s, vh = xp.linalg.svd(a, full_matrices=False)
    if rtol is None:
        rtol = max(a.shape[-2:]) * float(xp.finfo(a.dtype).eps)
    top = xp.max(s, axis=-1, keepdims=True) if s.shape[-1] else s
    kept = s > rtol * top
    scale = xp.where(kept, 1 / xp.where(kept, s, 1.0), 0.0)
    x = xp.matmul(adjoint(xp, vh), xp.astype(column(xp, scale), a.dtype) * xp.matmul(adjoint(xp, u), b))
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
)
"""What ``lstsq`` is made of: the solution for matrices b, the rank, and the singular values."""


def _lstsq(xp: Any, a: Any, b: Any, *, rtol: float | None) -> LstsqResult:
    vector = b.ndim == 1
    if vector:
        b = column(xp, b)
    x, rank, values = xp.linalg.least_squares(a, b, rtol=rtol)
    gap = b - xp.matmul(a, x)
    residuals = xp.sum(real(xp, conj(xp, gap) * gap), axis=-2)
    return LstsqResult(
        xp.squeeze(x, axis=-1) if vector else x, residuals[..., 0] if vector else residuals, rank, values
    )


lstsq = composite("linalg.lstsq(a, b, /, *, rtol=None)", _lstsq)
"""The x of least norm among those that minimise the norm of ``a x - b``; the squared norms that remain, the rank and the singular
values. The derivative is that at constant rank."""


def svdvals_gradient(xp: Any, g: Any, x: Any) -> Any:
    u, _, vh = xp.linalg.svd(x, full_matrices=False)
    return xp.matmul(u * xp.astype(row(xp, g), x.dtype), vh)


def svdvals_tangent(xp: Any, t: Any, x: Any) -> Any:
    u, _, vh = xp.linalg.svd(x, full_matrices=False)
    return xp.sum(real(xp, conj(xp, u) * xp.matmul(t, adjoint(xp, vh))), axis=-2)


# -- powers and the exponential -------------------------------------------------------------------------------------------
# For an analytic f, f of the block matrix [[a, t], [0, a]] has f(a) on its diagonal and the derivative in the direction t in its corner
# (Mathias, "A chain rule for matrix functions and applications", 1996). The transpose is the same with aᴴ in place of a.
def _block(xp: Any, a: Any, t: Any) -> Any:
    return xp.concat([xp.concat([a, t], axis=-1), xp.concat([xp.zeros_like(a), a], axis=-1)], axis=-2)


def _corner(x: Any) -> Any:
    n = x.shape[-1] // 2
    return x[..., :n, n:]


def _power_derivative(xp: Any, t: Any, x: Any, n: int) -> Any:
    if n == 0:
        return xp.zeros_like(t)
    if n == 1:
        return t
    if n == 2:
        return xp.matmul(t, x) + xp.matmul(x, t)
    return _corner(xp.linalg.matrix_power(_block(xp, x, t), n))


def _power_name(payloads: Any, params: Any) -> str:
    return {1: "CloneBackward0", -1: "LinalgInvExBackward0"}.get(
        params["n"], "MmBackward0" if payloads[0].ndim == 2 else "BmmBackward0"
    )


matrix_power = rule(
    "linalg.matrix_power(x, n, /)",
    arrays=("x",),
    vjp=lambda xp, g, x, *, n: _power_derivative(xp, g, adjoint(xp, x), n),
    jvp=lambda xp, t, x, *, n: _power_derivative(xp, t, x, n),
    node=_power_name,
)

PADE13 = (
    64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0, 129060195264000.0, 10559470521600.0,
    670442572800.0, 33522128640.0, 1323241920.0, 40840800.0, 960960.0, 16380.0, 182.0, 1.0,
)  # fmt: skip
THETA13 = 5.371920351148152
"""Up to this 1-norm the approximant is exact to double precision."""
MOST_SQUARINGS = 16


def _matrix_exp(xp: Any, x: Any) -> Any:
    """Scaling and squaring with the Padé approximant of degree 13 (Higham, "The scaling and squaring method for the matrix exponential
    revisited", 2005)."""
    if 0 in x.shape:
        return x
    norm = xp.max(xp.sum(xp.abs(x), axis=-2, keepdims=True), axis=-1, keepdims=True)
    halvings = xp.ceil(xp.log2(xp.clip(norm / THETA13, 1.0, 2.0**1000)))
    halvings = xp.where(xp.isfinite(norm), halvings, 0.0)
    try:
        times = int(xp.max(halvings))
    except TypeError:  # while a compiler looks on, there are no values yet
        times = MOST_SQUARINGS
    b = PADE13
    a = x / xp.astype(xp.pow(xp.full_like(halvings, 2.0), halvings), x.dtype)
    one = identity(xp, x)
    a2 = xp.matmul(a, a)
    a4 = xp.matmul(a2, a2)
    a6 = xp.matmul(a4, a2)
    high = xp.matmul(a6, b[13] * a6 + b[11] * a4 + b[9] * a2)
    odd = xp.matmul(a, high + b[7] * a6 + b[5] * a4 + b[3] * a2 + b[1] * one)
    even = xp.matmul(a6, b[12] * a6 + b[10] * a4 + b[8] * a2) + b[6] * a6 + b[4] * a4 + b[2] * a2 + b[0] * one
    r = xp.linalg.solve(even - odd, even + odd)
    for k in range(times):
        r = xp.where(halvings > k, xp.matmul(r, r), r)
    return r


matrix_exp = rule(
    "linalg.matrix_exp(x, /)",
    vjp=lambda xp, g, x: _corner(xp.linalg.matrix_exp(_block(xp, adjoint(xp, x), g))),
    jvp=lambda xp, t, x: _corner(xp.linalg.matrix_exp(_block(xp, x, t))),
    default=_matrix_exp,
    node="LinalgMatrixExpBackward0",
)


# -- norms ----------------------------------------------------------------------------------------------------------------
# A norm is real, so its derivative is one array d of the shape of x: the cotangent of x is g d, and the tangent Re <d, dx>.
def _share(xp: Any, mask: Any, axis: Any) -> Any:
    """1 over the number of elements that reach an extreme, at those elements."""
    count = xp.sum(mask, axis=axis, keepdims=True)
    return mask / xp.where(count == 0, 1.0, count)


def _ratio(xp: Any, x: Any, norm: Any) -> Any:
    """``x / norm``, and 0 where the norm is 0."""
    zero = norm == 0
    return xp.where(zero, 0.0, x / cast(xp, xp.where(zero, 1.0, norm), x.dtype))


def _vector_direction(xp: Any, x: Any, out: Any, axis: Any, keepdims: bool, ord: float) -> Any:
    if ord == 0:
        return xp.zeros_like(x)
    if ord == 1:
        return xp.sign(x)
    norm = spread(xp, out, x.shape, axis, keepdims)
    if ord == 2:
        return _ratio(xp, x, norm)
    size = xp.abs(x)
    if ord in (inf, -inf):
        reached = (size == norm) | (xp.isnan(size) & xp.isnan(norm))
        return xp.sign(x) * cast(xp, _share(xp, xp.astype(reached, size.dtype), axis), x.dtype)
    ratio = _ratio(xp, size, norm)
    if ord > 2:
        return _ratio(xp, x, norm) * cast(xp, ratio ** (ord - 2), x.dtype)
    # The power of 0 would be infinite below 1, and have an infinite derivative below 2.
    zero = ratio == 0
    return xp.sign(x) * cast(xp, xp.where(zero, 0.0, xp.where(zero, 1.0, ratio) ** (ord - 1)), x.dtype)


vector_norm = rule(
    "linalg.vector_norm(x, /, *, axis=None, keepdims=False, ord=2)",
    vjp=lambda xp, g, x, out, *, axis, keepdims, ord: (
        spread(xp, cast(xp, g, x.dtype), x.shape, axis, keepdims) * _vector_direction(xp, x, out, axis, keepdims, ord)
    ),
    jvp=lambda xp, t, x, out, *, axis, keepdims, ord: real_inner(
        xp, _vector_direction(xp, x, out, axis, keepdims, ord), t, axis, keepdims
    ),
    node="LinalgVectorNormBackward0",
)


def _matrix_direction(xp: Any, x: Any, out: Any, keepdims: bool, ord: Any) -> Any:
    if ord == "fro" or ord is None:
        return _ratio(xp, x, out if keepdims else scalar(xp, out))
    if ord in ("nuc", 2, -2):
        u, s, vh = xp.linalg.svd(x, full_matrices=False)
        if ord != "nuc":
            top = (xp.max if ord == 2 else xp.min)(s, axis=-1, keepdims=True)
            u = u * cast(xp, row(xp, _share(xp, xp.astype(s == top, s.dtype), -1)), x.dtype)
        return xp.matmul(u, vh)
    down = -1 if ord in (inf, -inf) else -2
    sums = xp.sum(xp.abs(x), axis=down, keepdims=True)
    top = (xp.max if ord > 0 else xp.min)(sums, axis=-3 - down, keepdims=True)
    return xp.sign(x) * cast(xp, _share(xp, xp.astype(sums == top, sums.dtype), -3 - down), x.dtype)


def _matrix_norm_name(payloads: Any, params: Any) -> str:
    ord = params["ord"]
    if ord in ("fro", None):
        return "LinalgVectorNormBackward0"
    return "SumBackward1" if ord == "nuc" else "AmaxBackward0" if ord > 0 else "AminBackward0"


matrix_norm = rule(
    "linalg.matrix_norm(x, /, *, keepdims=False, ord='fro')",
    vjp=lambda xp, g, x, out, *, keepdims, ord: (
        cast(xp, g if keepdims else scalar(xp, g), x.dtype) * _matrix_direction(xp, x, out, keepdims, ord)
    ),
    jvp=lambda xp, t, x, out, *, keepdims, ord: real_inner(
        xp, _matrix_direction(xp, x, out, keepdims, ord), t, (-2, -1), keepdims
    ),
    node=_matrix_norm_name,
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


norm = composite("linalg.norm(x, /, ord=None, axis=None, keepdims=False)", _norm, arrays=("x",))
"""A norm of vectors or matrices, as ``vector_norm`` and ``matrix_norm``: without ``ord`` that of all elements as one vector."""


def _cond(xp: Any, x: Any, *, p: Any) -> Any:
    if p in (None, 2, -2):
        values = xp.linalg.svdvals(x)
        return values[..., -1] / values[..., 0] if p == -2 else values[..., 0] / values[..., -1]
    return xp.linalg.matrix_norm(x, ord=p) * xp.linalg.matrix_norm(xp.linalg.inv(x), ord=p)


cond = composite("linalg.cond(x, /, p=None)", _cond, arrays=("x",))
matrix_rank = constant("linalg.matrix_rank(x, /, *, rtol=None)")

# -- torch's names at the top ---------------------------------------------------------------------------------------------
outer_ = composite("outer(x1, x2, /)", lambda xp, x1, x2: xp.linalg.outer(x1, x2))
trace_ = composite(
    "trace(x, /, *, offset=0, dtype=None)",
    lambda xp, x, *, offset, dtype: xp.linalg.trace(x, offset=offset, dtype=dtype),
)
det_ = composite("det(x, /)", lambda xp, x: xp.linalg.det(x))
logdet_ = composite("logdet(x, /)", _logdet)
inverse_ = composite("inverse(x, /)", lambda xp, x: xp.linalg.inv(x))
norm_ = composite("norm(x, /, ord=None, axis=None, keepdims=False)", _norm, arrays=("x",))
