"""SciPy, unmodified: gradients through its functions against finite differences of the same functions on plain NumPy arrays."""

from __future__ import annotations

import re
from importlib.metadata import version
from typing import Any

import numpy as np
import pytest

pytest.importorskip("scipy", minversion="1.17")

import polygrad as pg

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


@pytest.mark.parametrize(
    "text",
    [
        "xsum(stats.zscore(x) ** 3)", "stats.ttest_1samp(x, 0.1).pvalue", "stats.skew(x)", "special.logsumexp(x)",
        "xsum(fft.dct(x) ** 2)", "np.mean(np.sin(x)) * np.median(x)", "xsum(signal.envelope(x)[0] ** 2)", "stats.gmean(np.exp(x))",
        "integrate.trapezoid(x * x)",
    ],
)  # fmt: skip
def test_transforms_go_through(text: str) -> None:
    """Second derivatives, forward mode and vmap, against the first derivatives, which are checked above."""

    def f(x: Any) -> Any:
        return eval(text, {**SCOPE, "x": x})

    x = INPUTS["x"][:6]
    gradient, step = pg.func.grad(f)(x), 1e-5
    differences = [(pg.func.grad(f)(x + step * d) - pg.func.grad(f)(x - step * d)) / (2 * step) for d in np.eye(6)]
    np.testing.assert_allclose(pg.func.hessian(f)(x), differences, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(pg.func.jvp(f, (x,), (np.ones(6),))[1], gradient.sum(), rtol=1e-10, atol=1e-12)
    batch = np.stack([x, x[::-1], 2 * x])
    np.testing.assert_allclose(
        pg.func.vmap(pg.func.grad(f))(batch), [pg.func.grad(f)(row) for row in batch], rtol=1e-9, atol=1e-12
    )
