"""Views: who keeps whom alive, and what goes on sharing. What torch shows as well is among the scenarios."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

import polygrad
from polygrad.errors import GraphError


class TestDetached:
    def test_a_detached_tensor_does_not_keep_the_graph(self, backend: str) -> None:
        gc.disable()
        try:
            x = polygrad.ones(3, requires_grad=True)
            y = x * x
            node = weakref.ref(y.grad_fn)
            z = y.detach()
            del y
            assert node() is None
            assert z.tolist() == [1.0, 1.0, 1.0]
        finally:
            gc.enable()

    def test_two_detached_tensors_go_on_sharing(self, backend: str) -> None:
        y = polygrad.ones(3)
        a, b = y.detach(), y.detach()
        c = b.detach()
        del y
        a[0] = 5.0
        c[1] = 6.0
        assert a.tolist() == b.tolist() == c.tolist() == [5.0, 6.0, 1.0]

    def test_a_detached_view_reaches_the_base_after_the_view_is_gone(self, backend: str) -> None:
        x = polygrad.zeros(4)
        part = x[1:].detach()
        part[0] = 5.0
        assert x.tolist() == [0.0, 5.0, 0.0, 0.0]
        x[3] = 7.0
        assert part.tolist() == [5.0, 0.0, 7.0]
        assert not part._is_view()

    def test_a_leaf_that_shares_stays_a_leaf(self, backend: str) -> None:
        x = polygrad.ones(2)
        w = x.detach().requires_grad_()
        v = x[1:].detach().requires_grad_()
        x *= 3.0
        assert [w.is_leaf, w.requires_grad, w.tolist()] == [True, True, [3.0, 3.0]]
        assert [v.is_leaf, v.requires_grad, v.tolist()] == [True, True, [3.0]]

    def test_many_detached_tensors_are_forgotten(self, backend: str) -> None:
        x = polygrad.ones(2)
        for _ in range(100):
            x.detach()
        assert len(x._extra.views) <= 9


class TestData:
    def test_a_new_payload_parts_from_the_old_views(self, backend: str) -> None:
        x = polygrad.zeros(3)
        first, second = x[:2], x[1:]
        x.data = polygrad.ones(3)
        x[0] = 5.0
        first[1] = 7.0
        assert x.tolist() == [5.0, 1.0, 1.0]
        assert first.tolist() == [0.0, 7.0]
        assert second.tolist() == [7.0, 0.0]

    def test_it_is_shared_with_what_was_assigned(self, backend: str) -> None:
        x, t = polygrad.zeros(2, requires_grad=True), polygrad.ones(2)
        x.data = t
        t[0] = 5.0
        assert x.tolist() == [5.0, 1.0]
        assert [x.is_leaf, x.requires_grad] == [True, True]


class TestBase:
    def test_the_base_of_a_chain_is_its_end(self, backend: str) -> None:
        x = polygrad.zeros((2, 3))
        view = x[0][1:].reshape(2, 1)
        assert view._base is x
        assert [x._base, x._is_view()] == [None, False]


class TestExpanded:
    def test_it_cannot_be_written(self, backend: str) -> None:
        x = polygrad.zeros(3)
        y = x.expand(2, 3)
        with pytest.raises(
            GraphError, match=r"shape \(2, 3\) that shows one of shape \(3,\) expanded.*clone\(\) it before"
        ):
            y += 1.0
        assert y.tolist() == [[0.0] * 3] * 2
        x += 1.0
        assert y.tolist() == [[1.0] * 3] * 2


class TestAugmentedAssignment:
    def test_the_base_is_written_once(self, backend: str) -> None:
        x = polygrad.tensor([1.0, 2.0, 3.0], requires_grad=True)
        y = x * 1.0
        y[1:] *= 10.0
        assert y.tolist() == [1.0, 20.0, 30.0]
        # the view is written into the base by its own operation; assigning it again is nothing more to do
        names = []
        node = y.grad_fn
        while node is not None and node.name() != "AccumulateGrad":
            names.append(node.name())
            node = node.next_functions[0][0]
        assert names == ["CopySlices", "MulBackward0"]
        y.sum().backward()
        assert x.grad.tolist() == [1.0, 10.0, 10.0]

    def test_another_view_is_assigned(self, backend: str) -> None:
        x = polygrad.tensor([1.0, 2.0, 3.0])
        x[1:] = x[:2]
        assert x.tolist() == [1.0, 1.0, 2.0]
        z = polygrad.tensor([4.0, 5.0, 6.0])
        x[1:] = z[1:]
        assert x.tolist() == [1.0, 5.0, 6.0]
        x[polygrad.tensor([0, 1])] = x[:2] * 2.0
        assert x.tolist() == [2.0, 10.0, 6.0]

    def test_a_leaf_refuses_its_own_view(self, backend: str) -> None:
        x = polygrad.tensor([1.0, 2.0], requires_grad=True)
        with pytest.raises(GraphError, match="leaf Variable"):
            x[1:] = x[1:]


def test_an_integer_of_numpy_selects_a_view_as_one_of_python_does(backend: str) -> None:
    x = polygrad.zeros((2, 3), requires_grad=True)
    y = x * 1.0
    for i in np.arange(2):
        row = y[i]
        row += 1.0 + i
        y[i, np.int32(0)] *= 10.0
    assert y.tolist() == [[10.0, 1.0, 1.0], [20.0, 2.0, 2.0]]
    assert y[np.int64(-1)].grad_fn.name() == "SelectBackward0"
    assert y[np.int64(0), ..., np.uint8(1)]._is_view()
    y.sum().backward()
    assert x.grad.tolist() == [[10.0, 1.0, 1.0]] * 2
