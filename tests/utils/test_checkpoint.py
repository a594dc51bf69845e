"""Checkpointing: the same gradients at every order, nothing kept, random numbers drawn again, and what has changed is noticed."""

from __future__ import annotations

import contextlib
import gc
import importlib
import weakref

import pytest

import polygrad as pg
from polygrad.errors import CheckpointError
from polygrad.utils.checkpoint import checkpoint, checkpoint_sequential
from support.gradient_checks import other_backend

pytestmark = pytest.mark.usefixtures("backend")


def leaf(*values: float) -> pg.Tensor:
    return pg.tensor(list(values), dtype="float64", requires_grad=True)


def layer(x: pg.Tensor, w: pg.Tensor) -> pg.Tensor:
    return pg.exp(pg.sin(x * w)) * pg.tanh(x)


@pytest.mark.parametrize("use_reentrant", [None, False, True])
def test_gradients(use_reentrant: bool | None) -> None:
    x, w = leaf(0.5, 1.5), leaf(2.0, 3.0)
    checkpoint(layer, x, w, use_reentrant=use_reentrant).sum().backward()
    y, v = leaf(0.5, 1.5), leaf(2.0, 3.0)
    layer(y, v).sum().backward()
    assert x.grad.tolist() == y.grad.tolist()
    assert w.grad.tolist() == v.grad.tolist()


def test_gradients_of_gradients() -> None:
    x, w = leaf(0.5), leaf(2.0)
    y, z = checkpoint(layer, x, w), layer(x, w)
    for _ in range(3):
        (y,) = pg.autograd.grad(y.sum(), x, create_graph=True)
        (z,) = pg.autograd.grad(z.sum(), x, create_graph=True)
        assert y.tolist() == pytest.approx(z.tolist(), rel=1e-12)
    (a,), (b,) = pg.autograd.grad(y.sum(), w), pg.autograd.grad(z.sum(), w)
    assert a.tolist() == pytest.approx(b.tolist(), rel=1e-12)


def test_inside_transforms_and_forward_mode() -> None:
    x, w = leaf(0.5).detach(), leaf(2.0).detach()

    def kept(x):
        return layer(x, w).sum()

    def thrown(x):
        return checkpoint(layer, x, w).sum()

    def orders(f):
        grad = pg.func.grad
        return [
            grad(f)(x), grad(lambda x: grad(f)(x).sum())(x), pg.func.jvp(f, (x,), (w,))[1], pg.func.jvp(grad(f), (x,), (w,))[1],
            grad(lambda x: pg.func.jvp(f, (x,), (w,))[1])(x), pg.func.vjp(f, x)[1](pg.ones((), dtype="float64"))[0],
            pg.func.vmap(grad(f))(pg.stack([x, w])),
        ]  # fmt: skip

    for a, b in zip(orders(thrown), orders(kept), strict=True):
        assert (
            pg.asarray(a).tolist() == pytest.approx(pg.asarray(b).tolist(), rel=1e-12) if a.ndim < 2 else (a == b).all()
        )


def test_nothing_is_kept_and_each_value_is_computed_once_more() -> None:
    gc.collect()
    calls, values = [], []

    def function(x):
        calls.append(1)
        y = pg.exp(x)
        values.append(weakref.ref(y))
        return pg.sin(y)

    x = leaf(0.5)
    out = checkpoint(function, x)
    assert values[0]() is None
    out.sum().backward(retain_graph=True)
    assert len(calls) == 2
    out.sum().backward()
    assert len(calls) == 3
    with pytest.raises(RuntimeError, match="a second time"):
        out.sum().backward()


def test_saved_payloads_go() -> None:
    kept = []

    class Watch(pg.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y = x * 2.0
            kept.append(weakref.ref(y))
            ctx.save_for_backward(y)
            return y * y

        @staticmethod
        def backward(ctx, g):
            (y,) = ctx.saved_tensors
            return g * y * 4.0

    x = leaf(3.0)
    out = checkpoint(Watch.apply, x)
    assert kept[0]() is None
    out.sum().backward()
    assert x.grad.item() == 24.0


def test_nested() -> None:
    x, y = leaf(0.5), leaf(0.5)

    def inner(x):
        return pg.sin(x) * x

    def outer(run):
        return lambda x: pg.exp(run(inner, pg.cos(x))) * x

    (g,) = pg.autograd.grad(checkpoint(outer(checkpoint), x).sum(), x, create_graph=True)
    g.sum().backward()
    (h,) = pg.autograd.grad(outer(lambda f, x: f(x))(y).sum(), y, create_graph=True)
    h.sum().backward()
    assert (g.item(), x.grad.item()) == pytest.approx((h.item(), y.grad.item()), rel=1e-12)


def test_random_numbers() -> None:
    seen = []

    def dropout(x):
        noise = pg.rand(4, dtype="float64")
        seen.append(noise.tolist())
        return pg.sin(x * noise)

    x = leaf(1.0, 2.0, 3.0, 4.0)
    pg.manual_seed(1)
    out = checkpoint(dropout, x)
    after = pg.rand(2).tolist()
    pg.manual_seed(7)
    out.sum().backward()
    following = pg.rand(2).tolist()
    assert seen[0] == seen[1]
    pg.manual_seed(7)
    assert pg.rand(2).tolist() == following
    pg.manual_seed(1)
    dropout(x)
    assert pg.rand(2).tolist() == after
    out = checkpoint(dropout, x, preserve_rng_state=False)
    out.sum().backward()
    assert seen[3] != seen[4]


def test_modes_and_the_selected_backend_are_those_of_the_call() -> None:
    seen = []

    def function(x):
        seen.append((pg.is_grad_enabled(), pg.get_backend().name, pg.is_anomaly_enabled()))
        with pg.no_grad():
            constant = pg.exp(x)
        return constant * pg.sin(x)

    x = leaf(0.5)
    with pg.autograd.detect_anomaly():
        out = checkpoint(function, x)
    other = other_backend(pg.get_backend().name)
    with pg.use_backend(other), pg.no_grad():
        out.backward(pg.ones_like(out))
    assert seen[0] == seen[1]
    assert x.grad.item() == pytest.approx(1.4468890365841692)


def test_arguments_changed_in_place_meanwhile() -> None:
    x = leaf(0.5)
    h = x * 1.0

    def function(h):
        out = pg.sin(h) * pg.exp(h)
        h += 100.0
        return out

    out = checkpoint(function, h)
    out.sum().backward()
    y = leaf(0.5)
    (pg.sin(y) * pg.exp(y)).sum().backward()
    assert x.grad.item() == y.grad.item()


def test_trees_keywords_and_several_results() -> None:
    x = leaf(2.0)

    def function(things, *, scale):
        return things["x"] * things["x"] * scale, "text", [pg.exp(things["x"])]

    a, text, (b,) = checkpoint(function, {"x": x}, scale=3.0)
    assert text == "text"
    (a + b).sum().backward()
    assert x.grad.item() == pytest.approx(12.0 + 7.38905609893065)


def test_context_fn_and_no_grad() -> None:
    log = []

    @contextlib.contextmanager
    def note(name):
        log.append(name)
        yield

    x = leaf(1.0)
    out = checkpoint(pg.sin, x, context_fn=lambda: (note("first"), note("again")))
    out.sum().backward()
    assert log == ["first", "again"]
    with pg.no_grad():
        assert not checkpoint(pg.sin, x).requires_grad


class TestWhatHasChanged:
    def test_shapes(self) -> None:
        sizes = iter([2, 3])

        def function(x):
            return pg.sin(pg.broadcast_to(x, (next(sizes),))).sum()

        out = checkpoint(function, leaf(1.0))
        with pytest.raises(
            CheckpointError,
            match=r"Recomputed values have different metadata than during the forward pass. Saved value number 0 was .*\[2\].*\[3\]",
        ):
            out.backward()

    def test_number(self) -> None:
        turns = iter([3, 1])

        def function(x):
            for _ in range(next(turns)):
                x = pg.sin(x)
            return x

        out = checkpoint(function, leaf(1.0))
        with pytest.raises(CheckpointError, match="A different number of tensors was saved .*: 3 and 1"):
            out.sum().backward()

    def test_unchecked(self) -> None:
        sizes = iter([2, 1])
        out = checkpoint(
            lambda x: pg.sin(x * pg.ones(next(sizes), dtype="float64")).sum(), leaf(1.0), determinism_check="none"
        )
        out.backward()

    def test_an_exception_in_the_second_run(self) -> None:
        turns = iter([None, KeyError("mine")])

        def function(x):
            error = next(turns)
            if error is not None:
                raise error
            return pg.sin(x)

        x = leaf(1.0)
        out = checkpoint(function, x)
        with pytest.raises(KeyError, match="mine"):
            out.sum().backward()
        assert pg.is_grad_enabled()
        assert x.grad is None

    def test_options(self) -> None:
        with pytest.raises(ValueError, match="determinism_check has to be 'default' or 'none', got 'some'"):
            checkpoint(pg.sin, leaf(1.0), determinism_check="some")
        with pytest.raises(TypeError, match="checkpoint: expected a function, got int 3"):
            checkpoint(3, leaf(1.0))
        with pytest.raises(ValueError, match="segments has to be from 1 to the number of functions, 2, got 3"):
            checkpoint_sequential([pg.sin, pg.cos], 3, leaf(1.0))


@pytest.mark.parametrize("segments", [1, 2, 3, 5])
def test_sequential(segments: int) -> None:
    functions = [pg.sin, pg.exp, pg.tanh, lambda x: x * x, pg.cos]
    x, y = leaf(0.5), leaf(0.5)
    checkpoint_sequential(functions, segments, x).sum().backward()
    z = y
    for function in functions:
        z = function(z)
    z.sum().backward()
    assert x.grad.item() == pytest.approx(y.grad.item(), rel=1e-14)


def test_as_torch() -> None:
    torch = pytest.importorskip("torch")
    theirs_check = importlib.import_module("torch.utils.checkpoint").checkpoint

    def run(lib, check):
        x = lib.tensor([0.5, 1.0], dtype=lib.float64, requires_grad=True)
        y = check(lambda x: lib.exp(x) * lib.sin(x), x, use_reentrant=False)
        (g,) = lib.autograd.grad(y.sum(), x, create_graph=True)
        g.sum().backward()
        return g.tolist(), x.grad.tolist()

    for ours, theirs in zip(run(pg, checkpoint), run(torch, theirs_check), strict=True):
        assert ours == pytest.approx(theirs, rel=1e-12)
