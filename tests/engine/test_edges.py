"""autograd.graph: edges as inputs and outputs, hooks on what is saved and on several gradients."""

from __future__ import annotations

import gc
import threading
import weakref

import numpy as np
import pytest

import polygrad as pg
from polygrad.autograd import Function
from polygrad.engine import edges as graph
from polygrad.errors import GraphError

pytestmark = pytest.mark.usefixtures("backend")


def leaf(*values: float) -> pg.Tensor:
    return pg.tensor(list(values), dtype="float64", requires_grad=True)


class TestEdges:
    def test_of_leaf_operation_and_one_of_several_outputs(self) -> None:
        x = leaf(1.0, 2.0)
        h = x * 2
        assert graph.get_gradient_edge(h)[:2] == (h.grad_fn, 0)
        node, number, _ = graph.get_gradient_edge(x)
        assert (node.name(), number, node.variable) == ("AccumulateGrad", 0, x)
        assert node is graph.get_gradient_edge(x).node
        _, vectors = pg.linalg.eigh(pg.tensor([[2.0, 1.0], [1.0, 2.0]], dtype="float64", requires_grad=True))
        assert graph.get_gradient_edge(vectors)[:2] == (vectors.grad_fn, 1)
        assert isinstance(node, graph.Node)

    def test_of_what_does_not_require_grad(self) -> None:
        with pytest.raises(
            RuntimeError, match="not possible to get the gradient edge for a Tensor that does not require"
        ):
            graph.get_gradient_edge(pg.ones(1))
        with pytest.raises(TypeError, match="get_gradient_edge: expected a Tensor, got int 3"):
            graph.get_gradient_edge(3)

    def test_as_output_and_input(self) -> None:
        x = leaf(1.0, 2.0)
        h = x * 2
        y = (h * h).sum()
        out, at_h, at_x = map(graph.get_gradient_edge, (y, h, x))
        gh, gx = pg.autograd.grad(out, [at_h, at_x], retain_graph=True)
        assert (gh.tolist(), gx.tolist()) == ([4.0, 8.0], [8.0, 16.0])
        (g,) = pg.autograd.grad(at_h, x, pg.tensor([1.0, 3.0], dtype="float64"), retain_graph=True)
        assert g.tolist() == [2.0, 6.0]
        pg.autograd.backward(out, retain_graph=True)
        pg.autograd.backward(y, inputs=[at_x])
        assert x.grad.tolist() == [16.0, 32.0]
        pg.autograd.backward(at_x, pg.tensor([1.0, 1.0], dtype="float64"))
        assert x.grad.tolist() == [17.0, 33.0]

    def test_second_order(self) -> None:
        x = leaf(2.0)
        h = x * x
        (g,) = pg.autograd.grad(graph.get_gradient_edge((h * h).sum()), graph.get_gradient_edge(x), create_graph=True)
        assert pg.autograd.grad(g, x)[0].tolist() == [48.0]

    def test_keeps_the_graph_and_not_the_values(self) -> None:
        gc.collect()
        x = leaf(1.0)
        y = pg.exp(x) * 3.0
        edge, watched = graph.get_gradient_edge(y), weakref.ref(y)
        del y
        assert watched() is None
        assert pg.autograd.grad(edge, x, pg.ones(1, dtype="float64"))[0].item() == pytest.approx(8.15484548537714)

    def test_of_an_output_of_several(self) -> None:
        x = pg.tensor([[2.0, 1.0], [1.0, 2.0]], dtype="float64", requires_grad=True)
        values, vectors = pg.linalg.eigh(x * 1.0)
        loss = (values * values).sum() + vectors[0, 0] * 0.0
        at = graph.get_gradient_edge(values)
        (g,) = pg.autograd.grad(loss, at, retain_graph=True)
        assert g.tolist() == pytest.approx([2.0, 6.0])
        g, gx = pg.autograd.grad(loss, [values, x])
        assert g.tolist() == pytest.approx([2.0, 6.0])
        assert gx.tolist() == [pytest.approx([4.0, 2.0]), pytest.approx([2.0, 4.0])]

    def test_what_is_refused(self) -> None:
        x = leaf(1.0, 2.0)
        h = x * 2
        y = h.sum()
        with pytest.raises(
            RuntimeError, match=r"no Tensor to hold the gradient at the GradientEdge of MulBackward0.*autograd.grad"
        ):
            pg.autograd.backward(y, inputs=[graph.get_gradient_edge(h)])
        with pytest.raises(RuntimeError, match="implicitly created only for scalar outputs"):
            pg.autograd.grad(graph.get_gradient_edge(h), x)
        by_hand = graph.GradientEdge(y.grad_fn, 0)
        with pytest.raises(RuntimeError, match="the shape at a GradientEdge that was made by hand is not known"):
            pg.autograd.grad(by_hand, x)
        assert pg.autograd.grad(by_hand, x, pg.ones((), dtype="float64"), retain_graph=True)[0].tolist() == [2.0, 2.0]
        with pytest.raises(TypeError, match="output_nr=1 is out of range, SumBackward0 has 1 outputs"):
            pg.autograd.grad(graph.GradientEdge(y.grad_fn, 1), x)
        with pytest.raises(ValueError, match=r"does not fit the value at the GradientEdge, which has shape \(2,\)"):
            pg.autograd.grad(graph.get_gradient_edge(h), x, pg.ones(3, dtype="float64"))


class TestInputs:
    def test_backward_into_an_intermediate_retains_its_grad(self) -> None:
        x = leaf(1.0, 2.0)
        h = x * 2
        (h * h).sum().backward(inputs=[h])
        assert h.retains_grad
        assert h.grad.tolist() == [4.0, 8.0]
        assert x.grad is None

    def test_into_one_that_has_retained_it(self) -> None:
        x = leaf(1.0)
        h = x * 2
        h.retain_grad()
        y = (h * h).sum()
        y.backward(retain_graph=True)
        y.backward(inputs=[x, h])
        assert (h.grad.item(), x.grad.item()) == (8.0, 16.0)

    def test_a_retained_grad_is_added_to_after_a_pass_with_create_graph(self) -> None:
        x = leaf(1.0, 2.0)
        h = x * 2
        h.retain_grad()
        y = h.sum()  # whose gradient is one number, expanded: that can be kept, but not added to
        pg.autograd.grad(y, x, create_graph=True)
        assert h.grad.tolist() == [1.0, 1.0]
        (3 * y).backward()
        assert h.grad.tolist() == [4.0, 4.0]

    def test_same_input_twice(self) -> None:
        x = leaf(1.0)
        a, b = pg.autograd.grad((x * 3).sum(), [x, x])
        assert a.item() == b.item() == 3.0
        (x * 3).sum().backward(inputs=[x, x])
        assert x.grad.item() == 3.0


class TestSavedTensorsHooks:
    def test_pack_and_unpack(self) -> None:
        log = []

        def pack(t):
            log.append(("pack", t.tolist(), t.requires_grad, t.is_leaf, pg.is_grad_enabled()))
            return ("packed", t)

        def unpack(packed):
            log.append(packed[0])
            return packed[1]

        x = leaf(1.0, 2.0)
        with graph.saved_tensors_hooks(pack, unpack):
            y = pg.exp(x * x)
        z = y * y  # outside
        assert [entry[0] for entry in log] == ["pack"] * 3
        assert log[0] == ("pack", [1.0, 2.0], True, True, False)
        assert log[2][2:4] == (True, False)
        z.sum().backward()
        assert log[3:] == ["packed"] * 3
        expected = leaf(1.0, 2.0)
        (pg.exp(expected * expected) ** 2).sum().backward()
        assert x.grad.tolist() == pytest.approx(expected.grad.tolist())

    def test_unpacked_each_time(self) -> None:
        count = []
        x = leaf(0.5)
        with graph.saved_tensors_hooks(
            lambda t: t.tolist(), lambda p: count.append(1) or pg.tensor(p, dtype="float64")
        ):
            y = pg.sin(x)
        y.sum().backward(retain_graph=True)
        y.sum().backward()
        assert len(count) == 2
        with pytest.raises(GraphError, match="a second time"):
            y.sum().backward()

    def test_higher_order_goes_on_through_the_graph(self) -> None:
        x = leaf(0.5)
        with graph.saved_tensors_hooks(lambda t: t.tolist(), lambda p: pg.tensor(p, dtype="float64")):
            y = x**3 * pg.exp(x)
            (g,) = pg.autograd.grad(y.sum(), x, create_graph=True)
            (g,) = pg.autograd.grad(g.sum(), x, create_graph=True)
        z = x**3 * pg.exp(x)
        for _ in range(3):
            (z,) = pg.autograd.grad(z.sum(), x, create_graph=True)
        assert pg.autograd.grad(g.sum(), x)[0].tolist() == pytest.approx(z.tolist(), rel=1e-12)

    def test_every_kind_of_node(self) -> None:
        def run():
            x = pg.tensor([[2.0, 0.5], [0.5, 1.0]], dtype="float64", requires_grad=True)
            values, vectors = pg.linalg.eigh(x)
            y = values.sum() * pg.linalg.det(x) + (x[0] * x[:, 1]).sum() + vectors[0, 0] ** 2 + pg.max(x) * 2.0
            y.backward()
            return x.grad.tolist()

        plain = run()
        with graph.saved_tensors_hooks(lambda t: (t.array, t), lambda p: p[1]):
            packed = run()
        assert [*packed[0], *packed[1]] == pytest.approx([*plain[0], *plain[1]])

    def test_of_a_function(self) -> None:
        class Square(Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x, None)
                return x * x

            @staticmethod
            def backward(ctx, g):
                x, none = ctx.saved_tensors
                assert none is None
                return g * 2.0 * x

        seen = []
        x = leaf(3.0)
        with graph.saved_tensors_hooks(lambda t: seen.append(t.tolist()) or t * 2.0, lambda p: p * 0.5):
            y = Square.apply(x)
        assert seen == [[3.0]]
        (g,) = pg.autograd.grad(y.sum(), x, create_graph=True)
        g.sum().backward()
        assert (g.item(), x.grad.item()) == (6.0, 2.0)

    def test_zero_absorbing(self) -> None:
        x = leaf(0.0, 4.0)
        with graph.saved_tensors_hooks(lambda t: t, lambda t: t):
            y = pg.where(x > 0, pg.sqrt(x), 0.0).sum()
        with pg.zero_absorbing(), np.errstate(all="ignore"):
            y.backward()
            assert x.grad.tolist() == [0.0, 0.25]

    def test_innermost_pair_alone(self) -> None:
        log = []
        x = leaf(1.0)
        with graph.saved_tensors_hooks(lambda t: log.append("outer") or t, lambda t: t):
            with graph.saved_tensors_hooks(lambda t: log.append("inner") or t, lambda t: t):
                pg.sin(x)
            pg.sin(x)
        assert log == ["inner", "outer"]

    def test_nothing_outside(self) -> None:
        x = leaf(1.0)
        with graph.saved_tensors_hooks(lambda t: t, lambda t: t):
            inside = pg.sin(x)
        outside = pg.sin(x)
        assert type(outside.grad_fn) is not type(inside.grad_fn)
        assert outside.grad_fn.name() == inside.grad_fn.name() == "SinBackward0"
        assert isinstance(inside.grad_fn, pg.autograd.graph.Node)

    def test_errors(self) -> None:
        x = leaf(1.0)
        with graph.saved_tensors_hooks(lambda t: t, lambda t: 1):
            y = pg.sin(x)
        with pytest.raises(TypeError, match="unpack_hook expected to be a Tensor but got result of type int"):
            y.sum().backward()

        def pack(t):
            t *= 2.0
            return t

        with (
            graph.saved_tensors_hooks(pack, lambda t: t),
            pytest.raises(RuntimeError, match="pack hook is modifying its input in place"),
        ):
            pg.sin(x)
        assert x.item() == 1.0
        with pytest.raises(TypeError, match="a hook has to be callable, got int 1"):
            graph.saved_tensors_hooks(1, 2)

    def test_as_decorator_and_in_threads(self) -> None:
        log = []

        @graph.saved_tensors_hooks(lambda t: log.append(1) or t, lambda t: t)
        def f(x):
            return pg.sin(x)

        x = leaf(1.0)
        f(x)
        pg.sin(x)
        with graph.saved_tensors_hooks(lambda t: log.append(2) or t, lambda t: t):
            thread = threading.Thread(target=lambda: pg.sin(x))
            thread.start()
            thread.join()
        assert log == [1]

    def test_disabled(self) -> None:
        pair = graph.saved_tensors_hooks(lambda t: t, lambda t: t)
        nothing = graph.disable_saved_tensors_hooks("not here")
        with nothing, pytest.raises(RuntimeError, match="not here"), pair:
            pass
        with pair, pytest.raises(RuntimeError, match="not here"), nothing:
            pass
        with pair:
            pass

    def test_on_the_host(self, backend: str) -> None:
        x = leaf(0.5, 0.25)
        with graph.save_on_cpu():
            y = pg.exp(pg.sin(x) * x)
            (g,) = pg.autograd.grad(y.sum(), x, create_graph=True)
        (h,) = pg.autograd.grad(g.sum(), x)
        z = pg.exp(pg.sin(x) * x)
        (g2,) = pg.autograd.grad(z.sum(), x, create_graph=True)
        assert g.tolist() == pytest.approx(g2.tolist())
        assert h.tolist() == pytest.approx(pg.autograd.grad(g2.sum(), x)[0].tolist())
        assert h.backend == backend

    def test_in_transforms(self) -> None:
        x = leaf(0.5).detach()

        def f(x):
            with graph.save_on_cpu(), graph.saved_tensors_hooks(lambda t: [t], lambda p: p[0]):
                return (pg.sin(x) * x).sum()

        plain = pg.func.grad(lambda x: pg.func.grad(lambda x: (pg.sin(x) * x).sum())(x).sum())(x)
        packed = pg.func.grad(lambda x: pg.func.grad(f)(x).sum())(x)
        assert packed.tolist() == pytest.approx(plain.tolist())

    def test_mutation_is_always_allowed(self) -> None:
        x = leaf(2.0)
        with graph.allow_mutation_on_saved_tensors():
            h = x * 1.0
            y = (h * h).sum()
            h += 100.0
        y.backward()
        assert x.grad.item() == 4.0


class TestMultiGradHook:
    def test_all(self) -> None:
        calls = []
        x, y, z = leaf(1.0), leaf(2.0), leaf(3.0)
        handle = graph.register_multi_grad_hook(
            [x, y, z], lambda gs: calls.append([g if g is None else g.item() for g in gs])
        )
        (x * y).sum().backward()
        (x * y * z).sum().backward()
        pg.autograd.grad((x * z).sum(), z)
        handle.remove()
        (x * y * z).sum().backward()
        assert calls == [[2.0, 1.0, None], [6.0, 3.0, 2.0], [None, None, 1.0]]

    def test_with_intermediates(self) -> None:
        calls = []
        x = leaf(1.0)
        h = x * 2
        k = pg.exp(h)
        graph.register_multi_grad_hook([h, k, x], lambda gs: calls.append(len(gs)))
        k.sum().backward()
        assert calls == [3]

    def test_any(self) -> None:
        calls = []
        x, y = leaf(1.0), leaf(2.0)
        with graph.register_multi_grad_hook([x, y], lambda g: calls.append(g.item()), mode="any"):
            (x * y).sum().backward()
            (x * y).sum().backward()
        (x * y).sum().backward()
        assert calls == [2.0, 2.0]

    def test_one_that_gets_no_gradient_is_not_waited_for(self) -> None:
        class Half(Function):
            @staticmethod
            def forward(ctx, x, y):
                return x * y

            @staticmethod
            def backward(ctx, g):
                return g, None

        calls = []
        x, y = leaf(1.0), leaf(2.0)
        graph.register_multi_grad_hook([x, y], lambda gs: calls.append([g is None for g in gs]))
        Half.apply(x, y).sum().backward()
        assert calls == [[False, True]]

    def test_bad_arguments(self) -> None:
        with pytest.raises(ValueError, match=r"Expects mode to be one of \('all', 'any'\) but got some"):
            graph.register_multi_grad_hook([leaf(1.0)], print, mode="some")
        with pytest.raises(TypeError, match="the hook has to be callable"):
            graph.register_multi_grad_hook([leaf(1.0)], 3)
