"""``custom_jvp`` and ``custom_vjp`` at every level, mode and order, and implicit differentiation."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import polygrad as pg
from polygrad import func
from polygrad.errors import ArgumentError, DtypeError, GraphError, NoDerivativeError, ShapeError
from polygrad.func import custom_fixed_point, custom_jvp, custom_root, custom_vjp, grad, hessian, jacfwd, jacrev, vmap
from support.gradient_checks import check, host, tensor

X = np.array([0.3, -1.2, 2.0])


@custom_jvp
def softplus(x: Any) -> Any:
    """log(1 + exp(x))"""
    return pg.log(1 + pg.exp(x))


@softplus.defjvp
def softplus_rule(primals: Any, tangents: Any) -> Any:
    (x,), (t,) = primals, tangents
    return softplus(x), pg.sigmoid(x) * t


@custom_vjp
def product(x: Any, y: Any) -> Any:
    return pg.sin(x) * y


product.defvjp(
    lambda x, y: (pg.sin(x) * y, (x, y)), lambda kept, g: (pg.cos(kept[0]) * kept[1] * g, pg.sin(kept[0]) * g)
)


@custom_jvp
def plain_product(x: Any, y: Any) -> Any:
    return pg.sin(x) * y


plain_product.defjvps(lambda t, out, x, y: pg.cos(x) * y * t, lambda t, out, x, y: pg.sin(x) * t)


def mixed(f: Any) -> Any:
    """A scalar function that uses ``f`` more than once."""
    return lambda x: (
        pg.sum(f(x, x * x) * f(x, x)) if f in (product, plain_product, reference) else pg.sum(f(x) * f(2 * x))
    )


def reference(x: Any, y: Any) -> Any:
    return pg.sin(x) * y


class TestAgainstOrdinaryFunctions:
    @pytest.mark.parametrize("f", [product, plain_product], ids=["vjp", "jvp"])
    def test_finite_differences(self, f: Any, backend: str) -> None:
        check(f, [X, X[::-1].copy()], backend, forward=f is plain_product)

    def test_of_one_argument(self, backend: str) -> None:
        check(softplus, [X], backend)

    @pytest.mark.parametrize("f", [product, plain_product], ids=["vjp", "jvp"])
    def test_nested_reverse(self, f: Any, backend: str) -> None:
        x = tensor(X, backend)
        np.testing.assert_allclose(host(grad(mixed(f))(x)), host(grad(mixed(reference))(x)), rtol=1e-12)
        ours, expected = (jacrev(grad(mixed(g)))(x) for g in (f, reference))
        np.testing.assert_allclose(host(ours), host(expected), rtol=1e-11, atol=1e-13)
        ours, expected = (jacrev(jacrev(grad(mixed(g))))(x) for g in (f, reference))
        np.testing.assert_allclose(host(ours), host(expected), rtol=1e-10, atol=1e-12)

    @pytest.mark.parametrize("f", [product, plain_product], ids=["vjp", "jvp"])
    def test_forward_over_reverse(self, f: Any, backend: str) -> None:
        x = tensor(X, backend)
        ours, expected = (hessian(mixed(g))(x) for g in (f, reference))
        np.testing.assert_allclose(host(ours), host(expected), rtol=1e-11, atol=1e-13)

    def test_modes_mixed_to_order_three(self, backend: str) -> None:
        x = tensor(X[:2], backend)
        expected = host(jacfwd(jacfwd(jacfwd(mixed(reference))))(x))
        for a in (jacfwd, jacrev):
            for b in (jacfwd, jacrev):
                for c in (jacfwd, jacrev):
                    np.testing.assert_allclose(host(a(b(c(mixed(plain_product))))(x)), expected, rtol=1e-10, atol=1e-12)

    @pytest.mark.parametrize("f", [product, plain_product], ids=["vjp", "jvp"])
    @pytest.mark.parametrize("in_dims", [(0, 0), (0, None), (None, 0)])
    def test_on_a_batch(self, f: Any, in_dims: Any, backend: str) -> None:
        rng = np.random.default_rng(0)
        x, y = (tensor(rng.normal(size=(4, 3) if dim == 0 else (3,)), backend) for dim in in_dims)
        for transform in (lambda g: g, lambda g: grad(lambda x, y: pg.sum(g(x, y) ** 2), argnums=(0, 1))):
            ours, expected = (vmap(transform(g), in_dims=in_dims)(x, y) for g in (f, reference))
            for a, b in zip(listed(ours), listed(expected), strict=True):
                np.testing.assert_allclose(host(a), host(b), rtol=1e-12)
        # differentiated from outside, where an argument that all examples share collects from all
        ours, expected = (
            grad(lambda x, y, g=g: pg.sum(vmap(g, in_dims=in_dims)(x, y) ** 2), argnums=(0, 1))(x, y)
            for g in (f, reference)
        )
        for a, b in zip(ours, expected, strict=True):
            np.testing.assert_allclose(host(a), host(b), rtol=1e-12)

    @pytest.mark.parametrize("f", [product, plain_product], ids=["vjp", "jvp"])
    def test_on_a_batch_of_batches(self, f: Any, backend: str) -> None:
        x, y = tensor(np.random.default_rng(0).normal(size=(2, 3)), backend), tensor(X, backend)

        def twice(g: Any) -> Any:
            return vmap(vmap(g, in_dims=(0, 0)), in_dims=(0, None))

        ours, expected = (
            grad(lambda x, y, g=g: pg.sum(twice(g)(x, y) ** 3), argnums=(0, 1))(x, y) for g in (f, reference)
        )
        for a, b in zip(ours, expected, strict=True):
            np.testing.assert_allclose(host(a), host(b), rtol=1e-12)

    @pytest.mark.parametrize("f", [product, plain_product], ids=["vjp", "jvp"])
    def test_create_graph(self, f: Any, backend: str) -> None:
        x = tensor(X, backend, requires_grad=True)
        (g,) = pg.autograd.grad(mixed(f)(x), x, create_graph=True)
        (h,) = pg.autograd.grad(g.sum(), x)
        assert not h.requires_grad
        np.testing.assert_allclose(host(h), host(hessian(mixed(reference))(x.detach())).sum(0), rtol=1e-11)


def listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, tuple) else [value]


class TestRules:
    def test_the_rule_counts(self, backend: str) -> None:
        @custom_vjp
        def clipped(x: Any) -> Any:
            return x * 1.0

        clipped.defvjp(lambda x: (x * 1.0, None), lambda _, g: (pg.clip(g, -1.0, 1.0),))
        x = tensor(X, backend, requires_grad=True)
        (clipped(x) * tensor([5.0, 0.5, -7.0], backend)).sum().backward()
        assert x.grad.tolist() == [1.0, 0.5, -1.0]
        rows = jacrev(clipped)(tensor(X, backend))
        assert rows.tolist() == np.eye(3).tolist()

    def test_trees_keywords_and_what_is_held(self, backend: str) -> None:
        @functools_partial_friendly
        def f(kind: str, p: dict[str, Any], power: int, scale: Any = 2.0) -> Any:
            return {kind: p["a"] ** power * scale, "b": p["b"]}

        def fwd(kind: str, p: dict[str, Any], power: int, scale: Any) -> Any:
            return f(kind, p, power, scale), (p["a"], scale, "text")

        def bwd(kind: str, power: int, kept: Any, g: Any) -> Any:
            a, scale, text = kept
            assert text == "text"
            return {"a": g[kind] * power * a ** (power - 1) * scale, "b": g["b"] * 10}, None

        f.defvjp(fwd, bwd)
        p = {"a": tensor(X, backend), "b": tensor(1.0, backend)}
        g = grad(lambda p: pg.sum(f("out", p, power=3)["out"]) + f("out", p, 3, scale=2.0)["b"])(p)
        np.testing.assert_allclose(host(g["a"]), 6 * X**2)
        assert g["b"].tolist() == 10.0
        g = vmap(grad(lambda a: f("out", {"a": a, "b": a}, 3)["out"]))(tensor(X, backend))
        np.testing.assert_allclose(host(g), 6 * X**2)

    def test_several_outputs_of_which_some_are_not_used(self, backend: str) -> None:
        @custom_vjp
        def f(x: Any) -> Any:
            return x * 2, x * 3, pg.argmax(x)

        f.defvjp(lambda x: (f(x), None), lambda _, g: (g[0] * 20 + g[1] * 300,))
        x = tensor(X, backend, requires_grad=True)
        _, second, index = f(x)
        assert not index.requires_grad
        second.sum().backward()
        assert x.grad.tolist() == [300.0] * 3

        @custom_jvp
        def h(x: Any) -> Any:
            return x * 2, x * 3

        h.defjvp(lambda p, t: (h(p[0]), (t[0] * 20, t[0] * 300)))
        assert grad(lambda x: h(x)[1].sum())(tensor(X, backend)).tolist() == [300.0] * 3
        assert jacfwd(lambda x: h(x)[0])(tensor(X, backend)).tolist() == (20 * np.eye(3)).tolist()

    def test_methods(self, backend: str) -> None:
        class Model:
            scale = 3.0

            @functools_partial_friendly_jvp
            def apply(self, x: Any) -> Any:
                return x * self.scale

        Model.apply.defjvp(lambda self, p, t: (self.apply(p[0]), t[0] * 30.0))
        assert grad(lambda x: Model().apply(x).sum())(tensor(X, backend)).tolist() == [30.0] * 3

    def test_modes(self, backend: str) -> None:
        x = tensor(X, backend, requires_grad=True)
        assert softplus(x).requires_grad
        assert softplus(x).grad_fn.name() == "softplusBackward"
        assert softplus(x).grad_fn.next_functions[0][0].name() == "AccumulateGrad"
        with pg.no_grad():
            assert not softplus(x).requires_grad
        y = softplus(x).sum()
        y.backward()
        with pytest.raises(GraphError, match="softplusBackward"):
            y.backward()

    def test_pickles(self) -> None:
        assert pickle.loads(pickle.dumps(softplus)) is softplus
        g = pickle.loads(pickle.dumps(grad(softplus)))
        np.testing.assert_allclose(g(np.array(0.0)), 0.5)
        assert (softplus.__name__, softplus.__doc__) == ("softplus", "log(1 + exp(x))")

    def test_random_numbers_in_a_batch(self) -> None:
        @custom_jvp
        def noisy(x: Any) -> Any:
            return x + pg.rand(())

        noisy.defjvp(lambda p, t: (noisy(p[0]), t[0] * 5))
        x = pg.tensor(np.zeros(4))
        assert len(set(vmap(noisy, randomness="different")(x).tolist())) == 4
        assert len(set(vmap(noisy, randomness="same")(x).tolist())) == 1
        assert vmap(grad(noisy), randomness="different")(x).tolist() == [5.0] * 4


functools_partial_friendly = lambda f: custom_vjp(f, nondiff_argnums=(0, 2))  # noqa: E731
functools_partial_friendly_jvp = lambda f: custom_jvp(f, nondiff_argnums=(0,))  # noqa: E731


class TestErrors:
    def test_forward_mode_of_a_vjp(self) -> None:
        for call in (
            lambda: func.jvp(product, (X, X), (X, X)),
            lambda: jacfwd(product)(X, X),
            lambda: vmap(lambda x: func.jvp(product, (x, x), (x, x))[1])(X),
        ):
            with pytest.raises(
                NoDerivativeError, match="product: forward-mode.*cannot be applied to a custom_vjp function"
            ):
                call()

    def test_no_rule(self) -> None:
        with pytest.raises(
            NoDerivativeError, match=r"f: no derivative has been given: define one with f\.defvjp\(fwd, bwd\)"
        ):
            grad(named(custom_vjp))(np.array(1.0))
        with pytest.raises(
            NoDerivativeError, match=r"f: no derivative has been given: define one with f\.defjvp\(rule\)"
        ):
            grad(named(custom_jvp))(np.array(1.0))

    @pytest.mark.parametrize(
        ("fwd", "bwd", "error", "text"),
        [
            (
                lambda x: x,
                lambda r, g: (g,),
                ArgumentError,
                r"fwd given to defvjp has to return a pair \(output, residuals\)",
            ),
            (
                lambda x: (x, None),
                lambda r, g: g,
                ArgumentError,
                "a tuple with one cotangent .* for each of the 1 differ",
            ),
            (
                lambda x: (x, None),
                lambda r, g: (g, g),
                ArgumentError,
                "for each of the 1 differentiable arguments, got 2 of them",
            ),
            (
                lambda x: (x, None),
                lambda r, g: ((g,),),
                ArgumentError,
                "a cotangent of structure .* for an argument of structure",
            ),
            (lambda x: (x, None), lambda r, g: (g.sum(),), ShapeError, r"of shape \(\) where \(3,\) belongs"),
            (
                lambda x: (x, None),
                lambda r, g: (g.to("float32"),),
                DtypeError,
                "of dtype float32 where float64 belongs",
            ),
        ],
    )
    def test_bad_vjp(self, fwd: Any, bwd: Any, error: type[Exception], text: str) -> None:
        f = named(custom_vjp)
        f.defvjp(fwd, bwd)
        with pytest.raises(error, match=text):
            grad(lambda x: f(x).sum())(X)

    @pytest.mark.parametrize(
        ("rule", "error", "text"),
        [
            (lambda p, t: p[0], ArgumentError, r"has to return a pair \(output, tangent\)"),
            (lambda p, t: (p[0], (t[0],)), ArgumentError, "the tangent .* has the structure"),
            (lambda p, t: (p[0], t[0].sum()), ShapeError, r"returned a tangent of shape \(\) where \(3,\) belongs"),
            (lambda p, t: (p[0], t[0].to("float32")), DtypeError, "returned a tangent of dtype float32 where float64"),
        ],
    )
    def test_bad_jvp(self, rule: Any, error: type[Exception], text: str) -> None:
        f = named(custom_jvp)
        f.defjvp(rule)
        with pytest.raises(error, match=text):
            func.jvp(f, (X,), (X,))
        with pytest.raises(error, match=text):
            grad(lambda x: f(x).sum())(X)

    def test_a_tensor_that_is_no_argument(self) -> None:
        w = pg.tensor(X, requires_grad=True)
        f = custom_vjp(lambda x: x * w)
        f.defvjp(lambda x: (x * w, None), lambda _, g: (g * w.detach(),))
        x = pg.tensor(X, requires_grad=True)
        with pytest.raises(GraphError, match="differentiated but is no argument .* pass it as an argument"):
            f(x)

        def inner(w: Any) -> Any:
            f = custom_jvp(lambda x: x * w)
            f.defjvp(lambda p, t: (p[0] * w, t[0] * w))
            return f(w * 2).sum()

        with pytest.raises(GraphError, match="differentiated but is no argument"):
            grad(inner)(X)

    def test_arguments(self) -> None:
        with pytest.raises(ArgumentError, match="custom_jvp: expected a function, got int 3"):
            custom_jvp(3)
        with pytest.raises(ArgumentError, match="defvjp: expected two functions"):
            named(custom_vjp).defvjp(None, pg.sin)
        with pytest.raises(ArgumentError, match="keyword-only arguments .scale. have no place in a derivative rule"):
            custom_jvp(keyword_only)(X, scale=2)


def keyword_only(x: Any, *, scale: Any = 1.0) -> Any:
    return x * scale


def named(kind: Any) -> Any:
    def f(x: Any) -> Any:
        return x * 1.0

    return kind(f)


# -- implicit differentiation -----------------------------------------------------------------------------------------
A = np.array([2.0, 3.0])


def newton(f: Any, x0: Any) -> Any:
    """A solver of raw arrays of any library; it looks at values."""
    x = x0
    for _ in range(60):
        step = pg.linalg.solve(jacfwd(f)(x), pg.asarray(f(x)))
        x = (pg.asarray(x) - step).array
        if float(pg.max(pg.abs(step))) < 1e-14:
            break
    return x


def curve(x: Any, p: Any) -> Any:
    """Zero at x = (sqrt(a), sqrt(a) b)."""
    a, b = p["a"], p["b"]
    return pg.stack([x[0] * x[0] - a, x[1] - x[0] * b])


def exact(p: Any) -> Any:
    root = pg.sqrt(p["a"])
    return pg.stack([root, root * p["b"]])


class TestRoot:
    def at(self, backend: str) -> Any:
        return {"a": tensor(2.0, backend), "b": tensor(3.0, backend)}

    def start(self, backend: str) -> Any:
        return tensor([1.0, 1.0], backend)

    def test_values_and_first_derivatives(self, backend: str) -> None:
        root, p, x0 = custom_root(curve, newton), self.at(backend), self.start(backend)
        np.testing.assert_allclose(host(root(x0, p)), host(exact(p)), rtol=1e-13)
        for transform in (jacfwd, jacrev):
            ours, expected = transform(lambda p: root(x0, p))(p), transform(exact)(p)
            for name in p:
                np.testing.assert_allclose(host(ours[name]), host(expected[name]), rtol=1e-12, atol=1e-14)

    def test_second_derivatives_in_every_mixture(self, backend: str) -> None:
        root, p, x0 = custom_root(curve, newton), self.at(backend), self.start(backend)
        expected = hessian(exact)(p)
        for outer in (jacfwd, jacrev):
            for inner in (jacfwd, jacrev):
                ours = outer(inner(lambda p: root(x0, p)))(p)
                for a in p:
                    for b in p:
                        np.testing.assert_allclose(host(ours[a][b]), host(expected[a][b]), rtol=1e-11, atol=1e-13)

    def test_backward_and_create_graph(self, backend: str) -> None:
        a = tensor(2.0, backend, requires_grad=True)
        root = custom_root(lambda x, a: x**3 - a, newton_scalar)
        y = root(tensor(1.0, backend), a)
        (g,) = pg.autograd.grad(y, a, create_graph=True)
        (h,) = pg.autograd.grad(g, a)
        np.testing.assert_allclose(
            [float(y), float(g), float(h)], [2 ** (1 / 3), 2 ** (-2 / 3) / 3, -2 / 9 * 2 ** (-5 / 3)]
        )

    def test_the_first_guess_does_not_matter(self, backend: str) -> None:
        root = custom_root(lambda x, a: x**3 - a, newton_scalar)
        assert grad(lambda x0: root(x0, tensor(8.0, backend)))(tensor(1.0, backend)).tolist() == 0.0
        assert (
            grad(lambda x0, a: root(x0, a), argnums=(0, 1))(tensor(1.0, backend), tensor(8.0, backend))[0].tolist()
            == 0.0
        )

    def test_on_a_batch(self, backend: str) -> None:
        root = custom_root(lambda x, a: x**3 - a, newton_scalar)
        a = tensor([1.0, 8.0, 27.0], backend)
        x0 = tensor(1.5, backend)
        np.testing.assert_allclose(host(vmap(root, in_dims=(None, 0))(x0, a)), [1.0, 2.0, 3.0], rtol=1e-12)
        slopes = vmap(grad(root, argnums=1), in_dims=(None, 0))(x0, a)
        np.testing.assert_allclose(host(slopes), host(a) ** (-2 / 3) / 3, rtol=1e-12)
        total = grad(lambda a: pg.sum(vmap(root, in_dims=(None, 0))(x0, a)))(a)
        np.testing.assert_allclose(host(total), host(a) ** (-2 / 3) / 3, rtol=1e-12)

    def test_a_solver_for_the_tangents(self, backend: str) -> None:
        calls = []

        def diagonal_solve(linear: Any, b: Any) -> Any:
            calls.append(1)
            return b / linear(pg.ones_like(b))

        root = custom_root(lambda x, a: x**3 - a, newton, diagonal_solve)
        a, x0 = tensor([8.0, 27.0], backend), tensor([1.0, 1.0], backend)
        for transform in (jacfwd, jacrev):
            np.testing.assert_allclose(
                host(transform(lambda a: root(x0, a))(a)), np.diag(host(a) ** (-2 / 3) / 3), rtol=1e-12
            )
        assert calls

    def test_unknowns_in_a_tree(self, backend: str) -> None:
        def f(x: Any, a: Any) -> Any:
            return {"u": x["u"] * x["u"] - a, "v": x["v"] - x["u"][0]}

        def solve(g: Any, x0: Any) -> Any:
            x = x0
            for _ in range(80):
                r = g(x)
                x = {"u": x["u"] - r["u"] / (2 * x["u"]), "v": x["v"] - r["v"]}
            return x

        root = custom_root(f, solve)
        x0 = {"u": tensor([1.0, 1.0], backend), "v": tensor(0.0, backend)}
        a = tensor([4.0, 9.0], backend)
        j = jacrev(lambda a: root(x0, a))(a)
        np.testing.assert_allclose(host(j["u"]), np.diag([0.25, 1 / 6]), rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(host(j["v"]), [0.25, 0.0], rtol=1e-12, atol=1e-15)

    def test_errors(self) -> None:
        one = np.ones(2)
        with pytest.raises(ArgumentError, match="custom_root: solve is no function"):
            custom_root(curve, None)
        with pytest.raises(ShapeError, match=r"solve returned a solution of shape \(\), the first guess has \(2,\)"):
            custom_root(lambda x, a: x - a, lambda f, x0: 1.0)(one, one)
        with pytest.raises(ArgumentError, match="solve has to return the solution, got"):
            custom_root(lambda x, a: x - a, lambda f, x0: object())(one, one)
        with pytest.raises(ArgumentError, match="solve returned the structure"):
            custom_root(lambda x, a: x - a, lambda f, x0: (x0, x0))(one, one)
        with pytest.raises(ShapeError, match="the structure and shapes of the unknown"):
            grad(lambda a: custom_root(lambda x, a: x[0] - a[0], lambda f, x0: x0)(one, a).sum())(one)

    def test_pickles(self) -> None:
        root = pickle.loads(pickle.dumps(custom_root(curve, newton)))
        np.testing.assert_allclose(root(np.ones(2), {"a": np.array(4.0), "b": np.array(1.0)}), [2.0, 2.0])


def newton_scalar(f: Any, x0: Any) -> Any:
    x = x0
    for _ in range(60):
        x = (pg.asarray(x) - pg.asarray(f(x)) / pg.asarray(grad(f)(x))).array
    return x


class TestWithSciPy:
    optimize = pytest.importorskip("scipy.optimize")

    def test_root(self) -> None:
        root = custom_root(curve, lambda f, x0: self.optimize.root(f, x0, tol=1e-13).x)
        p = {"a": np.array(2.0), "b": np.array(3.0)}
        out = root(np.ones(2), p)
        assert type(out) is np.ndarray
        np.testing.assert_allclose(out, exact(p).numpy(), rtol=1e-10)
        for transform in (jacfwd, jacrev, hessian):
            ours, expected = transform(lambda p: root(np.ones(2), p))(p), transform(exact)(p)
            for a, b in zip(flat(ours), flat(expected), strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-12)

    def test_brentq(self) -> None:
        root = custom_root(
            lambda x, a: pg.cos(x) - a * x,
            lambda f, x0: self.optimize.brentq(lambda x: float(f(x)), 0.0, 2.0, xtol=1e-14),
        )
        a = np.array(1.0)
        x = root(np.array(1.0), a)
        slope = -x / (np.sin(x) + a)
        np.testing.assert_allclose(grad(lambda a: root(np.array(1.0), a))(a), slope, rtol=1e-10)
        np.testing.assert_allclose(func.jvp(lambda a: root(np.array(1.0), a), (a,), (a,))[1], slope, rtol=1e-10)

    def test_fixed_point(self) -> None:
        point = custom_fixed_point(
            lambda x, a: pg.sqrt(a / (x + 1.0)), lambda g, x0: self.optimize.fixed_point(g, x0, xtol=1e-13)
        )
        a = np.array([1.0, 2.0])
        x = point(np.full(2, 0.5), a)
        np.testing.assert_allclose(x * x * (x + 1), a, rtol=1e-10)
        slope = 1 / (3 * x * x + 2 * x)
        for transform in (jacfwd, jacrev):
            np.testing.assert_allclose(
                transform(lambda a: point(np.full(2, 0.5), a))(a), np.diag(slope), rtol=1e-9, atol=1e-12
            )
        curvature = -(6 * x + 2) * slope**3
        second = hessian(lambda a: point(np.full(2, 0.5), a).sum())(a)
        np.testing.assert_allclose(second, np.diag(curvature), rtol=1e-8, atol=1e-10)

    def test_the_solver_gets_raw_arrays(self) -> None:
        seen = []

        def solve(f: Any, x0: Any) -> Any:
            seen.extend([type(x0), type(f(x0)), type(f(pg.asarray(x0)))])
            return x0

        custom_root(lambda x, a: x - a, solve)(pg.tensor(A), pg.tensor(A))
        assert seen == [np.ndarray, np.ndarray, pg.Tensor]


def flat(tree: Any) -> list[Any]:
    return [leaf for part in tree.values() for leaf in flat(part)] if isinstance(tree, dict) else [tree]
