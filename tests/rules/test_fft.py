"""The Fourier transforms: against torch, in both modes and to second order, with every norm, padded, cut, even and odd."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polygrad
from support.gradient_checks import check, host, tensor, torch

RNG = np.random.default_rng(11)


def real(*shape: int) -> np.ndarray:
    return np.asarray(RNG.normal(size=shape))


def cplx(*shape: int) -> np.ndarray:
    return real(*shape) + 1j * real(*shape)


R5, R6, C5, C6 = real(5), real(6), cplx(5), cplx(6)
R, C = real(3, 4, 5), cplx(3, 4, 5)

ONE = [
    *[(name, C6, {}) for name in ("fft", "ifft", "irfft", "hfft")],
    *[(name, C5, {}) for name in ("fft", "ifft", "irfft", "hfft")],
    *[(name, R6, {}) for name in ("rfft", "ihfft")],
    *[(name, R5, {}) for name in ("rfft", "ihfft")],
    *[(name, C, {"axis": 1, "norm": "ortho"}) for name in ("fft", "ifft", "irfft", "hfft")],
    *[(name, R, {"axis": 1, "norm": "ortho"}) for name in ("rfft", "ihfft")],
    *[(name, C, {"axis": -3, "norm": "forward", "n": 5}) for name in ("fft", "ifft", "irfft", "hfft")],  # padded
    *[(name, R, {"axis": -3, "norm": "forward", "n": 5}) for name in ("rfft", "ihfft")],
    *[(name, C, {"n": 4}) for name in ("fft", "ifft", "irfft", "hfft")],  # cut
    *[(name, R, {"n": 4}) for name in ("rfft", "ihfft")],
    *[(name, C, {"n": 10, "norm": "forward"}) for name in ("irfft", "hfft")],  # from six elements of five
    *[(name, C, {"n": n}) for n in (1, 2, 3) for name in ("irfft", "hfft")],
    *[(name, R, {"n": n}) for n in (1, 2, 3) for name in ("rfft", "ihfft")],
]


def label(case: tuple[str, Any, dict[str, Any]]) -> str:
    return f"{case[0]}-{case[1].shape}-{case[2]}"


@pytest.mark.parametrize("case", ONE, ids=label)
def test_one_axis(case: tuple[str, Any, dict[str, Any]], backend: str, xp: Any) -> None:
    name, x, params = case
    theirs = {"dim" if key == "axis" else key: value for key, value in params.items()}
    check(
        lambda x: getattr(xp.fft, name)(x, **params),
        [x],
        backend,
        reference=lambda x: getattr(torch.fft, name)(x, **theirs),
    )


MANY = [
    *[(name, C, {}) for name in ("fftn", "ifftn", "irfftn", "hfftn")],
    *[(name, R, {}) for name in ("rfftn", "ihfftn")],
    *[(name, C, {"axes": (2, 0), "norm": "ortho"}) for name in ("fftn", "ifftn", "irfftn", "hfftn")],
    *[(name, R, {"axes": (2, 0), "norm": "ortho"}) for name in ("rfftn", "ihfftn")],
    *[(name, C, {"axes": (0, -1), "s": (5, 4), "norm": "forward"}) for name in ("fftn", "ifftn", "irfftn", "hfftn")],
    *[(name, R, {"axes": (0, -1), "s": (5, 4), "norm": "forward"}) for name in ("rfftn", "ihfftn")],
    *[(name, C, {"axes": (-2,), "s": (3,)}) for name in ("fftn", "irfftn", "hfftn")],
    *[(name, R, {"axes": (-2,), "s": (3,)}) for name in ("rfftn", "ihfftn")],
    *[(name, C, {}) for name in ("fft2", "ifft2", "irfft2", "hfft2")],
    *[(name, R, {}) for name in ("rfft2", "ihfft2")],
    *[(name, C, {"axes": (0, 1), "s": (2, 7), "norm": "ortho"}) for name in ("fft2", "ifft2", "irfft2", "hfft2")],
    *[(name, R, {"axes": (0, 1), "s": (2, 7), "norm": "ortho"}) for name in ("rfft2", "ihfft2")],
]


@pytest.mark.parametrize("case", MANY, ids=label)
def test_several_axes(case: tuple[str, Any, dict[str, Any]], backend: str, xp: Any) -> None:
    name, x, params = case
    theirs = {"dim" if key == "axes" else key: value for key, value in params.items()}
    check(
        lambda x: getattr(xp.fft, name)(x, **params),
        [x],
        backend,
        reference=lambda x: getattr(torch.fft, name)(x, **theirs),
    )


@pytest.mark.parametrize("name", ["fft", "ifft", "irfft", "hfft", "fftn", "irfftn"])
def test_a_real_input_gets_a_real_gradient(name: str, backend: str, xp: Any) -> None:
    if backend == "array_api_strict":
        pytest.skip("the standard takes complex input here")
    check(getattr(xp.fft, name), [R], backend, reference=getattr(torch.fft, name))


@pytest.mark.parametrize("name", ["fftshift", "ifftshift"])
@pytest.mark.parametrize("axes", [None, 1, (0, -1)])
def test_shifts(name: str, axes: Any, backend: str, xp: Any) -> None:
    check(
        lambda x: getattr(xp.fft, name)(x, axes=axes),
        [C],
        backend,
        reference=lambda x: getattr(torch.fft, name)(x, axes),
    )


def test_zero_padding_comes_back_as_a_cut(backend: str, xp: Any) -> None:
    x = tensor(C5, backend, True)
    xp.fft.ifft(xp.fft.fft(x, n=9))[0].real.backward()
    np.testing.assert_allclose(host(x.grad), [1, 0, 0, 0, 0], atol=1e-15)


def test_empty_batch(backend: str, xp: Any) -> None:
    if backend == "torch":
        pytest.skip("the library does not transform an empty array")
    x = tensor(np.zeros((0, 4)), backend, True)
    y = xp.fft.rfft(x)
    assert tuple(y.shape) == (0, 3)
    xp.sum(xp.abs(y)).backward()
    assert tuple(x.grad.shape) == (0, 4)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gradients_keep_the_precision(dtype: str, backend: str, xp: Any) -> None:
    x = tensor(R.astype(dtype), backend, True)
    y = xp.fft.irfft(xp.fft.rfft(x), n=5)
    assert y.dtype == x.dtype
    xp.sum(y * y).backward()
    assert x.grad.dtype == x.dtype
    np.testing.assert_allclose(host(x.grad), 2 * R, rtol=1e-4)


@pytest.mark.parametrize("name", ["fftfreq", "rfftfreq"])
@pytest.mark.parametrize("n", [1, 6, 7])
def test_frequencies(name: str, n: int, backend: str, xp: Any) -> None:
    expected = getattr(np.fft, name)(n, 0.5)
    got = getattr(xp.fft, name)(n, d=0.5, dtype="float64")
    assert got.backend == backend
    np.testing.assert_allclose(host(got), expected)
    assert getattr(xp.fft, name)(n, dtype="float32").dtype == polygrad.get_backend(backend).dtype("float32")
    assert getattr(xp.fft, name)(n).dtype == xp.ones(1).dtype


NAMES = [("fft", C5), ("ifft", C5), ("rfft", R5), ("irfft", C5), ("hfft", C5), ("ihfft", R5), ("fftn", C), ("rfftn", R)]
NAMES += [("irfftn", C), ("hfftn", C), ("ihfftn", R), ("fft2", C), ("irfft2", C), ("fftshift", C5), ("ifftshift", R5)]


@pytest.mark.parametrize(("name", "x"), NAMES, ids=lambda value: value if isinstance(value, str) else "")
def test_node_names_are_torchs(name: str, x: Any, backend: str, xp: Any) -> None:
    theirs = getattr(torch.fft, name)(torch.tensor(x, requires_grad=True)).grad_fn.name()
    assert getattr(xp.fft, name)(tensor(x, backend, True)).grad_fn.name() == theirs
