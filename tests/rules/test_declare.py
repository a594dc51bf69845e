"""Declarations that are wrong say what is wrong with them, and leave nothing behind."""

from __future__ import annotations

from typing import Any

import pytest

from polygrad.rules.declare import OPS, elementwise, linear, rule

WRONG: dict[str, tuple[Any, str]] = {
    "no fact or parameter of that name": (
        lambda: elementwise("wrong", lambda xp, x, *, slope: x * slope),
        "wrong: derivative parameter 'slope' matches no array, output or parameter of the operation",
    ),
    "a fact of no array": (
        lambda: linear("wrong(x, /)", transpose=lambda xp, g, *, y_shape: xp.reshape(g, y_shape)),
        r"wrong: derivative parameter 'y' matches no array or output of the operation; there are \('x', 'out'\)",
    ),
    "no array of that name": (
        lambda: rule("wrong(x, /)", vjp=lambda xp, g, y: g * y, jvp=None, outputs=("a", "b")),
        r"wrong: derivative parameter 'y' matches no array or output of the operation; there are \('x', 'a', 'b', 'out'\)",
    ),
    "too few partial derivatives": (
        lambda: elementwise("wrong(x1, x2, /)", 1),
        r"wrong: 1 partial derivatives for the inputs \('x1', 'x2'\)",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_declaration(case: str) -> None:
    declare, message = WRONG[case]
    with pytest.raises(TypeError, match=message):
        declare()
    assert "wrong" not in OPS
