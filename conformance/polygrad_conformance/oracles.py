"""What decides where polygrad and the reference disagree: mpmath with fifty digits, or finite differences carried to high order."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import mpmath
import numpy as np

from .libraries import defaults
from .problem import Problem

DIGITS = 40


@functools.cache
def _context() -> Any:
    context = mpmath.mp.clone()
    context.dps = DIGITS
    return context


class Mpmath:
    """An elementwise op in multiple precision, with its derivatives by mpmath's own differentiation."""

    name = "mpmath"

    def __init__(self, problem: Problem) -> None:
        if problem.case.mpmath is None:
            raise TypeError(f"{problem.case.op} has no reference in mpmath")
        mp = _context()
        self.problem = problem
        code = compile(problem.case.mpmath, f"<mpmath reference of {problem.case.op}>", "eval")
        fixed = defaults(problem) | problem.bound.arguments
        space = {name: getattr(mp, name) for name in dir(mp) if not name.startswith("_")} | {"mp": mp}
        names = problem.names
        self.shape = np.broadcast_shapes(*[array.shape for array in problem.arrays])

        def evaluate(*numbers: Any) -> Any:
            return eval(code, space, fixed | dict(zip(names, numbers, strict=True)))

        self.function = evaluate

    def points(self) -> list[tuple[tuple[int, ...], list[Any]]]:
        """Every element: where it is, and the numbers that go in."""
        mp = _context()
        arrays = [np.broadcast_to(array, self.shape) for array in self.problem.arrays]

        def number(value: Any) -> Any:
            if np.iscomplexobj(value):
                return mp.mpc(float(value.real), float(value.imag))
            return int(value) if np.issubdtype(type(value), np.integer) else mp.mpf(float(value))

        return [(at, [number(array[at]) for array in arrays]) for at in np.ndindex(self.shape)]

    def _array(self, numbers: dict[tuple[int, ...], Any]) -> np.ndarray:
        dtype = np.result_type(*[a.dtype for a in self.problem.arrays if a.dtype.kind in "fc"], np.float32)
        out = np.zeros(self.shape, dtype=dtype)
        for at, value in numbers.items():
            if out.dtype.kind == "c":
                out[at] = complex(value)
            elif abs(mpmath.im(value)) > abs(mpmath.re(value)) * 1e-20:
                out[at] = np.nan
            else:
                out[at] = float(mpmath.re(value))
        return out

    def values(self) -> list[np.ndarray]:
        """The value, correctly rounded but for mpmath's own errors."""
        return [self._array({at: self.function(*numbers) for at, numbers in self.points()})]

    def _partial(self, numbers: list[Any], orders: Sequence[int]) -> Any:
        mp = _context()
        moving = [i for i, n in enumerate(orders) if n]

        def function(*values: Any) -> Any:
            full = list(numbers)
            for i, value in zip(moving, values, strict=True):
                full[i] = value
            return self.function(*full)

        at = tuple([numbers[i] for i in moving])
        # A step well below the number itself, so that functions with a boundary nearby stay inside their domain
        h = min([abs(x) for x in at if x] or [mp.mpf(1)]) * mp.mpf(10) ** (-DIGITS // (2 + sum(orders)))
        if len(moving) == 1:
            return mp.diff(function, at[0], orders[moving[0]], h=h)
        return mp.diff(function, at, tuple([orders[i] for i in moving]), h=h)

    def _fit(self, grown: np.ndarray, i: int) -> np.ndarray:
        """Summed to the shape of an input that was broadcast, in its dtype."""
        array = self.problem.arrays[i]
        lead = grown.ndim - array.ndim
        axes = (*range(lead), *(lead + k for k, n in enumerate(array.shape) if n == 1))
        summed = grown.sum(axis=axes).reshape(array.shape)
        return np.asarray(summed if array.dtype.kind == "c" else summed.real, dtype=array.dtype)

    def _orders(self, *inputs: int) -> list[int]:
        return [inputs.count(i) for i in range(len(self.problem.arrays))]

    def gradients(self, vs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """J'v, the function being holomorphic where it is complex."""
        points = self.points()
        out = []
        for i in self.problem.which:
            partial = self._array({at: self._partial(numbers, self._orders(i)) for at, numbers in points})
            out.append(self._fit(vs[0] * np.conj(partial), i))
        return out

    def tangents(self, us: Sequence[np.ndarray]) -> list[np.ndarray]:
        """J u."""
        points = self.points()
        total: Any = 0
        for i, u in zip(self.problem.which, us, strict=True):
            total = total + self._array({at: self._partial(numbers, self._orders(i)) for at, numbers in points}) * u
        return [np.asarray(total)]

    def second(self, vs: Sequence[np.ndarray], us: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The derivative of J'v along u."""
        points = self.points()
        which = self.problem.which
        partials = {
            pair: self._array({at: self._partial(numbers, self._orders(*pair)) for at, numbers in points})
            for pair in itertools.combinations_with_replacement(which, 2)
        }
        out = []
        for i in which:
            total: Any = 0
            for j, u in zip(which, us, strict=True):
                total = total + vs[0] * np.conj(partials[min(i, j), max(i, j)] * u)
            out.append(self._fit(np.asarray(total), i))
        return out


def richardson(
    function: Callable[[float], Sequence[np.ndarray]], start: float = 2e-2, rows: int = 6
) -> tuple[list[np.ndarray], float]:
    """The derivative at 0 of arrays that depend on a number, and its error: Ridders' table of central differences.

    Each column takes away one more even power of the step (Ridders, "Accurate computation of F'(x) and F'(x) F''(x)", 1982); of the
    table the entry that agrees best with its neighbours is taken.
    """
    table: list[list[list[np.ndarray]]] = []
    best: tuple[list[np.ndarray], float] | None = None
    h = start
    for row in range(rows):
        with np.errstate(all="ignore"):
            plus, minus = function(h), function(-h)
            table.append([[(p - m) / (2 * h) for p, m in zip(plus, minus, strict=True)]])
            factor = 4.0
            for column in range(1, row + 1):
                better, before = table[row][column - 1], table[row - 1][column - 1]
                entry = [(factor * a - b) / (factor - 1) for a, b in zip(better, before, strict=True)]
                table[row].append(entry)
                error = max(_apart(entry, better), _apart(entry, before))
                if best is None or error < best[1]:
                    best = entry, error
                factor *= 4.0
        h /= 2
    assert best is not None
    return best


def _apart(a: Sequence[np.ndarray], b: Sequence[np.ndarray]) -> float:
    worst = max([float(np.max(np.abs(x - y), initial=0.0)) for x, y in zip(a, b, strict=True)], default=0.0)
    return worst if np.isfinite(worst) else float("inf")
