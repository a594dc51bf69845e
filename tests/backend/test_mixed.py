"""What does not fit together, or is not there: each a clear error, and nothing half done."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import subprocess
import sys
from importlib.metadata import EntryPoint
from typing import Any

import numpy as np
import pytest

import polygrad as pg
from polygrad.errors import BackendError, DtypeError
from support.gradient_checks import tensor

FOREIGN = {"numpy": "array_api_strict", "array_api_strict": "numpy"}
DEVICES = {
    "array_api_strict": lambda: pg.ones(2, device="device1"),
    "torch": lambda: pg.asarray(__import__("torch").ones(2, dtype=__import__("torch").float64, device="meta")),
}
"""Backends on which two devices are to be had without hardware."""


def foreign(backend: str, values: Any = (1.0, 2.0)) -> Any:
    """A raw array of another library."""
    other = FOREIGN.get(backend, "numpy")
    if importlib.util.find_spec(other) is None:
        pytest.skip(f"{other} is not installed")
    return pg.tensor(np.asarray(values), backend=other).array


class TestRawArraysOfAnotherLibrary:
    CURE = r"Bring them together, for example with polygrad\.asarray\(y\)\.to_backend\('{}'\)"

    @pytest.mark.parametrize(
        ("name", "function"),
        [
            ("add", lambda x, y: x + y),
            ("add", lambda x, y: pg.add(y, x)),
            ("concat", lambda x, y: pg.concat([x, y])),
            ("where", lambda x, y: pg.where(x > 0, x, y)),
            ("matmul", lambda x, y: pg.matmul(x, y)),
            ("set_at", lambda x, y: (x * 1).__setitem__(slice(None), y)),
        ],
    )
    def test_operations(self, name: str, function: Any, backend: str) -> None:
        x, y = tensor(np.asarray([3.0, 4.0]), backend, True), foreign(backend)
        with pytest.raises(BackendError, match=rf"^{name}: the arguments are on different backends: .*\[2\] on "):
            function(x, y)
        with pytest.raises(BackendError, match=rf"on {backend}\b.*to_backend\("):
            function(x, y)
        assert x.grad is None

    def test_the_cure_is_one(self, backend: str) -> None:
        x, y = tensor(np.asarray([3.0, 4.0]), backend), foreign(backend)
        with pytest.raises(BackendError, match=self.CURE.format(backend)):
            x * y
        assert (x * pg.asarray(y).to_backend(backend)).tolist() == [3.0, 8.0]

    def test_indices(self, backend: str) -> None:
        x = tensor(np.asarray([3.0, 4.0]), backend)
        index = np.asarray([1, 0])
        assert x[index].tolist() == [4.0, 3.0]  # an index may be NumPy's anywhere, as it may be a list
        if backend == "numpy":
            with pytest.raises(BackendError, match="getitem: the arguments are on different backends"):
                x[foreign(backend, index)]
        with pytest.raises(BackendError, match=r"getitem: .*different backends.*for example with y\.to_backend"):
            x[pg.asarray(foreign(backend, index))]
        with pytest.raises(BackendError, match="set_at: .*different backends"):
            x[pg.asarray(foreign(backend, index))] = 0.0
        assert x.tolist() == [3.0, 4.0]


class TestDevices:
    def test_two_devices(self, backend: str) -> None:
        if backend not in DEVICES:
            pytest.skip(f"{backend} has one device here")
        x, y = DEVICES[backend](), pg.ones(2, dtype="float64")
        for name, function in (("add", pg.add), ("multiply", pg.multiply)):
            with pytest.raises(
                BackendError,
                match=rf"^{name}: the arguments are on different devices: .*float64\[2\] on .* and .*float64\[2\] on .*\. "
                r"Bring them together, for example with y\.to\(x\.device\)$",
            ):
                function(x, y)

    def test_moving_is_the_cure(self, backend: str) -> None:
        if backend != "array_api_strict":
            pytest.skip("with values, that takes two devices of one kind")
        x, y = pg.ones(2, device="device1"), pg.ones(2, requires_grad=True)
        (x + y.to(x.device)).sum().backward()
        assert y.grad.device == y.device
        assert y.grad.tolist() == [1.0, 1.0]

    @pytest.mark.parametrize("device", ["cuda:77", "warp"])
    def test_one_that_is_not_here(self, device: str, backend: str) -> None:
        for function in (lambda: pg.ones(2, device=device), lambda: pg.ones(2).to(device=device)):
            with pytest.raises(BackendError, match=rf"{backend} has no device '{device}' here; it has '.*'"):
                function()


class TestDtypes:
    def test_one_that_no_library_has(self, backend: str) -> None:
        with pytest.raises(DtypeError, match=rf"{backend} has no dtype 'float99'; it has bool, int8.*float64"):
            pg.ones(2, dtype="float99")

    def test_one_that_this_library_lacks(self, backend: str) -> None:
        missing = [name for name in ("bfloat16", "float16", "uint16") if not hasattr(pg.get_backend(backend).xp, name)]
        if not missing:
            pytest.skip(f"{backend} has all of them")
        x = pg.ones(2)
        for name in missing:
            for function in (
                lambda name=name: pg.ones(2, dtype=name),
                lambda name=name: x.to(name),
                lambda name=name: pg.astype(x, name),
                lambda name=name: pg.sum(x, dtype=name),
            ):
                with pytest.raises(DtypeError, match=f"{backend} has no dtype '{name}'; it has bool"):
                    function()

    def test_a_dtype_that_only_another_library_has_is_refused_on_the_way(self, backend: str) -> None:
        if backend != "torch" or importlib.util.find_spec("numpy") is None:
            pytest.skip("bfloat16 is torch's")
        x = pg.ones(2, dtype="bfloat16")
        with pytest.raises(DtypeError, match="numpy has no dtype 'bfloat16'"):
            x.to_backend("numpy")


class TestLibraries:
    def test_one_that_is_not_installed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = importlib.util.find_spec
        monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == "cupy" else found(name, *a))
        for function in (
            lambda: pg.get_backend("cupy"),
            lambda: pg.use_backend("cupy"),
            lambda: pg.ones(2, backend="cupy"),
            lambda: pg.ones(2).to_backend("cupy"),
        ):
            with pytest.raises(
                BackendError,
                match=r"the backend 'cupy' needs cupy, which is not installed: pip install '\.\[cupy\]' in a checkout of polygrad\. "
                r"Found here: .*numpy",
            ):
                function()

    def test_a_third_partys_that_is_not_installed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        point = EntryPoint("nolib", "polygrad_nolib:BACKEND", "polygrad.backends")
        monkeypatch.setattr(pg.backend.select, "_entry_points", lambda: {"numpy": None, "nolib": point})
        with pytest.raises(BackendError, match=r"the backend 'nolib' needs nolib, .*: pip install nolib\. Found"):
            pg.get_backend("nolib")
        info = {info.name: info for info in pg.backends()}["nolib"]
        assert (info.available, info.version, info.devices) == (False, None, ())
        assert "pip install nolib" in info.reason

    def test_a_broken_adapter_is_listed_and_breaks_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        point = EntryPoint("toyarray", "toyarray:NO_SUCH_NAME", "polygrad.backends")
        monkeypatch.setattr(pg.backend.select, "_entry_points", lambda: {"toyarray": point})
        (info,) = [info for info in pg.backends() if info.name == "toyarray"]
        assert not info.available
        assert "NO_SUCH_NAME" in info.reason

    def test_the_environment_variable_is_named(self) -> None:
        out = subprocess.run(
            [sys.executable, "-c", "import polygrad; polygrad.ones(1)"],
            env={**os.environ, "POLYGRAD_BACKEND": "nympy"}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert "there is no backend 'nympy', which POLYGRAD_BACKEND names; known are: " in out.stderr


class TestSelection:
    def test_tasks_of_asyncio_select_for_themselves(self, backend: str) -> None:
        async def work(name: str, turns: int) -> list[str]:
            seen = []
            with pg.use_backend(name):
                for _ in range(turns):
                    await asyncio.sleep(0)
                    seen.append(pg.ones(1).backend)
            return [*seen, pg.ones(1).backend]

        async def main() -> list[list[str]]:
            return list(await asyncio.gather(work(backend, 3), work("numpy", 3), work(backend, 2)))

        with pg.use_backend("numpy"):
            assert asyncio.run(main()) == [[backend] * 3 + ["numpy"], ["numpy"] * 4, [backend] * 2 + ["numpy"]]

    def test_one_object_in_several_blocks(self, backend: str) -> None:
        with pg.use_backend("numpy"):
            chosen = pg.use_backend(backend)
            with chosen:
                assert pg.ones(1).backend == backend
            assert pg.ones(1).backend == "numpy"
            with chosen:
                with chosen:
                    assert pg.ones(1).backend == backend
                assert pg.ones(1).backend == backend
            assert pg.ones(1).backend == "numpy"

    def test_a_name_that_is_not_there_selects_nothing(self) -> None:
        before = pg.ones(1).backend
        with pytest.raises(BackendError, match="no backend 'nympy'"):
            pg.use_backend("nympy")
        assert pg.ones(1).backend == before
