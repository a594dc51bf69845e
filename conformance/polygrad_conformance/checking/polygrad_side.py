"""polygrad's side of a comparison, on one backend. Arrays in and out are NumPy's.

It answers the questions of a ``Problem`` that torch's side (``torch_side``) and mpmath (``oracles``) answer as well: the value, the
gradient for given cotangents, the derivative along a direction and the second derivative along a direction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import polygrad
from polygrad import func

from .outcome import Arrays
from .problem import Problem


def inexact(array: np.ndarray) -> bool:
    """Whether an output can have a derivative."""
    return array.dtype.kind in "fc"


class Polygrad:
    """polygrad on one backend."""

    def __init__(self, backend: str) -> None:
        self.backend = polygrad.get_backend(backend)
        self.name = backend
        self.xp = polygrad.namespace(backend)

    def raw(self, array: np.ndarray, layout: str) -> Any:
        """A raw array of the backend, not contiguous if ``layout`` says so."""
        if layout == "strided" and array.ndim > 1:
            reverse = tuple(range(array.ndim))[::-1]
            turned = self.backend.from_host(np.ascontiguousarray(array.T), copy=True)
            return self.backend.raw.permute_dims(turned, reverse)
        if layout == "strided" and array.ndim == 1 and array.size:
            return self.backend.from_host(np.repeat(array, 2), copy=True)[::2]
        return self.backend.from_host(np.array(array, order="C"), copy=True)

    def tensors(self, problem: Problem, arrays: Sequence[np.ndarray] | None = None, track: bool = True) -> list[Any]:
        """The arrays of a problem as Tensors."""
        arrays = problem.arrays if arrays is None else arrays
        ts = [polygrad.asarray(self.raw(array, problem.sample.layout)) for array in arrays]
        if track:
            for i in problem.which:
                ts[i].requires_grad_()
        return ts

    def run(self, problem: Problem, tensors: Sequence[Any]) -> list[Any]:
        """The outputs."""
        args, kwargs = problem.call(problem.prepared(problem.arguments(tensors)))
        return problem.observed(problem.case.function(*args, **kwargs))

    def host(self, value: Any) -> np.ndarray:
        """A result as a NumPy array."""
        if isinstance(value, polygrad.Tensor):
            return np.array(value.detach().numpy())
        return np.asarray(value)

    def values(self, problem: Problem, arrays: Sequence[np.ndarray] | None = None) -> Arrays:
        """The outputs."""
        with polygrad.no_grad():
            return [self.host(y) for y in self.run(problem, self.tensors(problem, arrays, False))]

    def partial(self, problem: Problem) -> Any:
        """The differentiable outputs as a function of the Tensors that are differentiated."""

        def function(*moving: Any) -> Any:
            ts = self.tensors(problem, track=False)
            for i, tensor in zip(problem.which, moving, strict=True):
                ts[i] = tensor
            return self.differentiable(self.run(problem, ts))

        return function

    def differentiable(self, outputs: Sequence[Any]) -> tuple[Any, ...]:
        """Those of a floating dtype."""
        return tuple([y for y in outputs if isinstance(y, polygrad.Tensor) and y.dtype in self.backend.floating])

    def own(self, arrays: Sequence[np.ndarray]) -> tuple[Any, ...]:
        """NumPy arrays as Tensors."""
        return tuple([polygrad.asarray(self.raw(array, "")) for array in arrays])

    def gradient_tensors(
        self,
        problem: Problem,
        vs: Sequence[np.ndarray],
        arrays: Sequence[np.ndarray] | None = None,
        graph: bool = False,
    ) -> tuple[list[Any], tuple[Any, ...]]:
        """The Tensors that are differentiated, and their gradients."""
        ts = self.tensors(problem, arrays)
        wanted = [ts[i] for i in problem.which]
        pairs = [
            (y, v)
            for y, v in zip(self.differentiable(self.run(problem, ts)), self.own(vs), strict=True)
            if y.requires_grad
        ]
        if not pairs:
            return wanted, tuple([self.xp.zeros_like(x) for x in wanted])
        ys, cotangents = zip(*pairs, strict=True)
        gradients = polygrad.autograd.grad(ys, wanted, cotangents, create_graph=graph, materialize_grads=True)
        return wanted, gradients

    def gradients(
        self, problem: Problem, vs: Sequence[np.ndarray], arrays: Sequence[np.ndarray] | None = None
    ) -> Arrays:
        """J'v."""
        return [self.host(g) for g in self.gradient_tensors(problem, vs, arrays)[1]]

    def tangents(self, problem: Problem, us: Sequence[np.ndarray]) -> Arrays:
        """J u."""
        primals = self.own([problem.arrays[i] for i in problem.which])
        return [self.host(t) for t in func.jvp(self.partial(problem), primals, self.own(us))[1]]

    def reverse_over_reverse(self, problem: Problem, vs: Sequence[np.ndarray], us: Sequence[np.ndarray]) -> Arrays:
        """The derivative of ``<J'v, u>``, which is that of J'v along u."""
        wanted, gradients = self.gradient_tensors(problem, vs, graph=True)
        pairs = [(g, u) for g, u in zip(gradients, self.own(us), strict=True) if g.requires_grad]
        if not pairs:
            return [np.zeros_like(problem.arrays[i]) for i in problem.which]
        gs, cotangents = zip(*pairs, strict=True)
        return [self.host(h) for h in polygrad.autograd.grad(gs, wanted, cotangents, materialize_grads=True)]

    def forward_over_reverse(self, problem: Problem, vs: Sequence[np.ndarray], us: Sequence[np.ndarray]) -> Arrays:
        """The derivative of J'v along u."""
        cotangents, function = self.own(vs), self.partial(problem)
        primals = self.own([problem.arrays[i] for i in problem.which])

        def gradient(*xs: Any) -> Any:
            return func.vjp(function, *xs)[1](cotangents)

        return [self.host(t) for t in func.jvp(gradient, primals, self.own(us))[1]]

    def batched(self, problem: Problem, which: Sequence[int], stacks: Sequence[np.ndarray]) -> Arrays:
        """All outputs under ``vmap``, over a leading axis of some of the arrays."""

        def function(*moving: Any) -> Any:
            ts = self.tensors(problem, track=False)
            for i, tensor in zip(which, moving, strict=True):
                ts[i] = tensor
            return tuple(self.run(problem, ts))

        return [self.host(y) for y in func.vmap(function)(*self.own(stacks))]
