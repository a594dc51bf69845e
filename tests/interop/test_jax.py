"""Bridges to JAX: each one's functions inside the other's transformations, checked by finite differences and by JAX's own rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import polygrad as pg
from polygrad.errors import ArgumentError, ShapeError
from support.gradient_checks import check_x_sin_x

jax = pytest.importorskip("jax")
from polygrad.interop.jax import from_jax, to_jax  # noqa: E402

jnp = jax.numpy


@pytest.fixture(autouse=True)
def double() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


X = np.random.default_rng(0).normal(size=(2, 3))
W = np.random.default_rng(1).normal(size=(3, 2))


def close(got: Any, expected: Any, tolerance: float = 1e-12) -> None:
    got, expected = (v.tolist() if isinstance(v, pg.Tensor) else v for v in (got, expected))
    np.testing.assert_allclose(np.asarray(got), np.asarray(expected), rtol=tolerance, atol=tolerance)


def check_numerically(f: Any, *arrays: np.ndarray, order: int = 2) -> None:
    """Reverse mode against central differences along a direction, of a scalar function of JAX arrays, and of its slope."""
    rng = np.random.default_rng(3)
    directions = [rng.normal(size=a.shape) for a in arrays]

    def along(t: float, f: Any) -> float:
        return float(f(*[jnp.asarray(a + t * d) for a, d in zip(arrays, directions, strict=True)]))

    gradients = jax.grad(f, argnums=tuple(range(len(arrays))))(*map(jnp.asarray, arrays))
    slope = sum(float((np.asarray(g) * d).sum()) for g, d in zip(gradients, directions, strict=True))
    expected = (along(1e-6, f) - along(-1e-6, f)) / 2e-6
    assert abs(slope - expected) < 1e-7 * (1 + abs(expected))
    if order > 1:

        def derivative(*args: Any) -> Any:
            found = jax.grad(f, argnums=tuple(range(len(arrays))))(*args)
            return sum((g * g).sum() for g in found)

        check_numerically(derivative, *arrays, order=order - 1)


def program(x: Any, w: Any) -> Any:
    y = pg.tanh(x @ w)
    y[0, 0] = x[0, 0] ** 2
    return {"y": y, "loss": (y * y * y).sum()}


@pytest.mark.parametrize("backend", ["jax", "numpy", "torch"])
class TestToJax:
    @pytest.fixture(autouse=True)
    def installed(self, backend: str) -> None:
        pytest.importorskip(backend)

    @pytest.mark.parametrize("compiled", [False, True])
    def test_gradients_of_two_orders(self, backend: str, compiled: bool) -> None:
        f = to_jax(program, backend=backend)
        g = lambda x, w: f(x, w)["loss"] + (f(x, w)["y"] ** 2).sum()  # noqa: E731
        check_numerically(jax.jit(g) if compiled else g, X, W)

    def test_values(self, backend: str) -> None:
        out = jax.jit(to_jax(program, backend=backend))(X, W)
        expected = np.tanh(X @ W)
        expected[0, 0] = X[0, 0] ** 2
        close(out["y"], expected)
        assert isinstance(out["y"], jax.Array)
        assert out["y"].dtype == np.float64

    def test_vmap_and_jacobian(self, backend: str) -> None:
        f = to_jax(lambda x: (x**3).sum(), backend=backend)
        close(jax.vmap(f)(jnp.asarray(X)), (X**3).sum(axis=1))
        close(jax.vmap(jax.grad(f))(jnp.asarray(X)), 3 * X**2)
        close(jax.jit(jax.vmap(jax.grad(f)))(jnp.asarray(X)), 3 * X**2)
        close(jax.jacrev(jax.grad(f))(jnp.asarray(X[0])), np.diag(6 * X[0]))

    def test_trees_and_what_is_not_differentiated(self, backend: str) -> None:
        def f(tree: Any, power: int, *, scale: float) -> Any:
            return [tree["a"] ** power * scale * tree["n"], pg.argmax(tree["a"])], "note"

        bridged = to_jax(f, backend=backend)

        def loss(a: Any) -> Any:
            (out, index), note = bridged({"a": a, "n": jnp.asarray([1, 2, 3])}, 3, scale=2.0)
            assert note == "note"
            assert jnp.issubdtype(index.dtype, jnp.integer)
            return out.sum()

        close(jax.grad(loss)(jnp.asarray(X[0])), 6 * X[0] ** 2 * [1, 2, 3])
        close(jax.jit(jax.grad(loss))(jnp.asarray(X[0])), 6 * X[0] ** 2 * [1, 2, 3])

    def test_complex(self, backend: str) -> None:
        f = to_jax(lambda z: pg.exp(z) * z, backend=backend)
        z = jnp.asarray([1 + 2j, -0.5j])
        loss = lambda f: lambda z: (jnp.abs(f(z)) ** 2).sum() + f(z).imag.sum()  # noqa: E731
        close(jax.grad(loss(f))(z), jax.grad(loss(lambda z: jnp.exp(z) * z))(z))

    def test_polygrads_conventions_hold(self, backend: str) -> None:
        f = to_jax(lambda x: pg.linalg.vector_norm(x), backend=backend)
        close(jax.grad(f)(jnp.zeros(3)), np.zeros(3))  # JAX's own norm has nan here

    def test_float32_stays(self, backend: str) -> None:
        f = to_jax(lambda x: (x * x).sum(), backend=backend)
        x = jnp.asarray([1.0, 2.0], dtype=jnp.float32)
        assert jax.jit(f)(x).dtype == np.float32
        assert jax.grad(f)(x).dtype == np.float32


def test_the_shape_of_the_result() -> None:
    calls = []

    def f(x: Any) -> Any:
        calls.append(1)
        return x[:2] * 2

    given = to_jax(f, backend="numpy", result=jax.ShapeDtypeStruct((2,), np.float64))
    close(jax.jit(given)(jnp.asarray(X[0])), X[0, :2] * 2)
    assert len(calls) == 1  # not called to find out
    found = to_jax(f, backend="numpy")
    for _ in range(3):
        close(found(jnp.asarray(X[0])), X[0, :2] * 2)
    assert len(calls) == 1 + 1 + 3
    wrong = to_jax(f, backend="numpy", result=jax.ShapeDtypeStruct((3,), np.float64))
    with pytest.raises(Exception, match=r"shape \(2,\), expected \(3,\)") as raised:
        wrong(jnp.asarray(X[0])).block_until_ready()
    assert issubclass(raised.type, (ShapeError, jax.errors.JaxRuntimeError))


def jax_program(x: Any, w: Any) -> Any:
    y = jnp.tanh(x @ w)
    return {"y": y, "loss": (y * y).sum(), "shape": y.shape}


@pytest.mark.parametrize("backend", ["jax", "numpy", "torch"])
class TestFromJax:
    @pytest.fixture(autouse=True)
    def installed(self, backend: str) -> None:
        pytest.importorskip(backend)

    def test_against_jax(self, backend: str) -> None:
        x, w = (pg.asarray(a.copy(), backend=backend).requires_grad_() for a in (X, W))
        out = from_jax(jax_program)(x, w)
        assert out["shape"] == (2, 2)
        assert out["y"].backend == backend
        (out["loss"] * 2 + out["y"].sum()).backward()
        loss = lambda x, w: jax_program(x, w)["loss"] * 2 + jax_program(x, w)["y"].sum()  # noqa: E731
        for ours, theirs in zip((x, w), jax.grad(loss, (0, 1))(X, W), strict=True):
            close(ours.grad, theirs)
            assert ours.grad.backend == backend

    @pytest.mark.parametrize("compiled", [False, True])
    def test_higher_orders_and_modes(self, backend: str, compiled: bool) -> None:
        f = lambda x: (jnp.sin(x) * x).sum()  # noqa: E731
        f = from_jax(jax.jit(f) if compiled else f)
        check_x_sin_x(f, pg.asarray(X[0].copy(), backend=backend).requires_grad_())

    def test_what_is_not_differentiated(self, backend: str) -> None:
        x = pg.asarray(X[0].copy(), backend=backend).requires_grad_()
        n = pg.asarray(np.asarray([1, 2, 3]), backend=backend)
        index, y, note = from_jax(lambda x, n, how: (jnp.argmax(x), x * n, how))(x, n, "text")
        assert note == "text"
        assert not index.requires_grad
        y.sum().backward()
        close(x.grad, [1.0, 2.0, 3.0])
        with pg.no_grad():
            assert not from_jax(jnp.sin)(x).requires_grad
        assert not from_jax(jnp.sin)(x.detach()).requires_grad

    def test_complex(self, backend: str) -> None:
        z = pg.asarray(np.asarray([1 + 2j, -0.5j]), backend=backend).requires_grad_()
        other = z.detach().requires_grad_()
        out = from_jax(lambda z: jnp.exp(z) * z)(z)
        (pg.abs(out) ** 2).sum().backward()
        (pg.abs(pg.exp(other) * other) ** 2).sum().backward()
        close(z.grad, other.grad)


def test_inside_a_compiled_function() -> None:
    x = pg.asarray(jnp.asarray(X[0])).requires_grad_()
    pg.jit(lambda x: (from_jax(jnp.sin)(x) * x).sum())(x).backward()
    close(x.grad, np.cos(X[0]) * X[0] + np.sin(X[0]))


def test_round_trip() -> None:
    check_numerically(to_jax(lambda x: (from_jax(jnp.sin)(x) * x).sum()), X)


def test_functions_are_wanted() -> None:
    with pytest.raises(ArgumentError, match="from_jax: expected a function, got int 3"):
        from_jax(3)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="to_jax: expected a function, got int 3"):
        to_jax(3)  # type: ignore[arg-type]
