"""NumPy's protocols: its ufuncs and functions, called by name on a Tensor, run as polygrad's operations.

Listed here is what the namespace has under another name. Functions that it has not, or without NumPy's options, are in
``numpy_functions`` and the other tables beside it. An option is honoured, or the call raises. What there is
no operation for takes Tensors without a graph as arrays; of others it raises, since NumPy's own function would lose the graph.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..backend.dtypes import dtype_name
from ..core import modes
from ..core.inplace import inplace
from ..core.tensor import Tensor
from ..errors import ConversionError, describe
from ..rules.declare import OPS, Op
from . import numpy_linalg, numpy_reductions, numpy_series, numpy_shapes  # noqa: F401  they register
from .numpy_functions import FUNCTIONS

UFUNCS = {
    "absolute": "abs", "fabs": "abs", "arccos": "acos", "arccosh": "acosh", "arcsin": "asin", "arcsinh": "asinh", "arctan": "atan",
    "arctan2": "atan2", "arctanh": "atanh", "conjugate": "conj", "power": "pow", "float_power": "pow", "invert": "bitwise_invert",
    "left_shift": "bitwise_left_shift", "right_shift": "bitwise_right_shift", "mod": "remainder", "rint": "round",
    "true_divide": "divide", "degrees": "rad2deg", "radians": "deg2rad",
}  # fmt: skip
"""The operation of each ufunc, where the names differ."""
REDUCTIONS = {
    "add": "sum", "multiply": "prod", "maximum": "max", "minimum": "min", "logical_and": "all", "logical_or": "any",
}  # fmt: skip
"""The operation of ``reduce`` of each ufunc."""
ACCUMULATIONS = {"add": "cumulative_sum", "multiply": "cumulative_prod"}
"""The operation of ``accumulate`` of each ufunc."""
HARMLESS = {"einsum": {"optimize", "order"}}
"""Options that choose an algorithm or the layout in memory and do not change the values, by function."""
OF_VALUES = {
    "array_equiv", "common_type", "diag_indices_from", "digitize", "lexsort", "min_scalar_type", "tril_indices_from",
    "triu_indices_from",
}  # fmt: skip
"""Functions that NumPy computes from the values: they say where or how many, and have no derivative."""
WRITES = {"copyto", "fill_diagonal", "nan_to_num", "place", "put", "put_along_axis", "putmask"}
"""Functions that write into an argument, which has to be the Tensor."""
DEFAULTS = {"where": True, "order": "K", "subok": True}
"""NumPy's defaults of the options of ufuncs."""
_PLAIN = (bool, int, float, str, tuple)


def _refuse(name: str, args: Any) -> ConversionError:
    shown = ", ".join(describe(arg) for arg in args)
    return ConversionError(
        f"numpy.{name}({shown}): polygrad has no operation for this call, and NumPy's own would lose the graph. Use a function of "
        f"polygrad.namespace(), or x.detach().numpy() if no gradient is wanted"
    )


# -- Tensors without a graph --------------------------------------------------------------------------------------------
def _may_leave(values: Any) -> bool:
    """Return whether no Tensor among the arguments has a history, or all may leave it."""
    return modes.current().detaching or not any(t._node is not None or t._frame.level for t in _tensors(values))


def _on_host(name: str, function: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Call NumPy's own function on the values of Tensors that have no graph to lose; raise for others."""
    given = (*args, *options.values())
    if function.__name__ in WRITES or not (function.__name__ in OF_VALUES or _may_leave(given)):
        raise _refuse(name, args)
    return function(*map(_values, args), **{key: _values(value) for key, value in options.items()})


def _values(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.detach().numpy()
    return type(value)(map(_values, value)) if type(value) in (list, tuple) else value


# -- ufuncs -------------------------------------------------------------------------------------------------------------
def array_ufunc(ufunc: Any, method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Run a NumPy (or SciPy) ufunc on arguments among which there is a Tensor."""
    name = ufunc.__name__
    out = options.pop("out", None)
    if out is not None:
        if not any(isinstance(target, Tensor) for target in out) and _may_leave(inputs):
            return getattr(ufunc, method)(*map(_values, inputs), out=out, **options)
        return _write_into(name, out[0] if len(out) == 1 else None, lambda: array_ufunc(ufunc, method, inputs, options))
    result = _call_ufunc(ufunc, method, inputs, {k: v for k, v in options.items() if v is not np._NoValue})
    if result is not NotImplemented:
        return result
    shown = name if method == "__call__" else f"{name}.{method}"
    if method == "at" or not _may_leave((*inputs, *options.values())):
        raise _refuse(shown, inputs)
    return getattr(ufunc, method)(*map(_values, inputs), **{key: _values(value) for key, value in options.items()})


def _call_ufunc(ufunc: Any, method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    xp = _first(inputs)._frame.namespace
    inputs = tuple(xp.asarray(value) if isinstance(value, list | tuple) else value for value in inputs)
    if method == "__call__":
        return _call_plain(ufunc, xp, inputs, options)
    if method == "reduce" and not set(options) - {"axis", "keepdims", "dtype", "initial", "where"}:
        return _reduce(ufunc, xp, inputs[0], **{"axis": 0, **options})
    if method == "accumulate" and not set(options) - {"axis", "dtype"}:
        return _accumulate(ufunc, xp, inputs[0], **options)
    if method == "outer" and len(inputs) == 2:
        a, b = (x if isinstance(x, Tensor) else xp.asarray(x) for x in inputs)
        return _call_plain(ufunc, xp, (a[(..., *[None] * b.ndim)], b), options)
    return NotImplemented


def _call_plain(ufunc: Any, xp: Any, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Call the operation of a ufunc. With ``dtype=`` it computes in that dtype, as NumPy does."""
    name, options = ufunc.__name__, dict(options)
    dtype, casting = options.pop("dtype", None), options.pop("casting", "same_kind")
    options = {key: value for key, value in options.items() if not _same(value, DEFAULTS.get(key))}
    if options or (dtype is None and casting not in ("same_kind", "unsafe")):
        return NotImplemented
    if dtype is not None:
        arrays = [x if isinstance(x, Tensor) else xp.asarray(x) for x in inputs]
        target = np.dtype(dtype_name(arrays[0]._frame.backend.dtype(dtype)))
        one = target.char * ufunc.nin + "->" + target.char
        if one not in ufunc.types or not all(np.can_cast(dtype_name(x.dtype), target, casting) for x in arrays):
            return NotImplemented
        inputs = tuple(x.to(dtype=dtype) for x in arrays)
    if name == "_lambertw":  # SciPy's function in front of the ufunc has made an array of the branch
        return xp.special.lambertw(inputs[0], k=int(inputs[1]))
    op = _operation(name)
    if op is not None:
        return op.call(*inputs)
    special = getattr(xp.special, name, None)
    return NotImplemented if special is None else special(*inputs)


def _reduce(
    ufunc: Any, xp: Any, x: Any, axis: Any, keepdims: bool = False, dtype: Any = None, initial: Any = None, where: Any = True
) -> Any:  # fmt: skip
    known = REDUCTIONS.get(ufunc.__name__)
    x = xp.asarray(x)
    if known is not None:
        if dtype is not None:
            x = x.to(dtype=dtype)
        given = {"initial": initial} if initial is not None else {}
        if known in ("all", "any") and given:
            return NotImplemented
        return FUNCTIONS[known](xp, x, axis=axis, keepdims=keepdims, where=where, **given)
    if ufunc.nin != 2 or ufunc.nout != 1 or where is not True or initial is not None or isinstance(axis, tuple):
        return NotImplemented
    out = _fold(ufunc, xp, x, axis, dtype)
    if out is NotImplemented:
        return out
    if keepdims:
        return xp.reshape(out[-1], (1,) * x.ndim) if axis is None else xp.expand_dims(out[-1], axis=axis)
    return out[-1]


def _accumulate(ufunc: Any, xp: Any, x: Any, axis: int = 0, dtype: Any = None) -> Any:
    x = xp.asarray(x)
    if ufunc.__name__ in ACCUMULATIONS:
        return OPS[ACCUMULATIONS[ufunc.__name__]].call(x, axis=axis, **({} if dtype is None else {"dtype": dtype}))
    out = _fold(ufunc, xp, x, axis, dtype)
    return out if out is NotImplemented else xp.stack(out, axis=axis)


def _fold(ufunc: Any, xp: Any, x: Any, axis: Any, dtype: Any) -> Any:
    """Return what a binary ufunc makes of the slices along an axis, one after the other: each result so far."""
    parts = xp.unstack(xp.reshape(x, (-1,)) if axis is None else x, axis=0 if axis is None else axis)
    if not parts:
        return NotImplemented
    found = [parts[0] if dtype is None else parts[0].to(dtype=dtype)]
    for part in parts[1:]:
        found.append(_call_plain(ufunc, xp, (found[-1], part), {"dtype": dtype}))
        if found[-1] is NotImplemented:
            return NotImplemented
    return found


def _operation(name: str) -> Op | None:
    op: Op | None = OPS.get(UFUNCS.get(name, name)) or OPS.get(f"special.{name}")
    return op


def _write_into(name: str, target: Any, compute: Callable[[], Any]) -> Any:
    """Run an operation with ``out=`` in place, on the Tensor that is to take the result."""
    if not isinstance(target, Tensor):
        raise ConversionError(
            f"numpy.{name}(..., out={describe(target)}): the result would be written into an array that is no Tensor, and "
            f"lose the graph. Leave out= away (write a = a + x instead of a += x), or make the array a Tensor first"
        )
    return inplace(target, name, compute)


# -- functions ----------------------------------------------------------------------------------------------------------
@functools.cache
def _signature(function: Any) -> inspect.Signature:
    return inspect.signature(function)


class _Call:
    """The arguments of a call of a NumPy function: those that have to be given, and the options that say something.

    An option that is given with NumPy's own default says nothing. None says something where it is not the default.
    """

    def __init__(self, function: Any, args: tuple[Any, ...], options: dict[str, Any]) -> None:
        signature = _signature(function)
        self.out = None
        self.required: dict[str, Any] = {}
        self.rest: tuple[Any, ...] = ()
        self.options: dict[str, Any] = {}
        given = signature.bind(*args, **options).arguments
        for name, value in given.items():
            parameter = signature.parameters[name]
            if name == "out":
                self.out = value[0] if isinstance(value, tuple) and len(value) == 1 else value
            elif parameter.kind is parameter.VAR_POSITIONAL:
                self.rest = value
            elif parameter.kind is parameter.VAR_KEYWORD:
                self.options.update(value)
            elif parameter.default is parameter.empty:
                self.required[name] = value
            elif value is not np._NoValue and not _same(value, parameter.default):
                self.options[name] = value

    @property
    def positional(self) -> tuple[Any, ...]:
        return (*self.required.values(), *self.rest)


def _same(value: Any, default: Any) -> bool:
    return value is default or (type(value) is type(default) and type(value) in _PLAIN and value == default)


def array_function(function: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Run a NumPy function on arguments among which there is a Tensor."""
    module = (getattr(function, "__module__", "") or "").removeprefix("numpy").strip(".")
    name = f"{module}.{function.__name__}" if module else function.__name__
    call = _Call(function, args, options)
    if call.out is None:
        result = _run(function.__name__, module, call)
        return _on_host(name, function, args, options) if result is NotImplemented else result
    if not isinstance(call.out, Tensor) and _may_leave(args):
        return _on_host(name, function, args, options)

    def compute() -> Any:
        result = _run(function.__name__, module, call)
        if result is NotImplemented:
            raise _refuse(name, args)
        return result

    return _write_into(name, call.out, compute)


def _run(name: str, module: str, call: _Call) -> Any:
    """Run the function of that name; NotImplemented where there is none, or it has not an option."""
    if module not in ("", "lib", "lib.stride_tricks", "linalg", "fft"):
        return NotImplemented
    prefix = f"{module}." if module in ("linalg", "fft") else ""
    chosen = FUNCTIONS.get(prefix + name)
    if chosen is not None:
        known = _options_of(chosen)
        if known is not None and set(call.options) - known:
            return NotImplemented
        tensor = next(_tensors((*call.positional, *call.options.values())))
        return chosen(tensor._frame.namespace, *call.positional, **call.options)
    op = OPS.get(prefix + name)
    return NotImplemented if op is None or module == "lib.stride_tricks" else _call_operation(op, prefix + name, call)


@functools.cache
def _options_of(chosen: Any) -> set[str] | None:
    """Return the names of the options that a function takes; None: any."""
    parameters = inspect.signature(chosen).parameters
    return None if any(p.kind is p.VAR_KEYWORD for p in parameters.values()) else set(parameters)


def _call_operation(op: Op, name: str, call: _Call) -> Any:
    """Call an operation with NumPy's arguments; NotImplemented where it has not an option."""
    harmless = HARMLESS.get(name, ())
    params = {key: value for key, value in call.options.items() if key not in harmless}
    arrays = list(call.positional)
    if op.arrays != ("equation", "operands") and not _variadic(op):  # else all of them are arrays
        count = 1 if op.sequence else len(op.arrays)
        params.update(list(call.required.items())[count:])
        xp = next(_tensors((*arrays, *params.values())))._frame.namespace
        arrays = arrays[:count]
        for parameter in op.arrays[len(arrays) :]:
            if parameter not in params:
                break
            arrays.append(params.pop(parameter))  # an array that is optional in NumPy
        if not op.sequence:
            arrays = [xp.asarray(array) if isinstance(array, list | tuple) else array for array in arrays]
    if set(params) - set(op.params):
        return NotImplemented
    return op.call(*arrays, *[params.pop(key) for key in op.leading if key in params], **params)


def _variadic(op: Op) -> bool:
    return op.text.startswith("*")


def _first(values: Any) -> Tensor:
    return next(value for value in values if isinstance(value, Tensor))


def _tensors(values: Any) -> Iterator[Tensor]:
    """Yield the Tensors among arguments and in their lists."""
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from _tensors(value)
