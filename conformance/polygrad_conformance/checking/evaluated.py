"""Values and derivatives of one sample on one backend, computed once, also as the reference for another backend."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ..cases.case import Case
from .oracles import Mpmath, central, richardson
from .outcome import WORST, Arrays
from .polygrad_side import Pass, Polygrad, inexact
from .problem import Problem

if TYPE_CHECKING:
    from .torch_side import Torch


class Evaluated:
    """One sample of one case on one backend: what the checks are about, each computed once.

    Args:
        reference: torch, or what polygrad has found on another backend; None where torch is not installed: then mpmath and finite
            differences are asked instead, as where torch has no such function.
        quick: take central differences where they would be carried to high order, or mpmath be asked for derivatives.
    """

    def __init__(
        self, ours: Polygrad, reference: Torch | Found | None, problem: Problem, dtype: str, *, quick: bool = False
    ) -> None:
        self.ours = ours
        self.reference = reference if reference is not None and reference.knows(problem.case) else None
        self.quick = quick
        self.problem = problem
        self.case = problem.case
        self.sample = problem.sample
        self.dtype = dtype
        self._seconds: dict[str, Arrays] = {}
        self._slopes: dict[str, tuple[Arrays, float]] = {}
        if isinstance(reference, Found):
            self.cotangents = reference.found.cotangents

    # -- what polygrad says ------------------------------------------------------------------------------------
    @functools.cached_property
    def values(self) -> Arrays:
        """The outputs."""
        return self.ours.values(self.problem)

    @functools.cached_property
    def live(self) -> Arrays:
        """Those that can have a derivative."""
        return [y for y in self.values if inexact(y)]

    @functools.cached_property
    def cotangents(self) -> Arrays:
        """A random cotangent for each differentiable output."""
        return [self.problem.normal(y) for y in self.live]

    @functools.cached_property
    def recorded(self) -> Pass:
        """A forward and a backward pass."""
        return self.ours.record(self.problem, self.cotangents)

    @functools.cached_property
    def gradients(self) -> Arrays:
        """J'v."""
        return self.ours.hosts(self.recorded.gradients)

    @functools.cached_property
    def tangents(self) -> Arrays:
        """J u."""
        return self.ours.tangents(self.problem, self.problem.directions)

    @functools.cached_property
    def exact(self) -> Mpmath:
        """The reference in multiple precision."""
        return Mpmath(self.problem)

    def second(self, check: str) -> Arrays:
        """The derivative of J'v along u."""
        if check not in self._seconds:
            self._seconds[check] = getattr(self.ours, check)(self.problem, self.cotangents, self.problem.directions)
        return self._seconds[check]

    def slopes(self, question: str) -> tuple[Arrays, float]:
        """The derivative along u of what answers the question, by finite differences of high order, and its error."""
        if question not in self._slopes:
            self._slopes[question] = (central if self.quick else richardson)(functools.partial(self._moved, question))
        return self._slopes[question]

    def _moved(self, question: str, t: float) -> Arrays:
        """Return what is differentiated along u to answer the question, at x + t u."""
        arrays = self.problem.step(t)
        if question == "second":
            return self.ours.gradients(self.problem, self.cotangents, arrays)
        return [y for y in self.ours.values(self.problem, arrays) if inexact(y)]

    def parts(self) -> Iterator[tuple[str, int, np.ndarray]]:
        """Values, gradients and tangents, each with its name and number."""
        for what, arrays in (("output", self.values), ("gradient", self.gradients), ("tangent", self.tangents)):
            yield from ((what, i, array) for i, array in enumerate(arrays))

    # -- scales --------------------------------------------------------------------------------------------------
    @property
    def each(self) -> bool:
        """True if every number is its own scale."""
        return self.sample.kind == "extreme"

    def natural(self, outputs: Arrays, inputs: Arrays) -> list[float]:
        """The size that a derivative has where nothing cancels: that of the outputs over that of the input."""
        top = max([largest(y) for y in outputs], default=0.0)
        return [0.0 if self.each else top / bottom if (bottom := largest(x)) else 0.0 for x in inputs]

    @property
    def inputs(self) -> Arrays:
        """The arrays to differentiate with respect to."""
        return [self.problem.arrays[i] for i in self.problem.which]


class Found:
    """The results of polygrad on one backend, as the reference for another one."""

    def __init__(self, found: Evaluated) -> None:
        self.found = found
        self.name = found.ours.name

    def knows(self, case: Case) -> bool:
        """Return True: every case is a function of polygrad."""
        return True

    def values(self, problem: Problem) -> Arrays:
        """The outputs."""
        return self.found.values

    def gradients(self, problem: Problem, vs: Arrays) -> Arrays:
        """J'v."""
        return self.found.gradients

    def tangents(self, problem: Problem, us: Arrays) -> Arrays:
        """J u."""
        return self.found.tangents

    def second(self, problem: Problem, vs: Arrays, us: Arrays) -> Arrays:
        """The derivative of J'v along u."""
        return self.found.second("reverse_over_reverse")


def largest(array: np.ndarray) -> float:
    """The size of the largest finite number; 0 where there is none."""
    finite = np.abs(array[np.isfinite(array)])
    return min(float(finite.max(initial=0.0)), WORST)
