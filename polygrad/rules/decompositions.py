"""The matrix decompositions of the standard, and LU.

Singular vectors and eigenvectors are determined up to a factor of modulus 1, so only functions that do not depend on that factor have a
derivative. Where two singular values or eigenvalues coincide, their vectors have no derivative, and infinity or nan comes out, as in torch.
Functions of the values alone have a derivative everywhere.
"""

from __future__ import annotations

from typing import Any

from ..errors import NoDerivativeError
from .declare import composite, rule
from .helpers import adjoint, cast, conj, device_of, is_complex, real
from .linalg import (
    as_column,
    as_row,
    clear_diagonal,
    diagonal_mask,
    embed_diagonal,
    hermitian_part,
    svdvals_gradient,
    svdvals_tangent,
)
from .vmap import forms


def _product(xp: Any, *factors: Any) -> Any:
    out = factors[0]
    for factor in factors[1:]:
        out = xp.matmul(out, factor)
    return out


def _solve_lower(xp: Any, a: Any, b: Any) -> Any:
    """Solve a x = b, where a is lower triangular."""
    return xp.linalg.solve_triangular(a, b, upper=False)


def _divide_by_upper(xp: Any, b: Any, a: Any) -> Any:
    """Solve x a = b, where a is upper triangular."""
    return xp.linalg.solve_triangular(a, b, upper=True, left=False)


def _divide_by_adjoint(xp: Any, b: Any, a: Any) -> Any:
    """Solve x aᴴ = b, where a is upper triangular."""
    return xp.linalg.solve_triangular(adjoint(xp, a), b, upper=False, left=False)


def _solve_adjoint(xp: Any, a: Any, b: Any) -> Any:
    """Solve aᴴ x = b, where a is lower triangular."""
    return xp.linalg.solve_triangular(adjoint(xp, a), b, upper=True)


def _halve_diagonal(xp: Any, x: Any) -> Any:
    """Return ``x`` with half its diagonal."""
    return xp.where(diagonal_mask(xp, x, x.shape[-2], x.shape[-1]), x / 2, x)


# -- Cholesky -----------------------------------------------------------------------------------------------------------
# a = l lᴴ:  dl = l F(l^-1 da l^-H), where F keeps the lower triangle and half the diagonal (Murray, "Differentiation of the Cholesky
# decomposition", 2016). Only the Hermitian part of da counts.
def _cholesky_vjp(xp: Any, g: Any, out: Any, *, upper: bool) -> Any:
    lower = adjoint(xp, out) if upper else out
    g = adjoint(xp, g) if upper else g
    middle = _halve_diagonal(xp, xp.tril(xp.matmul(adjoint(xp, lower), g)))
    right = xp.linalg.solve_triangular(lower, middle, upper=False, left=False)
    return hermitian_part(xp, _solve_adjoint(xp, lower, right))


def _cholesky_jvp(xp: Any, t: Any, out: Any, *, upper: bool) -> Any:
    lower = adjoint(xp, out) if upper else out
    middle = _divide_by_upper(xp, _solve_lower(xp, lower, hermitian_part(xp, t)), adjoint(xp, lower))
    out = xp.matmul(lower, _halve_diagonal(xp, xp.tril(middle)))
    return adjoint(xp, out) if upper else out


cholesky = rule(
    "linalg.cholesky(x, /, *, upper=False)",
    vjp=_cholesky_vjp,
    jvp=_cholesky_jvp,
    node="LinalgCholeskyExBackward0",
    batch=forms.matrix,
)


# -- QR -------------------------------------------------------------------------------------------------------------------
# For a = q r with at least as many rows as columns: c = qᴴ da r^-1 is the sum of an anti-Hermitian matrix and dr r^-1, which is upper
# triangular with a real diagonal: so dr r^-1 = S(c), the upper triangle of c + cᴴ with half the diagonal, and dq = da r^-1 - q S(c). Of a
# wide matrix [a1 a2] = q [r1 r2], q and r1 belong to a1, and r2 = qᴴ a2. (Walter and Lehmann, "Algorithmic differentiation of linear
# algebra functions with application in optimum experimental design", 2010; Roberts and Roberts, "QR and LQ decomposition matrix
# backpropagation algorithms for square, wide, and deep matrices", 2020.)
def _require_reduced(x_shape: Any, mode: str) -> None:
    if mode == "complete" and x_shape[-2] > x_shape[-1]:
        raise NoDerivativeError(
            f"qr: the decomposition of a matrix with more rows than columns, as in the shape {tuple(x_shape)}, has no derivative with "
            f"mode='complete': the further columns of Q are not determined. Use mode='reduced'"
        )


def _qr_vjp(xp: Any, g: Any, x: Any, Q: Any, R: Any, *, x_shape: Any, mode: str) -> Any:
    _require_reduced(x_shape, mode)
    gq, gr = g
    m, n = x_shape[-2:]
    ga2 = None
    gq = xp.zeros_like(Q) if gq is None else gq
    gr = xp.zeros_like(R) if gr is None else gr
    if m < n:
        gr2 = gr[..., :, m:]
        gq = gq + xp.matmul(x[..., :, m:], adjoint(xp, gr2))
        ga2 = xp.matmul(Q, gr2)
        gr, R = gr[..., :, :m], R[..., :, :m]
    c = xp.triu(xp.matmul(gr, adjoint(xp, R)) - xp.matmul(adjoint(xp, Q), gq))
    c = _halve_diagonal(xp, c + adjoint(xp, c))
    ga = _divide_by_adjoint(xp, gq + xp.matmul(Q, c), R)
    return ga if ga2 is None else xp.concat([ga, ga2], axis=-1)


def _qr_jvp(xp: Any, t: Any, x: Any, Q: Any, R: Any, *, x_shape: Any, mode: str) -> Any:
    _require_reduced(x_shape, mode)
    m, n = x_shape[-2:]
    wide = m < n
    t1, r1 = (t[..., :, :m], R[..., :, :m]) if wide else (t, R)
    moved = _divide_by_upper(xp, t1, r1)
    c = xp.matmul(adjoint(xp, Q), moved)
    c = _halve_diagonal(xp, xp.triu(c + adjoint(xp, c)))
    dq, dr = moved - xp.matmul(Q, c), xp.matmul(c, r1)
    if wide:
        dr2 = xp.matmul(adjoint(xp, dq), x[..., :, m:]) + xp.matmul(adjoint(xp, Q), t[..., :, m:])
        dr = xp.concat([dr, dr2], axis=-1)
    return dq, dr


qr = rule(
    "linalg.qr(x, /, *, mode='reduced')",
    vjp=_qr_vjp,
    jvp=_qr_jvp,
    outputs=("Q", "R"),
    node="LinalgQrBackward0",
    batch=forms.matrix,
)


# -- singular values --------------------------------------------------------------------------------------------------------
# a = u s vᴴ, p = uᴴ da v:  ds = Re diag p,  du = u k + (1 - u uᴴ) da v / s  and likewise dv, where off the diagonal
# k_ij = (p_ij s_j + s_i conj(p_ji)) / (s_j² - s_i²). The diagonals of k and of its counterpart for v, i Im p / (2 s) and its negative,
# share the phase evenly. (Wan and Zhang, "Automatic differentiation for complex valued SVD", 2019; as in torch.) The further columns w of a
# full u are determined up to a rotation among themselves. With dw = -u duᴴ w they stay orthogonal to u, and a quantity that no rotation
# changes, such as the projection w wᴴ, has its derivative. (torch takes them for constants.)
def _gaps(xp: Any, s: Any) -> Any:
    """Return the matrix of ``s_j - s_i``, with 1 on the diagonal."""
    gaps = as_row(xp, s) - as_column(xp, s)
    return xp.where(diagonal_mask(xp, s, s.shape[-1], s.shape[-1]), 1.0, gaps)


def _svd_vjp(xp: Any, g: Any, U: Any, S: Any, Vh: Any, *, x_shape: Any, x_dtype: Any) -> Any:
    gu, gs, gvh = g
    m, n = x_shape[-2:]
    k = min(m, n)
    u, vh = (U if U.shape[-1] == k else U[..., :, :k]), (Vh if Vh.shape[-2] == k else Vh[..., :k, :])
    if gu is None and gvh is None:
        return xp.matmul(u * cast(xp, as_row(xp, gs), x_dtype), vh)
    s = cast(xp, S, x_dtype)
    gaps = cast(xp, _gaps(xp, S * S), x_dtype)
    inner = 0.0 if gs is None else embed_diagonal(xp, cast(xp, gs, x_dtype), k, k)
    phase: Any = 0.0
    if gu is not None:
        if U.shape[-1] > k:
            gu = gu[..., :, :k] - xp.matmul(U[..., :, k:], xp.matmul(adjoint(xp, gu[..., :, k:]), u))
        of_u = xp.matmul(adjoint(xp, u), gu)
        inner = inner + clear_diagonal(xp, (of_u - adjoint(xp, of_u)) / gaps) * as_row(xp, s)
        phase = xp.linalg.diagonal(of_u)
    if gvh is not None:
        if Vh.shape[-2] > k:
            gvh = gvh[..., :k, :] - xp.matmul(xp.matmul(vh, adjoint(xp, gvh[..., k:, :])), Vh[..., k:, :])
        of_v = xp.matmul(vh, adjoint(xp, gvh))
        inner = inner + as_column(xp, s) * clear_diagonal(xp, (of_v - adjoint(xp, of_v)) / gaps)
        phase = phase - xp.linalg.diagonal(of_v)
    if is_complex(xp, u):
        inner = inner + embed_diagonal(xp, 1j * cast(xp, xp.imag(phase) / (2 * S), x_dtype), k, k)
    out = _product(xp, u, inner, vh)
    if gu is not None and m > k:
        outside = gu - xp.matmul(u, xp.matmul(adjoint(xp, u), gu))
        out = out + xp.matmul(outside / as_row(xp, s), vh)
    if gvh is not None and n > k:
        outside = gvh - xp.matmul(xp.matmul(gvh, adjoint(xp, vh)), vh)
        out = out + xp.matmul(u, outside / as_column(xp, s))
    return out


def _svd_jvp(xp: Any, t: Any, U: Any, S: Any, Vh: Any, *, x_shape: Any, x_dtype: Any) -> Any:
    m, n = x_shape[-2:]
    k = min(m, n)
    u, vh = (U if U.shape[-1] == k else U[..., :, :k]), (Vh if Vh.shape[-2] == k else Vh[..., :k, :])
    s = cast(xp, S, x_dtype)
    uh, v = adjoint(xp, u), adjoint(xp, vh)
    tv = xp.matmul(t, v)
    p = xp.matmul(uh, tv)
    gaps = cast(xp, _gaps(xp, S * S), x_dtype)
    of_u, of_v = p * as_row(xp, s), as_column(xp, s) * p
    k_u = clear_diagonal(xp, (of_u + adjoint(xp, of_u)) / gaps)
    k_v = clear_diagonal(xp, (of_v + adjoint(xp, of_v)) / gaps)
    along = xp.linalg.diagonal(p)
    if is_complex(xp, u):
        phase = embed_diagonal(xp, 1j * cast(xp, xp.imag(along) / (2 * S), x_dtype), k, k)
        k_u, k_v = k_u + phase, k_v - phase
    du, dvh = xp.matmul(u, k_u), xp.matmul(adjoint(xp, k_v), vh)
    if m > n:
        du = du + (tv - xp.matmul(u, p)) / as_row(xp, s)
    if n > m:
        dvh = dvh + (xp.matmul(uh, t) - xp.matmul(p, vh)) / as_column(xp, s)
    if U.shape[-1] > k:
        du = xp.concat([du, -xp.matmul(u, xp.matmul(adjoint(xp, du), U[..., :, k:]))], axis=-1)
    if Vh.shape[-2] > k:
        dvh = xp.concat([dvh, -xp.matmul(xp.matmul(Vh[..., k:, :], adjoint(xp, dvh)), vh)], axis=-2)
    return du, real(xp, along), dvh


svd = rule(
    "linalg.svd(x, /, *, full_matrices=True)",
    vjp=_svd_vjp,
    jvp=_svd_jvp,
    outputs=("U", "S", "Vh"),
    node="LinalgSvdBackward0",
    batch=forms.matrix,
)
svdvals = rule(
    "linalg.svdvals(x, /)", vjp=svdvals_gradient, jvp=svdvals_tangent, node="LinalgSvdBackward0", batch=forms.matrix
)


# -- eigenvalues of Hermitian matrices ----------------------------------------------------------------------------------------
# a = v l vᴴ, p = vᴴ da v:  dl = diag p,  dv = v k with k_ij = p_ij / (l_j - l_i) off the diagonal and 0 on it. Only the
# Hermitian part of da counts.
def _eigh_vjp(xp: Any, g: Any, eigenvalues: Any, eigenvectors: Any) -> Any:
    gl, gv = g
    v = eigenvectors
    if gv is None:
        return xp.matmul(v * cast(xp, as_row(xp, gl), v.dtype), adjoint(xp, v))
    p = xp.matmul(adjoint(xp, v), gv)
    inner = clear_diagonal(xp, (p - adjoint(xp, p)) / cast(xp, 2 * _gaps(xp, eigenvalues), v.dtype))
    if gl is not None:
        inner = inner + embed_diagonal(xp, cast(xp, gl, v.dtype), v.shape[-1], v.shape[-1])
    return _product(xp, v, inner, adjoint(xp, v))


def _eigh_jvp(xp: Any, t: Any, eigenvalues: Any, eigenvectors: Any) -> Any:
    v = eigenvectors
    p = hermitian_part(xp, _product(xp, adjoint(xp, v), t, v))
    k = clear_diagonal(xp, p / cast(xp, _gaps(xp, eigenvalues), v.dtype))
    return real(xp, xp.linalg.diagonal(p)), xp.matmul(v, k)


def _eigvalsh_vjp(xp: Any, g: Any, x: Any) -> Any:
    _, v = xp.linalg.eigh(x)
    return xp.matmul(v * cast(xp, as_row(xp, g), v.dtype), adjoint(xp, v))


def _eigvalsh_jvp(xp: Any, t: Any, x: Any) -> Any:
    _, v = xp.linalg.eigh(x)
    return xp.sum(real(xp, conj(xp, v) * xp.matmul(hermitian_part(xp, t), v)), axis=-2)


eigh = rule(
    "linalg.eigh(x, /)",
    vjp=_eigh_vjp,
    jvp=_eigh_jvp,
    outputs=("eigenvalues", "eigenvectors"),
    node="LinalgEighBackward0",
    batch=forms.matrix,
)
eigvalsh = rule(
    "linalg.eigvalsh(x, /)", vjp=_eigvalsh_vjp, jvp=_eigvalsh_jvp, node="LinalgEighBackward0", batch=forms.matrix
)


# -- eigenvalues of any matrix --------------------------------------------------------------------------------------------------
# a = v l v^-1 with columns of norm 1, p = v^-1 da v:  dl = diag p,  dv = v k - v Re diag(vᴴ v k) with k_ij = p_ij / (l_j - l_i) off the
# diagonal and 0 on it (Boeddeker et al., "On the computation of complex-valued gradients with application to statistically optimum
# beamforming", 2017; the second term keeps the norm). Values and vectors are complex, whatever the matrix is.
def _eig_vjp(xp: Any, g: Any, eigenvalues: Any, eigenvectors: Any, *, x_dtype: Any) -> Any:
    gl, gv = g
    v = eigenvectors
    n = v.shape[-1]
    vh = adjoint(xp, v)
    inner: Any = 0.0 if gl is None else embed_diagonal(xp, gl, n, n)
    if gv is not None:
        p = xp.matmul(vh, gv)
        along = cast(xp, real(xp, xp.linalg.diagonal(p)), v.dtype)
        p = p - xp.matmul(vh, v * as_row(xp, along))
        inner = inner + clear_diagonal(xp, p / conj(xp, _gaps(xp, eigenvalues)))
    return cast(xp, xp.linalg.solve(vh, xp.matmul(inner, vh)), x_dtype)


def _eig_jvp(xp: Any, t: Any, eigenvalues: Any, eigenvectors: Any) -> Any:
    v = eigenvectors
    p = xp.linalg.solve(v, xp.matmul(cast(xp, t, v.dtype), v))
    moved = xp.matmul(v, clear_diagonal(xp, p / _gaps(xp, eigenvalues)))
    along = cast(xp, xp.sum(real(xp, conj(xp, v) * moved), axis=-2, keepdims=True), v.dtype)
    return xp.linalg.diagonal(p), moved - v * along


def _eigvals_vjp(xp: Any, g: Any, x: Any) -> Any:
    _, v = xp.linalg.eig(x)
    vh = adjoint(xp, v)
    return cast(xp, xp.linalg.solve(vh, as_column(xp, g) * vh), x.dtype)


def _eigvals_jvp(xp: Any, t: Any, x: Any) -> Any:
    _, v = xp.linalg.eig(x)
    return xp.linalg.diagonal(xp.linalg.solve(v, xp.matmul(cast(xp, t, v.dtype), v)))


eig = rule(
    "linalg.eig(x, /)",
    vjp=_eig_vjp,
    jvp=_eig_jvp,
    outputs=("eigenvalues", "eigenvectors"),
    node="LinalgEigBackward0",
    batch=forms.matrix,
)
eigvals = rule(
    "linalg.eigvals(x, /)", vjp=_eigvals_vjp, jvp=_eigvals_jvp, node="LinalgEigBackward0", batch=forms.matrix
)


# -- LU ---------------------------------------------------------------------------------------------------------------------------
def _size(xp: Any, x: Any) -> Any:
    """Return the size by which LAPACK compares complex pivots."""
    return xp.abs(xp.real(x)) + xp.abs(xp.imag(x)) if is_complex(xp, x) else xp.abs(x)


def _eliminate(xp: Any, x: Any, pivot: bool) -> tuple[Any, Any, Any]:
    """Eliminate by columns (Gauss). Return both factors in one matrix, the permutation of the rows, and the row that each step chose."""
    m, n = x.shape[-2:]
    numbers = xp.arange(m, device=device_of(x))
    order = xp.broadcast_to(numbers, x.shape[:-1])
    chosen = []
    columns = xp.arange(n, device=device_of(x))
    for k in range(min(m, n)):
        if pivot:
            candidates = x[..., k:, k]
            best = xp.argmax(_size(xp, candidates), axis=-1, keepdims=True) + k
            chosen.append(best)
            swap = xp.where(numbers == k, best, xp.where(numbers == best, k, numbers))
            x = xp.take_along_axis(x, xp.broadcast_to(as_column(xp, swap), x.shape), axis=-2)
            order = xp.take_along_axis(order, swap, axis=-1)
        else:
            chosen.append(xp.full((*x.shape[:-2], 1), k, dtype=numbers.dtype, device=device_of(x)))
        head = x[..., k : k + 1, k : k + 1]
        below = as_column(xp, numbers) > k
        # The largest pivot can be 0 only if the column is 0 already.
        factor = xp.where(below, x[..., :, k : k + 1] / xp.where(head == 0, 1.0, head), 0.0)
        x = xp.where(below & (columns == k), factor, x - factor * xp.where(columns > k, x[..., k : k + 1, :], 0.0))
    pivots = (
        xp.concat(chosen, axis=-1) if chosen else xp.zeros((*x.shape[:-2], 0), dtype=numbers.dtype, device=device_of(x))
    )
    return x, order, pivots


def _split_factors(xp: Any, factors: Any) -> tuple[Any, Any]:
    """Return the lower factor, with ones on its diagonal, and the upper one."""
    m, n = factors.shape[-2:]
    k = min(m, n)
    lower = xp.where(diagonal_mask(xp, factors, m, k), 1.0, xp.tril(factors[..., :, :k], k=-1))
    return lower, xp.triu(factors[..., :k, :])


def _permutation_matrix(xp: Any, order: Any, dtype: Any) -> Any:
    """Return the matrix P for which ``P^T a`` has the rows of a in that order."""
    numbers = xp.arange(order.shape[-1], device=device_of(order))
    return xp.astype(as_column(xp, numbers) == as_row(xp, order), dtype)


def _lu(xp: Any, x: Any, *, pivot: bool = True) -> tuple[Any, Any, Any]:
    factors, order, _ = _eliminate(xp, x, pivot)
    return _permutation_matrix(xp, order, x.dtype), *_split_factors(xp, factors)


# p^T a = l u. Of the square part, l^-1 (p^T da) u^-1 = l^-1 dl + du u^-1 is a strictly lower plus an upper triangular matrix; further rows
# have l2 = a2 u^-1, further columns u2 = l^-1 a2.
def _factors_vjp(xp: Any, gl: Any, gu: Any, lower: Any, upper: Any) -> Any:
    """Return the cotangent of p^T a."""
    m, n, k = lower.shape[-2], upper.shape[-1], upper.shape[-2]
    l1, u1, gl1, gu1 = lower[..., :k, :], upper[..., :, :k], gl[..., :k, :], gu[..., :, :k]
    rest: Any = None
    if m > k:
        rest = _divide_by_adjoint(xp, gl[..., k:, :], u1)
        gu1 = gu1 - xp.matmul(adjoint(xp, lower[..., k:, :]), rest)
    elif n > k:
        rest = _solve_adjoint(xp, l1, gu[..., :, k:])
        gl1 = gl1 - xp.matmul(rest, adjoint(xp, upper[..., :, k:]))
    inner = xp.tril(xp.matmul(adjoint(xp, l1), gl1), k=-1) + xp.triu(xp.matmul(gu1, adjoint(xp, u1)))
    out = _solve_adjoint(xp, l1, _divide_by_adjoint(xp, inner, u1))
    return out if rest is None else xp.concat([out, rest], axis=-2 if m > k else -1)


def _factors_jvp(xp: Any, t: Any, lower: Any, upper: Any) -> tuple[Any, Any]:
    m, n, k = lower.shape[-2], upper.shape[-1], upper.shape[-2]
    l1, u1 = lower[..., :k, :], upper[..., :, :k]
    inner = _divide_by_upper(xp, _solve_lower(xp, l1, t[..., :k, :k]), u1)
    dl, du = xp.matmul(l1, xp.tril(inner, k=-1)), xp.matmul(xp.triu(inner), u1)
    if m > k:
        rest = _divide_by_upper(xp, t[..., k:, :] - xp.matmul(lower[..., k:, :], du), u1)
        dl = xp.concat([dl, rest], axis=-2)
    elif n > k:
        rest = _solve_lower(xp, l1, t[..., :, k:] - xp.matmul(dl, upper[..., :, k:]))
        du = xp.concat([du, rest], axis=-1)
    return dl, du


def _lu_vjp(xp: Any, g: Any, P: Any, L: Any, U: Any) -> Any:
    gl = xp.zeros_like(L) if g[1] is None else g[1]
    gu = xp.zeros_like(U) if g[2] is None else g[2]
    return xp.matmul(P, _factors_vjp(xp, gl, gu, L, U))


lu = rule(
    "linalg.lu(x, /, *, pivot=True)",
    vjp=_lu_vjp,
    jvp=lambda xp, t, P, L, U: (None, *_factors_jvp(xp, xp.matmul(xp.matrix_transpose(P), t), L, U)),
    outputs=("P", "L", "U"),
    default=_lu,
    node="LinalgLuBackward0",
    batch=forms.matrix,
    doc="``x = P L U`` with a permutation matrix, a lower triangular matrix with ones on its diagonal, and an upper triangular one.",
)


def _lu_factor(xp: Any, x: Any, *, pivot: bool = True) -> tuple[Any, Any]:
    factors, _, pivots = _eliminate(xp, x, pivot)
    return factors, xp.astype(pivots + 1, xp.int32)


def _row_order(xp: Any, pivots: Any, m: int) -> Any:
    """Return the permutation that the exchanges of rows amount to; ``pivots`` counts from 1, as in LAPACK."""
    numbers = xp.arange(m, device=device_of(pivots))
    pivots = xp.astype(pivots, numbers.dtype) - 1
    order = xp.broadcast_to(numbers, (*pivots.shape[:-1], m))
    for k in range(pivots.shape[-1]):
        best = pivots[..., k : k + 1]
        swap = xp.where(numbers == k, best, xp.where(numbers == best, k, numbers))
        order = xp.take_along_axis(order, swap, axis=-1)
    return order


def _lu_factor_vjp(xp: Any, g: Any, LU: Any, pivots: Any) -> Any:
    p = _permutation_matrix(xp, _row_order(xp, pivots, LU.shape[-2]), LU.dtype)
    k = min(LU.shape[-2:])
    gl, gu = xp.tril(g[0][..., :, :k], k=-1), xp.triu(g[0][..., :k, :])
    return xp.matmul(p, _factors_vjp(xp, gl, gu, *_split_factors(xp, LU)))


def _lu_factor_jvp(xp: Any, t: Any, LU: Any, pivots: Any) -> tuple[Any, None]:
    p = _permutation_matrix(xp, _row_order(xp, pivots, LU.shape[-2]), LU.dtype)
    dl, du = _factors_jvp(xp, xp.matmul(xp.matrix_transpose(p), t), *_split_factors(xp, LU))
    m, n = LU.shape[-2:]
    if m > n:
        du = xp.concat([du, xp.zeros_like(dl[..., n:, :])], axis=-2)
    elif n > m:
        dl = xp.concat([dl, xp.zeros_like(du[..., :, m:])], axis=-1)
    return dl + du, None


lu_factor = rule(
    "linalg.lu_factor(x, /, *, pivot=True)",
    vjp=_lu_factor_vjp,
    jvp=_lu_factor_jvp,
    outputs=("LU", "pivots"),
    default=_lu_factor,
    node="LinalgLuFactorExBackward0",
    batch=forms.matrix,
    doc="Both factors of ``x = P L U`` in one matrix, and the exchanges of rows, counted from 1; ``lu_solve`` takes them.",
)


def _lu_solve(xp: Any, LU: Any, pivots: Any, b: Any, *, left: bool, adjoint: bool) -> Any:
    if not left:  # x a = b is aᴴ xᴴ = bᴴ
        return _dagger(xp, _lu_solve(xp, LU, pivots, _dagger(xp, b), left=True, adjoint=not adjoint))
    p = _permutation_matrix(xp, _row_order(xp, pivots, LU.shape[-2]), LU.dtype)
    if not adjoint:
        y = xp.linalg.solve_triangular(LU, xp.matmul(xp.matrix_transpose(p), b), upper=False, unitriangular=True)
        return xp.linalg.solve_triangular(LU, y, upper=True)
    y = xp.linalg.solve_triangular(_dagger(xp, LU), b, upper=False)
    return xp.matmul(p, xp.linalg.solve_triangular(_dagger(xp, LU), y, upper=True, unitriangular=True))


_dagger = adjoint

lu_solve = composite(
    "linalg.lu_solve(LU, pivots, b, /, *, left=True, adjoint=False)",
    _lu_solve,
    doc="The solution of ``a x = b`` from the result of ``lu_factor(a)``, or of ``x a = b``, or with the adjoint of ``a``.",
)
