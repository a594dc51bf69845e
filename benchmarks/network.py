"""Training step of a small network: products of matrices, sums and means beside elementwise operations.

Two layers, of 16 units and of 1, on 4 samples of 8 numbers: forward, backward and gradients put away, a hundred times over.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

import polygrad

from .pairs import alternate, ratio

STEPS = 100
_RNG = np.random.default_rng(0)
DATA, TARGET = _RNG.normal(size=(4, 8)), _RNG.normal(size=(4, 1))
WEIGHTS = [_RNG.normal(size=shape) for shape in ((8, 16), (16,), (16, 1), (1,))]


def by_hand() -> list[np.ndarray]:
    """Compute the gradient as a person writes it down."""
    w1, b1, w2, b2 = WEIGHTS
    for _ in range(STEPS):
        hidden = np.tanh(DATA @ w1 + b1)
        g = 2 * (hidden @ w2 + b2 - TARGET) / TARGET.size
        before = (g @ w2.T) * (1 - hidden * hidden)
        gradients = [DATA.T @ before, before.sum(axis=0), hidden.T @ g, g.sum(axis=0)]
    return gradients


def steps(library: ModuleType, data: Any, target: Any, weights: list[Any]) -> list[Any]:
    """Compute the same by a library with torch's names."""
    w1, b1, w2, b2 = weights
    for _ in range(STEPS):
        for weight in weights:
            weight.grad = None
        hidden = library.tanh(data @ w1 + b1)
        ((hidden @ w2 + b2 - target) ** 2).mean().backward()
    return [weight.grad for weight in weights]


def peers() -> dict[str, Callable[[], Any]]:
    """Return the programs to compare, those of libraries that are installed."""
    own = [polygrad.Tensor(array.copy(), requires_grad=True) for array in WEIGHTS]
    data, target = polygrad.Tensor(DATA), polygrad.Tensor(TARGET)
    found: dict[str, Callable[[], Any]] = {
        "NumPy, gradient by hand": by_hand,
        "polygrad": lambda: [g.array for g in steps(polygrad, data, target, own)],
    }
    if importlib.util.find_spec("torch"):
        import torch

        torch.set_num_threads(1)
        theirs = [torch.tensor(array, requires_grad=True) for array in WEIGHTS]
        samples, wanted = torch.tensor(DATA), torch.tensor(TARGET)
        found["torch eager"] = lambda: [g.numpy() for g in steps(torch, samples, wanted, theirs)]
    return found


def report(rounds: int = 25) -> list[tuple[str, float, float | None]]:
    """Return rows of (what, measured ratio, bar)."""
    programs = peers()
    expected = by_hand()
    for name, program in programs.items():
        for got, want in zip(program(), expected, strict=True):
            np.testing.assert_allclose(np.asarray(got), want, rtol=1e-12, err_msg=name)
    times = alternate(programs, rounds)
    print(f"{'':28}microseconds a step (best of {rounds})")
    for name, seconds in times.items():
        print(f"{name:28}{min(seconds) / STEPS * 1e6:6.1f}")
    rows: list[tuple[str, float, float | None]] = [
        ("step of a network / by hand", ratio(times, "polygrad", "NumPy, gradient by hand"), None)
    ]
    if "torch eager" in times:
        rows.append(("step of a network / torch eager", ratio(times, "polygrad", "torch eager"), None))
    return rows
