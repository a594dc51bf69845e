"""NumPy's protocols: its ufuncs and functions, called by name on a Tensor, are polygrad's operations.

Only what the namespace has under another name is listed; what it has not raises, since NumPy's own function would lose the graph.
"""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from ..errors import ConversionError, describe
from ..namespace import namespace
from ..rules.declare import OPS
from ..tensor import Tensor

UFUNCS = {
    "absolute": "abs", "fabs": "abs", "arccos": "acos", "arccosh": "acosh", "arcsin": "asin", "arcsinh": "asinh", "arctan": "atan",
    "arctan2": "atan2", "arctanh": "atanh", "conjugate": "conj", "power": "pow", "float_power": "pow", "invert": "bitwise_invert",
    "left_shift": "bitwise_left_shift", "right_shift": "bitwise_right_shift", "mod": "remainder", "rint": "round",
    "true_divide": "divide",
}  # fmt: skip
"""NumPy's name of a ufunc to ours, where they differ."""
REDUCTIONS = {
    "add": "sum", "multiply": "prod", "maximum": "max", "minimum": "min", "logical_and": "all", "logical_or": "any",
}  # fmt: skip
"""What ``ufunc.reduce`` is."""
FUNCTIONS = {
    "concatenate": "concat", "transpose": "permute_dims", "amax": "max", "amin": "min", "cumsum": "cumulative_sum",
    "cumprod": "cumulative_prod", "round_": "round", "around": "round", "swapaxes": "swapaxes",
}  # fmt: skip
"""NumPy's name of a function to ours, where they differ."""
RENAMED = {"axes": "axes", "newshape": "shape", "ddof": "correction"}


def _refuse(name: str, args: Any) -> ConversionError:
    shown = ", ".join(describe(arg) for arg in args)
    return ConversionError(
        f"numpy.{name}({shown}): polygrad has no operation for this call, and NumPy's own would lose the graph. Use a function of "
        f"polygrad.namespace(), or x.detach().numpy() if no gradient is wanted"
    )


def array_ufunc(ufunc: Any, method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """A NumPy (or SciPy) ufunc on arguments among which there is a Tensor."""
    name = ufunc.__name__
    if method == "__call__" and not options:
        for found in (UFUNCS.get(name, name), f"special.{name}"):
            if found in OPS:
                return OPS[found].call(*inputs)
        special = getattr(namespace(_first(inputs)._frame.backend).special, name, None)
        if special is not None:
            return special(*inputs)
    if method == "reduce" and name in REDUCTIONS and not set(options) - {"axis", "keepdims"}:
        return OPS[REDUCTIONS[name]].call(*inputs, **{"axis": 0, **options})
    raise _refuse(name if method == "__call__" else f"{name}.{method}", inputs)


def array_function(function: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """A NumPy function on arguments among which there is a Tensor."""
    name = function.__name__
    module = (getattr(function, "__module__", "") or "").removeprefix("numpy").strip(".")
    prefix = f"{module}." if module in ("linalg", "fft") else ""
    op = OPS.get(prefix + FUNCTIONS.get(name, name))
    if op is None:
        raise _refuse(prefix + name, args)
    given = dict(inspect.signature(function).bind(*args, **options).arguments)
    arrays: list[Any] = []
    for parameter in list(given)[: 1 if op.sequence else len(op.arrays)]:
        arrays.append(given.pop(parameter))
    given.update(given.pop("kwargs", {}))
    params = {
        RENAMED.get(key, key): value for key, value in given.items() if value is not None and value is not np._NoValue
    }
    if set(params) - set(op.params):
        raise _refuse(prefix + name, args)
    if name == "transpose" and "axes" not in params:
        params["axes"] = tuple(reversed(range(arrays[0].ndim)))
    return op.call(*arrays, *[params.pop(key) for key in op.leading if key in params], **params)


def _first(values: Any) -> Tensor:
    return next(value for value in values if isinstance(value, Tensor))
