"""The backward pass: accumulation, freeing, restriction to inputs, hooks, failures, very long and very shared graphs."""

from __future__ import annotations

import gc
import itertools
import sys
import threading
import weakref

import numpy as np
import pytest

import polygrad as pg
from polygrad.errors import GraphError


def values(tensor: pg.Tensor) -> list[float]:
    return tensor.tolist()


def leaf(data: object = (1.0, 2.0, 3.0)) -> pg.Tensor:
    return pg.tensor(list(data) if isinstance(data, tuple) else data, dtype="float64", requires_grad=True)


@pytest.mark.usefixtures("backend")
class TestAccumulation:
    def test_grad_adds_up_over_passes(self) -> None:
        x = leaf()
        (x * 2).sum().backward()
        (x * 3).sum().backward()
        assert values(x.grad) == [5.0, 5.0, 5.0]

    def test_grad_stays_the_same_object(self) -> None:
        x = leaf()
        (x * 2).sum().backward()
        held = x.grad
        (x * 3).sum().backward()
        assert x.grad is held
        assert values(held) == [5.0, 5.0, 5.0]

    def test_leaf_used_many_times(self) -> None:
        x = leaf()
        total = x
        for _ in range(50):
            total = total + x * x
        total.sum().backward()
        assert values(x.grad) == [101.0, 201.0, 301.0]

    def test_two_outputs_at_once(self) -> None:
        x = leaf()
        a, b = (x * 2).sum(), (x * x).sum()
        pg.autograd.backward([a, b])
        assert values(x.grad) == [4.0, 6.0, 8.0]

    def test_same_output_twice(self) -> None:
        x = leaf()
        y = (x * 2).sum()
        pg.autograd.backward([y, y], retain_graph=True)
        assert values(x.grad) == [4.0, 4.0, 4.0]

    def test_output_inside_the_graph_of_another(self) -> None:
        x = leaf()
        y = x * 2
        pg.autograd.backward([y.sum(), (y * y).sum()])
        assert values(x.grad) == [10.0, 18.0, 26.0]

    def test_leaf_as_output(self) -> None:
        x = leaf(5.0)
        x.backward()
        assert x.grad.item() == 1.0

    def test_gradient_argument(self) -> None:
        x = leaf()
        (x * x).backward(pg.tensor([1.0, 10.0, 100.0], dtype="float64"))
        assert values(x.grad) == [2.0, 40.0, 600.0]

    def test_gradients_do_not_share_memory(self) -> None:
        x, y = leaf(), leaf()
        g = pg.ones(3, dtype="float64")
        (x + y).backward(g)
        if hasattr(g.array, "at"):
            pytest.skip("arrays that cannot be written may be shared")
        for held in (x.grad, y.grad):
            held.array[...] = 7.0
            assert values(g) == [1.0, 1.0, 1.0]
        assert x.grad.array is not y.grad.array
        x.grad.array[...] = 1.0
        assert values(y.grad) == [7.0, 7.0, 7.0]
        y.grad.array[...] = 1.0
        x.grad.zero_()
        assert values(y.grad) == [1.0, 1.0, 1.0]
        assert values(g) == [1.0, 1.0, 1.0]

    def test_only_inputs(self) -> None:
        x, y = leaf(), leaf()
        z = x * y
        (z * z).sum().backward(inputs=[x, z])
        assert values(x.grad) == [2.0, 16.0, 54.0]
        assert values(z.grad) == [2.0, 8.0, 18.0]
        assert y.grad is None

    def test_create_graph_then_again(self) -> None:
        x = leaf()
        (x * x * x).sum().backward(create_graph=True)
        first = x.grad
        x.grad = None
        first.sum().backward()
        assert values(x.grad) == [6.0, 12.0, 18.0]


@pytest.mark.usefixtures("backend")
class TestGrad:
    def test_leaves_grad_alone(self) -> None:
        x = leaf()
        (g,) = pg.autograd.grad((x * x).sum(), x)
        assert values(g) == [2.0, 4.0, 6.0]
        assert x.grad is None

    def test_with_respect_to_an_intermediate(self) -> None:
        x = leaf()
        y = x * 2
        z = (y * y).sum()
        gy, gx = pg.autograd.grad(z, [y, x])
        assert values(gy) == [4.0, 8.0, 12.0]
        assert values(gx) == [8.0, 16.0, 24.0]

    def test_of_itself(self) -> None:
        x = leaf(2.0)
        y = x * 3
        assert pg.autograd.grad(y, y)[0].item() == 1.0
        assert pg.autograd.grad(x, x)[0].item() == 1.0

    def test_the_graph_beyond_an_intermediate_is_neither_run_nor_freed(self) -> None:
        x = leaf()
        y = pg.sin(x)
        z = (y * y).sum()
        pg.autograd.grad(z, y, retain_graph=True)
        pg.autograd.grad(z, y)
        y.sum().backward()  # the sine has been kept
        assert values(x.grad) == pytest.approx(np.cos([1.0, 2.0, 3.0]).tolist())

    def test_unused(self) -> None:
        x, y = leaf(), leaf()
        z = (x * 2).sum()
        with pytest.raises(GraphError, match=r"not have been used in the graph: inputs\[1\].*allow_unused=True"):
            pg.autograd.grad(z, [x, y], retain_graph=True)
        assert pg.autograd.grad(z, [x, y], retain_graph=True, allow_unused=True)[1] is None
        zeros = pg.autograd.grad(z, [x, y], materialize_grads=True)[1]
        assert values(zeros) == [0.0, 0.0, 0.0]

    def test_order_four(self) -> None:
        x = leaf(0.7)
        y = pg.sin(x) * x
        for _ in range(4):
            (y,) = pg.autograd.grad(y, x, create_graph=True)
        expected = -4 * np.cos(0.7) + 0.7 * np.sin(0.7)
        assert y.item() == pytest.approx(expected, rel=1e-12)

    def test_nothing_to_do(self) -> None:
        x = leaf()
        with pytest.raises(GraphError, match=r"`inputs` argument to `grad\(\)` cannot be empty"):
            pg.autograd.grad(x.sum(), [])
        with pytest.raises(GraphError, match="not have been used in the graph"):
            pg.autograd.grad([], x)

    def test_several_grad_outputs(self) -> None:
        x = leaf()
        g = pg.autograd.grad([x * 2, x * x], x, [pg.ones(3, dtype="float64")] * 2)[0]
        assert values(g) == [4.0, 6.0, 8.0]


@pytest.mark.usefixtures("backend")
class TestFreeing:
    def test_second_backward_names_the_node(self) -> None:
        x = leaf()
        y = pg.sin(x).sum()
        y.backward()
        with pytest.raises(RuntimeError, match="Trying to backward through the graph a second time.*\n.*SinBackward0"):
            y.backward()
        assert values(x.grad) == pytest.approx(np.cos([1.0, 2.0, 3.0]).tolist())

    def test_retain_graph(self) -> None:
        x = leaf()
        y = (x * x).sum()
        y.backward(retain_graph=True)
        y.backward()
        assert values(x.grad) == [4.0, 8.0, 12.0]

    def test_what_saves_nothing_can_run_again(self) -> None:
        x = leaf()
        y = (x + 1).sum()
        y.backward()
        y.backward()
        assert values(x.grad) == [2.0, 2.0, 2.0]

    def test_saved_arrays_go_with_the_pass(self) -> None:
        x = leaf()
        y = pg.sin(x)
        node = y.grad_fn
        assert len(node.saved_arrays) == 1
        y.sum().backward()
        with pytest.raises(GraphError, match="second time"):
            node.saved_arrays  # noqa: B018

    def test_a_graph_is_freed_by_reference_counting_alone(self) -> None:
        gc.collect()
        gc.disable()
        try:
            x = leaf()
            y = pg.exp(pg.tanh(pg.sin(x) * x))
            z = (y / (x + 2)).sum()
            references = [weakref.ref(t.grad_fn) for t in (y, z)] + [weakref.ref(y), weakref.ref(z)]
            z.backward(retain_graph=True)
            del y, z
            assert [reference() for reference in references] == [None] * 4
            watched = weakref.ref(x)
            del x
            assert watched() is None
        finally:
            gc.enable()

    def test_a_frozen_input_is_not_kept(self) -> None:
        x, frozen = leaf(), pg.ones(3, dtype="float64")
        y = x * frozen
        (saved,) = [array for array in y.grad_fn.saved_arrays if array is not None]
        assert saved is frozen.array or values(pg.asarray(saved)) == [1.0, 1.0, 1.0]
        assert (frozen * 2).grad_fn is None


class TestSize:
    def test_a_million_operations(self) -> None:
        """Forward, backward and destruction are iterative: a small stack would not survive recursion."""
        failure: list[BaseException] = []

        def work() -> None:
            try:
                x = pg.Tensor(np.asarray(1.0), requires_grad=True)
                y = x
                for _ in range(500_000):
                    y = y + 1.0
                    y = y * 1.0
                y.backward()
                assert x.grad.item() == 1.0
                del y
            except BaseException as error:
                failure.append(error)

        limit, size = sys.getrecursionlimit(), threading.stack_size()
        # CPython 3.13 lets destructors nest a few thousand deep before it queues them
        threading.stack_size(1024 * 1024)
        try:
            thread = threading.Thread(target=work)
            sys.setrecursionlimit(200 + 100)
            thread.start()
            thread.join()
        finally:
            sys.setrecursionlimit(limit)
            threading.stack_size(size)
        assert not failure, failure[0]

    def test_a_leaf_used_ten_thousand_times(self) -> None:
        x = pg.Tensor(np.ones(2), requires_grad=True)
        total = x * 1
        for _ in range(10_000):
            total = total + x
        total.sum().backward()
        assert values(x.grad) == [10_001.0, 10_001.0]

    def test_doubling_chain_runs_each_node_once(self) -> None:
        x = pg.Tensor(np.asarray(1.0), requires_grad=True)
        y = x
        runs = []
        for _ in range(60):
            y = y + y
            y.grad_fn.register_hook(lambda grad_inputs, grad_outputs: runs.append(1))
        y.backward()
        assert x.grad.item() == 2.0**60
        assert len(runs) == 60

    def test_many_small_slices_share_one_buffer(self) -> None:
        import tracemalloc

        x = pg.Tensor(np.ones(1_000_000), requires_grad=True)
        total = pg.zeros((), dtype="float64")
        for i in range(100):
            total = total + x[i * 10_000 : i * 10_000 + 5].sum()
        tracemalloc.start()
        total.backward()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 2.5 * 8_000_000
        grad = x.grad.array
        assert grad.sum() == 500.0
        assert grad[:6].tolist() == [1.0] * 5 + [0.0]


@pytest.mark.usefixtures("backend")
class TestSeveralOutputs:
    def test_one_of_them_and_both(self) -> None:
        x = pg.tensor([[2.0, 1.0], [0.0, 3.0]], dtype="float64", requires_grad=True)
        _, value = pg.linalg.slogdet(x)
        assert value.grad_fn is not None
        assert value.grad_fn.next_functions[0][0].variable is x
        assert (value.output_nr, value.grad_fn.name()) == (1, "LinalgSlogdetBackward0")
        value.backward()
        np.testing.assert_allclose(np.asarray(x.grad.tolist()), np.linalg.inv([[2.0, 1.0], [0.0, 3.0]]).T)

    def test_second_order_through_a_saved_output(self) -> None:
        """The gradient of eigenvalues depends on the eigenvectors, which are outputs: differentiate with respect to these."""
        x = pg.tensor([[2.0, 1.0], [1.0, 5.0]], dtype="float64", requires_grad=True)
        values, vectors = pg.linalg.eigh(x * 1)
        (g,) = pg.autograd.grad(values[0], x, create_graph=True)
        (by_vectors,) = pg.autograd.grad(g.sum(), vectors, retain_graph=True)
        v = np.asarray(vectors.tolist())
        np.testing.assert_allclose(np.asarray(by_vectors.tolist()), [[2 * v[:, 0].sum(), 0]] * 2, atol=1e-12)
        hook: list[str] = []
        vectors.register_hook(lambda grad: hook.append("seen"))
        g.sum().backward()
        assert hook == ["seen"]


@pytest.mark.usefixtures("backend")
class TestSharedSelections:
    def test_overlapping_slices_and_a_dense_use(self) -> None:
        x = leaf()
        y = x[0:2].sum() + x[1:3].sum() + (x * 2).sum() + x[1] + x[0:2].sum()
        y.backward()
        assert values(x.grad) == [4.0, 6.0, 3.0]

    def test_dense_first(self) -> None:
        x = leaf()
        y = x * 1
        ((y * 2).sum() + y[0] + y[1:].sum() + y[0]).backward()
        assert values(x.grad) == [4.0, 3.0, 3.0]

    def test_every_order_of_dense_and_selected_uses(self) -> None:
        uses = {"d": lambda y: (y * 2).sum(), "s": lambda y: y[:2].sum() * 3, "i": lambda y: y[2] * 5}
        for order in itertools.product("dsi", repeat=4):
            x = leaf()
            y = x * 1
            total = pg.zeros((), dtype="float64")
            for use in order:
                total = total + uses[use](y)
            total.backward()
            d, s, i = (order.count(use) for use in "dsi")
            assert values(x.grad) == [2.0 * d + 3 * s, 2.0 * d + 3 * s, 2.0 * d + 5 * i]

    def test_second_order(self) -> None:
        x = leaf()
        y = (x[0:2] * x[1:3]).sum()
        (g,) = pg.autograd.grad(y, x, create_graph=True)
        (h,) = pg.autograd.grad((g * g).sum(), x)
        assert values(g) == [2.0, 4.0, 2.0]
        assert values(h) == [8.0, 8.0, 8.0]


@pytest.mark.usefixtures("backend")
class TestHooks:
    def test_hook_on_a_leaf_changes_its_gradient(self) -> None:
        x = leaf()
        x.register_hook(lambda g: g * 2)
        (x * 3).sum().backward()
        assert values(x.grad) == [6.0, 6.0, 6.0]

    def test_hook_on_an_intermediate(self) -> None:
        x = leaf()
        y = x * 2
        seen = []
        y.register_hook(lambda g: seen.append(values(g)))
        y.register_hook(lambda g: g * 10)
        (y * y).sum().backward()
        assert seen == [[4.0, 8.0, 12.0]]
        assert values(x.grad) == [80.0, 160.0, 240.0]

    def test_handle_removes(self) -> None:
        x = leaf()
        handle = x.register_hook(lambda g: g * 0)
        handle.remove()
        handle.remove()
        (x * 3).sum().backward()
        assert values(x.grad) == [3.0, 3.0, 3.0]

    def test_retain_grad_sees_what_the_hooks_made(self) -> None:
        x = leaf()
        y = x * 2
        y.retain_grad()
        y.register_hook(lambda g: g * 10)
        y.sum().backward()
        assert y.retains_grad
        assert values(y.grad) == [10.0, 10.0, 10.0]

    def test_node_hooks(self) -> None:
        x = leaf()
        y = x * 2
        seen = []
        y.grad_fn.register_prehook(lambda grad_outputs: (grad_outputs[0] * 5,))
        y.grad_fn.register_hook(lambda gi, go: seen.append((values(gi[0]), gi[1], values(go[0]))))
        y.sum().backward()
        assert seen == [([10.0, 10.0, 10.0], None, [5.0, 5.0, 5.0])]
        assert values(x.grad) == [10.0, 10.0, 10.0]

    def test_post_accumulate(self) -> None:
        x = leaf()
        seen = []
        x.register_post_accumulate_grad_hook(lambda t: seen.append(values(t.grad)))
        (x * 2).sum().backward()
        (x * 2).sum().backward()
        assert seen == [[2.0, 2.0, 2.0], [4.0, 4.0, 4.0]]

    def test_hook_of_wrong_shape_or_kind(self) -> None:
        x = leaf()
        handle = x.register_hook(lambda g: g.sum())
        with pytest.raises(
            ValueError, match=r"changed the size of the gradient: it got shape \(3,\) and returned \(\)"
        ):
            (x * 2).sum().backward()
        handle.remove()
        x.register_hook(lambda g: 3)
        with pytest.raises(TypeError, match="returned int, expected a Tensor or None"):
            (x * 2).sum().backward()
        assert x.grad is None

    def test_next_functions_are_those_of_differentiable_inputs(self) -> None:
        x = leaf([[1.0, 2.0], [3.0, 4.0]])
        y = pg.nn.functional.log_softmax(x, dim=1)
        loss = pg.nn.functional.nll_loss(y, pg.tensor([0, 1]))
        assert loss.grad_fn.next_functions == ((y.grad_fn, 0),)
        assert [node.name() for node, _ in (x * 2).grad_fn.next_functions if node] == ["AccumulateGrad"]
        assert len((x * 2).grad_fn.next_functions) == 2

    def test_metadata(self) -> None:
        node = (leaf() * 2).grad_fn
        node.metadata["origin"] = "here"
        assert node.metadata == {"origin": "here"}

    def test_backward_inside_a_hook(self) -> None:
        x, other = leaf(), leaf()
        y = x * 2

        def hook(g: pg.Tensor) -> None:
            with pg.enable_grad():
                (other * 7).sum().backward()

        y.register_hook(hook)
        y.sum().backward()
        assert values(other.grad) == [7.0, 7.0, 7.0]
        assert values(x.grad) == [2.0, 2.0, 2.0]


@pytest.mark.usefixtures("backend")
class TestFailures:
    def test_an_exception_in_a_hook_leaves_every_grad_as_it_was(self) -> None:
        x, w = leaf(), leaf()
        (x * w).sum().backward()
        before = values(x.grad), values(w.grad)
        y = x * w
        z = y * 2

        def hook(g: pg.Tensor) -> None:
            raise KeyError("user code")

        handle = y.register_hook(hook)
        with pytest.raises(KeyError, match="user code"):
            z.sum().backward()
        assert (values(x.grad), values(w.grad)) == before
        handle.remove()
        (x * w).sum().backward()  # the engine goes on working
        assert values(x.grad) == [2.0, 4.0, 6.0]

    def test_hooks_of_nodes_return_tuples(self) -> None:
        x = leaf()
        y = x * 2
        for result, text in (
            (lambda gs: gs[0], "of a node returned Tensor: expected a tuple with one gradient for each of the 2"),
            (lambda gs: gs[:1], "returned 1 gradients, expected 2"),
            (lambda gs: (gs[0], gs[0]), "can't replace a None gradient with a non-None value, at index 1"),
            (lambda gs: (gs[0].sum(), None), "has changed the size of the gradient"),
        ):
            with (
                y.grad_fn.register_hook(lambda inputs, outputs, result=result: result(inputs)),
                pytest.raises(RuntimeError, match=text),
            ):
                y.sum().backward(retain_graph=True)
        with y.grad_fn.register_prehook(lambda gs: gs[0]), pytest.raises(TypeError, match="expected a tuple"):
            y.sum().backward(retain_graph=True)
        with y.grad_fn.register_hook(lambda inputs, outputs: (None, None)):
            y.sum().backward(retain_graph=True)
        assert x.grad is None

    def test_an_exception_in_the_hook_of_a_leaf(self) -> None:
        x, w = leaf(), leaf()

        def hook(g: pg.Tensor) -> None:
            raise ZeroDivisionError

        w.register_hook(hook)
        with pytest.raises(ZeroDivisionError) as caught:
            (x * w).sum().backward()
        assert "In the backward pass, at AccumulateGrad of the leaf" in caught.value.__notes__[0]
        assert values(x.grad) == [1.0, 2.0, 3.0]  # complete before the hook ran, as in torch
        assert w.grad is None

    def test_modes_are_restored(self) -> None:
        x = leaf()

        def hook(g: pg.Tensor) -> None:
            raise ValueError("no")

        x.register_hook(hook)
        with pytest.raises(ValueError, match="no"):
            (x * 2).sum().backward()
        assert pg.is_grad_enabled()


class TestThreads:
    def test_a_shared_leaf_loses_nothing(self) -> None:
        x = pg.Tensor(np.zeros(4), requires_grad=True)
        count, number = 200, 4

        def work() -> None:
            for _ in range(count):
                (x * 1.0).sum().backward()

        threads = [threading.Thread(target=work) for _ in range(number)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert values(x.grad) == [float(count * number)] * 4
