"""Moving a Tensor to another backend, differentiably: the one edge over which a graph may span two array libraries.

Memory is shared where both libraries allow it, by DLPack. A library whose arrays never change (JAX) gets a copy from one whose arrays
can be written: it computes when it likes, and would see what was written meanwhile. The other way round the memory is shared; polygrad
itself never writes into an array that it did not make.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..backend.base import Backend
from ..backend.dtypes import dtype_name
from ..backend.select import get_backend
from ..core.graph import Node
from ..core.record import new_node
from ..core.tensor import Tensor, constant
from ..errors import BackendError
from ..levels.call import Call, Values, run


class ToBackendBackward0(Node):
    """Takes the gradient back to the backend (and the device) that the value came from."""

    __slots__ = ()

    def pull(self, xp: Any, g: Any, edges: tuple[Any, ...], saved: tuple[Any, ...]) -> Sequence[Any]:
        home, device = self.static
        if isinstance(g, Tensor):
            moved = to_backend(g, home)
            return (moved if moved.device == device else moved.to(device=device),)
        return (convert(g, self.frame.backend, home, device),)


def convert(array: Any, source: Backend, target: Backend, device: Any = None) -> Any:
    """A raw array of one library as one of another: by DLPack where both can, else by way of the host."""
    wanted = target.dtype(dtype_name(array.dtype))
    if not source.concrete(array):
        raise BackendError(
            f"to_backend: {source.name} is tracing a function here (for jit, vmap, grad, ...), where arrays have no values that could be "
            f"moved to {target.name}. Move outside of it; or, on JAX, wrap what computes elsewhere: "
            f"polygrad.interop.jax.to_jax(f, backend={target.name!r})"
        )
    if source.mutable and not target.mutable:
        array = source.own(array, True)
    try:
        out = target.xp.from_dlpack(source.export(array))
    except Exception:  # a lazy or traced array, or a device that the other library cannot see
        out = target.from_host(source.numpy(array), dtype=wanted)
    if out.dtype != wanted:
        raise BackendError(
            f"to_backend: {target.name} has no dtype {array.dtype}; convert the Tensor first, for example x.to('float32')"
        )
    if device is not None and target.device_of(out) != device:
        out = target.raw.to_device(out, device)
    return out


class Move(Call):
    """A move to another backend."""

    name = "to_backend"

    def __init__(self, target: Backend) -> None:
        self.target = target

    def primal(self, args: Values) -> Values:
        (x,) = args
        return [constant(convert(x._data, x._frame.backend, self.target), self.target.frame())]

    def node(
        self, args: Values, below: Values, edges: Values, results: Values, carries: Sequence[bool], kept: Any
    ) -> Node:
        (x,) = args
        return new_node(ToBackendBackward0, results[0]._frame, edges, (), (x._frame.backend, x.device))  # type: ignore[no-any-return]

    def jvp(self, primals: Values, tangents: Values) -> tuple[Values, Values]:
        return self(primals), self(tangents)

    def batch(self, args: Values, mapped: Sequence[bool], size: int, level: int) -> Values:
        return self(args)


def to_backend(x: Tensor, name: str | Backend) -> Tensor:
    """Return ``x`` with its values on another backend; gradients flow back to where it came from."""
    target = get_backend(name)
    return x if target is x._frame.backend else run(Move(target), (x,))[0]
