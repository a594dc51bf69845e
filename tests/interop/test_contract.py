"""What the consumers of the Array API take for granted of an array and of its namespace, point by point."""

from __future__ import annotations

import array
import copy
import functools
import gc
import importlib.util
import math
import pickle
import re
import sys
import warnings
import weakref
from collections.abc import Callable
from typing import Any

import array_api_compat
import numpy as np
import pytest

import polygrad as pg
from polygrad.errors import ConversionError, DetachWarning
from support.gradient_checks import host, other_backend, tensor


def leaf(data: Any, backend: str, dtype: str = "float64") -> Any:
    return tensor(np.asarray(data, dtype=dtype), backend, requires_grad=True)


def gradient(y: Any, *xs: Any) -> Any:
    """The gradient of the sum, as NumPy arrays."""
    grads = [host(g) for g in pg.autograd.grad(y.sum(), xs, materialize_grads=True)]
    return grads[0] if len(grads) == 1 else grads


# -- namespaces -----------------------------------------------------------------------------------------------------------
def test_a_namespace_is_one_object_that_can_be_hashed(backend: str, xp: Any) -> None:
    x = leaf([1.0, 2.0], backend)
    for other in (
        pg.namespace(backend),
        x.__array_namespace__(),
        (x * 2).__array_namespace__(),
        xp.asarray(x).__array_namespace__(),
    ):
        assert other is xp
    # by identity: torch.compile cannot trace a hash or an equality of our own
    assert type(xp).__hash__ is object.__hash__
    assert type(xp).__eq__ is object.__eq__

    @functools.lru_cache
    def cached(namespace: Any) -> Any:
        return object()

    assert cached(xp) is cached(pg.namespace(backend))
    assert len({xp, x.__array_namespace__()}) == 1


def test_names_of_namespaces(backend: str, xp: Any) -> None:
    assert xp.__name__ == f"polygrad.{backend}"
    assert xp.__name__ != pg.get_backend(backend).xp.__name__
    assert "marray" not in xp.__name__  # SciPy takes that for another library
    for name in ("numpy", "torch", "jax", "cupy", "dask", "pydata_sparse", "ndonnx"):
        assert not getattr(array_api_compat, f"is_{name}_namespace")(xp), (
            "a consumer would call the library itself with Tensors"
        )
    assert array_api_compat.array_namespace(leaf([1.0], backend), leaf([2.0], backend)) is xp
    names = [pg.namespace(name).__name__ for name in (backend, other_backend(backend))]
    assert len(set(names)) == 2


def test_a_namespace_survives_pickle_and_copies(xp: Any) -> None:
    assert pickle.loads(pickle.dumps(xp)) is xp
    assert copy.deepcopy(xp) is xp
    assert copy.copy(xp) is xp


# -- mixing ---------------------------------------------------------------------------------------------------------------
def test_mixing_with_plain_arrays_raises(backend: str) -> None:
    x = leaf([1.0, 2.0], backend)
    with pytest.raises(TypeError, match="Multiple namespaces"):
        array_api_compat.array_namespace(x, np.ones(2))


def test_mixing_libraries_in_one_operation_raises_and_names_the_cure(backend: str) -> None:
    other = other_backend(backend)
    x = leaf([1.0, 2.0], backend)
    for y in (pg.ones(2, backend=other), pg.ones(2, backend=other).array):
        with pytest.raises(ValueError, match=r"different backends.*to_backend"):
            pg.add(x, y)


# -- leaving the graph ----------------------------------------------------------------------------------------------------
def test_array_raises_with_advice(backend: str) -> None:
    x = leaf([1.0, 2.0], backend)
    for y in (x, x * 2):
        for convert in (np.asarray, np.array, lambda y: y.numpy(), lambda y: np.from_dlpack(y)):
            with pytest.raises(
                TypeError, match=r"(?i)the graph would be lost silently\..* use tensor\.detach\(\).*allow_detach\(\)"
            ):
                convert(y)
    np.testing.assert_array_equal(np.asarray(x.detach()), [1.0, 2.0])
    with pg.no_grad():  # as in torch, it is the Tensor that counts
        with pytest.raises(TypeError, match="the graph would be lost"):
            np.asarray(x)
        np.testing.assert_array_equal(np.asarray(x * 2), [2.0, 4.0])


def test_inside_a_transform_it_raises_too(backend: str, xp: Any) -> None:
    def f(x: Any) -> Any:
        with pytest.raises(TypeError, match="the graph would be lost"):
            np.asarray(x)
        return (x * x).sum()

    x = tensor(np.asarray([1.0, 2.0]), backend)
    pg.func.grad(f)(x)
    pg.func.jvp(f, (x,), (x,))


def test_allow_detach(backend: str) -> None:
    x = leaf([1.0, 2.0], backend)
    with pg.interop.allow_detach():
        np.testing.assert_array_equal(np.asarray(x), [1.0, 2.0])
        np.testing.assert_array_equal((x * 2).numpy(), [2.0, 4.0])
        y = x * float(np.asarray(x)[1])  # a constant of the graph, which goes on
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert float(x[0]) == 1.0
    np.testing.assert_array_equal(gradient(y, x), [2.0, 2.0])
    with pytest.raises(TypeError, match="the graph would be lost"):
        np.asarray(x)

    @pg.interop.allow_detach
    def total(x: Any) -> Any:
        return np.asarray(x).sum()

    assert total(x) == 3.0
    with pytest.raises(ZeroDivisionError), pg.interop.allow_detach():
        raise ZeroDivisionError
    with pytest.raises(TypeError, match="the graph would be lost"):
        np.asarray(x)


class TestScalars:
    """As torch: all conversions are allowed. Of a tracked Tensor float() and complex() warn, once for each line."""

    def test_they_are_allowed(self, backend: str) -> None:
        x = leaf(2.5, backend)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert (int(x), bool(x), x.item(), x.tolist()) == (2, True, 2.5, 2.5)
            assert float(x.detach()) == 2.5
            assert complex(x.detach()) == 2.5

    @pytest.mark.parametrize("convert", [float, complex])
    def test_a_warning_is_given_at_the_line_that_converts(self, convert: Callable[..., Any], backend: str) -> None:
        x = leaf(2.5, backend)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("default")
            for _ in range(2):
                assert convert(x) == 2.5
            assert convert(x * 1) == 2.5
        assert len(caught) == 2
        assert all(warning.filename == __file__ for warning in caught)
        assert re.search(rf"{convert.__name__}\(tensor\).*item\(\).*detach\(\)", str(caught[0].message))

    @pytest.mark.parametrize(
        "function",
        [math.exp, np.float64, lambda x: np.fromiter([x], float), lambda x: round(float(x))],
    )
    def test_what_asks_for_a_number_warns_too(self, function: Callable[..., Any]) -> None:
        with pytest.warns(DetachWarning):
            function(leaf(2.5, "numpy"))

    def test_a_write_into_an_array_of_another_library_raises(self) -> None:
        x, out, numbers = leaf(2.5, "numpy"), np.zeros(2), array.array("d", [0.0])
        with pytest.raises(ValueError, match="setting an array element") as caught:
            out[0] = x
        assert isinstance(caught.value.__cause__, ConversionError)
        with pytest.raises(ConversionError, match=r"polygrad\.asarray\(\[x, y\]\)"):
            numbers[0] = x
        with pytest.raises(ConversionError):
            out[:] = x
        with pg.interop.allow_detach():
            out[0] = x
        out[1] = x.detach()
        assert out.tolist() == [2.5, 2.5]

    @pytest.mark.parametrize(
        "call",
        [
            lambda x: np.array([x, x]),
            lambda x: np.array([[x, 0.0]]),
            lambda x: np.mean([x, x]),
            lambda x: np.ones(1).dot(x[None]),
        ],
    )
    def test_the_error_names_the_way_that_keeps_the_gradient(self, call: Callable[..., Any]) -> None:
        with pytest.raises(ConversionError, match=r"polygrad\.asarray\(\[x, y\]\) or numpy\.stack"):
            call(leaf(2.5, "numpy"))

    def test_an_error_is_raised_every_time(self, backend: str) -> None:
        x = leaf(2.5, backend)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for _ in range(2):
                with pytest.raises(DetachWarning):
                    float(x)


# -- making arrays --------------------------------------------------------------------------------------------------------
def test_asarray_is_the_identity_on_tensors(backend: str, xp: Any) -> None:
    x = leaf([1.0, 2.0], backend)
    y = x * 2
    for value in (x, y):
        assert xp.asarray(value) is value
        assert xp.asarray(value, dtype=value.dtype) is value
    copied = xp.asarray(y, copy=True)
    assert copied is not y
    np.testing.assert_array_equal(gradient(copied, x), [2.0, 2.0])
    np.testing.assert_array_equal(gradient(xp.asarray(x, dtype=xp.float32), x), [1.0, 1.0])


def test_asarray_stacks_tensors(backend: str, xp: Any) -> None:
    x = leaf([1.0, 2.0], backend)
    stacked = xp.asarray([x[0], x[1] * 3])
    assert stacked.tolist() == [1.0, 6.0]
    np.testing.assert_array_equal(gradient(stacked, x), [1.0, 3.0])
    nested = xp.asarray([[x[0], 1.0], [2, x[1]]])
    assert nested.tolist() == [[1.0, 1.0], [2.0, 2.0]]
    np.testing.assert_array_equal(gradient(nested, x), [1.0, 1.0])


def test_asarray_adopts_arrays(backend: str, xp: Any) -> None:
    adopted = xp.asarray(np.asarray([1.0, 2.0]))
    assert isinstance(adopted, pg.Tensor)
    assert (adopted.backend, adopted.tolist()) == (backend, [1.0, 2.0])
    raw = tensor(np.asarray([1.0, 2.0]), backend).array
    assert xp.asarray(raw).array is raw


def test_functions_take_raw_arrays_of_the_backend(backend: str, xp: Any) -> None:
    x = leaf([1.0, 2.0], backend)
    raw = tensor(np.asarray([3.0, 4.0]), backend).array
    for y in (xp.multiply(x, raw), xp.multiply(raw, x), x * raw):
        assert y.tolist() == [3.0, 8.0]
        np.testing.assert_array_equal(gradient(y, x), [3.0, 4.0])
    np.testing.assert_array_equal(gradient(xp.where(raw > 3.5, x, raw), x), [0.0, 1.0])


def test_types_are_not_arrays(backend: str, xp: Any) -> None:
    """``is_array_api_obj(numpy.float64)`` is true of the type."""
    x = leaf([1.0, 2.0], backend, "float32")
    assert xp.astype(x, xp.float64).dtype == xp.float64
    assert xp.result_type(x, xp.float64) == xp.float64
    assert xp.isdtype(xp.float64, "real floating")
    assert xp.finfo(xp.float64).bits == 64
    for spec in ("float64", np.float64, np.dtype("float64")):
        assert x.to(spec).dtype == pg.get_backend(backend).dtype("float64")
    with pytest.raises(TypeError, match="takes an array of some library"):
        pg.Tensor(np.float64)


# -- in place -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda y, x, i: y.__isub__(1.0), [2.0, 2.0, 2.0]),
        (lambda y, x, i: y.__imul__(x), [4.0, 8.0, 12.0]),
        (lambda y, x, i: y.__itruediv__(4.0), [0.5, 0.5, 0.5]),
        (lambda y, x, i: y.__setitem__(1, 5.0), [2.0, 0.0, 2.0]),
        (lambda y, x, i: y.__setitem__(1, x[0] * 7), [9.0, 0.0, 2.0]),
        (lambda y, x, i: y.__setitem__(slice(0, 2), x[1:]), [0.0, 1.0, 3.0]),
        (lambda y, x, i: y.__setitem__(y > 3.0, 0.0), [2.0, 0.0, 0.0]),
        (lambda y, x, i: y.__setitem__(..., x * x), [2.0, 4.0, 6.0]),
        (lambda y, x, i: y.__setitem__(i, 0.0), [0.0, 2.0, 0.0]),
    ],
)
def test_in_place_operations_on_intermediates(change: Any, expected: list[float], backend: str, xp: Any) -> None:
    x = leaf([1.0, 2.0, 3.0], backend)
    y = x * 2
    change(y, x, xp.asarray([0, 2]))
    np.testing.assert_array_equal(gradient(y, x), expected)
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad is being used in an in-place operation"):
        change(x, x, xp.asarray([0, 2]))
    assert x.tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    "view",
    [
        lambda xp, y: xp.reshape(y, (3, 2)),
        lambda xp, y: y[1:, :],
        lambda xp, y: y[:, ::-1],
        lambda xp, y: y[0, ...],
        lambda xp, y: y.T,
        lambda xp, y: xp.matrix_transpose(y),
        lambda xp, y: xp.permute_dims(y, (1, 0)),
        lambda xp, y: xp.expand_dims(y, axis=0),
        lambda xp, y: xp.squeeze(xp.expand_dims(y, axis=0), axis=0),
        lambda xp, y: xp.moveaxis(y, 0, 1),
        lambda xp, y: xp.flip(y, axis=1),
        lambda xp, y: pg.split(y, 1)[1],
        lambda xp, y: xp.unstack(y)[1],
        lambda xp, y: xp.reshape(y.T, (2, 3))[0, 1:],
        lambda xp, y: y.reshape(-1)[::7],  # how scikit-learn adds to a diagonal
    ],
)
def test_views_write_to_their_base(view: Any, backend: str, xp: Any) -> None:
    """Values and gradients are those of the same program on NumPy arrays, by differences."""
    data = np.asarray([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    weights = np.arange(1.0, 7.0).reshape(2, 3)

    def program(y: Any, part: Any) -> Any:
        part *= 3.0
        part += 1.0
        return y

    x = leaf(data, backend)
    y = x * 2
    program(y, view(xp, y))
    plain = pg.tensor(data * 2)  # on NumPy, untracked
    program(plain, view(pg.namespace("numpy"), plain))
    np.testing.assert_array_equal(host(y), host(plain))
    (got,) = pg.autograd.grad((y * tensor(weights, backend)).sum(), x)
    written = host(plain) != data * 2
    np.testing.assert_array_equal(host(got), np.where(written, 6.0, 2.0) * weights)


def test_views_of_numpy_agree_with_numpy() -> None:
    """The same on plain arrays, which is what consumers were written for."""
    data = np.asarray([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    for view in (lambda y: y.reshape(3, 2), lambda y: y[1:, :], lambda y: y.T, lambda y: y.reshape(-1)[::7]):
        plain, y = data.copy(), pg.tensor(data) * 1
        for each in (plain, y):
            part = view(each)
            part *= 3.0
        np.testing.assert_array_equal(host(y), plain)


# -- the graph ------------------------------------------------------------------------------------------------------------
def test_edges_are_taken_when_recorded(backend: str) -> None:
    """An in-place operation makes no cycle: the graph is freed by counting references alone."""
    x = leaf([1.0, 2.0], backend)
    gc.disable()
    try:
        y = x * 2
        z = y * 3
        y += y
        y *= z
        reference = weakref.ref(y)
        np.testing.assert_array_equal(gradient(y, x), [48.0, 96.0])  # (4 x) (6 x)
        del y, z
        assert reference() is None
    finally:
        gc.enable()


def test_saved_values_are_snapshots(backend: str, xp: Any) -> None:
    """``e = exp(x); e /= sum(e)`` is the softmax."""
    x = leaf([0.1, 0.7, -0.4], backend)
    e = xp.exp(x)
    e /= xp.sum(e)
    p = host(e)
    (got,) = pg.autograd.grad(e[0], x)
    np.testing.assert_allclose(host(got), p[0] * (np.eye(3)[0] - p), rtol=1e-12)


@pytest.mark.parametrize(
    "key", [slice(None, None, -1), slice(None, None, -2), slice(4, 1, -1), slice(-1, -4, -2), slice(1, 3, -1)]
)
def test_negative_steps(key: slice, backend: str) -> None:
    data = np.asarray([1.0, 2.0, 3.0, 4.0, 5.0])
    x = leaf(data, backend)
    y = x[key]
    assert y.tolist() == data[key].tolist()
    expected = np.zeros(5)
    expected[key] = np.arange(1.0, 1.0 + data[key].size)
    (got,) = pg.autograd.grad((y * tensor(np.arange(1.0, 1.0 + data[key].size), backend)).sum(), x)
    np.testing.assert_array_equal(host(got), expected)
    z = x * 1
    z[key] = 0.0
    data[key] = 0.0
    assert z.tolist() == data.tolist()


def test_gradients_of_nothing_are_zero(backend: str, xp: Any) -> None:
    x, scalar = leaf([1.0, 2.0], backend), leaf(3.0, backend)
    empty = tensor(np.zeros((0, 2)), backend)
    np.testing.assert_array_equal(gradient(x * empty, x), [0.0, 0.0])
    assert gradient(scalar * empty, scalar) == 0.0
    np.testing.assert_array_equal(gradient(x[:0] * scalar, x, scalar)[0], [0.0, 0.0])
    if backend != "dask":  # whose boolean masks have no shape
        np.testing.assert_array_equal(gradient(x[x > 9.0] * scalar, x, scalar)[0], [0.0, 0.0])
    assert gradient(leaf(np.zeros((0, 3)), backend) ** 2, leaf(1.0, backend)) == 0.0


# -- dtypes and devices ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("dtype", "scalar"),
    [
        ("float32", 2.0),
        ("float32", 2),
        ("float64", 2),
        ("uint8", 2),
        ("int32", 2),
        ("complex64", 2.0),
        ("complex64", 2j),
    ],
)
def test_python_numbers_are_weak(dtype: str, scalar: Any, backend: str, xp: Any) -> None:
    x = tensor(np.asarray([1, 2], dtype=dtype), backend)
    for y in (x * scalar, scalar * x, x + scalar, xp.add(x, scalar), xp.multiply(scalar, x)):
        assert y.dtype == x.dtype
    x *= scalar
    assert x.dtype == tensor(np.asarray([1], dtype=dtype), backend).dtype


def test_dtypes_are_the_librarys(backend: str) -> None:
    x = leaf([1.0], backend)
    assert x.dtype == x.array.dtype
    if backend == "numpy":
        assert x.dtype.kind == "f"


def test_devices(backend: str, xp: Any) -> None:
    x = leaf([1.0, 2.0], backend)
    device = array_api_compat.device(x)
    assert device == x.device
    for y in (x.to_device(device), array_api_compat.to_device(x, device), xp.asarray(x, device=device)):
        np.testing.assert_array_equal(gradient(y * 1, x), [1.0, 1.0])
    for y in (
        xp.zeros((2,), device=device), xp.ones_like(x, device=device), xp.arange(3, device=device), xp.asarray([1.0], device=device),
        xp.full((2,), 1.0, device=device), xp.eye(2, device=device), xp.linspace(0.0, 1.0, 3, device=device), xp.empty((1,), device=device),
    ):  # fmt: skip
        assert y.device == device


@pytest.mark.parametrize(
    ("function", "slope"),
    [
        (lambda z: z * (1 + 2j), 1 + 2j),
        (lambda z: (1 + 2j) * z, 1 + 2j),
        (lambda z: z / (1 + 2j), 1 / (1 + 2j)),
        (lambda z: z - (1 + 2j), 1),
        (lambda z: (1 + 2j) - z, -1),
    ],
)
def test_adjoints_of_complex_numbers_are_conjugate(function: Any, slope: complex, backend: str) -> None:
    """A gradient is the conjugate of the slope, also where that is a Python number."""
    z = leaf([1 + 1j, 2 - 1j], backend, "complex128")
    (got,) = pg.autograd.grad(function(z), z, tensor(np.ones(2, dtype="complex128"), backend))
    np.testing.assert_allclose(host(got), np.full(2, np.conj(slope)))
    x = leaf([1.0, 2.0], backend)  # of a real input, the real part
    y = function(x.to("complex128"))
    (got,) = pg.autograd.grad(y, x, tensor(np.ones(2, dtype="complex128"), backend))
    np.testing.assert_allclose(host(got), np.full(2, np.real(np.conj(slope))))


# -- copies ---------------------------------------------------------------------------------------------------------------
def test_copies(backend: str) -> None:
    x = leaf([1.0, 2.0], backend)
    for other in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert other is not x
        assert (other.requires_grad, other.is_leaf, other.backend, other.tolist()) == (True, True, backend, [1.0, 2.0])
    y = copy.deepcopy({"a": x * 2})["a"]  # as xarray copies what it holds
    np.testing.assert_array_equal(gradient(y, x), [2.0, 2.0])


# -- what consumers ask beyond the standard -------------------------------------------------------------------------------
def test_names_beyond_the_standard(backend: str, xp: Any) -> None:
    for name in (
        "pad", "gradient", "median", "nanmedian", "nanmean", "nansum", "nanmax", "nanmin", "nanstd", "nanvar", "quantile", "nanquantile",
        "einsum", "tensordot", "transpose", "bincount", "isin", "special",
    ):  # fmt: skip
        assert hasattr(xp, name), name
    if hasattr(pg.get_backend(backend).xp, "float16"):
        assert xp.float16 == pg.get_backend(backend).xp.float16


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda xp, x: xp.median(x), 3.5),
        (lambda xp, x: xp.median(x, axis=1, keepdims=True), [[2.0], [5.0]]),
        (lambda xp, x: xp.median(x, axis=(0, 1)), 3.5),
        (lambda xp, x: xp.nanmedian(x, axis=0), [2.5, 3.5, 4.5]),
        (lambda xp, x: xp.quantile(x, 0.5, axis=0, method="lower"), [1.0, 2.0, 3.0]),
        (lambda xp, x: xp.gradient(x[0]), [1.0, 1.0, 1.0]),
        (lambda xp, x: xp.gradient(x, 0.5, axis=1), [[2.0, 2.0, 2.0], [2.0, 2.0, 2.0]]),
        (lambda xp, x: xp.gradient(x)[0], [[3.0, 3.0, 3.0], [3.0, 3.0, 3.0]]),
        (lambda xp, x: xp.nanmax(x, axis=0), [4.0, 5.0, 6.0]),
        (lambda xp, x: xp.nanvar(x), 35 / 12),
        (lambda xp, x: xp.lib.stride_tricks.sliding_window_view(x, 2, axis=1)[0], [[1.0, 2.0], [2.0, 3.0]]),
        (lambda xp, x: xp.pad(x[0], (1, 1)), [0.0, 1.0, 2.0, 3.0, 0.0]),
    ],
)
def test_they_mean_what_they_mean_in_numpy(call: Any, expected: Any, backend: str, xp: Any) -> None:
    y = call(xp, leaf([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], backend))
    np.testing.assert_allclose(np.asarray(y.tolist()), expected, rtol=1e-12)
    assert y.requires_grad


# -- special --------------------------------------------------------------------------------------------------------------
def test_every_ufunc_of_scipy_is_there(xp: Any) -> None:
    special = pytest.importorskip("scipy.special")
    ufuncs = [name for name in dir(special) if isinstance(getattr(special, name), np.ufunc)]
    assert len(ufuncs) > 200
    for name in ufuncs:
        assert hasattr(xp.special, name), name
    for name in ("logsumexp", "softmax", "log_softmax"):  # of which SciPy's own versions differentiate
        assert not hasattr(xp.special, name), name


def test_an_unknown_derivative_raises_in_the_backward_pass_and_not_before(backend: str, xp: Any) -> None:
    pytest.importorskip("scipy")
    x = leaf([1.5, 2.5], backend)
    y = xp.special.hyp1f1(x, 2.0, 0.5)
    assert y.requires_grad
    with pytest.raises(NotImplementedError, match=r"special\.hyp1f1: no derivative is known.*detach\(\)"):
        y.sum().backward()


def test_importing_polygrad_imports_no_consumer() -> None:
    import subprocess

    code = "import sys, polygrad; polygrad.ones(2) * 2; print(sorted({'scipy', 'sklearn', 'xarray', 'einops'} & set(sys.modules)))"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )
    assert importlib.util.find_spec("polygrad.interop.consumers") is not None
