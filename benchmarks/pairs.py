"""Timing programs in turns, so that a machine whose speed drifts slows all of them."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Mapping


def alternate(programs: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each program in each round; all run once in every round, in an order that changes: what a program leaves in the
    caches is the next one's gain or loss."""
    times: dict[str, list[float]] = {name: [] for name in programs}
    names, shuffle = list(programs), random.Random(0).shuffle
    for _ in range(rounds):
        shuffle(names)
        for name in names:
            start = time.perf_counter()
            programs[name]()
            times[name].append(time.perf_counter() - start)
    return times


def ratio(times: Mapping[str, list[float]], ours: str, peer: str) -> float:
    """The median over the rounds of what one took relative to the other in the same round."""
    return statistics.median(a / b for a, b in zip(times[ours], times[peer], strict=True))
