"""Time programs in turns, so that a machine whose speed drifts slows all of them."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Mapping


def alternate(programs: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each program in each round.

    All run once in every round, in an order that changes: the caches as one program leaves them are the next one's gain or loss.
    """
    times: dict[str, list[float]] = {name: [] for name in programs}
    names, shuffle = list(programs), random.Random(0).shuffle
    for _ in range(rounds):
        shuffle(names)
        for name in names:
            start = time.perf_counter()
            programs[name]()
            times[name].append(time.perf_counter() - start)
    return times


def repeated(program: Callable[[], object], number: int) -> Callable[[], None]:
    """Return the program run ``number`` times in a row, which makes up for the coarseness of the clock."""

    def run() -> None:
        for _ in range(number):
            program()

    return run


def ratio(times: Mapping[str, list[float]], ours: str, peer: str) -> float:
    """Return the median over the rounds of one program's time over the other's in the same round."""
    return statistics.median(a / b for a, b in zip(times[ours], times[peer], strict=True))
