"""What a node has saved, under torch's names."""

from __future__ import annotations

import pytest

import polygrad as pg
from polygrad.errors import GraphError

pytestmark = pytest.mark.usefixtures("backend")


def leaf(*values: float) -> pg.Tensor:
    return pg.tensor(list(values), dtype="float64", requires_grad=True)


def test_inputs_and_results() -> None:
    x, y = leaf(2.0), leaf(3.0)
    product = x * y
    assert product.grad_fn._saved_self is x
    assert product.grad_fn._saved_other is y
    out = pg.exp(product)
    assert out.grad_fn._saved_result.tolist() == out.tolist()
    assert out.grad_fn._saved_result.grad_fn is out.grad_fn
    assert pg.sin(product).grad_fn._saved_x.grad_fn is product.grad_fn
    assert (x * y.detach()).grad_fn._saved_self is None
    assert (x * 4.0).grad_fn._saved_other == 4.0


def test_of_several_outputs_and_parameters() -> None:
    x = pg.tensor([[2.0, 1.0], [1.0, 2.0]], dtype="float64", requires_grad=True)
    values, vectors = pg.linalg.eigh(x)
    node = values.grad_fn
    assert node._saved_eigenvectors.tolist() == vectors.tolist()
    assert node._saved_eigenvectors.output_nr == 1
    assert pg.sum(x, axis=0).grad_fn._saved_axis == 0


def test_freed_and_unknown() -> None:
    out = pg.exp(leaf(1.0))
    names = dir(out.grad_fn)
    assert {"_saved_result", "_raw_saved_result"} <= set(names)
    assert not hasattr(out.grad_fn, "_saved_other")
    assert not hasattr(out.grad_fn, "_saved_self")
    out.sum().backward()
    with pytest.raises(GraphError, match="a second time"):
        out.grad_fn._saved_result  # noqa: B018


def test_hooks_of_one_value() -> None:
    log = []
    x = leaf(1.0)
    out = pg.exp(x)
    raw = out.grad_fn._raw_saved_result
    assert raw.data.tolist() == out.tolist()
    raw.register_hooks(
        lambda t: log.append("pack") or t.tolist(), lambda p: log.append("unpack") or pg.tensor(p, dtype="float64")
    )
    assert raw.data == out.tolist()
    assert raw.unpack().tolist() == out.tolist()
    (g,) = pg.autograd.grad(out.sum(), x, create_graph=True)
    g.sum().backward(retain_graph=True)
    assert g.tolist() == x.grad.tolist() == out.tolist()
    assert log[:3] == ["pack", "unpack", "unpack"]
    with pytest.raises(GraphError, match="hooks have already been set"):
        raw.register_hooks(lambda t: t, lambda t: t)
    with pytest.raises(TypeError, match="a hook has to be callable, got NoneType None"):
        raw.register_hooks(None, None)
    product = x * leaf(1.0).detach()
    with pytest.raises(GraphError, match="with value None is forbidden"):
        product.grad_fn._raw_saved_self.register_hooks(lambda t: t, lambda t: t)


def test_names_are_those_of_torch() -> None:
    torch = pytest.importorskip("torch")
    for function in (
        lambda lib, x, y: x * y,
        lambda lib, x, y: lib.exp(x),
        lambda lib, x, y: lib.sin(x),
    ):
        ours, theirs = [
            function(
                lib, lib.tensor([1.0, 2.0], requires_grad=True), lib.tensor([3.0, 4.0], requires_grad=True)
            ).grad_fn
            for lib in (pg, torch)
        ]
        for name in [name for name in dir(theirs) if name.startswith("_saved_")]:
            assert getattr(ours, name).tolist() == pytest.approx(getattr(theirs, name).tolist())
