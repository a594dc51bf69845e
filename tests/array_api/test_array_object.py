"""A Tensor as an array object of the standard: attributes, methods with the standard's signatures, conversions, devices, DLPack."""

from __future__ import annotations

import inspect
import operator
from typing import Any

import numpy as np
import pytest

import polygrad as pg
from support.library_comparison import KINDS, Bare, kind, ordinary, special


@pytest.fixture
def bare(backend: str) -> Bare:
    return Bare(backend)


BINARY = "add and eq floordiv ge gt le lshift lt matmul mod mul ne or pow rshift sub truediv xor"
COMPARISONS = {"eq", "ge", "gt", "le", "lt", "ne"}
METHODS = {
    **{f"__{name}__": "self, other, /" for name in BINARY.split()},
    **{f"__r{name}__": "self, other, /" for name in BINARY.split() if name not in COMPARISONS},
    **{f"__i{name}__": "self, other, /" for name in BINARY.split() if name not in COMPARISONS},
    **{f"__{name}__": "self, /" for name in ("abs", "bool", "complex", "dlpack_device", "float", "index", "int", "invert", "neg", "pos")},
    "__array_namespace__": "self, /, *, api_version=None",
    "__dlpack__": "self, /, *, stream=None, max_version=None, dl_device=None, copy=None",
    "__getitem__": "self, key, /",
    "__setitem__": "self, key, value, /",
    "to_device": "self, device, /, *, stream=None",
}  # fmt: skip
"""The methods of the standard's array object, and the reflected and in-place operators, with their signatures."""
ATTRIBUTES = ("dtype", "device", "mT", "ndim", "shape", "size", "T")


@pytest.mark.parametrize("name", METHODS)
def test_signature(name: str, backend: str) -> None:
    """The standard's parameters in number, order and kind; by name where they can be passed by name."""
    wanted = list(inspect.signature(eval(f"lambda {METHODS[name]}: None")).parameters.values())
    of_class = inspect.signature(getattr(pg.Tensor, name))
    bound = inspect.signature(getattr(pg.ones(1, dtype="float32"), name))
    for signature, expected in ((of_class, wanted), (bound, wanted[1:])):
        got = list(signature.parameters.values())
        assert [p.kind for p in got] == [p.kind for p in expected]
        assert [p.default for p in got] == [p.default for p in expected]
        assert [p.name for p in got if p.kind is p.KEYWORD_ONLY] == [
            p.name for p in expected if p.kind is p.KEYWORD_ONLY
        ]


def test_attributes(bare: Bare) -> None:
    for dtype in bare.dtypes:
        for shape in ((2, 3), (), (0,), (2, 1, 3)):
            x = ordinary(dtype, *shape)
            for name in ATTRIBUTES:
                if name == "device" or (name == "size" and bare.name == "torch"):
                    continue  # torch's size is a method
                if (name == "T" and len(shape) != 2) or (name == "mT" and len(shape) < 2):
                    continue  # not defined
                bare.agree(name, lambda xp, x, n=name: getattr(x, n), x)
            tensor = bare._tensor(x)
            assert tensor.size == x.size
            assert isinstance(tensor.size, int)
            assert isinstance(tensor.shape, tuple)
            assert tensor.to_device(tensor.device).device == tensor.device


def test_namespace(bare: Bare) -> None:
    x = bare._tensor(ordinary("float32", 2))
    assert x.__array_namespace__() is bare.ours
    for version in ("2021.12", "2022.12", "2023.12", "2024.12", "2025.12"):
        assert x.__array_namespace__(api_version=version) is bare.ours
    for version in ("2019.12", "draft", 2025):
        with pytest.raises(ValueError, match="the Array API version .* is not offered; there are 2021.12, .* 2025.12"):
            x.__array_namespace__(api_version=version)
    assert bare.ours.__array_api_version__ == "2025.12"


CONVERSIONS = [(bool, "bifc"), (int, "bif"), (float, "bif"), (complex, "bifc"), (operator.index, "i")]


@pytest.mark.parametrize(("convert", "kinds"), CONVERSIONS)
def test_conversions(convert: Any, kinds: str, bare: Bare) -> None:
    for dtype in bare.dtypes:
        for value in special(dtype):
            if kind(special(dtype)) in kinds:
                bare.agree(convert.__name__, lambda xp, x: convert(x), np.asarray(value))
        for shape in ((2,), (0,)):
            x = bare._tensor(ordinary(dtype, *shape))
            with pytest.raises((TypeError, ValueError, RuntimeError)):
                convert(x)
    for dtype in bare.of_kind("fc" if convert is operator.index else "c" if convert in (int, float) else ""):
        with pytest.raises((TypeError, ValueError, RuntimeError)):
            convert(bare._tensor(np.asarray(special(dtype)[-1])))


def test_tracked_tensors_convert_to_numbers_but_not_to_arrays(bare: Bare) -> None:
    x = pg.tensor(2.5, dtype="float64", requires_grad=True, backend=bare.name)
    for tracked in (x, x * 2):
        assert type(float(tracked)) is float
        assert type(int(tracked)) is int
        assert type(tracked.item()) is float
        for leave in (np.asarray, lambda t: t.numpy(), lambda t: t.__dlpack__(), np.from_dlpack, bare.ours.from_dlpack):
            with pytest.raises(TypeError, match=r"can't convert a Tensor that requires grad .*tensor.detach\(\)"):
                leave(tracked)


# -- devices and exchange -------------------------------------------------------------------------------------------
def test_devices(bare: Bare) -> None:
    info = bare.ours.__array_namespace_info__()
    default = info.default_device()
    assert isinstance(info.devices(), tuple)
    assert default is None or default in info.devices()
    x = bare.ours.asarray([1.0, 2.0])
    for device in (x.device, "cpu"):
        for made in (
            bare.ours.ones(2, device=device), bare.ours.zeros_like(x, device=device), bare.ours.asarray([1.0], device=device),
            bare.ours.full(2, 1.0, device=device), bare.ours.arange(3, device=device), bare.ours.eye(2, device=device),
            bare.ours.linspace(0, 1, 3, device=device), bare.ours.astype(x, bare.ours.float64, device=device),
            bare.ours.fft.fftfreq(4, device=device), x.to_device(device), bare.ours.from_dlpack(x, device=device),
        ):  # fmt: skip
            assert made.device == x.device
    with pytest.raises((ValueError, RuntimeError)):
        x.to_device("nowhere")


def test_info(bare: Bare) -> None:
    own, info = bare.own.__array_namespace_info__(), bare.ours.__array_namespace_info__()
    assert info.capabilities() == own.capabilities()
    assert isinstance(info.capabilities()["max dimensions"], int)
    assert info.default_dtypes() == own.default_dtypes()
    assert info.default_dtypes()["real floating"] == bare.ours.asarray(1.0).dtype
    assert info.default_dtypes()["complex floating"] == bare.ours.asarray(1j).dtype
    assert info.default_dtypes()["integral"] == bare.ours.asarray(1).dtype
    assert info.default_dtypes()["indexing"] == bare.ours.argmax(bare.ours.ones(2)).dtype
    for device in (None, default := info.default_device(), "cpu"):
        assert info.default_dtypes(device=device).keys() >= {
            "real floating",
            "complex floating",
            "integral",
            "indexing",
        }
        for kinds in (None, *KINDS, ("bool", "integral")):
            assert info.dtypes(kind=kinds, device=device) == own.dtypes(kind=kinds, device=default)
            for name, dtype in info.dtypes(kind=kinds, device=device).items():
                assert getattr(bare.ours, name) == dtype
                assert bare.ours.empty(1, dtype=dtype, device=device).dtype == dtype
    with pytest.raises((ValueError, KeyError)):
        info.dtypes(kind="nonsense")
    for name, wanted in {"devices": [], "default_dtypes": ["device"], "dtypes": ["device", "kind"]}.items():
        got = inspect.signature(getattr(info, name)).parameters
        assert list(got) == wanted
        assert all(p.kind is p.KEYWORD_ONLY for p in got.values())


def test_info_follows_the_default_dtype(bare: Bare) -> None:
    for name in ("float32", "float64"):
        pg.set_default_dtype(name)
        try:
            default = bare.ours.__array_namespace_info__().default_dtypes()["real floating"]
            assert default == bare.ours.zeros(1).dtype == getattr(bare.ours, name)
        finally:
            pg.set_default_dtype(None)


def test_dlpack(bare: Bare) -> None:
    for dtype in bare.dtypes:
        for shape in ((3,), (2, 2), (0,), ()):
            values = ordinary(dtype, *shape)
            x = bare._tensor(values)
            device, number = x.__dlpack_device__()
            assert int(device) == 1
            assert isinstance(number, int)
            for options in (
                {},
                {"copy": None},
                {"max_version": (1, 0)},
                {"max_version": None, "stream": None},
                {"dl_device": (1, 0)},
            ):
                assert "dltensor" in repr(x.__dlpack__(**options))
            for params in ({}, {"copy": None}, {"copy": True}, {"device": x.device}, {"device": None}):
                got = bare.ours.from_dlpack(x, **params)
                assert bare.difference(bare._array(values), got) == ""
    summed = bare.ours.sum(bare._tensor(ordinary("float32", 3)))  # a NumPy scalar inside, which knows no DLPack
    np.testing.assert_array_equal(np.from_dlpack(summed), ordinary("float32", 3).sum())
    np.testing.assert_array_equal(np.from_dlpack(bare._tensor(ordinary("int64", 3))), ordinary("int64", 3))
    source = np.arange(3.0)
    assert bare.difference(bare._array(source), bare.ours.from_dlpack(source)) == ""
    assert bare.difference(bare._array(source), pg.from_dlpack(bare._array(source), backend=bare.name)) == ""


def test_strategies_of_hypothesis(bare: Bare) -> None:
    """Hypothesis draws arrays from the namespace as from any library: it fills, assigns and compares them."""
    import warnings

    from hypothesis import HealthCheck, given, settings
    from hypothesis.errors import HypothesisWarning
    from hypothesis.extra.array_api import make_strategies_namespace

    xps = make_strategies_namespace(bare.ours)
    assert xps.api_version == "2025.12"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HypothesisWarning)  # torch has no uint16 and so on
        names = bare.dtypes
        arrays = [
            xps.arrays(getattr(bare.ours, name), shape=xps.array_shapes(min_dims=0, max_side=3)) for name in names
        ]
        for name, strategy in zip(names, arrays, strict=True):

            @settings(max_examples=4, deadline=None, database=None, suppress_health_check=list(HealthCheck))
            @given(x=strategy)
            def check(x: Any) -> None:
                assert isinstance(x, pg.Tensor)
                assert x.dtype == getattr(bare.ours, name)  # noqa: B023, called in the same turn
                assert x.__array_namespace__() is bare.ours

            check()
