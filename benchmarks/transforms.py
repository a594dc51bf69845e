"""Functional transforms on NumPy: what second derivatives and batches cost beside torch.func's and HIPS autograd's.

The function is one that each library writes the same way: sums of products, powers and transcendental functions of neighbouring elements.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np

import polygrad

from .pairs import alternate, ratio

LONG, SHORT, ROWS = 10_000, 50, 200
X = np.random.default_rng(0).normal(size=LONG)
V = np.random.default_rng(1).normal(size=LONG)
BATCH = np.random.default_rng(2).normal(size=(ROWS, SHORT))


def function(xp: Any) -> Callable[[Any], Any]:
    """A smooth function of a vector, of neighbouring elements and of each alone."""

    def f(x: Any) -> Any:
        return xp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2) + xp.sum(xp.sin(x) * xp.exp(-x * x))

    return f


def programs() -> dict[str, dict[str, Callable[[], Any]]]:
    """For each task the programs to compare, those of libraries that are installed."""
    from polygrad import func

    ours = function(polygrad)
    hessian, per_sample = func.hessian(ours), func.vmap(func.grad(ours))
    found: dict[str, dict[str, Callable[[], Any]]] = {
        "Hessian times vector": {"polygrad": lambda: func.hvp(ours, (X,), (V,))},
        "Hessian": {"polygrad": lambda: hessian(X[:SHORT])},
        "per-sample gradients": {"polygrad": lambda: per_sample(BATCH)},
    }
    if importlib.util.find_spec("torch"):
        import torch

        torch.set_num_threads(1)
        of_torch = function(torch)
        x, v, batch = torch.tensor(X), torch.tensor(V), torch.tensor(BATCH)
        torch_hessian = torch.func.hessian(of_torch)
        torch_per_sample = torch.func.vmap(torch.func.grad(of_torch))
        found["Hessian times vector"]["torch.func"] = lambda: torch.func.jvp(torch.func.grad(of_torch), (x,), (v,))[1]
        found["Hessian"]["torch.func"] = lambda: torch_hessian(x[:SHORT].clone())
        found["per-sample gradients"]["torch.func"] = lambda: torch_per_sample(batch)
    if importlib.util.find_spec("autograd"):
        import autograd
        import autograd.numpy as anp

        of_autograd = function(anp)
        autograd_hessian, product = autograd.hessian(of_autograd), autograd.hessian_vector_product(of_autograd)
        found["Hessian times vector"]["HIPS autograd"] = lambda: product(X, V)
        found["Hessian"]["HIPS autograd"] = lambda: autograd_hessian(X[:SHORT])
    return found


BARS = {("Hessian times vector", "torch.func"): 1.5, ("Hessian", "HIPS autograd"): 1.0}


def report(rounds: int = 25) -> list[tuple[str, float, float | None]]:
    """Rows of (what, measured ratio, bar)."""
    rows: list[tuple[str, float, float | None]] = []
    print(f"{'':50}milliseconds (best of {rounds})")
    sizes = {"Hessian times vector": LONG, "Hessian": SHORT, "per-sample gradients": (ROWS, SHORT)}
    for task, peers in programs().items():
        expected = np.asarray(peers["polygrad"]())
        for name, program in peers.items():
            np.testing.assert_allclose(np.asarray(program()), expected, rtol=1e-9, atol=1e-9, err_msg=f"{task}: {name}")
        times = alternate(peers, rounds)
        for name, seconds in times.items():
            print(f"{f'{task}, n = {sizes[task]}, {name}':50}{min(seconds) * 1e3:8.2f}")
        for peer in peers:
            if peer != "polygrad":
                rows.append((f"{task} / {peer}", ratio(times, "polygrad", peer), BARS.get((task, peer))))
    return rows
