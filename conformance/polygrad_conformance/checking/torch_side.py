"""torch's side of a comparison: the reference of a case, and its derivatives by ``torch.autograd``. Arrays in and out are NumPy's."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from types import CodeType
from typing import Any

import numpy as np
import torch

from ..cases.case import Case, is_function_name
from . import references
from .outcome import Arrays, NotDifferentiable, first_line
from .problem import Problem


class Torch:
    """torch, by the reference of a case."""

    name = "torch"

    def __init__(self) -> None:
        self._code: dict[str, CodeType] = {}

    def knows(self, case: Case) -> bool:
        """Return whether torch has such a function."""
        return case.reference is not None

    def tensors(self, problem: Problem, track: bool = True) -> list[Any]:
        """The arrays of a problem as tensors."""
        ts = [torch.tensor(np.array(array, order="C")) for array in problem.arrays]
        if problem.sample.layout == "strided":
            ts = [torch.tensor(a.T.copy()).permute(*range(a.ndim)[::-1]) for a in problem.arrays]
        if track:
            for i in problem.which:
                ts[i].requires_grad_()
        return ts

    def run(self, problem: Problem, tensors: Sequence[Any]) -> list[Any]:
        """The outputs of the reference."""
        text = problem.case.reference
        assert text is not None
        arguments = problem.prepared(problem.arguments(tensors))
        for name in problem.case.array_names:
            if isinstance(arguments.get(name), (int, float, complex)):  # torch's functions want tensors
                arguments[name] = torch.tensor(
                    arguments[name], dtype=torch.float64 if type(arguments[name]) is float else None
                )
        if is_function_name(text):
            function: Any = {"torch": torch, "references": references, "F": torch.nn.functional}
            head, *parts = text.split(".")
            function = function[head]
            for part in parts:
                function = getattr(function, part)
            args, kwargs = problem.call(arguments)
            return problem.observed(function(*args, **kwargs))
        code = self._code.get(text)
        if code is None:
            code = self._code[text] = compile(text, f"<reference of {problem.case.op}>", "eval")
        names = problem.defaults() | arguments
        names |= {"torch": torch, "F": torch.nn.functional, "references": references}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return problem.observed(eval(code, names))

    def host(self, value: Any) -> np.ndarray:
        """A result as a NumPy array."""
        if isinstance(value, torch.Tensor):
            return np.array(value.numpy(force=True))
        return np.asarray(value)

    def values(self, problem: Problem) -> Arrays:
        """The outputs."""
        with torch.no_grad():
            return [self.host(y) for y in self.run(problem, self.tensors(problem, False))]

    def _graph(self, problem: Problem, vs: Sequence[np.ndarray]) -> tuple[list[Any], list[tuple[Any, Any]]]:
        ts = self.tensors(problem)
        wanted = [ts[i] for i in problem.which]
        try:
            outputs = self.run(problem, ts)
        except NotImplementedError as error:
            raise NotDifferentiable(f"torch: {first_line(error)}") from error
        ys = [y for y in outputs if isinstance(y, torch.Tensor) and (y.is_floating_point() or y.is_complex())]
        if len(ys) != len(vs):
            raise NotDifferentiable(f"torch has {len(ys)} differentiable outputs where polygrad has {len(vs)}")
        pairs = [(y, torch.tensor(v, dtype=y.dtype)) for y, v in zip(ys, vs, strict=True) if y.requires_grad]
        return wanted, pairs

    def _grad(self, outputs: Any, wanted: Any, cotangents: Any, graph: bool = False) -> Any:
        try:
            return torch.autograd.grad(outputs, wanted, cotangents, create_graph=graph, materialize_grads=True)
        except (NotImplementedError, RuntimeError, IndexError) as error:
            raise NotDifferentiable(f"torch: {first_line(error)}") from error

    def gradients(self, problem: Problem, vs: Sequence[np.ndarray]) -> Arrays:
        """J'v."""
        wanted, pairs = self._graph(problem, vs)
        if not pairs:
            raise NotDifferentiable("torch's result does not require grad: it has no derivative there")
        ys, cotangents = zip(*pairs, strict=True)
        return [self.host(g) for g in self._grad(ys, wanted, cotangents)]

    def tangents(self, problem: Problem, us: Sequence[np.ndarray]) -> Arrays:
        """J u."""
        ts = self.tensors(problem, False)

        def function(*moving: Any) -> Any:
            full = list(ts)
            for i, tensor in zip(problem.which, moving, strict=True):
                full[i] = tensor
            ys = self.run(problem, full)
            return tuple([y for y in ys if isinstance(y, torch.Tensor) and (y.is_floating_point() or y.is_complex())])

        primals = tuple([ts[i] for i in problem.which])
        try:
            _, tangents = torch.func.jvp(function, primals, tuple([torch.tensor(u) for u in us]))
        except (NotImplementedError, RuntimeError, IndexError) as error:
            raise NotDifferentiable(f"torch: {first_line(error)}") from error
        return [self.host(t) for t in tangents]

    def second(self, problem: Problem, vs: Sequence[np.ndarray], us: Sequence[np.ndarray]) -> Arrays:
        """The derivative of J'v along u, reverse over reverse."""
        wanted, pairs = self._graph(problem, vs)
        if not pairs:
            raise NotDifferentiable("torch's result does not require grad: it has no derivative there")
        ys, cotangents = zip(*pairs, strict=True)
        gs = self._grad(ys, wanted, cotangents, True)
        again = [(g, torch.tensor(u)) for g, u in zip(gs, us, strict=True) if g.requires_grad]
        if not again:
            return [np.zeros_like(problem.arrays[i]) for i in problem.which]
        gs, cotangents = zip(*again, strict=True)
        return [self.host(h) for h in self._grad(gs, wanted, cotangents)]
