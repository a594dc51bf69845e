"""Random programs run on torch and on polygrad, with views, in-place operations, indexing, detach and no_grad: the same gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from checks import host, tensor
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import polygrad as pg

torch = pytest.importorskip("torch")

STEPS = {
    "add": lambda lib, a, b: a + b,
    "multiply": lambda lib, a, b: a * b,
    "subtract": lambda lib, a, b: a - b * 0.5,
    "sin": lambda lib, a, b: lib.sin(a),
    "tanh": lambda lib, a, b: lib.tanh(a) * 1.5,
    "scalar": lambda lib, a, b: 2.0 - a / 3,
    "square": lambda lib, a, b: a**2 * 0.1,
    "row": lambda lib, a, b: a[1:2] + b,
    "column": lambda lib, a, b: a[:, :1] * b,
    "gather": lambda lib, a, b: a[[0, 2, 2]] + b,
    "mask": lambda lib, a, b: lib.where(a > b, a, b * 2),
    "transpose": lambda lib, a, b: a.T @ b,
    "sum": lambda lib, a, b: a + b.sum(),
    "mean": lambda lib, a, b: a - b.mean(),
    "flat": lambda lib, a, b: a.reshape(9)[1:4] * b,
    "detach": lambda lib, a, b: a.detach() * b,
}
INPLACE = {
    "imul": lambda lib, a, b: a.mul_(1.1),
    "iadd": lambda lib, a, b: a.add_(b.detach() if b is a else b),
    "set row": lambda lib, a, b: a.__setitem__(0, b[1] * 1.0),
    "set view": lambda lib, a, b: a[:, 1].mul_(0.5),
    "set chain": lambda lib, a, b: a[1:].T[0].add_(0.25),
    "set masked": lambda lib, a, b: a.__setitem__(a > 1.0, 0.5),
    "quiet": lambda lib, a, b: _quiet(lib, a),
}


def _quiet(lib: Any, a: Any) -> None:
    with lib.no_grad():
        a.detach().mul_(1.05)


program = st.lists(
    st.tuples(st.sampled_from([*STEPS] * 2 + [*INPLACE]), st.integers(0, 30), st.integers(0, 30)),
    min_size=3,
    max_size=30,
)


def run(lib: Any, leaves: list[Any], steps: list[tuple[str, int, int]]) -> Any:
    """The program's scalar result. In-place steps work on a fresh copy in torch's sense: never on what the graph has saved."""
    values = [leaf * 1.0 for leaf in leaves]
    for name, i, j in steps:
        a, b = values[i % len(values)], values[j % len(values)]
        if name in STEPS:
            values.append(STEPS[name](lib, a, b))
        else:
            fresh = a * 1.0
            INPLACE[name](lib, fresh, b)
            values.append(fresh)
    total = values[0].sum()
    for value in values[1:]:
        total = total + value.sum()
    return total


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(steps=program)
def test_gradients_of_two_orders_are_torchs(backend: str, steps: list[tuple[str, int, int]]) -> None:
    rng = np.random.default_rng(len(steps))
    arrays = [rng.normal(size=(3, 3)) * 0.5 for _ in range(2)]
    ours, theirs = [tensor(a, backend, True) for a in arrays], [torch.tensor(a, requires_grad=True) for a in arrays]
    y, t = run(pg, ours, steps), run(torch, theirs, steps)
    np.testing.assert_allclose(y.item(), t.item(), rtol=1e-9)
    first = pg.autograd.grad(y, ours, create_graph=True, materialize_grads=True)
    reference = torch.autograd.grad(t, theirs, create_graph=True, materialize_grads=True)
    for g, r in zip(first, reference, strict=True):
        np.testing.assert_allclose(
            host(g), r.detach().numpy(), rtol=1e-8, atol=1e-8 * (1 + float(r.detach().abs().max()))
        )
    norm, norm_t = sum((g * g).sum() for g in first), sum((r * r).sum() for r in reference)
    if norm_t.requires_grad:
        second = pg.autograd.grad(norm, ours, materialize_grads=True)
        reference = torch.autograd.grad(norm_t, theirs, materialize_grads=True)
        for g, r in zip(second, reference, strict=True):
            np.testing.assert_allclose(host(g), r.numpy(), rtol=1e-7, atol=1e-7 * (1 + float(r.abs().max())))
