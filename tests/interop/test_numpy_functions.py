"""NumPy's functions by name: values and gradients of each call are those of the same call on plain arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polygrad as pg
from support.consumers.call_outcomes import reach

_rng = np.random.default_rng(6)
INPUTS: dict[str, Any] = {
    "x": _rng.normal(size=7),
    "y": _rng.normal(size=7),
    "u": np.sort(_rng.normal(size=7)),
    "w": _rng.uniform(0.5, 2.0, size=7),
    "A": _rng.normal(size=(3, 4)),
    "B": _rng.normal(size=(4, 2)),
    "M": _rng.normal(size=(3, 3)),
    "W": _rng.uniform(0.5, 2.0, size=(3, 4)),
    "T": _rng.normal(size=(2, 3, 4)),
    "N": np.where(_rng.uniform(size=(3, 4)) < 0.3, np.nan, _rng.normal(size=(3, 4))),
    "z": _rng.normal(size=5) + 1j * _rng.normal(size=5),
    "i": np.asarray([2, 0, 3]),
    "m": np.asarray([True, False, True, True, False, False, True]),
}


def changed(function: Any, target: Any, *args: Any) -> Any:
    """What a function that works in place has made of a copy."""
    target = target * 1
    function(target, *args)
    return target


SCOPE = {"np": np, "changed": changed}
GRADIENT = """
np.append(x, y)
np.append(A, A, axis=1)
np.array_split(x, 3)
np.array_split(x, [2, 5])
np.split(T, 2)
np.split(A, [1, 3], axis=1)
np.hsplit(A, 2)
np.vsplit(A, 3)
np.dsplit(T, 2)
np.atleast_1d(x)
np.atleast_2d(x)
np.atleast_1d(x, A)
np.average(x)
np.average(x, weights=w)
np.average(A, axis=1, weights=W)
np.average(A, axis=0, weights=W[:, 0])
np.average(A, axis=1, weights=W, returned=True)
np.clip(x, -0.5, 0.5)
np.clip(x, None, 0.5)
np.column_stack([x, y])
np.compress([True, False, True], A, axis=0)
np.concatenate([x, y])
np.convolve(x, w[:3])
np.convolve(x, w[:3], mode="same")
np.convolve(x, w[:3], mode="valid")
np.convolve(w[:2], x)
np.copy(x)
np.corrcoef(A)
np.corrcoef(x, y)
np.cov(A)
np.cov(A, rowvar=False)
np.cov(x, y)
np.cov(A, bias=True)
np.cov(A, ddof=0)
np.cross(M, M[::-1])
np.cross(M, M[::-1], axis=0)
np.cumprod(A, axis=1)
np.cumsum(A)
np.cumsum(A, axis=0)
np.delete(x, 2)
np.delete(A, [0, 2], axis=0)
np.delete(x, slice(1, 4))
np.delete(A, [True, False, True], axis=0)
np.delete(x, m)
np.extract([2, 0, -1, 0, 1, 0, 5], x)
np.extract(i, x[:3])
np.cov(A[:1])
np.corrcoef(A[:1] + 0 * A[:1])
np.cov(A[:1], rowvar=False, bias=True)
np.cov(A[:, :1], rowvar=False)
np.array_split(x, np.array([2, 5]))
np.unique(N)
np.unique(N, return_counts=True)
np.concatenate((A, M), axis=None)
np.concatenate([x, [4.0]])
np.hstack([0.0, x])
np.sort(A, axis=None)
np.take_along_axis(A, i, axis=None)
np.take(x, [0, 2])
np.take(A, [[0, 2], [1, 1]], axis=1)
np.reshape(T, (4, 6), order="F")
np.reshape(T, (-1, 2), "F")
np.ravel(T, order="F")
np.ravel(T.transpose((1, 0, 2)) if isinstance(T, np.ndarray) else np.transpose(T, (1, 0, 2)), "K")
np.linalg.qr(M, mode="r")
np.linalg.svd(A, compute_uv=False)
np.linalg.eigvalsh(M @ np.transpose(M), "U")
np.interp([0.0, 0.5, 1.0, 2.0, 3.0], [0.0, 1.0, 1.0, 3.0, 3.0], x[:5])
np.interp(x[:3], [0.0], x[:1])
np.histogram(x, bins=4)
np.histogram(x, [-2, 0, 2], weights=w)[0]
np.correlate(x, w[:4], "same")
np.correlate(x[:4], w, "same")
np.correlate(x, w[:4])
np.insert(A, 1, x[:4], axis=0)
np.insert(A, [0, 2], x[:2], axis=1)
np.insert(x, [1, 1, 3], y[:3])
np.insert(x, slice(1, 3), 0.5)
np.insert(x, m, 0.5)
np.block([[A, x[:3, None]], [B[:1], B[1:2], x[None, 4:5]]])
np.block([x, y])
np.block([[M, 0.0 * M], [M, M]])
np.choose(i % 2, [x[:3], y[:3]])
np.piecewise(x, [x < 0, x >= 0.5], [lambda t: -t, lambda t: t * t, 3.0])
np.piecewise(x, x < 0, [0.5, lambda t: t * t])
np.apply_along_axis(np.cumsum, 1, A)
np.apply_along_axis(lambda r: r[:2] * r[2], 1, A)
np.polymul(x, y)
np.polyadd(x, y[:3])
np.polyder(x, 2)
np.polyfit(u, x, 2)
np.polyfit(u, x, 1, w=w)
np.pad(A, ((1, 0), (2, 1)), mode="linear_ramp", end_values=((0.5, 1.0), (2.0, 3.0)))
np.pad(x, 3, mode="reflect", reflect_type="odd")
np.linspace(x, y, 4)
np.linspace(0.0, w, 4, endpoint=False, axis=1)
np.geomspace(w, 2 * w, 3)
np.outer(A, x)
np.outer(2.0, x)
np.inner(2.0, x)
np.trapezoid(x, dx=w[0])
np.diff(x, prepend=0.0)
np.angle(z, deg=True)
np.var(A, axis=0, where=W > 0.8, ddof=0.5)
np.std(A, axis=1, mean=np.mean(A, axis=1, keepdims=True))
np.diag(x)
np.diag(A, 1)
np.diagflat(x, 1)
np.histogram(x, bins=4, range=(-2, 2), weights=w)[0]
np.fft.fft(x)
np.linalg.lstsq(M, A, rcond=None)[0]
np.linalg.multi_dot([M, M, A])
np.linalg.pinv(A)
np.linalg.qr(M)[1]
np.nan_to_num(N, nan=1.0)
np.cbrt(x)
np.logaddexp(x, y)
np.diagonal(T, axis1=1, axis2=2)
np.diagonal(A, 1)
np.diff(x)
np.diff(A, axis=0)
np.dot(A, B)
np.dot(x, y)
np.dot(T, B)
np.ediff1d(A)
np.ediff1d(x, to_begin=y[:2], to_end=y[:1])
np.einsum("ij,jk->ik", A, B)
np.einsum("ij,jk->ik", A, B, optimize=True)
np.expand_dims(x, 1)
np.extract(m, x)
np.fliplr(A)
np.flipud(A)
np.flip(A)
np.gradient(x)
np.gradient(x, 0.5)
np.gradient(x, u)
np.gradient(A)
np.gradient(A, axis=1, edge_order=2)
np.hstack([x, y])
np.inner(A, A)
np.interp(x, u, y)
np.interp(0.3, u, y)
np.interp(x, u, y, left=0.0, right=1.0)
np.kron(A, B)
np.linalg.det(M)
np.linalg.inv(M)
np.linalg.norm(A)
np.linalg.norm(A, axis=1)
np.linalg.solve(M, A)
np.linalg.svdvals(A)
np.max(A, axis=0)
np.mean(A, axis=1, dtype=np.float64)
np.median(A)
np.median(A, axis=1)
np.median(x[:6])
np.moveaxis(T, 0, -1)
np.nanmax(N, axis=1)
np.nanmean(N)
np.nanmean(N, axis=0)
np.nanmedian(N, axis=1)
np.nanmin(N)
np.nanpercentile(N, 30)
np.nanprod(N, axis=1)
np.nanquantile(N, 0.4, axis=1)
np.nanstd(N)
np.nansum(N, axis=0)
np.nanvar(N, axis=1, ddof=1)
np.nancumsum(N, axis=1)
np.outer(x, y)
np.pad(x, 2, mode="edge")
np.percentile(x, [10, 50])
np.percentile(A, 30, axis=1, keepdims=True)
np.polyval(w, x)
np.prod(A)
np.ptp(A, axis=1)
np.quantile(A, 0.3, axis=0)
np.quantile(A, [0.3, 0.6])
np.quantile(x, 0.3, method="nearest")
np.ravel(A)
np.real(z)
np.imag(z)
np.repeat(x, 2)
np.reshape(A, (4, 3))
np.roll(A, 1, axis=1)
np.rollaxis(T, 2)
np.rollaxis(T, 0, 3)
np.rot90(A)
np.select([x > 0.5, x < -0.5], [x, y], 0.0)
np.lib.stride_tricks.sliding_window_view(x, 3)
np.lib.stride_tricks.sliding_window_view(A, (2, 2))
np.sort(x)
np.sort(A, axis=0, kind="stable")
np.sign(x)
np.broadcast_to(x, (2, 7))
np.squeeze(np.expand_dims(x, 0))
np.stack([x, y], axis=1)
np.std(A, axis=0, ddof=1)
np.swapaxes(T, 0, 2)
np.take(A, i, axis=1)
np.tensordot(A, B, axes=1)
np.tile(x, 2)
np.trace(T, axis1=1, axis2=2)
np.transpose(T)
np.transpose(T, (1, 0, 2))
np.trapezoid(x, u)
np.tril(A)
np.unwrap(5 * x)
np.unwrap(5 * A, axis=0)
np.unwrap(5 * A, discont=4.0, period=3.0)
np.vander(x, 3)
np.var(A)
np.vdot(z, z)
np.vdot(A, A)
np.vstack([x, y])
np.where(m, x, y)
np.add.outer(x, y)
np.multiply.accumulate(x)
np.degrees(x)
np.sum(A, axis=1, keepdims=True)
changed(np.copyto, x, y)
changed(lambda t: np.copyto(t, 0.0, where=t > 0), x)
changed(np.putmask, x, m, 0.0)
changed(np.put, A, [0, 5, 7], [1.0, 2.0])
changed(np.place, x, m, [1.0, 2.0])
changed(np.fill_diagonal, M, 0.0)
changed(np.fill_diagonal, A, 2.0)
changed(lambda t: np.put_along_axis(t, np.argmax(t, axis=1)[:, None], 0.0, 1), A)
changed(lambda t: np.add(t, 1.0, out=t), x)
changed(lambda t: np.clip(t, 0, None, out=t), x)
""".strip().splitlines()
CONSTANT = """
np.zeros_like(x)
np.ones_like(A, shape=(2, 2))
np.full_like(x, 3.0)
np.round(x, 0)
np.fix(x)
np.unique(i, return_counts=True)
""".strip().splitlines()


@pytest.mark.parametrize("text", GRADIENT, ids=str)
def test_the_gradient_is_right(text: str) -> None:
    found = reach(text, SCOPE, INPUTS)
    assert found.outcome == "gradient", found.detail


@pytest.mark.parametrize("text", CONSTANT, ids=str)
def test_constants(text: str) -> None:
    found = reach(text, SCOPE, INPUTS)
    assert found.outcome == "constant", found.detail


@pytest.mark.parametrize(
    "text",
    [
        "np.ndim(A)", "np.shape(A)", "np.size(A)", "np.size(A, 1)", "np.iscomplexobj(z)", "np.iscomplexobj(x)", "np.isrealobj(x)",
        "np.result_type(x, np.float32)", "np.can_cast(i, np.int8)", "np.argmax(A, axis=1).tolist()",
        "np.argsort(x, kind='stable').tolist()",
        "np.flatnonzero(m).tolist()", "np.isreal(z).tolist()", "np.isposinf(x).tolist()", "np.nanargmax(N, axis=0).tolist()",
        "np.unique(i).tolist()", "np.searchsorted(u, x).tolist()", "np.array_equal(x, x)", "np.allclose(x, y)", "np.any(x > 0) == True",
        "np.count_nonzero(m) == 4", "np.histogram(x)[0].tolist()",
        "np.histogram(x, bins=3, range=(-1, 1))[0].tolist()", "np.isscalar(x)", "[part.tolist() for part in np.nonzero(m)]",
    ],
)  # fmt: skip
def test_facts_and_indices(text: str) -> None:
    tensors = {name: pg.tensor(a) for name, a in INPUTS.items()}
    assert eval(text, {**SCOPE, **tensors}) == eval(text, {**SCOPE, **INPUTS})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: np.roots(x), "numpy.roots.*polygrad has no operation for this call"),
        (lambda x: np.polyfit([1.0, 2.0], x[:2], 1, full=True), r"numpy\.polyfit: full=True"),
        (lambda x: np.linalg.qr(x[None], mode="raw"), r"numpy\.linalg\.qr: mode"),
        (lambda x: np.max(x, where=x > 1), "initial= has to be given"),
        (lambda x: np.unique(x, axis=0), r"numpy\.unique.*polygrad has no operation"),
        (lambda x: np.reshape(x[::-1], (3, 1), order="A"), "order='A' asks for the memory layout"),
        (lambda x: np.sort(x, order="f", kind=None, stable=3, axis=9), "sort"),
        (lambda x: np.add(x, 1.0, out=np.zeros(3)), r"numpy\.add\(\.\.\., out=float64\[3\]\).*lose the graph"),
        (lambda x: np.mean(x, out=np.zeros(())), r"numpy\.mean\(\.\.\., out=.*lose the graph"),
        (lambda x: np.add(x, 1.0, where=np.asarray([True, False, True])), r"numpy\.add.*polygrad has no operation"),
        (lambda x: np.average(x, weights=np.ones(2)), "need an axis"),
        (lambda x: np.split(x, 2), "does not divide"),
        (lambda x: np.interp(x, [0.0, 1.0], [0.0, 1.0], period=1.0), "period is not supported"),
    ],
)
def test_what_is_refused_says_why(call: Any, message: str) -> None:
    x = pg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    with pytest.raises((TypeError, ValueError, IndexError), match=message):
        call(x)


def test_the_namespace_of_another_library(backend: str, xp: Any) -> None:
    """NumPy's names on Tensors that hold no NumPy arrays stay in their library."""
    x = pg.tensor(np.asarray([3.0, 1.0, 2.0]), backend=backend, requires_grad=True)
    y = np.concatenate([np.mean(x)[None], np.cumsum(x), np.average(x, weights=x * 1)[None]])
    assert y.backend == backend
    np.testing.assert_allclose(y.tolist(), [2.0, 3.0, 4.0, 6.0, 14 / 6])
    assert y.requires_grad
