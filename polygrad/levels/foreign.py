"""Functions that polygrad does not record inside: compiled ones, and those of another engine. Each call is one node.

A ``Foreign`` runs on raw arrays, and its derivatives are Foreigns again. So it can be differentiated to any order, in both modes, at
every level, and this module need not know how it computes.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from ..backend.base import Backend
from ..core.graph import Node
from ..core.record import counted, new_node
from ..core.tensor import Tensor, as_frame, constant
from ..errors import BackendError, ShapeError
from .batched import stacked
from .call import Call, Values, run


class Foreign:
    """A function of raw arrays of one backend: several in, several out."""

    name: str
    """The name of its node, without the ending."""
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
    foreign: Foreign, payloads: Sequence[Any], edges: Sequence[Any], results: Sequence[Tensor], given: Sequence[bool]
) -> Node:
    """Return the node that those results of a call that are ``given`` have in common."""
    frame = next(result for result, carries in zip(results, given, strict=True) if carries)._frame
    cls = _node_class(foreign.name)
    device_of = foreign.backend.device_of
    facts = []
    for result in results:
        bottom = result._data
        while isinstance(bottom, Tensor):
            bottom = bottom._data
        facts.append((tuple(result.shape), result.dtype, device_of(bottom)))
    counted_class = cls if len(results) == 1 else counted(cls, len(results))
    return new_node(counted_class, frame, edges, tuple(payloads), (foreign, tuple(given), facts))  # type: ignore[no-any-return]


class ForeignCall(Call):
    """A call of a Foreign. ``called`` is what knows its derivatives, once it has run."""

    def __init__(self, foreign: Foreign) -> None:
        self.name = foreign.name
        self.called = foreign
        self.tracked = False
        """True if a level asks for derivatives."""

    def primal(self, args: Values) -> Values:
        backend = self.called.backend
        outs, self.called = self.called.run([arg._data for arg in args], self.tracked)
        return [constant(out, backend.frame()) for out in outs]

    def recorded(self, args: Values, level: int) -> tuple[Values, Any]:
        self.tracked = True
        return self(args), None

    def node(
        self, args: Values, below: Values, edges: Values, results: Values, carries: Sequence[bool], kept: Any
    ) -> Node:
        level = max([arg._frame.level for arg in args])
        payloads = [arg._data if arg._frame.level == level else arg for arg in args]
        return record(self.called, payloads, edges, results, carries)

    def jvp(self, primals: Values, tangents: Values) -> tuple[Values, Values]:
        self.tracked = True
        outs = self(primals)
        moving = tuple([tangent is not None for tangent in tangents])
        directions = [tangent for tangent in tangents if tangent is not None]
        moved = iter(call(self.called.jvp(moving), [*primals, *directions]))
        return outs, [next(moved) if out.dtype in out._frame.floating else None for out in outs]

    def batch(self, args: Values, mapped: Sequence[bool], size: int, level: int) -> Values:
        """Run once for each example."""
        if size == 0:
            raise ShapeError(f"vmap: {self.name} runs once for each example, and there are none")
        rows = [
            call(self.called, [arg[i, ...] if own else arg for arg, own in zip(args, mapped, strict=True)])
            for i in range(size)
        ]
        return [stacked(outs, self.name) for outs in zip(*rows, strict=True)]


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
    return tuple(run(ForeignCall(foreign), args))
