"""Forward mode: dual numbers at a level of their own.

A ``Dual`` carries a primal and a tangent, both Tensors of lower levels. A call on duals runs on the primals, and its ``jvp`` gives the
tangents.
"""

from __future__ import annotations

from typing import Any

from ..core.tensor import Tensor, as_frame, level_of
from .call import Call, Values


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


def make_dual(primal: Any, tangent: Any, level: int) -> Dual:
    """A dual number at that level."""
    primal = as_frame(primal)
    out = Dual.__new__(Dual)
    out._data = primal
    out._frame = primal._frame.backend.frame(level, True)
    out._node = tangent
    out._extra = None
    return out


def run_dual(call: Call, args: Values, top: Tensor) -> list[Any]:
    """Run a call at a level of forward mode; Tensors of lower levels are constants."""
    level = top._frame.level
    mine = [level_of(arg) == level for arg in args]
    primals = [arg._data if own else arg for arg, own in zip(args, mine, strict=True)]
    tangents = [arg._node if own else None for arg, own in zip(args, mine, strict=True)]
    if all(tangent is None for tangent in tangents):
        outs = call(primals)
        return [make_dual(out, None, level) if isinstance(out, Tensor) else out for out in outs]
    outs, slopes = call.jvp(primals, tangents)
    return [
        make_dual(out, slope, level) if isinstance(out, Tensor) else out
        for out, slope in zip(outs, slopes, strict=True)
    ]


Dual._run_call = staticmethod(run_dual)
