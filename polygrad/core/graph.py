"""Nodes and edges: what is recorded of an operation.

A node's edges are taken when the operation is recorded and never looked up later, so in-place operations, which
rebind a Tensor, cannot change history. An edge is a Node, or the leaf Tensor itself, or None (no gradient wanted).
A node never refers to its own output, so a graph is freed by reference counting alone.

This module knows neither rules nor array libraries.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..errors import freed
from .locks import fork_safe_lock
from .sites import located
from .sites import site_of as site_of  # noqa: PLC0414 - one place to look for what is known of a node

Array = Any
next_order: Callable[[], int] = itertools.count(0, -1).__next__
"""Creation numbers, counting down: the newest node is the smallest, so a heap yields it first."""


class _Leaf:
    """Marks the ``_node`` of a leaf that requires grad (the leaf itself would be a reference cycle)."""

    def __repr__(self) -> str:
        return "LEAF"


LEAF: Any = _Leaf()


class Hooks(dict[int, Any]):
    """Hooks by handle number, in order of registration; can be referred to weakly."""

    __slots__ = ("__weakref__",)


_handles = itertools.count()


class RemovableHandle:
    """Handle of a registered hook: ``remove()`` takes the hook off again; also a context manager."""

    def __init__(self, hooks: Hooks, hook: Any) -> None:
        self.id = next(_handles)
        self._hooks = weakref.ref(hooks)
        hooks[self.id] = hook

    def remove(self) -> None:
        """Take the hook off; a second call does nothing."""
        hooks = self._hooks()
        if hooks is not None:
            hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.remove()


_extras = fork_safe_lock()


class NodeExtra:
    """Rarely used state of a node, allocated on demand: hooks, metadata, a Tensor that retains its gradient."""

    __slots__ = ("children", "metadata", "origin", "post", "pre", "retain", "tensor")

    def __init__(self) -> None:
        self.origin: Any = None
        """In anomaly mode: where the operation was called (``sites.Origin``)."""
        self.tensor = Hooks()
        """Hooks of the Tensors that the node made, with the number of the output: gradient in, gradient or None out."""
        self.pre = Hooks()
        self.post = Hooks()
        self.retain: dict[int, weakref.ref[Any]] | None = None
        """The Tensors whose ``grad`` is filled, after all their hooks, by the number of the output."""
        self.metadata: dict[Any, Any] = {}
        self.children: dict[int, weakref.ref[Any]] = {}
        """Of a node with several outputs: the OutputNode of each, while it is in use."""


class Node:
    """One recorded operation. Subclasses are made per operation and named as torch names them.

    ``saved`` holds arrays (payloads; freed after the pass), ``static`` shapes and parameters (kept). ``saves`` says for
    each saved array which input it is; -1 is the output, -2 and on further outputs.
    """

    __slots__ = ("__weakref__", "edges", "extra", "frame", "order", "saved", "static")
    edges: tuple[Any, ...]
    extra: NodeExtra | None
    frame: Any
    order: int
    saved: tuple[Any, ...] | None
    static: Any
    saves: tuple[int | None, ...] = ()
    outputs = 1
    """The number of outputs of the operation; with more than one, each has an ``OutputNode``."""

    def pull(self, xp: Any, g: Any, edges: tuple[Any, ...], saved: tuple[Any, ...]) -> Sequence[Any]:
        """The cotangents of the inputs, given that of the output; None where there is none or no edge."""
        raise NotImplementedError

    def pull_absorbing(self, xp: Any, g: Any, edges: tuple[Any, ...], saved: tuple[Any, ...]) -> Sequence[Any]:
        """As ``pull``, under ``zero_absorbing``; the same unless the operation multiplies element by element."""
        return self.pull(xp, g, edges, saved)

    def continued(self, saved: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return what ``pull`` gets as ``saved`` while the gradient is itself recorded, for a node without ``saves``."""
        return saved

    # -- torch's public face ----------------------------------------------------------------------------------
    def name(self) -> str:
        """The name of the operation as torch prints it, such as ``MulBackward0``."""
        return type(self).__name__

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """One pair (node, output number) for each input; (None, 0) where the input needs no gradient."""
        return tuple([edge_pair(edge) for edge in self.edges])

    @property
    def metadata(self) -> dict[Any, Any]:
        """A dictionary for whatever its user likes to keep here; in anomaly mode with the stack of the call as ``traceback_``."""
        extra = self._extra()
        if extra.origin is not None and "traceback_" not in extra.metadata:
            extra.metadata["traceback_"] = extra.origin.stack.format()
        return extra.metadata

    def _extra(self) -> NodeExtra:
        if self.extra is None:
            with _extras:  # two threads may come here at once
                if self.extra is None:
                    self.extra = NodeExtra()
        return self.extra

    def __lt__(self, other: Any) -> bool:
        """Any order does for two nodes of the same number, which two threads may have given out at once."""
        return id(self) < id(other)

    def register_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """``hook(grad_inputs, grad_outputs)`` runs after the node; a tuple that it returns replaces grad_inputs."""
        return RemovableHandle(self._extra().post, hook)

    def register_prehook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """``hook(grad_outputs)`` runs before the node; a tuple that it returns replaces grad_outputs."""
        return RemovableHandle(self._extra().pre, hook)

    # -- the Tensors that the node made ---------------------------------------------------------------------------
    def _add_tensor_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """A hook of the Tensor that has this as its ``_node``."""
        return RemovableHandle(self._extra().tensor, (0, hook))

    def _retain(self, tensor: Any, index: int = 0) -> None:
        """Have ``grad`` of that Tensor filled; None: of none any more."""
        extra = self._extra()
        if extra.retain is None:
            extra.retain = {}
        if tensor is None:
            extra.retain.pop(index, None)
        else:
            extra.retain[index] = weakref.ref(tensor)

    @property
    def saved_arrays(self) -> tuple[Any, ...]:
        """The arrays that the node keeps for the backward pass; raises once they are freed."""
        if self.saved is None:
            raise located(freed(self.name()), self)
        return self.saved

    def __repr__(self) -> str:
        return f"<{self.name()} object at {id(self):#x}>"


class OutputNode(Node):
    """Stands between an operation with several outputs and one of them. Not visible from outside."""

    __slots__ = ("index",)
    index: int

    def __init__(self, parent: Node, index: int) -> None:
        self.edges, self.index, self.frame = (parent,), index, parent.frame
        self.saved, self.static, self.extra = (), None, None
        self.order = next_order()

    def _add_tensor_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        return RemovableHandle(self.edges[0]._extra().tensor, (self.index, hook))

    def _retain(self, tensor: Any, index: int = 0) -> None:
        self.edges[0]._retain(tensor, self.index)

    def pull(self, xp: Any, g: Any, edges: tuple[Any, ...], saved: tuple[Any, ...]) -> Sequence[Any]:
        return LazyParts((Several({self.index: g}, edges[0].outputs),))


def output_node(parent: Node, index: int) -> OutputNode:
    """The OutputNode of one output: the same object while anything refers to it."""
    children = parent._extra().children
    child = children[index]() if index in children else None
    if child is None:
        child = OutputNode(parent, index)
        children[index] = weakref.ref(child)
    return child


class Lazy:
    """A cotangent that is not an array yet. ``add_to`` merges it with what has arrived before."""

    __slots__ = ()

    def merge(self, other: Any) -> Any:
        """The sum of this and ``other`` (another Lazy or an array); ``self`` may be changed in place."""
        raise NotImplementedError

    def dense(self) -> Any:
        """The cotangent as the node wants it."""
        raise NotImplementedError

    def arrays(self) -> Sequence[Any]:
        """The arrays that it holds."""
        raise NotImplementedError


class LazyParts(tuple[Any, ...]):
    """Cotangents of which some are ``Lazy``, as ``pull`` returns them, so that the engine need not look at each."""

    __slots__ = ()


class Several(Lazy):
    """The cotangents of the outputs of one node, as they arrive."""

    __slots__ = ("number", "parts")

    def __init__(self, parts: dict[int, Any], number: int) -> None:
        self.parts = parts
        self.number = number

    def merge(self, other: Any) -> Several:
        for index, part in other.parts.items():
            self.parts[index] = part if index not in self.parts else self.parts[index] + part
        return self

    def dense(self) -> list[Any]:
        return [self.parts.get(i) for i in range(self.number)]

    def arrays(self) -> Sequence[Any]:
        return list(self.parts.values())


class Scatter(Lazy):
    """The gradient of a selection ``x[key]``, not yet spread over the shape of x.

    Many small selections of one big array add into a single buffer, instead of one array of zeros for each.
    """

    __slots__ = ("backend", "buffer", "key", "shape", "value")

    def __init__(self, backend: Any, value: Array, key: Any, shape: tuple[int, ...]) -> None:
        self.backend = backend
        self.value = value
        self.key = key
        self.shape = shape
        self.buffer: Any = None  # once there is one it is the engine's own, and value is spent

    def merge(self, other: Any) -> Scatter:
        if isinstance(other, Scatter):
            if self.buffer is None and other.buffer is None:
                self.buffer = self.dense()
            elif self.buffer is None:
                return other.merge(self)
            if other.buffer is None:
                self.buffer = self.backend.add_at(self.buffer, other.key, other.value)
            else:
                self.buffer += other.buffer
        elif self.buffer is None:
            self.buffer = self.dense()
            self.buffer += other
        else:
            self.buffer += other
        self.value = None
        return self

    def dense(self) -> Array:
        if self.buffer is not None:
            return self.buffer
        return self.backend.raw.getitem_adjoint(self.value, key=self.key, shape=self.shape)

    def arrays(self) -> Sequence[Any]:
        return [self.value if self.buffer is None else self.buffer]


class AccumulateGrad(Node):
    """The sink of the graph at a leaf that requires grad: ``variable`` is the leaf. Made when somebody looks."""

    __slots__ = ("variable",)
    variable: Any

    def __init__(self, variable: Any) -> None:
        self.variable = variable
        self.edges, self.saved, self.static, self.frame = (), (), None, variable._frame
        self.order = 1  # after every operation
        self.extra = None

    def _extra(self) -> NodeExtra:
        # Hooks outlive this object, so they are kept with the leaf.
        leaf = self.variable._own_extra()
        if leaf.node is None:
            with _extras:
                if leaf.node is None:
                    leaf.node = NodeExtra()
        extra: NodeExtra = leaf.node
        return extra


def nodes_below(edges: Iterable[Any]) -> list[Node]:
    """The nodes from which the values at these edges were made, newest first; sinks and outputs of other nodes are left out."""
    seen: set[Node] = set()
    stack = [edge for edge in edges if isinstance(edge, Node)]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            stack.extend([edge for edge in node.edges if isinstance(edge, Node)])
    return sorted([node for node in seen if type(node) is not OutputNode], key=lambda node: node.order)


def edge_pair(edge: Any) -> tuple[Any, int]:
    """An edge as ``next_functions`` shows it."""
    if edge is None:
        return (None, 0)
    if isinstance(edge, OutputNode):
        return (edge.edges[0], edge.index)
    if isinstance(edge, Node):
        return (edge, 0)
    return (accumulator(edge), 0)


def accumulator(leaf: Any) -> AccumulateGrad:
    """The AccumulateGrad of a leaf: the same object as long as somebody holds it."""
    extra = leaf._own_extra()
    node = extra.accumulator() if extra.accumulator is not None else None
    if node is None:
        node = AccumulateGrad(leaf)
        extra.accumulator = weakref.ref(node)
    return node
