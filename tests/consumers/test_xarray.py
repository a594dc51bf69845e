"""xarray, unmodified: gradients through DataArrays around Tensors against finite differences of the same on plain NumPy arrays."""

from __future__ import annotations

from importlib.metadata import version

import pytest

pytest.importorskip("xarray", minversion="2026.9")

from support.consumers.call_outcomes import check
from support.consumers.scipy_calls import listed
from support.consumers.xarray_calls import CONSTANT, GRADIENT, OTHERS, VERSION
from support.consumers.xarray_inputs import INPUTS, SCOPE, labelled

STRICT = version("xarray").startswith(VERSION)


@pytest.mark.parametrize("text", listed(GRADIENT), ids=str)
def test_the_gradient_is_right(text: str) -> None:
    check("xarray", "gradient", text, SCOPE, INPUTS, wrap=labelled)


@pytest.mark.parametrize("text", listed(CONSTANT), ids=str)
def test_what_is_constant_is_off_the_graph(text: str) -> None:
    check("xarray", "constant", text, SCOPE, INPUTS, wrap=labelled)


@pytest.mark.parametrize(
    ("outcome", "text"), [(outcome, text) for outcome, _, calls in OTHERS for text in listed(calls)], ids=str
)
def test_what_does_not_reach_is_not_silent(outcome: str, text: str) -> None:
    assert outcome not in ("detached", "wrong")
    check("xarray", outcome, text, SCOPE, INPUTS, strict=STRICT, wrap=labelled)
