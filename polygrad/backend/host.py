"""NumPy as the host: random numbers for a library without its own, contraction paths, and the way out to NumPy."""

from __future__ import annotations

import functools
import importlib
import importlib.util
from typing import Any

import numpy as np

_generator = np.random.default_rng()


def seed(value: int) -> None:
    """Seed the generator."""
    global _generator  # noqa: PLW0603 - one process-wide sequence, as torch has
    _generator = np.random.default_rng(value)


def draw(kind: str, shape: tuple[int, ...], low: int = 0, high: int = 2) -> Any:
    """Return a NumPy array of random numbers."""
    if kind == "normal":
        return np.asarray(_generator.standard_normal(shape))
    if kind == "uniform":
        return np.asarray(_generator.random(shape))
    return np.asarray(_generator.integers(low, high, size=shape))


def get_state() -> Any:
    """Return the state of the generator."""
    return _generator.bit_generator.state


def set_state(state: Any) -> None:
    """Set the generator to a state that ``get_state`` returned."""
    _generator.bit_generator.state = state


def to_numpy(array: Any) -> Any:
    """Return a NumPy array with the values of any array that exports DLPack."""
    return np.from_dlpack(array)


@functools.lru_cache(maxsize=1024)
def contraction_path(equation: str, shapes: tuple[tuple[int, ...], ...]) -> tuple[tuple[int, ...], ...]:
    """Return the order in which to contract.

    It is opt_einsum's where that is installed, else NumPy's, which is the best of all up to five operands.
    """
    if importlib.util.find_spec("opt_einsum") is not None:
        opt_einsum = importlib.import_module("opt_einsum")
        return tuple(opt_einsum.contract_path(equation, *shapes, shapes=True)[0])
    stand_ins = [np.broadcast_to(0.0, shape) for shape in shapes]
    unlimited = 2**62  # without it no intermediate result may be larger than an operand
    kind = "optimal" if len(shapes) <= 5 else "greedy"
    return tuple(np.einsum_path(equation, *stand_ins, optimize=(kind, unlimited))[0][1:])
