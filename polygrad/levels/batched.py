"""Batches: Tensors at a level of their own, whose payload has one more axis.

A ``Batched`` stands for one example of a batch; its payload, a Tensor of a lower level, has the batch as its first axis. A call on
batched Tensors runs once, on the payloads, by its batching rule. That is a call of the level below, so derivatives inside and
outside go their usual ways.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..backend.dtypes import dtype_name
from ..backend.frame import Frame, Level
from ..core.tensor import Tensor, as_frame, level_of
from ..errors import ConversionError, GraphError, ShapeError
from .call import Call, Values

_new = object.__new__


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

    def _outlived(self, where: str) -> Tensor:
        raise GraphError(
            f"{where}: {self!r} has escaped from the function that vmap mapped, where it was one example of a batch; return it from the "
            f"function, to get the batch"
        )

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


def make_batched(payload: Any, level: Level) -> Batched:
    """Return the examples along the first axis of ``payload``, at that level."""
    if not isinstance(payload, Tensor):
        payload = as_frame(payload)
    return _made(payload, payload._frame.backend.frame(level, True))


def _made(payload: Tensor, frame: Frame) -> Batched:
    out = _new(Batched)
    out._data = payload
    out._frame = frame
    out._node = None
    out._extra = None
    return out


def run_batched(call: Call, args: Values, top: Tensor) -> list[Any]:
    """Run a call on a batch; Tensors of lower levels are the same for every example."""
    frame = top._frame
    level = frame.level
    mapped: list[bool] = []
    arrays: list[Any] = []
    for arg in args:
        own = isinstance(arg, Tensor) and arg._frame.level == level
        mapped.append(own)
        arrays.append(arg._data if own else arg)
    results = []
    for out in call.batch(arrays, mapped, top._data.shape[0], level):
        if isinstance(out, Tensor):
            own_frame = frame if out._frame.backend is frame.backend else out._frame.backend.frame(level, True)
            out = _made(out, own_frame)
        results.append(out)
    return results


def by_element(function: Callable[..., Any], args: Values, top: Tensor) -> Batched | None:
    """Run an elementwise function on a batch whose examples need no alignment; None: they do. The shorter of two ways."""
    frame = top._frame
    level, ndim = frame.level, top._data.ndim
    arrays = []
    for arg in args:
        if isinstance(arg, Tensor) and arg._frame.level == level:
            arg = arg._data
            if arg.ndim != ndim:
                return None
        elif getattr(arg, "ndim", 0) >= ndim:  # what all examples share has fewer axes than the batch
            return None
        arrays.append(arg)
    return _made(function(*arrays), frame)


Batched._run_call = staticmethod(run_batched)
Batched._by_element = staticmethod(by_element)


def whole(value: Any, level: int, size: int) -> Any:
    """Return the batch of which ``value`` is an example; what is the same for all is repeated."""
    if not isinstance(value, Tensor):
        return value
    if level_of(value) == level:
        return value._data
    return value._frame.namespace.broadcast_to(value, (size, *value.shape))


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
