"""Gradient of a gather (``take``, an integer index) of a million rows, against the best NumPy way of the scatter-add alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import polygrad

from .pairs import alternate, ratio

NUMBER, LENGTH = 1_000_000, 100_000


def _programs(width: int) -> dict[str, Callable[[], object]]:
    rng = np.random.default_rng(0)
    index = rng.integers(0, LENGTH, NUMBER)
    shape = (LENGTH, width) if width else (LENGTH,)
    table = rng.normal(size=shape)
    weights = rng.normal(size=(NUMBER, *shape[1:]))
    leaf = polygrad.Tensor(table, requires_grad=True)
    g = polygrad.Tensor(weights)
    taken, selected = polygrad.take(leaf, index, axis=0), leaf[index]

    def add_at() -> np.ndarray:
        out = np.zeros(shape)
        np.add.at(out, index, weights)
        return out

    def bincount() -> np.ndarray:
        if not width:
            return np.bincount(index, weights=weights, minlength=LENGTH)
        cells = (index[:, None] * width + np.arange(width)).ravel()
        return np.bincount(cells, weights=weights.ravel(), minlength=LENGTH * width).reshape(shape)

    programs: dict[str, Callable[[], object]] = {
        "take": lambda: polygrad.autograd.grad(taken, leaf, g, retain_graph=True)[0].array,  # type: ignore[union-attr]
        "index": lambda: polygrad.autograd.grad(selected, leaf, g, retain_graph=True)[0].array,  # type: ignore[union-attr]
        "add.at": add_at,
        "bincount": bincount,
    }
    try:
        from scipy.sparse import csc_array
    except ImportError:
        pass
    else:
        programs["sparse product"] = lambda: (
            csc_array((np.ones(NUMBER), index, np.arange(NUMBER + 1)), shape=(LENGTH, NUMBER)) @ weights
        )
    expected = bincount()
    for name, program in programs.items():
        np.testing.assert_allclose(program(), expected, rtol=1e-9, atol=1e-9, err_msg=name)
    return programs


def report(rounds: int = 25) -> list[tuple[str, float, float | None]]:
    """Return rows of (what, measured ratio, bar)."""
    rows: list[tuple[str, float, float | None]] = []
    for width in (0, 16):
        times = alternate(_programs(width), rounds)
        label = f"rows of {width}" if width else "numbers"
        print(
            f"milliseconds, {label}: "
            + ", ".join(f"{name} {min(seconds) * 1e3:.0f}" for name, seconds in times.items())
        )
        best = min((name for name in times if name not in ("take", "index")), key=lambda name: min(times[name]))
        rows += [(f"{ours}, {label} / {best}", ratio(times, ours, best), 1.3) for ours in ("take", "index")]
    return rows
