"""polygrad's side of a comparison, on one backend. Arrays in and out are NumPy's.

It answers the questions of a ``Problem`` that torch's side (``torch_side``) and mpmath (``oracles``) answer as well: the value, the
gradient for given cotangents, the derivative along a direction and the second derivative along a direction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import polygrad
from polygrad import func

from .outcome import Arrays
from .problem import Problem


def inexact(array: np.ndarray) -> bool:
    """Return whether an output can have a derivative."""
    return array.dtype.kind in "fc"


@dataclass
class Pass:
    """A forward and a backward pass: the arrays of a problem as Tensors, the outputs, their cotangents, the gradients."""

    tensors: list[Any]
    outputs: list[Any]
    cotangents: tuple[Any, ...]
    gradients: tuple[Any, ...]


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

    def hosts(self, values: Sequence[Any]) -> Arrays:
        """Results as NumPy arrays. A lazy library computes them together, and keeps what it promised of them."""
        tensors = [value for value in values if isinstance(value, polygrad.Tensor)]
        if not self.backend.lazy or not tensors:
            return [self.host(value) for value in values]
        import dask

        computed = iter(dask.compute(*[tensor.detach().array for tensor in tensors]))
        found = []
        for value in values:
            array = np.array(next(computed)) if isinstance(value, polygrad.Tensor) else np.asarray(value)
            known = not any(n != n for n in getattr(value, "shape", ()))  # noqa: PLR0124 - of what depends on values it is nan
            if isinstance(value, polygrad.Tensor) and (array.dtype, known and array.shape) != (
                value.dtype,
                known and value.shape,
            ):
                raise AssertionError(
                    f"{self.name} promised {value.dtype}{list(value.shape)} and gave {array.dtype}{list(array.shape)}"
                )
            found.append(array)
        return found

    def values(self, problem: Problem, arrays: Sequence[np.ndarray] | None = None) -> Arrays:
        """The outputs."""
        with polygrad.no_grad():
            return self.hosts(self.run(problem, self.tensors(problem, arrays, False)))

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

    def record(
        self,
        problem: Problem,
        vs: Sequence[np.ndarray],
        arrays: Sequence[np.ndarray] | None = None,
        graph: bool = False,
    ) -> Pass:
        """A forward and a backward pass, with these cotangents."""
        tensors = self.tensors(problem, arrays)
        wanted = [tensors[i] for i in problem.which]
        outputs = [y for y in self.run(problem, tensors) if isinstance(y, polygrad.Tensor)]
        pairs = [(y, v) for y, v in zip(self.differentiable(outputs), self.own(vs), strict=True) if y.requires_grad]
        if not pairs:
            return Pass(tensors, outputs, (), tuple([self.xp.zeros_like(x) for x in wanted]))
        ys, cotangents = zip(*pairs, strict=True)
        gradients = polygrad.autograd.grad(ys, wanted, cotangents, create_graph=graph, materialize_grads=True)
        return Pass(tensors, outputs, cotangents, gradients)

    def gradients(
        self, problem: Problem, vs: Sequence[np.ndarray], arrays: Sequence[np.ndarray] | None = None
    ) -> Arrays:
        """J'v."""
        return self.hosts(self.record(problem, vs, arrays).gradients)

    def tangents(self, problem: Problem, us: Sequence[np.ndarray]) -> Arrays:
        """J u."""
        primals = self.own([problem.arrays[i] for i in problem.which])
        return self.hosts(func.jvp(self.partial(problem), primals, self.own(us))[1])

    def reverse_over_reverse(self, problem: Problem, vs: Sequence[np.ndarray], us: Sequence[np.ndarray]) -> Arrays:
        """The derivative of ``<J'v, u>``, which is that of J'v along u."""
        first = self.record(problem, vs, graph=True)
        wanted = [first.tensors[i] for i in problem.which]
        pairs = [(g, u) for g, u in zip(first.gradients, self.own(us), strict=True) if g.requires_grad]
        if not pairs:
            return [np.zeros_like(problem.arrays[i]) for i in problem.which]
        gs, cotangents = zip(*pairs, strict=True)
        return self.hosts(polygrad.autograd.grad(gs, wanted, cotangents, materialize_grads=True))

    def forward_over_reverse(self, problem: Problem, vs: Sequence[np.ndarray], us: Sequence[np.ndarray]) -> Arrays:
        """The derivative of J'v along u."""
        cotangents, function = self.own(vs), self.partial(problem)
        primals = self.own([problem.arrays[i] for i in problem.which])

        def gradient(*xs: Any) -> Any:
            return func.vjp(function, *xs)[1](cotangents)

        return self.hosts(func.jvp(gradient, primals, self.own(us))[1])

    def batched(self, problem: Problem, which: Sequence[int], stacks: Sequence[np.ndarray]) -> Arrays:
        """All outputs under ``vmap``, over a leading axis of some of the arrays."""

        def function(*moving: Any) -> Any:
            ts = self.tensors(problem, track=False)
            for i, tensor in zip(which, moving, strict=True):
                ts[i] = tensor
            return tuple(self.run(problem, ts))

        return self.hosts(func.vmap(function)(*self.own(stacks)))
