"""Peak memory of an elementwise chain on ten million elements, against the same written by hand in NumPy.

Both keep the same intermediates for the backward pass. The peak is measured by tracemalloc, NumPy's buffers included.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import numpy as np

import polygrad

SIZE = 10_000_000


def by_hand(x: np.ndarray) -> np.ndarray:
    """Compute the gradient of sum(exp(sin(tanh(x * 2)) * 3))."""
    a = x * 2
    t = np.tanh(a)
    del a
    s = np.sin(t)
    s3 = s * 3
    del s
    e = np.exp(s3)
    del s3
    np.sum(e)
    g = e * 1.0
    del e
    g = g * 3
    g = g * np.cos(t)
    g = g * (1 - t * t)
    return g * 2


def with_polygrad(x: np.ndarray) -> np.ndarray:
    leaf = polygrad.Tensor(x, requires_grad=True)
    y = polygrad.exp(polygrad.sin(polygrad.tanh(leaf * 2)) * 3)
    loss = y.sum()
    del y
    loss.backward()
    return leaf.grad.array  # type: ignore[union-attr]


def peak(program: Callable[[np.ndarray], np.ndarray], x: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the peak beyond the input, in arrays of the input's size, and the result."""
    tracemalloc.start()
    try:
        result = program(x)
        return tracemalloc.get_traced_memory()[1] / x.nbytes, result
    finally:
        tracemalloc.stop()


def report(size: int = SIZE) -> list[tuple[str, float, float | None]]:
    """Return rows of (what, measured ratio, bar)."""
    x = np.linspace(-1, 1, size)
    hand, expected = peak(by_hand, x)
    ours, got = peak(with_polygrad, x)
    np.testing.assert_allclose(got, expected, rtol=1e-12)
    print(f"peak beyond the input, in arrays of {size:,} elements: by hand {hand:.2f}, polygrad {ours:.2f}")
    return [("polygrad / by hand, peak memory", ours / hand, 1.15)]
