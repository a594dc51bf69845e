"""The methods of Tensor that are operations under another spelling: torch's names, the standard's keywords.

Out of place they call the differentiable namespace; with a trailing underscore they rebind the Tensor (see ``tensor.inplace``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..errors import ArgumentError, BackendError, ShapeError, describe

if TYPE_CHECKING:
    from ..core.tensor import Tensor

REDUCTIONS = (
    "sum", "mean", "max", "min", "prod", "any", "all", "argmax", "argmin", "std", "var", "cumulative_sum", "cumulative_prod",
    "logsumexp", "count_nonzero",
)  # fmt: skip
"""Methods with ``axis`` as first argument, positional or by keyword."""
UNARY = (
    "abs", "acos", "acosh", "asin", "asinh", "atan", "atanh", "ceil", "conj", "cos", "cosh", "exp", "expm1", "floor", "isfinite", "isinf",
    "isnan", "log", "log1p", "log2", "log10", "logical_not", "negative", "reciprocal", "relu", "round", "sigmoid", "sign", "sin", "sinh",
    "sqrt", "square", "tan", "tanh", "trunc", "clone", "ravel", "bitwise_invert",
)  # fmt: skip
BINARY = (
    "add", "subtract", "multiply", "divide", "floor_divide", "remainder", "pow", "atan2", "hypot", "maximum", "minimum", "matmul",
    "equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "logical_and", "logical_or", "logical_xor", "tensordot",
    "vecdot", "mm", "mv", "dot", "bmm", "logaddexp",
)  # fmt: skip
OTHERS = (
    "argsort", "chunk", "clip", "expand_dims", "flatten", "flip", "moveaxis", "narrow", "permute_dims", "repeat",
    "roll", "softmax", "log_softmax", "sort", "split", "swapaxes", "take", "take_along_axis", "tile", "transpose", "tril",
    "triu", "unbind", "unstack", "nonzero", "index_select", "gather", "scatter", "scatter_add", "scatter_reduce", "index_add",
    "index_copy", "index_fill", "index_put", "index_reduce", "masked_fill", "masked_scatter", "masked_select", "select_scatter",
    "slice_scatter", "diagonal_scatter", "argwhere", "bincount", "diag", "diag_embed", "diagflat", "kron", "movedim", "nan_to_num",
    "rot90", "swapdims", "unflatten", "unfold",
    "addbmm", "addcdiv", "addcmul", "addmm", "addmv", "addr", "allclose", "aminmax", "angle", "baddbmm", "clamp_max", "clamp_min",
    "corrcoef", "cov", "cummax", "cummin", "deg2rad", "digamma", "dist", "erf", "erfc", "erfinv", "exp2", "float_power", "fmax", "fmin",
    "fmod", "frac", "heaviside", "histc", "histogram", "i0", "igamma", "igammac", "inner", "isclose", "kthvalue", "ldexp", "lerp", "lgamma",
    "logaddexp2", "logcumsumexp", "logit", "median", "mode", "mvlgamma", "nanmean", "nanmedian", "nanquantile", "nansum", "norm",
    "quantile", "rad2deg", "renorm", "rsqrt", "sinc", "topk", "xlogy",
)  # fmt: skip
ALIASES = {
    "sub": "subtract", "mul": "multiply", "div": "divide", "true_divide": "divide", "power": "pow", "neg": "negative",
    "absolute": "abs", "eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal",
    "amax": "max", "amin": "min", "clamp": "clip", "arccos": "acos", "arcsin": "asin", "arctan": "atan", "arctan2": "atan2",
    "cumsum": "cumulative_sum", "cumprod": "cumulative_prod",
}  # fmt: skip
"""torch's names of operations that the standard has under another."""
BY_POSITION = {
    "argsort": (0, "axis"), "flip": (0, "axis"), "roll": (1, "axis"), "sort": (0, "axis"), "tensordot": (1, "axes"), "tril": (0, "k"),
    "triu": (0, "k"),
}  # fmt: skip
"""Methods that take by position, as in torch, a parameter that the standard has by keyword alone: its place, counted after self."""
CASTS = {"float": "float32", "double": "float64", "half": "float16", "int": "int32", "long": "int64", "bool": "bool"}
"""torch's methods that convert the dtype."""
INPLACE = (
    "add", "sub", "mul", "div", "pow", "remainder", "floor_divide", "neg", "abs", "exp", "log", "sqrt", "sin", "cos", "tanh", "sigmoid",
    "relu", "clip", "clamp", "round", "floor", "ceil", "trunc", "square", "reciprocal", "maximum", "minimum",
    "scatter", "scatter_add", "scatter_reduce", "index_add", "index_copy", "index_fill", "index_put", "index_reduce", "masked_fill",
    "masked_scatter", "nan_to_num", "addcdiv", "addcmul", "addmm", "addmv", "baddbmm", "clamp_max", "clamp_min", "erf", "exp2", "fmod",
    "frac", "lerp", "logit", "renorm", "rsqrt", "sinc",
)  # fmt: skip
"""Operations that also exist with a trailing underscore."""


class Methods:
    """Mixin of Tensor."""

    __slots__ = ()

    if TYPE_CHECKING:  # what is attached below, for type checkers

        def __getattr__(self, name: str) -> Callable[..., Any]: ...

    # -- shape ------------------------------------------------------------------------------------------------
    @property
    def T(self) -> Tensor:
        """The transposed matrix. Other numbers of axes: ``permute_dims``, ``mT``."""
        tensor: Any = self
        if tensor.ndim != 2:
            raise ShapeError(
                f"T is for two axes, and this Tensor has shape {tuple(tensor.shape)}; use permute_dims, or mT for stacks"
            )
        return tensor._frame.namespace.permute_dims(tensor, (1, 0))  # type: ignore[no-any-return]

    @property
    def mT(self) -> Tensor:
        """Each matrix of a stack transposed (the last two axes exchanged)."""
        tensor: Any = self
        return tensor._frame.namespace.matrix_transpose(tensor)  # type: ignore[no-any-return]

    @property
    def H(self) -> Tensor:
        """The conjugate transposed matrix."""
        tensor: Any = self
        return tensor._frame.namespace.conj(self.T)  # type: ignore[no-any-return]

    @property
    def real(self) -> Tensor:
        """The real part; a real Tensor itself."""
        tensor: Any = self
        return tensor._frame.namespace.real(tensor) if tensor.is_complex() else tensor  # type: ignore[no-any-return]

    @property
    def imag(self) -> Tensor:
        """The imaginary part; of a real Tensor zeros, whatever the library does."""
        tensor: Any = self
        xp = tensor._frame.namespace
        return xp.imag(tensor) if tensor.is_complex() else xp.zeros_like(tensor)  # type: ignore[no-any-return]

    def t(self) -> Tensor:
        """The transposed matrix; a Tensor of one axis or none as it is."""
        tensor: Any = self
        if tensor.ndim > 2:
            raise ShapeError(
                f"t() expects a tensor with <= 2 dimensions, but this one has shape {tuple(tensor.shape)}; use permute_dims"
            )
        return self.T if tensor.ndim == 2 else tensor[...]

    def reshape(self, *shape: Any) -> Tensor:
        """``x.reshape(2, 3)`` or ``x.reshape((2, 3))``; one size may be -1."""
        tensor: Any = self
        return tensor._frame.namespace.reshape(tensor, _flat(shape))  # type: ignore[no-any-return]

    view = reshape

    def permute(self, *axes: Any) -> Tensor:
        """The axes in another order."""
        tensor: Any = self
        return tensor._frame.namespace.permute_dims(tensor, _flat(axes))  # type: ignore[no-any-return]

    def expand(self, *shape: Any) -> Tensor:
        """Broadcast to a shape; -1 keeps a size."""
        tensor: Any = self
        sizes = _flat(shape)
        lead = len(sizes) - tensor.ndim
        sizes = tuple([tensor.shape[i - lead] if n == -1 else n for i, n in enumerate(sizes)])
        return tensor._frame.namespace.broadcast_to(tensor, sizes)  # type: ignore[no-any-return]

    def squeeze(self, axis: Any = None) -> Tensor:
        """Without the axes of length 1, or without those of them that are named, as in torch."""
        tensor: Any = self
        axes = range(tensor.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
        gone: Any = tuple([a for a in axes if tensor.shape[a] == 1])
        return tensor._frame.namespace.squeeze(tensor, axis if gone and isinstance(axis, int) else gone)  # type: ignore[no-any-return]

    def unsqueeze(self, axis: int) -> Tensor:
        """A new axis of length 1."""
        tensor: Any = self
        return tensor._frame.namespace.expand_dims(tensor, axis=axis)  # type: ignore[no-any-return]

    def dim(self) -> int:
        """The number of axes."""
        tensor: Any = self
        return tensor.ndim  # type: ignore[no-any-return]

    def numel(self) -> int:
        """The number of elements."""
        tensor: Any = self
        return tensor.size  # type: ignore[no-any-return]

    def contiguous(self) -> Tensor:
        """The Tensor itself; layout is the array library's affair."""
        return self  # type: ignore[return-value]

    def type_as(self, other: Tensor) -> Tensor:
        """In the dtype of another Tensor."""
        return self.to(other.dtype)

    # -- dtype, device, backend -------------------------------------------------------------------------------
    def to(self, *args: Any, dtype: Any = None, device: Any = None, copy: bool = False) -> Tensor:
        """In another dtype or on another device, differentiably: ``x.to("float32")``, ``x.to("cpu")``, ``x.to(y)``.

        Raises:
            DtypeError, BackendError: the backend has no such dtype or device.
        """
        from ..core.tensor import Tensor

        tensor: Any = self
        home = tensor._frame.backend
        for arg in args:
            if isinstance(arg, Tensor):
                dtype, device = arg.dtype, arg.device
            elif _is_dtype(arg):
                dtype = arg
            else:
                device = arg
        xp = tensor._frame.namespace
        out = tensor
        if dtype is not None:
            target = home.dtype(dtype)
            if target != out.dtype:
                out = xp.astype(out, target)
        if device is not None:
            where = home.device(device)
            if where != out.device:
                out = xp.to_device(out, where)
        return xp.clone(out) if copy and out is tensor else out  # type: ignore[no-any-return]

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
        from .moving import to_backend

        tensor: Any = self
        return to_backend(tensor, name)

    def astype(self, dtype: Any, *, copy: bool = True) -> Tensor:
        """In another dtype, differentiably."""
        tensor: Any = self
        target = tensor._frame.backend.dtype(dtype)
        return tensor._frame.namespace.astype(tensor, target, copy=copy)  # type: ignore[no-any-return]

    def cpu(self) -> Tensor:
        """On the CPU."""
        return self.to(device="cpu")

    # -- in place ---------------------------------------------------------------------------------------------
    def zero_(self) -> Tensor:
        """Every element becomes 0."""
        return self.fill_(0)

    def fill_(self, value: Any) -> Tensor:
        """Every element becomes ``value`` (a scalar or a 0-d Tensor)."""
        from ..core.tensor import Tensor
        from ..core.views import inplace

        if isinstance(value, Tensor) and value.ndim:
            raise ShapeError(f"fill_ only supports a 0-d value, got shape {tuple(value.shape)}; use copy_")
        tensor: Any = self
        return inplace(tensor, "fill_", lambda: tensor._frame.namespace.set_at(tensor, value, key=...))

    def copy_(self, source: Any) -> Tensor:
        """Every element becomes that of ``source``, which is broadcast and cast, and gets the gradient."""
        from ..core.tensor import as_frame
        from ..core.views import inplace

        tensor: Any = self
        source = as_frame(source, tensor._frame)
        if source._frame.backend is not tensor._frame.backend:
            raise BackendError(
                f"copy_: the source is on the backend {source.backend!r}, the target on {tensor.backend!r}; use "
                f"source.to_backend({tensor.backend!r})"
            )

        def compute() -> Any:
            xp = tensor._frame.namespace
            value = source if source.dtype == tensor.dtype else xp.astype(source, tensor.dtype)
            return xp.set_at(tensor, value, key=...)

        return inplace(tensor, "copy_", compute)


def _is_dtype(value: Any) -> bool:
    from ..backend.base import ALIASES as DTYPE_ALIASES
    from ..backend.base import DTYPE_NAMES, dtype_name

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


def install(kind: type, ops: dict[str, Any]) -> None:
    """Attach the operations (the registry) as methods, which ask for an operation when they are called; the namespace calls this once."""
    from ..core.views import inplace

    def reduction(name: str) -> Callable[..., Any]:
        def method(self: Any, axis: Any = None, *args: Any, **params: Any) -> Any:
            if args:  # torch allows keepdims by position
                params["keepdims"] = args[0]
            return ops[name].call(self, axis=axis, **params)

        return method

    def plain(name: str) -> Callable[..., Any]:
        # not ops[name].call itself, which would read the tables at once
        if name not in BY_POSITION:
            return lambda self, *args, **params: ops[name].call(self, *args, **params)  # noqa: PLW0108
        place, keyword = BY_POSITION[name]

        def method(self: Any, *args: Any, **params: Any) -> Any:
            if len(args) == place + 1:
                params[keyword] = args[place]
            return ops[name].call(self, *args[:place], *args[place + 1 :], **params)

        return method

    def casting(dtype: str) -> Callable[..., Any]:
        return lambda self: self.to(dtype)

    def changing(shown: str, name: str) -> Callable[..., Any]:
        return lambda self, *args, **params: inplace(self, shown, lambda: ops[name].call(self, *args, **params))

    def operator(symbol: str, name: str) -> Callable[..., Any]:
        def method(self: Any, other: Any, /) -> Any:
            return inplace(self, symbol, lambda: ops[name].call(self, other))

        return method

    made = {name: reduction(name) for name in REDUCTIONS}
    made |= {name: plain(name) for name in (*UNARY, *BINARY, *OTHERS)}
    made |= {name: casting(dtype) for name, dtype in CASTS.items()}
    made |= {alias: made[name] for alias, name in ALIASES.items()}
    made |= {f"{name}_": changing(f"{name}_", ALIASES.get(name, name)) for name in INPLACE}
    for short, symbol, name in (
        ("add", "+=", "add"), ("sub", "-=", "subtract"), ("mul", "*=", "multiply"), ("truediv", "/=", "divide"),
        ("floordiv", "//=", "floor_divide"), ("mod", "%=", "remainder"), ("pow", "**=", "pow"), ("matmul", "@=", "matmul"),
        ("and", "&=", "bitwise_and"), ("or", "|=", "bitwise_or"), ("xor", "^=", "bitwise_xor"),
        ("lshift", "<<=", "bitwise_left_shift"), ("rshift", ">>=", "bitwise_right_shift"),
    ):  # fmt: skip
        made[f"__i{short}__"] = operator(symbol, name)
    for name, method in made.items():
        method.__name__ = name
        method.__qualname__ = f"Tensor.{name}"
        method.__doc__ = f"As ``polygrad.{ALIASES.get(name.rstrip('_'), name.strip('_'))}``."
        setattr(kind, name, method)
