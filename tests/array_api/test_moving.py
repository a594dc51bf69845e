"""Moves between backends, dtypes and devices: values, gradients that flow back, memory that is shared or not."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import polygrad as pg
from polygrad import func
from polygrad.errors import BackendError

NAMES = ["numpy", "torch", "jax", "array_api_strict"]
PAIRS = [(a, b) for a in NAMES for b in NAMES if a != b]
X = np.asarray([0.5, 1.0, 2.0, -1.5])


@pytest.fixture(params=PAIRS, ids=lambda pair: f"{pair[0]}-{pair[1]}")
def pair(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    for name in request.param:
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed")
    with _double():
        yield request.param


def _double() -> Any:
    if importlib.util.find_spec("jax") is None:
        return contextlib.nullcontext()
    import jax

    return jax.enable_x64(True)


def leaf(backend: str, requires_grad: bool = True) -> Any:
    x = pg.tensor(X, backend=backend)
    return x.requires_grad_() if requires_grad else x


def close(got: Any, expected: Any) -> None:
    np.testing.assert_allclose(np.asarray(got.tolist()), expected, rtol=1e-12, atol=1e-12)


class TestBackends:
    def test_there_and_back(self, pair: tuple[str, str]) -> None:
        here, there = pair
        x = leaf(here)
        y = pg.sin(x * 2).to_backend(there)
        assert (x.backend, y.backend) == (here, there)
        z = (y * y).to_backend(here) * x
        z.sum().backward()
        close(x.grad, 4 * np.sin(2 * X) * np.cos(2 * X) * X + np.sin(2 * X) ** 2)
        assert x.grad.backend == here
        assert x.grad.device == x.device
        assert type(x.grad.array) is type(x.array)

    def test_leaves_on_both(self, pair: tuple[str, str]) -> None:
        here, there = pair
        x, w = leaf(here), leaf(there)
        (x.to_backend(there) * w * w).sum().backward()
        close(x.grad, X**2)
        close(w.grad, 2 * X**2)
        assert (x.grad.backend, w.grad.backend) == (here, there)

    def test_higher_orders(self, pair: tuple[str, str]) -> None:
        here, there = pair
        x = leaf(here)
        (g,) = pg.autograd.grad((x.to_backend(there) ** 3).sum().to_backend(here), x, create_graph=True)
        assert g.backend == here
        (h,) = pg.autograd.grad((g.to_backend(there) * g.to_backend(there)).sum(), x, create_graph=True)
        (t,) = pg.autograd.grad(h.sum(), x)
        close(g, 3 * X**2)
        close(h, 36 * X**3)
        close(t, 108 * X**2)

    def test_transforms(self, pair: tuple[str, str]) -> None:
        here, there = pair

        def f(x: Any) -> Any:
            return (x.to_backend(there) ** 3).sum().to_backend(here)

        x = leaf(here, False)
        close(func.grad(f)(x), 3 * X**2)
        close(func.jvp(f, (x,), (pg.ones_like(x),))[1], (3 * X**2).sum())
        close(func.jacfwd(func.grad(f))(x), np.diag(6 * X))
        close(func.jacrev(func.grad(f))(x), np.diag(6 * X))
        close(func.vmap(f)(pg.stack([x, 2 * x])), [(X**3).sum(), 8 * (X**3).sum()])

    def test_no_grad(self, pair: tuple[str, str]) -> None:
        here, there = pair
        with pg.no_grad():
            y = leaf(here).to_backend(there)
        assert not y.requires_grad
        assert leaf(here).to_backend(there).requires_grad
        assert not leaf(here, False).to_backend(there).requires_grad

    def test_nothing_else_mixes(self, pair: tuple[str, str]) -> None:
        here, there = pair
        with pytest.raises(BackendError, match=f"different backends: .*on {here} and .*on {there}.*to_backend"):
            leaf(here) * leaf(there)

    @pytest.mark.parametrize("dtype", ["bool", "int64", "float32", "complex128"])
    def test_dtypes(self, pair: tuple[str, str], dtype: str) -> None:
        here, there = pair
        x = pg.tensor([0, 1, 2], backend=here).to(dtype)
        y = x.to_backend(there)
        assert pg.backend.dtype_name(y.dtype) == dtype
        assert y.to_backend(here).tolist() == x.tolist()

    def test_hooks_see_the_gradient_where_they_are(self, pair: tuple[str, str]) -> None:
        here, there = pair
        seen = []
        x = leaf(here)
        y = x.to_backend(there)
        y.register_hook(lambda g: seen.append(g.backend))
        x.register_hook(lambda g: seen.append(g.backend))
        y.sum().backward()
        assert seen == [there, here]
        assert y.grad_fn.name() == "ToBackendBackward0"


def test_the_same_backend_is_no_move() -> None:
    x = leaf("numpy")
    assert x.to_backend("numpy") is x


class TestMemory:
    """Shared where both allow it, as the pointers say."""

    def test_numpy_and_torch_share(self) -> None:
        torch = pytest.importorskip("torch")
        a = np.arange(4.0)
        t = pg.Tensor(a).to_backend("torch").array
        assert t.data_ptr() == a.ctypes.data
        back = pg.Tensor(torch.arange(4.0)).to_backend("numpy").array
        assert back.flags.writeable
        u = torch.arange(4.0)
        assert pg.Tensor(u).to_backend("numpy").array.ctypes.data == u.data_ptr()

    def test_jax_is_read_without_a_copy(self) -> None:
        jax = pytest.importorskip("jax")
        j = jax.numpy.arange(4.0)
        n = pg.Tensor(j).to_backend("numpy").array
        assert n.ctypes.data == j.unsafe_buffer_pointer()
        assert not n.flags.writeable
        if importlib.util.find_spec("torch") is not None:
            assert pg.Tensor(j).to_backend("torch").array.data_ptr() == j.unsafe_buffer_pointer()

    @pytest.mark.parametrize("source", ["numpy", "torch"])
    def test_jax_never_sees_what_is_written_later(self, source: str) -> None:
        pytest.importorskip("jax")
        pytest.importorskip(source)
        x = pg.arange(64.0, dtype="float32", backend=source)
        y = x.to_backend("jax")
        x.array[...] = 0.0
        assert y.tolist() == list(range(64))

    @pytest.mark.parametrize("here", ["numpy", "torch"])
    def test_a_gradient_has_memory_of_its_own(self, here: str) -> None:
        jax = pytest.importorskip("jax")
        pytest.importorskip(here)
        x = pg.ones(64, dtype="float32", backend=here, requires_grad=True)
        g = pg.Tensor(jax.numpy.full(64, 2.0, dtype="float32"))
        x.to_backend("jax").backward(g)
        x.grad.array[...] = 7.0
        assert g.tolist() == [2.0] * 64

    def test_a_view_and_another_layout(self) -> None:
        torch = pytest.importorskip("torch")
        a = np.arange(12.0).reshape(3, 4)
        for part in (a.T, a[::2, 1:], a[::-1]):
            assert pg.Tensor(part).to_backend("torch").tolist() == part.tolist()
            assert pg.asarray(part, backend="torch").tolist() == part.tolist()
            assert torch.from_dlpack(pg.Tensor(part)).tolist() == part.tolist()


TWO_DEVICES = """
import jax, numpy as np, polygrad as pg
x = pg.tensor([1.0, 2.0], backend="jax", requires_grad=True)
y = x.to("cpu:1")
(g,) = pg.autograd.grad((y ** 3).sum(), x, create_graph=True)
(h,) = pg.autograd.grad(g.to_backend("numpy").sum(), x)
print(x.device.id, y.device.id, g.device.id, h.device.id, h.tolist())
"""


class TestDtypesAndDevices:
    def test_to(self, backend: str) -> None:
        x = pg.tensor([1.0, 2.0], dtype="float64", requires_grad=True)
        y = x.to("float32")
        assert y.dtype == pg.float32
        (y * y).sum().backward()
        assert x.grad.dtype == x.dtype
        assert x.grad.tolist() == [2.0, 4.0]
        here = "cuda:0" if backend == "cupy" else "cpu"
        assert x.to(here).tolist() == [1.0, 2.0]
        assert x.to(x.device) is x
        z = x.to(here, "float32")
        assert z.dtype == pg.float32
        z.sum().backward()
        assert x.grad.tolist() == [3.0, 5.0]
        assert x.to(z).dtype == z.dtype
        assert x.to(dtype="float32", device=here).dtype == pg.float32

    def test_second_order_through_a_cast(self, backend: str) -> None:
        x = pg.tensor([1.0, 2.0], dtype="float64", requires_grad=True)
        (g,) = pg.autograd.grad((x.to("float32") ** 3).sum(), x, create_graph=True)
        (h,) = pg.autograd.grad(g.sum(), x)
        assert h.dtype == x.dtype
        assert h.tolist() == [6.0, 12.0]

    def test_gradients_go_back_to_the_device(self) -> None:
        """On two virtual devices, which only a process of its own can have."""
        pytest.importorskip("jax")
        environment = {**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=2", "JAX_PLATFORMS": "cpu"}
        done = subprocess.run(
            [sys.executable, "-c", TWO_DEVICES], capture_output=True, text=True, env=environment, check=False
        )
        assert done.stdout.split() == ["0", "1", "0", "0", "[6.0,", "12.0]"], done.stderr


def test_while_tracing_there_is_nothing_to_move() -> None:
    jax = pytest.importorskip("jax")
    with pytest.raises(
        BackendError, match="to_backend: jax is tracing a function here.*to_jax\\(f, backend='numpy'\\)"
    ):
        jax.jit(lambda x: pg.Tensor(x).to_backend("numpy").sum().to_backend("jax").array)(jax.numpy.ones(2))


def test_torch_that_requires_grad_is_refused() -> None:
    torch = pytest.importorskip("torch")
    t = torch.ones(2, requires_grad=True)
    message = r"a torch tensor that requires grad \(torch.float32\[2\]\) cannot be the payload.*t\.detach\(\).*interop\.torch\.to_torch"
    x = pg.ones(2, backend="torch")
    for use in (
        lambda: pg.Tensor(t),
        lambda: pg.asarray(t),
        lambda: pg.asarray(t, backend="numpy"),
        lambda: pg.tensor(t),
        lambda: pg.sin(t),
        lambda: x * t,
        lambda: func.grad(lambda a: a.sum())(t),
        lambda: func.jvp(lambda a: a, (t,), (t,)),
        lambda: pg.stack([x, t]),
    ):
        with pytest.raises(TypeError, match=message):
            use()
    y = pg.Tensor(t.detach(), requires_grad=True)
    out = (y * y).sum()
    assert not out.array.requires_grad  # torch builds no graph of its own
    out.backward()
    assert not y.grad.array.requires_grad
