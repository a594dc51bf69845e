"""Linear algebra: products, diagonals, determinants, powers; ``solutions``, ``norms`` and ``decompositions`` have the rest.

The formulas with an inverse are those of Giles, "Collected matrix derivative results for forward and reverse mode algorithmic
differentiation" (2008), with the conjugates of complex matrices. Every function takes stacks of matrices.
"""

from __future__ import annotations

from math import inf
from typing import Any

from ..errors import ArgumentError, ShapeError, describe
from .declare import bilinear, composite, linear, rule
from .helpers import adjoint, broadcast_shapes, cast, conj, device_of, fit, is_complex, real
from .vmap import forms
from .vmap.alignment import Run, align, example_ndim

# -- helpers --------------------------------------------------------------------------------------------------------


def as_column(xp: Any, x: Any) -> Any:
    """Append an axis of length 1."""
    return xp.expand_dims(x, axis=-1)


def as_row(xp: Any, x: Any) -> Any:
    """Insert an axis of length 1 before the last."""
    return xp.expand_dims(x, axis=-2)


def as_scalar(xp: Any, x: Any) -> Any:
    """Append two axes of length 1, so that the number of each matrix broadcasts with the matrices."""
    return xp.expand_dims(xp.expand_dims(x, axis=-1), axis=-1)


def hermitian_part(xp: Any, x: Any) -> Any:
    """Return the Hermitian part."""
    return (x + adjoint(xp, x)) / 2


def identity(xp: Any, x: Any, n: int | None = None) -> Any:
    """Return the identity matrix, of the dtype and device of ``x`` and with its number of columns, or ``n``."""
    return xp.eye(x.shape[-1] if n is None else n, dtype=x.dtype, device=device_of(x))


def diagonal_mask(xp: Any, x: Any, rows: int, columns: int, offset: int = 0) -> Any:
    """Return the mask of the diagonal of a matrix of that shape. Not every library has a right eye() off the main diagonal."""
    first, second = xp.arange(rows, device=device_of(x)), xp.arange(columns, device=device_of(x))
    return as_column(xp, first + offset) == second


def embed_diagonal(xp: Any, d: Any, rows: int, columns: int, offset: int = 0) -> Any:
    """Return the matrices of that shape with ``d`` on the diagonal and zeros elsewhere."""
    # Above the main diagonal the numbers go by row, below it by column. The lines that the diagonal does not reach are padded.
    by_row = offset >= 0
    missing = (rows if by_row else columns) - d.shape[-1]
    if missing > 0:
        d = xp.concat([d, xp.zeros((*d.shape[:-1], missing), dtype=d.dtype, device=device_of(d))], axis=-1)
    return xp.where(diagonal_mask(xp, d, rows, columns, offset), as_column(xp, d) if by_row else as_row(xp, d), 0.0)


def clear_diagonal(xp: Any, x: Any) -> Any:
    """Return ``x`` with zeros on its main diagonal, whatever stood there."""
    return xp.where(diagonal_mask(xp, x, x.shape[-2], x.shape[-1]), 0.0, x)


def svdvals_gradient(xp: Any, g: Any, x: Any) -> Any:
    """Return the cotangent of the matrices, from that of their singular values."""
    u, _, vh = xp.linalg.svd(x, full_matrices=False)
    return xp.matmul(u * xp.astype(as_row(xp, g), x.dtype), vh)


def svdvals_tangent(xp: Any, t: Any, x: Any) -> Any:
    """Return the tangent of the singular values."""
    u, _, vh = xp.linalg.svd(x, full_matrices=False)
    return xp.sum(real(xp, conj(xp, u) * xp.matmul(t, adjoint(xp, vh))), axis=-2)


# -- the products of the main namespace -------------------------------------------------------------------------------
matmul = composite("linalg.matmul(x1, x2, /)", lambda xp, x1, x2: xp.matmul(x1, x2))
matrix_transpose = composite("linalg.matrix_transpose(x, /)", lambda xp, x: xp.matrix_transpose(x))
tensordot = composite(
    "linalg.tensordot(x1, x2, /, *, axes=2)", lambda xp, x1, x2, *, axes: xp.tensordot(x1, x2, axes=axes)
)
vecdot = composite("linalg.vecdot(x1, x2, /, *, axis=-1)", lambda xp, x1, x2, *, axis: xp.vecdot(x1, x2, axis=axis))


def _batch_outer(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    x1, x2 = arrays
    if (example_ndim(x1, mapped[0]), example_ndim(x2, mapped[1])) != (1, 1):
        return NotImplemented
    return run.xp.multiply(run.xp.expand_dims(x1, axis=-1), run.xp.expand_dims(x2, axis=-2))


outer = bilinear(
    "linalg.outer(x1, x2, /)",
    transpose=(lambda xp, g, x2: xp.matmul(g, conj(xp, x2)), lambda xp, g, x1: xp.matmul(conj(xp, x1), g)),
    promote=True,
    node="MulBackward0",
    batch=_batch_outer,
)


def _cross(xp: Any, x1: Any, x2: Any, *, axis: int = -1) -> Any:
    if axis < 0:
        axis += max(x1.ndim, x2.ndim)
    x1, x2 = xp.broadcast_arrays(x1, x2)
    if x1.shape[axis] != 3:
        raise ShapeError(f"cross: the vectors need 3 components along axis {axis}, got {describe(x1)}")
    a, b = ([xp.take(x, xp.asarray([i], device=device_of(x)), axis=axis) for i in range(3)] for x in (x1, x2))
    parts = [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
    return xp.concat(parts, axis=axis)


def _broadcast_cross(xp: Any, x1: Any, x2: Any, shape: Any, axis: int) -> Any:
    """Return the cross product of two arrays broadcast to the shape of the cotangent, since some libraries do not broadcast here."""
    x1, x2 = (x if tuple(x.shape) == tuple(shape) else xp.broadcast_to(x, shape) for x in (x1, x2))
    return xp.linalg.cross(x1, x2, axis=axis)


def _batch_cross(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    axis = forms.count_from_end(
        run, params["axis"], [example_ndim(x, own) for x, own in zip(arrays, mapped, strict=True)]
    )
    x1, x2 = align(run, arrays, mapped)
    shape = broadcast_shapes(tuple(x1.shape), tuple(x2.shape))
    return run(run.xp.broadcast_to(x1, shape), run.xp.broadcast_to(x2, shape), axis=axis)


# <g, a × b> = <b × g, a> = <g × a, b>
cross = bilinear(
    "linalg.cross(x1, x2, /, *, axis=-1)",
    transpose=(
        lambda xp, g, x2, *, x1_shape, axis: fit(xp, _broadcast_cross(xp, conj(xp, x2), g, g.shape, axis), x1_shape),
        lambda xp, g, x1, *, x2_shape, axis: fit(xp, _broadcast_cross(xp, g, conj(xp, x1), g.shape, axis), x2_shape),
    ),
    promote=True,
    default=_cross,
    node="LinalgCrossBackward0",
    batch=_batch_cross,
)


def _chain(sizes: list[int]) -> dict[tuple[int, int], int]:
    """Return where to split each run of factors so that the products cost least.

    See Cormen et al., "Introduction to Algorithms", section 15.2.
    """
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
        as_row(xp, arrays[0]) if first else arrays[0],
        *arrays[1:-1],
        as_column(xp, arrays[-1]) if last else arrays[-1],
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


multi_dot = composite(
    "linalg.multi_dot(arrays, /)",
    _multi_dot,
    doc="The product of two or more matrices, in the order of least work; the first and the last may be vectors.",
)

# -- diagonals --------------------------------------------------------------------------------------------------------
diagonal = linear(
    "linalg.diagonal(x, /, *, offset=0)",
    transpose=lambda xp, g, *, x_shape, offset: embed_diagonal(xp, g, x_shape[-2], x_shape[-1], offset),
    view=True,
    write=lambda xp, base, value, *, offset: xp.where(
        diagonal_mask(xp, base, base.shape[-2], base.shape[-1], offset),
        embed_diagonal(xp, value, base.shape[-2], base.shape[-1], offset),
        base,
    ),
    batch=forms.matrix,
)
trace = linear(
    "linalg.trace(x, /, *, offset=0, dtype=None)",
    transpose=lambda xp, g, *, x_shape, x_dtype, offset: xp.where(
        diagonal_mask(xp, g, x_shape[-2], x_shape[-1], offset), as_scalar(xp, cast(xp, g, x_dtype)), 0.0
    ),
    batch=forms.matrix,
)


# -- determinants -------------------------------------------------------------------------------------------------------
# The derivative of the determinant is the matrix of cofactors, det(x) x^-T where there is an inverse. The operation ``cofactors``
# does not divide by the determinant, so singular matrices are no special case, neither in first nor in second order.
def _cofactors(xp: Any, x: Any) -> Any:
    """Return det(x) x^-T. Matrices that are nearly singular go by way of QR, which costs several times as much."""
    if x.shape[-1] == 0:
        return x
    determinant = xp.linalg.det(x)
    singular = as_scalar(xp, determinant == 0)
    try:
        inverse = xp.linalg.inv(xp.where(singular, identity(xp, x), x))
    except Exception:  # det and inv may round differently, so that only one of them finds a pivot of 0
        return _cofactors_by_qr(xp, x)
    regular = as_scalar(xp, determinant) * xp.matrix_transpose(inverse)
    condition = _column_norm(xp, x) * _column_norm(xp, inverse)
    doubtful = xp.logical_not(condition < float(xp.finfo(x.dtype).eps) ** -0.5) | singular
    if not xp.lazy:
        try:
            if not bool(xp.any(doubtful)):
                return regular
        except TypeError:  # while a compiler traces, there are no values to look at
            pass
    return xp.where(doubtful, _cofactors_by_qr(xp, x), regular)


def _column_norm(xp: Any, x: Any) -> Any:
    return xp.max(xp.sum(xp.abs(x), axis=-2, keepdims=True), axis=-1, keepdims=True)


def _cofactors_by_qr(xp: Any, x: Any) -> Any:
    """Return the cofactors from x = q r, since det(r) r^-1 has no cancellation, however small the diagonal of r is.

    Zeros on that diagonal are replaced by numbers within rounding.
    """
    n = x.shape[-1]
    q, r = xp.linalg.qr(x)
    size = xp.max(xp.abs(r), axis=(-2, -1), keepdims=True)
    tiny = xp.where(size > 0, size, 1.0) * float(xp.finfo(x.dtype).eps)
    r = xp.where(diagonal_mask(xp, x, n, n) & (r == 0), xp.astype(tiny, x.dtype), r)
    inverse = xp.linalg.solve_triangular(r, xp.broadcast_to(identity(xp, x), x.shape), upper=True)
    factor = xp.linalg.det(q) * xp.prod(xp.linalg.diagonal(r), axis=-1)
    return as_scalar(xp, factor) * xp.matrix_transpose(xp.matmul(inverse, adjoint(xp, q)))


def _without_two(xp: Any, s: Any) -> Any:
    """Return the products of all ``s`` but two, without dividing, and zeros on the diagonal.

    Work and memory are those of a matrix.
    """
    n = s.shape[-1]
    before = xp.cumulative_prod(s[..., :-1], axis=-1, include_initial=True)
    after = xp.flip(xp.cumulative_prod(xp.flip(s[..., 1:], axis=-1), axis=-1, include_initial=True), axis=-1)
    numbers = xp.arange(n, device=device_of(s))
    later = as_row(xp, numbers) > as_column(xp, numbers)
    between = xp.cumulative_prod(xp.where(later, as_row(xp, s), 1.0)[..., :-1], axis=-1, include_initial=True)
    upper = xp.where(later, as_column(xp, before) * between * as_row(xp, after), 0.0)
    return upper + xp.matrix_transpose(upper)


def _cofactors_derivative(xp: Any, x: Any, t: Any) -> Any:
    """Return the derivative of the cofactors in the direction ``t``.

    It is the second derivative of the determinant, and so its own transpose.
    """
    n = x.shape[-1]
    if n == 0:
        return t
    determinant = xp.linalg.det(x)
    values = xp.linalg.svdvals(x)
    singular = as_scalar(
        xp, values[..., -1] <= values[..., 0] * 1e-3
    )  # or so nearly singular that the terms with the inverse would cancel
    p = xp.linalg.inv(xp.where(singular, identity(xp, x), x))
    pt, tt = xp.matrix_transpose(p), xp.matrix_transpose(t)
    regular = as_scalar(xp, determinant) * (
        as_scalar(xp, xp.sum(pt * t, axis=(-2, -1))) * pt - xp.matmul(xp.matmul(pt, tt), pt)
    )
    # Between the singular vectors the matrix is diagonal, and its minors are products of singular values. Matrices that are not
    # singular are replaced here by one with distinct singular values, which can be differentiated further.
    distinct = embed_diagonal(xp, xp.astype(xp.arange(1, n + 1, device=device_of(x)), x.dtype), n, n)
    u, s, vh = xp.linalg.svd(xp.where(singular, x, distinct), full_matrices=False)
    s = xp.astype(s, x.dtype)
    phase = as_scalar(xp, xp.linalg.det(u) * xp.linalg.det(vh))
    e = xp.matmul(xp.matmul(adjoint(xp, u), t), adjoint(xp, vh))
    minors = _without_two(xp, s)
    on = xp.squeeze(xp.matmul(minors, as_column(xp, xp.linalg.diagonal(e))), axis=-1)
    inner = embed_diagonal(xp, on, n, n) - minors * xp.matrix_transpose(e)
    return xp.where(singular, phase * xp.matmul(xp.matmul(conj(xp, u), inner), conj(xp, vh)), regular)


cofactors = rule(
    "linalg.cofactors(x, /)",
    vjp=lambda xp, g, x: conj(xp, _cofactors_derivative(xp, x, conj(xp, g))),
    jvp=lambda xp, t, x: _cofactors_derivative(xp, x, t),
    default=_cofactors,
    doc="The matrix of cofactors: the transposed adjugate, and the derivative of the determinant; of singular matrices too.",
    batch=forms.matrix,
)
det = rule(
    "linalg.det(x, /)",
    vjp=lambda xp, g, x: as_scalar(xp, g) * conj(xp, xp.linalg.cofactors(x)),
    jvp=lambda xp, t, x: xp.sum(xp.linalg.cofactors(x) * t, axis=(-2, -1)),
    node="LinalgDetBackward0",
    batch=forms.matrix,
)


def _nudge(xp: Any, x: Any, singular: Any) -> Any:
    """Return ``x``, and where it is singular a matrix within rounding of it that is not."""
    n = x.shape[-1]
    size = xp.max(xp.abs(x), axis=(-2, -1), keepdims=True)
    step = xp.where(size > 0, size, 1.0) * (8 * n * float(xp.finfo(x.dtype).eps))
    places = xp.reshape(xp.astype(xp.arange(n * n, device=device_of(x)), step.dtype), (n, n))
    generic = xp.cos(places * places + places)  # without a structure that the matrix could have too
    return x + xp.where(as_scalar(xp, singular), xp.astype(step * generic, x.dtype), 0.0)


def _logarithmic(xp: Any, x: Any, sign: Any) -> Any:
    """Return the inverse, and where there is none, infinity times the sign of the cofactors."""
    singular = sign == 0
    if x.shape[-1] == 0:
        return x
    return xp.linalg.inv(_nudge(xp, x, singular)) * xp.where(
        as_scalar(xp, singular), xp.asarray(inf, dtype=real(xp, x).dtype, device=device_of(x)), 1.0
    )


# With q = tr(x^-1 dx): d(logabsdet) = Re q and d(sign) = i Im(q) sign.
def _slogdet_vjp(xp: Any, g: Any, x: Any, sign: Any) -> Any:
    g_sign, g_log = g
    inverse = adjoint(xp, _logarithmic(xp, x, sign))
    if not is_complex(xp, x):
        return as_scalar(xp, xp.zeros_like(sign) if g_log is None else g_log) * inverse
    weight = xp.zeros_like(sign) if g_log is None else xp.astype(g_log, sign.dtype)
    if g_sign is not None:
        weight = weight + 1j * xp.astype(xp.imag(g_sign * xp.conj(sign)), sign.dtype)
    return as_scalar(xp, weight) * inverse


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
    batch=forms.matrix,
)


def _logdet(xp: Any, x: Any) -> Any:
    sign, logabsdet = xp.linalg.slogdet(x)
    if is_complex(xp, x):
        return xp.log(sign) + logabsdet
    return xp.where(sign == -1, xp.asarray(float("nan"), dtype=x.dtype, device=device_of(x)), logabsdet)


logdet = composite(
    "linalg.logdet(x, /)",
    _logdet,
    doc="The logarithm of the determinant: -inf for a singular matrix, nan where a real determinant is negative.",
)


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
    batch=forms.matrix,
)

PADE13 = (
    64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0, 129060195264000.0, 10559470521600.0,
    670442572800.0, 33522128640.0, 1323241920.0, 40840800.0, 960960.0, 16380.0, 182.0, 1.0,
)  # fmt: skip
# Up to this 1-norm the approximant is exact to double precision.
THETA13 = 5.371920351148152
MOST_SQUARINGS = 16


def _matrix_exp(xp: Any, x: Any) -> Any:
    """Compute the exponential by scaling and squaring with the Padé approximant of degree 13.

    See Higham, "The scaling and squaring method for the matrix exponential revisited", 2005.
    """
    if 0 in x.shape:
        return x
    norm = _column_norm(xp, x)
    halvings = xp.ceil(xp.log2(xp.clip(norm / THETA13, 1.0)))
    halvings = xp.where(xp.isfinite(norm), halvings, 0.0)
    try:
        times = MOST_SQUARINGS if xp.lazy else int(xp.max(halvings))
    except TypeError:  # while a compiler traces, there are no values to look at
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
    batch=forms.matrix,
)


# -- torch's names at the top ---------------------------------------------------------------------------------------------
outer_ = composite("outer(x1, x2, /)", lambda xp, x1, x2: xp.linalg.outer(x1, x2))
trace_ = composite(
    "trace(x, /, *, offset=0, dtype=None)",
    lambda xp, x, *, offset, dtype: xp.linalg.trace(x, offset=offset, dtype=dtype),
)
det_ = composite("det(x, /)", lambda xp, x: xp.linalg.det(x))
logdet_ = composite("logdet(x, /)", _logdet)
