"""SciPy, unmodified: gradients through its functions against finite differences of the same functions on plain NumPy arrays."""

from __future__ import annotations

import re
from importlib.metadata import version
from typing import Any

import numpy as np
import pytest

pytest.importorskip("scipy", minversion="1.17")

from scipy import optimize

import polygrad as pg
from support.consumers.call_outcomes import check
from support.consumers.scipy_calls import CONSTANT, GRADIENT, RELEASES, VMAP_SINCE, listed, others, release
from support.consumers.scipy_inputs import INPUTS, SCOPE, xsum

SCIPY = version("scipy")
STRICT = release(SCIPY) in RELEASES

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


@pytest.mark.parametrize(("outcome", "text"), others(SCIPY), ids=str)
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
    if any(text in texts for since, texts in VMAP_SINCE.items() if release(SCIPY) >= release(since)):
        with pytest.raises(
            pg.errors.ConversionError, match=r"bool\(tensor\): the values of a Tensor inside vmap differ"
        ):
            pg.func.vmap(pg.func.grad(f))(batch)
        return
    np.testing.assert_allclose(
        pg.func.vmap(pg.func.grad(f))(batch), [pg.func.grad(f)(row) for row in batch], rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize(
    "text",
    ["stats.ttest_1samp(x, 0.1, axis=-1).pvalue", "stats.skew(x, axis=-1)", "stats.gmean(np.exp(x), axis=-1)"],
)
def test_a_batch_goes_over_an_axis_without_vmap(text: str) -> None:
    """The cure for what raises inside vmap: the gradient of the sum over the rows has the rows' gradients."""

    def f(x: Any) -> Any:
        return xsum(eval(text, {**SCOPE, "x": x}))

    x = INPUTS["x"][:6]
    batch = np.stack([x, x[::-1], 2 * x])
    rows = [pg.func.grad(f)(row) for row in batch]
    np.testing.assert_allclose(pg.func.grad(f)(batch), rows, rtol=1e-9, atol=1e-12)


def initial_conditions(sections: Any) -> Any:
    """What SciPy 1.18 computes in sosfilt_zi where a[0] is 1, by hand."""
    states, scale = [], 1.0
    for b, a in ((section[:3], section[3:]) for section in sections):
        gain = np.sum(b) / np.sum(a)
        rest = b - gain * a
        states.append([scale * (rest[1] + rest[2]), scale * rest[2]])
        scale *= gain
    return np.asarray(states)


def past_conditions(sections: Any) -> Any:
    """What SciPy computes in lfiltic where a[0] is 1, by hand: of past outputs 0.8 and -0.3, and past inputs 0.5 and 0.2."""
    b, a = sections[0, :3], sections[0, 3:]
    return np.asarray([0.5 * b[1] + 0.2 * b[2] - 0.8 * a[1] + 0.3 * a[2], 0.5 * b[2] - 0.8 * a[2]])


@pytest.mark.parametrize(
    ("text", "since", "branch"),
    [
        ("signal.sosfilt_zi(c)", "1.18", initial_conditions),
        ("signal.lfiltic(c[0, :3], c[0, 3:], asarray([0.8, -0.3]), asarray([0.5, 0.2]))", "1.17", past_conditions),
    ],
    ids=["sosfilt_zi", "lfiltic"],
)
def test_a_branch_on_a_value_has_its_own_gradient(text: str, since: str, branch: Any) -> None:
    """SciPy divides by a[0] unless it is exactly 1; there the gradient is that of what ran, in which a[0] divides nothing.

    That is so in every library that differentiates what has run, torch and JAX among them. The gradient with respect to the other
    coefficients is that of the function, and so is all of it if the coefficients are divided by a[0] beforehand.
    """
    sos = INPUTS["sos"]
    assert (sos[:, 3] == 1).all()

    def f(c: Any) -> Any:
        xp = c.__array_namespace__()
        result = eval(text, {**SCOPE, "c": c, "asarray": lambda values: xp.asarray(values, dtype=xp.float64)})
        return xp.sum(xp.asarray(np.linspace(0.6, 1.4, result.size).reshape(result.shape)) * result)

    def divided(c: Any) -> Any:
        return f(c / c[:, 3:4])

    def by_hand(c: Any) -> Any:
        result = branch(c)
        return np.sum(np.linspace(0.6, 1.4, result.size).reshape(result.shape) * result)

    def differences(f: Any) -> Any:
        steps = 1e-6 * np.eye(sos.size).reshape(-1, *sos.shape)
        return np.reshape([(f(sos + step) - f(sos - step)) / 2e-6 for step in steps], sos.shape)

    if release(SCIPY) < release(since):
        with pytest.raises(pg.errors.ConversionError, match="can't convert a Tensor that requires grad"):
            pg.func.grad(f)(sos)
        return
    found, wanted = pg.func.grad(f)(sos), differences(f)
    np.testing.assert_allclose(found, differences(by_hand), rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(pg.func.grad(divided)(sos), wanted, rtol=1e-7, atol=1e-8)
    rest = [0, 1, 2, 4, 5]
    np.testing.assert_allclose(found[:, rest], wanted[:, rest], rtol=1e-7, atol=1e-8)
    assert found[0, 3] != pytest.approx(wanted[0, 3], rel=0.1)


@pytest.mark.parametrize("method", ["BFGS", "CG", "Newton-CG", "L-BFGS-B", "SLSQP", "trust-constr"])
def test_minimize_takes_the_value_of_a_tensor(method: str) -> None:
    def objective(x: np.ndarray) -> Any:
        point = pg.tensor(x, requires_grad=True)
        value = ((point - 1) ** 2).sum()
        value.backward()
        compiled = method in ("L-BFGS-B", "SLSQP", "trust-constr")  # which take NumPy arrays alone
        return value, point.grad.numpy() if compiled else point.grad

    found = optimize.minimize(objective, np.zeros(2), jac=True, method=method)
    np.testing.assert_allclose(found.x, 1, atol=1e-5)
