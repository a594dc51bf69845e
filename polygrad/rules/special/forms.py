"""Forms in which special functions are declared, and functions that ``special.py`` and its siblings share."""

from __future__ import annotations

import functools
import inspect
import math
import operator
from collections.abc import Sequence
from typing import Any

from ...errors import NoDerivativeError
from ..declare import Op, elementwise, rule
from ..helpers import cast, conj, fit, is_complex
from ..vmap.forms import elementwise as batch_elementwise


def polynomial(x: Any, coefficients: tuple[float, ...]) -> Any:
    """Evaluate a polynomial by Horner's scheme, from its coefficients in ascending order."""
    out = x * coefficients[-1] + coefficients[-2]
    for coefficient in coefficients[-3::-1]:
        out = out * x + coefficient
    return out


def argument_names(text: str) -> tuple[str, ...]:
    """Return the names of the arguments in a text such as "jv(v, z, /)"."""
    return tuple(inspect.signature(eval(f"lambda {text.partition('(')[2][:-1]}: None")).parameters)


def with_parameters(function: Any, *names: str) -> Any:
    """Give a derivative of any number of arguments a signature with these names, which says what it asks for."""
    parameters = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY) for name in ("xp", *names)]
    function.__signature__ = inspect.Signature(parameters)
    return function


def _fill_numbers(values: Sequence[Any], keep: Sequence[bool], xp: Any) -> list[Any]:
    """Replace Python numbers among the arguments by arrays, so that a formula may call any function on them. Orders stay numbers."""
    like = next((value for value in values if hasattr(value, "dtype")), None)
    return [
        xp.full_like(like, value) if type(value) in (int, float, complex) and not kept else value
        for value, kept in zip(values, keep, strict=True)
    ]


def _with_arrays(function: Any, orders: Sequence[str]) -> Any:
    """Wrap a partial derivative or a default so that it gets arrays in the place of Python numbers."""
    if not callable(function):
        return function
    names = [name for name, p in inspect.signature(function).parameters.items() if p.kind is not p.KEYWORD_ONLY][1:]
    keep = [name in orders for name in names]

    @functools.wraps(function)  # the signature says what a node saves
    def lifted(xp: Any, *values: Any, **params: Any) -> Any:
        return function(xp, *_fill_numbers(values, keep, xp), **params)

    return lifted


def special_function(text: str, *partials: Any, orders: Sequence[str] = (), default: Any = None, **options: Any) -> Op:
    """Declare an elementwise function of ``special``.

    ``orders`` are arguments such as the order of a Bessel function. They may be integers beside floating arrays, and Python numbers among
    them reach the formulas as they are.
    """
    if "(" not in text:
        text += "(x, /)"
    names = argument_names(text)
    if orders:
        options.setdefault(
            "promote", tuple([name for name in names if name not in orders]) if len(names) > 2 else False
        )
    if len(partials) > 1:
        partials = tuple([_with_arrays(partial, orders) for partial in partials])
        default = _with_arrays(default, orders)
    return elementwise(f"special.{text}", *partials, default=default, **options)


def several_outputs(text: str, outputs: str, *partials: Any) -> Op:
    """Declare a function with several outputs. For each input a function returns the partial derivatives of all outputs."""
    vjps: list[Any] = []
    jvps: list[Any] = []
    arrays = argument_names(text)
    for array, partial in zip(arrays, partials, strict=True):
        if partial is None:
            vjps.append(None)
            jvps.append(None)
            continue
        first, *rest = inspect.signature(partial).parameters.values()
        shape, dtype = f"{array}_shape", f"{array}_dtype"
        keep = [False] * len(rest)

        def vjp(
            xp: Any,
            g: Any,
            *values: Any,
            partial: Any = partial,
            shape: str = shape,
            dtype: str = dtype,
            keep: Any = keep,
            **facts: Any,
        ) -> Any:
            slopes = partial(xp, *_fill_numbers(values, keep, xp))
            terms = [each * conj(xp, slope) for each, slope in zip(g, slopes, strict=True) if each is not None]
            return cast(xp, fit(xp, functools.reduce(operator.add, terms), facts[shape]), facts[dtype])

        def jvp(xp: Any, tangent: Any, *values: Any, partial: Any = partial, keep: Any = keep) -> Any:
            return tuple([tangent * slope for slope in partial(xp, *_fill_numbers(values, keep, xp))])

        g = first.replace(name="g")
        asked = [inspect.Parameter(fact, inspect.Parameter.KEYWORD_ONLY) for fact in (shape, dtype)]
        vjp.__signature__ = inspect.Signature([first, g, *rest, *asked])  # type: ignore[attr-defined]
        jvp.__signature__ = inspect.Signature([first, g, *rest])  # type: ignore[attr-defined]
        vjps.append(vjp)
        jvps.append(jvp)
    promote = len(arrays) > 1
    outs = tuple(outputs.split())
    return rule(f"special.{text}", tuple(vjps), tuple(jvps), outputs=outs, promote=promote, batch=batch_elementwise)


def complex_valued(text: str, partial: Any) -> Op:
    """Declare a function that is complex for a real argument, the last one, too. The cotangent of a real one is the real part."""
    arrays = argument_names(text)
    array = arrays[-1]
    first, *rest = inspect.signature(partial).parameters.values()

    def vjp(xp: Any, g: Any, *values: Any, **facts: Any) -> Any:
        return cast(xp, fit(xp, g * xp.conj(partial(xp, *values)), facts[f"{array}_shape"]), facts[f"{array}_dtype"])

    def jvp(xp: Any, tangent: Any, *values: Any) -> Any:
        slope = partial(xp, *values)
        return xp.astype(tangent, slope.dtype) * slope

    g = first.replace(name="g")
    asked = [inspect.Parameter(f"{array}_{fact}", inspect.Parameter.KEYWORD_ONLY) for fact in ("shape", "dtype")]
    vjp.__signature__ = inspect.Signature([first, g, *rest, *asked])  # type: ignore[attr-defined]
    jvp.__signature__ = inspect.Signature([first, g, *rest])  # type: ignore[attr-defined]
    none = (None,) * (len(arrays) - 1)
    return rule(f"special.{text}", (*none, vjp), (*none, jvp), batch=batch_elementwise)


def require_real(xp: Any, x: Any, name: str) -> None:
    """Refuse complex arguments, for which the function has no complex derivative, or none that SciPy could compute."""
    if is_complex(xp, x):
        raise NoDerivativeError(f"special.{name}: the derivative is known for real arguments only")


def near_zero(xp: Any, x: Any, limit: float, series: Sequence[float], formula: Any, square: bool = False) -> Any:
    """Return ``formula(x)``, or its power series (in x or x**2) where abs(x) is below ``limit``.

    There the formula would be 0/0, or nearly so.
    """
    near = xp.abs(x) < limit
    small = xp.where(near, x, 0.0)
    return xp.where(
        near, polynomial(small * small if square else small, tuple(series)), formula(xp.where(near, 1.0, x))
    )


def as_like(xp: Any, n: Any, x: Any) -> Any:
    """Return an order as a factor for arrays like ``x``."""
    return n if not hasattr(n, "dtype") or n.dtype == x.dtype else xp.astype(n, x.dtype)


def like(x: Any) -> dict[str, Any]:
    """Return the options of an array that is to meet ``x``: its dtype, and its device, which dask's arrays do not have."""
    return {"dtype": x.dtype, **({"device": x.device} if hasattr(x, "device") else {})}


def decrement(xp: Any, n: Any) -> Any:
    """Return ``n - 1``, but 0 for 0: the order in a derivative that vanishes there by its factor ``n``."""
    return max(n - 1, 0) if not hasattr(n, "dtype") else xp.where(n > 0, n - 1, n)


PI = math.pi
SQRT_PI = math.sqrt(math.pi)
SQRT_2PI = math.sqrt(2 * math.pi)
LN2 = math.log(2)
F = [float(math.factorial(k)) for k in range(60)]
