"""Compile: make_fx traces a function on fake tensors, and ``torch.compile`` compiles the trace."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensor
from torch.fx.experimental.proxy_tensor import make_fx

from polygrad.backend import Backend
from polygrad.errors import PolygradError, Untraceable


def fake_mode() -> Any:
    """Return a mode in which torch computes on fake tensors."""
    return torch._C._get_dispatch_mode(torch._C._TorchDispatchModeKey.FAKE)


def _compiled(function: Callable[..., Any], arrays: Sequence[Any], options: dict[str, Any]) -> tuple[Any, Any]:
    """Return the function compiled for arrays like these, and its results that are no arrays."""
    notes: list[Any] = []

    def traced(*fakes: Any) -> Any:
        outs, note = function(*fakes)
        notes.append(note)
        return outs

    try:
        graph = make_fx(traced, tracing_mode="fake", _allow_non_fake_inputs=True)(*arrays)
    except PolygradError:
        raise
    except Exception as error:
        raise Untraceable(f"while tracing, {type(error).__name__}: {str(error).splitlines()[0]}") from error
    try:
        compiled = torch.compile(graph, **options)
        compiled(*arrays)
    except Exception as error:  # for example, there is no compiler for C++
        raise Untraceable(f"torch.compile, {type(error).__name__}: {str(error).splitlines()[0]}") from error
    return compiled, notes[-1]


class Tracing(Backend):
    """The part of a backend that compiles and recognises tracers."""

    traces = True
    compiles = True

    def jit(self, function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
        """Return a function that is traced and compiled once for each set of shapes, dtypes, devices and strides."""
        programs: dict[Any, Any] = {}

        def run(*arrays: Any) -> Any:
            if fake_mode() is not None:  # inside another function that is being traced
                return function(*arrays)
            key = tuple([(a.shape, a.dtype, a.device, a.stride()) for a in arrays])
            if key not in programs:
                programs[key] = _compiled(function, arrays, options)
            compiled, note = programs[key]
            return list(compiled(*arrays)), note

        return run

    def scope(self) -> Any:
        return fake_mode()

    def concrete(self, array: Any) -> bool:
        return not isinstance(array, FakeTensor)

    def leaks(self, old: Any, new: Any, scope: Any, leaf: bool) -> bool:
        return isinstance(new, FakeTensor) and not isinstance(old, FakeTensor) and scope is not fake_mode()
