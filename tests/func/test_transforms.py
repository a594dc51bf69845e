"""Functional entry points: raw arrays and Tensors in and out, pytrees, argnums, aux, nesting, pickling."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import polygrad as pg
from polygrad import func
from polygrad.errors import ArgumentError, GraphError, ShapeError


def raw(data: object, backend: str) -> object:
    return pg.tensor(data, dtype="float64", backend=backend).array


def loss(x: pg.Tensor) -> pg.Tensor:
    return (x * x * x).sum()


def numbers(value: object) -> object:
    return value.tolist() if isinstance(value, pg.Tensor) else pg.asarray(value).tolist()


class TestGrad:
    def test_raw_arrays_come_back_raw(self, backend: str) -> None:
        x = raw([1.0, 2.0], backend)
        g = func.grad(loss)(x)
        assert type(g) is type(x)
        assert numbers(g) == [3.0, 12.0]

    def test_tensors_come_back_as_tensors(self, backend: str) -> None:
        x = pg.tensor([1.0, 2.0], dtype="float64")
        g = func.grad(loss)(x)
        assert isinstance(g, pg.Tensor)
        assert not g.requires_grad
        assert numbers(g) == [3.0, 12.0]
        assert x.grad is None

    def test_a_tracked_tensor_keeps_its_history(self, backend: str) -> None:
        x = pg.tensor([1.0, 2.0], dtype="float64", requires_grad=True)
        g = func.grad(loss)(x * 2)
        assert g.requires_grad
        g.sum().backward()
        assert numbers(x.grad) == [24.0, 48.0]

    def test_closed_over_tensor(self, backend: str) -> None:
        w = pg.tensor([3.0, 4.0], dtype="float64", requires_grad=True)
        g = func.grad(lambda x: (x * x * w).sum())(raw([1.0, 2.0], backend))
        assert numbers(g) == [6.0, 16.0]
        g.sum().backward()
        assert numbers(w.grad) == [2.0, 4.0]

    def test_argnums(self, backend: str) -> None:
        x, y = raw([1.0, 2.0], backend), raw([5.0, 7.0], backend)

        def product(x: pg.Tensor, y: pg.Tensor) -> pg.Tensor:
            return (x * x * y).sum()

        assert numbers(func.grad(product, 1)(x, y)) == [1.0, 4.0]
        both = func.grad(product, (0, 1))(x, y)
        assert isinstance(both, tuple)
        assert [numbers(g) for g in both] == [[10.0, 28.0], [1.0, 4.0]]
        assert numbers(func.grad(product, -1)(x, y)) == [1.0, 4.0]

    def test_pytrees(self, backend: str) -> None:
        params = {"w": raw([1.0, 2.0], backend), "layers": [raw(3.0, backend), (raw([1.0], backend),)]}

        def f(p: dict, scale: float) -> pg.Tensor:
            return (p["w"] * p["layers"][0]).sum() * scale + p["layers"][1][0].sum()

        g = func.grad(f)(params, 2.0)
        assert numbers(g["w"]) == [6.0, 6.0]
        assert numbers(g["layers"][0]) == 6.0
        assert numbers(g["layers"][1][0]) == [1.0]

    def test_value_and_grad_and_its_other_name(self, backend: str) -> None:
        x = raw([1.0, 2.0], backend)
        value, g = func.value_and_grad(loss)(x)
        assert type(value) is not pg.Tensor
        assert (numbers(value), numbers(g)) == (9.0, [3.0, 12.0])
        g, value = func.grad_and_value(loss)(x)
        assert (numbers(value), numbers(g)) == (9.0, [3.0, 12.0])

    def test_has_aux(self, backend: str) -> None:
        x = raw([1.0, 2.0], backend)

        def f(x: pg.Tensor) -> tuple[pg.Tensor, dict]:
            return loss(x), {"double": x * 2, "name": "f", "nothing": None}

        g, aux = func.grad(f, has_aux=True)(x)
        assert numbers(g) == [3.0, 12.0]
        assert numbers(aux["double"]) == [2.0, 4.0]
        assert (aux["name"], aux["nothing"]) == ("f", None)
        assert type(aux["double"]) is type(x)
        (value, _), g = func.value_and_grad(f, has_aux=True)(x)
        assert numbers(value) == 9.0
        g, (value, _) = func.grad_and_value(f, has_aux=True)(x)
        assert numbers(value) == 9.0

    def test_independent_argument_is_zero(self, backend: str) -> None:
        g = func.grad(lambda x, y: loss(y), (0, 1))(raw([1.0], backend), raw([2.0], backend))
        assert [numbers(part) for part in g] == [[0.0], [12.0]]
        assert numbers(func.grad(lambda x: pg.ones(()))(raw([1.0], backend))) == [0.0]

    def test_nested(self, backend: str) -> None:
        x = raw(0.5, backend)
        third = func.grad(func.grad(func.grad(lambda x: pg.sin(x) * x)))
        assert numbers(third(x)) == pytest.approx(-3 * np.sin(0.5) - 0.5 * np.cos(0.5), rel=1e-12)

    def test_no_perturbation_confusion(self, backend: str) -> None:
        """d/dx of x * d/dy (x + y) is 1, whatever the mode: the inner derivative does not see x."""
        x = raw(3.0, backend)
        one = pg.ones((), dtype="float64")
        inner_reverse = lambda x: func.grad(lambda y: x + y)(one)  # noqa: E731
        inner_forward = lambda x: func.jvp(lambda y: x + y, (one,), (one,))[1]  # noqa: E731
        for inner in (inner_reverse, inner_forward):
            f = lambda x: x * inner(x)  # noqa: E731, B023
            assert numbers(func.grad(f)(x)) == 1.0
            assert numbers(func.jvp(f, (x,), (raw(1.0, backend),))[1]) == 1.0

    def test_in_place_inside(self, backend: str) -> None:
        def f(x: pg.Tensor) -> pg.Tensor:
            y = x * 1
            y[0] = y[1] * 3
            y *= 2
            return y.sum()

        assert numbers(func.grad(f)(raw([1.0, 2.0], backend))) == [0.0, 8.0]

    def test_modes_mixed_to_order_four(self, backend: str) -> None:
        def reverse(f):
            return func.grad(f)

        def forward(f):
            return lambda x: func.jvp(f, (x,), (pg.ones_like(x),))[1]

        def f(x: pg.Tensor) -> pg.Tensor:
            return pg.exp(pg.sin(x)) * x / (pg.cos(x) + 2)

        x = pg.tensor(0.3, dtype="float64")
        results = []
        for a in (reverse, forward):
            for b in (reverse, forward):
                for c in (reverse, forward):
                    for d in (reverse, forward):
                        results.append(a(b(c(d(f))))(x).item())
        np.testing.assert_allclose(results, results[0], rtol=1e-13)
        step = 1e-3
        third = func.grad(func.grad(func.grad(f)))
        slope = (third(x + step).item() - third(x - step).item()) / (2 * step)
        assert results[0] == pytest.approx(slope, rel=1e-4)


class TestVjpAndJvp:
    def test_vjp(self, backend: str) -> None:
        x, y = raw([1.0, 2.0], backend), raw([3.0, 4.0], backend)
        value, pullback = func.vjp(lambda x, y: x * y, x, y)
        assert type(value) is type(x)
        for _ in range(2):
            gx, gy = pullback(raw([1.0, 10.0], backend))
            assert (numbers(gx), numbers(gy)) == ([3.0, 40.0], [1.0, 20.0])

    def test_vjp_of_a_tree(self, backend: str) -> None:
        x = raw([1.0, 2.0], backend)
        _, pullback, aux = func.vjp(lambda p: ({"a": p["x"] * 2, "b": p["x"].sum()}, "aux"), {"x": x}, has_aux=True)
        assert aux == "aux"
        (g,) = pullback({"a": raw([1.0, 1.0], backend), "b": raw(5.0, backend)})
        assert numbers(g["x"]) == [7.0, 7.0]
        with pytest.raises(TypeError, match="the cotangents have the structure"):
            pullback([x])
        with pytest.raises(ValueError, match=r"a cotangent has shape \(1,\), its output \(2,\)"):
            pullback({"a": raw([1.0], backend), "b": raw(5.0, backend)})

    def test_jvp(self, backend: str) -> None:
        x = raw([1.0, 2.0], backend)
        value, tangent = func.jvp(lambda x: x * x, (x,), (raw([1.0, 10.0], backend),))
        assert type(tangent) is type(x)
        assert (numbers(value), numbers(tangent)) == ([1.0, 4.0], [2.0, 40.0])
        value, tangent = func.jvp(lambda x: pg.ones(2), (x,), (x,))
        assert numbers(tangent) == [0.0, 0.0]

    def test_jvp_errors(self, backend: str) -> None:
        x = raw([1.0, 2.0], backend)
        with pytest.raises(TypeError, match="have to be tuples"):
            func.jvp(loss, x, x)
        with pytest.raises(ValueError, match="does not fit its primal"):
            func.jvp(loss, (x,), (raw([1.0], backend),))

    def test_in_place_and_views_in_forward_mode(self, backend: str) -> None:
        def f(x: pg.Tensor) -> pg.Tensor:
            y = x * 1
            part = y[1:]
            part *= 3
            y[0] = x[1] * x[1]
            return y

        x = raw([2.0, 5.0], backend)
        value, tangent = func.jvp(f, (x,), (raw([1.0, 1.0], backend),))
        assert (numbers(value), numbers(tangent)) == ([25.0, 15.0], [10.0, 3.0])
        zeros = lambda x: _filled(x)  # noqa: E731
        assert numbers(func.jvp(zeros, (x,), (raw([1.0, 7.0], backend),))[1]) == [7.0, 0.0]
        assert numbers(func.grad(lambda x: zeros(x).sum())(x)) == [0.0, 1.0]


def _filled(x: pg.Tensor) -> pg.Tensor:
    out = pg.zeros(2, dtype="float64")
    out[0] = x[1]
    return out


class TestErrors:
    def test_not_a_scalar(self, backend: str) -> None:
        with pytest.raises(
            RuntimeError, match=r"func.grad: the function has to return a scalar.*shape \(2,\).*sum\(\)"
        ):
            func.grad(lambda x: x * 2)(raw([1.0, 2.0], backend))

    def test_integers(self, backend: str) -> None:
        with pytest.raises(
            TypeError, match="func.grad: can only differentiate with respect to floating or complex.*int64"
        ):
            func.grad(loss)(pg.tensor([1, 2]).array)

    def test_what_is_no_array(self, backend: str) -> None:
        with pytest.raises(TypeError, match="have to be arrays or Tensors, got str '2.0'"):
            func.grad(loss)("2.0")

    def test_argnums_out_of_range(self, backend: str) -> None:
        with pytest.raises(TypeError, match="argnums=3 but the function was called with 1 positional"):
            func.grad(loss, 3)(raw([1.0], backend))

    def test_complex_result(self, backend: str) -> None:
        with pytest.raises(TypeError, match="has to return a real scalar"):
            func.grad(lambda z: z.sum())(pg.tensor([1.0 + 2.0j]).array)

    def test_aux_missing(self, backend: str) -> None:
        with pytest.raises(TypeError, match="has to return a pair"):
            func.grad(loss, has_aux=True)(raw([1.0], backend))


def test_a_transform_of_an_importable_function_pickles(backend: str) -> None:
    g = pickle.loads(pickle.dumps(func.grad(_importable)))
    assert numbers(g(raw([2.0], backend))) == [12.0]
    assert func.grad(_importable).__name__ == "_importable"


def _importable(x: pg.Tensor) -> pg.Tensor:
    """Documented."""
    return (x * x * x).sum()


def test_raw_comes_back_raw_also_when_a_constant_tensor_takes_part(backend: str) -> None:
    x = raw([1.0, 2.0], backend)
    for transform in (func.grad, lambda f: lambda x: func.value_and_grad(f)(x)[0]):
        out = transform(lambda x: (x * pg.ones(2, dtype="float64")).sum())(x)
        assert type(out) is type(x) or not isinstance(out, pg.Tensor)


class TestArgumentNames:
    @staticmethod
    def f(x: pg.Tensor, *, w: pg.Tensor, b: pg.Tensor) -> pg.Tensor:
        return (x * w).sum() + b * b

    def test_one_and_several(self, backend: str) -> None:
        x, w, b = raw([1.0, 2.0], backend), raw([3.0, 4.0], backend), raw(5.0, backend)
        g = func.grad(self.f, argnames="w")(x, w=w, b=b)
        assert type(g) is type(x)
        assert numbers(g) == [1.0, 2.0]
        g = func.grad(self.f, argnames=("w", "b"))(x, w=w, b=b)
        assert {name: numbers(part) for name, part in g.items()} == {"w": [1.0, 2.0], "b": 10.0}
        value, (of_x, of_names) = func.value_and_grad(self.f, 0, argnames=["b"])(x, w=w, b=b)
        assert (numbers(value), numbers(of_x), numbers(of_names["b"])) == (36.0, [3.0, 4.0], 10.0)

    def test_missing(self) -> None:
        with pytest.raises(
            ArgumentError, match="argnames='w', but the function was not called with the keyword argument 'w'"
        ):
            func.grad(self.f, argnames="w")(1.0, b=2.0)


class TestLinearize:
    def test_agrees_with_jvp(self, backend: str) -> None:
        x, t = raw([0.1, 0.2, 0.3], backend), raw([1.0, -2.0, 0.5], backend)

        def f(x: pg.Tensor) -> dict:
            return {"a": pg.sin(x) * x[0], "b": (x @ x, pg.argmax(x))}

        value, derivative = func.linearize(f, x)
        expected, slope = func.jvp(f, (x,), (t,))
        for scale in (1.0, 2.0):
            got = derivative(t * scale)
            assert type(got["a"]) is type(x)
            np.testing.assert_allclose(numbers(got["a"]), np.asarray(numbers(slope["a"])) * scale, rtol=1e-14)
            np.testing.assert_allclose(numbers(got["b"][0]), numbers(slope["b"][0]) * scale, rtol=1e-14)
            assert numbers(got["b"][1]) == 0
        assert numbers(value["a"]) == numbers(expected["a"])

    def test_the_function_runs_once(self) -> None:
        calls = []

        def f(x: pg.Tensor, y: pg.Tensor) -> tuple:
            calls.append(1)
            return x * y, "aux"

        value, derivative, aux = func.linearize(f, np.ones(2), np.full(2, 3.0), has_aux=True)
        assert derivative(np.ones(2), np.zeros(2)).tolist() == [3.0, 3.0]
        assert derivative(np.zeros(2), np.ones(2)).tolist() == [1.0, 1.0]
        assert (value.tolist(), aux, calls) == ([3.0, 3.0], "aux", [1])
        with pytest.raises(
            ShapeError, match="func.linearize: the tangent float64.3. does not fit its primal float64.2."
        ):
            derivative(np.ones(3), np.ones(3))

    def test_nested_and_batched(self, backend: str) -> None:
        x = pg.tensor([0.3, 0.7], dtype="float64", backend=backend)
        eye = pg.namespace(backend).eye(2, dtype=x.dtype)

        def jacobian(x: pg.Tensor) -> pg.Tensor:
            _, derivative = func.linearize(lambda x: pg.sin(x) * x[1], x)
            return func.vmap(derivative, out_dims=-1)(eye)

        np.testing.assert_allclose(
            numbers(jacobian(x)), numbers(func.jacfwd(lambda x: pg.sin(x) * x[1])(x)), rtol=1e-14
        )
        second = func.jacfwd(jacobian)(x), func.jacrev(jacobian)(x)
        expected = func.jacfwd(func.jacfwd(lambda x: pg.sin(x) * x[1]))(x)
        for got in second:
            np.testing.assert_allclose(numbers(got), numbers(expected), rtol=1e-13, atol=1e-15)

    def test_complex(self, backend: str) -> None:
        z, t = (pg.tensor(np.array(v), backend=backend) for v in ([1 + 2j, 0.5j], [1j, 2.0]))
        _, derivative = func.linearize(lambda z: pg.exp(z) * pg.conj(z), z)
        np.testing.assert_allclose(
            derivative(t).tolist(), func.jvp(lambda z: pg.exp(z) * pg.conj(z), (z,), (t,))[1].tolist()
        )


@pytest.mark.parametrize(
    "transform",
    [
        func.grad(_importable),
        func.value_and_grad(_importable, argnames="x"),
        func.jacfwd(_importable),
        func.jacrev(func.grad(_importable)),
        func.hessian(_importable),
        func.vmap(func.grad(_importable)),
        func.vmap(func.vmap(_importable, in_dims=(0,))),
    ],
)
def test_every_transform_pickles(transform) -> None:
    again = pickle.loads(pickle.dumps(transform))
    assert again.__name__ == "_importable"
    assert again.__doc__ == "Documented."
    x = np.arange(8.0).reshape(2, 2, 2)
    args, kwargs = ((), {"x": x}) if getattr(transform, "argnames", None) else ((x,), {})
    for got, expected in zip(listed(again(*args, **kwargs)), listed(transform(*args, **kwargs)), strict=True):
        np.testing.assert_array_equal(got, expected)


def listed(out: object) -> list:
    return list(out) if isinstance(out, tuple) else [out]


class TestWhatIsWrittenInside:
    """A Tensor from outside that is written to inside a transform keeps the value, and nothing of the transform."""

    @pytest.mark.parametrize("name", ["grad", "vjp", "jvp", "jacrev"])
    def test_it_is_a_plain_tensor_afterwards(self, name: str, backend: str) -> None:
        x = pg.tensor([1.0, 2.0], dtype="float64", backend=backend)
        w = pg.tensor([3.0, 4.0], dtype="float64", backend=backend)
        call = {
            "grad": lambda f: func.grad(f)(x),
            "vjp": lambda f: func.vjp(f, x),
            "jvp": lambda f: func.jvp(f, (x,), (x,)),
            "jacrev": lambda f: func.jacrev(f)(x),
        }[name]
        call(lambda a: w.mul_(a).sum())
        assert type(w) is pg.Tensor
        assert not w.requires_grad
        assert type(w.array) is type(x.array)
        assert w.tolist() == [3.0, 8.0]
        assert float(func.jvp(lambda b: (b * w).sum(), (x,), (pg.zeros_like(x),))[1]) == 0.0

    def test_a_buffer_under_no_grad(self, backend: str) -> None:
        buffer = pg.tensor([0.0, 0.0], dtype="float64", backend=backend)

        def f(a: pg.Tensor) -> pg.Tensor:
            with pg.no_grad():
                buffer.mul_(0.5).add_(a.detach())
            return (a * a).sum()

        x = pg.tensor([1.0, 2.0], dtype="float64", backend=backend)
        for expected in ([1.0, 2.0], [1.5, 3.0]):
            assert func.grad(f)(x).tolist() == [2.0, 4.0]
            assert buffer.tolist() == expected
        with pytest.raises(GraphError, match="written to with values that differ from example to example"):
            func.vmap(func.grad(f))(pg.stack([x, x]))
        assert buffer.tolist() == [0.75, 1.5]  # the factor is the same for all examples

    @pytest.mark.parametrize("write", ["copy_", "add_", "item", "view"])
    def test_a_batched_value_is_refused_and_changes_nothing(self, write: str, backend: str) -> None:
        c = pg.tensor([0.0, 0.0, 0.0], dtype="float64", backend=backend)
        writes = {
            "copy_": lambda r: c.copy_(r),
            "add_": lambda r: c.add_(r),
            "item": lambda r: c.__setitem__(0, r.sum()),
            "view": lambda r: c[1:].add_(r[1:]),
        }
        with pytest.raises(GraphError, match="It is as it was before"):
            func.vmap(lambda r: (writes[write](r), r.sum())[1])(pg.ones((2, 3), dtype="float64", backend=backend))
        assert type(c) is pg.Tensor
        assert c.tolist() == [0.0, 0.0, 0.0]

    def test_what_is_made_inside_may_be_written_to_and_returned(self, backend: str) -> None:
        x = pg.tensor([1.0, 2.0], dtype="float64", backend=backend)

        def f(a: pg.Tensor) -> pg.Tensor:
            y = pg.zeros(3, dtype="float64", backend=backend)
            y[0] = a[1] * a[0]
            return y

        value, pullback = func.vjp(f, x)
        assert value.tolist() == [2.0, 0.0, 0.0]
        assert pullback(pg.ones_like(value))[0].tolist() == [2.0, 1.0]
        assert func.jacrev(f)(x).tolist() == [[2.0, 1.0], [0.0, 0.0], [0.0, 0.0]]
        assert func.vmap(f)(pg.stack([x, 2 * x])).tolist() == [[2.0, 0.0, 0.0], [8.0, 0.0, 0.0]]

    @pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
    def test_copies_of_an_argument_go_on_from_it(self, copied: Any, backend: str) -> None:
        x = pg.tensor([1.0, 2.0], dtype="float64", backend=backend)
        f = lambda a: (copied(a) * a).sum()  # noqa: E731
        assert func.grad(f)(x).tolist() == [2.0, 4.0]
        assert float(func.jvp(f, (x,), (pg.ones_like(x),))[1]) == 6.0


class TestNumbers:
    def test_python_floats_alone_and_in_trees(self) -> None:
        assert float(func.grad(lambda x: x * x)(2.0)) == 4.0
        assert [float(g) for g in func.grad(lambda v: v[0] * v[1])([2.0, 3.0])] == [3.0, 2.0]
        assert float(func.grad(lambda p: p["a"] ** 2)({"a": 3.0})["a"]) == 6.0
        value, slope = func.value_and_grad(lambda x: pg.sin(x))(0.0)
        assert (float(value), float(slope)) == (0.0, 1.0)

    def test_a_result_that_is_a_number_has_a_gradient_of_zeros(self, backend: str) -> None:
        x = raw([1.0, 2.0], backend)
        assert numbers(func.grad(lambda x: 5.0)(x)) == [0.0, 0.0]
        value, slope = func.value_and_grad(lambda x: 5.0)(x)
        assert (value, numbers(slope)) == (5.0, [0.0, 0.0])

    def test_integers_are_not_differentiated(self) -> None:
        with pytest.raises(TypeError, match="got int 2"):
            func.grad(lambda x: x * x)(2)


class TestOtherPassesInside:
    @pytest.mark.parametrize("name", ["grad", "value_and_grad", "vjp", "jacrev", "hessian", "linearize", "hvp"])
    def test_backward_is_refused(self, name: str, backend: str) -> None:
        y = pg.tensor([1.0, 2.0], dtype="float64", backend=backend)
        x = pg.tensor([3.0, 4.0], dtype="float64", backend=backend, requires_grad=True)
        call = {
            "vjp": lambda f: func.vjp(f, y),
            "linearize": lambda f: func.linearize(f, y),
            "hvp": lambda f: func.hvp(f, (y,), (y,)),
        }.get(name, lambda f: getattr(func, name)(f)(y))

        def f(y: pg.Tensor) -> pg.Tensor:
            (y * x + x * x).sum().backward()
            return (y * x).sum()

        with pytest.raises(GraphError, match="backward: .* was computed inside a functional transform"):
            call(f)
        assert x.grad is None

    def test_grad_with_respect_to_a_captured_leaf_says_so(self, backend: str) -> None:
        x = pg.tensor([3.0, 4.0], dtype="float64", backend=backend, requires_grad=True)
        with pytest.raises(GraphError, match=r"grad: inputs\[0\].* is from outside of the functional transform"):
            func.grad(lambda y: pg.autograd.grad((y * x).sum(), x)[0].sum())(x.detach())
