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
from ..core import modes
from ..core.graph import Node, next_order
from ..core.tensor import Tensor, constant, edge_of
from ..errors import BackendError
from ..levels.batched import Batched, make_batched
from ..levels.dual import Dual, make_dual


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


def to_backend(x: Tensor, name: str | Backend) -> Tensor:
    """``x`` with its values on another backend; gradients flow back to where it came from."""
    target, source = get_backend(name), x._frame.backend
    if target is source:
        return x
    if isinstance(x, Dual):
        tangent = None if x.tangent is None else to_backend(x.tangent, target)
        return make_dual(to_backend(x.primal, target), tangent, x._frame.level)
    if isinstance(x, Batched):
        return make_batched(to_backend(x.payload, target), x._frame.level)
    level, lifted = x._frame.level, x._frame.lifted
    data = to_backend(x._data, target) if lifted else convert(x._data, source, target)
    frame = target.frame(level, lifted)
    out = constant(data, frame)
    state = modes.current()
    if x._node is not None and state.records(level):
        node = ToBackendBackward0()
        node.edges, node.saved, node.static = (edge_of(x),), (), (source, x.device)
        node.frame, node.extra, node.order = frame, None, next_order()
        out._node = node
        for observer in state.observers:
            observer(node)
    return out
