"""Running a user's Function, level by level.

``call`` peels the levels off the arguments one by one (each transform opens one), runs ``forward`` once, on Tensors of the
bottom level, and puts the levels on again: at each, the outputs get a node, or, in forward mode, a tangent, or, inside ``vmap``,
become examples of a batch; and the context that was filled at the bottom is seen there with the arguments and outputs of that
level. So a Function has its own derivative under every transform, in any nesting.
"""

from __future__ import annotations

import copy
import weakref
from collections.abc import Sequence
from typing import Any, NamedTuple

from ..core import modes
from ..core.dispatch import mark_inference
from ..core.graph import next_order, output_node
from ..core.inplace import rebind
from ..core.tensor import Tensor, edge_of, level_of
from ..errors import ArgumentError, GraphError, ShapeError, describe
from ..rules.declare import fit
from .batched import Batched, make_batched
from .dual import make_dual
from .function import Function, FunctionCtx
from .function_node import node_class, one_for_each, pullback, saved_of
from .level import lifted, lowered, new_level

Source = tuple[str, Any]
"""Where a saved Tensor comes from: ("input", number), ("output", number) or ("constant", the Tensor itself)."""


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


def call(
    function: type[Function], args: Sequence[Any], needs: tuple[bool, ...] | None = None, below: bool = False
) -> Outcome:
    """Run a Function on arguments of any levels. ``below`` says that a level above will ask for the context."""
    tensors = [arg for arg in args if isinstance(arg, Tensor)]
    here = tuple([isinstance(arg, Tensor) and arg.requires_grad for arg in args])
    needs = here if needs is None else tuple([a or b for a, b in zip(needs, here, strict=True)])
    top = max(tensors, key=level_of, default=None)
    if top is None:
        return _forward(function, args, needs)
    level = top._frame.level
    if top._run_function is not None:
        return top._run_function(function, args, needs, top, below)  # type: ignore[no-any-return]
    if level == 0:
        return _record(function, args, _forward(function, args, needs), level)
    return _record(function, args, call(function, [lowered(arg, level) for arg in args], needs, True), level)


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
    return _outcome(function, args, payloads, ctx, result)


def _outcome(
    function: type[Function], args: Sequence[Any], payloads: Sequence[Any], ctx: FunctionCtx, result: Any
) -> Outcome:
    """What is known after ``forward``. ``payloads`` are those of the arguments before it ran."""
    outcome = Outcome()
    outcome.single = not isinstance(result, (tuple, list))
    outcome.values = [result] if outcome.single else list(result)
    outcome.dirty = {}
    base = max([0, *map(level_of, args)])
    for value in outcome.values:
        if level_of(value) > base:
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
        node = node_class(function)()
        node.edges, node.where = tuple(edges), tuple(where)
        node.expected = tuple([(tuple(args[i].shape), args[i].dtype) for i in where])
        node.frame = next(
            args[i]._frame for i in where if args[i]._frame.level == level and edge_of(args[i]) is not None
        )
        node.extra, node.static, node.order = None, None, next_order()
        node.outputs, node.number = len(out.values), len(args)
        node.made = tuple([_made(value) for value in out.values])
        found = [_place(source, where, differentiable) for source in out.saves]
        held = [_found(source, args, out.values) for source in out.saves]
        node.saves = tuple(found)
        node.saved = tuple([
            None if value is None else value.detach() if place is None else value._data if level_of(value) == level else value
            for place, value in zip(found, held, strict=True)
        ])  # fmt: skip
        for j in differentiable:
            out.values[j]._node = node if node.outputs == 1 else output_node(node, j)
        node.ctx = out.context(args, out.values)
        node.ctx.needs_input_grad = tuple([i in where and edges[where.index(i)] is not None for i in range(len(args))])
        owner = weakref.ref(node)
        node.ctx._saved = lambda: saved_of(owner)
        for observer in state.observers:
            observer(node)
    for j, i in out.dirty.items():
        if level_of(args[i]) == level:
            out.values[j] = rebind(args[i], out.values[j])
    if state.inference:
        mark_inference([value for value in out.values if isinstance(value, Tensor)])
    return out


def _place(source: Source | None, where: Sequence[int], differentiable: Sequence[int]) -> int | None:
    """A saved Tensor as nodes count (see ``Node.saves``): an edge, an output, or, of what has no history, None."""
    if source is None or source[0] == "constant":
        return None
    if source[0] == "input":
        return where.index(source[1])
    return -1 - source[1] if source[1] in differentiable else None


def _made(value: Any) -> Any:
    """What is needed to make zeros like an output."""
    return (value._frame, tuple(value.shape), value.dtype, value.device) if isinstance(value, Tensor) else None


# -- forward mode ---------------------------------------------------------------------------------------------------
def run_dual(
    function: type[Function], args: Sequence[Any], needs: tuple[bool, ...], top: Tensor, below: bool
) -> Outcome:
    """Run a Function at a level of forward mode: on the primals, with ``jvp`` for the tangents."""
    level = top._frame.level
    mine = [level_of(arg) == level for arg in args]
    primals = [arg._data if own else arg for arg, own in zip(args, mine, strict=True)]
    tangents = [arg._node if own else None for arg, own in zip(args, mine, strict=True)]
    outcome = call(function, primals, needs, True)
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


# -- batches ----------------------------------------------------------------------------------------------------------
class VmapInfo(NamedTuple):
    """What ``Function.vmap`` is told of the ``func.vmap`` that it is in."""

    batch_size: int
    randomness: str


def run_batched(
    function: type[Function], args: Sequence[Any], needs: tuple[bool, ...], top: Tensor, below: bool
) -> Outcome:
    """Run a Function at a level of ``vmap``: by its own ``vmap``, or by its methods run on the batch."""
    level, size = top._frame.level, top._data.shape[0]
    mine = tuple([level_of(arg) == level for arg in args])
    payloads = [arg._data if own else arg for arg, own in zip(args, mine, strict=True)]
    own_rule = function.vmap is not Function.vmap
    if own_rule and function.generate_vmap_rule:
        raise ArgumentError(
            f"You tried to vmap over {function.__name__}, but it has both generate_vmap_rule=True and an overridden vmap staticmethod. "
            f"Please set generate_vmap_rule=False or delete the overridden vmap staticmethod to avoid ambiguity."
        )
    if own_rule:
        return _by_vmap(function, args, payloads, mine, needs, level, size, below)
    if not function.generate_vmap_rule:
        raise GraphError(
            f"You tried to vmap over {function.__name__}, but it does not have vmap support. Please override and implement the vmap "
            f"staticmethod or, if its methods consist of operations of polygrad, set generate_vmap_rule=True."
        )
    inner: list[Outcome] = []
    whole = call(_rule(function, mine), (inner, level, size, *payloads), (False, False, False, *needs))
    out = copy.copy(inner[0])
    out.values = [make_batched(value, level) if isinstance(value, Tensor) else value for value in whole.values]
    for j, i in out.dirty.items():
        if mine[i]:
            out.values[j] = rebind(args[i], out.values[j])
    return out


def _by_vmap(
    function: type[Function], args: Sequence[Any], payloads: Sequence[Any], mine: tuple[bool, ...], needs: tuple[bool, ...],
    level: int, size: int, below: bool,
) -> Outcome:  # fmt: skip
    info = VmapInfo(size, getattr(modes.current().draw, "randomness", "error"))
    returned = function.vmap(info, tuple([0 if own else None for own in mine]), *payloads)
    if not isinstance(returned, tuple) or len(returned) != 2:
        raise ArgumentError(
            f"{function.__name__}.vmap: has to return a pair (outputs, out_dims), got {describe(returned)}"
        )
    outputs, dims = returned
    single = not isinstance(outputs, (tuple, list))
    listed = [outputs] if single else list(outputs)
    axes = list(dims) if isinstance(dims, (tuple, list)) else [dims] * len(listed)
    if len(axes) != len(listed):
        raise ArgumentError(
            f"{function.__name__}.vmap: {len(listed)} outputs and {len(axes)} out_dims; there has to be one for each"
        )
    values = []
    for value, axis in zip(listed, axes, strict=True):
        if axis is not None and isinstance(value, Tensor):
            value = make_batched(value._frame.namespace.moveaxis(value, axis, 0) if axis else value, level)
        values.append(value)
    if not below:
        out = Outcome()
        out.values, out.single, out.dirty, out.non_differentiable = values, single, {}, frozenset()
        return out
    # A level above goes on from an example, so it needs the context of one.
    if function.setup_context is Function.setup_context:
        out = _forward(function, args, needs)
    else:
        ctx = FunctionCtx()
        ctx.needs_input_grad = needs
        state = modes.current()
        token = modes.MODE.set(state.replace(grad=(False,) * len(state.grad)))
        try:
            function.setup_context(ctx, tuple(args), values[0] if single else tuple(values))
        finally:
            modes.MODE.reset(token)
        out = _outcome(function, args, [], ctx, values[0] if single else tuple(values))
    out.values = values
    return out


def _rule(function: type[Function], mine: tuple[bool, ...]) -> type[Function]:
    """The Function that does for a whole batch what ``function`` does for an example; ``mine`` says which arguments are batched."""
    rules: dict[tuple[bool, ...], type[Function]] | None = function.__dict__.get("_batched_rules")
    if rules is None:
        rules = {}
        function._batched_rules = rules  # type: ignore[attr-defined]
    if mine not in rules:
        rules[mine] = _make_rule(function, mine)
    return rules[mine]


def _make_rule(function: type[Function], mine: tuple[bool, ...]) -> type[Function]:
    class Rule(Function):
        """Its first arguments are a list, into which the outcome for an example goes, the level of the examples and their number."""

        generate_vmap_rule = True

        @staticmethod
        def forward(ctx: Any, inner: list[Outcome], level: int, size: int, *args: Any) -> Any:
            examples = [make_batched(arg, level) if own else arg for arg, own in zip(args, mine, strict=True)]
            outcome = _forward(function, examples, ctx.needs_input_grad[3:])
            inner.append(outcome)
            values = [_whole(value, level, size) for value in outcome.values]

            def kept(sources: Sequence[Source | None]) -> tuple[list[Any], list[bool]]:
                """The saved Tensors of the whole batch, and which of them are batched."""
                found = [_found(source, args, values) for source in sources]
                flags = [
                    source is not None
                    and (
                        mine[source[1]]
                        if source[0] == "input"
                        else source[0] == "output" or level_of(source[1]) == level
                    )
                    for source in sources
                ]
                return [value._data if level_of(value) == level else value for value in found], flags

            saves, ctx.flags = kept(outcome.saves)
            forward_saves, ctx.forward_flags = kept(outcome.forward_saves)
            ctx.save_for_backward(*saves)
            ctx.save_for_forward(*forward_saves)
            ctx.mark_non_differentiable(*[values[j] for j in outcome.non_differentiable])
            ctx.set_materialize_grads(outcome.ctx.materialize_grads)
            ctx.of_example, ctx.size = outcome.ctx, size
            ctx.shapes = [tuple(example.shape) if isinstance(example, Tensor) else None for example in examples]
            return values[0] if outcome.single else tuple(values)

        @staticmethod
        def backward(ctx: Any, *grads: Any) -> Any:
            with new_level(records=False) as level:
                example = _example(ctx, ctx.flags, level)
                result = pullback(function)(example, *[_batch(g, level) for g in grads])
                parts = one_for_each(result, len(mine), f"{function.__name__}Backward")
                found = [
                    _gathered(part, level, ctx.size, own, shape)
                    for part, own, shape in zip(parts, mine, ctx.shapes, strict=True)
                ]
            return (None, None, None, *found)

        @staticmethod
        def jvp(ctx: Any, *tangents: Any) -> Any:
            with new_level(records=False) as level:
                example = _example(ctx, ctx.forward_flags, level)
                given = [_batch(t, level) if own else t for t, own in zip(tangents[3:], mine, strict=True)]
                result = function.jvp(example, *given)
                listed = list(result) if isinstance(result, (tuple, list)) else [result]
                return tuple([_whole(part, level, ctx.size) for part in listed])

    Rule.__name__ = Rule.__qualname__ = function.__name__
    return Rule


def _batch(value: Any, level: int) -> Any:
    return make_batched(value, level) if isinstance(value, Tensor) else value


def _whole(value: Any, level: int, size: int) -> Any:
    """The batch of which ``value`` is an example; what is the same for all is repeated."""
    if not isinstance(value, Tensor):
        return value
    if level_of(value) == level:
        return value._data
    return value._frame.namespace.broadcast_to(value, (size, *value.shape))


def _example(ctx: FunctionCtx, flags: Sequence[bool], level: int) -> FunctionCtx:
    """The context of an example, made from that of the batch."""
    example = copy.copy(ctx.of_example)  # type: ignore[attr-defined]
    for name, value in example.__dict__.items():
        if isinstance(value, Batched):
            setattr(example, name, make_batched(value._data, level))
    saved = tuple([_batch(t, level) if own else t for t, own in zip(ctx.saved_tensors, flags, strict=True)])
    example._saved = lambda: saved
    example.needs_input_grad = ctx.needs_input_grad[3:]
    return example  # type: ignore[no-any-return]


def _gathered(part: Any, level: int, size: int, own: bool, shape: tuple[int, ...] | None) -> Any:
    """The gradient of an argument, from that for an example: the batch of them, or, of what is the same for all, their sum."""
    if not isinstance(part, Tensor) or shape is None:
        return part
    xp = part._frame.namespace
    if tuple(part.shape) != shape:
        part = fit(xp, part, shape)
    if own:
        return _whole(part, level, size)
    return xp.sum(part._data, axis=0) if level_of(part) == level else part * size
