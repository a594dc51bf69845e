"""The state of one backward pass beside its loop: when a leaf is complete, and which hooks run when.

The order is torch's. A hook sees the gradients of every leaf that is complete by then. So from the first hook on, leaves are
completed in the middle of the pass: a leaf is complete when the oldest of the operations that use it has run. As long as no
hook runs nobody can tell, and all leaves are completed at the end, at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from heapq import heappush
from typing import Any

from ..core.graph import Lazy, Node, NodeExtra
from ..core.modes import set_grad_enabled
from ..core.tensor import Tensor
from .accumulation import Ownership, add_to_grad, refuse_shape, retain
from .hooks import run_posthooks, run_prehooks, run_tensor_hooks

RUNNING: ContextVar[Pass | None] = ContextVar("polygrad_pass", default=None)
"""The pass whose hook runs now."""


def _by_output(hooks: list[tuple[int, Any]]) -> list[tuple[int, Any]]:
    """Sort the hooks of a node by output; the output whose first hook was registered first comes first."""
    turns = {index: turn for turn, (index, _) in reversed(list(enumerate(hooks)))}
    return sorted(hooks, key=lambda hook: turns[hook[0]])


class Pass:
    """The state of one pass. ``heap``, ``grads`` and ``needed`` are those of its loop."""

    def __init__(
        self,
        roots: list[Any],
        heap: list[tuple[Any, Node]],
        grads: dict[Any, Any],
        needed: dict[Node, tuple[Any, ...]] | None,
        create_graph: bool,
        accumulates: bool,
        foreign: tuple[Any, ...],
    ) -> None:
        self.roots = roots
        self.heap = heap
        self.grads = grads
        self.needed = needed
        self.create_graph = create_graph
        self.accumulates = accumulates
        self.ownership = Ownership(foreign)
        self.surveyed = False
        self.results: dict[Any, Any] = {}
        """The cotangents of leaves, after their hooks, where nothing is accumulated."""
        self.at_end: list[Any] = []
        """Functions that hooks want called when the pass is over."""
        self._reached: set[Any] | None = None

    # -- leaves ---------------------------------------------------------------------------------------------------
    def arrived(self, leaf: Any, order: float) -> None:
        """Note the first cotangent of a leaf, from a node of that order. If the leaf has hooks, a survey becomes due."""
        if not self.surveyed:
            self.surveyed = True
            self._push(Survey(self, leaf._frame, order))

    def survey(self, nodes: Sequence[Node]) -> list[Any]:
        """Schedule the completion of each leaf that ``nodes``, and what is behind them, may still reach: right after the last such node.

        Returns the leaves that none of them can reach, which are complete.
        """
        self.surveyed = True
        seen = set(nodes)
        stack = list(nodes)
        last: dict[Any, tuple[float, int]] = {}
        while stack:
            node = stack.pop()
            edges = node.edges if self.needed is None else self.needed.get(node, ())
            for i, edge in enumerate(edges):
                if edge is None:
                    continue
                if isinstance(edge, Node):
                    if edge not in seen:
                        seen.add(edge)
                        stack.append(edge)
                elif edge not in last or (node.order, i) > last[edge]:
                    last[edge] = (node.order, i)
        for i, (leaf, (after, _)) in enumerate(sorted(last.items(), key=lambda item: item[1])):
            self._push(Completion(self, leaf, after, i))
        return [edge for edge in self.grads if isinstance(edge, Tensor) and edge not in last]

    def _push(self, task: Task) -> None:
        self.grads[task] = None
        if self.needed is not None:
            self.needed[task] = (None,)
        heappush(self.heap, (task.order, task))

    def complete(self, leaf: Any, g: Any) -> None:
        """Complete a leaf that has its whole gradient: run its hooks, and add the gradient to ``grad``."""
        if isinstance(g, Lazy):
            g = g.dense()
        extra, frame, create_graph = leaf._extra, leaf._frame, self.create_graph
        token = RUNNING.set(self)
        try:
            if extra is not None and extra.hooks:
                g = run_tensor_hooks(list(extra.hooks.values()), g, frame, create_graph)
            if not self.accumulates:
                self.results[leaf] = g
                return
            node = extra.node if extra is not None else None
            if node is not None and node.pre:
                (g,) = run_prehooks(list(node.pre.values()), [g], frame, create_graph)
            if g is not None:
                g = self.ownership.own(leaf, g, create_graph)
                add_to_grad([(leaf, g)], create_graph)
            if extra is not None and extra.post_accumulate:
                with set_grad_enabled(create_graph):
                    for hook in list(extra.post_accumulate.values()):
                        hook(leaf)
            if node is not None and node.post:
                run_posthooks(list(node.post.values()), (), [g], frame, create_graph)
        finally:
            RUNNING.reset(token)

    def finish(self) -> dict[Any, Any]:
        """Complete the remaining leaves. Returns the cotangents of leaves where nothing is accumulated."""
        if self.grads:
            if not self.accumulates:
                self.results.update(make_dense(self.grads))
            else:
                settle(self.grads, self.ownership, self.create_graph)
            self.grads.clear()
        for callback in self.at_end:
            callback()
        return self.results

    # -- hooks of nodes -------------------------------------------------------------------------------------------
    def before(self, node: Node, g: Any) -> Any:
        """Run what comes before a node: hooks of its outputs, ``retain_grad``, and its prehooks if the node itself is to run."""
        extra: NodeExtra = node.extra  # type: ignore[assignment]
        frame, create_graph = node.frame, self.create_graph
        if isinstance(g, Lazy):
            g = g.dense()
        if not self.surveyed and (extra.tensor or extra.pre or extra.post):
            for leaf in self.survey([node, *[waiting for _, waiting in self.heap]]):
                self.complete(leaf, self.grads.pop(leaf))
        several = node.outputs != 1
        outputs = list(g) if several else [g]
        token = RUNNING.set(self)
        try:
            for index, hook in _by_output(list(extra.tensor.values())) if several else list(extra.tensor.values()):
                outputs[index] = run_tensor_hooks((hook,), outputs[index], frame, create_graph)
            for index, reference in extra.retain.items() if extra.retain else ():
                tensor = reference()
                if tensor is not None and outputs[index] is not None:
                    retain(tensor, outputs[index], create_graph)
            if extra.pre and (self.needed is None or self.needed.get(node)):
                outputs = run_prehooks(list(extra.pre.values()), outputs, frame, create_graph)
        finally:
            RUNNING.reset(token)
        return outputs if several else outputs[0]

    def after(self, node: Node, parts: Sequence[Any], g: Any) -> Sequence[Any]:
        """Run the hooks of a node after it."""
        extra: NodeExtra = node.extra  # type: ignore[assignment]
        if not extra.post:
            return parts
        inputs = [part.dense() if isinstance(part, Lazy) else part for part in parts]
        outputs = g if node.outputs != 1 else [g]
        token = RUNNING.set(self)
        try:
            return run_posthooks(list(extra.post.values()), inputs, outputs, node.frame, self.create_graph)
        finally:
            RUNNING.reset(token)

    def reaches(self, edge: Any) -> bool:
        """Return True if the pass comes to an edge, whatever gradient it has there."""
        if self._reached is None:
            reached = set(self.roots)
            stack = [edge for edge in self.roots if isinstance(edge, Node)]
            while stack:
                node = stack.pop()
                for behind in node.edges if self.needed is None else self.needed.get(node, ()):
                    if behind is not None and behind not in reached:
                        reached.add(behind)
                        if isinstance(behind, Node):
                            stack.append(behind)
            self._reached = reached
        return edge in self._reached


def make_dense(grads: dict[Any, Any]) -> dict[Any, Any]:
    """Return the cotangents of leaves as arrays."""
    found = {}
    for leaf, g in grads.items():
        found[leaf] = g = g.dense() if isinstance(g, Lazy) else g
        if g.shape != leaf._data.shape:
            refuse_shape(leaf, g)
    return found


def settle(grads: dict[Any, Any], ownership: Ownership, create_graph: bool) -> dict[Any, Any]:
    """Add the cotangents of leaves to their ``grad``. Returns an empty dictionary."""
    own = ownership.own
    add_to_grad(
        [(leaf, own(leaf, g.dense() if isinstance(g, Lazy) else g, create_graph)) for leaf, g in grads.items()],
        create_graph,
    )
    return {}


def has_hooks(leaf: Any) -> bool:
    """Return True if a leaf has hooks, so that it matters when it is complete."""
    extra = leaf._extra
    node = extra.node
    return bool(extra.hooks or extra.post_accumulate or (node is not None and (node.pre or node.post)))


class Task(Node):
    """Piece of work that the loop does in its turn as if it were a node."""

    __slots__ = ("number", "task")

    def __init__(self, task: Pass, frame: Any, order: float, number: int) -> None:
        self.task, self.frame, self.order, self.number = task, frame, order, number  # type: ignore[assignment]
        self.edges, self.saved, self.extra, self.static = (None,), (), None, None

    def __lt__(self, other: Any) -> bool:
        return self.number < other.number if isinstance(other, Task) else True


class Survey(Task):
    """Task that finds out when leaves are complete, once a leaf with hooks has been reached."""

    __slots__ = ()

    def __init__(self, task: Pass, frame: Any, order: float) -> None:
        super().__init__(task, frame, order + 0.25, 0)

    def pull(self, xp: Any, g: Any, edges: tuple[Any, ...], saved: tuple[Any, ...]) -> Sequence[Any]:
        """Run the survey."""
        task = self.task
        for i, leaf in enumerate(task.survey([node for _, node in task.heap])):
            task._push(Completion(task, leaf, self.order, i))
        return ()


class Completion(Task):
    """Task that completes a leaf right after the oldest operation that uses it."""

    __slots__ = ("leaf",)

    def __init__(self, task: Pass, leaf: Any, after: float, number: int) -> None:
        super().__init__(task, leaf._frame, after + 0.5, number)
        self.leaf = leaf

    def name(self) -> str:
        """Return torch's name for the end of the graph at a leaf."""
        return "AccumulateGrad"

    def pull(self, xp: Any, g: Any, edges: tuple[Any, ...], saved: tuple[Any, ...]) -> Sequence[Any]:
        """Complete the leaf."""
        g = self.task.grads.pop(self.leaf, None)
        if g is not None:
            self.task.complete(self.leaf, g)
        return ()
