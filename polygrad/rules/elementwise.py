"""The elementwise functions and operators of the standard.

Values at kinks are torch's: the derivative of ``abs`` and ``sign`` at 0 is 0.
"""

from __future__ import annotations

from .declare import constant, elementwise, linear

add = elementwise("add", 1, 1)
subtract = elementwise("subtract", 1, -1, node=("SubBackward0", "SubBackward0", "RsubBackward1"))
multiply = elementwise("multiply", lambda xp, x2: x2, lambda xp, x1: x1, node="MulBackward0")
divide = elementwise("divide", lambda xp, x2: 1 / x2, lambda xp, x2, out: -out / x2, node="DivBackward0")
negative = elementwise("negative", -1, node="NegBackward0")
sin = elementwise("sin", lambda xp, x: xp.cos(x))
cos = elementwise("cos", lambda xp, x: -xp.sin(x))
exp = elementwise("exp", lambda xp, out: out)
log = elementwise("log", lambda xp, x: 1 / x)
tanh = elementwise("tanh", lambda xp, out: 1 - out * out)

conj = linear("conj(x, /)", transpose=lambda xp, g: xp.conj(g))
real = linear(
    "real(x, /)",
    transpose=lambda xp, g, *, x_dtype: xp.astype(g, x_dtype),
)
imag = linear(
    "imag(x, /)",
    transpose=lambda xp, g, *, x_dtype: xp.astype(g, x_dtype) * 1j,
)
