"""A user's Function as a call.

``forward`` runs once, on Tensors of the bottom level. The context that it fills there is seen at each level with the arguments and
outputs of that level. So a Function has its own derivative under every transform, in any nesting.
"""

from __future__ import annotations

import copy
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from ..backend.frame import Level
from ..core import modes
from ..core.graph import Node
from ..core.inplace import rebind
from ..core.record import new_node
from ..core.tensor import Tensor, level_of
from ..errors import ArgumentError, GraphError, ShapeError, describe
from ..rules.declare import fit
from .batched import Batched, make_batched, whole
from .call import Call, Values, run
from .function import Function, FunctionCtx, positional
from .function_node import node_class, one_for_each, pullback, saved_of
from .level import lowered, new_level

Source = tuple[str, Any]
"""The source of a saved Tensor: ("input", number), ("output", number) or ("constant", the Tensor itself)."""


class Outcome:
    """Facts of a call that are known after ``forward``, whatever the level."""

    __slots__ = (
        "attributes",
        "before",
        "ctx",
        "dirty",
        "forward_saves",
        "non_differentiable",
        "saves",
        "single",
    )
    single: bool
    ctx: FunctionCtx
    saves: tuple[Source | None, ...]
    forward_saves: tuple[Source | None, ...]
    attributes: dict[str, Source]
    """Attributes of the context that hold an argument or an output: each level has its own."""
    non_differentiable: frozenset[int]
    dirty: dict[int, int]
    """The argument that each output is, where it was changed in place."""
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


class FunctionCall(Call):
    """A call of a Function. ``outcome`` is known once ``forward`` has run."""

    returns_own = False
    outcome: Outcome

    def __init__(self, function: type[Function], needs: tuple[bool, ...]) -> None:
        self.name = function.__name__
        self.function = function
        self.needs = needs
        self.asked = False
        """True if a level above asks for the context."""

    def below(self, args: Values) -> list[Any]:
        """Return the outputs at the levels below, of which the context will be asked for."""
        self.asked = True
        return list(self(args))

    def __call__(self, args: Values) -> Values:
        here = _needs(args)
        self.needs = tuple([a or b for a, b in zip(self.needs, here, strict=True)]) if self.needs else here
        return run(self, args)

    def lower(self, arg: Tensor, level: Level) -> Tensor:
        return lowered(arg, level) if level else arg  # forward sees the arguments themselves

    def primal(self, args: Values) -> Values:
        """Run ``forward`` on Tensors of the bottom level, recording nothing."""
        values, self.outcome = _forward(self.function, args, self.needs or _needs(args))
        return values

    # -- reverse mode ------------------------------------------------------------------------------------------------
    def recorded(self, args: Values, level: Level) -> tuple[Values, Any]:
        return (self.below(args) if level else self.primal(args)), None

    def carries(self, results: Values, level: Level) -> list[bool]:
        held = self.outcome.non_differentiable
        return [own and j not in held for j, own in enumerate(super().carries(results, level))]

    def node(
        self, args: Values, below: Values, edges: Values, results: Values, carries: Sequence[bool], kept: Any
    ) -> Node:
        outcome = self.outcome
        self._refuse_dirty_leaves(args, edges)
        frame = next(arg._frame for arg, edge in zip(args, edges, strict=True) if edge is not None)
        level = frame.level
        where = [i for i, arg in enumerate(args) if isinstance(arg, Tensor)]
        differentiable = [j for j, own in enumerate(carries) if own]
        found = [_place(source, where, differentiable) for source in outcome.saves]
        held = [_found(source, args, results) for source in outcome.saves]
        saved = tuple([
            None if value is None else value.detach() if place is None else value._data if level_of(value) == level else value
            for place, value in zip(found, held, strict=True)
        ])  # fmt: skip
        node = new_node(node_class(self.function), frame, [edges[i] for i in where], saved)
        node.where = tuple(where)
        node.expected = tuple([(tuple(args[i].shape), args[i].dtype) for i in where])
        node.outputs, node.number = len(results), len(args)
        node.made = tuple([_made(value) for value in results])
        node.saves = tuple(found)
        node.ctx = outcome.context(args, results)
        node.ctx.needs_input_grad = tuple([edge is not None for edge in edges])
        owner = weakref.ref(node)
        node.ctx._saved = lambda: saved_of(owner)
        return node  # type: ignore[no-any-return]

    def _refuse_dirty_leaves(self, args: Values, edges: Values) -> None:
        for i in self.outcome.dirty.values():
            if edges[i] is args[i]:
                if level_of(args[i]) == 0:
                    args[i]._set_data(self.outcome.before[i])  # as it was before forward wrote to it
                raise GraphError(
                    f"{self.name}.apply: a leaf Variable that requires grad has been used in an in-place operation: argument {i}, "
                    f"{describe(args[i])}"
                )

    def finish(self, args: Values, results: list[Any], level: Level) -> list[Any]:
        for j, i in self.outcome.dirty.items():
            if level_of(args[i]) == level:
                results[j] = rebind(args[i], results[j])
        return results

    # -- forward mode ------------------------------------------------------------------------------------------------
    def jvp(self, primals: Values, tangents: Values) -> tuple[Values, Values]:
        values = self.below(primals)
        ctx = self.outcome.context(primals, values)
        saved = tuple([_found(source, primals, values) for source in self.outcome.forward_saves])
        ctx._saved = lambda: saved
        if ctx.materialize_grads:
            tangents = [
                p._frame.namespace.zeros_like(p) if t is None and isinstance(p, Tensor) else t
                for p, t in zip(primals, tangents, strict=True)
            ]
        given = self.function.jvp(ctx, *tangents)
        slopes = list(given) if isinstance(given, (tuple, list)) else [given]
        if len(slopes) != len(values):
            raise GraphError(
                f"{self.name}.jvp: returned an incorrect number of tangents (expected {len(values)}, got {len(slopes)}): one, or None, "
                f"for each output of forward"
            )
        return values, [
            self._fitting(j, value, slope) for j, (value, slope) in enumerate(zip(values, slopes, strict=True))
        ]

    def _fitting(self, j: int, value: Any, tangent: Any) -> Any:
        if not isinstance(value, Tensor) or tangent is None:
            return None
        if j in self.outcome.non_differentiable or value.dtype not in value._frame.floating:
            return None
        fits = (
            isinstance(tangent, Tensor) and tuple(tangent.shape) == tuple(value.shape) and tangent.dtype == value.dtype
        )
        if not fits:
            raise ShapeError(
                f"{self.name}.jvp: returned an invalid tangent at index {j} - got {describe(tangent)} for an output "
                f"{describe(value)}; they have to have the same shape and dtype"
            )
        return tangent

    # -- batches -----------------------------------------------------------------------------------------------------
    def batch(self, args: Values, mapped: Sequence[bool], size: int, level: Level) -> Values:
        """Run the Function's own ``vmap``, or its methods on the batch."""
        function, mine = self.function, tuple(mapped)
        own_rule = function.vmap is not Function.vmap
        if own_rule and function.generate_vmap_rule:
            raise ArgumentError(
                f"You tried to vmap over {self.name}, but it has both generate_vmap_rule=True and an overridden vmap staticmethod. "
                f"Please set generate_vmap_rule=False or delete the overridden vmap staticmethod to avoid ambiguity."
            )
        if own_rule:
            return self._by_vmap(args, mine, size, level)
        if not function.generate_vmap_rule:
            raise GraphError(
                f"You tried to vmap over {self.name}, but it does not have vmap support. Please override and implement the vmap "
                f"staticmethod or, if its methods consist of operations of polygrad, set generate_vmap_rule=True."
            )
        inner: list[Outcome] = []
        whole_call = FunctionCall(_rule(function, mine), (False, False, False, *self.needs))
        values = whole_call.below((inner, level, size, *args))
        self.outcome = inner[0]
        return values

    def _by_vmap(self, payloads: Values, mine: tuple[bool, ...], size: int, level: Level) -> Values:
        function = self.function
        info = VmapInfo(size, getattr(modes.current().draw, "randomness", "error"))
        returned = function.vmap(info, tuple([0 if own else None for own in mine]), *payloads)
        if not isinstance(returned, tuple) or len(returned) != 2:
            raise ArgumentError(f"{self.name}.vmap: has to return a pair (outputs, out_dims), got {describe(returned)}")
        outputs, dims = returned
        single = not isinstance(outputs, (tuple, list))
        listed = [outputs] if single else list(outputs)
        axes = list(dims) if isinstance(dims, (tuple, list)) else [dims] * len(listed)
        if len(axes) != len(listed):
            raise ArgumentError(
                f"{self.name}.vmap: {len(listed)} outputs and {len(axes)} out_dims; there has to be one for each"
            )
        values = []
        for value, axis in zip(listed, axes, strict=True):
            if axis is not None and isinstance(value, Tensor):
                value = make_batched(value._frame.namespace.moveaxis(value, axis, 0) if axis else value, level)
            values.append(value)
        if self.asked:  # a level above goes on from an example, so it needs the context of one
            args = [make_batched(arg, level) if own else arg for arg, own in zip(payloads, mine, strict=True)]
            output = values[0] if single else tuple(values)
            if function.setup_context is Function.setup_context:
                _, self.outcome = _forward(function, args, self.needs)
            else:
                ctx = _set_up(function, args, output, self.needs)
                self.outcome = _outcome(function, args, [], ctx, output)
        else:
            self.outcome = Outcome()
            self.outcome.single, self.outcome.dirty, self.outcome.non_differentiable = single, {}, frozenset()
        return [whole(value, level, size) for value in values]


def _needs(args: Values) -> tuple[bool, ...]:
    return tuple([isinstance(arg, Tensor) and arg.requires_grad for arg in args])


def apply(function: type[Function], *args: Any, **kwargs: Any) -> Any:
    """Run ``forward`` and record the operation. Arguments that are no Tensors are passed on as they are."""
    if kwargs or function.setup_context is not Function.setup_context:
        args = positional(function, args, kwargs)
    call = FunctionCall(function, ())
    values = call(args)
    return values[0] if call.outcome.single else tuple(values)


Function.apply = classmethod(apply)  # type: ignore[assignment]


def _forward(function: type[Function], args: Sequence[Any], needs: tuple[bool, ...]) -> tuple[list[Any], Outcome]:
    """Run ``forward`` on Tensors of the bottom level, recording nothing."""
    payloads = [getattr(arg, "_data", None) for arg in args]
    if function.setup_context is Function.setup_context:
        ctx = FunctionCtx()
        ctx.needs_input_grad = needs
        with _unrecorded():
            result = function.forward(ctx, *args)
    else:
        with _unrecorded():
            result = function.forward(*args)
        ctx = _set_up(function, args, result, needs)
    values = list(result) if isinstance(result, (tuple, list)) else [result]
    return values, _outcome(function, args, payloads, ctx, result)


def _set_up(function: type[Function], args: Sequence[Any], result: Any, needs: tuple[bool, ...]) -> FunctionCtx:
    """Return the context that ``setup_context`` fills."""
    ctx = FunctionCtx()
    ctx.needs_input_grad = needs
    with _unrecorded():
        function.setup_context(ctx, tuple(args), result)
    return ctx


@contextmanager
def _unrecorded() -> Iterator[None]:
    state = modes.current()
    modes.MODE.set(state.replace(grad=(False,) * len(state.grad)))
    try:
        yield
    finally:
        modes.MODE.set(state)


def _outcome(
    function: type[Function], args: Sequence[Any], payloads: Sequence[Any], ctx: FunctionCtx, result: Any
) -> Outcome:
    """Return what is known after ``forward``. ``payloads`` are those of the arguments before it ran."""
    outcome = Outcome()
    outcome.single = not isinstance(result, (tuple, list))
    values = [result] if outcome.single else list(result)
    outcome.dirty = {}
    base = max([0, *map(level_of, args)])
    for value in values:
        if level_of(value) > base:
            raise GraphError(
                f"{function.__name__}.forward: an output depends on a Tensor of a transform ({describe(value)}) that is not among the "
                f"arguments, so that its derivative would be lost; pass it to apply as an argument"
            )
    for tensor in ctx.dirty_tensors:
        positions = [i for i, arg in enumerate(args) if arg is tensor]
        found = [j for j, value in enumerate(values) if value is tensor]
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
        outputs = [j for j, value in enumerate(values) if value is tensor]
        inputs = [i for i, arg in enumerate(args) if arg is tensor]
        if outputs and (outputs[0] in outcome.dirty or not inputs):
            return ("output", outputs[0])
        return ("input", inputs[0]) if inputs else ("constant", tensor)

    outcome.saves = tuple([source(tensor) for tensor in ctx.to_save])
    outcome.forward_saves = tuple([source(tensor) for tensor in ctx.saved_for_forward])
    outcome.non_differentiable = frozenset(
        [j for j, value in enumerate(values) if any(value is tensor for tensor in ctx.non_differentiable)]
    )
    for name in ("to_save", "saved_for_forward", "non_differentiable", "dirty_tensors"):
        ctx.__dict__.pop(name, None)
    outcome.attributes = {}
    for name, value in ctx.__dict__.items():
        if isinstance(value, Tensor) and (known := source(value)) is not None and known[0] != "constant":
            outcome.attributes[name] = known
    outcome.ctx = ctx
    return outcome


def _place(source: Source | None, where: Sequence[int], differentiable: Sequence[int]) -> int | None:
    """A saved Tensor as nodes count (see ``Node.saves``): an edge, an output, or, of what has no history, None."""
    if source is None or source[0] == "constant":
        return None
    if source[0] == "input":
        return where.index(source[1])
    return -1 - source[1] if source[1] in differentiable else None


def _made(value: Any) -> Any:
    """Return what is needed to make zeros like an output."""
    return (value._frame, tuple(value.shape), value.dtype, value.device) if isinstance(value, Tensor) else None


class VmapInfo(NamedTuple):
    """Information on the enclosing ``func.vmap``, for ``Function.vmap``."""

    batch_size: int
    randomness: str


# -- the Function of a whole batch ---------------------------------------------------------------------------------------
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
        def forward(ctx: Any, inner: list[Outcome], level: Level, size: int, *args: Any) -> Any:
            examples = [make_batched(arg, level) if own else arg for arg, own in zip(args, mine, strict=True)]
            given, outcome = _forward(function, examples, ctx.needs_input_grad[3:])
            inner.append(outcome)
            values = [whole(value, level, size) for value in given]

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
                return tuple([whole(part, level, ctx.size) for part in listed])

    Rule.__name__ = Rule.__qualname__ = function.__name__
    return Rule


def _batch(value: Any, level: Level) -> Any:
    return make_batched(value, level) if isinstance(value, Tensor) else value


def _example(ctx: FunctionCtx, flags: Sequence[bool], level: Level) -> FunctionCtx:
    """The context of an example, made from that of the batch."""
    example = copy.copy(ctx.of_example)  # type: ignore[attr-defined]
    for name, value in example.__dict__.items():
        if isinstance(value, Batched):
            setattr(example, name, make_batched(value._data, level))
    saved = tuple([_batch(t, level) if own else t for t, own in zip(ctx.saved_tensors, flags, strict=True)])
    example._saved = lambda: saved
    example.needs_input_grad = ctx.needs_input_grad[3:]
    return example  # type: ignore[no-any-return]


def _gathered(part: Any, level: Level, size: int, own: bool, shape: tuple[int, ...] | None) -> Any:
    """The gradient of an argument, from that for an example: the batch of them, or, of what is the same for all, their sum."""
    if not isinstance(part, Tensor) or shape is None:
        return part
    xp = part._frame.namespace
    if tuple(part.shape) != shape:
        part = fit(xp, part, shape)
    if own:
        return whole(part, level, size)
    return xp.sum(part._data, axis=0) if level_of(part) == level else part * size
