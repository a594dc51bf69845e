"""The backward pass: nodes newest first, each once, iteratively.

Creation order is a topological order, so a heap of the nodes that have received a cotangent is all the scheduling
there is: whatever is popped next has received all it will get. In a first-order pass the values are payloads and the
namespace is the raw one; with ``create_graph`` the values are Tensors, so that the gradient is itself recorded.

Invariants: a cotangent has the shape, dtype and device of the value it belongs to; an array that the engine did
not create is never written; leaves change only once the whole pass has succeeded.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from heapq import heappop, heappush, heappushpop
from typing import Any

from . import modes
from .errors import AnomalyError, ArgumentError, GraphError, ShapeError, freed
from .graph import Lazy, LazyParts, Node, NodeExtra, OutputNode, output_node
from .sites import annotate, differentiating, origin_of, site_of
from .tensor import SCALAR_TYPES, Tensor, constant, continued, level_of, refuse_leak

_commit_lock = threading.Lock()
"""Guards the step in which the gradients of a pass are added to those of the leaves."""


def run(
    roots: Sequence[tuple[Any, Any]],
    *,
    retain: bool,
    create_graph: bool,
    captures: Iterable[Any] = (),
    needed: dict[Node, tuple[Any, ...]] | None = None,
) -> tuple[dict[Any, Any], dict[Any, Any]]:
    """One pass from ``roots``, pairs of an edge and its cotangent.

    Returns the cotangents of the leaves that were reached, by leaf, and those of ``captures``, by edge. With ``needed``
    (see ``restrict``) only those nodes run, along the edges given there.
    """
    grads: dict[Any, Any] = {}
    owned: set[Any] = set()  # edges whose cotangent is a sum made here, which may be added to in place
    heap: list[tuple[int, Node]] = []
    captured: dict[Any, Any] = {}
    wanted = frozenset(captures)
    state = modes.current()
    absorbing, anomaly = state.absorbing, state.anomaly
    plain = not (retain or create_graph or wanted or absorbing or needed is not None or anomaly is not None)
    for edge, cotangent in roots:
        if edge not in grads and isinstance(edge, Node):
            heappush(heap, (edge.order, edge))
        _add(grads, owned, edge, cotangent)
    del roots, cotangent
    # Whether a cotangent may be about that cannot just be added with +=: a Lazy one, or, inside a transform, Tensors among arrays.
    lazy = any(edge is not None and _frame_of(edge).level for edge in grads)
    get = grads.get
    node: Any = None
    # One of the ready nodes waits here with its cotangent, so that a chain needs neither the heap nor the dictionary.
    pending: Node | None = None
    waiting: Any = None
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
                g = _before(node, g, create_graph)
            saved = node.saved
            if plain:
                if saved is None:
                    raise freed(node.name())
                edges = node.edges
                parts = node.pull(node.frame.raw, g, edges, saved)
                if saved:
                    node.saved = None
            else:
                if node in wanted:
                    captured[node] = g
                edges = node.edges if needed is None else needed.get(node, ())
                if not edges:
                    continue
                if saved is None:
                    raise freed(node.name())
                pull = node.pull_absorbing if absorbing else node.pull
                if anomaly is not None:
                    pull = partial(_watched, node, pull, anomaly)
                if create_graph:
                    parts = pull(node.frame.namespace, g, edges, _wrap_saved(node, saved))
                else:
                    frame = node.frame
                    parts = pull(frame.namespace if _of_tensors(g) else frame.raw, g, edges, saved)
                if saved and not retain:
                    node.saved = None
            if node.extra is not None:
                parts = _after(node, parts, g, create_graph)
            if type(parts) is LazyParts:
                lazy = True
            g = saved = None  # what is no longer needed goes before anything new is allocated
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
                    grads[edge] = part
                elif not lazy and edge in owned:
                    before += part
                    grads[edge] = before
                else:
                    _add(grads, owned, edge, part)
            del parts
            part = before = None
    except AnomalyError:
        raise  # it names the operation itself
    except Exception as error:
        annotate(error, node)
        raise
    return {edge: g.dense() if isinstance(g, Lazy) else g for edge, g in grads.items()}, captured


def _frame_of(edge: Any) -> Any:
    return edge.frame if isinstance(edge, Node) else edge._frame


def _of_tensors(g: Any) -> bool:
    """Whether a cotangent consists of Tensors. Inside a transform of raw arrays it does as soon as a Tensor is involved."""
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


def _wrap_saved(node: Node, saved: tuple[Any, ...]) -> tuple[Any, ...]:
    """The saved payloads as Tensors that continue the graph."""
    if (
        not saved or not node.saves
    ):  # an operation may save for some of its inputs, none of which is differentiated here
        return saved
    wrapped: list[Any] = []
    for source, value in zip(node.saves, saved, strict=True):
        if value is None:
            wrapped.append(None)
        elif source < 0:
            several = node.outputs > 1 and value.dtype in node.frame.floating
            edge = output_node(node, -1 - source) if several else node if node.outputs == 1 else None
            wrapped.append(continued(value, node.frame, edge))
        else:
            edge = node.edges[source]
            wrapped.append(
                value
                if type(value) in SCALAR_TYPES
                else constant(value, node.frame)
                if edge is None
                else continued(value, node.frame, edge)
            )
    return tuple(wrapped)


# -- anomaly mode ------------------------------------------------------------------------------------------------
def _watched(
    node: Node, pull: Callable[..., Any], check_nan: bool, xp: Any, g: Any, edges: Any, saved: Any
) -> Sequence[Any]:
    """``pull`` in anomaly mode: what it records belongs to this node, and what it returns must not be nan."""
    token = differentiating.set((node.name(), origin_of(node)))
    try:
        parts: Sequence[Any] = pull(xp, g, edges, saved)
    finally:
        differentiating.reset(token)
    if check_nan and type(node) is not OutputNode:
        backend = node.frame.backend
        for i, part in enumerate(parts):
            for array in arrays_in(part):
                if has_nan(backend, array):
                    raise _anomaly(node, i, array, any(has_nan(backend, a) for a in arrays_in(g)))
    return parts


def arrays_in(part: Any) -> list[Any]:
    """The arrays of the bottom level in a cotangent."""
    if isinstance(part, Lazy):
        part = list(part.arrays())
    if isinstance(part, list):
        return [array for one in part for array in arrays_in(one)]
    while isinstance(part, Tensor):
        part = part._data
    return [] if part is None else [part]


def has_nan(backend: Any, array: Any) -> bool:
    """Whether there is a nan in an array whose values can be looked at."""
    if array.dtype not in backend.floating or not backend.concrete(array):
        return False
    return bool(backend.raw.any(backend.raw.isnan(array)))


def _anomaly(node: Node, i: int, array: Any, before: bool) -> AnomalyError:
    site, origin = site_of(node), origin_of(node)
    error = AnomalyError(
        f"Function {node.name()!r} returned nan values in its {i}th output: the gradient of its input {i}, of shape "
        f"{tuple(array.shape)} and dtype {array.dtype}. The gradient that came in "
        + ("was nan already" if before else "had no nan")
        + (f". The operation was called at {site}: {site.text}" if site is not None else "")
    )
    if origin is not None:
        error.add_note(str(origin))
    return error


# -- hooks ------------------------------------------------------------------------------------------------------
def as_tensor(value: Any, frame: Any) -> Any:
    """A cotangent as hooks and users see it: a Tensor."""
    if value is None or level_of(value) >= frame.level:
        return value
    if isinstance(value, Tensor) is not frame.lifted:
        frame = frame.backend.frame(frame.level, not frame.lifted)
    return constant(value, frame)


def as_cotangent(value: Any, frame: Any, create_graph: bool) -> Any:
    """What a hook returned as the engine carries it."""
    if create_graph or not isinstance(value, Tensor) or value._frame.level != frame.level:
        return value
    return value._data


def run_tensor_hooks(hooks: Iterable[Callable[..., Any]], g: Any, frame: Any, create_graph: bool) -> Any:
    """The hooks of one Tensor, in order; each may replace the gradient."""
    tensor = as_tensor(g, frame)
    with modes.set_grad_enabled(create_graph):
        for hook in hooks:
            result = hook(tensor)
            if result is not None:
                tensor = _check_hook(hook, result, tensor)
    return as_cotangent(tensor, frame, create_graph)


def _check_hook(hook: Callable[..., Any], result: Any, tensor: Any) -> Any:
    name = getattr(hook, "__name__", repr(hook))
    if not isinstance(result, Tensor):
        raise ArgumentError(
            f"the hook {name!r} returned {type(result).__name__}, where a Tensor or None is expected: return the new "
            f"gradient, or nothing to leave it as it is"
        )
    if result.shape != tensor.shape:
        raise ShapeError(
            f"the hook {name!r} has changed the size of the gradient: it got shape {tuple(tensor.shape)} and "
            f"returned {tuple(result.shape)}; return a gradient of the shape that came in"
        )
    return result


def _before(node: Node, g: Any, create_graph: bool) -> Any:
    extra: NodeExtra = node.extra  # type: ignore[assignment]
    frame = node.frame
    if isinstance(g, Lazy):
        g = g.dense()
    if extra.tensor:
        g = run_tensor_hooks(list(extra.tensor.values()), g, frame, create_graph)
    if extra.retain is not None:
        tensor = extra.retain()
        if tensor is not None:
            store(tensor, g, create_graph)
    if extra.pre:
        several = isinstance(g, list)
        outputs = tuple([as_tensor(part, frame) for part in (g if several else [g])])
        with modes.set_grad_enabled(create_graph):
            for hook in list(extra.pre.values()):
                result = hook(outputs)
                if result is not None:
                    result = result if isinstance(result, tuple) else (result,)
                    outputs = _same_number(hook, result, outputs)
        new = [as_cotangent(part, frame, create_graph) for part in outputs]
        g = new if several else new[0]
    return g


def _after(node: Node, parts: Sequence[Any], g: Any, create_graph: bool) -> Sequence[Any]:
    extra: NodeExtra = node.extra  # type: ignore[assignment]
    if not extra.post:
        return parts
    frame = node.frame
    outputs = tuple([as_tensor(part, frame) for part in (g if isinstance(g, list) else [g])])
    inputs = tuple([as_tensor(p.dense() if isinstance(p, Lazy) else p, frame) for p in parts])
    with modes.set_grad_enabled(create_graph):
        for hook in list(extra.post.values()):
            result = hook(inputs, outputs)
            if result is not None:
                inputs = _same_number(hook, result if isinstance(result, tuple) else (result,), inputs)
    return [as_cotangent(part, frame, create_graph) for part in inputs]


def _same_number(hook: Callable[..., Any], result: tuple[Any, ...], expected: tuple[Any, ...]) -> tuple[Any, ...]:
    if len(result) != len(expected):
        name = getattr(hook, "__name__", repr(hook))
        raise GraphError(f"the hook {name!r} returned {len(result)} gradients where there are {len(expected)}")
    return result


# -- restricting the pass to the way to some inputs ---------------------------------------------------------------
def restrict(roots: Iterable[Any], targets: Iterable[Any]) -> dict[Node, tuple[Any, ...]]:
    """The nodes on a path from ``roots`` to ``targets`` (edges), each with its edges, those off the path None."""
    goal = set(targets)
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


# -- leaves -----------------------------------------------------------------------------------------------------
def finish_leaves(leaves: dict[Any, Any], create_graph: bool) -> dict[Any, Any]:
    """The cotangents of leaves after the hooks of the leaves; nothing is stored yet."""
    for leaf, g in leaves.items():
        extra = leaf._extra
        if extra is not None:
            if extra.hooks:
                leaves[leaf] = g = run_tensor_hooks(list(extra.hooks.values()), g, leaf._frame, create_graph)
            if extra.node is not None and extra.node.pre:
                outputs = (as_tensor(g, leaf._frame),)
                for hook in list(extra.node.pre.values()):
                    result = hook(outputs)
                    if result is not None:
                        outputs = result if isinstance(result, tuple) else (result,)
                leaves[leaf] = as_cotangent(outputs[0], leaf._frame, create_graph)
    return leaves


def accumulate(leaves: dict[Any, Any], create_graph: bool, foreign: Sequence[Any] = ()) -> None:
    """Add the cotangents to ``grad`` of the leaves: all of them or, if anything fails, none.

    ``foreign`` are arrays that the caller of the pass holds, which no leaf may keep without a copy.
    """
    taken = list(foreign)
    settled = []
    for leaf, g in leaves.items():
        frame = leaf._frame
        if frame.backend.traces:
            refuse_leak(leaf, g._data if level_of(g) == frame.level else g, "backward")
        alias = any(g is other for other in taken)
        taken.append(g)
        if not create_graph and not frame.lifted:
            g = frame.backend.own(g, alias)
        elif isinstance(g, Tensor) and (alias or g._is_view()):  # what is done to one grad may not show in another
            g = frame.namespace.clone(g)
        settled.append((leaf, g))
    with _commit_lock:
        steps = [
            (leaf._own_extra(), combined(leaf._own_extra().grad, g, leaf._frame, create_graph)) for leaf, g in settled
        ]
        for extra, (grad, data) in steps:
            if data is not None:
                grad._set_data(data)
            extra.grad = grad
    for leaf, g in settled:
        extra = leaf._extra
        with modes.set_grad_enabled(create_graph):
            for hook in list(extra.post_accumulate.values()) if extra.post_accumulate else ():
                hook(leaf)
            for hook in list(extra.node.post.values()) if extra.node is not None else ():
                hook((), (as_tensor(g, leaf._frame),))


def combined(old: Any, g: Any, frame: Any, create_graph: bool) -> tuple[Any, Any]:
    """The Tensor that becomes ``grad``, and the payload that it must then be given (None: it has its own).

    Without ``create_graph`` an existing ``grad`` stays the same object and changes its value, as in torch.
    """
    if old is None:
        return as_tensor(g, frame), None
    if create_graph:
        return old + as_tensor(g, frame), None
    return old, old._data + g


def store(tensor: Any, g: Any, create_graph: bool) -> None:
    """Add a cotangent to ``grad`` of a Tensor that retains it."""
    frame = tensor._frame
    refuse_leak(tensor, g._data if level_of(g) == frame.level else g, "backward")
    extra = tensor._own_extra()
    if not create_graph and not frame.lifted:
        g = frame.backend.own(g, True)
    grad, data = combined(extra.grad, g, frame, create_graph)
    if data is not None:
        grad._set_data(data)
    extra.grad = grad
