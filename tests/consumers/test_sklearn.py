"""scikit-learn, unmodified: gradients through estimators and metrics against finite differences of the same on plain NumPy arrays."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("sklearn")

import sklearn

from .reach import check
from .scipy_calls import listed
from .sklearn_calls import CONSTANT, GRADIENT, OTHERS
from .sklearn_inputs import INPUTS, SCOPE


@pytest.fixture(autouse=True)
def dispatch() -> Iterator[None]:
    with sklearn.config_context(array_api_dispatch=True):
        yield


@pytest.mark.parametrize("text", listed(GRADIENT), ids=str)
def test_the_gradient_is_right(text: str) -> None:
    check("scikit-learn", "gradient", text, SCOPE, INPUTS)


@pytest.mark.parametrize("text", listed(CONSTANT), ids=str)
def test_what_is_constant_is_off_the_graph(text: str) -> None:
    check("scikit-learn", "constant", text, SCOPE, INPUTS)


@pytest.mark.parametrize(
    ("outcome", "text"), [(outcome, text) for outcome, _, calls in OTHERS for text in listed(calls)], ids=str
)
def test_what_does_not_reach_is_not_silent(outcome: str, text: str) -> None:
    assert outcome not in ("detached", "wrong")
    check("scikit-learn", outcome, text, SCOPE, INPUTS)
