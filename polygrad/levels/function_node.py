"""The node of a user's Function: it runs ``backward``, and checks what that returns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..backend.select import backend_of
from ..core import modes
from ..core.graph import Node, edge_pair
from ..core.saved import seen
from ..core.sites import located
from ..core.tensor import Tensor, constant, level_of
from ..engine.hooks import as_cotangent, as_tensor, mark_lazy
from ..errors import ArgumentError, DtypeError, GraphError, ShapeError, freed
from ..rules.declare import fit
from .function import Function, FunctionCtx


class FunctionNode(Node):
    """A node of a user's Function. Attributes that it has not itself are those of the context."""

    __slots__ = ("ctx", "expected", "made", "number", "outputs", "saves", "where")
    function: type[Function]
    ctx: FunctionCtx
    where: tuple[int, ...]
    """The argument of each edge: the Tensors among the arguments."""
    expected: tuple[tuple[tuple[int, ...], Any], ...]
    """Shape and dtype of each."""
    made: tuple[Any, ...]
    number: int

    def __getattr__(self, name: str) -> Any:
        if name in FunctionNode.__slots__ or name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.ctx, name)

    def pull(self, xp: Any, g: Any, edges: tuple[Any, ...], saved: tuple[Any, ...]) -> Sequence[Any]:
        function, frame, ctx = self.function, self.frame, self.ctx
        parts = g if self.outputs != 1 else [g]
        create_graph = any(level_of(part) >= frame.level for part in parts)
        grads = [
            as_tensor(part, frame) if part is not None else self._zeros(j) if ctx.materialize_grads else None
            for j, part in enumerate(parts)
        ]
        state = modes.current()
        recorded = (*state.grad, *(True,) * (frame.level - len(state.grad)))[: frame.level]
        token = modes.MODE.set(state.replace(grad=(*recorded, create_graph or None)))
        try:
            result = pullback(function)(ctx, *grads)
        finally:
            modes.MODE.reset(token)
        return mark_lazy(
            [as_cotangent(part, frame, create_graph) for part in self._checked(result, edges, create_graph)], frame
        )

    def _zeros(self, j: int) -> Any:
        if self.made[j] is None:
            return None
        frame, shape, dtype, device = self.made[j]
        return as_tensor(frame.raw.zeros(shape, dtype=dtype, device=device), frame)

    def _checked(self, result: Any, edges: Sequence[Any], create_graph: bool) -> list[Any]:
        """Return what the user's function returned as one cotangent for each edge."""
        name = self.name()
        given = one_for_each(result, self.number, name)
        for i, part in enumerate(given):
            if part is not None and i not in self.where:
                raise GraphError(
                    f"function {name} returned a gradient different than None at position {i + 1}, but the corresponding forward input "
                    f"was not a Variable"
                )
        parts: list[Any] = []
        for edge, i, (shape, dtype) in zip(edges, self.where, self.expected, strict=True):
            part = given[i]
            if part is None or edge is None:
                parts.append(None)
                continue
            if not isinstance(part, Tensor):
                backend = backend_of(part)
                if backend is not self.frame.backend:
                    raise ArgumentError(
                        f"function {name}: expected Variable or None (got {type(part).__name__}) at index {i}"
                    )
                part = constant(part, backend.frame())
            xp, floating = part._frame.namespace, self.frame.floating
            if tuple(part.shape) != shape:
                if not _expandable(shape, tuple(part.shape)):
                    raise ShapeError(
                        f"Function {name} returned an invalid gradient at index {i} - got {list(part.shape)} but expected shape compatible "
                        f"with {list(shape)}"
                    )
                part = fit(xp, part, shape)
            if part.dtype != dtype:
                if part.dtype in self.frame.complex and dtype in floating and dtype not in self.frame.complex:
                    raise DtypeError(
                        f"Function {name} returned an invalid gradient at index {i} - got dtype {part.dtype} for an input of dtype "
                        f"{dtype}; take its real part"
                    )
                part = xp.astype(part, dtype)
            parts.append(part)
        return parts

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        return tuple([edge_pair(edge) for edge in self.edges])


def pullback(function: type[Function]) -> Callable[..., Any]:
    """``backward`` of a Function, under whichever of its names it was given.

    Raises:
        GraphError: under both.
    """
    if function.backward is Function.backward:
        return function.vjp
    if function.vjp is not Function.vjp:
        raise GraphError(
            f"{function.__name__}: Implementing both 'backward' and 'vjp' for a custom Function is not allowed. You should only "
            f"implement one of them."
        )
    return function.backward


def one_for_each(result: Any, number: int, name: str) -> list[Any]:
    """Return what ``backward`` returned as a list with an entry for each argument.

    Raises:
        GraphError: there are more or fewer.
    """
    given = list(result) if isinstance(result, (tuple, list)) else [result]
    if len(given) > number and all(part is None for part in given[number:]):
        del given[number:]
    if len(given) != number:
        raise GraphError(
            f"function {name} returned an incorrect number of gradients (expected {number}, got {len(given)}): one, or None, for each "
            f"argument of forward"
        )
    return given


def saved_of(owner: Callable[[], FunctionNode | None]) -> tuple[Tensor | None, ...]:
    """The saved Tensors of a node, going on from where they were."""
    node = owner()
    if node is None:
        raise GraphError("saved_tensors: the graph that this context belongs to is gone")
    if node.saved is None:
        raise located(freed(node.name()), node)
    return tuple([seen(node, source, value) for source, value in zip(node.saves, node.saved, strict=True)])


def _expandable(shape: tuple[int, ...], wide: tuple[int, ...]) -> bool:
    """Return whether an array of ``shape`` broadcasts to ``wide``."""
    return len(shape) <= len(wide) and all(n in (1, m) for n, m in zip(shape[::-1], wide[::-1], strict=False))


def node_class(function: type[Function]) -> Any:
    """The class of a Function's nodes. It is held by the Function, so that both can go."""
    made = function.__dict__.get("_backward_cls")
    if made is None:
        members = {"__slots__": (), "function": function, "__module__": function.__module__}
        made = type(f"{function.__name__}Backward", (FunctionNode,), members)
        function._backward_cls = made  # type: ignore[attr-defined]
    return made
