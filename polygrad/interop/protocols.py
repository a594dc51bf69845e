"""NumPy's protocols: its ufuncs and functions, called by name on a Tensor, run as polygrad's operations.

Listed here is what the namespace has under another name. Functions that it has not are in ``numpy_functions``. Anything else raises,
since NumPy's own function would lose the graph.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..core.inplace import inplace
from ..core.tensor import Tensor
from ..errors import ConversionError, describe
from ..rules.declare import OPS, Op
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
RENAMED = {"concatenate": "concat", "amax": "max", "amin": "min"}
"""The operation of each function, where the names differ."""
PARAMETERS = {"newshape": "shape", "ddof": "correction"}
"""The parameter of an operation for each of NumPy's, where the names differ."""
IGNORED = {"order", "kind", "optimize", "casting", "subok"}
"""Parameters that choose NumPy's algorithm or memory order and do not change the result."""


def _refuse(name: str, args: Any) -> ConversionError:
    shown = ", ".join(describe(arg) for arg in args)
    return ConversionError(
        f"numpy.{name}({shown}): polygrad has no operation for this call, and NumPy's own would lose the graph. Use a function of "
        f"polygrad.namespace(), or x.detach().numpy() if no gradient is wanted"
    )


# -- ufuncs -------------------------------------------------------------------------------------------------------------
def array_ufunc(ufunc: Any, method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Run a NumPy (or SciPy) ufunc on arguments among which there is a Tensor."""
    name = ufunc.__name__
    out = options.pop("out", None)
    if out is not None:
        return _write_into(name, out[0] if len(out) == 1 else None, lambda: array_ufunc(ufunc, method, inputs, options))
    where, dtype = options.pop("where", True), options.pop("dtype", None)
    options.pop("casting", None)
    if where is True:
        result = _call_ufunc(name, method, inputs, options)
        if result is not NotImplemented:
            return result if dtype is None else result.astype(dtype)
    raise _refuse(name if method == "__call__" else f"{name}.{method}", inputs)


def _call_ufunc(name: str, method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    if method == "__call__" and not options:
        if name == "_lambertw":  # SciPy's function in front of the ufunc has made an array of the branch
            return _first(inputs)._frame.namespace.special.lambertw(inputs[0], k=int(inputs[1]))
        op = _operation(name)
        if op is not None:
            return op.call(*inputs)
        special = getattr(_first(inputs)._frame.namespace.special, name, None)
        if special is not None:
            return special(*inputs)
    if method == "reduce" and name in REDUCTIONS and not set(options) - {"axis", "keepdims"}:
        return OPS[REDUCTIONS[name]].call(*inputs, **{"axis": 0, **options})
    if method == "accumulate" and name in ACCUMULATIONS and not set(options) - {"axis"}:
        return OPS[ACCUMULATIONS[name]].call(*inputs, **{"axis": 0, **options})
    if method == "outer" and not options and len(inputs) == 2:
        a, b = (x if isinstance(x, Tensor) else _first(inputs)._frame.namespace.asarray(x) for x in inputs)
        return _call_ufunc(name, "__call__", (a[(..., *[None] * b.ndim)], b), {})
    return NotImplemented


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


def array_function(function: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Run a NumPy function on arguments among which there is a Tensor."""
    name = function.__name__
    module = (getattr(function, "__module__", "") or "").removeprefix("numpy").strip(".")
    options = {key: value for key, value in options.items() if value is not np._NoValue}
    target = options.pop("out", None)
    if target is not None:
        return _write_into(name, target, lambda: array_function(function, args, options))
    if module in ("", "lib", "lib.stride_tricks") and name in FUNCTIONS:
        return _call_function(name, args, options)
    prefix = f"{module}." if module in ("linalg", "fft") else ""
    op = OPS.get(prefix + RENAMED.get(name, name))
    if op is None or module not in ("", "lib", "linalg", "fft"):
        raise _refuse(f"{module}.{name}" if module else name, args)
    return _call_operation(op, prefix + name, function, args, options)


def _call_function(name: str, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    chosen = FUNCTIONS[name]
    given = {key: value for key, value in options.items() if key not in IGNORED}
    tensor = next(_tensors((*args, *options.values())))
    try:
        bound = _signature(chosen).bind(None, *args, **given)
    except TypeError:  # a parameter that only NumPy's has
        raise _refuse(name, args) from None
    return chosen(tensor._frame.namespace, *bound.args[1:], **bound.kwargs)


def _call_operation(op: Op, name: str, function: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    if op.arrays == ("equation", "operands") or _variadic(op):  # all other arguments are arrays
        params = {key: value for key, value in options.items() if key not in IGNORED and value is not None}
        if set(params) - set(op.params):
            raise _refuse(name, args)
        return op.call(*args, **params)
    given = dict(_signature(function).bind(*args, **options).arguments)
    arrays: list[Any] = []
    for parameter in list(given)[: 1 if op.sequence else len(op.arrays)]:
        if parameter in op.params:
            break  # an array that is optional in NumPy was left out
        arrays.append(given.pop(parameter))
    given.update(given.pop("kwargs", {}))
    params = {
        PARAMETERS.get(key, key): value
        for key, value in given.items()
        if value is not None and value is not np._NoValue and key not in IGNORED
    }
    if "dtype" in params and "dtype" not in op.params:  # NumPy computes in this dtype
        arrays[0] = arrays[0].astype(params.pop("dtype"))
    if set(params) - set(op.params):
        raise _refuse(name, args)
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
