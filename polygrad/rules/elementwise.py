"""The elementwise functions and operators of the standard, and ``where``.

Each is declared by its partial derivatives. The functions of complex numbers are analytic, so one formula serves real and complex arrays,
except for ``abs`` and ``sign``. Of two inputs one may be a Python number, but never the one that a partial derivative belongs to.

At a kink, a tie or a singularity the derivative is torch's. It is 0 for ``abs`` and ``sign`` at 0, a half for each of two equals in
``maximum`` and ``minimum``, 1 for ``clip`` at its bounds, infinity for ``sqrt`` at 0, nan for ``hypot`` at 0. ``KINKS`` in
``tests/rules/test_elementwise.py`` lists the points and tests each.
"""

from __future__ import annotations

import cmath
import math
from typing import Any

from .declare import Op, applied, composite, constant, elementwise, linear
from .helpers import falling_logistic, fit, is_complex, is_complex_dtype
from .vmap import forms
from .vmap.alignment import Run, add_batch, align


def _of_elements(text: str, **options: Any) -> Op:
    """Declare a function of each element that has no derivative, or none but zero."""
    return constant(text, batch=forms.elementwise, **options)


# -- arithmetic -----------------------------------------------------------------------------------------------------
add = elementwise("add", 1, 1, methods="add add_")
subtract = elementwise(
    "subtract", 1, -1, node=("SubBackward0", "SubBackward0", "RsubBackward1"), methods="subtract sub sub_"
)
multiply = elementwise(
    "multiply", lambda xp, x2: x2, lambda xp, x1: x1, node="MulBackward0", methods="multiply mul mul_"
)
negative = elementwise("negative", -1, node="NegBackward0", methods="negative neg neg_")
positive = elementwise("positive", 1)


def _inverse(x: Any) -> Any:
    """Return 1 / x also for a Python number, for which Python raises where an array gives an infinity."""
    try:
        return 1 / x
    except ZeroDivisionError:
        return complex(math.nan, math.nan) if isinstance(x, complex) else math.copysign(math.inf, x)


divide = elementwise(
    "divide",
    lambda xp, x2: _inverse(x2),
    lambda xp, x2, out: -out / x2,
    node="DivBackward0",
    methods="divide div true_divide div_",
)
reciprocal = elementwise("reciprocal", lambda xp, out: -out * out, methods="reciprocal reciprocal_")
floor_divide = _of_elements("floor_divide(x1, x2, /)", promote=True, methods="floor_divide floor_divide_")
remainder = elementwise(
    "remainder",
    1,
    lambda xp, x1, x2: -(x1 // x2),
    node=("RemainderBackward1", "RemainderBackward0", "RemainderBackward1"),
    methods="remainder remainder_",
)


def _power_base(xp: Any, x1: Any, x2: Any) -> Any:
    """Return x2 x1^(x2-1), and 0 where the exponent is 0, also for the bases 0 and nan."""
    if not hasattr(x2, "dtype"):
        if x2 == 2:
            return 2 * x1
        return x2 * x1 ** (x2 - 1) if x2 != 0 else 0
    # At 0^0 the product would be 0 times infinity. The exponent is taken as 1 there, and the factor x2 makes the product 0.
    # For other bases it is 0 by itself, and its derivatives stay right.
    regular = (x2 != 0) | (xp.abs(x1) > 0)
    return x2 * x1 ** (xp.where(regular, x2, 1) - 1)


def _power_exponent(xp: Any, x1: Any, out: Any) -> Any:
    """Return x1^x2 log(x1), and 0 at the base 0 where the power is finite."""
    if not hasattr(x1, "dtype"):
        if x1 == 0:
            return xp.where(xp.isfinite(out), xp.zeros_like(out), -out)
        if x1.__class__ is complex:
            return out * cmath.log(x1)
        return out * (math.log(x1) if x1 > 0 else math.nan)
    return out * xp.log(xp.where((x1 == 0) & xp.isfinite(out), 1, x1))


pow = elementwise(
    "pow", _power_base, _power_exponent, node=("PowBackward1", "PowBackward0", "PowBackward2"), methods="pow power pow_"
)
power = composite("power(x1, x2, /)", lambda xp, x1, x2: xp.pow(x1, x2), doc="NumPy's name of ``pow``.")
square = elementwise("square", lambda xp, x: 2 * x, node="PowBackward0", methods="square square_")
sqrt = elementwise("sqrt", lambda xp, out: 0.5 / out, methods="sqrt sqrt_")
hypot = elementwise("hypot", lambda xp, x1, out: x1 / out, lambda xp, x2, out: x2 / out, methods="hypot")


# -- exponentials and logarithms ------------------------------------------------------------------------------------
exp = elementwise("exp", lambda xp, out: out, methods="exp exp_")
expm1 = elementwise("expm1", lambda xp, out: out + 1, methods="expm1")
log = elementwise("log", lambda xp, x: 1 / x, methods="log log_")
log1p = elementwise("log1p", lambda xp, x: 1 / (x + 1), node="Log1PBackward0", methods="log1p")
log2 = elementwise("log2", lambda xp, x: 1 / (x * math.log(2)), methods="log2")
log10 = elementwise("log10", lambda xp, x: 1 / (x * math.log(10)), methods="log10")


logaddexp = elementwise(
    "logaddexp",
    lambda xp, x1, x2: falling_logistic(xp, x2 - x1),
    lambda xp, x1, x2: falling_logistic(xp, x1 - x2),
    methods="logaddexp",
)

# -- circular and hyperbolic functions ------------------------------------------------------------------------------
sin = elementwise("sin", lambda xp, x: xp.cos(x), methods="sin sin_")
cos = elementwise("cos", lambda xp, x: -xp.sin(x), methods="cos cos_")
tan = elementwise("tan", lambda xp, out: out * out + 1, methods="tan")
asin = elementwise("asin", lambda xp, x: 1 / xp.sqrt(1 - x * x), methods="asin arcsin")
acos = elementwise("acos", lambda xp, x: -1 / xp.sqrt(1 - x * x), methods="acos arccos")
atan = elementwise("atan", lambda xp, x: 1 / (x * x + 1), methods="atan arctan")
sinh = elementwise("sinh", lambda xp, x: xp.cosh(x), methods="sinh")
cosh = elementwise("cosh", lambda xp, x: xp.sinh(x), methods="cosh")
tanh = elementwise("tanh", lambda xp, out: 1 - out * out, methods="tanh tanh_")
asinh = elementwise("asinh", lambda xp, x: 1 / xp.sqrt(x * x + 1), methods="asinh")
atanh = elementwise("atanh", lambda xp, x: 1 / (1 - x * x), methods="atanh")


def _acosh(xp: Any, x: Any) -> Any:
    """Return the slope on the principal branch, with two roots: one root of x^2 - 1 has the wrong sign in the left half-plane."""
    if is_complex(xp, x):
        return 1 / (xp.sqrt(x - 1) * xp.sqrt(x + 1))
    return 1 / xp.sqrt(x * x - 1)


acosh = elementwise("acosh", _acosh, methods="acosh")


def _radius2(xp: Any, x1: Any, x2: Any) -> Any:
    """Return x1^2 + x2^2, but 1 at the origin, where the derivative of the angle is taken as 0."""
    r = x1 * x1 + x2 * x2
    return xp.where(r == 0, 1, r)


atan2 = elementwise(
    "atan2",
    lambda xp, x1, x2: x2 / _radius2(xp, x1, x2),
    lambda xp, x1, x2: -x1 / _radius2(xp, x1, x2),
    methods="atan2 arctan2",
)


# -- sign and magnitude ---------------------------------------------------------------------------------------------
# This is the rule for complex numbers too: the gradient of a real result points along x / |x|.
abs = elementwise("abs", lambda xp, x: xp.sign(x), methods="abs absolute abs_")


def _sign(xp: Any, g: Any, x: Any) -> Any:
    """Apply the derivative of ``sign``: 0 for real numbers.

    For complex ones it is the part of ``g`` across the direction of x, over |x|, and 0 at 0.
    """
    if not is_complex(xp, x):
        return xp.zeros_like(g)
    size, direction = xp.abs(x), xp.sign(x)
    across = g - xp.real(xp.conj(direction) * g) * direction
    return xp.where(size == 0, 0.0, across / xp.where(size == 0, 1.0, size))


sign = elementwise("sign", applied(_sign), node="SignBackward0", methods="sign")
# sign(x1) sign(out) is 0 for x1 = 0, and ±1 also for an infinite x1
copysign = elementwise(
    "copysign",
    lambda xp, x1, out: xp.sign(x1) * xp.sign(out),
    0,
    node=("CopysignBackward0", "CopysignBackward1", "CopysignBackward0"),
)
nextafter = elementwise("nextafter", lambda xp, x1, x2: xp.astype(x1 != x2, x1.dtype), 0)
conj = linear("conj(x, /)", transpose=lambda xp, g: xp.conj(g), batch=forms.elementwise, methods="conj")
real = linear(
    "real(x, /)",
    transpose=lambda xp, g, *, x_dtype: xp.astype(g, x_dtype),
    node="SelectBackward0",
    view=True,
    write=lambda xp, x, value: xp.astype(value, x.dtype) + 1j * xp.astype(xp.imag(x), x.dtype),
    batch=forms.elementwise,
)


def _imag(xp: Any, g: Any, *, x_dtype: Any) -> Any:
    return xp.astype(g, x_dtype) * 1j if is_complex_dtype(xp, x_dtype) else xp.zeros_like(g)


imag = linear(
    "imag(x, /)",
    transpose=_imag,
    node="SelectBackward0",
    view=True,
    write=lambda xp, x, value: xp.astype(xp.real(x), x.dtype) + 1j * xp.astype(value, x.dtype),
    batch=forms.elementwise,
)


# -- selection ------------------------------------------------------------------------------------------------------
def _winner(xp: Any, g: Any, loses: Any, ties: Any) -> Any:
    """Return all of ``g`` where an input wins, and half of it where both are equal. A nan is neither, and passes ``g`` to both."""
    return xp.where(loses, 0.0, xp.where(ties, g * 0.5, g))


maximum = elementwise(
    "maximum",
    applied(lambda xp, g, x1, x2: _winner(xp, g, x1 < x2, x1 == x2)),
    applied(lambda xp, g, x1, x2: _winner(xp, g, x1 > x2, x1 == x2)),
    methods="maximum maximum_",
)
minimum = elementwise(
    "minimum",
    applied(lambda xp, g, x1, x2: _winner(xp, g, x1 > x2, x1 == x2)),
    applied(lambda xp, g, x1, x2: _winner(xp, g, x1 < x2, x1 == x2)),
    methods="minimum minimum_",
)


def _clip_x(xp: Any, g: Any, x: Any, min: Any, max: Any) -> Any:
    if min is not None:
        g = xp.where(x >= min, g, 0.0)
    return g if max is None else xp.where(x <= max, g, 0.0)


def _clip_min(xp: Any, g: Any, x: Any, min: Any, max: Any) -> Any:
    g = xp.where(x < min, g, 0.0)
    return g if max is None else xp.where(min < max, g, 0.0)  # the upper bound prevails over the lower


def _clip_max(xp: Any, g: Any, x: Any, min: Any, max: Any) -> Any:
    return xp.where((x > max) if min is None else (x > max) | (max < min), g, 0.0)


def _clip_name(payloads: Any, params: Any) -> str:
    """Return torch's name, which is another one for bounds that are tensors than for numbers."""
    return "ClampBackward0" if any(hasattr(bound, "dtype") for bound in payloads[1:]) else "ClampBackward1"


def _batch_clip(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    # The bounds may not have more axes than the array.
    return run(*align(run, (add_batch(run, arrays[0], mapped[0]), *arrays[1:]), (True, *mapped[1:])))


clip = elementwise(
    "clip(x, /, min=None, max=None)",
    applied(_clip_x),
    applied(_clip_min),
    applied(_clip_max),
    arrays=("x", "min", "max"),
    node=_clip_name,
    batch=_batch_clip,
    methods="clip clamp clip_ clamp_",
)
where = linear(
    "where(condition, x1, x2, /)",
    transpose=(
        None,
        lambda xp, g, condition, *, x1_shape: fit(xp, xp.where(condition, g, 0.0), x1_shape),
        lambda xp, g, condition, *, x2_shape: fit(xp, xp.where(condition, 0.0, g), x2_shape),
    ),
    promote=("x1", "x2"),
    batch=forms.elementwise,
)

# -- constant almost everywhere -------------------------------------------------------------------------------------
ceil = _of_elements("ceil", methods="ceil ceil_")
floor = _of_elements("floor", methods="floor floor_")
round = _of_elements("round", methods="round round_")
trunc = _of_elements("trunc", methods="trunc trunc_")

# -- not differentiable: integers and truth values ------------------------------------------------------------------
equal = _of_elements("equal(x1, x2, /)", promote=True, methods="equal eq")
not_equal = _of_elements("not_equal(x1, x2, /)", promote=True, methods="not_equal ne")
less = _of_elements("less(x1, x2, /)", promote=True, methods="less lt")
less_equal = _of_elements("less_equal(x1, x2, /)", promote=True, methods="less_equal le")
greater = _of_elements("greater(x1, x2, /)", promote=True, methods="greater gt")
greater_equal = _of_elements("greater_equal(x1, x2, /)", promote=True, methods="greater_equal ge")
isfinite = _of_elements("isfinite", methods="isfinite")
isinf = _of_elements("isinf", methods="isinf")
isnan = _of_elements("isnan", methods="isnan")
signbit = _of_elements("signbit")
logical_and = _of_elements("logical_and(x1, x2, /)", methods="logical_and")
logical_not = _of_elements("logical_not", methods="logical_not")
logical_or = _of_elements("logical_or(x1, x2, /)", methods="logical_or")
logical_xor = _of_elements("logical_xor(x1, x2, /)", methods="logical_xor")
bitwise_and = _of_elements("bitwise_and(x1, x2, /)", promote=True)
bitwise_invert = _of_elements("bitwise_invert", methods="bitwise_invert")
bitwise_left_shift = _of_elements("bitwise_left_shift(x1, x2, /)", promote=True)
bitwise_or = _of_elements("bitwise_or(x1, x2, /)", promote=True)
bitwise_right_shift = _of_elements("bitwise_right_shift(x1, x2, /)", promote=True)
bitwise_xor = _of_elements("bitwise_xor(x1, x2, /)", promote=True)
