"""polygrad.jit: a compiled function does what the function does, on every backend, gradients and changes of arguments included."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import polygrad as pg
from polygrad import func
from polygrad.errors import ArgumentError, BackendError, GraphError


@pytest.fixture(params=["numpy", "jax", "torch"], autouse=True)
def name(request: pytest.FixtureRequest) -> Iterator[str]:
    if importlib.util.find_spec(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    double: Any = contextlib.nullcontext()
    if request.param == "jax":
        import jax

        double = jax.enable_x64(True)
    with double, pg.use_backend(request.param):
        yield request.param


@pytest.fixture
def jit(name: str) -> Callable[..., Any]:
    """``polygrad.jit``; on torch without its slow C++ compiler."""
    return (lambda f, **options: pg.jit(f, backend="aot_eager", **options)) if name == "torch" else pg.jit


@pytest.fixture
def compiles(name: str) -> None:
    if name == "numpy":
        pytest.skip("nothing is compiled on NumPy")


def tensor(data: Any, requires_grad: bool = False) -> Any:
    return pg.tensor(data, dtype="float64", requires_grad=requires_grad, backend=pg.ones(1).backend)


def close(got: Any, expected: Any) -> None:
    got = got.tolist() if isinstance(got, pg.Tensor) else got
    expected = expected.tolist() if isinstance(expected, pg.Tensor) else expected
    np.testing.assert_allclose(np.asarray(got), np.asarray(expected), rtol=1e-12, atol=1e-12)


def product(x: Any, w: Any) -> Any:
    return (pg.sin(x) * w).sum()


X, W = np.asarray([1.0, 2.0]), np.asarray([3.0, 4.0])


class TestGradients:
    def test_backward_through_a_compiled_function(self, jit: Any) -> None:
        f = jit(product)
        x, w = tensor(X, True), tensor(W, True)
        for _ in range(2):
            y = f(x, w)
            close(y, (np.sin(X) * W).sum())
            (y * 2).backward()
        close(x.grad, 4 * np.cos(X) * W)
        close(w.grad, 4 * np.sin(X))

    def test_results_of_operations_go_in_and_out(self, jit: Any) -> None:
        f = jit(lambda x: (x * x, x.sum()))
        x = tensor(X, True)
        square, total = f(pg.exp(x))
        (square.sum() * total).backward()
        other = tensor(X, True)
        e = pg.exp(other)
        ((e * e).sum() * e.sum()).backward()
        close(x.grad, other.grad)

    def test_one_output_of_several(self, jit: Any) -> None:
        f = jit(lambda x: {"a": pg.sin(x), "b": pg.cos(x), "n": pg.argmax(x)})
        x = tensor(X, True)
        out = f(x)
        assert out["a"].requires_grad
        assert out["n"].tolist() == 1
        assert not out["n"].requires_grad
        close(pg.autograd.grad(out["b"].sum(), x)[0], -np.sin(X))

    def test_second_and_third_order(self, jit: Any) -> None:
        f = jit(product)
        x, w = tensor(X, True), tensor(W)
        (g,) = pg.autograd.grad(f(x, w), x, create_graph=True)
        (h,) = pg.autograd.grad(g.sum(), x, create_graph=True)
        (third,) = pg.autograd.grad(h.sum(), x)
        close(g, np.cos(X) * W)
        close(h, -np.sin(X) * W)
        close(third, -np.cos(X) * W)

    def test_transforms_over_a_compiled_function(self, jit: Any) -> None:
        f = jit(product)
        x, w = tensor(X), tensor(W)
        raw = x.array
        close(func.grad(f)(x, w), np.cos(X) * W)
        assert type(func.grad(f)(raw, w.array)) is type(raw)
        close(func.jvp(f, (x, w), (tensor([1.0, 0.0]), tensor([0.0, 1.0])))[1], np.cos(1.0) * 3 + np.sin(2.0))
        close(func.jacfwd(func.grad(f))(x, w), np.diag(-np.sin(X) * W))
        close(func.jacrev(func.grad(f))(x, w), np.diag(-np.sin(X) * W))
        close(func.grad(lambda x: func.grad(f)(x, w).sum())(x), -np.sin(X) * W)
        mixed = func.jvp(lambda x: func.grad(f)(x, w), (x,), (tensor([1.0, 1.0]),))[1]
        close(mixed, -np.sin(X) * W)

    def test_transforms_inside(self, jit: Any) -> None:
        close(jit(func.grad(product))(tensor(X), tensor(W)), np.cos(X) * W)
        close(jit(func.jacfwd(func.grad(product)))(tensor(X), tensor(W)), np.diag(-np.sin(X) * W))
        x = tensor(X, True)
        jit(lambda x: func.grad(product)(x, tensor(W)).sum())(x).backward()
        close(x.grad, -np.sin(X) * W)

    def test_vmap(self, jit: Any) -> None:
        f = jit(product)
        batch = np.stack([X, 2 * X])
        close(func.vmap(f, in_dims=(0, None))(tensor(batch), tensor(W)), (np.sin(batch) * W).sum(axis=1))
        per_example = jit(func.vmap(func.grad(f), in_dims=(0, None)))
        close(per_example(tensor(batch), tensor(W)), np.cos(batch) * W)
        close(
            func.jvp(func.vmap(f, in_dims=(0, None)), (tensor(batch), tensor(W)), (tensor(batch), tensor(W)))[1],
            (np.cos(batch) * batch * W + np.sin(batch) * W).sum(axis=1),
        )

    def test_compiled_inside_of_compiled(self, jit: Any) -> None:
        inner = jit(product)
        x, w = tensor(X, True), tensor(W)
        jit(lambda x, w: inner(x * x, w))(x, w).backward()
        close(x.grad, np.cos(X * X) * W * 2 * X)

    def test_closed_over_constants(self, jit: Any) -> None:
        w = tensor(W)
        x = tensor(X, True)
        jit(lambda x: product(x, w))(x).backward()
        close(x.grad, np.cos(X) * W)

    def test_complex(self, jit: Any) -> None:
        z = pg.tensor(np.asarray([1 + 2j, -0.5j]), backend=pg.ones(1).backend, requires_grad=True)
        other = z.detach().requires_grad_()
        f = lambda z: pg.abs(z * z * (1 + 1j)).sum()  # noqa: E731
        jit(f)(z).backward()
        f(other).backward()
        close(z.grad, other.grad)

    def test_no_grad(self, jit: Any) -> None:
        f = jit(lambda x: x * 2)
        x = tensor(X, True)
        with pg.no_grad():
            assert not f(x).requires_grad
        assert f(x).requires_grad
        with pg.no_grad():
            assert not f(x).requires_grad
        with pg.inference_mode():
            assert f(x).is_inference()
        assert not f(x).is_inference()
        assert not f(x.detach()).requires_grad


class TestArgumentsAreChanged:
    def test_backward_inside(self, jit: Any) -> None:
        def f(x: Any, w: Any) -> Any:
            product(x, w).backward()
            return x.grad

        compiled = jit(f)
        x, w = tensor(X, True), tensor(W)
        for times in (1, 2, 3):
            g = compiled(x, w)
            close(x.grad, times * np.cos(X) * W)
            close(g, x.grad)
        kept = x.grad
        compiled(x, w)
        assert x.grad is kept  # its value has changed, as without compiling
        close(kept, 4 * np.cos(X) * W)

    def test_a_training_step_in_torchs_style(self, jit: Any) -> None:
        def step(params: Any, x: Any, lr: float) -> Any:
            loss = ((params["w"] * x + params["b"] - 1) ** 2).sum()
            loss.backward()
            with pg.no_grad():
                for p in params.values():
                    p -= lr * p.grad
                    p.grad = None
            return loss.detach()

        compiled = jit(step)
        ours = {"w": tensor(W, True), "b": tensor([0.5, 0.25], True)}
        plain = {"w": tensor(W, True), "b": tensor([0.5, 0.25], True)}
        objects = dict(ours)
        for lr in (0.1, 0.05, 0.02):
            close(compiled(ours, tensor(X), lr), step(plain, tensor(X), lr))
        for key, p in ours.items():
            assert p is objects[key]
            assert p.requires_grad
            assert p.is_leaf
            assert p.grad is None
            close(p, plain[key])

    def test_writing_in_place(self, jit: Any) -> None:
        def f(buffer: Any, x: Any) -> None:
            buffer[0] = x[1] * 2
            buffer *= 3

        x = tensor(X, True)
        buffer = tensor([1.0, 1.0])
        view = buffer[:1]
        jit(f)(buffer, x)
        close(buffer, [12.0, 3.0])
        close(view, [12.0])
        buffer.sum().backward()
        close(x.grad, [0.0, 6.0])

    def test_a_write_into_the_result_of_an_operation(self, jit: Any) -> None:
        x = tensor(X, True)
        y = x * 3

        def f(y: Any) -> None:
            y[0] = 0.0
            y += 1

        jit(f)(y)
        close(y, [1.0, 7.0])
        (y * y).sum().backward()
        close(x.grad, [0.0, 42.0])

    def test_the_same_tensor_twice(self, jit: Any) -> None:
        def f(a: Any, b: Any) -> Any:
            a += 1
            return b * 2

        x = tensor(X)
        close(jit(f)(x, x), 2 * (X + 1))
        close(x, X + 1)
        y = tensor(X, True)
        jit(lambda a, b: (a * b).sum())(y, y).backward()
        close(y.grad, 2 * X)

    def test_a_write_to_one_of_two_views(self, jit: Any, compiles: None) -> None:
        def f(a: Any, b: Any) -> Any:
            a += 1
            return b * 2

        base = tensor([1.0, 2.0, 3.0])
        view = base[:2]
        for args in ((base, view), (view, base), (view, base[1:])):
            with pytest.raises(
                GraphError, match="writes to an argument .* that shares its memory with another one .*Pass one of them"
            ):
                jit(f)(*args)
        close(base, [1.0, 2.0, 3.0])
        close(jit(f)(view, tensor(X)), 2 * X)
        close(base, [2.0, 3.0, 3.0])

    def test_an_argument_returned_is_the_argument(self, jit: Any) -> None:
        x, y = tensor(X, True), tensor(W)
        out = jit(lambda x, y: (x, [y, x]))(x, y)
        assert out[0] is x
        assert out[1][0] is y
        assert out[1][1] is x

    def test_requires_grad_set_inside(self, jit: Any) -> None:
        def f(x: Any) -> Any:
            x.requires_grad_()
            (x * x).sum().backward()
            return x.grad

        x = tensor(X)
        close(jit(f)(x), 2 * X)
        assert x.requires_grad
        close(x.grad, 2 * X)

    def test_backward_beyond_an_argument(self, jit: Any, compiles: None) -> None:
        y = tensor(X, True) * 2
        with pytest.raises(
            GraphError, match="reaches an argument .* that is the result of an operation outside.*Return the loss"
        ):
            jit(lambda y: y.sum().backward())(y)

    def test_hooks_on_a_leaf_cannot_run(self, jit: Any, compiles: None) -> None:
        x = tensor(X, True)
        calls = []
        x.register_hook(lambda g: calls.append(1))
        with pytest.raises(GraphError, match="reaches a leaf with hooks .*return the loss and call backward"):
            jit(lambda x: (x * x).sum().backward())(x)
        assert x.grad is None
        jit(lambda x: (x * x).sum())(x).backward()
        assert calls == [1]


class TestFromOutside:
    def test_a_leaf_that_is_no_argument(self, jit: Any, compiles: None) -> None:
        w = tensor(W, True)
        with pytest.raises(
            GraphError, match="depends on a Tensor from outside that requires grad .*Pass it as an argument"
        ):
            jit(lambda x: product(x, w))(tensor(X))
        close(jit(lambda x: product(x, w).detach())(tensor(X)), (np.sin(X) * W).sum())

    def test_a_gradient_or_a_write_would_leak(self, jit: Any, compiles: None) -> None:
        w, buffer = tensor(W, True), tensor(W)
        with pytest.raises(
            GraphError, match=r"backward: a Tensor .* was made outside of a function which .* is tracing"
        ):
            jit(lambda x: product(x, w).backward())(tensor(X))
        assert w.grad is None

        def write(x: Any) -> None:
            buffer[0] = x[0]

        with pytest.raises(
            GraphError,
            match="in-place operation: a Tensor .* was made outside .*polygrad.jit hands changes of arguments back",
        ):
            jit(write)(tensor(X))
        close(buffer, W)

    def test_a_leaf_made_inside(self, jit: Any) -> None:
        def f(x: Any) -> Any:
            w = tensor(W, True)
            product(x, w).backward()
            return w.grad, w.detach() * 1

        g, w = jit(f)(tensor(X))
        close(g, np.sin(X))
        close(w, W)


class TestCalls:
    def test_trees_arrays_numbers_and_constants(self, jit: Any) -> None:
        raw = tensor(X).array

        def f(tree: Any, scale: float, *, shift: int = 0) -> Any:
            return {"t": tree["t"] * scale + shift, "raw": tree["raw"], "other": (3, "text", None, tree["t"].shape)}

        for scale in (2, 0.5):
            out = jit(f)({"t": tensor(X), "raw": raw}, scale, shift=1)
            close(out["t"], X * scale + 1)
            assert type(out["raw"]) is type(raw)
            assert out["other"] == (3, "text", None, (2,))

    def test_nested_containers(self, jit: Any) -> None:
        f = jit(lambda tree, more: [tree["a"]["b"] * 2, tree["c"][0][1] + more[0], {"none": tree["none"]}])
        for _ in range(2):
            out = f({"c": [(tensor(W), tensor(X))], "a": {"b": tensor(X)}, "none": None}, (tensor(W),))
            close(out[0], 2 * X)
            close(out[1], X + W)
            assert out[2] == {"none": None}
        g = jit(lambda tree, absent: tree["b"] - tree["a"] if absent is None else absent)
        close(g({"b": tensor(W), "a": tensor(X)}, None), W - X)
        close(g({"a": tensor(X), "b": tensor(W)}, None), W - X)

    def test_numbers_stay_numbers(self, jit: Any) -> None:
        x = pg.tensor([1.0, 2.0], dtype="float32")
        assert jit(lambda x, lr: x - lr * x)(x, 0.5).dtype == x.dtype
        assert jit(lambda x, n: n + x * n)(x, 2).dtype == x.dtype
        close(jit(lambda x, s: x * s)(tensor(X), np.float64(3.0)), 3 * X)

    def test_static_arguments(self, jit: Any) -> None:
        traced = []

        def f(x: Any, n: int, how: str = "sum") -> Any:
            traced.append((n, how))
            for _ in range(n):
                x = x * 2
            return getattr(x, how)()

        g = jit(f, static_argnums=1, static_argnames="how")
        for _ in range(2):
            close(g(tensor(X), 2, how="sum"), 12.0)
            close(g(tensor(X), n=3, how="max"), 16.0)
            close(g(tensor(X), 2, "max"), 8.0)
        assert len(set(traced)) == 3
        x = tensor(X, True)
        g(x, 2, how="sum").backward()
        close(x.grad, [4.0, 4.0])

    def test_shapes_dtypes_and_structures(self, jit: Any) -> None:
        f = jit(lambda x: x.reshape(-1) if x.ndim > 1 else x.sum())
        close(f(tensor([[1.0], [2.0]])), [1.0, 2.0])
        close(f(tensor([1.0, 2.0])), 3.0)
        close(f(tensor([[1.0], [2.0]])), [1.0, 2.0])
        g = jit(lambda t: [a * 2 for a in t])
        assert len(g([tensor(X)])) == 1
        assert len(g([tensor(X), tensor(W)])) == 2

    def test_the_function_is_traced_once(self, jit: Any, compiles: None) -> None:
        traced = []

        def f(x: Any) -> Any:
            traced.append(1)
            return x * 2

        g = jit(f)
        for _ in range(3):
            g(tensor(X))
        assert len(traced) == 1
        assert g.__name__ == "f"

    def test_as_decorator_and_method(self, name: str) -> None:
        options = {"backend": "aot_eager"} if name == "torch" else {}

        class Model:
            scale = 2.0

            @pg.jit(static_argnums=0, **options)
            def __call__(self, x: Any) -> Any:
                """Scale."""
                return x * self.scale

        x = tensor(X, True)
        model = Model()
        y = model(x)
        close(y, 2 * X)
        y.sum().backward()
        close(x.grad, [2.0, 2.0])
        assert Model.__call__.__doc__ == "Scale."

    def test_random_numbers(self, jit: Any, name: str) -> None:
        f = jit(lambda x: x + pg.randn(2, dtype="float64"))
        guard = pytest.warns(UserWarning, match="draws random numbers") if name == "torch" else contextlib.nullcontext()
        pg.manual_seed(3)
        with guard:
            first, second = f(tensor(X)), f(tensor(X))
        assert first.tolist() != second.tolist()
        pg.manual_seed(3)
        close(f(tensor(X)), first)
        close(f(tensor(X)), second)
        assert pg.randn(2).tolist() != pg.randn(2).tolist()

    def test_random_numbers_are_the_same_in_the_backward_pass(self, jit: Any, name: str) -> None:
        def f(x: Any) -> Any:
            mask = pg.randn(64, dtype="float64") > 0
            return pg.where(mask, x * x, 0.0 * x)

        f = jit(f)
        x = tensor(np.linspace(1, 2, 64), True)
        with pytest.warns(UserWarning, match="draws random numbers") if name == "torch" else contextlib.nullcontext():
            y = f(x)
        y.sum().backward()
        close(x.grad, np.where(np.asarray(y.tolist()) != 0, 2 * np.linspace(1, 2, 64), 0.0))
        assert len(set(np.asarray(x.grad.tolist()) == 0)) == 2

    def test_modes_and_the_default_dtype_are_part_of_the_call(self, jit: Any) -> None:
        f = jit(lambda x: (x * 0 + pg.ones(2).sum(), pg.is_grad_enabled(), pg.ones(1)))
        assert f(tensor(X))[1] is True
        with pg.no_grad():
            assert f(tensor(X))[1] is False
        pg.set_default_dtype("float32")
        try:
            assert "float32" in str(f(tensor(X))[2].dtype)
        finally:
            pg.set_default_dtype(None)
        assert f(tensor(X))[2].dtype == pg.ones(1).dtype


class TestErrors:
    def test_an_argument_of_another_kind(self, jit: Any, compiles: None) -> None:
        with pytest.raises(
            ArgumentError, match="an argument is str 'mean'.*Name arguments of other kinds in static_argnames"
        ):
            jit(lambda x, how: x)(tensor(X), "mean")

    def test_static_arguments(self, jit: Any) -> None:
        with pytest.raises(
            ArgumentError, match=r"the static argument 1 has to be hashable, got list \[1\]; pass a tuple"
        ):
            jit(lambda x, n: x, static_argnums=1)(tensor(X), [1])
        with pytest.raises(ArgumentError, match="the static argument 'w' is an array"):
            jit(lambda x, w: x, static_argnames="w")(tensor(X), w=tensor(W))
        with pytest.raises(
            ArgumentError, match="static_argnames names 'z', which is no parameter of the function; it has"
        ):
            jit(lambda x: x, static_argnames="z")
        with pytest.raises(ArgumentError, match="static_argnums names 4, but the function has 1 positional"):
            jit(lambda x: x, static_argnums=4)
        with pytest.raises(ArgumentError, match="expected a function, got int 3"):
            pg.jit(3)

    def test_mixed_backends(self, jit: Any, name: str, compiles: None) -> None:
        other = pg.Tensor(np.ones(2))
        with pytest.raises(BackendError, match=f"different backends: '{name}' and 'numpy'.*to_backend\\('{name}'\\)"):
            jit(lambda x, y: x)(tensor(X), other)
        with pytest.raises(BackendError, match=f"an array of numpy .* among those of {name}; move it first"):
            jit(lambda x, y: x)(tensor(X), np.ones(2))

    def test_options_of_jax_that_go_by_arguments(self, name: str) -> None:
        if name != "jax":
            pytest.skip("options of jax.jit")
        with pytest.raises(ArgumentError, match="in_shardings goes by the arguments .*Place the arrays"):
            pg.jit(lambda x: x, in_shardings=None)(tensor(X))
        with pytest.raises(ArgumentError, match="donate_argnums goes by the arguments .*Use jax.jit itself"):
            pg.jit(lambda x: x, donate_argnums=0)(tensor(X))

    def test_writes_inside_a_transform(self, jit: Any, compiles: None) -> None:
        def f(x: Any) -> Any:
            x *= 2
            return x.sum()

        with pytest.raises(GraphError, match="inside of a functional transform .* cannot write to its arguments"):
            func.grad(lambda x: jit(f)(x * 1))(tensor(X))

    def test_torch_says_what_it_cannot_compile(self, jit: Any, name: str) -> None:
        if name != "torch":
            pytest.skip("a fallback of torch's")
        f = jit(lambda x: x * 2 if float(x.sum().detach()) > 0 else x)
        with pytest.warns(
            UserWarning, match="polygrad.jit: torch cannot compile '<lambda>', so it runs as it is: while tracing"
        ):
            close(f(tensor(X)), 2 * X)
        close(f(tensor(-X)), -X)  # without another warning
