"""User-defined nodes: ``Function``, with the context that its methods share.

``apply`` peels the levels of its arguments one by one (each transform opens one), runs ``forward`` once, on Tensors of the bottom
level, and puts the levels on again: at each, the outputs get a node (or, in forward mode, a tangent) that knows the same context with
the Tensors of that level. So a Function has its own derivative under every transform, in any nesting.
"""

from __future__ import annotations

import copy
import functools
import inspect
import weakref
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from .. import modes
from ..apply import mark_inference
from ..backend import backend_of
from ..errors import (
    ArgumentError,
    DtypeError,
    GraphError,
    NoDerivativeError,
    ShapeError,
    describe,
    freed,
)
from ..forward import make_dual
from ..graph import Node, edge_pair, next_order, output_node
from ..hooks import as_cotangent, as_tensor
from ..rules.declare import fit
from ..saved import unpacked
from ..tensor import Tensor, constant, continued, edge_of, level_of
from ..views import rebind

F = TypeVar("F", bound=Callable[..., Any])
Source = tuple[str, Any]
"""Where a saved Tensor comes from: ("input", number), ("output", number) or ("constant", the Tensor itself)."""


class FunctionCtx:
    """What ``forward`` leaves for ``backward`` and ``jvp``; any attribute may be set on it."""

    needs_input_grad: tuple[bool, ...] = ()
    """One for each argument of ``forward``: whether its gradient is wanted."""
    to_save: tuple[Tensor | None, ...] = ()
    saved_for_forward: tuple[Tensor | None, ...] = ()
    non_differentiable: tuple[Tensor, ...] = ()
    dirty_tensors: tuple[Tensor, ...] = ()
    materialize_grads = True
    _saved: Callable[[], tuple[Tensor | None, ...]] | None = None

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep Tensors (or None) for ``backward``, which finds them in ``saved_tensors``; they are freed with the graph."""
        self.to_save = _savable("save_for_backward", tensors)

    def save_for_forward(self, *tensors: Tensor | None) -> None:
        """Keep Tensors (or None) for ``jvp``, which finds them in ``saved_tensors``."""
        self.saved_for_forward = _savable("save_for_forward", tensors)

    def mark_dirty(self, *args: Tensor) -> None:
        """Say which arguments ``forward`` has changed in place; each has to be returned as an output."""
        self.dirty_tensors = args

    def mark_non_differentiable(self, *args: Tensor) -> None:
        """Say which outputs have no gradient; ``backward`` receives zeros for them."""
        self.non_differentiable = args

    def set_materialize_grads(self, value: bool) -> None:
        """Whether ``backward`` and ``jvp`` receive zeros (default) or None where there is no gradient or tangent."""
        self.materialize_grads = bool(value)

    @property
    def saved_tensors(self) -> tuple[Tensor | None, ...]:
        """The saved Tensors, with their history.

        Raises:
            GraphError: they have been freed by a backward pass without ``retain_graph``.
        """
        return () if self._saved is None else self._saved()


def _savable(where: str, tensors: tuple[Any, ...]) -> tuple[Tensor | None, ...]:
    for i, tensor in enumerate(tensors):
        if tensor is not None and not isinstance(tensor, Tensor):
            raise ArgumentError(
                f"{where} can only save variables, but argument {i} is of type {type(tensor).__name__}; keep anything else as an "
                f"attribute, ctx.name = value"
            )
    return tensors


class Function:
    """Base of operations with a derivative of the user's own.

    A subclass has static methods: ``forward(ctx, *args)``, or ``forward(*args)`` with ``setup_context(ctx, inputs, output)``;
    ``backward(ctx, *grad_outputs)`` (or ``vjp``, the same by another name), returning one gradient or None for each argument of
    ``forward``; and for forward mode ``jvp(ctx, *tangents)``, returning one tangent or None for each output. It is called as
    ``MyFunction.apply(*args)``.

        class Cube(Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x**3

            @staticmethod
            def backward(ctx, g):
                (x,) = ctx.saved_tensors
                return g * 3 * x**2

    ``forward`` receives Tensors, records nothing, and runs once, whatever transforms its arguments are in. What ``backward`` does
    is recorded when the gradient is itself to be differentiated.
    """

    generate_vmap_rule = False
    """Whether ``func.vmap`` may batch ``forward``, ``backward`` and ``jvp`` as they are; otherwise it needs ``vmap``."""

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Compute the output: a Tensor, or a tuple of Tensors and whatever else."""
        raise _not_implemented("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """Fill the context after ``forward``, where that does not take it itself."""
        raise _not_implemented("setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """The gradients of the arguments, given those of the outputs."""
        raise _not_implemented(
            "You must implement either the backward or vjp method for your custom autograd.Function to use it with backward mode AD."
        )

    vjp = backward
    """Another name for ``backward``."""

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:
        """The tangents of the outputs, given those of the arguments."""
        raise _not_implemented(
            "You must implement the jvp function for custom autograd.Function to use it with forward mode AD."
        )

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], *args: Any) -> Any:
        """The outputs for batched arguments, and the axes that are the batch in each: see ``polygrad.func.vmap``."""
        raise _not_implemented(
            "You must implement the vmap function (or set generate_vmap_rule) to use it with func.vmap."
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise GraphError(
            f"{type(self).__name__}: Legacy autograd function with non-static forward method is deprecated. Please use new-style "
            f"autograd function with static forward method: call {type(self).__name__}.apply(...)"
        )

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run ``forward`` and record the operation. Arguments that are no Tensors are passed on as they are."""
        if kwargs or cls.setup_context is not Function.setup_context:
            args = _positional(cls, args, kwargs)
        outcome = call(cls, args)
        return outcome.values[0] if outcome.single else tuple(outcome.values)


def _not_implemented(text: str) -> NoDerivativeError:
    return NoDerivativeError(text)


def _positional(function: type[Function], args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """The arguments of a call by position, defaults included, as ``setup_context`` and ``backward`` count them."""
    combined = function.setup_context is Function.setup_context
    signature = inspect.signature(function.forward)
    bound = signature.bind(None, *args, **kwargs) if combined else signature.bind(*args, **kwargs)
    bound.apply_defaults()
    if bound.kwargs:
        raise ArgumentError(
            f"{function.__name__}.apply: forward has keyword-only parameters ({', '.join(bound.kwargs)}), which have no place among the "
            f"gradients that backward returns; make them positional"
        )
    return bound.args[1:] if combined else bound.args


# -- running forward, level by level ----------------------------------------------------------------------------------
class Outcome:
    """What a call has given at one level: the output values, and what is known of the context, whatever the level."""

    __slots__ = (
        "attributes",
        "before",
        "ctx",
        "dirty",
        "forward_saves",
        "non_differentiable",
        "saves",
        "single",
        "values",
    )
    values: list[Any]
    single: bool
    ctx: FunctionCtx
    saves: tuple[Source | None, ...]
    forward_saves: tuple[Source | None, ...]
    attributes: dict[str, Source]
    """Attributes of the context that hold an argument or an output: each level has its own."""
    non_differentiable: frozenset[int]
    dirty: dict[int, int]
    """Which output is which argument, changed in place."""
    before: dict[int, Any]
    """The payloads of those arguments as they were."""

    def context(self, args: Sequence[Any], values: Sequence[Any]) -> FunctionCtx:
        """The context as the level sees it that has these arguments and outputs."""
        ctx = copy.copy(self.ctx)
        for name, source in self.attributes.items():
            setattr(ctx, name, _found(source, args, values))
        return ctx


def _found(source: Source | None, args: Sequence[Any], values: Sequence[Any]) -> Any:
    if source is None:
        return None
    kind, which = source
    return args[which] if kind == "input" else values[which] if kind == "output" else which


def call(function: type[Function], args: Sequence[Any], needs: tuple[bool, ...] | None = None) -> Outcome:
    """Run a Function on arguments of any levels."""
    tensors = [arg for arg in args if isinstance(arg, Tensor)]
    here = tuple([isinstance(arg, Tensor) and arg.requires_grad for arg in args])
    needs = here if needs is None else tuple([a or b for a, b in zip(needs, here, strict=True)])
    top = max(tensors, key=level_of, default=None)
    if top is None:
        return _forward(function, args, needs)
    level = top._frame.level
    if top._run_function is not None:
        return top._run_function(function, args, needs, top)  # type: ignore[no-any-return]
    below = call(function, [lowered(arg, level) for arg in args], needs) if level else _forward(function, args, needs)
    return _record(function, args, below, level)


def lowered(arg: Any, level: int) -> Any:
    """An argument without that level."""
    if level_of(arg) != level:
        return arg
    data = arg._data
    return data if isinstance(data, Tensor) else constant(data, arg._frame.backend.frame())


def lifted(value: Any, level: int, raw: bool) -> Any:
    """An output of the level below as a constant of that level; ``raw`` says that its payload may be a raw array."""
    if not isinstance(value, Tensor):
        return value
    if level == 0:
        return constant(value._data, value._frame)
    backend = value._frame.backend
    if raw and value._node is None and value._frame.level == 0:
        return constant(value._data, backend.frame(level, False))
    return constant(value, backend.frame(level, True))


def _forward(function: type[Function], args: Sequence[Any], needs: tuple[bool, ...]) -> Outcome:
    """Run ``forward`` on Tensors of the bottom level, recording nothing."""
    ctx = FunctionCtx()
    ctx.needs_input_grad = needs
    payloads = [getattr(arg, "_data", None) for arg in args]
    state = modes.current()
    token = modes.MODE.set(state.replace(grad=(False,) * len(state.grad)))
    try:
        if function.setup_context is Function.setup_context:
            result = function.forward(ctx, *args)
        else:
            result = function.forward(*args)
            function.setup_context(ctx, tuple(args), result)
    finally:
        modes.MODE.reset(token)
    outcome = Outcome()
    outcome.single = not isinstance(result, (tuple, list))
    outcome.values = [result] if outcome.single else list(result)
    outcome.dirty = {}
    for value in outcome.values:
        if level_of(value) > 0:
            raise GraphError(
                f"{function.__name__}.forward: an output depends on a Tensor of a transform ({describe(value)}) that is not among the "
                f"arguments, so that its derivative would be lost; pass it to apply as an argument"
            )
    for tensor in ctx.dirty_tensors:
        positions = [i for i, arg in enumerate(args) if arg is tensor]
        found = [j for j, value in enumerate(outcome.values) if value is tensor]
        if not positions or not found:
            raise GraphError(
                f"{function.__name__}.forward: Some elements marked as dirty during the forward method were not returned as output. The "
                f"inputs that are modified inplace must all be outputs of the Function."
            )
        outcome.dirty[found[0]] = positions[0]
    outcome.before = {i: payloads[i] for i in outcome.dirty.values()}

    def source(tensor: Any) -> Source | None:
        if tensor is None:
            return None
        outputs = [j for j, value in enumerate(outcome.values) if value is tensor]
        inputs = [i for i, arg in enumerate(args) if arg is tensor]
        if outputs and (outputs[0] in outcome.dirty or not inputs):
            return ("output", outputs[0])
        return ("input", inputs[0]) if inputs else ("constant", tensor)

    outcome.saves = tuple([source(tensor) for tensor in ctx.to_save])
    outcome.forward_saves = tuple([source(tensor) for tensor in ctx.saved_for_forward])
    outcome.non_differentiable = frozenset(
        [j for j, value in enumerate(outcome.values) if any(value is tensor for tensor in ctx.non_differentiable)]
    )
    for name in ("to_save", "saved_for_forward", "non_differentiable", "dirty_tensors"):
        ctx.__dict__.pop(name, None)
    outcome.attributes = {}
    for name, value in ctx.__dict__.items():
        if isinstance(value, Tensor) and (known := source(value)) is not None and known[0] != "constant":
            outcome.attributes[name] = known
    outcome.ctx = ctx
    return outcome


def _record(function: type[Function], args: Sequence[Any], outcome: Outcome, level: int) -> Outcome:
    """The outcome at a level of reverse mode: its outputs are constants there, or have a node."""
    out = copy.copy(outcome)
    raw = all(level_of(arg) in (-1, level) and not (level_of(arg) == level and arg._frame.lifted) for arg in args)
    out.values = [lifted(value, level, raw) for value in outcome.values]
    state = modes.current()
    where = [i for i, arg in enumerate(args) if isinstance(arg, Tensor)]
    edges = [edge_of(args[i]) if args[i]._frame.level == level else None for i in where]
    differentiable = [
        j for j, value in enumerate(out.values)
        if level_of(value) == level and value.dtype in value._frame.floating and j not in out.non_differentiable
    ]  # fmt: skip
    for i in out.dirty.values():
        if edges[where.index(i)] is args[i] and state.records(level):
            if level == 0:
                args[i]._set_data(out.before[i])  # as it was before forward wrote to it
            raise GraphError(
                f"{function.__name__}.apply: a leaf Variable that requires grad has been used in an in-place operation: argument {i}, "
                f"{describe(args[i])}"
            )
    if any(edge is not None for edge in edges) and differentiable and state.records(level):
        node = _node_class(function)()
        node.edges, node.where = tuple(edges), tuple(where)
        node.expected = tuple([(tuple(args[i].shape), args[i].dtype) for i in where])
        node.frame = next(
            args[i]._frame for i in where if args[i]._frame.level == level and edge_of(args[i]) is not None
        )
        node.extra, node.static, node.order = None, None, next_order()
        node.outputs, node.number = len(out.values), len(args)
        node.made = tuple([_made(value) for value in out.values])
        node.differentiable = frozenset(differentiable)
        node.sources = out.saves
        found = [_found(source, args, out.values) for source in out.saves]
        node.saved = tuple([f._data if s and s[0] != "constant" else f for s, f in zip(out.saves, found, strict=True)])
        for j in differentiable:
            out.values[j]._node = node if node.outputs == 1 else output_node(node, j)
        node.ctx = out.context(args, out.values)
        node.ctx.needs_input_grad = tuple([i in where and edges[where.index(i)] is not None for i in range(len(args))])
        owner = weakref.ref(node)
        node.ctx._saved = lambda: _saved_of(owner)
        for observer in state.observers:
            observer(node)
    for j, i in out.dirty.items():
        if level_of(args[i]) == level:
            out.values[j] = rebind(args[i], out.values[j])
    if state.inference:
        mark_inference([value for value in out.values if isinstance(value, Tensor)])
    return out


def _made(value: Any) -> Any:
    """What is needed to make zeros like an output."""
    return (value._frame, tuple(value.shape), value.dtype, value.device) if isinstance(value, Tensor) else None


def run_dual(function: type[Function], args: Sequence[Any], needs: tuple[bool, ...], top: Tensor) -> Outcome:
    """Run a Function at a level of forward mode: on the primals, with ``jvp`` for the tangents."""
    level = top._frame.level
    mine = [level_of(arg) == level for arg in args]
    primals = [arg._data if own else arg for arg, own in zip(args, mine, strict=True)]
    tangents = [arg._node if own else None for arg, own in zip(args, mine, strict=True)]
    outcome = call(function, primals, needs)
    results: list[Any] = [None] * len(outcome.values)
    if any(tangent is not None for tangent in tangents):
        ctx = outcome.context(primals, outcome.values)
        saved = tuple([_found(source, primals, outcome.values) for source in outcome.forward_saves])
        ctx._saved = lambda: saved
        if ctx.materialize_grads:
            tangents = [
                p._frame.namespace.zeros_like(p) if t is None and isinstance(p, Tensor) else t
                for p, t in zip(primals, tangents, strict=True)
            ]
        given = function.jvp(ctx, *tangents)
        results = list(given) if isinstance(given, (tuple, list)) else [given]
        if len(results) != len(outcome.values):
            raise GraphError(
                f"{function.__name__}.jvp: returned an incorrect number of tangents (expected {len(outcome.values)}, got {len(results)}): "
                f"one, or None, for each output of forward"
            )
    out = copy.copy(outcome)
    out.values = []
    for j, (value, tangent) in enumerate(zip(outcome.values, results, strict=True)):
        if not isinstance(value, Tensor):
            out.values.append(value)
            continue
        if tangent is not None and (j in outcome.non_differentiable or value.dtype not in value._frame.floating):
            tangent = None
        if tangent is not None and (
            not isinstance(tangent, Tensor)
            or tuple(tangent.shape) != tuple(value.shape)
            or tangent.dtype != value.dtype
        ):
            raise ShapeError(
                f"{function.__name__}.jvp: returned an invalid tangent at index {j} - got {describe(tangent)} for an output "
                f"{describe(value)}; they have to have the same shape and dtype"
            )
        out.values.append(make_dual(value, tangent, level))
    for j, i in out.dirty.items():
        if mine[i]:
            out.values[j] = rebind(args[i], out.values[j])
    return out


# -- the node -----------------------------------------------------------------------------------------------------------
class FunctionNode(Node):
    """A node of a user's Function. Attributes that it has not itself are those of the context."""

    __slots__ = ("ctx", "differentiable", "expected", "made", "number", "outputs", "sources", "where")
    function: type[Function]
    ctx: FunctionCtx
    where: tuple[int, ...]
    """Which argument each edge belongs to: the Tensors among them."""
    expected: tuple[tuple[tuple[int, ...], Any], ...]
    """Shape and dtype of each."""
    made: tuple[Any, ...]
    differentiable: frozenset[int]
    sources: tuple[Source | None, ...]
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
        has_backward = function.backward is not Function.backward
        if has_backward and function.vjp is not Function.vjp:
            raise GraphError(
                f"{function.__name__}: Implementing both 'backward' and 'vjp' for a custom Function is not allowed. You should only "
                f"implement one of them."
            )
        pullback = function.backward if has_backward else function.vjp
        state = modes.current()
        recorded = (*state.grad, *(True,) * (frame.level - len(state.grad)))[: frame.level]
        token = modes.MODE.set(state.replace(grad=(*recorded, create_graph)))
        try:
            result = pullback(ctx, *grads)
        finally:
            modes.MODE.reset(token)
        return [as_cotangent(part, frame, create_graph) for part in self._checked(result, edges, create_graph)]

    def _zeros(self, j: int) -> Any:
        if self.made[j] is None:
            return None
        frame, shape, dtype, device = self.made[j]
        return as_tensor(frame.raw.zeros(shape, dtype=dtype, device=device), frame)

    def _checked(self, result: Any, edges: Sequence[Any], create_graph: bool) -> list[Any]:
        """What the user's function has returned as one cotangent for each edge."""
        name = self.name()
        given = list(result) if isinstance(result, (tuple, list)) else [result]
        if len(given) > self.number and all(part is None for part in given[self.number :]):
            del given[self.number :]
        if len(given) != self.number:
            raise GraphError(
                f"function {name} returned an incorrect number of gradients (expected {self.number}, got {len(given)}): one, or None, "
                f"for each argument of forward"
            )
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


def _saved_of(owner: Callable[[], FunctionNode | None]) -> tuple[Tensor | None, ...]:
    """The saved Tensors of a node, going on from where they were."""
    node = owner()
    if node is None:
        raise GraphError("saved_tensors: the graph that this context belongs to is gone")
    if node.saved is None:
        raise freed(node.name())
    tensors: list[Any] = []
    for source, value in zip(node.sources, unpacked(node.saved), strict=True):
        if source is None or source[0] == "constant":
            tensors.append(value)
            continue
        kind, which = source
        if kind == "output":
            edge = None
            if which in node.differentiable:
                edge = node if node.outputs == 1 else output_node(node, which)
        else:
            edge = node.edges[node.where.index(which)]
        if isinstance(edge, Tensor) and edge._data is value:
            tensors.append(edge)  # the leaf itself
        else:
            frame = node.frame.backend.frame(node.frame.level, isinstance(value, Tensor))
            tensors.append(constant(value, frame) if edge is None else continued(value, frame, edge))
    return tuple(tensors)


def _expandable(shape: tuple[int, ...], wide: tuple[int, ...]) -> bool:
    """Whether an array of ``shape`` broadcasts to ``wide``."""
    return len(shape) <= len(wide) and all(n in (1, m) for n, m in zip(shape[::-1], wide[::-1], strict=False))


def _node_class(function: type[Function]) -> Any:
    """The class of a Function's nodes. It is held by the Function, so that both can go."""
    made = function.__dict__.get("_backward_cls")
    if made is None:
        members = {"__slots__": (), "function": function, "__module__": function.__module__}
        made = type(f"{function.__name__}Backward", (FunctionNode,), members)
        function._backward_cls = made  # type: ignore[attr-defined]
    return made


# -- derivatives that cannot be differentiated -------------------------------------------------------------------------
class DelayedError(Node):
    """Stands behind a result that may be used, but not differentiated: ``static`` is the text of the error."""

    __slots__ = ()

    def pull(self, xp: Any, g: Any, edges: tuple[Any, ...], saved: tuple[Any, ...]) -> Sequence[Any]:
        raise GraphError(self.static)


def once_differentiable(function: F) -> F:
    """Decorates a ``backward`` whose result must not be differentiated: it records nothing, and asking for a second derivative raises.

    It raises also where the gradient that came in is a constant, so that no second derivative is silently incomplete.
    """

    @functools.wraps(function)
    def wrapper(ctx: Any, *args: Any) -> Any:
        recording = modes.is_grad_enabled()
        with modes.no_grad():
            result = function(ctx, *args)
        if not recording:
            return result
        several = isinstance(result, (tuple, list))
        out: list[Any] = []
        for part in result if several else [result]:
            if isinstance(part, Tensor):
                node = DelayedError()
                node.edges = tuple([edge_of(arg) for arg in (*args, *ctx.saved_tensors) if isinstance(arg, Tensor)])
                node.saved, node.extra, node.frame, node.order = (), None, part._frame, next_order()
                node.static = f"trying to differentiate twice a function that was marked with @once_differentiable: {function.__qualname__}"
                part = constant(part._data, part._frame) if not node.edges else continued(part._data, part._frame, node)
            out.append(part)
        return tuple(out) if several else out[0]

    return wrapper  # type: ignore[return-value]
