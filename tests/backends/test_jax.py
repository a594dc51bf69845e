"""JAX: Tensors as pytrees, polygrad inside jit, vmap, grad and their kin, leaked tracers, random numbers, float64."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import polygrad as pg
from polygrad import func
from polygrad.errors import BackendError, DtypeError, GraphError

jax = pytest.importorskip("jax")
jnp = jax.numpy


@pytest.fixture(autouse=True)
def double() -> Iterator[None]:
    with jax.enable_x64(True), pg.use_backend("jax"):
        yield


def leaf(*values: float) -> Any:
    return pg.Tensor(jnp.asarray(values, dtype=jnp.float64), requires_grad=True)


def close(got: Any, expected: Any, tolerance: float = 1e-12) -> None:
    got = got.array if isinstance(got, pg.Tensor) else got
    np.testing.assert_allclose(np.asarray(got), np.asarray(expected), rtol=tolerance, atol=tolerance)


def cubes(x: Any) -> Any:
    """A polygrad function with the gradient ``3 x**2 w`` and the second derivative ``6 x w``."""
    return (x**3 * pg.asarray(jnp.asarray([1.0, -2.0, 0.5]))).sum()


X = np.asarray([0.3, 1.2, -0.7])
W = np.asarray([1.0, -2.0, 0.5])


def by_backward(x: Any) -> Any:
    """The gradient of ``cubes`` as a raw array: a Tensor is built and ``backward`` called inside."""
    t = pg.Tensor(x, requires_grad=True)
    cubes(t).backward()
    return t.grad.array


class TestTransformations:
    @pytest.mark.parametrize("gradient", [by_backward, func.grad(cubes)], ids=["backward", "func.grad"])
    def test_jit(self, gradient: Any) -> None:
        close(jax.jit(gradient)(jnp.asarray(X)), 3 * X**2 * W)

    @pytest.mark.parametrize("gradient", [by_backward, func.grad(cubes)], ids=["backward", "func.grad"])
    def test_vmap(self, gradient: Any) -> None:
        batch = np.stack([X, 2 * X])
        close(jax.vmap(gradient)(jnp.asarray(batch)), 3 * batch**2 * W)
        close(jax.jit(jax.vmap(gradient))(jnp.asarray(batch)), 3 * batch**2 * W)

    @pytest.mark.parametrize("gradient", [by_backward, func.grad(cubes)], ids=["backward", "func.grad"])
    def test_second_order_by_jax_over_polygrad(self, gradient: Any) -> None:
        hessian = np.diag(6 * X * W)
        for outer in (jax.jacfwd, jax.jacrev):
            close(outer(gradient)(jnp.asarray(X)), hessian)
            close(jax.jit(outer(gradient))(jnp.asarray(X)), hessian)
        close(jax.grad(lambda x: gradient(x).sum())(jnp.asarray(X)), 6 * X * W)
        close(jax.jvp(gradient, (jnp.asarray(X),), (jnp.ones(3),))[1], 6 * X * W)

    def test_second_order_by_polygrad_inside_jax(self) -> None:
        close(jax.jit(func.grad(lambda x: func.grad(cubes)(x).sum()))(jnp.asarray(X)), 6 * X * W)
        close(jax.jit(func.jacfwd(func.grad(cubes)))(jnp.asarray(X)), np.diag(6 * X * W))
        close(jax.vmap(func.jacrev(func.grad(cubes)))(jnp.asarray(X)[None]), np.diag(6 * X * W)[None])

        def twice(x: Any) -> Any:
            t = pg.Tensor(x, requires_grad=True)
            (g,) = pg.autograd.grad(cubes(t), t, create_graph=True)
            g.sum().backward()
            return t.grad.array

        close(jax.jit(twice)(jnp.asarray(X)), 6 * X * W)
        # third order: twice by polygrad, once by JAX
        close(jax.jacfwd(twice)(jnp.asarray(X)), np.diag(6 * W))

    def test_third_order_through_every_mix(self) -> None:
        f = jax.grad(lambda x: func.grad(lambda x: jax.grad(lambda x: cubes(pg.Tensor(x)).array)(x.array).sum() * 1)(x))
        # jax inside polygrad cuts polygrad's graph, so it has to be refused rather than give a zero
        with pytest.raises(Exception, match="0-d Tensor"):
            f(jnp.asarray(X))
        g = jax.grad(lambda x: func.grad(lambda x: func.grad(cubes)(x).sum())(x).sum())
        close(g(jnp.asarray(X)), 6 * W)

    def test_assignment_by_mask_under_jit(self) -> None:
        def masked(x: Any) -> Any:
            t = pg.Tensor(x, requires_grad=True)
            y = t * t
            y[y > 1.0] = 0.0
            y.sum().backward()
            return y.detach().array, t.grad.array

        y, g = jax.jit(masked)(jnp.asarray(X))
        close(y, np.where(X * X > 1, 0, X * X))
        close(g, np.where(X * X > 1, 0, 2 * X))
        y, g = jax.vmap(masked)(jnp.asarray([X, 3 * X]))
        close(g[1], np.where(9 * X * X > 1, 0, 6 * X))

    def test_assignment_by_mask_of_a_row(self) -> None:
        def masked(x: Any) -> Any:
            t = pg.Tensor(x, requires_grad=True)
            y = t * 1
            y[t[:, 0] > 0.0] = pg.asarray(jnp.asarray(7.0)) * t[0, 0]
            y.sum().backward()
            return t.grad.array

        x = np.asarray([[1.0, 2.0], [-1.0, 3.0]])
        close(jax.jit(masked)(jnp.asarray(x)), [[14.0, 0.0], [1.0, 1.0]])

    def test_a_mask_that_selects_says_what_to_do(self) -> None:
        with pytest.raises(
            NotImplementedError, match=r"the shape of the result depends on values.*polygrad\.where\(mask, x, 0\)"
        ):
            jax.jit(lambda x: pg.Tensor(x)[pg.Tensor(x) > 0].sum().array)(jnp.asarray(X))

    def test_indexing(self) -> None:
        def select(x: Any, i: Any) -> Any:
            t = pg.Tensor(x, requires_grad=True)
            index = pg.Tensor(jnp.asarray([0, 0, 2]))
            loss = (
                (t[index] * pg.asarray(jnp.asarray([1.0, 2.0, 3.0]))).sum()
                + t[1:].sum() * 2
                + t[::-1][0]
                + t[pg.Tensor(i)] * 5
            )
            loss.backward()
            return t.grad.array

        close(jax.jit(select)(jnp.asarray(X), 1), [3.0, 7.0, 6.0])
        close(
            jax.vmap(select, in_axes=(None, 0))(jnp.asarray(X), jnp.asarray([0, 2])),
            [[8.0, 2.0, 6.0], [3.0, 2.0, 11.0]],
        )

    def test_views_and_in_place_work_under_jit(self) -> None:
        def program(x: Any) -> Any:
            t = pg.Tensor(x, requires_grad=True)
            y = t * 2
            row = y[1:]
            row *= 3
            y.reshape((3,))[0] = t[2]
            (y * y).sum().backward()
            return y.detach().array, t.grad.array

        y, g = jax.jit(program)(jnp.asarray(X))
        close(y, [X[2], 6 * X[1], 6 * X[2]])
        close(g, [0.0, 72 * X[1], 72 * X[2] + 2 * X[2]])

    def test_control_flow_on_values_is_jaxs_error(self) -> None:
        with pytest.raises(jax.errors.TracerBoolConversionError):
            jax.jit(lambda x: pg.Tensor(x).array if pg.Tensor(x).sum() > 0 else x)(jnp.asarray(X))

    def test_inside_scan(self) -> None:
        def step(w: Any, x: Any) -> Any:
            return w - 0.1 * func.grad(lambda w: ((w * x - 1) ** 2).sum())(w), None

        data = jnp.asarray([[1.0, 2.0], [0.5, 1.0], [2.0, 1.0]])
        w, _ = jax.jit(lambda w: jax.lax.scan(step, w, data))(jnp.asarray([0.1, 0.2]))
        expected = np.asarray([0.1, 0.2])
        for x in np.asarray(data):
            expected = expected - 0.1 * 2 * (expected * x - 1) * x
        close(w, expected)


SCIPY = """
import jax, numpy as np, polygrad as pg
from scipy import integrate, signal, special, stats
jax.config.update("jax_enable_x64", True)
X = np.asarray([0.3, 1.2, -0.7, 2.0])
functions = {
    "logsumexp": special.logsumexp, "erf": lambda t: special.erf(t).sum(),
    "zscore": lambda t: (stats.zscore(t) ** 3).sum(), "skew": stats.skew,
    "trapezoid": lambda t: integrate.trapezoid(t * t), "gmean": lambda t: stats.gmean(t * t),
    "fftconvolve": lambda t: (signal.fftconvolve(t, t * 2) ** 2).sum(),
}
for name, f in functions.items():
    def gradient(x):
        t = pg.Tensor(x, requires_grad=True)
        f(t).backward()
        return t.grad.array
    got = np.asarray(jax.jit(gradient)(jax.numpy.asarray(X)))
    value = lambda x: float(f(pg.Tensor(jax.numpy.asarray(x))))
    expected = [(value(X + d) - value(X - d)) / 2e-6 for d in 1e-6 * np.eye(4)]
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-7, err_msg=name)
print("agree:", len(functions))
"""


def test_code_of_scipy_under_jit() -> None:
    """Functions of SciPy that follow the standard, traced through Tensors; SCIPY_ARRAY_API has to be set before SciPy is imported."""
    pytest.importorskip("scipy")
    environment = {**os.environ, "SCIPY_ARRAY_API": "1"}
    done = subprocess.run([sys.executable, "-c", SCIPY], capture_output=True, text=True, env=environment, check=False)
    assert done.stdout.strip() == "agree: 7", done.stderr


class TestPytree:
    def test_in_and_out_of_jit(self) -> None:
        x = leaf(1.0, 2.0)
        out = jax.jit(lambda t: t.detach() * 2)(x)
        assert isinstance(out, pg.Tensor)
        assert not out.requires_grad
        close(out, [2.0, 4.0])
        same = jax.jit(lambda t: t)(x)
        assert same.requires_grad
        assert same.is_leaf

    def test_the_tensor_inside_requires_grad_and_is_another(self) -> None:
        x = leaf(1.0, 2.0)

        @jax.jit
        def gradient(t: Any) -> Any:
            assert t.requires_grad
            (t * t).sum().backward()
            return t.grad

        close(gradient(x), [2.0, 4.0])
        assert x.grad is None

    def test_trees(self) -> None:
        tree = {"a": leaf(1.0), "b": [pg.Tensor(jnp.ones(2)), jnp.zeros(1)]}
        doubled = jax.tree.map(lambda a: a * 2, tree)
        close(doubled["a"], [2.0])
        assert doubled["a"].requires_grad
        assert not doubled["b"][0].requires_grad
        assert len(jax.tree.leaves(tree)) == 3
        assert jax.tree.structure(tree) == jax.tree.structure(doubled)
        assert jax.tree.structure(tree) != jax.tree.structure(jax.tree.map(lambda a: a, {**tree, "a": tree["b"][0]}))

    def test_unflatten_does_not_look_at_its_leaf(self) -> None:
        structure = jax.tree.structure(leaf(1.0))
        assert isinstance(jax.tree.unflatten(structure, [object()]), pg.Tensor)
        assert isinstance(jax.tree.unflatten(structure, [None]), pg.Tensor)

    def test_grad_with_respect_to_tensors(self) -> None:
        x = {"w": leaf(0.5, 2.0), "b": leaf(3.0)}
        g = jax.grad(lambda p: ((p["w"] * p["b"]) ** 2).sum().detach().array)(x)
        close(g["w"], [9.0, 36.0])
        close(g["b"], [25.5])
        assert g["w"].requires_grad  # the structure of what it is the gradient of

    def test_vmap_over_tensors(self) -> None:
        x = pg.Tensor(jnp.asarray(np.stack([X, 2 * X])))
        close(jax.vmap(lambda t: (t * t).sum())(x), [(X * X).sum(), 4 * (X * X).sum()])
        close(jax.vmap(lambda t, s: t * s, in_axes=(0, None))(x, leaf(2.0).detach()), np.stack([2 * X, 4 * X]))

    def test_a_history_is_not_cut_silently(self) -> None:
        y = leaf(1.0) * 2
        with pytest.raises(
            GraphError, match=r"a Tensor with a history \(float64\[1\]\).*silently\. Use x\.detach\(\).*polygrad\.jit"
        ):
            jax.jit(lambda t: t)(y)
        with pytest.raises(GraphError, match="a Tensor with a history"):
            jax.jit(lambda t: t * 2)(leaf(1.0))
        with pytest.raises(GraphError, match="a Tensor with a history"):
            func.grad(lambda t: jax.jit(lambda a: a)(t).sum())(jnp.ones(2))
        with pytest.raises(GraphError, match="a Tensor with a history"):
            func.jvp(lambda t: jax.jit(lambda a: a)(t), (jnp.ones(2),), (jnp.ones(2),))

    def test_a_tensor_of_another_backend(self) -> None:
        with pytest.raises(BackendError, match=r"on the backend 'numpy' \(float64\[2\]\).*x\.to_backend\('jax'\)"):
            jax.jit(lambda t: t)(pg.Tensor(np.ones(2)))

    def test_representation_inside(self) -> None:
        shown = []
        jax.jit(lambda t: shown.append(repr(t)))(leaf(1.0, 2.0))
        assert shown == ["tensor(<traced float64[2]>, requires_grad=True)"]


LEAKED = (
    r"was made outside of a function which jax is tracing.*would hold a tracer.*Nothing was changed\. Pass the Tensor to the function as "
    r"an argument and return"
)


class TestCompiledInside:
    """polygrad.jit inside of JAX's transformations."""

    def test_jit_vmap_and_grad(self) -> None:
        f = pg.jit(cubes)
        close(jax.jit(lambda x: f(pg.Tensor(x)).array)(jnp.asarray(X)), (X**3 * W).sum())
        close(
            jax.vmap(lambda x: f(pg.Tensor(x)).array)(jnp.asarray([X, 2 * X])), [(X**3 * W).sum(), 8 * (X**3 * W).sum()]
        )
        close(jax.grad(lambda x: f(pg.Tensor(x)).array)(jnp.asarray(X)), 3 * X**2 * W)

        def gradient(x: Any) -> Any:
            t = pg.Tensor(x, requires_grad=True)
            f(t).backward()
            return t.grad.array

        close(jax.jit(gradient)(jnp.asarray(X)), 3 * X**2 * W)
        close(jax.jacfwd(gradient)(jnp.asarray(X)), np.diag(6 * X * W))

    def test_an_argument_from_outside_cannot_be_changed(self) -> None:
        w = leaf(1.0, 2.0, 3.0)
        step = pg.jit(lambda w, x: (w * x).sum().backward())
        with pytest.raises(GraphError, match=LEAKED):
            jax.jit(lambda x: (step(w, pg.Tensor(x)), x)[1])(jnp.asarray(X))
        assert w.grad is None


class TestLeaks:
    @pytest.mark.parametrize("transform", [jax.jit, jax.vmap, jax.jacfwd, lambda f: jax.grad(lambda x: f(x).sum())])
    def test_backward_on_a_leaf_from_outside(self, transform: Any) -> None:
        w = leaf(1.0, 2.0, 3.0)

        def f(x: Any) -> Any:
            loss = (w * pg.Tensor(x)).sum()
            loss.backward()
            return loss.detach().array

        with pytest.raises(GraphError, match=r"backward: a Tensor \(float64\[3\]\) that " + LEAKED):
            transform(f)(jnp.asarray(np.stack([X, X])))
        assert w.grad is None
        (w * 2).sum().backward()  # as if nothing had happened
        close(w.grad, [2.0, 2.0, 2.0])
        with pytest.raises(GraphError, match="its .grad would hold a tracer"):
            transform(f)(jnp.asarray(np.stack([X, X])))
        close(w.grad, [2.0, 2.0, 2.0])

    def test_the_gradient_may_be_taken_and_returned(self) -> None:
        w = leaf(1.0, 2.0, 3.0)
        close(jax.jit(lambda x: pg.autograd.grad((w * pg.Tensor(x)).sum(), w)[0].array)(jnp.asarray(X)), X)

    def test_a_leaf_made_inside_from_an_array_outside(self) -> None:
        data = jnp.asarray([1.0, 2.0, 3.0])

        def f(x: Any) -> Any:
            w = pg.Tensor(data, requires_grad=True)
            v = pg.asarray(data).requires_grad_()
            (w * w * v * pg.Tensor(x)).sum().backward()
            return w.grad.array + v.grad.array

        expected = 2 * np.asarray(data) ** 2 * X + np.asarray(data) ** 2 * X
        for transform in (jax.jit, lambda f: lambda x: jax.vmap(f)(x[None])[0]):
            close(transform(f)(jnp.asarray(X)), expected)
        close(jax.jacfwd(f)(jnp.asarray(X)), np.diag(3 * np.asarray(data) ** 2))

    def test_a_leaf_of_an_outer_trace(self) -> None:
        def outer(x: Any) -> Any:
            w = pg.Tensor(x, requires_grad=True)
            return jax.jit(lambda y: ((w * pg.Tensor(y)).sum().backward(), y)[1])(x)

        with pytest.raises(GraphError, match=LEAKED):
            jax.jit(outer)(jnp.asarray(X))

    def test_an_argument_that_vmap_does_not_map(self) -> None:
        def f(w: Any, x: Any) -> Any:
            (w * pg.Tensor(x)).sum().backward()
            return w.grad

        g = jax.vmap(f, in_axes=(None, 0))(leaf(1.0, 2.0, 3.0), jnp.asarray(np.stack([X, 2 * X])))
        close(g, np.stack([X, 2 * X]))

    def test_retained_gradient(self) -> None:
        y = leaf(1.0, 2.0, 3.0) * 2
        y.retain_grad()
        with pytest.raises(GraphError, match=LEAKED):
            jax.jit(lambda x: ((y * pg.Tensor(x)).sum().backward(), x)[1])(jnp.asarray(X))
        assert y.grad is None

    def test_assigned_gradient(self) -> None:
        w = leaf(1.0, 2.0, 3.0)
        with pytest.raises(GraphError, match=r"grad: a Tensor.*" + LEAKED):
            jax.jit(lambda x: (setattr(w, "grad", pg.Tensor(x)), x)[1])(jnp.asarray(X))
        assert w.grad is None

    def test_writing_in_place(self) -> None:
        buffer, w = pg.zeros(3, dtype="float64"), leaf(1.0, 2.0, 3.0)
        view = buffer[1:]

        def assign(x: Any) -> Any:
            buffer[0] = pg.Tensor(x)[0]
            return x

        def add(x: Any) -> Any:
            nonlocal buffer
            buffer += pg.Tensor(x)
            return x

        def through_a_view(x: Any) -> Any:
            view[...] = pg.Tensor(x)[1:]
            return x

        def update(x: Any) -> Any:
            with pg.no_grad():
                w.sub_(pg.Tensor(x))
            return x

        for f in (assign, add, through_a_view, update):
            with pytest.raises(GraphError, match=r"in-place operation.*: a Tensor \(float64\[[23]\]\) that " + LEAKED):
                jax.jit(f)(jnp.asarray(X))
        assert buffer.tolist() == [0.0, 0.0, 0.0]
        assert w.tolist() == [1.0, 2.0, 3.0]

    def test_writing_to_what_was_made_inside(self) -> None:
        data = jnp.asarray([1.0, 2.0, 3.0])

        def f(x: Any) -> Any:
            out, mine = pg.zeros(3, dtype="float64"), pg.Tensor(data)
            out[0] = pg.Tensor(x)[2]
            mine *= pg.Tensor(x)
            copy = pg.asarray(data)
            copy[1:] = 0.0
            return out.array + mine.array + copy.array

        expected = np.asarray([X[2] + X[0] + 1, 2 * X[1], 3 * X[2]])
        close(jax.jit(f)(jnp.asarray(X)), expected)
        close(jax.vmap(f)(jnp.asarray(X[None]))[0], expected)
        close(data, [1.0, 2.0, 3.0])


class TestRandom:
    def test_a_generator_outside_of_the_trace(self) -> None:
        with pytest.raises(
            GraphError, match=r"random numbers inside jax\.jit.*Call polygrad\.manual_seed\(seed\) inside"
        ):
            jax.jit(lambda x: pg.randn(3).array + x)(jnp.ones(3))
        assert pg.randn(3).tolist() != pg.randn(3).tolist()

    def test_seeded_inside(self) -> None:
        @jax.jit
        def draw(seed: Any) -> Any:
            pg.manual_seed(seed)
            return pg.randn(3, dtype="float64").array, pg.rand(3, dtype="float64").array

        pg.manual_seed(5)
        expected = pg.randn(3, dtype="float64"), pg.rand(3, dtype="float64")
        for got, want in zip(draw(5), expected, strict=True):
            close(got, want)
        assert draw(6)[0].tolist() != draw(5)[0].tolist()
        after = pg.rand(3, dtype="float64").tolist()
        pg.manual_seed(5)
        pg.randn(3), pg.rand(3)
        assert pg.rand(3, dtype="float64").tolist() == after  # what went on inside left the generator alone

    def test_under_vmap_every_row_gets_the_same(self) -> None:
        out = jax.vmap(lambda x: pg.randn(3, dtype="float64").array + 0 * x)(jnp.ones((2, 3)))
        assert out[0].tolist() == out[1].tolist()


class TestDouble:
    """JAX makes float64 float32 unless its x64 mode is on: polygrad leaves the switch alone and says so."""

    MESSAGE = r"jax has no (float64|complex128) while its x64 mode is off; switch it on.*jax\.config\.update\('jax_enable_x64', True\)"

    @pytest.mark.parametrize(
        "ask",
        [
            lambda: pg.ones(2, dtype="float64"),
            lambda: pg.zeros(2, dtype=np.complex128),
            lambda: pg.ones(2, dtype="float32").to("float64"),
            lambda: pg.ones(2, dtype="float32").double(),
            lambda: pg.asarray(np.ones(2), backend="jax"),
            lambda: pg.tensor(np.ones(2), backend="jax"),
            lambda: pg.asarray([1.0], dtype="float64"),
            lambda: pg.Tensor(np.ones(2)).to_backend("jax"),
            lambda: pg.randn(2, dtype="float64"),
            lambda: pg.arange(3.0, dtype="float64"),
            lambda: pg.set_default_dtype("float64"),
            lambda: pg.float64,
        ],
    )
    def test_refused_while_the_mode_is_off(self, ask: Any) -> None:
        with jax.enable_x64(False):
            with pytest.raises((DtypeError, AttributeError), match=self.MESSAGE):
                ask()
            assert not jax.config.jax_enable_x64

    def test_numbers_get_what_jax_gives(self) -> None:
        with jax.enable_x64(False):
            for made in (
                pg.ones(2),
                pg.tensor([1.0]),
                pg.asarray(np.ones(2), dtype="float32", backend="jax"),
                pg.linspace(0, 1, 3),
            ):
                assert made.dtype == np.float32
        assert pg.ones(2).dtype == np.float64


class TestFromTheHost:
    """NumPy arrays are put on the device as they are, with nothing compiled for their shape, and share no memory with what they become."""

    @pytest.mark.parametrize("kind", ["bool", "int64", "uint8", "float16", "float32", "float64", "complex128"])
    def test_compiles_nothing(self, kind: str, caplog: pytest.LogCaptureFixture) -> None:
        data = np.arange(7 * 11 * 13).reshape(7, 11, 13).astype(kind)
        made = []
        with jax.log_compiles():
            for array in (data, data.T, np.asfortranarray(data), data[::-2], data[:0], data[0, 0, 0, ...]):
                made += [
                    (array, pg.tensor(array, backend="jax")),
                    (array, pg.asarray(array, backend="jax", dtype=kind)),
                ]
            assert "Compiling" not in caplog.text
            jax.jit(lambda x: x.T)(made[0][1].array)
            assert "Compiling" in caplog.text  # so that it would have been seen
        for array, tensor in made:
            assert (tensor.dtype, tensor.shape) == (array.dtype, array.shape)
            np.testing.assert_array_equal(np.asarray(tensor.array), array)
            assert not tensor.array.weak_type

    def test_shares_no_memory(self) -> None:
        page = np.zeros(1 << 16)
        page = page[(-page.ctypes.data % 4096) // 8 :][
            : 1 << 12
        ]  # on a boundary at which JAX could take it without a copy
        copy, taken = pg.tensor(page, backend="jax"), pg.asarray(page, backend="jax")
        page[:] = 1.0
        assert not np.asarray(copy.array).any()
        assert not np.asarray(taken.array).any()

    def test_what_jax_would_narrow_or_convert(self) -> None:
        assert pg.tensor(np.ones(2), dtype="float32", backend="jax").dtype == np.float32
        with jax.enable_x64(False):
            assert pg.tensor(np.arange(3), backend="jax").dtype == np.int32
            with pytest.raises(DtypeError, match="jax has no float64 while its x64 mode is off"):
                pg.tensor(np.ones(2), backend="jax")

    def test_on_a_device(self) -> None:
        device = jax.devices()[0]
        array = pg.tensor(np.ones(3), device=device, backend="jax").array
        assert array.committed
        assert array.device == device
        assert not pg.tensor(np.ones(3), backend="jax").array.committed
