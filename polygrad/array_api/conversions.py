"""Conversions of a Tensor: NumPy arrays, DLPack, Python numbers and lists, copies and pickles.

A tracked Tensor does not leave its graph silently: a conversion to an array raises, one to a Python number warns.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator
from typing import Any

from ..core import modes
from ..core.graph import LEAF
from ..core.sites import located
from ..core.tensor import Tensor, constant, edge_of
from ..errors import ArgumentError, ConversionError, DetachWarning, GraphError, describe


class Conversions(Tensor):
    """The conversions of Tensor, which ``surface`` attaches to it."""

    __slots__ = ()

    # -- leaving the graph --------------------------------------------------------------------------------------
    def _untracked(self, what: str) -> Any:
        """The payload of the bottom level, if it may leave the graph silently."""
        if self._node is not None and not modes.current().detaching:
            raise located(
                ConversionError(
                    f"{what}: can't convert a Tensor that requires grad ({describe(self)}), the graph would be lost silently. "
                    f"Use tensor.detach().{'numpy()' if 'numpy' in what or 'array' in what else 'array'} instead, or let library code "
                    f"take the values as constants inside `with polygrad.interop.allow_detach():`."
                ),
                self._node,
            )
        data = self._data
        return data._untracked(what) if isinstance(data, Tensor) else data

    def numpy(self) -> Any:
        """The values as a NumPy array (sharing memory where the library allows). Raises on a tracked Tensor."""
        return self._frame.backend.numpy(self._untracked("numpy()"))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        array = self._frame.backend.numpy(self._untracked("__array__ (numpy.asarray)"))
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
            warn_detached("float")
        return self._scalar(float)  # type: ignore[no-any-return]

    def __int__(self, /) -> int:
        return self._scalar(int)  # type: ignore[no-any-return]

    def __complex__(self, /) -> complex:
        if self._node is not None:
            warn_detached("complex")
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


_warned = False


def warn_detached(function: str) -> None:
    """Warn, once in a process as torch does, that a Python number knows nothing of the graph."""
    global _warned  # noqa: PLW0603
    if _warned or modes.current().detaching:
        return
    warnings.warn(
        f"{function}(tensor): a tracked Tensor was converted to a Python number, which has no gradient. If that is meant, say so "
        f"with tensor.item(), tensor.detach() or `with polygrad.interop.allow_detach():`. This warning is given once.",
        DetachWarning,
        stacklevel=3,
    )
    _warned = True  # not before, so that a filter that makes it an error does so every time


def _restore(array: Any, requires_grad: bool, grad: Tensor | None) -> Tensor:
    out = Tensor(array)
    if requires_grad:
        out._node = LEAF
    if grad is not None:
        out._own_extra().grad = grad
    return out
