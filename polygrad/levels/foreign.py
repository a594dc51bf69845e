"""Functions that polygrad does not record inside: compiled ones, and those of another engine. Each call is one node.

A ``Foreign`` runs on raw arrays, and its derivatives are Foreigns again. So it can be differentiated to any order, in both modes, at
every level, and this module need not know how it computes.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from ..backend.base import Backend
from ..core import modes
from ..core.graph import Node, next_order, output_node
from ..core.record import counted
from ..core.tensor import Tensor, as_frame, constant, edge_of
from ..errors import BackendError, ShapeError
from .batched import Batched, make_batched, stacked
from .dual import Dual, make_dual


class Foreign:
    """A function of raw arrays of one backend: several in, several out."""

    name: str
    """What its node is called, without the ending."""
    backend: Backend

    def run(self, arrays: Sequence[Any], tracked: bool) -> tuple[Sequence[Any], Foreign]:
        """The outputs for these inputs, and, if ``tracked``, what to ask for derivatives: itself, or something that knows this call."""
        raise NotImplementedError

    def vjp(self, wanted: tuple[bool, ...], given: tuple[bool, ...]) -> Foreign:
        """The function of the inputs, followed by cotangents of the ``given`` outputs, that returns those of the ``wanted`` inputs."""
        raise NotImplementedError

    def jvp(self, moving: tuple[bool, ...]) -> Foreign:
        """The function of the inputs, followed by tangents of the ``moving`` ones, that returns those of all floating outputs."""
        raise NotImplementedError


class ForeignNode(Node):
    """A call of a Foreign. ``static``: the Foreign, which outputs carry gradients, and (shape, dtype, device) of each of these."""

    __slots__ = ()

    @property
    def saves(self) -> range:  # type: ignore[override]
        """Every input is kept."""
        return range(len(self.edges))

    def pull(self, xp: Any, g: Any, edges: tuple[Any, ...], saved: tuple[Any, ...]) -> Sequence[Any]:
        foreign, given, facts = self.static
        parts = g if self.outputs > 1 else [g]
        zeros = foreign.backend.raw.zeros
        cotangents = []
        for part, carries, (shape, dtype, device) in zip(parts, given, facts, strict=True):
            if carries:
                cotangents.append(zeros(shape, dtype=dtype, device=device) if part is None else part)
        wanted = tuple([edge is not None for edge in edges])
        backward = foreign.vjp(wanted, given)
        values = [*saved, *cotangents]
        if any(isinstance(value, Tensor) for value in values):
            found: Any = call(backward, [as_frame(value) for value in values])
        else:
            found, _ = backward.run(values, False)
        pulled = iter(found)
        return [next(pulled) if want else None for want in wanted]


@functools.cache
def _node_class(name: str) -> type[ForeignNode]:
    return type(f"{name}Backward", (ForeignNode,), {"__slots__": (), "__module__": "polygrad.graph"})


def record(
    foreign: Foreign, payloads: Sequence[Any], edges: Sequence[Any], results: Sequence[Tensor], given: tuple[bool, ...]
) -> None:
    """Give those results of a call that are ``given`` a node in common."""
    frame = next(result for result, carries in zip(results, given, strict=True) if carries)._frame
    cls = _node_class(foreign.name)
    node: ForeignNode = (cls if len(results) == 1 else counted(cls, len(results)))()  # type: ignore[assignment]
    device_of = foreign.backend.device_of
    facts = []
    for result in results:
        bottom = result._data
        while isinstance(bottom, Tensor):
            bottom = bottom._data
        facts.append((tuple(result.shape), result.dtype, device_of(bottom)))
    node.edges, node.saved, node.static = tuple(edges), tuple(payloads), (foreign, given, facts)
    node.frame, node.extra, node.order = frame, None, next_order()
    for observer in modes.current().observers:
        observer(node)
    for i, (result, carries) in enumerate(zip(results, given, strict=True)):
        if carries:
            result._node = node if len(results) == 1 else output_node(node, i)


def call(foreign: Foreign, args: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Run a Foreign on Tensors of its backend, of any level, and record the call if need be.

    Raises:
        BackendError: a Tensor is on another backend.
    """
    backend = foreign.backend
    for arg in args:
        if arg._frame.backend is not backend:
            raise BackendError(
                f"{foreign.name}: an argument is on the backend {arg.backend!r}, where the function computes on {backend.name!r}; bring it "
                f"there: x.to_backend({backend.name!r})"
            )
    return _call(foreign, args, False)[0]


def _call(foreign: Foreign, args: Sequence[Tensor], tracked: bool) -> tuple[tuple[Tensor, ...], Foreign]:
    """The results of a call, and what knows its derivatives if it is ``tracked``, at this level or above."""
    level = max([arg._frame.level for arg in args], default=0)
    if any(isinstance(arg, Dual) and arg._frame.level == level for arg in args):
        return _forward(foreign, args, level)
    if any(isinstance(arg, Batched) and arg._frame.level == level for arg in args):
        return _one_by_one(foreign, args, level), foreign
    edges = [edge_of(arg) if arg._frame.level == level else None for arg in args]
    mine = any(edge is not None for edge in edges) and modes.current().records(level)
    tracked = tracked or mine
    payloads = [arg._data if arg._frame.level == level else arg for arg in args]
    lifted = any(isinstance(payload, Tensor) for payload in payloads)
    outs: Any
    if lifted:
        outs, called = _call(foreign, [as_frame(payload) for payload in payloads], tracked)
    else:
        outs, called = foreign.run(payloads, tracked)
    frame = foreign.backend.frame(level, lifted)
    results = tuple([constant(out, frame) for out in outs])
    given = tuple([result.dtype in frame.floating for result in results])
    if mine and any(given):
        record(called, payloads, edges, results, given)
    return results, called


def _forward(foreign: Foreign, args: Sequence[Tensor], level: int) -> tuple[tuple[Tensor, ...], Foreign]:
    mine = [isinstance(arg, Dual) and arg._frame.level == level for arg in args]
    primals = [arg._data if own else arg for arg, own in zip(args, mine, strict=True)]
    tangents = [arg._node if own else None for arg, own in zip(args, mine, strict=True)]
    moving = tuple([tangent is not None for tangent in tangents])
    outs, called = _call(foreign, primals, any(moving))
    if not any(moving):
        return tuple([make_dual(out, None, level) for out in outs]), called
    directions = [tangent for tangent in tangents if tangent is not None]
    moved = iter(call(called.jvp(moving), [*primals, *directions]))
    results = [make_dual(out, next(moved) if out.dtype in out._frame.floating else None, level) for out in outs]
    return tuple(results), called


def _one_by_one(foreign: Foreign, args: Sequence[Tensor], level: int) -> tuple[Tensor, ...]:
    """Inside ``vmap``: a call for each example."""
    mine = [isinstance(arg, Batched) and arg._frame.level == level for arg in args]
    size = next(arg._data.shape[0] for arg, own in zip(args, mine, strict=True) if own)
    if size == 0:
        raise ShapeError(f"vmap: {foreign.name} runs once for each example, and there are none")
    rows = []
    for i in range(size):
        rows.append(call(foreign, [arg._data[i, ...] if own else arg for arg, own in zip(args, mine, strict=True)]))
    return tuple([make_batched(stacked(outs, foreign.name), level) for outs in zip(*rows, strict=True)])
