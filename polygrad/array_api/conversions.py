"""Conversions of a Tensor: NumPy arrays, DLPack, Python numbers and lists, copies and pickles.

A tracked Tensor does not leave its graph silently: a conversion to an array raises, one to a Python number warns.
"""

from __future__ import annotations

import copy
import sys
import warnings
from collections.abc import Iterator
from opcode import opmap
from typing import Any

from ..core import modes
from ..core.graph import LEAF
from ..core.sites import located, user_frame
from ..core.tensor import Tensor, constant, edge_of
from ..errors import ArgumentError, ConversionError, DetachWarning, GraphError, describe


class Conversions(Tensor):
    """The conversions of Tensor, which ``surface`` attaches to it."""

    __slots__ = ()

    # -- leaving the graph --------------------------------------------------------------------------------------
    def _untracked(self, what: str) -> Any:
        """The payload of the bottom level, if it may leave the graph silently."""
        if self._node is not None and not modes.current().detaching:
            if self.ndim == 0 and what == _ARRAY and _takes_numbers():
                return self.detach()._untracked(what)
            if what == _ARRAY:
                way = (
                    "To make an array of Tensors that keeps the gradient, use polygrad.asarray([x, y]) or numpy.stack([x, y]) in place of "
                    "numpy.array([x, y]) and of a NumPy function of a list, and numpy.dot(a, x) in place of a.dot(x). For the values "
                    "alone, use tensor.detach().numpy()"
                )
            else:
                way = f"Use tensor.detach().{'numpy()' if 'numpy' in what else 'array'} instead"
            raise located(
                ConversionError(
                    f"{what}: can't convert a Tensor that requires grad ({describe(self)}), the graph would be lost silently. "
                    f"{way}, or let library code take the values as constants inside `with polygrad.interop.allow_detach():`."
                ),
                self._node,
            )
        data = self._data
        return data._untracked(what) if isinstance(data, Tensor) else data

    def numpy(self) -> Any:
        """The values as a NumPy array (sharing memory where the library allows). Raises on a tracked Tensor."""
        return self._frame.backend.numpy(self._untracked("numpy()"))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        array = self._frame.backend.numpy(self._untracked(_ARRAY))
        return array.__array__(dtype) if dtype is not None else array.copy() if copy else array

    def __dlpack__(
        self, /, *, stream: Any = None, max_version: Any = None, dl_device: Any = None, copy: bool | None = None
    ) -> Any:
        array = self._frame.backend.export(self._untracked("__dlpack__"))
        options = {"stream": stream, "max_version": max_version, "dl_device": dl_device, "copy": copy}
        return array.__dlpack__(**{name: value for name, value in options.items() if value is not None})

    def __dlpack_device__(self, /) -> Any:
        return self.array.__dlpack_device__()

    def _scalar(self, convert: type) -> Any:
        if self.size != 1:
            raise ArgumentError(
                f"{convert.__name__}(tensor): only a Tensor of one element can be converted to a Python scalar, and this one is "
                f"{describe(self)}"
            )
        data = self._data
        return convert(data if data.ndim == 0 else self._frame.raw.reshape(data, ()))

    def item(self) -> Any:
        """The value of a Tensor of one element as a Python scalar."""
        kinds: dict[str, type] = {"bool": bool, "int": int, "float": float, "complex": complex}
        return self._scalar(kinds[self._kind()])

    def tolist(self) -> Any:
        """The values as nested Python lists."""
        data = self._data
        return data.tolist() if self._frame.lifted else self._frame.backend.to_host(data)

    def __bool__(self, /) -> bool:
        if self.size != 1:
            raise ArgumentError(
                f"bool(tensor): the truth value of a Tensor with {'no' if self.size == 0 else 'more than one'} element is ambiguous "
                f"({describe(self)}); use any(), all() or compare .shape"
            )
        return self._scalar(bool)  # type: ignore[no-any-return]

    def __float__(self, /) -> float:
        if self._node is not None:
            _leave_as_number("float", self)
        return self._scalar(float)  # type: ignore[no-any-return]

    def __int__(self, /) -> int:
        return self._scalar(int)  # type: ignore[no-any-return]

    def __complex__(self, /) -> complex:
        if self._node is not None:
            _leave_as_number("complex", self)
        return self._scalar(complex)  # type: ignore[no-any-return]

    def __index__(self, /) -> int:
        data = self._data
        if self._kind() != "int" or data.ndim != 0:
            raise ArgumentError(
                f"a Tensor can serve as an index only if it is a 0-d integer, and this one is {describe(self)}"
            )
        return int(data)

    def __len__(self) -> int:
        if self.ndim == 0:
            raise ArgumentError("len() of a 0-d tensor")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        if self.ndim == 0:
            raise ArgumentError("iteration over a 0-d tensor")
        return iter([self[i, ...] for i in range(self.shape[0])])

    def __contains__(self, element: Any) -> bool:
        return bool(self._frame.namespace.any(self == element))

    # -- copying ------------------------------------------------------------------------------------------------
    def __copy__(self) -> Tensor:
        """A second Tensor with the same values at the same place of the graph; of a leaf, another leaf."""
        out = object.__new__(type(self))
        # Inside a transform a leaf is an argument, from which its copy goes on.
        node = edge_of(self) if self._frame.level else self._node
        out._data, out._frame, out._node, out._extra = self._data, self._frame, node, None
        return out

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        """Of a leaf another leaf, with a copy of its gradient; of anything else a clone, which stays in the graph."""
        if id(self) in memo:
            return memo[id(self)]  # type: ignore[no-any-return]
        if not self.is_leaf or type(self) is not Tensor or self._frame.level:
            memo[id(self)] = clone = self._frame.namespace.clone(self)
            return clone  # type: ignore[no-any-return]
        data = copy.deepcopy(self._data, memo)
        out = constant(data, self._frame)
        memo[id(self)] = out
        out._node = self._node
        if self.grad is not None:
            out._own_extra().grad = copy.deepcopy(self.grad, memo)
        return out

    def __reduce__(self) -> Any:
        if not self.is_leaf:
            raise located(
                GraphError(
                    f"pickle: only leaves (Tensors created explicitly by the user) can be pickled, and this one was made by "
                    f"{self._node!r}; use x.detach() for the values"
                ),
                self._node,
            )
        return (_restore, (self.array, self._node is LEAF, self.grad))

    # -- printing -----------------------------------------------------------------------------------------------
    def __format__(self, spec: str) -> str:
        return (
            format(self.item(), spec)
            if self.ndim == 0 and spec
            else str(self)
            if not spec
            else object.__format__(self, spec)
        )


_ARRAY = "__array__ (numpy.asarray)"
_NUMBERS = ("scipy.optimize.", "scipy._lib._util._ScalarFunctionWrapper.")
"""Where a function of the user's returns a number: the value of its result is what is wanted there, and no gradient is lost."""
_WRITES = frozenset(opmap[name] for name in ("STORE_SUBSCR", "STORE_SLICE") if name in opmap)
"""The instructions of ``a[i] = x``."""


def _takes_numbers() -> bool:
    frame = user_frame()
    return f"{frame.f_globals.get('__name__')}.{frame.f_code.co_qualname}".startswith(_NUMBERS)


def _leave_as_number(function: str, tensor: Tensor) -> None:
    """Warn that a Python number knows nothing of the graph. A write into an array of another library raises.

    Python shows the warning once for each line that does it.
    """
    if modes.current().detaching:
        return
    frame = user_frame()
    if frame.f_code.co_code[frame.f_lasti] in _WRITES:
        raise located(
            ConversionError(
                f"a[i] = x: writing a Tensor that requires grad ({describe(tensor)}) into an array that is no Tensor would lose the graph. "
                f"Make the array a Tensor first (polygrad.zeros(...), polygrad.asarray(a)), or collect the parts in a list and join them "
                f"with polygrad.asarray([x, y]) or numpy.stack([x, y])"
            ),
            tensor._node,
        )
    warn_detached(
        f"{function}(tensor): a tracked Tensor was converted to a Python number, which has no gradient. If that is meant, say so "
        f"with tensor.item(), tensor.detach() or `with polygrad.interop.allow_detach():`."
    )


def warn_detached(message: str) -> None:
    """Warn at the line of the user's code."""
    frame, depth = sys._getframe(1), 2
    user = user_frame()
    while frame is not user and frame.f_back is not None:
        frame, depth = frame.f_back, depth + 1
    warnings.warn(message, DetachWarning, stacklevel=depth)


def _restore(array: Any, requires_grad: bool, grad: Tensor | None) -> Tensor:
    out = Tensor(array)
    if requires_grad:
        out._node = LEAF
    if grad is not None:
        out._own_extra().grad = grad
    return out
