"""``vmap``: axes, trees, nesting, randomness, and what it refuses. The rules are tested in rules/vmap/test_every_rule.py."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import polygrad as pg
from polygrad import func
from polygrad.errors import ArgumentError, ConversionError, GraphError, ShapeError
from polygrad.func import grad, jvp, vjp, vmap
from polygrad.levels import operation
from polygrad.rules.declare import OPS, linear
from support.gradient_checks import HAVE_TORCH, host, tensor

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 4))
W = RNG.normal(size=(4,))


def loss(w: Any, x: Any, y: Any) -> Any:
    return pg.sum((pg.tanh(x @ w) - y) ** 2)


def sample(w: Any, x: Any) -> Any:
    return pg.sin(pg.sum(w * x)) * pg.exp(x[0])


class TestAxes:
    def test_raw_arrays_come_back_raw(self, backend: str) -> None:
        x = tensor(X, backend).array
        out = vmap(lambda row: pg.sum(row * row))(x)
        assert type(out) is type(x)
        np.testing.assert_allclose(pg.asarray(out).tolist(), (X * X).sum(1))

    def test_tensors_come_back_as_tensors(self, backend: str) -> None:
        x = tensor(X, backend)
        out = vmap(lambda row: row * 2)(x)
        assert type(out) is pg.Tensor
        np.testing.assert_array_equal(host(out), X * 2)

    def test_the_function_sees_one_example(self, backend: str) -> None:
        seen = []

        def f(row: Any) -> Any:
            seen.append((tuple(row.shape), row.ndim, row.size, len(row), row.dtype))
            return row

        x = tensor(X, backend)
        vmap(f)(x)
        assert seen == [((4,), 1, 4, 4, x.dtype)]

    @pytest.mark.parametrize("in_dim", [0, 1, -1, -2])
    @pytest.mark.parametrize("out_dim", [0, 1, -1])
    def test_in_and_out(self, in_dim: int, out_dim: int, backend: str) -> None:
        got = host(vmap(lambda v: v * pg.sum(v), in_dims=in_dim, out_dims=out_dim)(tensor(X, backend)))
        rows = np.moveaxis(X, in_dim, 0)
        expected = np.moveaxis(np.stack([r * r.sum() for r in rows]), 0, out_dim)
        np.testing.assert_allclose(got, expected)

    def test_none_is_the_same_for_all(self, backend: str) -> None:
        got = vmap(lambda w, x: pg.sum(w * x), in_dims=(None, 0))(tensor(W, backend), tensor(X, backend))
        np.testing.assert_allclose(host(got), X @ W)

    def test_what_does_not_depend_on_the_batch_is_repeated(self, backend: str) -> None:
        constant, number = vmap(lambda x: (pg.ones(2, backend=x.backend), 5.0), out_dims=(1, 0))(tensor(X, backend))
        assert (tuple(constant.shape), tuple(number.shape)) == ((2, 3), (3,))
        once = vmap(lambda x: pg.ones(2, backend=x.backend), out_dims=None)(tensor(X, backend))
        assert tuple(once.shape) == (2,)

    def test_trees(self, backend: str) -> None:
        a, b = tensor(X, backend), tensor(W, backend)

        def f(tree: dict[str, Any], scale: Any) -> dict[str, Any]:
            return {"sum": (tree["a"] + tree["b"], scale), "a": tree["a"][0]}

        out = vmap(f, in_dims=({"a": 0, "b": None}, None), out_dims={"sum": (1, 0), "a": 0})({"a": a, "b": b}, 2.0)
        np.testing.assert_allclose(host(out["sum"][0]), (X + W).T)
        np.testing.assert_allclose(host(out["a"]), X[:, 0])
        assert out["sum"][1].tolist() == [2.0] * 3

    def test_keyword_arguments_are_the_same_for_all(self, backend: str) -> None:
        got = vmap(lambda x, *, w: pg.sum(x * w))(tensor(X, backend), w=tensor(W, backend).array)
        np.testing.assert_allclose(host(got), X @ W)

    @pytest.mark.parametrize("chunk", [1, 2, 3, 5])
    def test_chunks(self, chunk: int, backend: str) -> None:
        f = vmap(lambda w, x: {"a": w * x, "b": w}, in_dims=(None, 0), out_dims={"a": 1, "b": None}, chunk_size=chunk)
        out = f(tensor(W, backend), tensor(X, backend))
        np.testing.assert_allclose(host(out["a"]), (W * X).T)
        np.testing.assert_array_equal(host(out["b"]), W)

    def test_no_examples(self) -> None:
        assert vmap(lambda x: pg.sum(x))(np.ones((0, 3))).shape == (0,)


class TestNesting:
    def test_twice(self, backend: str) -> None:
        a, b = tensor(X, backend), tensor(RNG.normal(size=(5, 4)), backend)
        got = vmap(lambda x: vmap(lambda y: pg.sum(x * y))(b))(a)
        np.testing.assert_allclose(host(got), X @ host(b).T)
        got = vmap(vmap(lambda x, y: x * y, in_dims=(0, None)), in_dims=(None, 0))(a, b)
        np.testing.assert_allclose(host(got), X[None] * host(b)[:, None])

    def test_per_sample_gradients(self, backend: str) -> None:
        w, x = tensor(W, backend), tensor(X, backend)
        got = vmap(grad(sample), in_dims=(None, 0))(w, x)
        for i in range(3):
            np.testing.assert_allclose(host(got)[i], host(grad(sample)(w, x[i, ...])), rtol=1e-12)

    def test_gradient_of_a_batch(self, backend: str) -> None:
        w, x = tensor(W, backend), tensor(X, backend)
        got = grad(lambda w: pg.sum(vmap(sample, in_dims=(None, 0))(w, x)))(w)
        expected = vmap(grad(sample), in_dims=(None, 0))(w, x)
        np.testing.assert_allclose(host(got), host(expected).sum(0), rtol=1e-12)

    def test_backward_through_vmap(self, backend: str) -> None:
        x = tensor(X, backend, requires_grad=True)
        out = vmap(lambda row: pg.sum(row**3))(x)
        assert out.requires_grad
        out.sum().backward()
        np.testing.assert_allclose(host(x.grad), 3 * X**2)

    def test_forward_mode_inside_and_outside(self, backend: str) -> None:
        w, x, t = tensor(W, backend), tensor(X, backend), tensor(RNG.normal(size=(3, 4)), backend)
        inside = vmap(lambda x, t: jvp(lambda x: sample(w, x), (x,), (t,))[1])(x, t)
        outside = jvp(vmap(lambda x: sample(w, x)), (x,), (t,))[1]
        expected = (host(vmap(grad(lambda x: sample(w, x)))(x)) * host(t)).sum(1)
        np.testing.assert_allclose(host(inside), expected, rtol=1e-11)
        np.testing.assert_allclose(host(outside), expected, rtol=1e-11)

    def test_second_order(self, backend: str) -> None:
        w, x = tensor(W, backend), tensor(X, backend)

        def curvature(w: Any, x: Any) -> Any:
            return jvp(lambda w: grad(sample)(w, x), (w,), (w,))[1]

        got = vmap(curvature, in_dims=(None, 0))(w, x)
        reverse = vmap(grad(lambda w, x: pg.sum(grad(sample)(w, x) * host_constant(w))), in_dims=(None, 0))(w, x)
        for i in range(3):
            np.testing.assert_allclose(host(got)[i], host(curvature(w, x[i, ...])), rtol=1e-11)
        np.testing.assert_allclose(host(reverse), host(got), rtol=1e-11)

    def test_a_pullback_is_a_function_like_others(self, backend: str) -> None:
        w = tensor(W, backend)
        _, pullback = vjp(lambda w: pg.sin(w) * w[0], w)
        (rows,) = vmap(pullback)(pg.namespace(backend).eye(4, dtype=w.dtype))
        expected = np.diag(np.cos(W) * W[0])
        expected[:, 0] += np.sin(W)
        np.testing.assert_allclose(host(rows), expected, rtol=1e-12)

    def test_no_grad_inside_is_about_the_level_below(self, backend: str) -> None:
        x = tensor(X, backend, requires_grad=True)

        @pg.no_grad()
        def f(row: Any) -> Any:
            return row * 2

        assert not vmap(f)(x).requires_grad
        assert vmap(lambda row: row * 2)(x).requires_grad

    def test_in_place_and_views(self, backend: str) -> None:
        def f(row: Any) -> Any:
            row = row * 1.0
            tail = row[1:]
            tail *= 10.0
            row[0] = pg.sum(tail)
            return row

        x = tensor(X, backend)
        expected = X.copy()
        expected[:, 1:] *= 10
        expected[:, 0] = expected[:, 1:].sum(1)
        np.testing.assert_allclose(host(vmap(f)(x)), expected)
        np.testing.assert_array_equal(host(x), X)
        got = vmap(grad(lambda row: pg.sum(f(row))))(x)
        np.testing.assert_allclose(host(got), np.broadcast_to([0.0, 20.0, 20.0, 20.0], X.shape))

    def test_a_batched_value_written_into_a_constant(self, backend: str) -> None:
        def f(row: Any) -> Any:
            out = pg.zeros(4, dtype=row.dtype, backend=row.backend)
            out[1] = row[0]
            return out

        got = host(vmap(f)(tensor(X, backend)))
        np.testing.assert_array_equal(got[:, 1], X[:, 0])
        assert got[:, [0, 2, 3]].tolist() == [[0.0] * 3] * 3


def host_constant(t: Any) -> Any:
    """The values of ``W`` as a constant beside ``t``."""
    return tensor(W, t.backend)


class TestCreation:
    def test_like(self, backend: str) -> None:
        def f(row: Any) -> Any:
            xp = pg.namespace(row.backend)
            return xp.zeros_like(row) + xp.ones_like(row) * row + xp.full_like(row, 2.0)

        np.testing.assert_allclose(host(vmap(f)(tensor(X, backend))), X + 2)

    def test_random_numbers(self, backend: str) -> None:
        x = tensor(X, backend)

        def f(row: Any) -> Any:
            return row * 0 + pg.randn(4, dtype=row.dtype, backend=row.backend)

        with pytest.raises(ArgumentError, match="randomness='error' does not say.*'same' or randomness='different'"):
            vmap(f)(x)
        for chunk in (None, 2):
            same = host(vmap(f, randomness="same", chunk_size=chunk)(x))
            np.testing.assert_array_equal(same, np.broadcast_to(same[0], same.shape))
            different = host(vmap(f, randomness="different", chunk_size=chunk)(x))
            assert len({tuple(row) for row in different}) == 3
        orders = vmap(lambda row: pg.randperm(4, backend=row.backend), randomness="different")(x)
        np.testing.assert_array_equal(np.sort(host(orders), axis=1), np.broadcast_to(np.arange(4), (3, 4)))

    def test_random_numbers_nested(self) -> None:
        def draw(y: Any) -> Any:
            return pg.randn(()) + y * 0

        x = pg.tensor(np.zeros((3, 5)))
        mixed = host(vmap(vmap(draw, randomness="same"), randomness="different")(x))
        assert len(np.unique(mixed)) == 3
        assert len(np.unique(host(vmap(vmap(draw, randomness="different"), randomness="different")(x)))) == 15
        with pytest.raises(ArgumentError, match="randomness"):
            vmap(vmap(draw, randomness="different"))(x)


class TestRefusals:
    def test_values(self) -> None:
        x = pg.tensor(X)
        for f in (
            lambda row: row if row[0] > 0 else -row,
            lambda row: float(row[0]),
            lambda row: row.item(),
            lambda row: row.tolist(),
            lambda row: row.numpy(),
            lambda row: row.array,
            lambda row: range(pg.argmax(row)),
        ):
            with pytest.raises(ConversionError, match=r"differ from example to example.*where\(condition, a, b\)"):
                vmap(f)(x)

    def test_repr(self) -> None:
        seen = []
        vmap(lambda row: (seen.append(repr(row)), row)[1])(pg.tensor(X))
        assert seen == ["Batched(shape=(4,), dtype=float64, level=1, batch of 3)"]

    def test_what_has_escaped(self) -> None:
        kept = []
        vmap(lambda row: (kept.append(row), row)[1])(pg.tensor(X))
        with pytest.raises(GraphError, match=r"multiply: Batched.*has escaped from the function that vmap mapped"):
            kept[0] * 2
        with pytest.raises(GraphError, match="has escaped"):
            func.jvp(lambda x: pg.sin(kept[0]), (W,), (W,))

    def test_leaves_and_backward(self) -> None:
        x = pg.tensor(X)
        with pytest.raises(GraphError, match="an example of a batch cannot become a leaf"):
            vmap(lambda row: row.requires_grad_())(x)
        with pytest.raises(GraphError, match="use func.grad inside vmap"):
            vmap(lambda row: row.sum().backward())(x)

    @pytest.mark.parametrize(
        ("call", "error", "text"),
        [
            (lambda: vmap(pg.sin)(), ArgumentError, "got no inputs"),
            (lambda: vmap(pg.sin, in_dims="0")(X), ArgumentError, "expected in_dims to be an int or a"),
            (lambda: vmap(pg.sin, in_dims=(0, 0))(X), ArgumentError, "has 2 entries, the function got 1"),
            (
                lambda: vmap(pg.sin, in_dims=({"a": 0},))(X),
                ArgumentError,
                "in_dims is not compatible with the structure",
            ),
            (lambda: vmap(pg.sin, in_dims=2)(X), ArgumentError, "expected in_dim to satisfy -2 <= in_dim < 2"),
            (lambda: vmap(pg.sin, in_dims=-3)(X), ArgumentError, "expected in_dim to satisfy -2 <= in_dim < 2"),
            (lambda: vmap(pg.multiply)(X, 2.0), ArgumentError, "type float, which is no array; use None"),
            (lambda: vmap(pg.sin)(np.float64(1.0)), ArgumentError, "in_dim=0 for an input with 0 axes"),
            (lambda: vmap(pg.sin, in_dims=(None,))(X), ArgumentError, "every in_dim is None"),
            (lambda: vmap(pg.add)(X, X.T), ShapeError, r"same size along the mapped axis, got sizes \[3, 4\]"),
            (lambda: vmap(pg.sin, out_dims=2)(X), ArgumentError, "out_dim=2 is out of range for an output of 2 axes"),
            (lambda: vmap(pg.sin, out_dims=None)(X), ArgumentError, "its out_dim cannot be None"),
            (lambda: vmap(pg.sin, out_dims=(0, 0))(X), ArgumentError, "out_dims is not compatible with the structure"),
            (lambda: vmap(lambda x: "text")(X), ArgumentError, "must only return Tensors"),
            (lambda: vmap(pg.sin, randomness="some"), ArgumentError, "'error', 'different' and 'same' are allowed"),
            (lambda: vmap(pg.sin, chunk_size=0), ArgumentError, "None or greater than 0"),
            (lambda: vmap(3), ArgumentError, "expected a function"),
            (lambda: vmap(lambda x: pg.sum(x, axis=1))(X), IndexError, "expected to be in range"),
            (lambda: vmap(lambda x: pg.permute_dims(x, (-2, 0)))(X), IndexError, "expected to be in range"),
            (lambda: vmap(lambda x: pg.reshape(x, (3,)))(X), ShapeError, r"shape \(4,\) cannot take the shape \(3,\)"),
            (lambda: vmap(lambda x: x[pg.asarray(x > 0)])(X), ShapeError, "mask that differs from example to example"),
        ],
    )
    def test_bad_calls(self, call: Any, error: type[Exception], text: str) -> None:
        with pytest.raises(error, match=text):
            call()


class TestWithoutARule:
    @pytest.fixture
    def op(self):
        made = linear("doubled(x, /)", transpose=lambda xp, g: 2 * g, default=lambda xp, x: xp.sum(x) * 0 + 2 * x)
        operation._warned.clear()
        yield made
        OPS.withdraw(made)

    def test_a_loop_that_says_so_once(self, op: Any, backend: str) -> None:
        x = tensor(X, backend)
        with pytest.warns(
            UserWarning, match="doubled has no batching rule for this call, so it runs in a loop over the 3"
        ):
            out = vmap(op.call)(x)
        np.testing.assert_allclose(host(out), 2 * X)
        np.testing.assert_allclose(host(vmap(grad(lambda row: pg.sum(op.call(row))))(x)), np.full((3, 4), 2.0))

    def test_a_rule_of_its_own(self, op: Any) -> None:
        op.batch = lambda run, arrays, mapped, params: run.xp.multiply(arrays[0], 2)
        np.testing.assert_allclose(vmap(op.call)(X), 2 * X)


def test_what_vmap_returns_pickles() -> None:
    mapped = pickle.loads(pickle.dumps(vmap(grad(sample), in_dims=(None, 0), chunk_size=2)))
    np.testing.assert_array_equal(mapped(W, X), vmap(grad(sample), in_dims=(None, 0))(W, X))
    assert mapped.__name__ == "sample"


@pytest.mark.skipif(not HAVE_TORCH, reason="torch is not installed")
def test_against_torch() -> None:
    import torch

    targets = RNG.normal(size=(3,))
    ours = func.vmap(func.grad(loss, argnums=(0, 1)), in_dims=(None, 0, 0))(W, X, targets)

    def theirs(w: Any, x: Any, y: Any) -> Any:
        return ((torch.tanh(x @ w) - y) ** 2).sum()

    expected = torch.func.vmap(torch.func.grad(theirs, argnums=(0, 1)), in_dims=(None, 0, 0))(
        *map(torch.tensor, (W, X, targets))
    )
    for a, b in zip(ours, expected, strict=True):
        np.testing.assert_allclose(a, b.numpy(), rtol=1e-12)


def test_inside_jit() -> None:
    jax = pytest.importorskip("jax")
    with pg.use_backend("jax"):
        w, x = (jax.numpy.asarray(a, dtype="float32") for a in (W, X))
        transforms = [
            vmap(grad(sample), in_dims=(None, 0)),
            func.jacrev(vmap(sample, in_dims=(None, 0))),
            lambda w, x: func.hessian(lambda w: vmap(sample, in_dims=(None, 0))(w, x).sum())(w),
            vmap(lambda w, x: x[pg.argmax(x)] * pg.sort(x)[:2] @ w[:2], in_dims=(None, 0)),
        ]
        for transform in transforms:
            np.testing.assert_allclose(jax.jit(transform)(w, x), transform(w, x), rtol=1e-5, atol=1e-6)
