"""User-defined Functions at several levels: Tensors of outer levels among the arguments, and batches."""

from __future__ import annotations

from typing import ClassVar

import pytest

import polygrad as pg
from polygrad.autograd import Function
from polygrad.errors import GraphError

pytestmark = pytest.mark.usefixtures("backend")


def numbers(*values: float) -> pg.Tensor:
    return pg.tensor(list(values), dtype="float64")


class Product(Function):
    """x * y * n with derivatives of its own; saves an input, an output and what is neither."""

    generate_vmap_rule = True

    @staticmethod
    def forward(ctx, x, y, n):
        out = x * y * n
        twice = x * 2.0
        ctx.save_for_backward(x, y, out, twice)
        ctx.save_for_forward(y, x)
        ctx.n = n
        return out

    @staticmethod
    def backward(ctx, g):
        x, y, out, twice = ctx.saved_tensors
        assert out.shape == x.shape
        assert twice.shape == x.shape
        return g * y * ctx.n, g * x * ctx.n, None

    @staticmethod
    def jvp(ctx, dx, dy, _):
        y, x = ctx.saved_tensors
        return (dx * y + dy * x) * ctx.n


class ProductByHand(Product):
    """The same with a vmap of its own, and setup_context."""

    generate_vmap_rule = False
    seen: ClassVar[list[object]] = []

    @staticmethod
    def forward(x, y, n):
        return x * y * n

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, y, ctx.n = inputs
        ctx.save_for_backward(x, y, output, x * 2.0)
        ctx.save_for_forward(y, x)

    @staticmethod
    def vmap(info, in_dims, x, y, n):
        ProductByHand.seen.append((tuple(info), in_dims))
        xp = x.__array_namespace__()
        if in_dims[0] is None:
            x = xp.broadcast_to(x, (info.batch_size, *x.shape))
        if in_dims[1] is None:
            y = xp.broadcast_to(y, (info.batch_size, *y.shape))
        return xp.moveaxis(ProductByHand.apply(x, y, n), 0, -1), -1


def known(x, y, n):
    return x * y * n


@pytest.mark.parametrize("apply", [Product.apply, ProductByHand.apply], ids=["generated", "by hand"])
class TestBatches:
    x = staticmethod(lambda: pg.tensor([[0.5, 1.5], [2.0, -1.0], [0.25, 3.0]], dtype="float64"))

    def same(self, transform, apply, *args) -> None:
        ours, expected = transform(apply), transform(known)
        a, b = ours(*args), expected(*args)
        for one, other in zip(*[result if isinstance(result, tuple) else (result,) for result in (a, b)], strict=True):
            assert tuple(one.shape) == tuple(other.shape)
            assert bool(pg.all(pg.abs(pg.asarray(one) - pg.asarray(other)) < 1e-12))

    def test_value_and_in_dims(self, apply) -> None:
        x, y = self.x(), numbers(3.0, 4.0)
        self.same(lambda f: pg.func.vmap(lambda x, y: f(x, y, 5.0)), apply, x, x + 1.0)
        self.same(lambda f: pg.func.vmap(lambda x, y: f(x, y, 5.0), in_dims=(0, None)), apply, x, y)
        self.same(lambda f: pg.func.vmap(lambda x, y: f(x, y, 5.0), in_dims=(None, 1), out_dims=1), apply, y, x.T)

    def test_gradients_inside(self, apply) -> None:
        x, y = self.x(), numbers(3.0, 4.0)

        def per_sample(f):
            return pg.func.vmap(pg.func.grad(lambda x, y: (f(x, y, 5.0) * x).sum(), argnums=(0, 1)), in_dims=(0, None))

        self.same(per_sample, apply, x, y)

    def test_gradients_outside(self, apply) -> None:
        x, y = self.x(), numbers(3.0, 4.0)

        def whole(f):
            mapped = pg.func.vmap(lambda x, y: (f(x, y, 5.0) * x).sum(), in_dims=(0, None))
            return pg.func.grad(lambda x, y: mapped(x, y).sum(), argnums=(0, 1))

        self.same(whole, apply, x, y)
        self.same(
            lambda f: pg.func.grad(lambda x, y: pg.func.grad(lambda x: whole(f)(x, y)[0].sum())(x).sum(), 1),
            apply,
            x,
            y,
        )

    def test_on_the_tape(self, apply) -> None:
        x, y = self.x().requires_grad_(), numbers(3.0, 4.0).requires_grad_()

        def run(f):
            out = pg.func.vmap(lambda x, y: f(x, y, 5.0), in_dims=(0, None))(x, y)
            gx, gy = pg.autograd.grad((out * out).sum(), [x, y], create_graph=True)
            return gx.detach(), gy.detach(), *pg.autograd.grad((gx * gx).sum() + gy.sum(), [x, y])

        for one, other in zip(run(apply), run(known), strict=True):
            assert bool(pg.all(pg.abs(one - other) < 1e-9))

    def test_forward_mode(self, apply) -> None:
        x, y = self.x(), numbers(3.0, 4.0)

        def inside(f):
            return pg.func.vmap(lambda x: pg.func.jvp(lambda x: f(x, y, 5.0), (x,), (y,))[1])

        def outside(f):
            return lambda x: pg.func.jvp(pg.func.vmap(lambda x: f(x, y, 5.0)), (x,), (x + 1.0,))[1]

        self.same(inside, apply, x)
        self.same(outside, apply, x)

    def test_nested(self, apply) -> None:
        x = self.x()
        self.same(
            lambda f: pg.func.vmap(pg.func.vmap(lambda x, y: f(x, y, 2.0), in_dims=(0, None)), in_dims=(None, 0)),
            apply,
            x,
            x,
        )
        self.same(lambda f: pg.func.jacrev(lambda x: f(x, x, 2.0)), apply, x[0])
        self.same(lambda f: pg.func.hessian(lambda x: (f(x, x, 2.0) * x).sum()), apply, x[0])


def test_what_vmap_is_told() -> None:
    ProductByHand.seen.clear()
    pg.func.vmap(lambda x: ProductByHand.apply(x, x, 2), randomness="different")(numbers(1.0, 2.0, 3.0))
    assert ProductByHand.seen == [((3, "different"), (0, 0, None))]


def test_without_support() -> None:
    class Plain(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2.0

    class Both(Plain):
        generate_vmap_rule = True

        @staticmethod
        def vmap(info, in_dims, x):
            return x, 0

    class Odd(Plain):
        @staticmethod
        def vmap(info, in_dims, x):
            return x

    x = numbers(1.0, 2.0)
    with pytest.raises(GraphError, match="You tried to vmap over Plain, but it does not have vmap support"):
        pg.func.vmap(Plain.apply)(x)
    with pytest.raises(
        RuntimeError, match="vmap over Both, but it has both generate_vmap_rule=True and an overridden vmap"
    ):
        pg.func.vmap(Both.apply)(x)
    with pytest.raises(TypeError, match=r"Odd.vmap: has to return a pair \(outputs, out_dims\)"):
        pg.func.vmap(Odd.apply)(x)


def test_an_argument_of_an_outer_level() -> None:
    """What a Function saves of a Tensor of an outer level keeps its history there."""
    w = numbers(3.0).requires_grad_()
    x = numbers(2.0)
    out = pg.func.grad(lambda x: (Product.apply(x, w, 1.0) * x).sum())(x)
    (g,) = pg.autograd.grad(out.sum(), w)
    assert g.item() == 4.0
    mixed = pg.func.grad(lambda w: pg.func.grad(lambda x: (Product.apply(x, w, 1.0) * x).sum())(x).sum())(w.detach())
    assert mixed.item() == 4.0
    pushed = pg.func.jvp(
        lambda w: pg.func.grad(lambda x: (Product.apply(x, w, 1.0) * x).sum())(x), (w.detach(),), (x,)
    )[1]
    assert pushed.item() == 8.0


def test_batched_as_in_torch() -> None:
    torch = pytest.importorskip("torch")

    def observe(lib):
        class Scaled(lib.autograd.Function):
            generate_vmap_rule = True

            @staticmethod
            def forward(x, y):
                return x * y

            @staticmethod
            def setup_context(ctx, inputs, output):
                ctx.save_for_backward(*inputs)

            @staticmethod
            def backward(ctx, g):
                x, y = ctx.saved_tensors
                return g * y, g * x

        x = lib.tensor([[0.5, 1.5], [2.0, -1.0]], dtype=lib.float64)
        y = lib.tensor([3.0, 4.0], dtype=lib.float64)
        inside = lib.func.vmap(lib.func.grad(lambda x, y: (Scaled.apply(x, y) * x).sum(), (0, 1)), (0, None))(x, y)
        outside = lib.func.grad(lambda y: lib.func.vmap(Scaled.apply, (0, None))(x, y).sum())(y)
        return [part.tolist() for part in (*inside, outside)]

    assert observe(pg) == observe(torch)
