"""Batches: Tensors at a level of their own, whose payload has one more axis.

A ``Batched`` stands for one example of a batch; its payload, a Tensor of a lower level, has the batch as its first axis. An operation
on batched Tensors runs once, on the payloads, by the rule that its declaration names. That is an operation of
the level below, so derivatives inside and outside go their usual ways.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from ..backend.dtypes import dtype_name
from ..core import dispatch as apply_module
from ..core.tensor import Tensor, as_frame
from ..core.views import link
from ..errors import ConversionError, GraphError, ShapeError
from ..rules.declare import Op
from ..rules.vmap.alignment import DECOMPOSE, Mapped, Run
from .level import OPEN


class Batched(Tensor):
    """One example of a batch. ``_data`` is the whole batch, its first axis the examples."""

    __slots__ = ()

    @property
    def payload(self) -> Tensor:
        """All examples, along the first axis."""
        return self._data  # type: ignore[no-any-return]

    @property
    def array(self) -> Any:
        raise self._refused("array")

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self._data.shape[1:])

    @property
    def ndim(self) -> int:
        return self._data.ndim - 1  # type: ignore[no-any-return]

    @property
    def size(self) -> int:
        size = 1
        for n in self._data.shape[1:]:
            size *= n
        return size

    @property
    def requires_grad(self) -> bool:
        return self.payload.requires_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        if requires_grad and not self.requires_grad:
            raise GraphError(
                "requires_grad_: an example of a batch cannot become a leaf; differentiate with func.grad, func.vjp or func.jvp inside the "
                "function that vmap maps, or set it on the whole batch outside"
            )
        return self

    @property
    def is_leaf(self) -> bool:
        return self.payload.is_leaf

    @property
    def grad_fn(self) -> Any:
        return self.payload.grad_fn

    def _constant(self) -> Tensor:
        return make_batched(self.payload._constant(), self._frame.level)

    def _continue(self, value: Tensor, own: bool) -> Tensor:
        if not isinstance(value, Batched):
            return value
        return make_batched(self.payload._continue(value.payload, own), self._frame.level)

    def backward(self, *args: Any, **options: Any) -> None:
        raise GraphError(
            "backward: an example of a batch has no gradient of its own to accumulate; use func.grad inside vmap, or call backward() on "
            "what vmap returns"
        )

    def _refused(self, what: str) -> ConversionError:
        return ConversionError(
            f"{what}: the values of a Tensor inside vmap differ from example to example ({self!r}), so there is no single one. Control "
            f"flow that depends on them has to become where(condition, a, b); a number that is the same for all can be passed with "
            f"in_dims=None"
        )

    def _scalar(self, convert: type) -> Any:
        raise self._refused(f"{convert.__name__}(tensor)")

    def _untracked(self, what: str) -> Any:
        raise self._refused(what)

    def tolist(self) -> Any:
        raise self._refused("tolist()")

    def __bool__(self) -> bool:
        raise self._refused("bool(tensor)")

    def __index__(self) -> int:
        raise self._refused("index")

    def __dlpack_device__(self) -> Any:
        raise self._refused("__dlpack_device__")

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        return make_batched(self.payload.__deepcopy__(memo), self._frame.level)

    def __reduce__(self) -> Any:
        raise self._refused("pickle")

    def __repr__(self) -> str:
        shape, size = tuple(self.shape), self._data.shape[0]
        return f"Batched(shape={shape}, dtype={dtype_name(self.dtype)}, level={self._frame.level}, batch of {size})"

    @staticmethod
    def _interpret(op: Op, args: Sequence[Any], params: dict[str, Any], top: Tensor) -> Any:
        return interpret(op, args, params, top)

    @staticmethod
    def _run_function(function: Any, args: Sequence[Any], needs: Any, top: Tensor, below: bool) -> Any:
        from .user_function import run_batched

        return run_batched(function, args, needs, top, below)


def make_batched(payload: Any, level: int) -> Batched:
    """The examples along the first axis of ``payload``, at that level."""
    payload = as_frame(payload)
    out = Batched.__new__(Batched)
    out._data = payload
    out._frame = payload._frame.backend.frame(level, True)
    out._node = None
    out._extra = None
    return out


def interpret(op: Op, args: Sequence[Any], params: dict[str, Any], top: Tensor) -> Any:
    """Run an operation on a batch; Tensors of lower levels are the same for every example."""
    frame = top._frame
    level = frame.level
    if level > OPEN.get():
        raise GraphError(
            f"{op.name}: {top!r} has escaped from the function that vmap mapped, where it was one example of a batch; return it from the "
            f"function, to get the batch"
        )
    mapped = [isinstance(arg, Batched) and arg._frame.level == level for arg in args]
    arrays = [arg._data if own else arg for arg, own in zip(args, mapped, strict=True)]
    rule = op.batch
    given = {name: _mapped(value, level) for name, value in params.items()} if params else params
    inside = params and any(map(_holds_mapped, given.values()))
    if rule == DECOMPOSE:
        return apply_module.call_raw(op, functools.partial(op.default, frame.namespace), args, params)  # type: ignore[arg-type, misc]
    call = functools.partial(apply_module.call_public, op)
    out = NotImplemented
    if rule is not None and (not inside or _KEYED.intersection(op.params)):
        run = Run(op.name, call, frame.namespace, top._data.shape[0])
        out = rule(run, arrays, mapped, given)  # type: ignore[operator]
    if out is NotImplemented:
        out = _loop(op, call, arrays, mapped, given, top._data.shape[0])
    if isinstance(out, tuple):
        parts = [make_batched(part, level) for part in out]
        return op.result(*parts) if len(parts) == len(op.outputs) > 1 else tuple(parts)
    result = make_batched(out, level)
    if op.view is not None and mapped[0] and op.view(params):
        link(result, args[0], op, params)
    return result


_KEYED = frozenset({"key", "sorter"})
"""The parameters whose arrays rules know what to do with."""


def _mapped(value: Any, level: int) -> Any:
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


def stacked(outs: Sequence[Any], name: str) -> Any:
    """The results for all examples as one, along a new first axis; tuples part by part."""
    if isinstance(outs[0], tuple):
        return tuple([stacked(parts, name) for parts in zip(*outs, strict=True)])
    shapes = {tuple(out.shape) for out in outs}
    if len(shapes) > 1:
        raise ShapeError(
            f"vmap: {name} gives results of different shapes for the examples: {', '.join(map(str, sorted(shapes)))}"
        )
    return outs[0]._frame.namespace.stack(list(outs), axis=0)
