"""Run hooks: hand them Tensors, and check what they return."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..core import modes
from ..core.graph import LazyParts
from ..core.tensor import Tensor, constant
from ..errors import ArgumentError, BackendError, DtypeError, GraphError, ShapeError


def as_tensor(value: Any, frame: Any) -> Any:
    """Return a cotangent as hooks and users see it: a Tensor."""
    if value is None or (isinstance(value, Tensor) and value._frame.level >= frame.level):
        return value
    if isinstance(value, Tensor) is not frame.lifted:
        frame = frame.backend.frame(frame.level, not frame.lifted)
    return constant(value, frame)


def as_cotangent(value: Any, frame: Any, create_graph: bool) -> Any:
    """Return a hook's result as the engine carries it."""
    if create_graph or not isinstance(value, Tensor) or value._frame.level != frame.level:
        return value
    return value._data


def mark_lazy(parts: list[Any], frame: Any) -> Sequence[Any]:
    """Mark the cotangents that a user's function gave, for the engine, if there are Tensors among arrays."""
    if not frame.lifted and any(isinstance(part, Tensor) for part in parts):
        return LazyParts(parts)
    return parts


def run_tensor_hooks(hooks: Iterable[Callable[..., Any]], g: Any, frame: Any, create_graph: bool) -> Any:
    """Run the hooks of one Tensor in order; each may replace the gradient."""
    tensor = as_tensor(g, frame)
    with modes.set_grad_enabled(create_graph):
        for hook in hooks:
            result = hook(tensor)
            if result is not None:
                tensor = _check(hook, result, tensor)
    return as_cotangent(tensor, frame, create_graph)


def run_prehooks(
    hooks: Iterable[Callable[..., Any]], gradients: Sequence[Any], frame: Any, create_graph: bool
) -> list[Any]:
    """Run the prehooks of a node in order; each may replace the gradients of its outputs."""
    outputs = tuple([as_tensor(g, frame) for g in gradients])
    with modes.set_grad_enabled(create_graph):
        for hook in hooks:
            result = hook(outputs)
            if result is not None:
                outputs = _same_number(hook, result, outputs)
    return [as_cotangent(g, frame, create_graph) for g in outputs]


def run_posthooks(
    hooks: Iterable[Callable[..., Any]], inputs: Sequence[Any], outputs: Sequence[Any], frame: Any, create_graph: bool
) -> list[Any]:
    """Run the hooks of a node in order; each may replace the gradients of its inputs."""
    outputs = tuple([as_tensor(g, frame) for g in outputs])
    inputs = tuple([as_tensor(g, frame) for g in inputs])
    with modes.set_grad_enabled(create_graph):
        for hook in hooks:
            result = hook(inputs, outputs)
            if result is not None:
                inputs = _same_number(hook, result, inputs)
    return [as_cotangent(g, frame, create_graph) for g in inputs]


def _check(hook: Callable[..., Any], result: Any, tensor: Any) -> Any:
    name = getattr(hook, "__name__", repr(hook))
    if not isinstance(result, Tensor):
        raise ArgumentError(
            f"the hook {name!r} returned {type(result).__name__}, expected a Tensor or None: return the new gradient, or "
            f"nothing to leave it as it is"
        )
    if tensor is not None and result.shape != tensor.shape:
        raise ShapeError(
            f"the hook {name!r} has changed the size of the gradient: it got shape {tuple(tensor.shape)} and "
            f"returned {tuple(result.shape)}; return a gradient of the shape that came in"
        )
    if tensor is not None and result._frame.backend is not tensor._frame.backend:
        raise BackendError(
            f"the hook {name!r} has changed the type of value: it got a gradient on {tensor.backend!r} and returned one on "
            f"{result.backend!r}; bring it back: g.to_backend({tensor.backend!r})"
        )
    if tensor is not None and result.dtype != tensor.dtype:
        raise DtypeError(
            f"the hook {name!r} has changed the type of value: it got dtype {tensor.dtype} and returned {result.dtype}; return a gradient "
            f"of the dtype that came in, for example g.to({str(tensor.dtype)!r})"
        )
    return result


def _same_number(hook: Callable[..., Any], result: Any, expected: tuple[Any, ...]) -> tuple[Any, ...]:
    name = getattr(hook, "__name__", repr(hook))
    if not isinstance(result, tuple):
        raise ArgumentError(
            f"the hook {name!r} of a node returned {type(result).__name__}: expected a tuple with one gradient for each of the "
            f"{len(expected)} that it got, or None"
        )
    if len(result) != len(expected):
        raise GraphError(f"the hook {name!r} returned {len(result)} gradients, expected {len(expected)}")
    for i, (new, old) in enumerate(zip(result, expected, strict=True)):
        if old is None and new is not None:
            raise GraphError(f"the hook {name!r}: can't replace a None gradient with a non-None value, at index {i}")
    return tuple([g if g is None else _check(hook, g, old) for g, old in zip(result, expected, strict=True)])
