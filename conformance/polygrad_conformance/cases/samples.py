"""What sample inputs are made of: numbers of an interval, broadcasting pairs, axes, ties, kinks, infinities.

Each function here returns a generator of samples for ``case``: it takes random numbers and a dtype.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from .case import Sample, SampleFunction

Shape = tuple[int, ...]
Rng = np.random.Generator

SHAPES: tuple[Shape, ...] = ((2, 3), (), (0, 3), (1, 2, 1))
PAIRS: tuple[tuple[Shape, Shape], ...] = (
    ((2, 3), (2, 3)),
    ((2, 3), (3,)),
    ((2, 1), (1, 3)),
    ((), (2,)),
    ((), ()),
    ((0, 3), (1, 3)),
    ((1, 1), (2, 2)),
)
INFINITIES = (math.inf, -math.inf, math.nan)


def spread(rng: Rng, low: float, high: float, shape: Shape) -> np.ndarray:
    """Real numbers all different, spread evenly over an interval, in random order."""
    size = math.prod(shape)
    grid = (np.arange(size) + rng.uniform(0.2, 0.8, size)) / max(size, 1)
    return (low + (high - low) * rng.permutation(grid)).reshape(shape)


def normal(rng: Rng, dtype: str, *shape: int) -> np.ndarray:
    """Random numbers of order 1."""
    x = rng.normal(size=shape)
    return np.asarray(x + 1j * rng.normal(size=shape) if dtype.startswith("complex") else x)


def ring(rng: Rng, shape: Shape, low: float = 0.4, high: float = 1.6) -> np.ndarray:
    """Complex numbers in all four quadrants, off the axes and so off every branch cut."""
    size = math.prod(shape)
    angles = (rng.permutation(size) % 4) * np.pi / 2 + rng.uniform(0.3, 1.2, size)
    return np.asarray(rng.uniform(low, high, size) * np.exp(1j * angles)).reshape(shape)


def numbers(rng: Rng, dtype: str, shape: Shape, low: float = -2.0, high: float = 2.0) -> np.ndarray:
    """Real numbers of an interval, or complex ones of a ring; integers; truth values."""
    if dtype == "bool":
        return np.asarray(rng.random(shape) < 0.5)
    if dtype.startswith(("int", "uint")):
        least = 0 if dtype.startswith("uint") else max(int(low), -9)
        return np.asarray(rng.integers(least, min(int(high), 9) + 1, shape), dtype=dtype)
    if dtype.startswith("complex"):
        return ring(rng, shape)
    return spread(rng, low, high, shape)


def unary(
    low: float = -2.0,
    high: float = 2.0,
    *,
    kinks: Sequence[float] = (),
    extremes: Sequence[float] = (),
    specials: Sequence[float] = INFINITIES,
    radius: tuple[float, float] = (0.4, 1.6),
    shapes: Sequence[Shape] = SHAPES,
    extra: Sequence[tuple[Any, ...]] = (),
    **params: Any,
) -> SampleFunction:
    """One array: general points, 0-d, empty, not contiguous, and the singular points that are given.

    ``params`` are further arguments; ``extra`` are whole further argument lists after the array.
    """

    def generate(rng: Rng, dtype: str) -> Iterator[Sample]:
        whole = dtype.startswith("complex")

        def draw(shape: Shape) -> np.ndarray:
            return ring(rng, shape, *radius) if whole else numbers(rng, dtype, shape, low, high)

        for shape in shapes:
            yield Sample((draw(shape),), dict(params))
        yield Sample((draw((3, 2)),), dict(params), layout="strided")
        for rest in extra:
            yield Sample((draw((2, 2)), *rest), dict(params))
        if dtype == "float64":
            if kinks:
                yield Sample((np.asarray(kinks, dtype=dtype),), dict(params), kind="kink")
            if extremes:
                yield Sample((np.asarray(extremes, dtype=dtype),), dict(params), kind="extreme")
            if specials:
                yield Sample((np.asarray(specials, dtype=dtype),), dict(params), kind="value")

    return generate


def binary(
    first: tuple[float, float] = (-2.0, 2.0),
    second: tuple[float, float] = (-2.0, 2.0),
    *,
    kinks: Sequence[tuple[float, float]] = (),
    extremes: Sequence[tuple[float, float]] = (),
    specials: Sequence[tuple[float, float]] = (
        (math.inf, 1.0),
        (-math.inf, 2.0),
        (math.nan, 1.0),
        (1.0, math.inf),
        (1.0, math.nan),
    ),
    scalar: float | None = 1.5,
    integers: bool = False,
    constant: tuple[str, ...] = (),
    **params: Any,
) -> SampleFunction:
    """Two arrays that broadcast in every way, a Python number on either side, mixed kinds, and the points that are given."""

    def generate(rng: Rng, dtype: str) -> Iterator[Sample]:
        def pair(left: Shape, right: Shape) -> tuple[np.ndarray, np.ndarray]:
            return numbers(rng, dtype, left, *first), numbers(rng, dtype, right, *second)

        def sample(args: tuple[Any, ...], **options: Any) -> Sample:
            return Sample(args, dict(params), constant=constant, **options)

        for left, right in PAIRS:
            yield sample(pair(left, right))
        yield sample(pair((3, 2), (3, 2)), layout="strided")
        if scalar is not None:
            yield sample((pair((3,), ())[0], scalar))
            yield sample((scalar, pair((), (3,))[1]))
        if dtype == "complex128":
            yield sample((ring(rng, (3,)), spread(rng, *second, (3,))), note="mixed kinds")
            yield sample((spread(rng, *first, (3,)), ring(rng, (3,))), note="mixed kinds")
        if dtype == "float64":
            for kind, points in (("kink", kinks), ("extreme", extremes), ("value", specials)):
                if points:
                    left, right = np.asarray(points, dtype=dtype).T
                    yield sample((left.copy(), right.copy()), kind=kind)
        if integers and dtype == "float64":
            yield sample((rng.integers(1, 4, (3,)), pair((), (3,))[1]), note="integers first")

    return generate


AXES: tuple[tuple[Shape, Any, bool], ...] = (
    ((2, 3), None, False),
    ((2, 3), 0, False),
    ((2, 3), -1, True),
    ((2, 3, 2), (0, -1), False),
    ((2, 3, 2), (2, 0), True),
    ((2, 1, 3), 1, False),
    ((4,), 0, True),
    ((), None, False),
)
"""(shape, axis, keepdims) for reductions."""


def reduction(
    low: float = -2.0,
    high: float = 2.0,
    *,
    tuples: bool = True,
    empty: bool = True,
    ties: bool = False,
    zeros: bool = False,
    nans: bool = True,
    axis: str = "axis",
    several: Sequence[dict[str, Any]] = ({},),
    whole: bool = True,
) -> SampleFunction:
    """One array reduced over one axis, several or all, with and without keepdims.

    ``tuples``: several axes at once; ``empty``: over no element; ``ties``, ``zeros``: samples with them; ``several``: further
    keyword arguments to run with; ``whole``: over everything.
    """

    def generate(rng: Rng, dtype: str) -> Iterator[Sample]:
        for further in several:
            for shape, axes, keepdims in AXES:
                if (isinstance(axes, tuple) and not tuples) or (axes is None and not whole):
                    continue
                kwargs = {
                    **({axis: axes} if axes is not None else {}),
                    **({"keepdims": True} if keepdims else {}),
                    **further,
                }
                yield Sample((numbers(rng, dtype, shape, low, high),), kwargs)
        yield Sample((numbers(rng, dtype, (3, 2), low, high),), {axis: 0}, layout="strided")
        yield Sample((numbers(rng, dtype, (0, 3), low, high),), {axis: 1})
        if empty:
            yield Sample((numbers(rng, dtype, (0, 3), low, high),), {axis: 0})
        if dtype == "float64":
            if ties:
                yield Sample((np.asarray([[1.0, 2.0, 2.0], [3.0, 3.0, 3.0]]),), {axis: 1}, kind="kink", note="ties")
            if zeros:
                x = np.asarray([[1.5, 0.0, 2.0], [0.0, 3.0, 0.0], [1.0, -2.0, 0.5]])
                yield Sample((x,), {axis: 1}, note="zeros")
            if nans:
                yield Sample((np.asarray([[1.0, math.nan], [math.inf, 2.0]]),), {axis: 1}, kind="value")

    return generate


def arrays(*shapes: Shape, low: float = -2.0, high: float = 2.0, **kwargs: Any) -> SampleFunction:
    """One sample: arrays of these shapes, and keyword arguments."""

    def generate(rng: Rng, dtype: str) -> Iterator[Sample]:
        yield Sample(tuple([numbers(rng, dtype, shape, low, high) for shape in shapes]), dict(kwargs))

    return generate


def calls(*each: Any) -> SampleFunction:
    """Samples from functions ``(rng, dtype) -> arguments``, or argument lists in which a ``Shape`` marker stands for an array.

    An item is a tuple of positional arguments, with a dictionary of keyword arguments last where there are any. ``A(2, 3)`` stands
    for an array of that shape.
    """

    def generate(rng: Rng, dtype: str) -> Iterator[Sample]:
        for item in each:
            args = item if isinstance(item, tuple) else (item,)
            kwargs: dict[str, Any] = {}
            if args and isinstance(args[-1], dict):
                args, kwargs = args[:-1], args[-1]
            options = {name[1:]: kwargs[name] for name in kwargs if name.startswith("_")}
            kwargs = {name: fill(value, rng, dtype) for name, value in kwargs.items() if not name.startswith("_")}
            yield Sample(tuple([fill(arg, rng, dtype) for arg in args]), kwargs, **options)

    return generate


class A:
    """In ``calls``: an array of this shape, of the sample's dtype, with numbers of an interval.

    ``A(2, 3, low=0, high=1)``; with ``dtype`` always of that dtype.
    """

    def __init__(self, *shape: int, low: float = -2.0, high: float = 2.0, dtype: str = "") -> None:
        self.shape, self.low, self.high, self.dtype = shape, low, high, dtype

    def draw(self, rng: Rng, dtype: str) -> np.ndarray:
        """The array."""
        return numbers(rng, self.dtype or dtype, self.shape, self.low, self.high)


class I:  # noqa: E742
    """In ``calls``: an array of these integers (or truth values)."""

    def __init__(self, *values: Any, dtype: str | None = None) -> None:
        self.values, self.dtype = values, dtype

    def draw(self, rng: Rng, dtype: str) -> np.ndarray:
        """The array."""
        values = (
            self.values[0] if len(self.values) == 1 and isinstance(self.values[0], (list, np.ndarray)) else self.values
        )
        array = np.asarray(values)
        return array.astype(self.dtype or ("bool" if array.dtype == bool else "int64"))


class R:
    """In ``calls``: an array of these real numbers, in the sample's dtype."""

    def __init__(self, values: Any) -> None:
        self.values = values

    def draw(self, rng: Rng, dtype: str) -> np.ndarray:
        """The array."""
        return np.asarray(self.values, dtype=dtype)


def fill(value: Any, rng: Rng, dtype: str) -> Any:
    """A marker as an array, inside tuples, lists and dictionaries too."""
    if isinstance(value, (A, I, R)):
        return value.draw(rng, dtype)
    if isinstance(value, (list, tuple)):
        return type(value)([fill(item, rng, dtype) for item in value])
    return value


def both(*functions: SampleFunction) -> SampleFunction:
    """The samples of several."""

    def generate(rng: Rng, dtype: str) -> Iterator[Sample]:
        for function in functions:
            yield from function(rng, dtype)

    return generate


def real_only(function: SampleFunction) -> SampleFunction:
    """The samples of real dtypes alone."""

    def generate(rng: Rng, dtype: str) -> Iterable[Sample]:
        return () if dtype.startswith("complex") else function(rng, dtype)

    return generate


def complex_only(function: SampleFunction) -> SampleFunction:
    """The samples of complex dtypes alone."""

    def generate(rng: Rng, dtype: str) -> Iterable[Sample]:
        return function(rng, dtype) if dtype.startswith("complex") else ()

    return generate


# -- special functions ------------------------------------------------------------------------------------------------
def points(
    *intervals: tuple[float, float],
    ring_last: bool = False,
    broadcast: bool = True,
    complex_kind: str = "regular",
    complex_constant: tuple[str, ...] = (),
    more: Sequence[tuple[Any, ...]] = (),
) -> SampleFunction:
    """Arrays of these intervals, of one shape, broadcast, 0-d and empty; complex numbers only in the last.
    ``complex_constant`` are arguments in which no derivative is known beside complex numbers."""

    def generate(rng: np.random.Generator, dtype: str) -> Iterator[Sample]:
        def draw(i: int, shape: tuple[int, ...]) -> np.ndarray:
            if dtype.startswith("complex") and (i == len(intervals) - 1 or not ring_last):
                return ring(rng, shape)
            return spread(rng, *intervals[i], shape)

        kind, constant = (complex_kind, complex_constant) if dtype.startswith("complex") else ("regular", ())
        shapes: list[list[tuple[int, ...]]] = [
            [(2, 3)] * len(intervals),
            [()] * len(intervals),
            [(0, 2)] * len(intervals),
        ]
        if broadcast and len(intervals) > 1:
            shapes.append([(2, 1) if i % 2 else (3,) for i in range(len(intervals))])
        for each in shapes:
            yield Sample(tuple([draw(i, shape) for i, shape in enumerate(each)]), kind=kind, constant=constant)
        arrays = tuple([draw(i, (3, 2)) for i in range(len(intervals))])
        yield Sample(arrays, kind=kind, constant=constant, layout="strided")
        if dtype == "float64":
            for args in more:
                yield Sample(tuple([np.asarray(arg) for arg in args[:-1]]), kind=args[-1])

    return generate


def beside(first: tuple[float, float], second: tuple[float, float]) -> SampleFunction:
    """A Python number beside an array, in either place."""
    return calls((A(3, low=first[0], high=first[1]), 1.25), (1.25, A(3, low=second[0], high=second[1])))


def whole_orders(low: float) -> SampleFunction:
    """Integer orders, and an array of them."""
    each = [(n, A(2, 2, low=low, high=3.5)) for n in (0, 1, 3)]
    return calls(*each, (I([1], [2]), A(3, low=low, high=3.5)))
