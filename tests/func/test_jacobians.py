"""Jacobians in both modes, against the known ones and against each other."""

from __future__ import annotations

import numpy as np
import pytest

import polygrad as pg
from polygrad import func


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
