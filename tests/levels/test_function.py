"""User-defined Functions: at first and higher order, in forward mode, under transforms in any nesting, and what they refuse."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

import polygrad as pg
from polygrad.autograd import Function, forward_ad
from polygrad.errors import GraphError
from polygrad.levels.function import once_differentiable

pytestmark = pytest.mark.usefixtures("backend")


def leaf(*values: float) -> pg.Tensor:
    return pg.tensor(list(values), dtype="float64", requires_grad=True)


class Cube(Function):
    """x**3, whose forward hides what it does from the graph, so that any derivative is the Function's own."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        ctx.save_for_forward(x)
        return x * x * x

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * 3.0 * x * x

    @staticmethod
    def jvp(ctx, tangent):
        (x,) = ctx.saved_tensors
        return tangent * 3.0 * x * x


class Exponential(Function):
    """exp, saving its output, with setup_context."""

    @staticmethod
    def forward(x):
        return pg.exp(x)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(output)
        ctx.save_for_forward(output)

    @staticmethod
    def vjp(ctx, g):
        (out,) = ctx.saved_tensors
        return g * out

    @staticmethod
    def jvp(ctx, tangent):
        (out,) = ctx.saved_tensors
        return tangent * out


class StraightThrough(Function):
    """Rounding with the derivative x**3: nothing that one could get by differentiating forward."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        ctx.save_for_forward(x)
        return pg.round(x)

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * x**3

    @staticmethod
    def jvp(ctx, tangent):
        (x,) = ctx.saved_tensors
        return tangent * x**3


class Several(Function):
    """Products and sums of two Tensors and a number, with an output that is no Tensor."""

    @staticmethod
    def forward(ctx, x, factor, y):
        ctx.save_for_backward(x, y)
        ctx.factor = factor
        return x * y * factor, x + y, "text"

    @staticmethod
    def backward(ctx, g, h, nothing):
        assert nothing is None
        x, y = ctx.saved_tensors
        return g * y * ctx.factor + h, None, g * x * ctx.factor + h


class TestReverse:
    def test_value_and_gradient(self) -> None:
        x = leaf(1.0, 2.0)
        y = Cube.apply(x)
        assert y.tolist() == [1.0, 8.0]
        assert type(y.grad_fn).__name__ == y.grad_fn.name() == "CubeBackward"
        y.sum().backward()
        assert x.grad.tolist() == [3.0, 12.0]

    @pytest.mark.parametrize("function", [Cube, Exponential])
    def test_three_orders(self, function) -> None:
        x = leaf(0.5)
        plain = {Cube: lambda x: x**3, Exponential: pg.exp}[function]
        y, z = function.apply(x), plain(x)
        for _ in range(3):
            (y,) = pg.autograd.grad(y.sum(), x, create_graph=True)
            (z,) = pg.autograd.grad(z.sum(), x, create_graph=True)
            assert y.tolist() == pytest.approx(z.tolist(), rel=1e-12)

    def test_several_outputs_and_other_arguments(self) -> None:
        x, y = leaf(2.0), leaf(5.0)
        product, total, text = Several.apply(x, 3, y)
        assert (product.item(), total.item(), text) == (30.0, 7.0, "text")
        assert product.grad_fn is total.grad_fn
        assert [total.output_nr, product.output_nr] == [1, 0]
        assert [node.variable for node, _ in product.grad_fn.next_functions] == [x, y]
        (product + total * 10.0).sum().backward()
        assert (x.grad.item(), y.grad.item()) == (25.0, 16.0)

    def test_needs_input_grad(self) -> None:
        seen = []

        class Watch(Function):
            @staticmethod
            def forward(ctx, x, n, y):
                seen.append(ctx.needs_input_grad)
                return x * y

            @staticmethod
            def backward(ctx, g):
                seen.append(ctx.needs_input_grad)
                return g, None, g

        x, y = leaf(1.0), leaf(2.0)
        Watch.apply(x, 3, y.detach()).sum().backward()
        pg.autograd.grad(Watch.apply(x, 3, y).sum(), y)
        assert seen == [(True, False, False), (True, False, False), (True, False, True), (True, False, True)]

    def test_forward_records_nothing_and_runs_under_no_grad(self) -> None:
        seen = []

        class Watch(Function):
            @staticmethod
            def forward(ctx, x):
                y = x * 2.0
                seen.append((pg.is_grad_enabled(), y.requires_grad, x.requires_grad))
                return y

            @staticmethod
            def backward(ctx, g):
                seen.append(pg.is_grad_enabled())
                return g * 2.0

        x = leaf(1.0)
        y = Watch.apply(x).sum()
        pg.autograd.grad(y, x, create_graph=True)
        pg.autograd.grad(y, x)
        assert seen == [(False, False, True), True, False]
        with pg.no_grad():
            assert not Watch.apply(x).requires_grad
        assert not Watch.apply(x.detach()).requires_grad

    def test_materialized_gradients(self) -> None:
        seen = []

        class Two(Function):
            materialize = True

            @classmethod
            def forward(cls, ctx, x):
                ctx.set_materialize_grads(cls.materialize)
                return x * 2.0, x * 3.0

            @staticmethod
            def backward(ctx, g, h):
                seen.append(None if h is None else h.tolist())
                return g * 2.0

        class TwoLazy(Two):
            materialize = False

        x = leaf(1.0, 1.0)
        Two.apply(x)[0].sum().backward()
        TwoLazy.apply(x)[0].sum().backward()
        assert seen == [[0.0, 0.0], None]

    def test_outputs_without_gradient(self) -> None:
        class Marked(Function):
            @staticmethod
            def forward(ctx, x):
                a, b = x * 2.0, x * 3.0
                ctx.mark_non_differentiable(b)
                return a, b, pg.argmax(x)

            @staticmethod
            def backward(ctx, g, *others):
                assert [other.tolist() for other in others] == [[0.0, 0.0], 0]
                return g * 2.0

        a, b, index = Marked.apply(leaf(1.0, 2.0))
        assert [t.requires_grad for t in (a, b, index)] == [True, False, False]
        assert b.grad_fn is None
        a.sum().backward()

    def test_changed_in_place(self) -> None:
        class AddOne(Function):
            @staticmethod
            def forward(ctx, x):
                ctx.mark_dirty(x)
                x += 1.0
                return x

            @staticmethod
            def backward(ctx, g):
                return g * 7.0

        x = leaf(1.0)
        h = x * 1.0
        out = AddOne.apply(h)
        assert out is h
        assert h.grad_fn.name() == "AddOneBackward"
        h.sum().backward()
        assert (h.item(), x.grad.item()) == (2.0, 7.0)
        with pytest.raises(
            GraphError, match=r"AddOne.apply: a leaf Variable that requires grad has been used in an in-place"
        ):
            AddOne.apply(x)
        assert x.item() == 1.0
        plain = pg.ones(1, dtype="float64")
        assert AddOne.apply(plain) is plain
        assert plain.tolist() == [2.0]
        base = leaf(1.0, 2.0) * 1.0
        AddOne.apply(base[:1])
        assert base.tolist() == [2.0, 2.0]
        assert pg.func.grad(lambda a: AddOne.apply(a * 2.0).sum())(plain).tolist() == [14.0]

    def test_dirty_has_to_be_returned(self) -> None:
        class Forgets(Function):
            @staticmethod
            def forward(ctx, x):
                ctx.mark_dirty(x)
                x += 1.0
                return x * 1.0

        with pytest.raises(GraphError, match="marked as dirty during the forward method were not returned as output"):
            Forgets.apply(leaf(1.0) * 1.0)

    def test_input_as_output(self) -> None:
        class Identity(Function):
            @staticmethod
            def forward(ctx, x):
                return x

            @staticmethod
            def backward(ctx, g):
                return g * 7.0

        x = leaf(1.0)
        y = Identity.apply(x)
        assert y is not x
        y.sum().backward()
        assert x.grad.item() == 7.0
        assert x.is_leaf

    def test_arguments_by_name_and_defaults(self) -> None:
        class Scale(Function):
            @staticmethod
            def forward(x, factor=3.0):
                return x * factor

            @staticmethod
            def setup_context(ctx, inputs, output):
                ctx.factor = inputs[1]

            @staticmethod
            def backward(ctx, g):
                return g * ctx.factor, None

        x = leaf(1.0)
        Scale.apply(x).sum().backward()
        Scale.apply(x, factor=4.0).sum().backward()
        assert x.grad.item() == 7.0

    def test_saved_tensors(self) -> None:
        class Keep(Function):
            @staticmethod
            def forward(ctx, x, y):
                z = x + y
                ctx.save_for_backward(x, None, z, y)
                ctx.kept = (x, "anything")
                return x * y

            @staticmethod
            def backward(ctx, g):
                x, none, _, y = ctx.saved_tensors
                assert none is None
                return g * y, g * x

        x, h = leaf(2.0), leaf(3.0) * 1.0
        out = Keep.apply(x, h)
        saved = out.grad_fn.saved_tensors
        assert saved[0] is x
        assert saved[2].tolist() == [5.0]
        assert not saved[2].requires_grad
        assert saved[3].grad_fn is h.grad_fn
        assert out.grad_fn.kept == (x, "anything")
        out.sum().backward()
        with pytest.raises(GraphError, match="a second time"):
            out.grad_fn.saved_tensors  # noqa: B018
        with pytest.raises(GraphError, match="a second time"):
            out.sum().backward()

    def test_once_differentiable(self) -> None:
        class Once(Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x * x

            @staticmethod
            @once_differentiable
            def backward(ctx, g):
                assert not pg.is_grad_enabled()
                (x,) = ctx.saved_tensors
                return g * 2.0 * x

        x = leaf(3.0)
        Once.apply(x).sum().backward()
        assert x.grad.item() == 6.0
        (g,) = pg.autograd.grad((Once.apply(x) + x**3).sum(), x, create_graph=True)
        assert g.item() == 33.0
        with pytest.raises(
            GraphError, match=r"trying to differentiate twice a function that was marked with @once_diff"
        ):
            g.sum().backward()

    def test_hooks_on_the_node(self) -> None:
        seen = []
        x = leaf(2.0)
        y = Several.apply(x, 3, leaf(5.0).detach())
        y[0].grad_fn.register_prehook(lambda gs: seen.append([g if g is None else g.item() for g in gs]))
        y[0].grad_fn.register_hook(lambda gi, go: seen.append([g if g is None else g.item() for g in gi]))
        y[0].sum().backward()
        assert seen == [[1.0, None, None], [15.0, None]]

    def test_graph_is_freed_by_reference_counting(self) -> None:
        gc.collect()
        gc.disable()
        try:
            y = Exponential.apply(Cube.apply(leaf(1.0)))
            watched = [weakref.ref(y), weakref.ref(y.grad_fn)]
            del y
            assert [reference() for reference in watched] == [None, None]
        finally:
            gc.enable()

    def test_a_function_inside_a_function(self) -> None:
        class Outer(Function):
            @staticmethod
            def forward(ctx, x):
                with pg.enable_grad():
                    inner = x.detach().requires_grad_()
                    out = Cube.apply(inner).sum()
                    (ctx.g,) = pg.autograd.grad(out, inner)
                return out.detach()

            @staticmethod
            def backward(ctx, g):
                return g * ctx.g

        x = leaf(2.0)
        Outer.apply(x).backward()
        assert x.grad.item() == 12.0


class TestForwardMode:
    @pytest.mark.parametrize("function", [Cube, Exponential])
    def test_jvp(self, function) -> None:
        x, t = leaf(0.5).detach(), pg.tensor([2.0], dtype="float64")
        plain = {Cube: lambda x: x**3, Exponential: pg.exp}[function]
        value, tangent = pg.func.jvp(function.apply, (x,), (t,))
        expected = pg.func.jvp(plain, (x,), (t,))
        assert value.tolist() == pytest.approx(expected[0].tolist())
        assert tangent.tolist() == pytest.approx(expected[1].tolist())

    def test_dual_numbers_by_hand(self) -> None:
        with forward_ad.dual_level():
            out = Cube.apply(forward_ad.make_dual(leaf(2.0), pg.ones(1, dtype="float64")))
            primal, tangent = forward_ad.unpack_dual(out)
        assert tangent.tolist() == [12.0]
        primal.sum().backward()
        (g,) = (
            pg.autograd.grad(tangent.sum(), tangent.grad_fn.next_functions[0][0].variable)
            if tangent.is_leaf
            else (None,)
        )
        assert g is None

    def test_tangents_of_constants(self) -> None:
        seen = []

        class Times(Function):
            @staticmethod
            def forward(ctx, x, y, n):
                ctx.set_materialize_grads(n == 1)
                ctx.save_for_forward(x, y)
                return x * y, x > 0

            @staticmethod
            def jvp(ctx, dx, dy, dn):
                seen.append((dy if dy is None else dy.tolist(), dn))
                _, y = ctx.saved_tensors
                return dx * y, None

        x, one = leaf(3.0).detach(), pg.ones(1, dtype="float64")
        for n in (1, 2):
            (_, _), (tangent, none) = pg.func.jvp(lambda x, n=n: Times.apply(x, one * 4.0, n), (x,), (one,))
            assert tangent.tolist() == [4.0]
            assert none.tolist() == [0.0] or not any(none.tolist())
        assert seen == [([0.0], None), (None, None)]

    def test_without_jvp(self) -> None:
        x = leaf(1.0).detach()
        with pytest.raises(NotImplementedError, match="You must implement the jvp function"):
            pg.func.jvp(lambda x: Several.apply(x, 1, x)[0], (x,), (x,))

    def test_what_jvp_returns_is_checked(self) -> None:
        class Wrong(Function):
            @staticmethod
            def forward(ctx, x, result):
                ctx.result = result
                return x * 1.0

            @staticmethod
            def jvp(ctx, tangent, _):
                return ctx.result(tangent)

        x = leaf(1.0, 2.0).detach()
        with pytest.raises(ValueError, match=r"Wrong.jvp: returned an invalid tangent at index 0 - got .*\[1\]"):
            pg.func.jvp(lambda x: Wrong.apply(x, lambda t: t[:1]), (x,), (x,))
        with pytest.raises(GraphError, match=r"incorrect number of tangents \(expected 1, got 2\)"):
            pg.func.jvp(lambda x: Wrong.apply(x, lambda t: (t, t)), (x,), (x,))


@pytest.mark.parametrize("function", [Cube, Exponential, StraightThrough])
class TestNested:
    """Each mix of the modes, against the same mix of operations that polygrad knows."""

    def mixes(self, f):
        def grad(f):
            return pg.func.grad(lambda x: f(x).sum())

        def push(f):
            return lambda x: pg.func.jvp(f, (x,), (pg.ones_like(x) if isinstance(x, pg.Tensor) else x * 0 + 1,))[1]

        def tape(f):
            def run(x):
                y = pg.asarray(x).detach().requires_grad_() if not isinstance(x, pg.Tensor) or x.is_leaf else x
                return pg.autograd.grad(f(y).sum(), y, create_graph=True)[0]

            return run

        return {
            "grad": grad(f), "grad grad": grad(grad(f)), "grad push": grad(push(f)), "push grad": push(grad(f)),
            "push push": push(push(f)), "grad grad push": grad(grad(push(f))), "push grad grad": push(grad(grad(f))),
            "tape grad": tape(grad(f)), "tape push": tape(push(f)), "grad tape": grad(tape(f)), "tape grad push": tape(grad(push(f))),
        }  # fmt: skip

    def test_every_mix(self, function) -> None:
        def known(x):
            return {Cube: lambda: x * x * x, Exponential: lambda: pg.exp(x), StraightThrough: lambda: x**4 * 0.25}[
                function
            ]()

        x = leaf(0.7, 1.6).detach()
        for name, derivative in self.mixes(
            lambda x: function.apply(x) * x if function is not StraightThrough else function.apply(x)
        ).items():
            expected = self.mixes(lambda x: known(x) * x if function is not StraightThrough else known(x))[name]
            assert pg.asarray(derivative(x)).tolist() == pytest.approx(pg.asarray(expected(x)).tolist(), rel=1e-12), (
                name
            )
            raw = pg.asarray(derivative(x.array)).tolist()
            assert raw == pytest.approx(pg.asarray(expected(x)).tolist(), rel=1e-12), name


def test_forward_runs_once_under_nested_transforms() -> None:
    calls = []

    class Noise(Function):
        @staticmethod
        def forward(ctx, x):
            calls.append(x.array)
            noise = pg.rand_like(x)
            ctx.save_for_backward(noise)
            ctx.x = x
            return x * noise

        @staticmethod
        def backward(ctx, g):
            (noise,) = ctx.saved_tensors
            return g * noise * ctx.x * ctx.x

    x = leaf(0.5).detach()
    second = pg.func.grad(lambda x: pg.func.grad(lambda x: Noise.apply(x).sum())(x).sum())
    first = pg.func.grad(lambda x: Noise.apply(x).sum())
    pg.manual_seed(3)
    a = first(x).item()
    pg.manual_seed(3)
    b = second(x).item()
    assert len(calls) == 2
    assert b == pytest.approx(a * 2.0 / 0.5)  # an argument kept as an attribute has the history of the level


def test_a_tensor_of_a_transform_has_to_be_an_argument() -> None:
    def f(x):
        class Closure(Function):
            @staticmethod
            def forward(ctx, y):
                return x * y

        return Closure.apply(pg.ones(1, dtype="float64")).sum()

    with pytest.raises(
        GraphError, match=r"Closure.forward: an output depends on a Tensor of a transform .* pass it to apply"
    ):
        pg.func.grad(f)(leaf(1.0).detach())


class TestErrors:
    @pytest.mark.parametrize(
        ("result", "text"),
        [
            (lambda g: (g, g), r"function WrongBackward returned an incorrect number of gradients \(expected 2, got 2\)"),
            (lambda g: g, r"incorrect number of gradients \(expected 2, got 1\)"),
            (lambda g: (g, 1.0), "returned a gradient different than None at position 2, but the corresponding forward input was not"),
            (lambda g: (g[:2], None), r"returned an invalid gradient at index 0 - got \[2\] but expected shape compatible with \[3\]"),
            (lambda g: (5, None), r"expected Variable or None \(got int\) at index 0"),
            (lambda g: (pg.astype(g, "complex128"), None), "invalid gradient at index 0 - got dtype .*complex128.*take its real part"),
        ],
    )  # fmt: skip
    def test_what_backward_returns(self, result, text) -> None:
        class Wrong(Function):
            @staticmethod
            def forward(ctx, x, n):
                return x * 2.0

            @staticmethod
            def backward(ctx, g):
                return result(g)

        x = leaf(1.0, 2.0, 3.0)
        if "expected 2, got 2" in text:
            text = "different than None at position 2"
        y = Wrong.apply(x, 3).sum()
        with pytest.raises(RuntimeError, match=text):
            y.backward()
        assert x.grad is None

    def test_what_is_accepted(self) -> None:
        class Loose(Function):
            @staticmethod
            def forward(ctx, x, result):
                ctx.result = result
                return x * 2.0

            @staticmethod
            def backward(ctx, g):
                return ctx.result(g)

        for result, expected in (
            (lambda g: (g, None, None), [1.0, 1.0, 1.0]),
            (lambda g: (pg.ones((2, 3), dtype="float64"), None), [2.0, 2.0, 2.0]),
            (lambda g: (pg.astype(g, "float32"), None), [1.0, 1.0, 1.0]),
            (lambda g: (g.array, None), [1.0, 1.0, 1.0]),
        ):
            x = leaf(1.0, 2.0, 3.0)
            Loose.apply(x, result).sum().backward()
            assert x.grad.tolist() == expected
            assert x.grad.dtype == x.dtype
        x = leaf(1.0)
        Loose.apply(x, lambda g: (None, None)).sum().backward()
        assert x.grad is None

    def test_what_is_missing(self) -> None:
        class Empty(Function):
            pass

        class Half(Function):
            @staticmethod
            def forward(ctx, x):
                return x * 2.0

        class Both(Half):
            @staticmethod
            def backward(ctx, g):
                return g

            @staticmethod
            def vjp(ctx, g):
                return g

        x = leaf(1.0)
        with pytest.raises(NotImplementedError, match="You must implement the forward function"):
            Empty.apply(x)
        with pytest.raises(NotImplementedError, match="You must implement either the backward or vjp method"):
            Half.apply(x).sum().backward()
        with pytest.raises(RuntimeError, match="Implementing both 'backward' and 'vjp'"):
            Both.apply(x).sum().backward()
        with pytest.raises(RuntimeError, match=r"Legacy autograd function .*call Half.apply"):
            Half()(x)
        with pytest.raises(TypeError, match="argument"):
            Half.apply(z=x)

    def test_saving_what_is_no_tensor(self) -> None:
        class Saves(Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x, 5)
                return x

        with pytest.raises(TypeError, match="save_for_backward can only save variables, but argument 1 is of type int"):
            Saves.apply(leaf(1.0))

    def test_the_line_is_named(self) -> None:
        class Fails(Function):
            @staticmethod
            def forward(ctx, x):
                return x * 2.0

            @staticmethod
            def backward(ctx, g):
                raise KeyError("mine")

        with pg.autograd.detect_anomaly():
            y = Fails.apply(leaf(1.0))
        with pytest.raises(KeyError) as caught:
            y.sum().backward()
        (note,) = caught.value.__notes__
        assert "at FailsBackward, recorded at File" in note
        assert "y = Fails.apply(leaf(1.0))" in note


def test_as_in_torch() -> None:
    """The same class body on torch and here: values, names, flags."""
    torch = pytest.importorskip("torch")

    def observe(lib):
        class Product(lib.autograd.Function):
            @staticmethod
            def forward(ctx, x, y, n):
                ctx.save_for_backward(x, y)
                ctx.n = n
                return x * y * n, x > y, n

            @staticmethod
            def backward(ctx, g, *rest):
                x, y = ctx.saved_tensors
                return g * y * ctx.n, g * x * ctx.n, None

        x = lib.tensor([1.0, 2.0], requires_grad=True)
        y = lib.tensor([3.0, 1.0], requires_grad=True)
        out, flag, n = Product.apply(x, y, 4)
        (g,) = lib.autograd.grad(out.sum(), x, create_graph=True)
        (h,) = lib.autograd.grad(g.sum(), y)
        node = out.grad_fn
        return (
            out.tolist(), flag.tolist(), flag.requires_grad, n, node.name(), len(node.next_functions), node.needs_input_grad,
            g.tolist(), h.tolist(), node.n,
        )  # fmt: skip

    assert observe(pg) == observe(torch)


def test_random_arguments_against_torch_double_backward() -> None:
    torch = pytest.importorskip("torch")
    values = np.random.default_rng(0).standard_normal((3, 2))

    def second(lib, x):
        class Norm(lib.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                norm = (x * x).sum() ** 0.5
                ctx.save_for_backward(x, norm)
                return norm

            @staticmethod
            def backward(ctx, g):
                x, norm = ctx.saved_tensors
                return g * x / norm

        (g,) = lib.autograd.grad(Norm.apply(x), x, create_graph=True)
        (h,) = lib.autograd.grad((g * g[0, 1]).sum(), x)
        return h.tolist()

    ours = second(pg, pg.tensor(values.tolist(), dtype="float64", requires_grad=True))
    theirs = second(torch, torch.tensor(values, requires_grad=True))
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)
