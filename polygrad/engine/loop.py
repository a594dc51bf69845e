"""The backward pass: nodes newest first, each once, iteratively.

Creation order is a topological order, so a heap of the nodes that have received a cotangent is the whole schedule: the node that is
popped has received all it will get. (``passes`` says when a leaf has.) In a first-order pass the values are payloads and the namespace
is the raw one; with ``create_graph`` the values are Tensors, so that the gradient is itself recorded.

Invariants: a cotangent has the shape, dtype and device of the value it belongs to; an array that the engine did
not create is never written; ``grad`` of a leaf changes by its whole gradient or, where the pass fails, not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from heapq import heappop, heappush, heappushpop
from math import inf
from typing import Any

from ..core import modes
from ..core.graph import Lazy, LazyParts, Node, OutputNode
from ..core.saved import wrapped
from ..core.sites import annotate
from ..core.tensor import Tensor
from ..errors import AnomalyError, freed
from .accumulation import Ownership
from .anomaly import watch
from .passes import Pass, has_hooks, make_dense, settle


def run_pass(
    roots: Sequence[tuple[Any, Any]],
    *,
    retain: bool,
    create_graph: bool,
    captures: Sequence[Any] = (),
    needed: dict[Node, tuple[Any, ...]] | None = None,
    accumulate: bool = False,
    foreign: tuple[Any, ...] = (),
) -> tuple[dict[Any, Any], dict[Any, Any]]:
    """Run one backward pass.

    Parameters
    ----------
    roots
        Pairs of an edge and its cotangent, from which the pass starts.
    retain
        Keep what the nodes have saved.
    create_graph
        Record the pass itself.
    captures
        Nodes whose cotangents are wanted.
    needed
        As ``restrict`` returns it: only these nodes run, along the edges given there.
    accumulate
        Add the gradients of the leaves that are reached to their ``grad``.
    foreign
        Arrays that the caller holds, which no leaf may keep without a copy.

    Returns
    -------
    leaves, captured
        The cotangents of the leaves, by leaf, unless they were added; and those of ``captures``, by node.
    """
    grads: dict[Any, Any] = {}
    owned: set[Any] = set()  # edges whose cotangent is a sum made here, which may be added to in place
    heap: list[tuple[Any, Node]] = []
    captured: dict[Any, Any] = {}
    wanted = frozenset(captures) if captures else ()
    state = modes.current()
    absorbing, anomaly = state.absorbing, state.anomaly
    plain = not (create_graph or wanted or absorbing or needed is not None or anomaly is not None)
    this: Pass | None = None  # made when a hook asks for it

    known = ([edge for edge, _ in roots], heap, grads, needed, create_graph, accumulate, foreign)
    # True if there may be a cotangent that += cannot add to: a Lazy one, or, inside a transform, a Tensor among arrays. Where
    # no payload of the transform is a Tensor only a function of the user's can bring one, and says so (``LazyParts``).
    lazy = False
    node: Any = None
    # One of the ready nodes waits here with its cotangent. So a chain needs neither the heap nor the dictionary.
    pending: Node | None = None
    waiting: Any = None
    cotangent = None
    for edge, cotangent in roots:
        of_node = isinstance(edge, Node)
        frame = edge.frame if of_node else edge._frame
        lazy = lazy or (frame.level > 0 and (frame.lifted or _of_tensors(cotangent)))
        if of_node and len(roots) == 1:
            pending, waiting = edge, cotangent
            continue
        if of_node and edge not in grads:
            heappush(heap, (edge.order, edge))
        _add(grads, owned, edge, cotangent)
        if type(edge) is Tensor and edge._extra is not None and has_hooks(edge):
            this = this or Pass(*known)
            this.arrived(edge, -inf)
    del roots, cotangent
    get = grads.get
    try:
        while True:
            if pending is None:
                if not heap:
                    break
                node = heappop(heap)[1]
                g = grads.pop(node)
            elif heap and heap[0][0] < pending.order:
                grads[pending] = waiting
                node = heappushpop(heap, (pending.order, pending))[1]
                g = grads.pop(node)
            else:
                node = pending
                g = waiting
            pending = waiting = None
            if lazy and isinstance(g, Lazy):
                g = g.dense()
            if node.extra is not None:
                before_hooks = g
                this = this or Pass(*known)
                g = this.before(node, g)
                lazy = lazy or node.frame.level > 0  # a hook may return anything
            saved = node.saved
            if plain:
                if saved is None:
                    raise freed(node.name())
                edges = node.edges
                frame = node.frame
                parts = node.pull(frame.namespace if lazy and _of_tensors(g) else frame.raw, g, edges, saved)
                if saved and not retain:
                    node.saved = None
            else:
                edges = node.edges if needed is None else needed.get(node, ())
                if node in wanted:
                    # As in torch, the hooks of a Tensor change what is captured of it only where the pass ends there.
                    captured[node] = before_hooks if edges and node.extra is not None else g
                if not edges:
                    continue
                if saved is None:
                    raise freed(node.name())
                pull = node.pull_absorbing if absorbing else node.pull
                if anomaly is not None:
                    pull = partial(watch, node, pull, anomaly)
                if create_graph:
                    parts = pull(node.frame.namespace, g, edges, wrapped(node, saved))
                else:
                    frame = node.frame
                    parts = pull(frame.namespace if _of_tensors(g) else frame.raw, g, edges, saved)
                if saved and not retain:
                    node.saved = None
            if node.extra is not None:
                this = this or Pass(*known)  # the extra may have come while the node ran
                parts = this.after(node, parts, g)
            if type(parts) is LazyParts:
                lazy = True
            g = saved = None  # freed before anything new is allocated
            for edge, part in zip(edges, parts):  # noqa: B905 - the one loop that cannot afford the check
                if part is None or edge is None:
                    continue
                if edge is pending:
                    waiting = waiting + part if not lazy else _sum(waiting, part)
                    continue
                before = get(edge)
                if before is None:
                    if type(edge) is not Tensor:  # a node; the other edges are leaves
                        if pending is None:
                            pending = edge
                            waiting = part
                            continue
                        heappush(heap, (edge.order, edge))
                    elif edge._extra is not None and has_hooks(edge):
                        this = this or Pass(*known)
                        this.arrived(edge, node.order)
                    grads[edge] = part
                elif not lazy and edge in owned:
                    before += part
                    grads[edge] = before
                else:
                    _add(grads, owned, edge, part)
            del parts
            part = before = None
    except BaseException as error:
        # What waits in them refers to the pass, and the pass to them: a pass that fails leaves no circle.
        heap.clear()
        grads.clear()
        if needed is not None:
            needed.clear()
        if isinstance(error, Exception) and not isinstance(error, AnomalyError):  # that one names the operation itself
            annotate(error, node)
        raise
    if this is not None:
        try:
            return this.finish(), captured
        finally:
            if needed is not None:
                needed.clear()
    return settle(grads, Ownership(foreign), create_graph) if accumulate else make_dense(grads), captured


def _of_tensors(g: Any) -> bool:
    """Return True if a cotangent consists of Tensors. In a transform of raw arrays it does as soon as a Tensor is involved."""
    return any(isinstance(part, Tensor) for part in g) if type(g) is list else isinstance(g, Tensor)


def _sum(before: Any, part: Any) -> Any:
    if isinstance(before, Lazy):
        return before.merge(part)
    if isinstance(part, Lazy):
        return part.merge(before)
    return part + before if isinstance(part, Tensor) else before + part


def _add(grads: dict[Any, Any], owned: set[Any], edge: Any, part: Any) -> None:
    before = grads.get(edge)
    if before is None:
        grads[edge] = part
        return
    if edge in owned and not isinstance(part, (Lazy, Tensor)) and not isinstance(before, Lazy):
        before += part
    else:
        if not isinstance(before, Lazy) and not isinstance(part, Lazy):
            owned.add(edge)
        before = _sum(before, part)
    grads[edge] = before


# -- restricting the pass to the way to some inputs ---------------------------------------------------------------
def restrict(roots: Iterable[Any], targets: Iterable[Any]) -> dict[Node, tuple[Any, ...]]:
    """Return the nodes on a path from ``roots`` to ``targets`` (edges), each with its edges; those off the path are None."""
    goal = set(targets)
    # The hooks of an operation with several outputs see the gradient of each of them, whichever is wanted.
    goal.update([edge.edges[0] for edge in goal if isinstance(edge, OutputNode)])
    seen: set[Node] = set()
    stack = [edge for edge in roots if isinstance(edge, Node)]
    nodes: list[Node] = []
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        nodes.append(node)
        stack.extend([edge for edge in node.edges if isinstance(edge, Node) and edge not in seen])
    nodes.sort(key=lambda node: node.order, reverse=True)  # oldest first: inputs before their consumers
    needed: dict[Node, tuple[Any, ...]] = {}
    for node in nodes:
        edges = tuple([edge if edge is not None and (edge in goal or edge in needed) else None for edge in node.edges])
        if any(edge is not None for edge in edges):
            needed[node] = edges
    return needed
