"""The methods, properties and operators of Tensor, attached to the class here, once.

``core.tensor`` says what a Tensor is. Out of place a method calls the differentiable namespace; with a trailing underscore it rebinds
the Tensor (``core.inplace``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any

from ..backend.dtypes import ALIASES as DTYPE_ALIASES
from ..backend.dtypes import DTYPE_NAMES, dtype_name
from ..core import modes
from ..core.functions import as_operator, build
from ..core.inplace import in_own_dtype, inplace, is_there, part, rebind, share
from ..core.record import compiled
from ..core.tensor import SCALARS, Tensor, as_frame, constant, plain_key
from ..engine import start
from ..errors import ArgumentError, BackendError, DtypeError, ShapeError, describe
from ..rules.declare import BUILD, OPS, Op
from .conversions import Conversions
from .creation import has_tensor
from .namespace import check_version

CASTS = {"float": "float32", "double": "float64", "half": "float16", "int": "int32", "long": "int64", "bool": "bool"}
"""torch's methods that convert the dtype."""


class _Surface(Tensor):
    """The methods and properties that ``attach`` gives to Tensor."""

    __slots__ = ()

    # -- autograd ---------------------------------------------------------------------------------------------
    def backward(
        self,
        gradient: Any = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Sequence[Tensor] | Tensor | None = None,
    ) -> None:
        """Add the gradient of this Tensor to ``grad`` of the leaves (or of ``inputs`` only).

        Args:
            gradient: the cotangent, of the shape and dtype of this Tensor; may be left out for a scalar.
            retain_graph: keep what the graph has saved, so that it can be run again; default ``create_graph``.
            create_graph: record the gradient computation itself, for derivatives of higher order.
            inputs: accumulate into these alone.
        """
        start.backward(self, gradient, retain_graph, create_graph, inputs)

    def detach(self) -> Tensor:
        """The same values outside the graph; they share memory: writing to one shows in the other.

        Inside transforms it is a constant for all of them.
        """
        out = self._constant()
        share(out, self)
        return out

    @property
    def data(self) -> Tensor:
        """As ``detach()``; assigning gives the Tensor another payload behind the graph's back, which it shares with what was assigned."""
        return self.detach()

    @data.setter
    def data(self, value: Any) -> None:
        value = value if isinstance(value, Tensor) else Tensor(value)
        if value._frame.backend is not self._frame.backend or value.dtype != self.dtype:
            raise DtypeError(f"data: incompatible tensor type: {describe(value)} for a Tensor of {describe(self)}")
        part(self)
        self._data, self._frame = value._data, value._frame
        share(self, value)

    def _set_data(self, data: Any) -> None:
        with modes.no_grad():
            rebind(self, constant(data, self._frame))

    def __array_namespace__(self, /, *, api_version: str | None = None) -> Any:
        check_version(api_version)
        return self._frame.namespace

    def __repr__(self) -> str:
        from ..show.display import tensor_repr

        return tensor_repr(self)

    def _repr_html_(self) -> str:
        """Return the HTML that a notebook shows."""
        from ..show.display import tensor_html

        return tensor_html(self)

    def __setitem__(self, key: Any, value: Any, /) -> None:
        xp = self._frame.namespace
        key = plain_key(key)
        if isinstance(value, (list, tuple)) and has_tensor(value):
            value = xp.asarray(value)

        def compute() -> Tensor:
            if is_there(self, key, value):
                return self
            new = value if type(value) in SCALARS else in_own_dtype(self, as_frame(value, self._frame), "setitem")
            return xp.set_at(self, new, key=key)  # type: ignore[no-any-return]

        inplace(self, "setitem", compute)

    # -- shape ------------------------------------------------------------------------------------------------
    @property
    def T(self) -> Tensor:
        """The transposed matrix; a Tensor of one axis or none itself. More axes: ``permute_dims``, ``mT``."""
        if self.ndim < 2:
            return self
        if self.ndim != 2:
            raise ShapeError(
                f"T is for two axes, and this Tensor has shape {tuple(self.shape)}; use permute_dims, or mT for stacks"
            )
        return self._frame.namespace.permute_dims(self, (1, 0))  # type: ignore[no-any-return]

    @property
    def mT(self) -> Tensor:
        """Each matrix of a stack transposed (the last two axes exchanged)."""
        return self._frame.namespace.matrix_transpose(self)  # type: ignore[no-any-return]

    @property
    def H(self) -> Tensor:
        """The conjugate transposed matrix."""
        return self._frame.namespace.conj(self.T)  # type: ignore[no-any-return]

    @property
    def real(self) -> Tensor:
        """The real part; a real Tensor itself."""
        return self._frame.namespace.real(self) if self.is_complex() else self

    @property
    def imag(self) -> Tensor:
        """The imaginary part; of a real Tensor zeros, whatever the library does."""
        xp = self._frame.namespace
        return xp.imag(self) if self.is_complex() else xp.zeros_like(self)  # type: ignore[no-any-return]

    def t(self) -> Tensor:
        """The transposed matrix; a Tensor of one axis or none as it is."""
        if self.ndim > 2:
            raise ShapeError(
                f"t() expects a tensor with <= 2 dimensions, but this one has shape {tuple(self.shape)}; use permute_dims"
            )
        return self.T if self.ndim == 2 else self[...]

    def reshape(self, *shape: Any) -> Tensor:
        """``x.reshape(2, 3)`` or ``x.reshape((2, 3))``; one size may be -1."""
        return self._frame.namespace.reshape(self, _flat(shape))  # type: ignore[no-any-return]

    view = reshape

    def permute(self, *axes: Any) -> Tensor:
        """The axes in another order."""
        return self._frame.namespace.permute_dims(self, _flat(axes))  # type: ignore[no-any-return]

    def expand(self, *shape: Any) -> Tensor:
        """Broadcast to a shape; -1 keeps a size."""
        sizes = _flat(shape)
        lead = len(sizes) - self.ndim
        sizes = tuple([self.shape[i - lead] if n == -1 else n for i, n in enumerate(sizes)])
        return self._frame.namespace.broadcast_to(self, sizes)  # type: ignore[no-any-return]

    def squeeze(self, axis: Any = None) -> Tensor:
        """Without the axes of length 1, or without those of them that are named, as in torch."""
        axes = range(self.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
        gone: Any = tuple([a for a in axes if self.shape[a] == 1])
        return self._frame.namespace.squeeze(self, axis if gone and isinstance(axis, int) else gone)  # type: ignore[no-any-return]

    def unsqueeze(self, axis: int) -> Tensor:
        """A new axis of length 1."""
        return self._frame.namespace.expand_dims(self, axis=axis)  # type: ignore[no-any-return]

    def dim(self) -> int:
        """The number of axes."""
        return self.ndim

    def numel(self) -> int:
        """The number of elements."""
        return self.size

    def contiguous(self) -> Tensor:
        """The Tensor itself; layout is the array library's affair."""
        return self

    def type_as(self, other: Tensor) -> Tensor:
        """In the dtype of another Tensor."""
        return self.to(other.dtype)

    # -- dtype, device, backend -------------------------------------------------------------------------------
    def to(self, *args: Any, dtype: Any = None, device: Any = None, copy: bool = False) -> Tensor:
        """In another dtype or on another device, differentiably: ``x.to("float32")``, ``x.to("cpu")``, ``x.to(y)``.

        Raises:
            DtypeError, BackendError: the backend has no such dtype or device.
        """
        home = self._frame.backend
        for arg in args:
            if isinstance(arg, Tensor):
                dtype, device = arg.dtype, arg.device
            elif _is_dtype(arg):
                dtype = arg
            else:
                device = arg
        xp = self._frame.namespace
        out: Tensor = self
        if dtype is not None:
            target = home.dtype(dtype)
            if target != out.dtype:
                out = xp.astype(out, target)
        if device is not None:
            where = home.device(device)
            if where != out.device:
                out = xp.to_device(out, where)
        return xp.clone(out) if copy and out is self else out

    def to_device(self, device: Any, /, *, stream: Any = None) -> Tensor:
        """On another device, differentiably."""
        if stream is not None:
            raise ArgumentError("to_device: streams are the array library's affair; leave stream out")
        return self.to(device=device)

    def to_backend(self, name: str) -> Tensor:
        """The same values on another array library, differentiably.

        Raises:
            BackendError: there is no such backend, or it has no such dtype.
        """
        from .moving import to_backend  # levels are not read before they are needed

        return to_backend(self, name)

    def astype(self, dtype: Any, *, copy: bool = True) -> Tensor:
        """In another dtype, differentiably."""
        target = self._frame.backend.dtype(dtype)
        return self._frame.namespace.astype(self, target, copy=copy)  # type: ignore[no-any-return]

    def cpu(self) -> Tensor:
        """On the CPU."""
        return self.to(device="cpu")

    # -- in place ---------------------------------------------------------------------------------------------
    def zero_(self) -> Tensor:
        """Every element becomes 0."""
        return self.fill_(0)

    def fill_(self, value: Any) -> Tensor:
        """Every element becomes ``value`` (a scalar or a 0-d Tensor)."""
        if isinstance(value, Tensor) and value.ndim:
            raise ShapeError(f"fill_ only supports a 0-d value, got shape {tuple(value.shape)}; use copy_")
        return inplace(self, "fill_", lambda: self._frame.namespace.set_at(self, value, key=...))

    def copy_(self, source: Any) -> Tensor:
        """Every element becomes that of ``source``, which is broadcast and cast, and gets the gradient."""
        source = as_frame(source, self._frame)
        if source._frame.backend is not self._frame.backend:
            raise BackendError(
                f"copy_: the source is on the backend {source.backend!r}, the target on {self.backend!r}; use "
                f"source.to_backend({self.backend!r})"
            )

        def compute() -> Any:
            xp = self._frame.namespace
            value = source if source.dtype == self.dtype else xp.astype(source, self.dtype)
            return xp.set_at(self, value, key=...)

        return inplace(self, "copy_", compute)


def _is_dtype(value: Any) -> bool:
    if isinstance(value, str):
        return value in DTYPE_NAMES or value in DTYPE_ALIASES
    if isinstance(value, type) and value in (bool, int, float, complex):
        return True
    return dtype_name(value) in DTYPE_NAMES and "device" not in type(value).__name__.lower()


def _flat(sizes: tuple[Any, ...]) -> tuple[int, ...]:
    if len(sizes) == 1 and not hasattr(sizes[0], "__index__"):
        sizes = tuple(sizes[0])
    try:
        return tuple([n.__index__() for n in sizes])
    except AttributeError:
        raise ArgumentError(f"sizes and axes have to be integers, got {', '.join(map(describe, sizes))}") from None


# -- operations as methods ------------------------------------------------------------------------------------------------
class LazyMethod:
    """A method of Tensor that calls an operation, in the place of which it stands until it is first asked for."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, tensor: Tensor | None, owner: type[Tensor]) -> Any:
        method = _make_method(self.name, OPS.method(self.name))
        setattr(Tensor, self.name, method)
        return method if tensor is None else method.__get__(tensor, owner)


def _make_method(name: str, op: Op) -> Any:
    """Return the method of that name: the public function with the Tensor as its first array."""
    import inspect

    first, *rest = inspect.signature(op.call).parameters.values()
    moved = [p.replace(kind=p.POSITIONAL_OR_KEYWORD) for name in op.by_position for p in rest if p.name == name]
    by_keyword = [p for p in rest if p.kind is p.KEYWORD_ONLY]
    shown = [p for p in rest if p.kind is not p.KEYWORD_ONLY] + moved
    shown += [p for p in by_keyword if p.name not in op.by_position]
    given = [f"*{p.name}" if p.kind is p.VAR_POSITIONAL else p.name for p in rest if p.kind is not p.KEYWORD_ONLY]
    given += [f"{p.name}={p.name}" for p in by_keyword]
    call = f"OP.call({', '.join(['self', *given])})"
    in_place = name.endswith("_")
    source = f"def {name}{inspect.Signature([first.replace(name='self'), *shown])}:\n    return "
    source += f"inplace(self, {name!r}, lambda: {call})\n" if in_place else f"{call}\n"
    method = compiled(source, f"Tensor.{name}", {"OP": op, "inplace": inplace})[name]
    method.__qualname__ = f"Tensor.{name}"
    method.__module__ = "polygrad"
    method.__doc__ = f"As ``polygrad.{op.name}``{', in place' if in_place else ''}."
    return method


def _attach_methods(names: Sequence[str]) -> None:
    for name in names:
        if hasattr(Tensor, name):
            raise TypeError(f"Tensor has an attribute {name!r}, so no operation can have a method of that name")
    for name in names:
        setattr(Tensor, name, LazyMethod(name))


def _detach_methods(names: Sequence[str]) -> None:
    for name in names:
        delattr(Tensor, name)


def _attach_casts() -> None:
    def casting(dtype: str) -> Callable[..., Any]:
        return lambda self: self.to(dtype)

    for name, dtype in CASTS.items():
        _attach(name, casting(dtype), f"Convert to ``{dtype}``; as ``to({dtype!r})``.")


def _attach(name: str, method: Callable[..., Any], doc: str) -> None:
    method.__name__ = name
    method.__qualname__ = f"Tensor.{name}"
    method.__doc__ = doc
    setattr(Tensor, name, method)


# -- operators ----------------------------------------------------------------------------------------------------------
def _attach_inplace_operators() -> None:
    def operator(symbol: str, name: str) -> Callable[..., Any]:
        def method(self: Any, other: Any, /) -> Any:
            return inplace(self, symbol, lambda: OPS[name].call(self, other))

        return method

    for short, symbol, name in (
        ("add", "+=", "add"), ("sub", "-=", "subtract"), ("mul", "*=", "multiply"), ("truediv", "/=", "divide"),
        ("floordiv", "//=", "floor_divide"), ("mod", "%=", "remainder"), ("pow", "**=", "pow"), ("matmul", "@=", "matmul"),
        ("and", "&=", "bitwise_and"), ("or", "|=", "bitwise_or"), ("xor", "^=", "bitwise_xor"),
        ("lshift", "<<=", "bitwise_left_shift"), ("rshift", ">>=", "bitwise_right_shift"),
    ):  # fmt: skip
        _attach(f"__i{short}__", operator(symbol, name), f"As ``polygrad.{name}``, in place.")


_OPERATORS = {
    "__add__": "add", "__radd__": "add", "__sub__": "subtract", "__mul__": "multiply", "__rmul__": "multiply",
    "__truediv__": "divide", "__floordiv__": "floor_divide", "__mod__": "remainder", "__pow__": "pow", "__matmul__": "matmul",
    "__neg__": "negative", "__pos__": "positive", "__abs__": "abs", "__invert__": "bitwise_invert",
    "__and__": "bitwise_and", "__or__": "bitwise_or", "__xor__": "bitwise_xor", "__lshift__": "bitwise_left_shift",
    "__rshift__": "bitwise_right_shift", "__rand__": "bitwise_and", "__ror__": "bitwise_or", "__rxor__": "bitwise_xor",
    "__lt__": "less", "__le__": "less_equal", "__gt__": "greater", "__ge__": "greater_equal",
}  # fmt: skip
"""Operators that are an operation just as it stands: ``x * y`` calls it without a step between. Commutative reflected operators keep
the Tensor in front, as torch does."""
_REFLECTED = {
    "__rsub__": "subtract", "__rtruediv__": "divide", "__rfloordiv__": "floor_divide", "__rmod__": "remainder", "__rpow__": "pow",
    "__rmatmul__": "matmul", "__rlshift__": "bitwise_left_shift", "__rrshift__": "bitwise_right_shift",
}  # fmt: skip
_COMPARISONS = {"__eq__": "equal", "__ne__": "not_equal"}
_UNARY = {"__neg__", "__pos__", "__abs__", "__invert__"}


def _operator(method: str, make: Callable[[], Any]) -> Any:
    """An operator of Tensor that is built when it is first used, and from then on is what ``make`` made."""

    def build() -> Any:
        function = make()
        setattr(Tensor, method, function)
        return function

    def unary(self: Tensor, /) -> Any:
        return build()(self)

    def binary(self: Tensor, other: Any, /) -> Any:
        return build()(self, other)

    return unary if method in _UNARY else binary


def _attach_operators() -> None:

    def direct(name: str) -> Callable[[], Any]:
        return lambda: as_operator(OPS[name])

    def reflected(name: str) -> Callable[[], Any]:
        def make() -> Any:
            function = as_operator(OPS[name])

            def call(self: Tensor, other: Any, /) -> Any:
                return function(other, self)

            return call

        return make

    def comparison(name: str) -> Callable[[], Any]:
        def make() -> Any:
            function = OPS[name].call

            def compare(self: Tensor, other: Any, /) -> Any:
                if other is None or isinstance(other, (str, dict, list, tuple, set)):
                    return NotImplemented  # so that `x == None` is False, as in torch
                return function(self, other)

            return compare

        return make

    for form, table in ((direct, _OPERATORS), (reflected, _REFLECTED), (comparison, _COMPARISONS)):
        for method, name in table.items():
            setattr(Tensor, method, _operator(method, form(name)))
    Tensor.__hash__ = object.__hash__  # type: ignore[method-assign]


def _attach_members(source: type[Tensor]) -> None:
    for name, member in vars(source).items():
        if name in ("__module__", "__doc__", "__slots__", "__qualname__", "__abstractmethods__"):
            continue
        for function in (member.fget, member.fset) if isinstance(member, property) else (member,):
            if isinstance(function, FunctionType):
                function.__qualname__ = f"Tensor.{name}"
        setattr(Tensor, name, member)


BUILD.append(build)
_attach_members(Conversions)
_attach_members(_Surface)
_attach_operators()
_attach_inplace_operators()
_attach_casts()
_attach_methods(OPS.method_names())
OPS.attach, OPS.detach = _attach_methods, _detach_methods
