"""Operations of the user's own at every level: what a call does at a level of reverse mode, of forward mode, and of ``vmap``.

A call peels the levels of its arguments one by one, as an operation does. At a level of reverse mode the outputs get a node that knows
the rule, at a level of forward mode they get its tangents, at a level of ``vmap`` it goes on with the batch. The rule is an ordinary
function of Tensors of the levels below, so derivatives of any order and mixture follow as far as it is differentiable itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..core import modes
from ..core.graph import Node, edge_pair, next_order, output_node
from ..core.tensor import Tensor, as_frame, constant, continued, edge_of, level_of
from ..engine.hooks import as_tensor, said_lazy
from ..errors import GraphError, describe
from .batched import Batched, make_batched
from .dual import Dual, make_dual
from .level import drawing, lifted, lower, lowered, new_level
from .trees import map_leaves

Leaves = Sequence[Any]


class Spec:
    """A function of leaves (Tensors and whatever else stands in the arguments) that gives a list of leaves."""

    name: str

    def primal(self, leaves: Leaves) -> list[Any]:
        """The outputs."""
        raise NotImplementedError

    def tangents(self, leaves: Leaves, directions: Leaves) -> tuple[list[Any], list[Any]]:
        """The outputs and their tangents, given those of the leaves (None: zero)."""
        raise NotImplementedError

    def recorded(self, leaves: Leaves) -> tuple[list[Any], Any]:
        """The outputs, and what ``pull`` needs besides the leaves."""
        raise NotImplementedError

    def pull(self, leaves: Leaves, kept: Any, cotangents: Leaves, wanted: Sequence[bool]) -> list[Any]:
        """The cotangents of the leaves (None: zero), given those of the outputs."""
        raise NotImplementedError

    def batched(self, mapped: Sequence[bool], size: int, level: int) -> Spec:
        """The same for leaves of which some have a batch axis in front; all outputs have one."""
        raise NotImplementedError


def run(spec: Spec, leaves: Leaves) -> list[Any]:
    """Call it on leaves of any levels."""
    top = max([leaf for leaf in leaves if isinstance(leaf, Tensor)], key=level_of, default=None)
    if top is None:
        return spec.primal(leaves)
    level = top._frame.level
    if isinstance(top, Batched):
        mapped = [level_of(leaf) == level for leaf in leaves]
        below = [leaf._data if own else leaf for leaf, own in zip(leaves, mapped, strict=True)]
        outs = run(spec.batched(mapped, top._data.shape[0], level), below)
        return [make_batched(out, level) if isinstance(out, Tensor) else out for out in outs]
    if isinstance(top, Dual):
        return _run_dual(spec, leaves, level)
    return _run_recorded(spec, leaves, level)


def _run_dual(spec: Spec, leaves: Leaves, level: int) -> list[Any]:
    mine = [level_of(leaf) == level for leaf in leaves]
    primals = [leaf._data if own else leaf for leaf, own in zip(leaves, mine, strict=True)]
    directions = [leaf._node if own else None for leaf, own in zip(leaves, mine, strict=True)]
    if all(direction is None for direction in directions):
        outs = run(spec, primals)
        return [make_dual(out, None, level) if isinstance(out, Tensor) else out for out in outs]
    outs, slopes = spec.tangents(primals, directions)
    return [
        make_dual(out, slope, level) if isinstance(out, Tensor) else out
        for out, slope in zip(outs, slopes, strict=True)
    ]


def _run_recorded(spec: Spec, leaves: Leaves, level: int) -> list[Any]:
    """At a level of reverse mode: the outputs are constants there, or have a node."""
    mine = [level_of(leaf) == level for leaf in leaves]
    edges = [edge_of(leaf) if own else None for leaf, own in zip(leaves, mine, strict=True)]
    state = modes.current()
    tracked = any(edge is not None for edge in edges) and state.records(level)
    if not tracked and level == 0:
        return spec.primal(leaves)
    below = [_below(leaf) if own else leaf for leaf, own in zip(leaves, mine, strict=True)]
    outs, kept = spec.recorded(below) if tracked else (run(spec, below), None)
    for out in outs:
        if level_of(out) >= level and (level or out.requires_grad):
            raise GraphError(
                f"{spec.name}: an output depends on a Tensor that is differentiated but is no argument ({describe(out)}), so that its "
                f"derivative would be lost; pass it as an argument"
            )
    raw = not any(own and leaf._frame.lifted for leaf, own in zip(leaves, mine, strict=True))
    results = [lifted(out, level, raw) for out in outs]
    floating = [level_of(r) == level and r.dtype in r._frame.floating for r in results]
    if tracked and any(floating):
        node = CustomNode()
        node.frame = next(leaf._frame for leaf, edge in zip(leaves, edges, strict=True) if edge is not None)
        node.edges, node.spec, node.outputs = tuple(edges), spec, len(results)
        node.saved, node.static, node.extra, node.order = (tuple(below), kept, False), None, None, next_order()
        node.static = [
            (tuple(r.shape), r.dtype, r.device) if own else None for r, own in zip(results, floating, strict=True)
        ]
        for j, result in enumerate(results):
            if floating[j]:
                result._node = node if node.outputs == 1 else output_node(node, j)
        for observer in state.observers:
            observer(node)
    return results


def _below(leaf: Tensor) -> Tensor:
    """A leaf without its level, or, of level 0, without its history."""
    return lowered(leaf, leaf._frame.level) if leaf._frame.level else constant(leaf._data, leaf._frame)


class CustomNode(Node):
    """A call of a function with a derivative of its own."""

    __slots__ = ("outputs", "spec")
    spec: Spec
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
            _, kept = self.spec.recorded(leaves)
            found = self.spec.pull(leaves, kept, cotangents, wanted)
        elif frame.level:
            found = self.spec.pull(leaves, kept, cotangents, wanted)
        else:
            with modes.no_grad():
                found = self.spec.pull(leaves, kept, cotangents, wanted)
        return said_lazy([part if part is None or again or frame.lifted else lower(part) for part in found], frame)

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
def over_batch(function: Callable[..., Any], groups: Sequence[tuple[Leaves, Sequence[bool]]], level: int) -> Any:
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
    """What has a batch axis among the results of ``over_batch``."""

    def __init__(self, data: Any) -> None:
        self.data = data


def in_front(value: Any, size: int) -> Any:
    if isinstance(value, Inner):
        return value.data
    if not isinstance(value, Tensor):
        return value
    return value._frame.namespace.broadcast_to(value, (size, *value.shape))
