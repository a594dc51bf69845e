"""NumPy as the host: random numbers for a library that has none of its own, and the way out to NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

_generator = np.random.default_rng()


def seed(value: int) -> None:
    """Start the sequence anew."""
    global _generator  # noqa: PLW0603 - one process-wide sequence, as torch has
    _generator = np.random.default_rng(value)


def draw(kind: str, shape: tuple[int, ...], low: int = 0, high: int = 2) -> Any:
    """A NumPy array of random numbers."""
    if kind == "normal":
        return np.asarray(_generator.standard_normal(shape))
    if kind == "uniform":
        return np.asarray(_generator.random(shape))
    return np.asarray(_generator.integers(low, high, size=shape))


def to_numpy(array: Any) -> Any:
    """A NumPy array with the values of any array that exports DLPack."""
    return np.from_dlpack(array)
