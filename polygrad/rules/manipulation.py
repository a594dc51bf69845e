"""The manipulation functions of the standard: views, rearrangements, joins."""

from __future__ import annotations

from .declare import cast, fit, linear

reshape = linear(
    "reshape(x, /, shape, *, copy=None)",
    transpose=lambda xp, g, *, x_shape: xp.reshape(g, x_shape),
    node="ViewBackward0",
    view=True,
)
broadcast_to = linear(
    "broadcast_to(x, /, shape)",
    transpose=lambda xp, g, *, x_shape: fit(xp, g, x_shape),
    node="ExpandBackward0",
)
astype = linear(
    "astype(x, dtype, /, *, copy=True, device=None)",
    arrays=("x",),
    transpose=lambda xp, g, *, x_dtype: cast(xp, g, x_dtype),
    node="ToCopyBackward0",
)
