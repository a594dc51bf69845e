"""Cost of an operation on tiny arrays: multiply, add, sin, a thousand times over, forward and backward.

Each peer does the same on eight float64 numbers with two leaves, in turns; a ratio is the median over the rounds.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable

import numpy as np

import polygrad

from .pairs import alternate, ratio

LENGTH = 1000
OPS = 3 * LENGTH
ONES, HALVES = np.ones(8), np.full(8, 0.5)


def numpy_forward() -> None:
    y, b, sin = ONES.copy(), HALVES, np.sin
    for _ in range(LENGTH):
        y = sin(y * b + b)


def numpy_gradient() -> tuple[np.ndarray, np.ndarray]:
    """Compute the derivative as a person writes it by hand, who keeps what the backward pass needs."""
    y, b = ONES.copy(), HALVES
    ys, zs = [], []
    for _ in range(LENGTH):
        z = y * b + b
        ys.append(y)
        zs.append(z)
        y = np.sin(z)
    g, gb = np.ones(8), np.zeros(8)
    for y, z in zip(reversed(ys), reversed(zs), strict=True):
        g = g * np.cos(z)
        gb = gb + g
        gb = gb + g * y
        g = g * b
    return g, gb


def polygrad_gradient() -> tuple[np.ndarray, np.ndarray]:
    x = polygrad.Tensor(ONES.copy(), requires_grad=True)
    b = polygrad.Tensor(HALVES.copy(), requires_grad=True)
    y, sin = x, polygrad.sin
    for _ in range(LENGTH):
        y = sin(y * b + b)
    y.sum().backward()
    return x.grad.array, b.grad.array


def polygrad_no_grad() -> None:
    x = polygrad.Tensor(ONES.copy(), requires_grad=True)
    b = polygrad.Tensor(HALVES.copy(), requires_grad=True)
    y, sin = x, polygrad.sin
    with polygrad.no_grad():
        for _ in range(LENGTH):
            y = sin(y * b + b)


def polygrad_beside_hooks() -> tuple[np.ndarray, np.ndarray]:
    """Compute the same while another leaf has hooks, after modes have come and gone: features that are not used may cost nothing."""
    other = polygrad.Tensor(ONES.copy(), requires_grad=True)
    with polygrad.autograd.detect_anomaly(), polygrad.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t):
        pass
    with other.register_hook(lambda g: None), other.register_post_accumulate_grad_hook(lambda leaf: None):
        return polygrad_gradient()


def peers() -> dict[str, Callable[[], object]]:
    """Return the programs to compare, those of libraries that are installed."""
    found: dict[str, Callable[[], object]] = {
        "NumPy, forward only": numpy_forward,
        "polygrad, recording off": polygrad_no_grad,
        "NumPy, gradient by hand": numpy_gradient,
        "polygrad": polygrad_gradient,
        "polygrad, hooks elsewhere": polygrad_beside_hooks,
    }
    if importlib.util.find_spec("torch"):
        import torch

        torch.set_num_threads(1)

        def torch_gradient() -> tuple[object, object]:
            x = torch.tensor(ONES, requires_grad=True)
            b = torch.tensor(HALVES, requires_grad=True)
            y, sin = x, torch.sin
            for _ in range(LENGTH):
                y = sin(y * b + b)
            y.sum().backward()
            return x.grad.numpy(), b.grad.numpy()

        found["torch eager"] = torch_gradient
    if importlib.util.find_spec("autograd"):
        import autograd
        import autograd.numpy as anp

        def loss(x: object, b: object) -> object:
            y, sin = x, anp.sin
            for _ in range(LENGTH):
                y = sin(y * b + b)
            return anp.sum(y)

        gradient = autograd.grad(loss, (0, 1))
        found["HIPS autograd"] = lambda: gradient(ONES, HALVES)
    if importlib.util.find_spec("mygrad"):
        import mygrad

        def mygrad_gradient() -> tuple[object, object]:
            x, b = mygrad.tensor(ONES), mygrad.tensor(HALVES)
            y, sin = x, mygrad.sin
            for _ in range(LENGTH):
                y = sin(y * b + b)
            y.sum().backward()
            return x.grad, b.grad

        found["MyGrad"] = mygrad_gradient
    return found


def measure(rounds: int = 25) -> dict[str, list[float]]:
    """Return the seconds of each peer in each round, after a check that all compute the same."""
    programs = peers()
    expected = numpy_gradient()
    for name, program in programs.items():
        result = program()
        if result is not None:
            for got, want in zip(result, expected, strict=True):
                np.testing.assert_allclose(np.asarray(got), want, rtol=1e-12, err_msg=name)
    return alternate(programs, rounds)


def report(rounds: int = 25) -> list[tuple[str, float, float | None]]:
    """Return rows of (what, measured ratio, bar)."""
    times = measure(rounds)
    print(f"{'':28}microseconds an operation (best of {rounds})")
    for name, seconds in times.items():
        print(f"{name:28}{min(seconds) / OPS * 1e6:6.2f}")
    rows: list[tuple[str, float, float | None]] = [
        ("polygrad / gradient by hand", ratio(times, "polygrad", "NumPy, gradient by hand"), 3.0),
        ("hooks elsewhere / none", ratio(times, "polygrad, hooks elsewhere", "polygrad"), 1.05),
        ("recording off / NumPy", ratio(times, "polygrad, recording off", "NumPy, forward only"), 3.0),
    ]
    for peer, bar in (("torch eager", 0.6), ("HIPS autograd", 0.3), ("MyGrad", None)):
        if peer in times:
            rows.append((f"polygrad / {peer}", ratio(times, "polygrad", peer), bar))
    return rows
