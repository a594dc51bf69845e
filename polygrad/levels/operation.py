"""An operation as a call: its tangents by its forward rules, its batches by its batching rule.

The forward rules are the same partial derivatives and transposes that reverse mode uses, or the ``jvp`` beside the ``vjp``. Recording an
operation is ``core.dispatch``'s.
"""

from __future__ import annotations

import functools
import operator
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from ..backend.frame import Level
from ..core.dispatch import call_public, call_raw, refuse_tracked, without_level
from ..core.record import fact_of, no_derivative
from ..core.tensor import SCALAR_TYPES, Tensor, as_frame, level_of
from ..core.views import link
from ..errors import ShapeError
from ..rules.declare import Op, Rule
from ..rules.vmap.alignment import DECOMPOSE, Mapped, Run
from .batched import Batched, stacked, whole
from .call import Call, Values


class Operation(Call):
    """A call of an operation with these parameters, at the level of ``top``."""

    __slots__ = ("args", "op", "params", "top")

    def __init__(self, op: Op, args: Values, params: dict[str, Any], top: Tensor) -> None:
        self.op = op
        self.args = args
        self.params = params
        self.top = top

    @property
    def name(self) -> str:  # type: ignore[override]
        return self.op.name

    def _outputs(self, arrays: Values) -> tuple[Any, dict[str, Any]]:
        """Return what the public function gives on values of the levels below, and its parameters there."""
        op, frame = self.op, self.top._frame
        if not self.params:
            return call_public(op, arrays, self.params), self.params
        refuse_tracked(op, self.params, frame.level)
        params = {
            name: without_level(op, self.args, value, frame.level, frame.backend) for name, value in self.params.items()
        }
        return call_public(op, arrays, params), params

    def __call__(self, args: Values) -> Values:
        out, _ = self._outputs(args)
        return out if isinstance(out, tuple) else (out,)

    def jvp(self, primals: Values, tangents: Values) -> tuple[Values, Values]:
        op = self.op
        out, params = self._outputs(primals)
        if op.form == "elementwise" and not op.outputs:
            if out.dtype not in self.top._frame.floating:
                return (out,), (None,)
            return (out,), (_fitted(_by_elements(op, self.top._frame.namespace, primals, tangents, params, out), out),)
        outs = out if isinstance(out, tuple) else (out,)
        if op.form == "constant" or (not isinstance(out, tuple) and out.dtype not in self.top._frame.floating):
            return outs, [None] * len(outs)
        found = _tangent(op, primals, tangents, params, out)
        slopes = found if isinstance(out, tuple) else (found,)
        return outs, [_fitted(slope, part) for slope, part in zip(slopes, outs, strict=True)]

    def batch(self, args: Values, mapped: Sequence[bool], size: int, level: Level) -> Values:
        op, frame = self.op, self.top._frame
        rule = op.batch
        if rule == DECOMPOSE:
            made = call_raw(op, functools.partial(op.default, frame.namespace), self.args, self.params)  # type: ignore[arg-type, misc]
            return [whole(part, level, size) for part in (made if isinstance(made, tuple) else (made,))]
        given = {name: _mapped(value, level) for name, value in self.params.items()} if self.params else self.params
        inside = given and any(map(_holds_mapped, given.values()))
        call = functools.partial(call_public, op)
        out = NotImplemented
        if rule is not None and (not inside or _KEYED.intersection(op.params)):
            out = rule(Run(op.name, call, frame.namespace, size), args, mapped, given)  # type: ignore[operator]
        if out is NotImplemented:
            out = _loop(op, call, args, mapped, given, size)
        return out if isinstance(out, tuple) else (out,)


def interpret(op: Op, args: Values, params: dict[str, Any], top: Tensor) -> Any:
    """Run an operation at a level of forward mode or of a batch, that of ``top``."""
    if not params and op.form == "elementwise" and top._by_element is not None:
        found = top._by_element(op.call, args, top)
        if found is not None:
            return found
    call = Operation(op, args, params, top)
    results = top._run_call(call, args, top)  # type: ignore[misc]
    if len(results) != 1 or op.outputs:
        return op.result(*results) if len(results) == len(op.outputs) > 1 else tuple(results)
    result = results[0]
    if op.view is not None and level_of(args[0]) == top._frame.level and op.view(params):
        link(result, args[0], op, params)
    return result


Tensor._interpret = staticmethod(interpret)


# -- tangents ----------------------------------------------------------------------------------------------------------
def _fitted(tangent: Any, out: Tensor) -> Any:
    """The tangent in the shape and dtype of the output (a partial derivative may be narrower than a broadcast output)."""
    if tangent is None:
        return None
    xp = out._frame.namespace
    if tangent.shape != out.shape:
        tangent = xp.broadcast_to(tangent, out.shape)
    return tangent if tangent.dtype == out.dtype else xp.astype(tangent, out.dtype)


def _zeros(value: Any) -> Any:
    """The tangent of an input that has none (not ``value * 0``: it may be infinite)."""
    if type(value) in SCALAR_TYPES:
        return type(value)(0)
    value = as_frame(value)
    return value._frame.namespace.zeros_like(value)


def _tangent(op: Op, primals: Values, tangents: Values, params: dict[str, Any], out: Any) -> Any:
    xp = out[0]._frame.namespace if isinstance(out, tuple) else out._frame.namespace
    if op.jvps == "self":
        replaced = []
        for i, (primal, tangent) in enumerate(zip(primals, tangents, strict=True)):
            held = _held(op.vjps, i)
            if held and tangent is not None:
                raise no_derivative(op, i)
            kept = primal is None or held
            replaced.append(tangent if tangent is not None else primal if kept else _zeros(primal))
        return call_public(op, replaced, params)
    if op.jvps == "product":
        terms = [
            call_public(op, [*primals[:i], tangent, *primals[i + 1 :]], params)
            for i, tangent in enumerate(tangents)
            if tangent is not None
        ]
        return functools.reduce(operator.add, terms)
    outs = out if isinstance(out, tuple) else (out,)
    if isinstance(op.jvps, Rule):
        return op.jvps.function(
            xp, tuple(tangents), *_values(op.jvps, primals, outs), **_facts(op.jvps, primals, outs, params)
        )
    if op.form == "elementwise":
        return _by_elements(op, xp, primals, tangents, params, out)
    terms = []
    for i, tangent in enumerate(tangents):
        if tangent is None:
            continue
        rule = op.jvps[i] if op.jvps is not None else None
        if rule is None:
            raise no_derivative(op, i)
        terms.append(rule.function(xp, tangent, *_values(rule, primals, outs), **_facts(rule, primals, outs, params)))
    if isinstance(out, tuple):
        return [
            functools.reduce(lambda a, b: b if a is None else a if b is None else a + b, parts)
            for parts in zip(*terms, strict=True)
        ]
    return functools.reduce(operator.add, terms)


def _by_elements(op: Op, xp: Any, primals: Values, tangents: Values, params: dict[str, Any], out: Any) -> Any:
    """The tangent of an elementwise operation: the sum of the tangents times the partial derivatives."""
    total: Any = None
    for i, tangent in enumerate(tangents):
        if tangent is not None:
            term = _elementwise(op, i, xp, tangent, primals, out, params)
            total = term if total is None else total + term
    return total


def _held(rules: Any, i: int) -> bool:
    """Return whether an input of a linear operation is a constant of it, such as the condition of ``where``."""
    return isinstance(rules, tuple) and len(rules) > i and rules[i] is None


def _values(rule: Rule, primals: Sequence[Any], outs: Sequence[Any]) -> list[Any]:
    return [primals[p] if p >= 0 else outs[-1 - p] for p in rule.values]


def _facts(rule: Rule, primals: Sequence[Any], outs: Sequence[Any], params: dict[str, Any]) -> dict[str, Any]:
    return {name: fact_of(source, fact, primals, outs, params) for name, source, fact in rule.facts}


def _elementwise(
    op: Op, i: int, xp: Any, tangent: Any, primals: Sequence[Any], out: Any, params: dict[str, Any]
) -> Any:
    partial = op.partials[i]
    if partial is None:
        raise no_derivative(op, i)
    if not callable(partial):
        return tangent if partial == 1 else -tangent if partial == -1 else tangent * partial
    rule = op.partial_rules[i]
    assert rule is not None
    values = [primals[p] if p >= 0 else out for p in rule.values]
    facts = _facts(rule, primals, (out,), params) if rule.facts else {}
    if op.applied[i]:
        return partial(xp, tangent, *values, **facts)
    value = partial(xp, *values, **facts)
    kinds = xp.complex_dtypes
    if tangent.dtype in kinds:
        return tangent * value if out.dtype in kinds else xp.real(tangent * xp.conj(value))
    if type(value) not in (int, float) and getattr(value, "dtype", None) in kinds:
        tangent = xp.astype(tangent, value.dtype)
    return tangent * value


# -- batches -----------------------------------------------------------------------------------------------------------
_KEYED = frozenset({"key", "sorter"})
"""The parameters whose arrays rules know what to do with."""


def _mapped(value: Any, level: Level) -> Any:
    """A parameter with its batched Tensors as ``Mapped``."""
    if isinstance(value, Batched):
        return Mapped(value._data) if value._frame.level == level else value
    if type(value) in (tuple, list):
        return type(value)([_mapped(part, level) for part in value])
    return value


def _holds_mapped(value: Any) -> bool:
    return isinstance(value, Mapped) or (type(value) in (tuple, list) and any(map(_holds_mapped, value)))


# -- without a rule ----------------------------------------------------------------------------------------------------
_warned: set[str] = set()
"""The operations that have been reported as running in a loop."""


def _loop(
    op: Op, call: Callable[..., Any], arrays: Sequence[Any], mapped: Sequence[bool], params: dict[str, Any], size: int
) -> Any:
    """One call for each example, and the results stacked."""
    if op.name not in _warned:
        _warned.add(op.name)
        warnings.warn(
            f"vmap: {op.name} has no batching rule for this call, so it runs in a loop over the {size} examples (said once)",
            stacklevel=2,
        )
    if size == 0:
        raise ShapeError(
            f"vmap: {op.name} has no batching rule for this call, and a loop over no examples gives nothing"
        )
    outs = []
    for i in range(size):
        chosen = [array[i, ...] if own else array for array, own in zip(arrays, mapped, strict=True)]
        outs.append(call(chosen, {name: _example(value, i) for name, value in params.items()}))
    return stacked(outs, op.name)


def _example(value: Any, i: int) -> Any:
    if isinstance(value, Mapped):
        return value.data[i, ...]
    return type(value)([_example(part, i) for part in value]) if type(value) in (tuple, list) else value
