"""scipy.fft on Tensors, by the uarray backend that polygrad registers."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import polygrad as pg
from support.gradient_checks import check, host, tensor

fft = pytest.importorskip("scipy.fft")
RNG = np.random.default_rng(8)
REAL = ("dct", "idct", "dst", "idst")


@pytest.mark.parametrize("orthogonalize", [None, True, False])
@pytest.mark.parametrize("norm", [None, "backward", "ortho", "forward"])
@pytest.mark.parametrize("kind", [1, 2, 3, 4])
@pytest.mark.parametrize("name", REAL)
def test_values(name: str, kind: int, norm: str | None, orthogonalize: bool | None, backend: str) -> None:
    function = getattr(fft, name)
    for n in (2, 5, 8):
        x = RNG.normal(size=(3, n))
        y = function(tensor(x, backend), kind, norm=norm, orthogonalize=orthogonalize)
        assert y.backend == backend
        np.testing.assert_allclose(host(y), function(x, kind, norm=norm, orthogonalize=orthogonalize), atol=1e-12)


@pytest.mark.parametrize("kind", [1, 2, 3, 4])
@pytest.mark.parametrize("name", REAL)
def test_derivatives(name: str, kind: int, backend: str) -> None:
    function = getattr(fft, name)
    check(lambda x: function(x, kind, norm="ortho"), [RNG.normal(size=(2, 5))], backend)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("dct", {"n": 4}), ("dct", {"n": 9, "axis": 0}), ("dctn", {}), ("idctn", {"axes": (0,)}), ("dstn", {"s": (3, 4)}),
        ("idstn", {"norm": "ortho", "axes": (-1, 0)}), ("dctn", {"s": 4, "axes": 1}), ("dct", {"overwrite_x": True, "workers": 1}),
        ("fft", {}), ("fft", {"n": 8, "axis": 0}), ("ifft", {"norm": "ortho"}), ("rfft", {}), ("irfft", {}), ("ihfft", {}), ("fft2", {}),
        ("ifftn", {"axes": (0,)}), ("rfftn", {"s": (4, 4)}), ("fftshift", {}), ("ifftshift", {"axes": 0}),
    ],
)  # fmt: skip
def test_options(name: str, options: dict[str, Any], backend: str) -> None:
    function = getattr(fft, name)
    x = RNG.normal(size=(5, 6))
    given = (
        x.astype("complex128")
        if backend == "array_api_strict" and name in ("fft", "ifft", "irfft", "fft2", "ifftn")
        else x
    )
    np.testing.assert_allclose(
        host(function(tensor(given, backend), **options)), function(given, **options), atol=1e-12
    )


def test_complex_input_and_other_dtypes(backend: str) -> None:
    z = RNG.normal(size=6) + 1j * RNG.normal(size=6)
    np.testing.assert_allclose(host(fft.dct(tensor(z, backend))), fft.dct(z), atol=1e-12)
    single = fft.dct(tensor(z.real.astype("float32"), backend))
    assert host(single).dtype == np.float32
    np.testing.assert_allclose(host(fft.dct(tensor(np.arange(4), backend))), fft.dct(np.arange(4)), atol=1e-5)


def test_arrays_go_to_scipy_as_before(backend: str) -> None:
    x = RNG.normal(size=6)
    assert type(fft.dct(x)) is np.ndarray
    assert type(fft.fft(x.tolist())) is np.ndarray


def test_errors(backend: str) -> None:
    x = tensor(RNG.normal(size=(2, 1)), backend)
    with pytest.raises(ValueError, match="is 1, 2, 3 or 4, not 5"):
        fft.dct(x, 5)
    with pytest.raises(ValueError, match=r"invalid number of data points \(1\)"):
        fft.dct(x, 1)


@pytest.mark.parametrize(
    "order",
    [
        "import polygrad, scipy.fft",
        "import scipy.fft, polygrad",
        "import polygrad; polygrad.ones(2); from scipy import fft",
    ],
)
def test_any_order_of_imports(order: str, backend: str) -> None:
    if backend != "numpy":
        pytest.skip("once is enough")
    code = f"{order}; import scipy.fft; print(scipy.fft.dct(polygrad.ones(2, requires_grad=True)).requires_grad)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "True"


def test_under_a_transform(backend: str) -> None:
    x = tensor(RNG.normal(size=5), backend)
    jacobian = pg.func.jacrev(lambda x: fft.dct(x, norm="ortho"))(x)
    np.testing.assert_allclose(host(jacobian), fft.dct(np.eye(5), axis=0, norm="ortho"), atol=1e-12)
