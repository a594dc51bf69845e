"""What decides where polygrad and the reference disagree: mpmath with many digits, or finite differences carried to high order."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import mpmath
import numpy as np

from polygrad.rules.declare import OPS

from .outcome import Arrays
from .problem import Problem

DIGITS = 34


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
        fixed = problem.defaults() | problem.bound.arguments
        space = {name: getattr(mp, name) for name in dir(mp) if not name.startswith("_")} | {"mp": mp}
        names = problem.names
        self.shape = np.broadcast_shapes(*[array.shape for array in problem.arrays])

        def evaluate(*numbers: Any) -> Any:
            return eval(code, space, fixed | dict(zip(names, numbers, strict=True)))

        self.function = evaluate
        op = OPS.get(problem.case.op)
        self.outputs = max(len(op.outputs), 1) if op is not None else 1
        self._known: dict[tuple[int, ...], list[np.ndarray]] = {}

    @functools.cached_property
    def points(self) -> list[tuple[tuple[int, ...], list[Any]]]:
        """Every element: where it is, and the numbers that go in."""
        mp = _context()
        arrays = [np.broadcast_to(array, self.shape) for array in self.problem.arrays]

        def number(value: Any) -> Any:
            if np.iscomplexobj(value):
                return mp.mpc(float(value.real), float(value.imag))
            return int(value) if np.issubdtype(type(value), np.integer) else mp.mpf(float(value))

        return [(at, [number(array[at]) for array in arrays]) for at in np.ndindex(self.shape)]

    def _arrays(self, numbers: dict[tuple[int, ...], Any]) -> list[np.ndarray]:
        """One array for each output."""
        dtypes = [a.dtype for a in self.problem.arrays if a.dtype.kind in "fc"]
        numbers_are_complex = any(isinstance(value, complex) for value in self.problem.bound.arguments.values())
        dtype = np.result_type(*dtypes, np.complex64 if numbers_are_complex else np.float32)
        rows = {at: value if isinstance(value, tuple) else (value,) for at, value in numbers.items()}
        outs = [np.zeros(self.shape, dtype=dtype) for _ in range(self.outputs)]
        for at, row in rows.items():
            for out, value in zip(outs, row, strict=True):
                if dtype.kind == "c":
                    out[at] = complex(value)
                elif abs(mpmath.im(value)) > abs(mpmath.re(value)) * 1e-20:
                    out[at] = np.nan
                else:
                    out[at] = float(mpmath.re(value))
        return outs

    def values(self) -> list[np.ndarray]:
        """The value, correctly rounded but for mpmath's own errors."""
        return self._arrays({at: self.function(*numbers) for at, numbers in self.points})

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
        steps: Any = orders[moving[0]] if len(moving) == 1 else tuple([orders[i] for i in moving])
        place: Any = at[0] if len(moving) == 1 else at
        first = self.function(*numbers)
        if not isinstance(first, tuple):
            return mp.diff(function, place, steps, h=h)
        return tuple([mp.diff(lambda *xs, k=k: function(*xs)[k], place, steps, h=h) for k in range(len(first))])

    def partials(self, *inputs: int) -> list[np.ndarray]:
        """The partial derivative with respect to these inputs, an array for each output."""
        key = tuple(sorted(inputs))
        if key not in self._known:
            orders = self._orders(*key)
            self._known[key] = self._arrays({at: self._partial(numbers, orders) for at, numbers in self.points})
        return self._known[key]

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
        return [
            self._fit(_total(v * np.conj(d) for v, d in zip(vs, self.partials(i), strict=True)), i)
            for i in self.problem.which
        ]

    def tangents(self, us: Sequence[np.ndarray]) -> list[np.ndarray]:
        """J u."""
        terms = [[d * u for d in self.partials(i)] for i, u in zip(self.problem.which, us, strict=True)]
        return [_total(each) for each in zip(*terms, strict=True)]

    def second(self, vs: Sequence[np.ndarray], us: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The derivative of J'v along u."""
        which = self.problem.which
        out = []
        for i in which:
            terms = [
                v * np.conj(d * u)
                for j, u in zip(which, us, strict=True)
                for v, d in zip(vs, self.partials(i, j), strict=True)
            ]
            out.append(self._fit(_total(terms), i))
        return out


def _total(terms: Iterable[np.ndarray]) -> np.ndarray:
    return np.asarray(functools.reduce(np.add, terms))


def scipy_values(problem: Problem) -> Arrays:
    """The value by scipy.special."""
    import scipy.special

    assert problem.case.scipy is not None
    names = problem.defaults() | problem.bound.arguments | {"special": scipy.special, "np": np}
    with np.errstate(all="ignore"):
        out = eval(problem.case.scipy, names)
    return [np.asarray(y) for y in (out if isinstance(out, tuple) else (out,))]


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


def central(function: Callable[[float], Sequence[np.ndarray]], step: float = 1e-5) -> tuple[list[np.ndarray], float]:
    """The derivative at 0 of arrays that depend on a number, by one central difference; its error is not known, and taken as 0."""
    with np.errstate(all="ignore"):
        return [(plus - minus) / (2 * step) for plus, minus in zip(function(step), function(-step), strict=True)], 0.0


def _apart(a: Sequence[np.ndarray], b: Sequence[np.ndarray]) -> float:
    worst = max([float(np.max(np.abs(x - y), initial=0.0)) for x, y in zip(a, b, strict=True)], default=0.0)
    return worst if np.isfinite(worst) else float("inf")
