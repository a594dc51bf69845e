"""One sample of one case, set up: which arrays there are, which are differentiated, and along which directions.

Everything random is drawn here, from the seed, the op and the dtype, so that a failing sample comes again.
"""

from __future__ import annotations

import copy
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import optree

from ..cases.case import Case, Sample
from . import shaping


def generator(seed: int, *names: str) -> np.random.Generator:
    """Random numbers that depend on these names alone, whatever else is run."""
    return np.random.default_rng([seed, *(zlib.crc32(name.encode()) for name in names)])


def is_array(value: Any) -> bool:
    """Return whether a value stands for a Tensor."""
    return isinstance(value, np.ndarray)


SINGLE = {"float64": "float32", "complex128": "complex64"}
"""Double precision to single."""


@dataclass
class Problem:
    """The arguments of a sample taken apart into arrays and the rest."""

    case: Case
    sample: Sample
    rng: np.random.Generator
    arrays: list[np.ndarray] = field(init=False)
    """Every array among the arguments."""
    which: list[int] = field(init=False)
    """Which of them are differentiated."""
    names: list[str] = field(init=False)
    """The parameter that each array belongs to."""
    directions: list[np.ndarray] = field(init=False)
    """A random direction for each array that is differentiated, of its own magnitude."""

    def __post_init__(self) -> None:
        bound = self.case.signature.bind(*self.sample.args, **self.sample.kwargs)
        self.bound = bound
        self.arrays, self.names, self.places = [], [], []
        for name, value in bound.arguments.items():
            leaves, spec = optree.tree_flatten(value, is_leaf=is_array, none_is_leaf=True)
            self.places.append((name, spec, leaves))
            for leaf in leaves:
                if is_array(leaf):
                    self.arrays.append(leaf)
                    self.names.append(name)
        self.which = [
            i
            for i, (array, name) in enumerate(zip(self.arrays, self.names, strict=True))
            if array.dtype.kind in "fc"
            and name not in (*self.sample.constant, *self.case.undefined)
            and self.case.orders > 0
        ]
        self.directions = [self.direction(self.arrays[i]) for i in self.which]

    def direction(self, array: np.ndarray) -> np.ndarray:
        """Random numbers, each of the magnitude of the element that it moves."""
        magnitude = np.abs(array)
        finite = np.where(np.isfinite(magnitude) & (magnitude > 0), magnitude, 1.0)
        return np.asarray(np.clip(self.normal(array), -2, 2) * finite, dtype=array.dtype)

    def normal(self, like: np.ndarray) -> np.ndarray:
        """Random numbers of order 1, of the shape and dtype of an array."""
        numbers = np.clip(self.rng.normal(size=like.shape), -2, 2)
        if like.dtype.kind == "c":
            numbers = numbers + 1j * np.clip(self.rng.normal(size=like.shape), -2, 2)
        return np.asarray(numbers, dtype=like.dtype)

    def arguments(self, arrays: Sequence[Any]) -> dict[str, Any]:
        """The arguments by name, with these in the places of the arrays."""
        remaining = iter(arrays)
        return {
            name: optree.tree_unflatten(spec, [next(remaining) if is_array(leaf) else leaf for leaf in leaves])
            for name, spec, leaves in self.places
        }

    def prepared(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """With the arrays brought into the domain."""
        if not self.case.prepare:
            return arguments
        names = [name for name in arguments if name in self.names]
        shaped = getattr(shaping, self.case.prepare)(*[arguments[name] for name in names])
        return arguments | dict(zip(names, shaped, strict=True))

    def observed(self, out: Any) -> list[Any]:
        """The outputs as a list, made into what is determined."""
        if self.case.observe:
            out = getattr(shaping, self.case.observe)(out)
        return list(out) if isinstance(out, (tuple, list)) else [out]

    def defaults(self) -> dict[str, Any]:
        """The defaults of the op's parameters."""
        return {
            name: () if parameter.kind is parameter.VAR_POSITIONAL else parameter.default
            for name, parameter in self.case.signature.parameters.items()
        }

    def call(self, arguments: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Positional and keyword arguments for the function."""
        bound = type(self.bound)(self.bound.signature, arguments)
        return bound.args, bound.kwargs

    def narrowed(self) -> Problem:
        """The same in single precision: arrays and directions rounded."""
        single = copy.copy(self)
        single.arrays = [array.astype(SINGLE.get(str(array.dtype), array.dtype)) for array in self.arrays]
        single.directions = [u.astype(single.arrays[i].dtype) for i, u in zip(self.which, self.directions, strict=True)]
        return single

    def widened(self) -> Problem:
        """The same numbers in double precision."""
        wide = {single: double for double, single in SINGLE.items()}
        double = copy.copy(self)
        double.arrays = [array.astype(wide.get(str(array.dtype), array.dtype)) for array in self.arrays]
        double.directions = [u.astype(wide[str(u.dtype)]) for u in self.directions]
        return double

    def step(self, t: float) -> list[np.ndarray]:
        """The arrays, those that are differentiated moved along their directions."""
        arrays = list(self.arrays)
        for i, u in zip(self.which, self.directions, strict=True):
            arrays[i] = np.asarray(arrays[i] + t * u, dtype=arrays[i].dtype)
        return arrays


def problems_of(case: Case, dtype: str, seed: int) -> Iterator[Problem]:
    """The samples of a case in a dtype, set up. Those in single precision are those in double precision, rounded."""
    double = {single: double for double, single in SINGLE.items()}.get(dtype, dtype)
    rng = generator(seed, case.op, double)
    with np.errstate(all="ignore"):
        for sample in case.samples(rng, double):
            problem = Problem(case, sample, rng)
            if double == dtype:
                yield problem
            elif sample.kind != "extreme":
                yield problem.narrowed()
