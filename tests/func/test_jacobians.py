"""Jacobians in both modes, against the known ones and against each other."""

from __future__ import annotations

import numpy as np
import pytest

import polygrad as pg
from polygrad import func
from polygrad.errors import ArgumentError, DtypeError
from support.gradient_checks import HAVE_TORCH, torch


def raw(data: object, backend: str) -> object:
    return pg.tensor(data, dtype="float64", backend=backend).array


def numbers(value: object) -> list:
    return value.tolist() if isinstance(value, pg.Tensor) else pg.asarray(value).tolist()


@pytest.mark.parametrize("jacobian", [func.jacfwd, func.jacrev])
class TestJacobian:
    def test_of_a_vector(self, jacobian, backend: str) -> None:
        x = raw([1.0, 2.0, 3.0], backend)
        j = jacobian(lambda x: x[:2] * x[1:])(x)
        assert type(j) is type(x)
        assert numbers(j) == [[2.0, 1.0, 0.0], [0.0, 3.0, 2.0]]

    def test_of_matrices(self, jacobian, backend: str) -> None:
        x = pg.tensor(np.arange(6.0).reshape(2, 3))
        j = jacobian(lambda x: pg.sum(x * x, axis=0))(x)
        assert tuple(j.shape) == (3, 2, 3)
        expected = np.zeros((3, 2, 3))
        for k in range(3):
            expected[k, :, k] = 2 * np.arange(6.0).reshape(2, 3)[:, k]
        np.testing.assert_array_equal(np.asarray(j.tolist()), expected)

    def test_scalar_output(self, jacobian, backend: str) -> None:
        assert numbers(jacobian(lambda x: (x * x).sum())(raw([1.0, 2.0], backend))) == [2.0, 4.0]

    def test_trees_and_argnums(self, jacobian, backend: str) -> None:
        a, b = raw([1.0, 2.0], backend), raw(3.0, backend)

        def f(p: dict, c: object) -> dict:
            return {"product": p["a"] * c, "sum": p["a"].sum()}

        j = jacobian(f)({"a": a}, b)
        assert numbers(j["product"]["a"]) == [[3.0, 0.0], [0.0, 3.0]]
        assert numbers(j["sum"]["a"]) == [1.0, 1.0]
        j = jacobian(f, argnums=(0, 1))({"a": a}, b)
        assert numbers(j["product"][1]) == [1.0, 2.0]
        assert numbers(j["sum"][1]) == 0.0

    def test_aux(self, jacobian, backend: str) -> None:
        j, aux = jacobian(lambda x: (x * 2, "aux"), has_aux=True)(raw([1.0], backend))
        assert (numbers(j), aux) == ([[2.0]], "aux")

    def test_nested(self, jacobian, backend: str) -> None:
        x = raw([0.3, 0.7], backend)
        for outer in (func.jacfwd, func.jacrev):
            hessian = outer(jacobian(lambda x: pg.sin(x[0]) * x[1] ** 2))(x)
            s, c = np.sin(0.3), np.cos(0.3)
            np.testing.assert_allclose(numbers(hessian), [[-s * 0.49, c * 1.4], [c * 1.4, s * 2]], rtol=1e-12)

    def test_of_a_tracked_tensor(self, jacobian, backend: str) -> None:
        x = pg.tensor([1.0, 2.0], dtype="float64", requires_grad=True)
        jacobian(lambda x: x * x * x)(x).sum().backward()
        assert x.grad.tolist() == [6.0, 12.0]

    def test_chunks(self, jacobian, backend: str) -> None:
        x = raw([0.1, 0.2, 0.3, 0.4], backend)
        whole = numbers(jacobian(lambda x: pg.sin(x) * pg.sum(x))(x))
        for chunk in (1, 3, 4, 9):
            assert numbers(jacobian(lambda x: pg.sin(x) * pg.sum(x), chunk_size=chunk)(x)) == whole
        with pytest.raises(ArgumentError, match="chunk_size has to be None or greater than 0"):
            jacobian(pg.sin, chunk_size=0)

    def test_random_numbers(self, jacobian, backend: str) -> None:
        def f(x: pg.Tensor) -> pg.Tensor:
            return x * pg.rand(2, dtype="float64")

        x = raw([1.0, 2.0], backend)
        if jacobian is func.jacfwd:
            with pytest.raises(ArgumentError, match="randomness='error'"):
                jacobian(f)(x)
        j = np.asarray(numbers(jacobian(f, randomness="same")(x)))
        assert j[0, 1] == j[1, 0] == 0
        assert (np.diag(j) > 0).all()

    def test_the_function_runs_once(self, jacobian) -> None:
        calls = []

        def f(x: pg.Tensor) -> pg.Tensor:
            calls.append(x.ndim)
            return x * x

        jacobian(f)(np.ones(5))
        assert calls == [1]

    def test_independent_and_integer_outputs(self, jacobian, backend: str) -> None:
        x = raw([1.0, 2.0], backend)
        ones, order = jacobian(lambda x: (pg.ones(3, dtype="float64"), pg.argsort(x)))(x)
        assert numbers(ones) == [[0.0] * 2] * 3
        assert numbers(order) == [[0, 0], [0, 0]]

    def test_negative_argnums_and_other_arguments(self, jacobian, backend: str) -> None:
        def f(a: object, b: object, *, scale: object) -> object:
            return a * b * scale.sum()

        a, b = raw([1.0, 2.0], backend), raw([3.0, 4.0], backend)
        assert numbers(jacobian(f, argnums=-1)(a, b, scale=raw([1.0, 1.0], backend))) == [[2.0, 0.0], [0.0, 4.0]]
        with pytest.raises(ArgumentError, match=r"argnums=2 but the function was called with 2 positional"):
            jacobian(f, argnums=2)(a, b)
        with pytest.raises(DtypeError, match="differentiate with respect to floating or complex arrays"):
            jacobian(lambda x: x)(pg.asarray([1, 2]))

    def test_batched(self, jacobian, backend: str) -> None:
        x = pg.tensor(np.arange(6.0).reshape(2, 3) / 5, backend=backend)

        def f(x: pg.Tensor) -> pg.Tensor:
            return pg.cumulative_sum(pg.sin(x))

        got = np.asarray(func.vmap(jacobian(f))(x).tolist())
        for i in range(2):
            np.testing.assert_allclose(got[i], numbers(jacobian(f)(x[i, ...])), rtol=1e-13)

    def test_complex(self, jacobian, backend: str) -> None:
        z = pg.tensor(np.array([1 + 1j, 2.0]), backend=backend)
        j = np.asarray(jacobian(lambda z: z * z)(z).tolist())
        # The rows of reverse mode are gradients: conjugates, as in torch.
        expected = np.diag([2 + 2j, 4]) if jacobian is func.jacfwd else np.diag([2 - 2j, 4])
        np.testing.assert_allclose(j, expected)


def rosenbrock(x: pg.Tensor) -> pg.Tensor:
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def rosenbrock_hessian(x: np.ndarray) -> np.ndarray:
    n = len(x)
    h = np.zeros((n, n))
    i = np.arange(n - 1)
    h[i, i] = 1200 * x[:-1] ** 2 - 400 * x[1:] + 2
    h[i + 1, i + 1] += 200
    h[i, i + 1] = h[i + 1, i] = -400 * x[:-1]
    return h


class TestHessian:
    x = np.random.default_rng(0).normal(size=6)

    def test_values(self, backend: str) -> None:
        h = func.hessian(rosenbrock)(raw(self.x, backend))
        np.testing.assert_allclose(numbers(h), rosenbrock_hessian(self.x), rtol=1e-12, atol=1e-12)

    def test_trees_aux_and_chunks(self, backend: str) -> None:
        def f(p: dict, y: object) -> tuple:
            return (p["a"] * p["a"]).sum() * p["b"] * y, {"b": p["b"]}

        p = {"a": raw([1.0, 2.0], backend), "b": raw(3.0, backend)}
        h, aux = func.hessian(f, has_aux=True, chunk_size=1)(p, raw(2.0, backend))
        assert numbers(h["a"]["a"]) == [[12.0, 0.0], [0.0, 12.0]]
        assert numbers(h["a"]["b"]) == numbers(h["b"]["a"]) == [4.0, 8.0]
        assert numbers(h["b"]["b"]) == 0.0
        assert numbers(aux["b"]) == 3.0
        h = func.hessian(lambda a, b: a * a * b, argnums=(0, 1))(raw(2.0, backend), raw(3.0, backend))
        assert [[numbers(block) for block in row] for row in h] == [[6.0, 4.0], [4.0, 0.0]]

    def test_of_several_outputs(self, backend: str) -> None:
        h = np.asarray(numbers(func.hessian(lambda x: x**3)(raw([1.0, 2.0], backend))))
        expected = np.zeros((2, 2, 2))
        expected[[0, 1], [0, 1], [0, 1]] = [6.0, 12.0]
        np.testing.assert_allclose(h, expected)

    def test_every_mixture_of_modes(self, backend: str) -> None:
        x = raw(self.x, backend)
        for outer in (func.jacfwd, func.jacrev):
            for inner in (func.jacfwd, func.jacrev, func.grad):
                h = outer(inner(rosenbrock))(x)
                np.testing.assert_allclose(numbers(h), rosenbrock_hessian(self.x), rtol=1e-12, atol=1e-12)

    def test_product(self, backend: str) -> None:
        v = np.random.default_rng(1).normal(size=6)
        product = func.hvp(rosenbrock, (raw(self.x, backend),), (raw(v, backend),))
        np.testing.assert_allclose(numbers(product), rosenbrock_hessian(self.x) @ v, rtol=1e-12)

    def test_product_of_several_arguments(self, backend: str) -> None:
        def f(p: dict, b: object) -> tuple:
            return (p["a"] * p["a"] * b).sum(), "aux"

        a, b = raw([1.0, 2.0], backend), raw(3.0, backend)
        (of_p, of_b), aux = func.hvp(f, ({"a": a}, b), ({"a": a}, b), has_aux=True)
        assert numbers(of_p["a"]) == [12.0, 24.0]  # 2 b v + 2 a w
        assert (numbers(of_b), aux) == (10.0, "aux")

    def test_against_torch(self) -> None:
        if not HAVE_TORCH:
            pytest.skip("torch is not installed")
        x = torch.tensor(self.x)
        np.testing.assert_allclose(
            func.hessian(rosenbrock)(self.x),
            torch.func.jacrev(torch.func.jacrev(rosenbrock))(x),
            rtol=1e-11,
            atol=1e-11,
        )


class Cube(pg.autograd.Function):
    """A user's node, which makes Tensors of its own level in the backward pass."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * 3 * x**2


class TestOfUserDefinedNodes:
    def test_rows(self, backend: str) -> None:
        x = raw([1.0, 2.0], backend)
        j = func.jacrev(Cube.apply)(x)
        assert type(j) is type(x)
        assert numbers(j) == [[3.0, 0.0], [0.0, 12.0]]
        assert numbers(func.jacrev(func.jacrev(Cube.apply))(x)) == [[[6.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 12.0]]]

    def test_a_pullback_under_transforms_that_are_opened_later(self, backend: str) -> None:
        x = pg.tensor([1.0, 2.0], dtype="float64", backend=backend)
        eye = pg.namespace(backend).eye(2, dtype=x.dtype)
        _, pullback = func.vjp(Cube.apply, x)
        expected = [[3.0, 0.0], [0.0, 12.0]]
        for out in (
            func.vmap(pullback)(eye)[0],
            func.vmap(func.vmap(pullback))(eye[None, ...])[0][0, ...],
            func.jacfwd(lambda g: pullback(g)[0])(x),
            func.jacrev(lambda g: pullback(g)[0])(x),
            func.vmap(func.linearize(Cube.apply, x)[1])(eye),
        ):
            assert out._frame.level == 0
            assert not out.requires_grad
            assert numbers(out) == expected
