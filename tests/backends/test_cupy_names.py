"""The adapter against the CuPy package itself, which imports without a GPU: names, signatures, and arrays that are never computed with."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polygrad
from polygrad.rules.declare import OPS

cp = pytest.importorskip("cupy")
if not hasattr(cp, "__file__"):
    pytest.skip("this is the stand-in, not CuPy", allow_module_level=True)
BACKEND = polygrad.get_backend("cupy")
LIBRARIES = Path(__file__).parents[1] / "support" / "libraries"
HAVE_GPU = cp.cuda.is_available()

PROGRAM = """
import json, sys
import numpy, polygrad, polygrad.backend
from support import operation_samples
from polygrad_backends.numpy import NumPyBackend

calls = {}

class Recorder(NumPyBackend):
    def lookup(self, name):
        function = super().lookup(name)
        if not callable(function) or isinstance(function, (type, polygrad.backend.Raw)):
            return function
        def record(*args, **params):
            calls.setdefault(name, set()).add((len(args), tuple(sorted(params))))
            return function(*args, **params)
        return record

polygrad.backend.register_backend(Recorder())
for name in operation_samples.names():
    operation_samples.run(name, lambda array: polygrad.tensor(array).requires_grad_(array.dtype.kind in "fc"))
json.dump({name: sorted(shapes) for name, shapes in calls.items()}, sys.stdout)
"""
"""Every operation and its gradient on NumPy, with a note of how each function of the library is called."""


def test_what_is_missing_is_said() -> None:
    (info,) = [info for info in polygrad.backends() if info.name == "cupy"]
    assert info.version == cp.__version__
    if HAVE_GPU:
        return
    assert not info.available
    assert info.reason is not None
    assert info.reason.startswith("cupy is installed but finds no GPU: ")
    assert ("there is no driver" in info.reason) == (cp.cuda.runtime.driverGetVersion() == 0)


def test_every_operation_has_a_function() -> None:
    pytest.importorskip("scipy")
    for name in OPS:
        function = BACKEND.lookup(name)
        assert callable(function)
        assert getattr(function, "__name__", "") != "refused", name


def test_functions_take_what_the_rules_pass() -> None:
    tests = str(Path(__file__).parent.parent)
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([tests, *filter(None, [os.environ.get("PYTHONPATH")])])}
    out = subprocess.run([sys.executable, "-c", PROGRAM], env=env, capture_output=True, text=True, check=False)
    assert out.returncode == 0, out.stderr
    calls = json.loads(out.stdout)
    assert len(calls) > 400
    for name, shapes in calls.items():
        function = BACKEND.lookup(name)
        for number, params in shapes:
            if isinstance(function, cp.ufunc):
                assert (number, params) == (function.nin, []), name
            else:
                inspect.signature(function).bind(*[None] * number, **dict.fromkeys(params))


def array(shape: tuple[int, ...], dtype: str = "float64") -> Any:
    """An array of CuPy's on memory that it believes to be a GPU's: it may be looked at, and no more."""
    memory = cp.cuda.UnownedMemory(2**16, 2**10, None, device_id=0)
    return cp.ndarray(shape, dtype, cp.cuda.MemoryPointer(memory, 0))


def test_an_array_is_taken_as_it_is() -> None:
    payload = array((3, 4), "float32")
    x = polygrad.asarray(payload)
    assert x.backend == "cupy"
    assert x.array is payload
    assert x.dtype == np.float32 == polygrad.namespace("cupy").float32
    assert x.device == cp.cuda.Device(0)
    assert repr(x.shape) == "(3, 4)"
    with pytest.raises(TypeError, match="Implicit conversion to a NumPy array is not allowed"):
        np.asarray(payload)


@pytest.mark.parametrize(
    ("view", "shape"),
    [
        (lambda x: x[1], (4,)), (lambda x: x[::-1, None, ..., 2], (3, 1)), (lambda x: x.T, (4, 3)), (lambda x: x.mT, (4, 3)),
        (lambda x: polygrad.reshape(x, (2, 6)), (2, 6)), (lambda x: polygrad.expand_dims(x, axis=0), (1, 3, 4)),
        (lambda x: polygrad.permute_dims(x, (1, 0)), (4, 3)), (lambda x: polygrad.broadcast_to(x, (2, 3, 4)), (2, 3, 4)),
        (lambda x: polygrad.flip(x, axis=0), (3, 4)), (lambda x: polygrad.moveaxis(x, 0, 1), (4, 3)),
        (lambda x: polygrad.squeeze(x[:1], 0), (4,)), (lambda x: polygrad.unstack(x)[2], (4,)),
        (lambda x: polygrad.linalg.diagonal(x), (3,)), (lambda x: polygrad.swapaxes(x, 0, 1), (4, 3)),
    ],
)  # fmt: skip
def test_views_are_recorded_without_a_kernel(view: Any, shape: tuple[int, ...]) -> None:
    x = polygrad.asarray(array((3, 4))).requires_grad_()
    y = view(x)
    assert (tuple(y.shape), type(y.array)) == (shape, cp.ndarray)
    assert y.grad_fn is not None


def test_dtypes() -> None:
    for name in ("bool", "int8", "uint64", "float16", "float32", "complex128"):
        assert BACKEND.dtype(name) == np.dtype(name) == array((2,), name).dtype
    assert BACKEND.xp.isdtype(np.dtype("float32"), "real floating")
    assert BACKEND.default_dtype("real floating") == np.float64
    assert np.dtype("float16") in BACKEND.floating


@pytest.mark.skipif(HAVE_GPU, reason="these arrays may only be looked at")
@pytest.mark.parametrize("name", [name for name in polygrad.backend.DTYPE_NAMES if name != "bfloat16"])
def test_what_is_added_atomically(name: str) -> None:
    """CuPy refuses the other dtypes before it asks for a GPU."""
    from polygrad_backends.cupy import indexing

    atomic = np.dtype(name) in indexing.ATOMIC
    with pytest.raises(cp.cuda.runtime.CUDARuntimeError if atomic else TypeError):
        cp.add.at(array((3,), name), (array((2,), "int64"),), array((2,), name))


def test_special_functions_are_chosen_by_what_cupy_has() -> None:
    from cupyx.scipy import special

    from polygrad_backends.cupy import special as ours

    assert all(hasattr(special, name) for name in ours.LEFT_OUT)
    assert not ours.LEFT_OUT & set(ours.NATIVE)
    assert {"erf", "gammaln", "digamma", "ndtr", "i0", "expit", "entr", "betainc", "zeta"} <= set(ours.NATIVE)
    assert {"digamma", "gamma", "loggamma", "xlogy"} <= ours.COMPLEX
    assert not ours.COMPLEX & {"erf", "expit", "gammaln", "i0"}


def test_the_stand_in_has_no_name_that_cupy_lacks() -> None:
    program = (
        "import json, cupy_standin, cupy\n"
        "modules = cupy, cupy.linalg, cupy.fft, cupy.random, cupy.cuda, cupy.ndarray\n"
        "print(json.dumps([[name for name in dir(module) if name[0] != '_'] for module in modules]))"
    )
    env = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(LIBRARIES), *filter(None, [os.environ.get("PYTHONPATH")])]),
    }
    out = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True).stdout
    modules = cp, cp.linalg, cp.fft, cp.random, cp.cuda, cp.ndarray
    for names, real in zip(json.loads(out), modules, strict=True):
        lacking = set(names) - set(dir(real))
        assert not lacking, (real, lacking)
