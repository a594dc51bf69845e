"""SciPy, unmodified: gradients through its functions against finite differences of the same functions on plain NumPy arrays."""

from __future__ import annotations

import re
from importlib.metadata import version

import pytest

pytest.importorskip("scipy", minversion="1.17")

from .reach import check
from .scipy_calls import CONSTANT, GRADIENT, OTHERS, VERSION, listed
from .scipy_inputs import INPUTS, SCOPE

STRICT = version("scipy").startswith(VERSION)

HOMES = {
    "vq": "cluster", "hierarchy": "cluster", "distance": "spatial", "Rotation": "spatial", "RigidTransform": "spatial",
    "Slerp": "spatial", "xsum": "stats",
}  # fmt: skip
"""The package of what is not itself one."""


def home(text: str) -> str:
    """The package that a call is of, for the summary."""
    (name,) = re.findall(r"^(?:\[\w+\] )?\(?(\w+)", text)
    return f"scipy.{HOMES.get(name, name)}"


@pytest.mark.parametrize("text", listed(GRADIENT), ids=str)
def test_the_gradient_is_right(text: str) -> None:
    check(home(text), "gradient", text, SCOPE, INPUTS)


@pytest.mark.parametrize("text", listed(CONSTANT), ids=str)
def test_what_is_constant_is_off_the_graph(text: str) -> None:
    check(home(text), "constant", text, SCOPE, INPUTS)


@pytest.mark.parametrize(
    ("outcome", "text"), [(outcome, text) for outcome, _, calls in OTHERS for text in listed(calls)], ids=str
)
def test_what_does_not_reach_is_not_silent(outcome: str, text: str) -> None:
    """It raises, or warns, or is right in value with a gradient that nobody could take for one."""
    assert outcome not in ("detached", "wrong")
    check(home(text), outcome, text, SCOPE, INPUTS, strict=STRICT)
