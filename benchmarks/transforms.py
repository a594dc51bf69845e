"""Functional transforms on NumPy: tangents, Jacobians, second derivatives and batches beside torch.func's and HIPS autograd's.

Each library writes the functions the same way: products, powers and transcendental functions of neighbouring elements, and the sum of
them.
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


def vector_function(xp: Any) -> Callable[[Any], Any]:
    """Return a smooth function of a vector that gives a vector, of neighbouring elements and of each alone."""

    def f(x: Any) -> Any:
        return 100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2 + xp.sin(x[1:]) * xp.exp(-x[1:] * x[1:])

    return f


def function(xp: Any) -> Callable[[Any], Any]:
    """Return a smooth function of a vector that gives a number."""

    def f(x: Any) -> Any:
        return xp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2) + xp.sum(xp.sin(x) * xp.exp(-x * x))

    return f


def programs(peers: bool = True) -> dict[str, dict[str, Callable[[], Any]]]:
    """Return for each task the programs to compare; with ``peers`` those of libraries that are installed."""
    from polygrad import func

    ours, vector = function(polygrad), vector_function(polygrad)
    hessian, per_sample, jacobian = func.hessian(ours), func.vmap(func.grad(ours)), func.jacrev(vector)
    short, short_v = X[:SHORT].copy(), V[:SHORT].copy()
    found: dict[str, dict[str, Callable[[], Any]]] = {
        "tangent": {"polygrad": lambda: func.jvp(vector, (short,), (short_v,))[1]},
        "Jacobian": {"polygrad": lambda: jacobian(short)},
        "Hessian times vector, short": {"polygrad": lambda: func.hvp(ours, (short,), (short_v,))},
        "Hessian times vector": {"polygrad": lambda: func.hvp(ours, (X,), (V,))},
        "Hessian": {"polygrad": lambda: hessian(short)},
        "per-sample gradients": {"polygrad": lambda: per_sample(BATCH)},
    }
    if peers and importlib.util.find_spec("torch"):
        import torch

        torch.set_num_threads(1)
        of_torch, torch_vector = function(torch), vector_function(torch)
        x, v, batch = torch.tensor(X), torch.tensor(V), torch.tensor(BATCH)
        few, few_v = torch.tensor(short), torch.tensor(short_v)
        torch_hessian, torch_jacobian = torch.func.hessian(of_torch), torch.func.jacrev(torch_vector)
        torch_per_sample = torch.func.vmap(torch.func.grad(of_torch))

        def product(x: Any, v: Any) -> Any:
            return torch.func.jvp(torch.func.grad(of_torch), (x,), (v,))[1]

        found["tangent"]["torch.func"] = lambda: torch.func.jvp(torch_vector, (few,), (few_v,))[1]
        found["Jacobian"]["torch.func"] = lambda: torch_jacobian(few)
        found["Hessian times vector, short"]["torch.func"] = lambda: product(few, few_v)
        found["Hessian times vector"]["torch.func"] = lambda: product(x, v)
        found["Hessian"]["torch.func"] = lambda: torch_hessian(few)
        found["per-sample gradients"]["torch.func"] = lambda: torch_per_sample(batch)
    if peers and importlib.util.find_spec("autograd"):
        import autograd
        import autograd.numpy as anp

        of_autograd, autograd_vector = function(anp), vector_function(anp)
        autograd_hessian, autograd_product = autograd.hessian(of_autograd), autograd.hessian_vector_product(of_autograd)
        autograd_jacobian = autograd.jacobian(autograd_vector)
        found["tangent"]["HIPS autograd"] = lambda: autograd.make_jvp(autograd_vector)(short)(short_v)[1]
        found["Jacobian"]["HIPS autograd"] = lambda: autograd_jacobian(short)
        found["Hessian times vector, short"]["HIPS autograd"] = lambda: autograd_product(short, short_v)
        found["Hessian times vector"]["HIPS autograd"] = lambda: autograd_product(X, V)
        found["Hessian"]["HIPS autograd"] = lambda: autograd_hessian(short)
    return found


SIZES = {"Hessian times vector": LONG, "per-sample gradients": (ROWS, SHORT)}
"""Sizes of the arguments of tasks, where they are not ``SHORT``."""
BARS = {
    ("Hessian times vector", "torch.func"): 1.5, ("Hessian", "HIPS autograd"): 1.0, ("Hessian", "torch.func"): 0.4,
    ("per-sample gradients", "torch.func"): 1.0,
}  # fmt: skip


def report(rounds: int = 25) -> list[tuple[str, float, float | None]]:
    """Return rows of (what, measured ratio, bar)."""
    rows: list[tuple[str, float, float | None]] = []
    print(f"{'':50}milliseconds (best of {rounds})")
    for task, peers in programs().items():
        expected = np.asarray(peers["polygrad"]())
        for name, program in peers.items():
            np.testing.assert_allclose(np.asarray(program()), expected, rtol=1e-9, atol=1e-9, err_msg=f"{task}: {name}")
        times = alternate(peers, rounds)
        for name, seconds in times.items():
            print(f"{f'{task}, n = {SIZES.get(task, SHORT)}, {name}':50}{min(seconds) * 1e3:8.2f}")
        for peer in peers:
            if peer != "polygrad":
                rows.append((f"{task} / {peer}", ratio(times, "polygrad", peer), BARS.get((task, peer))))
    return rows
