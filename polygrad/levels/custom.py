"""Operations of the user's own, as calls: what ``custom_vjp`` and ``custom_jvp`` have in common, and their node.

The rule is an ordinary function of Tensors of the levels below, so derivatives of any order and mixture follow as far as it is
differentiable itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..backend.frame import Level
from ..core import modes
from ..core.graph import Node, edge_pair
from ..core.record import new_node
from ..core.tensor import as_frame, continued, level_of
from ..engine.hooks import as_tensor, mark_lazy
from ..errors import GraphError, describe
from .batched import Batched, make_batched, whole
from .call import Call, Values, run
from .level import drawing, lower, new_level
from .trees import map_leaves

Leaves = Sequence[Any]


class CustomCall(Call):
    """A function of leaves with a derivative of its own: Tensors and whatever else stands in the arguments, a list of leaves out."""

    def pull(self, leaves: Leaves, kept: Any, cotangents: Leaves, wanted: Sequence[bool]) -> list[Any]:
        """Return the cotangents of the leaves (None: zero), given those of the outputs."""
        raise NotImplementedError

    def forward(self, leaves: Leaves) -> tuple[Leaves, Any]:
        """Return the outputs, and what ``pull`` needs besides the leaves."""
        raise NotImplementedError

    def batched(self, mapped: Sequence[bool], size: int, level: Level) -> CustomCall:
        """Return the same for leaves of which some have a batch axis in front; all outputs have one."""
        raise NotImplementedError

    def batch(self, args: Values, mapped: Sequence[bool], size: int, level: Level) -> Values:
        return run(self.batched(mapped, size, level), args)

    def recorded(self, args: Values, level: Level) -> tuple[Values, Any]:
        outs, kept = self.forward(args)
        for out in outs:
            if level_of(out) >= level and (level or out.requires_grad):
                raise GraphError(
                    f"{self.name}: an output depends on a Tensor that is differentiated but is no argument ({describe(out)}), so that its "
                    f"derivative would be lost; pass it as an argument"
                )
        return outs, kept

    def node(
        self, args: Values, below: Values, edges: Values, results: Values, carries: Sequence[bool], kept: Any
    ) -> Node:
        frame = next(arg._frame for arg, edge in zip(args, edges, strict=True) if edge is not None)
        facts = [(tuple(r.shape), r.dtype, r.device) if own else None for r, own in zip(results, carries, strict=True)]
        node = new_node(CustomNode, frame, edges, (tuple(below), kept, False), facts)
        node.spec, node.outputs = self, len(results)
        return node  # type: ignore[no-any-return]


class CustomNode(Node):
    """A call of a function with a derivative of its own."""

    __slots__ = ("outputs", "spec")
    spec: CustomCall
    outputs: int

    def name(self) -> str:
        return f"{self.spec.name}Backward"

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        return tuple([edge_pair(edge) for edge in self.edges if edge is not None])

    def continued(self, saved: tuple[Any, ...]) -> tuple[Any, ...]:
        leaves, *_ = saved
        return [_continued(leaf, self.frame, edge) for leaf, edge in zip(leaves, self.edges, strict=True)], None, True

    def pull(self, xp: Any, g: Any, edges: tuple[Any, ...], saved: tuple[Any, ...]) -> Sequence[Any]:
        leaves, kept, again = saved
        frame = self.frame
        parts = list(g) if self.outputs != 1 else [g]
        wanted = [edge is not None for edge in edges]
        cotangents = [
            self._zeros(j) if part is None else as_tensor(part, frame) if again else as_frame(part)
            for j, part in enumerate(parts)
        ]
        if again:
            # The gradient is itself recorded, so what was kept for it has to go on from the arguments.
            _, kept = self.spec.forward(leaves)
            found = self.spec.pull(leaves, kept, cotangents, wanted)
        elif frame.level:
            found = self.spec.pull(leaves, kept, cotangents, wanted)
        else:
            with modes.no_grad():
                found = self.spec.pull(leaves, kept, cotangents, wanted)
        return mark_lazy([part if part is None or again or frame.lifted else lower(part) for part in found], frame)

    def _zeros(self, j: int) -> Any:
        if self.static[j] is None:
            return None
        shape, dtype, device = self.static[j]
        return self.frame.namespace.zeros(shape, dtype=dtype, device=device)


def _continued(leaf: Any, frame: Any, edge: Any) -> Any:
    """A saved leaf as a Tensor of its level, with its history."""
    if edge is None:
        return leaf
    if frame.level == 0:
        return continued(leaf._data, frame, edge)
    return continued(leaf, frame.backend.frame(frame.level, True), edge)


# -- on a batch ---------------------------------------------------------------------------------------------------------
def over_batch(function: Callable[..., Any], groups: Sequence[tuple[Leaves, Sequence[bool]]], level: Level) -> Any:
    """``function`` of several lists of leaves, mapped over the batch that some of the leaves have. Its Tensors come back as they are: with
    ``in_front`` they get the batch axis."""
    outer: Any = modes.current().draw

    def draw(*args: Any, **params: Any) -> Any:
        out = outer(*args, **params)
        return make_batched(out._data, inner) if isinstance(out, Batched) and level_of(out) == level else out

    with new_level(records=False) as inner, drawing(None if outer is None else draw):
        wrapped = [
            [make_batched(leaf, inner) if own else leaf for leaf, own in zip(leaves, mapped, strict=True)]
            for leaves, mapped in groups
        ]
        return map_leaves(lambda value: Inner(value._data) if level_of(value) == inner else value, function(*wrapped))


class Inner:
    """Result of ``over_batch`` that has a batch axis."""

    def __init__(self, data: Any) -> None:
        self.data = data


def in_front(value: Any, size: int) -> Any:
    """Return a result of ``over_batch`` with the batch axis in front; what is the same for all examples is repeated."""
    return value.data if isinstance(value, Inner) else whole(value, -1, size)
