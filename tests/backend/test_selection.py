"""Finding and selecting backends; libraries that no adapter knows."""

from __future__ import annotations

import importlib.util
import threading

import numpy as np
import pytest

import polygrad as pg
from polygrad.backend import Backend, RuleNamespace, dtype_name
from polygrad.errors import BackendError, UnsupportedError
from polygrad.rules.keys import is_basic


class TestSelection:
    def test_by_the_array(self, backend: str) -> None:
        raw = pg.ones(2, backend=backend).array
        with pg.use_backend("numpy"):
            assert pg.asarray(raw).backend == backend
            assert pg.sin(raw).backend == backend

    def test_context_and_call(self, backend: str) -> None:
        with pg.use_backend("numpy"):
            with pg.use_backend(backend):
                assert pg.ones(1).backend == backend
            assert pg.ones(1).backend == "numpy"
            pg.use_backend(backend)
            assert pg.ones(1).backend == backend
        assert pg.ones(1).backend == backend  # what the fixture chose

    def test_threads_select_for_themselves(self) -> None:
        seen = []
        with pg.use_backend("array_api_strict" if importlib.util.find_spec("array_api_strict") else "numpy"):
            thread = threading.Thread(target=lambda: seen.append(pg.ones(1).backend))
            thread.start()
            thread.join()
        assert seen == ["numpy"]

    def test_environment_variable(self, backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("POLYGRAD_BACKEND", backend)
        seen = []
        thread = threading.Thread(
            target=lambda: seen.append(pg.ones(1).backend)
        )  # a thread has no selection of its own
        thread.start()
        thread.join()
        assert seen == [backend]

    def test_by_name(self, backend: str) -> None:
        assert pg.zeros(2, backend=backend).backend == backend
        assert pg.get_backend(backend).name == backend
        assert pg.get_backend(pg.get_backend(backend)).name == backend

    def test_what_rules_ask_of_a_namespace(self, backend: str) -> None:
        """The raw namespace and the differentiable one have the same members for rules, and no private ones are needed."""
        home = pg.get_backend(backend)
        for xp in (home.raw, home.namespace):
            assert isinstance(xp, RuleNamespace)
            assert xp.backend == backend
            assert all(home.dtype(name) in xp.complex_dtypes for name in ("complex64", "complex128"))
            assert home.dtype("float64") not in xp.complex_dtypes
            assert all(home.dtype(name) in xp.floating_dtypes for name in ("float64", "complex128"))
            assert home.dtype("int64") not in xp.floating_dtypes
            assert xp.lazy is home.lazy
            assert isinstance(xp.refusal("sin", "not today"), UnsupportedError)
            assert len(xp.contraction_path("ij,jk,kl->il", [(2, 3), (3, 4), (4, 5)])) == 2

    def test_namespace_is_one_object(self, backend: str) -> None:
        x = pg.ones(1)
        xp = x.__array_namespace__()
        assert xp is pg.namespace(backend)
        assert xp is (x * 2).__array_namespace__(api_version="2024.12")
        assert xp.__name__ == f"polygrad.{backend}"
        assert len({xp, pg.namespace(backend)}) == 1
        assert xp.ones(3).backend == backend
        with pytest.raises(ValueError, match="version '1999.1' is not offered"):
            x.__array_namespace__(api_version="1999.1")

    def test_dtypes_resolve_on_the_selected_backend(self, backend: str) -> None:
        assert pg.float32 == pg.ones(1, dtype="float32").dtype
        assert pg.double == pg.float64
        with pytest.raises(AttributeError, match="no attribute 'float99'"):
            pg.float99  # noqa: B018


def test_table(backend: str) -> None:
    table = {info.name: info for info in pg.backends()}
    assert set(table) >= {"numpy", "cupy", "jax", "torch", "dask", "array_api_strict"}
    info = table[backend]
    assert info.available
    assert info.version
    assert info.devices
    for info in table.values():
        assert info.available or "pip install" in info.reason or "GPU" in info.reason


def test_names_of_dtypes() -> None:
    assert dtype_name(np.dtype("float32")) == "float32"
    assert dtype_name(np.float32) == "float32"
    assert dtype_name(bool) == "bool"


def test_basic_keys() -> None:
    assert is_basic((1, slice(None), ..., None))
    assert not is_basic(([0, 1],))
    assert not is_basic(np.asarray([0]))


def test_unsupported_operations_say_why() -> None:
    class Partial(Backend):
        unsupported = {"sin": "it has no sines (see its issue 7)"}  # noqa: RUF012

    xp = __import__("array_api_compat.numpy").numpy
    partial = Partial("partial", xp)
    x = pg.tensor.__globals__["constant"](np.ones(2), partial.load().frame())
    with pytest.raises(
        UnsupportedError, match=r"sin is not supported on the backend 'partial': it has no sines \(see its issue 7\)"
    ):
        pg.sin(x)
    with pytest.raises(NotImplementedError):
        pg.sin(x)


def test_devices(backend: str) -> None:
    x = pg.ones(2)
    assert x.to("cuda:0" if backend == "cupy" else "cpu").tolist() == [1.0, 1.0]
    with pytest.raises((BackendError, RuntimeError), match="device|backend|Expected"):
        x.to(device="warp:9")


def test_random_numbers_go_on_from_a_state(backend: str) -> None:
    home = pg.get_backend(backend)
    pg.manual_seed(3)
    pg.rand(2)
    state = home.random_state()
    first = [pg.rand(3).tolist(), pg.randn(2).tolist(), pg.randint(10, (4,)).tolist()]
    home.set_random_state(state)
    assert [pg.rand(3).tolist(), pg.randn(2).tolist(), pg.randint(10, (4,)).tolist()] == first
    home.set_random_state(state)
    assert pg.rand(3).tolist() == first[0]
