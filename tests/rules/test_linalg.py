"""Linear algebra: derivatives in both modes and orders, node names, signatures, and what happens where a derivative is singular."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

import numpy as np
import pytest

import polygrad
from polygrad import func
from polygrad.rules.declare import OPS
from support.gradient_checks import check, host, tensor, torch

TL = torch.linalg

RNG = np.random.default_rng(5)
INF = float("inf")


def normal(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape)


def complex_normal(*shape: int) -> np.ndarray:
    return normal(*shape) + 1j * normal(*shape)


A, A2 = normal(3, 3), normal(2, 3, 3)
C, C2 = complex_normal(3, 3), complex_normal(2, 3, 3)
TALL, WIDE = normal(4, 3), normal(3, 5)
TALL2, WIDE2 = normal(2, 4, 2), normal(2, 2, 3)
CTALL, CWIDE = complex_normal(4, 3), complex_normal(2, 2, 3)
V, V4, W = normal(3), normal(4), complex_normal(3)
DISTINCT = normal(3, 3) / 3 + np.diag([1.0, 3.0, 6.0])
CDISTINCT = complex_normal(3, 3) / 3 + np.diag([1.0, 3.0, 6.0])
RANK2 = normal(4, 2) @ normal(2, 4)
RANK1 = normal(3, 1) @ normal(1, 3)
E00 = np.zeros((0, 0))


def mh(x: Any) -> Any:
    """The conjugate transpose, for Tensors and for torch."""
    if isinstance(x, torch.Tensor):
        return x.mH
    xp = x.__array_namespace__()
    return xp.conj(xp.matrix_transpose(x)) if x.is_complex() else xp.matrix_transpose(x)


def spd(x: Any) -> Any:
    """A positive definite matrix made from x."""
    n = x.shape[-2]
    eye = torch.eye(n, dtype=x.dtype) if isinstance(x, torch.Tensor) else x.__array_namespace__().eye(n, dtype=x.dtype)
    return x @ mh(x) + eye


def her(x: Any) -> Any:
    return x + mh(x)


def size2(x: Any) -> Any:
    """|x|², which a phase leaves alone."""
    if isinstance(x, torch.Tensor):
        return (x.conj() * x).real if x.is_complex() else x * x
    xp = x.__array_namespace__()
    return xp.real(xp.conj(x) * x) if x.is_complex() else x * x


def projection(w: Any) -> Any:
    return w @ mh(w)


def vectors(linalg: Any, x: Any) -> Any:
    """Functions of the singular vectors that do not depend on their phases."""
    u, s, vh = linalg.svd(x, full_matrices=False)
    return size2(u), s, size2(vh), u @ vh


def spectrum(result: Any) -> Any:
    """Functions of the eigenvectors that do not depend on their phases."""
    values, v = result
    return values, size2(v), projection(v[..., :1])


CASES: list[tuple[str, Any, list[Any], Any]] = [
    # id, function of the namespace and the Tensors, arrays, the same in torch
    ("cholesky", lambda xp, x: xp.linalg.cholesky(spd(x)), [A], lambda x: TL.cholesky(spd(x))),
    (
        "cholesky-upper",
        lambda xp, x: xp.linalg.cholesky(spd(x), upper=True),
        [A2],
        lambda x: TL.cholesky(spd(x), upper=True),
    ),
    ("cholesky-complex", lambda xp, x: xp.linalg.cholesky(spd(x)), [C2], lambda x: TL.cholesky(spd(x))),
    (
        "cholesky-complex-upper",
        lambda xp, x: xp.linalg.cholesky(spd(x), upper=True),
        [C],
        lambda x: TL.cholesky(spd(x), upper=True),
    ),
    ("cholesky-wide", lambda xp, x: xp.linalg.cholesky(spd(x.mT)), [TALL], lambda x: TL.cholesky(spd(x.mT))),
    ("cross", lambda xp, x, y: xp.linalg.cross(x, y), [V, normal(3)], lambda x, y: TL.cross(x, y)),
    ("cross-batch", lambda xp, x, y: xp.linalg.cross(x, y), [normal(2, 3), normal(2, 3)], lambda x, y: TL.cross(x, y)),
    (
        "cross-axis",
        lambda xp, x, y: xp.linalg.cross(x, y, axis=-2),
        [normal(3, 2), normal(3, 2)],
        lambda x, y: TL.cross(x, y, dim=-2),
    ),
    (
        "cross-broadcast",
        lambda xp, x, y: xp.linalg.cross(x, y),
        [normal(2, 1, 3), normal(1, 4, 3)],
        lambda x, y: TL.cross(x, y),
    ),
    ("cross-complex", lambda xp, x, y: xp.linalg.cross(x, y), [W, complex_normal(3)], lambda x, y: TL.cross(x, y)),
    ("det", lambda xp, x: xp.linalg.det(x), [A], TL.det),
    ("det-1", lambda xp, x: xp.linalg.det(x), [normal(1, 1)], TL.det),
    ("det-batch", lambda xp, x: xp.linalg.det(x), [A2], TL.det),
    ("det-complex", lambda xp, x: xp.linalg.det(x), [C2], TL.det),
    ("det-empty", lambda xp, x: xp.linalg.det(x), [E00], TL.det),
    ("cofactors", lambda xp, x: xp.linalg.cofactors(x), [A2], lambda x: TL.det(x)[:, None, None] * TL.inv(x).mT),
    ("cofactors-complex", lambda xp, x: xp.linalg.cofactors(x), [C], lambda x: TL.det(x) * TL.inv(x).mT),
    ("slogdet", lambda xp, x: xp.linalg.slogdet(x)[1], [A2], lambda x: TL.slogdet(x)[1]),
    ("slogdet-empty", lambda xp, x: xp.linalg.slogdet(x)[1], [E00], lambda x: TL.slogdet(x)[1]),
    ("slogdet-complex", lambda xp, x: tuple(xp.linalg.slogdet(x)), [C2], lambda x: tuple(TL.slogdet(x))),
    ("slogdet-sign", lambda xp, x: xp.linalg.slogdet(x)[0], [C], lambda x: TL.slogdet(x)[0]),
    ("logdet", lambda xp, x: xp.linalg.logdet(spd(x)), [A2], lambda x: torch.logdet(spd(x))),
    ("logdet-complex", lambda xp, x: xp.linalg.logdet(x), [C], torch.logdet),
    ("inv", lambda xp, x: xp.linalg.inv(x), [A], TL.inv),
    ("inv-complex", lambda xp, x: xp.linalg.inv(x), [C2], TL.inv),
    ("inv-empty", lambda xp, x: xp.linalg.inv(x), [E00], TL.inv),
    ("solve", lambda xp, x, y: xp.linalg.solve(x, y), [A, normal(3, 2)], TL.solve),
    ("solve-vector", lambda xp, x, y: xp.linalg.solve(x, y), [A, V], TL.solve),
    ("solve-batch", lambda xp, x, y: xp.linalg.solve(x, y), [A2, normal(2, 3, 2)], TL.solve),
    (
        "solve-batch-vector",
        lambda xp, x, y: xp.linalg.solve(x, y),
        [A2, V],
        lambda x, y: TL.solve(x, y[:, None])[..., 0],
    ),
    ("solve-one-matrix", lambda xp, x, y: xp.linalg.solve(x, y), [A, normal(2, 3, 2)], TL.solve),
    ("solve-one-side", lambda xp, x, y: xp.linalg.solve(x, y), [A2, normal(3, 2)], TL.solve),
    ("solve-complex", lambda xp, x, y: xp.linalg.solve(x, y), [C2, complex_normal(2, 3, 1)], TL.solve),
    ("solve-complex-vector", lambda xp, x, y: xp.linalg.solve(x, y), [C, W], TL.solve),
    ("pinv-tall", lambda xp, x: xp.linalg.pinv(x), [TALL], TL.pinv),
    ("pinv-wide", lambda xp, x: xp.linalg.pinv(x), [WIDE2], TL.pinv),
    ("pinv-square", lambda xp, x: xp.linalg.pinv(x), [A], TL.pinv),
    ("pinv-complex", lambda xp, x: xp.linalg.pinv(x), [CWIDE], TL.pinv),
    ("pinv-complex-tall", lambda xp, x: xp.linalg.pinv(x), [CTALL], TL.pinv),
    (
        "pinv-rank",
        lambda xp, x, y: xp.linalg.pinv(x @ y, rtol=1e-9),
        [normal(4, 2), normal(2, 3)],
        lambda x, y: TL.pinv(x @ y, rtol=1e-9),
    ),
    ("qr", lambda xp, x: tuple(xp.linalg.qr(x)), [A], lambda x: tuple(TL.qr(x))),
    ("qr-tall", lambda xp, x: tuple(xp.linalg.qr(x)), [TALL2], lambda x: tuple(TL.qr(x))),
    ("qr-wide", lambda xp, x: tuple(xp.linalg.qr(x)), [WIDE], lambda x: tuple(TL.qr(x))),
    (
        "qr-complete",
        lambda xp, x: tuple(xp.linalg.qr(x, mode="complete")),
        [WIDE2],
        lambda x: tuple(TL.qr(x, mode="complete")),
    ),
    ("qr-complex", lambda xp, x: tuple(xp.linalg.qr(x)), [CTALL], lambda x: tuple(TL.qr(x))),
    ("qr-complex-wide", lambda xp, x: tuple(xp.linalg.qr(x)), [CWIDE], lambda x: tuple(TL.qr(x))),
    ("qr-r", lambda xp, x: xp.linalg.qr(x).R, [TALL], lambda x: TL.qr(x).R),
    ("qr-q", lambda xp, x: xp.linalg.qr(x).Q, [WIDE], lambda x: TL.qr(x).Q),
    ("svd", lambda xp, x: tuple(xp.linalg.svd(x)), [DISTINCT], None),
    ("svd-tall", lambda xp, x: tuple(xp.linalg.svd(x, full_matrices=False)), [TALL], None),
    ("svd-wide", lambda xp, x: tuple(xp.linalg.svd(x, full_matrices=False)), [WIDE2], None),
    ("svd-u", lambda xp, x: xp.linalg.svd(x, full_matrices=False)[0], [TALL2], None),
    ("svd-vh", lambda xp, x: xp.linalg.svd(x, full_matrices=False)[2], [WIDE], None),
    (
        "svd-s",
        lambda xp, x: xp.linalg.svd(x, full_matrices=False)[1],
        [TALL],
        lambda x: TL.svd(x, full_matrices=False)[1],
    ),
    ("svdvals", lambda xp, x: xp.linalg.svdvals(x), [WIDE2], TL.svdvals),
    ("svdvals-complex", lambda xp, x: xp.linalg.svdvals(x), [CTALL], TL.svdvals),
    ("eigh", lambda xp, x: tuple(xp.linalg.eigh(her(x))), [DISTINCT], None),
    ("eigh-batch", lambda xp, x: tuple(xp.linalg.eigh(her(x))), [A2], None),
    ("eigvalsh", lambda xp, x: xp.linalg.eigvalsh(her(x)), [A2], lambda x: TL.eigvalsh(her(x))),
    ("eigvalsh-complex", lambda xp, x: xp.linalg.eigvalsh(her(x)), [C], lambda x: TL.eigvalsh(her(x))),
    ("eigvals", lambda xp, x: xp.linalg.eigvals(x), [DISTINCT], TL.eigvals),
    ("eigvals-batch", lambda xp, x: xp.linalg.eigvals(x), [np.stack([DISTINCT, DISTINCT.T + np.eye(3)])], TL.eigvals),
    ("eigvals-complex", lambda xp, x: xp.linalg.eigvals(x), [CDISTINCT], TL.eigvals),
    ("outer", lambda xp, x, y: xp.linalg.outer(x, y), [V, V4], torch.outer),
    ("outer-complex", lambda xp, x, y: xp.linalg.outer(x, y), [W, complex_normal(2)], torch.outer),
    ("outer-mixed", lambda xp, x, y: xp.linalg.outer(x, y), [V, W], None),
    ("trace", lambda xp, x: xp.linalg.trace(x), [A], torch.trace),
    ("trace-batch", lambda xp, x: xp.linalg.trace(x, offset=1), [TALL2], lambda x: x.diagonal(1, -2, -1).sum(-1)),
    ("trace-below", lambda xp, x: xp.linalg.trace(x, offset=-1), [CWIDE], lambda x: x.diagonal(-1, -2, -1).sum(-1)),
    ("diagonal", lambda xp, x: xp.linalg.diagonal(x), [A2], lambda x: x.diagonal(0, -2, -1)),
    ("diagonal-above", lambda xp, x: xp.linalg.diagonal(x, offset=1), [WIDE], lambda x: x.diagonal(1, -2, -1)),
    ("diagonal-far", lambda xp, x: xp.linalg.diagonal(x, offset=3), [WIDE], lambda x: x.diagonal(3, -2, -1)),
    ("diagonal-below", lambda xp, x: xp.linalg.diagonal(x, offset=-2), [TALL2], lambda x: x.diagonal(-2, -2, -1)),
    ("diagonal-tall", lambda xp, x: xp.linalg.diagonal(x), [CTALL], lambda x: x.diagonal(0, -2, -1)),
    ("matmul", lambda xp, x, y: xp.linalg.matmul(x, y), [A2, TALL.T], torch.matmul),
    ("matrix_transpose", lambda xp, x: xp.linalg.matrix_transpose(x), [TALL2], lambda x: x.mT),
    (
        "tensordot",
        lambda xp, x, y: xp.linalg.tensordot(x, y, axes=1),
        [A2, TALL.T],
        lambda x, y: torch.tensordot(x, y, 1),
    ),
    ("vecdot", lambda xp, x, y: xp.linalg.vecdot(x, y), [C, C[::-1].copy()], TL.vecdot),
    (
        "multi_dot",
        lambda xp, x, y, z: xp.linalg.multi_dot([x, y, z]),
        [A, normal(3, 4), normal(4, 2)],
        lambda *x: TL.multi_dot(x),
    ),
    ("multi_dot-vectors", lambda xp, *x: xp.linalg.multi_dot(x), [V, A, normal(3, 4), V4], lambda *x: TL.multi_dot(x)),
    ("multi_dot-two", lambda xp, *x: xp.linalg.multi_dot(x), [V, TALL.T], lambda *x: TL.multi_dot(x)),
    ("tensorinv", lambda xp, x: xp.linalg.tensorinv(x), [normal(2, 3, 3, 2)], lambda x: TL.tensorinv(x)),
    ("tensorinv-1", lambda xp, x: xp.linalg.tensorinv(x, ind=1), [normal(4, 2, 2)], lambda x: TL.tensorinv(x, ind=1)),
    ("tensorsolve", lambda xp, x, y: xp.linalg.tensorsolve(x, y), [normal(2, 3, 6), normal(2, 3)], TL.tensorsolve),
    (
        "tensorsolve-axes",
        lambda xp, x, y: xp.linalg.tensorsolve(x, y, axes=(0, 2)),
        [normal(3, 6, 2), normal(6)],
        lambda x, y: TL.tensorsolve(x, y, (0, 2)),
    ),
    ("cond", lambda xp, x: xp.linalg.cond(x), [TALL2], TL.cond),
    ("cond--2", lambda xp, x: xp.linalg.cond(x, -2), [A], lambda x: TL.cond(x, -2)),
    (
        "cond-1",
        lambda xp, x: xp.linalg.cond(x, p=1),
        [A2],
        lambda x: TL.matrix_norm(x, 1) * TL.matrix_norm(TL.inv(x), 1),
    ),
    (
        "cond-fro",
        lambda xp, x: xp.linalg.cond(x, p="fro"),
        [C],
        lambda x: TL.matrix_norm(x) * TL.matrix_norm(TL.inv(x)),
    ),
    ("lu", lambda xp, x: tuple(xp.linalg.lu(x))[1:], [A2], lambda x: TL.lu(x)[1:]),
    ("lu-tall", lambda xp, x: tuple(xp.linalg.lu(x))[1:], [TALL], lambda x: TL.lu(x)[1:]),
    ("lu-wide", lambda xp, x: tuple(xp.linalg.lu(x))[1:], [CWIDE], lambda x: TL.lu(x)[1:]),
    ("lu-l", lambda xp, x: xp.linalg.lu(x)[1], [C], lambda x: TL.lu(x)[1]),
    ("lu_factor", lambda xp, x: xp.linalg.lu_factor(x)[0], [A2], lambda x: TL.lu_factor(x)[0]),
    ("lu_factor-tall", lambda xp, x: xp.linalg.lu_factor(x)[0], [CTALL], lambda x: TL.lu_factor(x)[0]),
    ("lu_factor-wide", lambda xp, x: xp.linalg.lu_factor(x)[0], [WIDE], lambda x: TL.lu_factor(x)[0]),
    *[
        (
            f"lu_solve-{left}-{adjoint}-{name}",
            lambda xp, x, y, left=left, adjoint=adjoint: xp.linalg.lu_solve(
                *xp.linalg.lu_factor(x), y, left=left, adjoint=adjoint
            ),
            [x, y if left else np.swapaxes(y, -1, -2).copy()],
            lambda x, y, left=left, adjoint=adjoint: TL.lu_solve(*TL.lu_factor(x), y, left=left, adjoint=adjoint),
        )
        for left in (True, False)
        for adjoint in (True, False)
        for name, x, y in (("batch", A2, normal(2, 3, 2)), ("complex", C, complex_normal(3, 2)))
    ],
    *[
        (
            f"solve_triangular-{upper}-{left}-{unit}-{name}",
            lambda xp, x, y, o=(upper, left, unit): xp.linalg.solve_triangular(
                x, y, upper=o[0], left=o[1], unitriangular=o[2]
            ),
            [x, y if left else np.swapaxes(y, -1, -2).copy()],
            lambda x, y, o=(upper, left, unit): TL.solve_triangular(x, y, upper=o[0], left=o[1], unitriangular=o[2]),
        )
        for upper in (True, False)
        for left in (True, False)
        for unit in (True, False)
        for name, x, y in (
            ("batch", np.stack([DISTINCT, A]), normal(3, 2)),
            ("complex", CDISTINCT, complex_normal(2, 3, 2)),
        )
    ],
    (
        "cholesky_solve",
        lambda xp, y, x: xp.linalg.cholesky_solve(y, xp.tril(x)),
        [normal(3, 2), DISTINCT],
        lambda y, x: torch.cholesky_solve(y, x.tril()),
    ),
    (
        "cholesky_solve-upper",
        lambda xp, y, x: xp.linalg.cholesky_solve(y, xp.linalg.cholesky(spd(x), upper=True), upper=True),
        [complex_normal(3, 2), C],
        lambda y, x: torch.cholesky_solve(y, TL.cholesky(spd(x), upper=True), upper=True),
    ),
    (
        "cholesky_inverse",
        lambda xp, x: xp.linalg.cholesky_inverse(xp.tril(x)),
        [DISTINCT],
        lambda x: torch.cholesky_inverse(x.tril()),
    ),
    (
        "cholesky_inverse-batch",
        lambda xp, x: xp.linalg.cholesky_inverse(xp.linalg.cholesky(spd(x), upper=True), upper=True),
        [A2],
        lambda x: torch.cholesky_inverse(TL.cholesky(spd(x), upper=True), upper=True),
    ),
    (
        "lstsq",
        lambda xp, x, y: xp.linalg.lstsq(x, y).solution,
        [TALL, normal(4, 2)],
        lambda x, y: TL.lstsq(x, y).solution,
    ),
    (
        "lstsq-wide",
        lambda xp, x, y: xp.linalg.lstsq(x, y).solution,
        [WIDE2, normal(2, 2, 1)],
        lambda x, y: TL.lstsq(x, y).solution,
    ),
    (
        "lstsq-complex",
        lambda xp, x, y: xp.linalg.lstsq(x, y).solution,
        [CTALL, complex_normal(4, 2)],
        lambda x, y: TL.lstsq(x, y).solution,
    ),
    (
        "lstsq-vector",
        lambda xp, x, y: (xp.linalg.lstsq(x, y)[0], xp.linalg.lstsq(x, y)[1], xp.linalg.lstsq(x, y)[3]),
        [TALL, V4],
        lambda x, y: (TL.pinv(x) @ y, ((x @ (TL.pinv(x) @ y) - y) ** 2).sum(), TL.svdvals(x)),
    ),
    ("matrix_exp", lambda xp, x: xp.linalg.matrix_exp(x), [A2], TL.matrix_exp),
    ("matrix_exp-large", lambda xp, x: xp.linalg.matrix_exp(x), [np.stack([A, A * 4])], TL.matrix_exp),
    ("matrix_exp-complex", lambda xp, x: xp.linalg.matrix_exp(x), [C], TL.matrix_exp),
    ("matrix_exp-zero", lambda xp, x: xp.linalg.matrix_exp(x), [np.zeros((2, 2))], TL.matrix_exp),
    ("matrix_exp-empty", lambda xp, x: xp.linalg.matrix_exp(x), [E00], TL.matrix_exp),
    *[
        (
            f"matrix_power-{n}-{x.ndim}",
            lambda xp, x, n=n: xp.linalg.matrix_power(x, n),
            [x],
            lambda x, n=n: TL.matrix_power(x, n),
        )
        for n in (-3, -2, -1, 0, 1, 2, 3, 5)
        for x in (DISTINCT, C2)
    ],
    *[
        (
            f"matrix_norm-{order}-{name}-{keep}",
            lambda xp, x, o=order, k=keep: xp.linalg.matrix_norm(x, ord=o, keepdims=k),
            [x],
            lambda x, o=order, k=keep: TL.matrix_norm(x, o, keepdim=k),
        )
        for order in ("fro", "nuc", INF, -INF, 1, -1, 2, -2)
        for name, x, keep in (("tall", TALL2, False), ("wide", WIDE, True), ("complex", CWIDE, False))
    ],
    *[
        (
            f"vector_norm-{order}-{name}",
            lambda xp, x, o=order, k=kwargs: xp.linalg.vector_norm(x, ord=o, **k),
            [x],
            lambda x, o=order, k=kwargs: TL.vector_norm(x, o, k.get("axis"), k.get("keepdims", False)),
        )
        for order in (INF, -INF, 1, 2, 3, 0.5, 1.5, 2.5, -1, -2.5)
        for name, x, kwargs in (
            ("all", TALL, {}),
            ("axis", WIDE2, {"axis": -1}),
            ("axes", A2, {"axis": (0, -1), "keepdims": True}),
            ("complex", C2, {"axis": 1}),
            ("scalar", np.asarray(-1.5), {}),
        )
    ],
    ("norm", lambda xp, x: xp.linalg.norm(x), [A2], TL.norm),
    ("norm-axis", lambda xp, x: xp.linalg.norm(x, 1, 0), [A2], lambda x: TL.norm(x, 1, 0)),
    ("norm-axes", lambda xp, x: xp.linalg.norm(x, "nuc", axis=(2, 0)), [A2], lambda x: TL.norm(x, "nuc", (2, 0))),
    (
        "norm-keepdims",
        lambda xp, x: xp.norm(x, ord=-1, axis=(0, 2), keepdims=True),
        [A2],
        lambda x: TL.norm(x, -1, (0, 2), keepdim=True),
    ),
    ("norm-2", lambda xp, x: xp.norm(x, 2), [A], lambda x: TL.norm(x, 2)),
    ("norm-none", lambda xp, x: xp.norm(x, axis=(0, 1)), [C2], lambda x: TL.norm(x, dim=(0, 1))),
    ("norm-vector", lambda xp, x: xp.norm(x, 3), [W], lambda x: TL.norm(x, 3)),
    ("outer-top", lambda xp, x, y: xp.outer(x, y), [V, V4], torch.outer),
    ("trace-top", lambda xp, x: xp.trace(x), [A], torch.trace),
    ("det-top", lambda xp, x: xp.det(x), [A], torch.det),
    ("logdet-top", lambda xp, x: xp.logdet(spd(x)), [A], lambda x: torch.logdet(spd(x))),
    ("inverse-top", lambda xp, x: xp.inverse(x), [A], torch.inverse),
    # where a sign or a phase is free: what does not depend on it
    ("svd-real", lambda xp, x: vectors(xp.linalg, x), [TALL2], lambda x: vectors(TL, x)),
    ("svd-complex", lambda xp, x: vectors(xp.linalg, x), [CTALL], lambda x: vectors(TL, x)),
    ("svd-complex-wide", lambda xp, x: vectors(xp.linalg, x), [CWIDE], lambda x: vectors(TL, x)),
    ("svd-full", lambda xp, x: projection(xp.linalg.svd(x)[0][:, 3:]), [TALL], None),
    ("svd-full-wide", lambda xp, x: projection(mh(xp.linalg.svd(x)[2][..., 2:, :])), [CWIDE], None),
    ("svd-full-s", lambda xp, x: xp.linalg.svd(x)[1], [TALL], lambda x: TL.svd(x)[1]),
    ("eigh-real", lambda xp, x: spectrum(xp.linalg.eigh(her(x))), [A2], lambda x: spectrum(TL.eigh(her(x)))),
    ("eigh-complex", lambda xp, x: spectrum(xp.linalg.eigh(her(x))), [C2], lambda x: spectrum(TL.eigh(her(x)))),
    ("eig", lambda xp, x: spectrum(xp.linalg.eig(x)), [DISTINCT], lambda x: spectrum(TL.eig(x))),
    ("eig-complex", lambda xp, x: spectrum(xp.linalg.eig(x)), [CDISTINCT], lambda x: spectrum(TL.eig(x))),
]


@pytest.mark.parametrize(
    ("function", "arrays", "reference"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_derivatives(function: Any, arrays: Any, reference: Any, backend: str, xp: Any, request: Any) -> None:
    # a rank of 2 at rtol=1e-9 is one of double precision
    single = None if "pinv-rank" in request.node.name else 1e-4
    check(lambda *x: function(xp, *x), arrays, backend, reference=reference, rtol=1e-8, single=single)


@pytest.mark.parametrize("upper", [True, False])
@pytest.mark.parametrize("left", [True, False])
@pytest.mark.parametrize("unit", [True, False])
def test_one_triangular_matrix(upper: bool, left: bool, unit: bool, backend: str, xp: Any) -> None:
    """The other triangle, and the diagonal if it is to be ones, hold what must not matter."""
    b = normal(3, 3)
    a = DISTINCT
    want = np.triu(a, int(unit)) if upper else np.tril(a, -int(unit))
    want = want + np.eye(3) * unit
    got = host(
        xp.linalg.solve_triangular(tensor(a, backend), tensor(b, backend), upper=upper, left=left, unitriangular=unit)
    )
    np.testing.assert_allclose(want @ got if left else got @ want, b, atol=1e-12)


def test_vector_norm_0(backend: str, xp: Any) -> None:
    x = tensor(np.asarray([0.0, 3.0, -4.0]), backend, True)
    out = xp.linalg.vector_norm(x, ord=0)
    assert host(out) == 2
    assert host(polygrad.autograd.grad(out, x)[0]).tolist() == [0, 0, 0]


def test_matrix_rank_is_constant(backend: str, xp: Any) -> None:
    x = tensor(RANK2, backend, True)
    assert host(xp.linalg.matrix_rank(x)) == 2
    assert not xp.linalg.matrix_rank(x).requires_grad


ZEROS = np.asarray([0.0, 3.0, -4.0])


@pytest.mark.parametrize("order", [0.5, 1, 1.5, 2, 2.5, 3, -1, -2, INF, -INF])
@pytest.mark.parametrize(
    "values", [ZEROS, 0 * ZEROS, np.asarray([4.0, -4.0, 1.0]), 0j * ZEROS], ids=["zero", "all-zero", "tie", "complex"]
)
def test_vector_norm_kinks(order: float, values: Any, backend: str, xp: Any) -> None:
    x, t = tensor(values, backend, True), torch.tensor(values, requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy's own norm divides by 0 here
        got = host(polygrad.autograd.grad(xp.linalg.vector_norm(x, ord=order), x)[0])
    (expected,) = torch.autograd.grad(TL.vector_norm(t, order), t)
    np.testing.assert_allclose(got, expected.numpy(), atol=1e-12)


@pytest.mark.parametrize("order", ["fro", "nuc", 1, -1, 2, -2, INF, -INF])
@pytest.mark.parametrize("values", [np.ones((2, 2)), np.zeros((2, 2)), np.eye(2)], ids=["ones", "zeros", "eye"])
def test_matrix_norm_kinks(order: Any, values: Any, backend: str, xp: Any) -> None:
    if order in (-2, "nuc") and values.all():
        values = np.asarray(
            [[1.0, 2.0], [2.0, 4.0 + 1e-3]]
        )  # of a singular matrix the sign is that of a rounding error
    x, t = tensor(values, backend, True), torch.tensor(values, requires_grad=True)
    (got,) = polygrad.autograd.grad(xp.linalg.matrix_norm(x, ord=order), x)
    (expected,) = torch.autograd.grad(TL.matrix_norm(t, order), t)
    np.testing.assert_allclose(host(got), expected.numpy(), atol=1e-12)


SINGULAR = [
    np.asarray([[1.0, 2.0], [2.0, 4.0]]), np.zeros((1, 1)), np.zeros((2, 2)), np.zeros((3, 3)), np.ones((3, 3)),
    np.asarray([[1.0, -1.0], [1.0, -1.0]]), np.asarray([[1.0, 2.0, 0.0], [2.0, 4.0, 0.0], [5.0, 6.0, 0.0]]),
    np.asarray([[1j, 2.0], [2j, 4.0]]), np.stack([np.ones((2, 2)), np.eye(2)]), np.diag([1.0, 2.0, 0.0, 0.0]),
    RANK2, RANK1, DISTINCT @ np.diag([1.0, 1e-8, 1.0]),
]  # fmt: skip


@pytest.mark.parametrize("values", SINGULAR)
def test_det_of_singular_matrices(values: Any, backend: str, xp: Any) -> None:
    """The determinant is a polynomial: it has every derivative (where torch gives 0 for the first)."""
    check(lambda x: xp.linalg.det(x), [values], backend)
    # Cofactors are of second degree, at most, in these: their central difference is exact over any step.
    if values.shape[-1] <= 3:
        t = np.asarray(RNG.normal(size=values.shape) + np.eye(values.shape[-1]), dtype=values.dtype)
        cofactors = xp.linalg.cofactors
        _, got = func.jvp(cofactors, (tensor(values, backend),), (tensor(t, backend),))
        expected = host(cofactors(tensor(values + t, backend))) - host(cofactors(tensor(values - t, backend)))
        np.testing.assert_allclose(host(got), expected / 2, atol=1e-10)


def test_det_third_order(backend: str, xp: Any) -> None:
    for values in (np.eye(3), np.asarray([[2.0, 1.0, 0.5], [0.0, 1.0, 3.0], [1.0, 1.0, 1.0]])):
        u, v, w = RNG.normal(size=(3, 3, 3))

        def polynomial(a: Any, b: Any, c: Any, values: Any = values, u: Any = u, v: Any = v, w: Any = w) -> Any:
            return xp.linalg.det(
                tensor(values, backend) + a * tensor(u, backend) + b * tensor(v, backend) + c * tensor(w, backend)
            )

        zero = tensor(np.asarray(0.0), backend)
        third = func.grad(func.grad(func.grad(polynomial, 0), 1), 2)(zero, zero, zero)
        forward = func.jacfwd(func.jacfwd(func.jacfwd(polynomial, 0), 1), 2)(zero, zero, zero)
        # the mixed third difference of a cubic is exact
        expected = sum(
            sign_a * sign_b * sign_c * np.linalg.det(values + sign_a * u + sign_b * v + sign_c * w)
            for sign_a in (1, -1) for sign_b in (1, -1) for sign_c in (1, -1)
        ) / 8  # fmt: skip
        np.testing.assert_allclose(host(third), expected, atol=1e-9)
        np.testing.assert_allclose(host(forward), expected, atol=1e-9)


def test_logdet_outside_its_domain(backend: str, xp: Any) -> None:
    assert np.isnan(host(xp.linalg.logdet(tensor(np.asarray([[0.0, 1.0], [1.0, 0.0]]), backend))))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        x = tensor(np.asarray([[1.0, 2.0], [2.0, 4.0]]), backend, True)
        out = xp.linalg.logdet(x)
        assert host(out) == -INF
        assert np.isinf(host(polygrad.autograd.grad(out, x)[0])).all()


def test_repeated_values(backend: str, xp: Any) -> None:
    """Values have a derivative where they coincide, vectors have none."""
    for name in ("svdvals", "eigvalsh", "eigvals"):
        x = tensor(np.eye(2), backend, True)
        (g,) = polygrad.autograd.grad(
            xp.sum(xp.real(getattr(xp.linalg, name)(x)) if name == "eigvals" else getattr(xp.linalg, name)(x)), x
        )
        np.testing.assert_allclose(host(g), np.eye(2), atol=1e-14)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, part in (("svd", 0), ("eigh", 1)):
            x = tensor(np.eye(2), backend, True)
            (g,) = polygrad.autograd.grad(xp.sum(getattr(xp.linalg, name)(x)[part]), x)
            assert np.isnan(host(g)).all()


def test_qr_complete_of_a_tall_matrix(backend: str, xp: Any) -> None:
    x = tensor(TALL, backend, True)
    with pytest.raises(polygrad.errors.NoDerivativeError, match="more rows than columns.*mode='reduced'"):
        polygrad.autograd.grad(xp.sum(xp.linalg.qr(x, mode="complete").R), x)


@pytest.mark.parametrize("values", [TALL, WIDE, CTALL])
def test_full_svd(values: Any, backend: str, xp: Any) -> None:
    x, t = tensor(values, backend, True), torch.tensor(values, requires_grad=True)
    u, s, vh = xp.linalg.svd(x)
    assert u.shape[-1] == u.shape[-2]
    assert vh.shape[-1] == vh.shape[-2]
    k = s.shape[0]
    loss = xp.sum(s * xp.sum(size2(u[:, :k])[:2, :], axis=0)) + xp.sum(size2(vh[:k, :])[0, ...])
    tu, ts, tvh = TL.svd(t)
    reference = (ts * size2(tu[:, :k])[:2].sum(0)).sum() + size2(tvh[:k])[0].sum()
    (g,), (e,) = polygrad.autograd.grad(loss, x), torch.autograd.grad(reference, t)
    np.testing.assert_allclose(host(g), e.numpy(), atol=1e-10)


def test_lstsq_of_deficient_rank(backend: str, xp: Any) -> None:
    b = normal(4, 2)
    arrays = [normal(4, 2), normal(2, 3)]
    check(lambda x, y: xp.linalg.lstsq(x @ y, tensor(b, backend)).solution, arrays, backend, single=None)
    out = xp.linalg.lstsq(tensor(RANK2, backend), tensor(b, backend))
    expected = np.linalg.lstsq(RANK2, b, rcond=None)
    np.testing.assert_allclose(host(out.solution), expected[0], atol=1e-10)
    np.testing.assert_allclose(host(out.singular_values), expected[3], atol=1e-10)
    assert host(out.rank) == expected[2]


@pytest.mark.parametrize("values", [A2, TALL, CWIDE, np.asarray([[0.0, 1.0], [0.0, 2.0]])])
def test_lu_parts(values: Any, backend: str, xp: Any) -> None:
    x, t = tensor(values, backend), torch.tensor(values)
    for ours, theirs in zip(xp.linalg.lu(x), TL.lu(t), strict=True):
        np.testing.assert_allclose(host(ours), theirs.numpy(), atol=1e-12)
    if backend == "torch" and not values.all():
        return  # torch refuses to make a factor that cannot be solved with
    factors, pivots = xp.linalg.lu_factor(x)
    expected = TL.lu_factor_ex(t)
    np.testing.assert_allclose(host(factors), expected[0].numpy(), atol=1e-12)
    assert host(pivots).tolist() == expected[1].tolist()


def test_lu_without_pivoting(xp: Any, backend: str) -> None:
    if backend == "torch":
        pytest.skip("torch does this on CUDA only")
    check(lambda x: tuple(xp.linalg.lu(x, pivot=False))[1:], [DISTINCT], backend)
    check(lambda x: xp.linalg.lu_factor(x, pivot=False)[0], [DISTINCT], backend)


def test_matrix_exp_of_large_and_infinite(backend: str, xp: Any) -> None:
    big = np.asarray([[-800.0, 3000.0], [-3000.0, -800.0]])
    np.testing.assert_allclose(host(xp.linalg.matrix_exp(tensor(big, backend))), 0, atol=1e-300)
    turn = np.asarray([[0.0, 1e4], [-1e4, 0.0]])
    expected = [[np.cos(1e4), np.sin(1e4)], [-np.sin(1e4), np.cos(1e4)]]
    np.testing.assert_allclose(host(xp.linalg.matrix_exp(tensor(turn, backend))), expected, atol=1e-9)


def test_diagonal_is_a_view(backend: str, xp: Any) -> None:
    base = tensor(np.arange(9.0).reshape(3, 3), backend, True)
    x = base * 1
    d = xp.linalg.diagonal(x, offset=1)
    d *= 10
    assert host(x).tolist() == [[0, 10, 2], [3, 4, 50], [6, 7, 8]]
    (g,) = polygrad.autograd.grad(xp.sum(x), base)
    assert host(g).tolist() == [[1, 10, 1], [1, 1, 10], [1, 1, 1]]
    x += 1
    assert host(d).tolist() == [11, 51]


NAMES = [
    (lambda L, x, s, b: L.cholesky(s), "LinalgCholeskyExBackward0"),
    (lambda L, x, s, b: L.cross(b[:, 0], b[:, 1]), "LinalgCrossBackward0"),
    (lambda L, x, s, b: L.det(x), "LinalgDetBackward0"),
    (lambda L, x, s, b: L.slogdet(x)[1], "LinalgSlogdetBackward0"),
    (lambda L, x, s, b: L.inv(x), "LinalgInvExBackward0"),
    (lambda L, x, s, b: L.pinv(b), "LinalgPinvBackward0"),
    (lambda L, x, s, b: L.solve(x, b), "LinalgSolveExBackward0"),
    (lambda L, x, s, b: L.qr(b)[0], "LinalgQrBackward0"),
    (lambda L, x, s, b: L.svd(b)[0], "LinalgSvdBackward0"),
    (lambda L, x, s, b: L.svdvals(b), "LinalgSvdBackward0"),
    (lambda L, x, s, b: L.eigh(s)[0], "LinalgEighBackward0"),
    (lambda L, x, s, b: L.eigvalsh(s), "LinalgEighBackward0"),
    (lambda L, x, s, b: L.eig(x)[1], "LinalgEigBackward0"),
    (lambda L, x, s, b: L.eigvals(x), "LinalgEigBackward0"),
    (lambda L, x, s, b: L.matrix_norm(x), "LinalgVectorNormBackward0"),
    (lambda L, x, s, b: L.matrix_norm(x, ord="nuc"), "SumBackward1"),
    (lambda L, x, s, b: L.matrix_norm(x, ord=2), "AmaxBackward0"),
    (lambda L, x, s, b: L.matrix_norm(x, ord=-1), "AminBackward0"),
    (lambda L, x, s, b: L.vector_norm(x), "LinalgVectorNormBackward0"),
    (lambda L, x, s, b: L.matrix_power(x, 3), "MmBackward0"),
    (lambda L, x, s, b: L.matrix_power(x, -1), "LinalgInvExBackward0"),
    (lambda L, x, s, b: L.diagonal(x), "DiagonalBackward0"),
    (lambda L, x, s, b: L.matrix_exp(x), "LinalgMatrixExpBackward0"),
    (lambda L, x, s, b: L.lstsq(x, b)[0], "LinalgLstsqBackward0"),
    (lambda L, x, s, b: L.lu(x)[1], "LinalgLuBackward0"),
    (lambda L, x, s, b: L.lu_factor(x)[0], "LinalgLuFactorExBackward0"),
    (lambda L, x, s, b: L.solve_triangular(x, b, upper=True), "LinalgSolveTriangularBackward0"),
]


@pytest.mark.parametrize(("function", "name"), NAMES, ids=[case[1] + str(i) for i, case in enumerate(NAMES)])
def test_names(function: Any, name: str, backend: str, xp: Any) -> None:
    arrays = [DISTINCT, DISTINCT @ DISTINCT.T, normal(3, 2)]
    assert function(xp.linalg, *[tensor(a, backend, True) for a in arrays]).grad_fn.name() == name
    if hasattr(TL, function.__code__.co_names[0]) and function.__code__.co_names[0] != "diagonal":
        assert function(TL, *[torch.tensor(a, requires_grad=True) for a in arrays]).grad_fn.name() == name


def test_signatures() -> None:
    """Every function of the standard's extension is there, and may be called as the standard says."""
    strict = pytest.importorskip("array_api_strict")
    for name in strict.linalg.__all__:
        theirs = inspect.signature(getattr(strict.linalg, name)).parameters.values()
        ours = inspect.signature(getattr(polygrad.linalg, name)).parameters
        for parameter in theirs:
            assert ours[parameter.name].kind == parameter.kind, (name, parameter)
            assert ours[parameter.name].default == parameter.default, (name, parameter)


def test_every_operation_has_a_case() -> None:
    covered = {case[0].partition("-")[0] for case in CASES} | {"eig", "eigh", "matrix_rank", "least_squares"}
    assert {name.partition(".")[2] for name in OPS if name.startswith("linalg.")} <= covered


@pytest.mark.parametrize("dtype", ["float64", "float32", "complex64"])
def test_eigenvalues_of_general_matrices_are_complex_whatever_they_are(dtype: str, backend: str, xp: Any) -> None:
    x = xp.astype(tensor(np.diag([1.0, 2.0]), backend), dtype)
    wanted = polygrad.get_backend(backend).dtype("complex128" if dtype == "float64" else "complex64")
    assert xp.linalg.eigvals(x).dtype == wanted
    assert [part.dtype for part in xp.linalg.eig(x)] == [wanted, wanted]
