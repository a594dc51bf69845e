"""Forward mode: dual numbers at a level of their own.

A ``Dual`` carries a primal and a tangent, both Tensors of lower levels. A call on duals runs on the primals, and its ``jvp`` gives the
tangents.
"""

from __future__ import annotations

from typing import Any

from ..backend.frame import Frame, Level
from ..core.tensor import Tensor, as_frame
from .call import Call, Values

_new = object.__new__


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


def make_dual(primal: Any, tangent: Any, level: Level) -> Dual:
    """Return a dual number at that level."""
    if not isinstance(primal, Tensor):
        primal = as_frame(primal)
    return _made(primal, tangent, primal._frame.backend.frame(level, True))


def _made(primal: Tensor, tangent: Any, frame: Frame) -> Dual:
    out = _new(Dual)
    out._data = primal
    out._frame = frame
    out._node = tangent
    out._extra = None
    return out


def run_dual(call: Call, args: Values, top: Tensor) -> list[Any]:
    """Run a call at a level of forward mode; Tensors of lower levels are constants."""
    frame = top._frame
    level = frame.level
    primals: list[Any] = []
    tangents: list[Any] = []
    moving = False
    for arg in args:
        if isinstance(arg, Tensor) and arg._frame.level == level:
            primals.append(arg._data)
            tangents.append(arg._node)
            moving = moving or arg._node is not None
        else:
            primals.append(arg)
            tangents.append(None)
    outs, slopes = call.jvp(primals, tangents) if moving else (call(primals), None)
    results = []
    for j, out in enumerate(outs):
        if isinstance(out, Tensor):
            own = frame if out._frame.backend is frame.backend else out._frame.backend.frame(level, True)
            out = _made(out, None if slopes is None else slopes[j], own)
        results.append(out)
    return results


Dual._run_call = staticmethod(run_dual)
