"""Forward mode: dual numbers at a level of their own.

A ``Dual`` carries a primal and a tangent, both Tensors of lower levels. An operation on duals runs on the primals, and its tangent
is the sum over the inputs of their forward rules, which are the same partial derivatives and transposes that reverse mode
uses, or the ``jvp`` beside the ``vjp``.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from typing import Any

from ..core import dispatch as apply_module
from ..core.record import fact_of, no_derivative
from ..core.tensor import SCALAR_TYPES, Tensor, as_frame
from ..core.views import link
from ..rules.declare import Op, Rule


class Dual(Tensor):
    """A Tensor with a tangent. ``_data`` is the primal, ``_node`` the tangent (None: zero)."""

    __slots__ = ()

    @property
    def primal(self) -> Tensor:
        return self._data  # type: ignore[no-any-return]

    @property
    def tangent(self) -> Tensor | None:
        return self._node  # type: ignore[no-any-return]

    @property
    def requires_grad(self) -> bool:
        return self.primal.requires_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.primal.requires_grad_(value)

    @property
    def is_leaf(self) -> bool:
        return self.primal.is_leaf

    @property
    def grad_fn(self) -> Any:
        return self.primal.grad_fn

    def _constant(self) -> Tensor:
        return make_dual(self.primal._constant(), None, self._frame.level)

    def _continue(self, value: Tensor, own: bool) -> Tensor:
        if not isinstance(value, Dual):
            return value
        tangent = self.tangent if own else value.tangent
        if tangent is not None and self.tangent is not None and not own:
            tangent = self.tangent._continue(tangent, own)
        return make_dual(self.primal._continue(value.primal, own), tangent, self._frame.level)

    def backward(self, *args: Any, **options: Any) -> None:
        """The backward pass of the primal."""
        self.primal.backward(*args, **options)

    @staticmethod
    def _interpret(op: Op, args: Sequence[Any], params: dict[str, Any], top: Tensor) -> Any:
        return interpret(op, args, params, top)

    @staticmethod
    def _run_function(function: Any, args: Sequence[Any], needs: Any, top: Tensor, below: bool) -> Any:
        from .user_function import run_dual

        return run_dual(function, args, needs, top, below)


def make_dual(primal: Any, tangent: Any, level: int) -> Dual:
    """A dual number at that level."""
    primal = as_frame(primal)
    out = Dual.__new__(Dual)
    out._data = primal
    out._frame = primal._frame.backend.frame(level, True)
    out._node = tangent
    out._extra = None
    return out


def interpret(op: Op, args: Sequence[Any], params: dict[str, Any], top: Tensor) -> Any:
    """Run an operation on duals of the level of ``top``; Tensors of lower levels are constants."""
    level = top._frame.level
    mine = [isinstance(arg, Dual) and arg._frame.level == level for arg in args]
    primals = [arg._data if own else arg for arg, own in zip(args, mine, strict=True)]
    tangents = [arg._node if own else None for arg, own in zip(args, mine, strict=True)]
    apply_module.refuse_tracked(op, params, level)
    params = {name: apply_module._param(op, args, value, level, top._frame.backend) for name, value in params.items()}
    out = _call(op, primals, params)
    discrete = not isinstance(out, tuple) and out.dtype not in top._frame.floating
    if op.form == "constant" or discrete or all(tangent is None for tangent in tangents):
        several = tuple([make_dual(part, None, level) for part in out]) if isinstance(out, tuple) else None
        return _like(out, several) if several is not None else _linked(op, make_dual(out, None, level), args, params)
    tangent = _tangent(op, primals, tangents, params, out)
    if isinstance(out, tuple):
        parts = [make_dual(part, _fitted(t, part), level) for part, t in zip(out, tangent, strict=True)]
        return _like(out, parts)
    return _linked(op, make_dual(out, _fitted(tangent, out), level), args, params)


def _linked(op: Op, result: Dual, args: Sequence[Any], params: dict[str, Any]) -> Dual:
    if op.view is not None and isinstance(args[0], Dual) and op.view(params):
        link(result, args[0], op, params)
    return result


def _like(out: Any, parts: Any) -> Any:
    return type(out)(*parts) if hasattr(out, "_fields") else tuple(parts)


def _call(op: Op, arrays: Sequence[Any], params: dict[str, Any]) -> Any:
    return apply_module.call_public(op, arrays, params)


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


def _tangent(op: Op, primals: list[Any], tangents: list[Any], params: dict[str, Any], out: Any) -> Any:
    xp = next(t for t in tangents if t is not None)._frame.namespace
    if op.jvps == "self":
        replaced = []
        for i, (primal, tangent) in enumerate(zip(primals, tangents, strict=True)):
            held = _held(op.vjps, i)
            if held and tangent is not None:
                raise no_derivative(op, i)
            kept = primal is None or held
            replaced.append(tangent if tangent is not None else primal if kept else _zeros(primal))
        return _call(op, replaced, params)
    if op.jvps == "product":
        terms = [
            _call(op, [*primals[:i], tangent, *primals[i + 1 :]], params)
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
        terms = [
            _elementwise(op, i, xp, tangent, primals, out, params)
            for i, tangent in enumerate(tangents)
            if tangent is not None
        ]
        terms = [_fitted(term, out) for term in terms]
        return functools.reduce(operator.add, terms)
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


def _held(rules: Any, i: int) -> bool:
    """Whether an input of a linear operation is a constant of it, such as the condition of ``where``."""
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
    values, facts = _values(rule, primals, (out,)), _facts(rule, primals, (out,), params)
    if op.applied[i]:
        return partial(xp, tangent, *values, **facts)
    value = partial(xp, *values, **facts)
    kinds = xp.complex_dtypes
    if tangent.dtype in kinds and out.dtype not in kinds:
        return xp.real(tangent * xp.conj(value))
    if type(value) not in (int, float) and getattr(value, "dtype", None) in kinds and tangent.dtype not in kinds:
        tangent = xp.astype(tangent, value.dtype)
    return tangent * value
