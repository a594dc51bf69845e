"""Gradient of a hundred small slices of a million-element array, against hand-written NumPy and torch."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable

import numpy as np

import polygrad

from .pairs import alternate, ratio

SIZE, SLICES, WIDTH = 1_000_000, 100, 100
DATA = np.linspace(0, 1, SIZE)
STARTS = [i * (SIZE // SLICES) for i in range(SLICES)]


def by_hand() -> np.ndarray:
    total, g = 0.0, np.zeros(SIZE)
    for start in STARTS:
        part = DATA[start : start + WIDTH]
        total += float(np.sum(part * part))
        g[start : start + WIDTH] += 2 * part
    return g


def with_polygrad() -> np.ndarray:
    x = polygrad.Tensor(DATA, requires_grad=True)
    total = 0.0
    for start in STARTS:
        part = x[start : start + WIDTH]
        total = total + (part * part).sum()
    total.backward()  # type: ignore[attr-defined]
    return x.grad.array  # type: ignore[union-attr]


def report(rounds: int = 15) -> list[tuple[str, float, float | None]]:
    """Return rows of (what, measured ratio, bar)."""
    programs: dict[str, Callable[[], object]] = {"by hand": by_hand, "polygrad": with_polygrad}
    if importlib.util.find_spec("torch"):
        import torch

        def with_torch() -> object:
            x = torch.tensor(DATA, requires_grad=True)
            total = torch.zeros((), dtype=torch.float64)
            for start in STARTS:
                part = x[start : start + WIDTH]
                total = total + (part * part).sum()
            total.backward()
            return x.grad

        programs["torch"] = with_torch
    np.testing.assert_allclose(np.asarray(with_polygrad()), by_hand())
    times = alternate(programs, rounds)
    print("milliseconds: " + ", ".join(f"{name} {min(seconds) * 1e3:.2f}" for name, seconds in times.items()))
    rows: list[tuple[str, float, float | None]] = [
        ("polygrad / by hand, 100 slices", ratio(times, "polygrad", "by hand"), None)
    ]
    if "torch" in times:
        rows.append(("polygrad / torch, 100 slices", ratio(times, "polygrad", "torch"), None))
    return rows
