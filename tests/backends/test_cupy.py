"""CuPy on a GPU: scatter-add in every dtype, devices, streams, special functions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polygrad
from support.gradient_checks import only_on

only_on("cupy")
cp = pytest.importorskip("cupy")
if polygrad.get_backend("cupy").missing():
    pytest.skip(polygrad.get_backend("cupy").missing() or "", allow_module_level=True)


@pytest.mark.parametrize(
    "dtype", ["int8", "int16", "int32", "int64", "uint8", "uint32", "uint64", "float32", "float64", "complex64", "complex128"]
)  # fmt: skip
@pytest.mark.parametrize(
    "key", [(np.asarray([0, 2, 0]),), (slice(None), np.asarray([[1], [1]])), (np.asarray([1, 1]), np.asarray([0, 0]))]
)
def test_scatter_add_counts_duplicates_in_every_dtype(dtype: str, key: Any) -> None:
    shape = (3, 4)
    values = np.arange(np.empty(shape)[key].size).reshape(np.empty(shape)[key].shape).astype(dtype)
    expected = np.zeros(shape, dtype)
    np.add.at(expected, key, values)
    on_device = tuple([cp.asarray(part) if isinstance(part, np.ndarray) else part for part in key])
    got = polygrad.get_backend("cupy").raw.getitem_adjoint(cp.asarray(values), key=on_device, shape=shape)
    assert got.dtype == expected.dtype
    np.testing.assert_array_equal(cp.asnumpy(got), expected)


def test_a_graph_on_a_stream_of_its_own() -> None:
    with cp.cuda.Stream(non_blocking=True) as stream:
        x = polygrad.asarray(cp.linspace(0.0, 1.0, 10_000)).requires_grad_()
        (polygrad.sin(x) * x).sum().backward()
    stream.synchronize()
    values = np.linspace(0.0, 1.0, 10_000)
    np.testing.assert_allclose(cp.asnumpy(x.grad.array), np.cos(values) * values + np.sin(values), rtol=1e-12)


def test_devices_by_name() -> None:
    names = polygrad.get_backend("cupy").devices()
    assert names[0] == "cuda:0"
    for name in names:
        for made in (polygrad.ones(2, backend="cupy", device=name), polygrad.randn(2, backend="cupy", device=name)):
            assert f"cuda:{made.device.id}" == name
    with pytest.raises(polygrad.errors.BackendError, match=r"cupy has no device 'cuda:99' here; it has 'cuda:0'"):
        polygrad.ones(2, backend="cupy", device="cuda:99")
    with pytest.raises(
        polygrad.errors.BackendError, match=r"no device 'cpu', .*; x\.to_backend\('numpy'\) and x\.numpy\(\)"
    ):
        polygrad.ones(2, backend="cupy").cpu()


def test_moving_between_devices_takes_the_gradient_back() -> None:
    if len(polygrad.get_backend("cupy").devices()) < 2:
        pytest.skip("there is one GPU here")
    x = polygrad.ones(2, backend="cupy", device="cuda:0", requires_grad=True)
    with cp.cuda.Device(1):
        y = x.to("cuda:1")
        (y * y).sum().backward()
    assert x.grad.device.id == 0
    assert x.grad.tolist() == [2.0, 2.0]


@pytest.mark.parametrize("name", ["erf", "gammaln", "digamma", "ndtr", "i0", "expit", "entr"])
def test_special_functions_stay_on_the_device(name: str) -> None:
    special = pytest.importorskip("scipy.special")
    values = np.asarray([0.25, 0.5, 0.75])
    function = polygrad.get_backend("cupy").special(name)
    assert isinstance(function(cp.asarray(values)), cp.ndarray)
    np.testing.assert_allclose(cp.asnumpy(function(cp.asarray(values))), getattr(special, name)(values), rtol=1e-10)


VALUES = np.asarray([0.25, 0.5, 0.75])


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("expit", (VALUES + 1j,)), ("expn", (np.asarray([0, 1, 2]), VALUES.astype("float32"))), ("gamma", (VALUES + 1j,)),
        ("gammaln", (VALUES.astype("float32"),)), ("i0e", (1000 * VALUES,)), ("k1e", (1000 * VALUES,)), ("polygamma", (1, VALUES)),
        ("pseudo_huber", (1.0, 1e-6 * VALUES)), ("zeta", (-VALUES,)), ("zeta", (VALUES + 1, VALUES)),
    ],
)  # fmt: skip
def test_special_functions_have_the_values_and_dtypes_of_scipy(name: str, args: Any) -> None:
    pytest.importorskip("scipy")
    expected = polygrad.backend.scipy_special(name)(*args)
    single = any(getattr(arg, "dtype", None) == np.float32 for arg in args)
    function = getattr(polygrad.get_backend("cupy").raw.special, name)
    got = function(*[cp.asarray(arg) if isinstance(arg, np.ndarray) else arg for arg in args])
    assert got.dtype == (np.float32 if single else expected.dtype)
    np.testing.assert_allclose(cp.asnumpy(got), expected, rtol=1e-6 if single else 1e-10)


def test_lambertw_of_real_numbers_is_real() -> None:
    special = pytest.importorskip("scipy.special")
    got = polygrad.get_backend("cupy").raw.special.lambertw(cp.asarray([-1.0, 0.5, 2.0]))
    np.testing.assert_allclose(cp.asnumpy(got), [np.nan, *special.lambertw([0.5, 2.0]).real], rtol=1e-12)


@pytest.mark.parametrize(
    "name", ["angle", "sinc", "special.exprel", "special.gammainc", "special.sinc", "special.xlog1py"]
)
def test_nan_stays_nan(name: str) -> None:
    function = polygrad.get_backend("cupy").lookup(name)
    x = cp.asarray([np.nan, 1.0])
    for args in ((x,),) if "gamma" not in name and "log" not in name else ((x, cp.zeros(2)), (cp.zeros(2), x)):
        got = cp.asnumpy(function(*args))
        assert np.isnan(got[0])
        assert not np.isnan(got[1])


def test_the_sign_of_zero_is_kept() -> None:
    for zero in (-0.0, np.float32(-0.0), np.asarray(-0.0), [-0.0], np.asarray([-0.0])):
        for made in (polygrad.asarray(zero, backend="cupy"), polygrad.tensor(zero, backend="cupy")):
            assert made.shape == np.shape(zero)
            assert np.signbit(cp.asnumpy(made.array)).all()


def test_seeds_repeat_on_every_device() -> None:
    for device in polygrad.get_backend("cupy").devices():
        polygrad.manual_seed(1, backend="cupy")
        first = polygrad.randn(5, backend="cupy", device=device).tolist()
        polygrad.manual_seed(1, backend="cupy")
        assert polygrad.randn(5, backend="cupy", device=device).tolist() == first
