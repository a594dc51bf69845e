"""Bridges to torch: each engine's functions in the other's graph, checked by torch's own gradcheck and by finite differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polygrad as pg
from polygrad.errors import ArgumentError
from support.gradient_checks import check_x_sin_x

torch = pytest.importorskip("torch")
from polygrad.interop.torch import from_torch, to_torch  # noqa: E402


def leaf(*shape: int, seed: int = 0) -> Any:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape)).requires_grad_()


def tensor(*shape: int, seed: int = 0, backend: str = "torch") -> Any:
    return pg.asarray(np.random.default_rng(seed).normal(size=shape), backend=backend).requires_grad_()


def close(got: Any, expected: Any, tolerance: float = 1e-12) -> None:
    got, expected = (v.detach().tolist() if isinstance(v, (pg.Tensor, torch.Tensor)) else v for v in (got, expected))
    np.testing.assert_allclose(np.asarray(got), np.asarray(expected), rtol=tolerance, atol=tolerance)


def program(x: Any, w: Any) -> Any:
    y = pg.tanh(x @ w)
    y[0, 0] = x[0, 0] ** 2
    return y, (y * y).sum()


@pytest.mark.parametrize("backend", ["torch", "numpy"])
class TestToTorch:
    def test_gradcheck(self, backend: str) -> None:
        f = to_torch(program, backend=backend)
        x, w = leaf(2, 3), leaf(3, 2, seed=1)
        assert torch.autograd.gradcheck(f, (x, w))
        assert torch.autograd.gradgradcheck(f, (x, w))

    def test_between_torchs_own_operations(self, backend: str) -> None:
        x = leaf(4)
        y = to_torch(lambda t: pg.sin(t) * t, backend=backend)(torch.exp(x))
        torch.log(y.abs()).sum().backward()
        other = x.detach().clone().requires_grad_()
        e = torch.exp(other)
        torch.log((torch.sin(e) * e).abs()).sum().backward()
        close(x.grad, other.grad)

    def test_trees_and_other_arguments(self, backend: str) -> None:
        def f(tree: Any, power: int, *, scale: float) -> Any:
            return {"out": tree["a"] ** power * scale + tree["b"][0], "note": power}

        a, b = leaf(3), leaf(3, seed=2)
        out = to_torch(f, backend=backend)({"a": a, "b": [b]}, 3, scale=2.0)
        assert out["note"] == 3
        out["out"].sum().backward()
        close(a.grad, 6 * a.detach() ** 2)
        close(b.grad, np.ones(3))

    def test_what_needs_no_gradient(self, backend: str) -> None:
        x = leaf(3)
        fixed = torch.ones(3, dtype=torch.float64)
        n = torch.tensor([1, 2, 3])
        index, y = to_torch(lambda x, w, n: (pg.argmax(x), x * w * n), backend=backend)(x, fixed, n)
        assert not index.requires_grad
        y.sum().backward()
        close(x.grad, [1.0, 2.0, 3.0])
        assert not to_torch(lambda x: x * 2, backend=backend)(fixed).requires_grad
        with torch.no_grad():
            assert not to_torch(lambda x: x * 2, backend=backend)(x).requires_grad

    def test_the_argument_itself(self, backend: str) -> None:
        x = leaf(3)
        y = to_torch(lambda x: x, backend=backend)(x)
        (y * y).sum().backward()
        close(x.grad, 2 * x)

    def test_complex(self, backend: str) -> None:
        z = torch.tensor([1 + 2j, -0.5j], dtype=torch.complex128, requires_grad=True)
        assert torch.autograd.gradcheck(to_torch(lambda z: pg.exp(z) * z, backend=backend), (z,))

    def test_random_numbers_are_those_of_the_forward_pass(self, backend: str) -> None:
        x = leaf(100)
        y = to_torch(lambda x: x * pg.randn(100, dtype="float64", backend=backend), backend=backend)(x)
        y.sum().backward()
        close(x.grad, y.detach() / x.detach(), 1e-9)

    def test_twice_through_the_same_graph(self, backend: str) -> None:
        x = leaf(3)
        y = to_torch(lambda x: (x**3).sum(), backend=backend)(x)
        y.backward(retain_graph=True)
        y.backward()
        close(x.grad, 6 * x.detach() ** 2)

    def test_in_a_module_trained_by_torch(self, backend: str) -> None:
        torch.manual_seed(0)
        model = torch.nn.Linear(3, 1).double()
        activation = to_torch(pg.tanh, backend=backend)
        x = torch.randn(8, 3, dtype=torch.float64)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        losses = []
        for _ in range(5):
            optimizer.zero_grad()
            loss = ((activation(model(x)) - 0.5) ** 2).mean()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        assert losses[-1] < losses[0]


def torch_program(x: Any, w: Any) -> Any:
    y = torch.tanh(x @ w)
    return {"y": y, "loss": (y * y).sum(), "shape": tuple(y.shape)}


@pytest.mark.parametrize("backend", ["torch", "numpy"])
class TestFromTorch:
    def test_against_torch(self, backend: str) -> None:
        x, w = tensor(2, 3, backend=backend), tensor(3, 2, seed=1, backend=backend)
        out = from_torch(torch_program)(x, w)
        assert out["shape"] == (2, 2)
        assert out["y"].backend == backend
        (out["loss"] * 2 + out["y"].sum()).backward()
        tx, tw = leaf(2, 3), leaf(3, 2, seed=1)
        reference = torch_program(tx, tw)
        (reference["loss"] * 2 + reference["y"].sum()).backward()
        close(x.grad, tx.grad)
        close(w.grad, tw.grad)
        assert x.grad.backend == backend

    def test_higher_orders_and_modes(self, backend: str) -> None:
        f = from_torch(lambda x: (torch.sin(x) * x).sum())
        check_x_sin_x(f, tensor(3, backend=backend))

    def test_module(self, backend: str) -> None:
        torch.manual_seed(0)
        module = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1)).double()
        op = from_torch(module)
        names = [name for name, _ in module.named_parameters()]
        assert list(op.named_parameters()) == names
        assert len(op.parameters()) == 4
        x = tensor(5, 3, backend=backend)
        (op(x) ** 2).sum().backward()
        tx = leaf(5, 3)
        (module(tx) ** 2).sum().backward()
        close(x.grad, tx.grad)
        for name, parameter in module.named_parameters():
            ours = op.named_parameters()[name]
            close(ours.grad, parameter.grad)
            assert ours.array.data_ptr() == parameter.data_ptr()  # the memory is the module's

    def test_training_a_module(self, backend: str) -> None:
        module = torch.nn.Linear(3, 1).double()
        op = from_torch(module)
        x = tensor(8, 3, backend=backend).detach()
        before = module.weight.detach().clone()
        losses = []
        for _ in range(5):
            loss = ((op(x) - 0.5) ** 2).mean()
            loss.backward()
            with pg.no_grad():
                for p in op.parameters():
                    p -= 0.1 * p.grad
                    p.grad = None
            losses.append(float(loss.detach()))
        assert losses[-1] < losses[0]
        assert torch.equal(module.weight, before)
        op.update_module()
        close(module.weight, op.named_parameters()["weight"])

    def test_dropout_is_the_same_on_the_way_back(self, backend: str) -> None:
        x = tensor(200, backend=backend)
        y = from_torch(torch.nn.Dropout(0.5))(x)
        y.sum().backward()
        close(x.grad, np.asarray(y.detach().tolist()) / np.asarray(x.detach().tolist()), 1e-9)
        assert 20 < sum(g == 0 for g in x.grad.tolist()) < 180

    def test_frozen_parameters_and_integers(self, backend: str) -> None:
        module = torch.nn.Embedding(5, 2).double()
        module.weight.requires_grad_(False)
        op = from_torch(module)
        assert not op(pg.asarray(np.asarray([1, 2]), backend=backend)).requires_grad
        module.weight.requires_grad_(True)
        op = from_torch(module)
        op(pg.asarray(np.asarray([1, 1, 3]), backend=backend)).sum().backward()
        close(op.parameters()[0].grad, [[0, 0], [2, 2], [0, 0], [1, 1], [0, 0]])

    def test_no_grad(self, backend: str) -> None:
        x = tensor(3, backend=backend)
        with pg.no_grad():
            assert not from_torch(torch.sin)(x).requires_grad

    def test_complex(self, backend: str) -> None:
        z = pg.asarray(np.asarray([1 + 2j, -0.5j]), backend=backend).requires_grad_()
        from_torch(lambda z: (z * z * (1 + 1j)).abs().sum())(z).backward()
        other = z.detach().requires_grad_()
        pg.abs(other * other * (1 + 1j)).sum().backward()
        close(z.grad, other.grad)


def test_round_trip() -> None:
    x = leaf(3)
    f = to_torch(lambda t: from_torch(torch.sin)(t) * t)
    assert torch.autograd.gradcheck(f, (x,))
    assert torch.autograd.gradgradcheck(f, (x,))


def test_functions_are_wanted() -> None:
    with pytest.raises(ArgumentError, match="from_torch: expected a function or a module, got int 3"):
        from_torch(3)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="to_torch: expected a function, got int 3"):
        to_torch(3)  # type: ignore[arg-type]
