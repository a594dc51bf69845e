"""Distributions solved for a parameter, noncentral ones, and those of Kolmogorov and Tukey: values against SciPy, derivatives against
finite differences, mpmath and the functions that they invert."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from polygrad import func
from polygrad.errors import NoDerivativeError
from support.gradient_checks import check, host, tensor

special = pytest.importorskip("scipy.special")

P = np.asarray([0.12, 0.43, 0.81])
A, B = np.asarray([0.6, 1.9, 3.2]), np.asarray([[1.3], [0.8]])
X = np.asarray([0.25, 0.5, 0.8])


def label(value: Any) -> str:
    return value if isinstance(value, str) else ""


INVERSES = [
    ("btdtria", [P, B, X]),
    ("btdtrib", [A, P, X]),
    ("chdtriv", [P, A + 1]),
    ("gdtria", [P, B, A]),
    ("gdtrib", [A, P, B]),
    ("gdtrix", [A, B, P]),
    ("fdtridfd", [A + 1, np.asarray([0.3, 0.45, 0.5]), np.asarray([0.7, 0.9, 1.1])]),
    ("stdtridf", [np.asarray([0.66, 0.72, 0.69]), np.asarray([0.5, 0.8, 0.6])]),
    ("stdtrit", [A + 0.5, P]),
    ("pdtrik", [P, A + 2]),
    ("bdtrik", [P, A + 9, X]),
    ("bdtrin", [A, P, X]),
    ("nbdtrik", [P / 2 + 0.5, A + 1, X]),
    ("nbdtrin", [A, P, X]),
    ("nrdtrimn", [P, B, A]),
    ("nrdtrisd", [A, P, B]),
    ("chdtr", [B, A]),
    ("chdtrc", [B, A]),
]
OTHERS = [
    # name, arguments, which have a derivative
    ("chndtr", [A + 1, B + 1, A / 2], (0, 2)),
    ("chndtr", [A + 1, B, np.asarray(0.0)], (0,)),
    ("chndtr", [np.asarray([180.0, 210.0]), np.asarray(4.5), np.asarray([190.0])], (0, 2)),
    ("chndtrix", [P, B + 1, A], (0, 2)),
    ("chndtrinc", [A + 0.5, B + 1, P / 2], (0, 2)),
    ("ncfdtr", [A + 1, B + 2, A, X], (2, 3)),
    ("ncfdtri", [A + 1, B + 2, A, P], (2, 3)),
    ("ncfdtrinc", [A + 1, B + 2, np.asarray(0.2), X + 1], (2, 3)),
    ("nctdtr", [A + 1, B, np.asarray([-0.7, 0.4, 2.6])], (1, 2)),
    ("nctdtrit", [A + 1, B, P], (1, 2)),
    ("nctdtrinc", [A + 1, P, np.asarray([0.3, 0.9, 2.1])], (1, 2)),
    ("kolmogorov", [np.asarray([0.3, 0.7, 0.99, 1.01, 1.9])], (0,)),
    ("kolmogi", [P], (0,)),
    ("smirnov", [np.asarray([[3], [8]]), np.asarray([0.11, 0.43, 0.8])], (1,)),
    ("smirnovi", [np.asarray([[3], [8]]), P], (1,)),
    ("tklmbda", [np.asarray([-0.8, 0.1, 0.9]), np.asarray([[-0.6], [1e-3], [0.7]])], (0, 1)),
]


@pytest.mark.parametrize(
    ("name", "arrays", "which"), [*[(*row, range(len(row[1]))) for row in INVERSES], *OTHERS], ids=label
)
def test_values_and_derivatives(name: str, arrays: list[Any], which: tuple[int, ...], backend: str, xp: Any) -> None:
    function = getattr(xp.special, name)
    got = function(*[tensor(a, backend) for a in arrays])
    np.testing.assert_allclose(host(got), getattr(special, name)(*arrays), rtol=1e-10)
    options: dict[str, Any] = {}
    if name == "ncfdtrinc":  # SciPy's has six digits
        options["numeric"] = 1e-3
    if name == "chndtr" and arrays[0][0] > 100:  # SciPy's is 0 in single precision
        options["single"] = None
    check(function, arrays, backend, differentiate=which, rtol=1e-9, **options)


def slope(name: str, arguments: tuple[float, ...], which: int, backend: str, xp: Any) -> float:
    def f(x: Any) -> Any:
        fixed = [tensor(np.asarray(float(a)), backend) for a in arguments]
        return getattr(xp.special, name)(*fixed[:which], x, *fixed[which + 1 :])

    return float(func.grad(f)(tensor(np.asarray(float(arguments[which])), backend)).item())


def test_noncentral_distributions_over_many_magnitudes(backend: str, xp: Any) -> None:
    mpmath = pytest.importorskip("mpmath")
    mp = mpmath.mp.clone()
    mp.dps = 30

    def density(x: float, df: float, nc: float) -> Any:
        x, df, nc = mp.mpf(x), mp.mpf(df), mp.mpf(nc)
        return mp.exp(-(x + nc) / 2) * (x / 2) ** (df / 2 - 1) / 2 / mp.gamma(df / 2) * mp.hyp0f1(df / 2, nc * x / 4)

    for row in [(0.01, 0.3, 0.2), (5, 3, 0), (5, 3, 1e-8), (80, 7, 90), (101, 7.5, 99), (5000, 40, 4800), (3, 200, 5)]:
        np.testing.assert_allclose(slope("chndtr", row, 0, backend, xp), float(density(*row)), rtol=1e-11)
        want = -density(row[0], row[1] + 2, row[2])
        np.testing.assert_allclose(slope("chndtr", row, 2, backend, xp), float(want), rtol=1e-11)

    def moment(k: int, df: float, nc: float, t: float) -> float:
        """Of Student's noncentral distribution: the mean of v**k phi(t v / sqrt(df) - nc) by mpmath's quadrature."""
        df, nc, t = mp.mpf(df), mp.mpf(nc), mp.mpf(t)
        a, b = (1 + t * t / df) / 2, nc * t / mp.sqrt(df)
        top = (b + mp.sqrt(b * b + 8 * a * (df + k))) / (4 * a)
        points = [0, top / 4, top / 2, top, *[top + w / mp.sqrt(2 * a) for w in (1, 2, 4, 8, 16)], mp.inf]
        f = lambda v: v ** (k + df - 1) * mp.exp(-v * v / 2) * mp.npdf(t * v / mp.sqrt(df) - nc)  # noqa: E731
        return float(mp.mpf(2) ** (1 - df / 2) / mp.gamma(df / 2) * mp.quad(f, points))

    for row in [(0.8, 0.5, 1), (3, 0, 0.7), (300, 5, 4), (3, -6, 5), (3, 0.5, 0), (2, 20, 25), (5, 1, 100)]:
        np.testing.assert_allclose(slope("nctdtr", row, 1, backend, xp), -moment(0, *row), rtol=1e-11)
        want = moment(1, *row) / row[0] ** 0.5
        np.testing.assert_allclose(slope("nctdtr", row, 2, backend, xp), want, rtol=1e-11)

    def mixture(dfn: float, dfd: float, nc: Any, f: Any) -> Any:
        a, b, y = mp.mpf(dfn) / 2, mp.mpf(dfd) / 2, dfn * f / (dfd + dfn * f)
        terms = [
            mp.exp(-nc / 2) * (nc / 2) ** j / mp.factorial(j) * mp.betainc(a + j, b, 0, y, regularized=True)
            for j in range(90)
        ]
        return mp.fsum(terms)

    dfn, dfd, nc, f = 1.3, 2.2, mp.mpf(10), mp.mpf(3)
    want = [
        mp.diff(lambda nc: mixture(dfn, dfd, nc, f), nc, h=mp.mpf(10) ** -10),
        mp.diff(lambda f: mixture(dfn, dfd, nc, f), f, h=mp.mpf(10) ** -10),
    ]
    got = [slope("ncfdtr", (dfn, dfd, 10.0, 3.0), which, backend, xp) for which in (2, 3)]
    np.testing.assert_allclose(got, [float(w) for w in want], rtol=1e-10)
    assert np.isnan(slope("ncfdtr", (3.0, 4.0, 2e4, 3.0), 2, backend, xp))  # where SciPy's 1F1 is infinite


def test_kolmogorovs_distribution_from_end_to_end(backend: str, xp: Any) -> None:
    at = (0.1, 0.5, 0.999, 1.0, 3.0, 6.0)
    mpmath = pytest.importorskip("mpmath")
    mp = mpmath.mp.clone()
    mp.dps = 60  # for small arguments the terms of the series cancel
    want = [
        float(-8 * mp.mpf(y) * mp.fsum((-1) ** (k - 1) * k * k * mp.exp(-2 * k * k * mp.mpf(y) ** 2) for k in range(1, 120)))
        for y in at
    ]  # fmt: skip
    np.testing.assert_allclose([slope("kolmogorov", (y,), 0, backend, xp) for y in at], want, rtol=1e-10)
    assert [slope("kolmogorov", (y,), 0, backend, xp) for y in (-1.0, 0.0, np.inf)] == [0, 0, 0]
    assert slope("kolmogi", (0.0,), 0, backend, xp) == -np.inf
    assert slope("kolmogi", (1.0,), 0, backend, xp) == -np.inf


@pytest.mark.parametrize(("n", "d"), [(1, 0.3), (5, 0.0), (5, 0.2), (5, 0.9), (100, 0.1), (1000, 0.03), (1000, 0.2)])
def test_smirnovs_distribution(n: int, d: float, backend: str, xp: Any) -> None:
    """Against the sum of Birnbaum and Tingey in exact arithmetic, with the dyadic fraction nearest to d."""
    mpmath = pytest.importorskip("mpmath")
    mp = mpmath.mp.clone()
    mp.dps = 40
    x, total = mp.mpf(d), -n * (1 - mp.mpf(d)) ** (n - 1)
    for j in range(1, n):
        up, down = x + mp.mpf(j) / n, 1 - x - mp.mpf(j) / n
        if down > 0:
            term = mp.binomial(n, j) * up ** (j - 1) * down ** (n - j)
            total += term * (1 + x * ((j - 1) / up - (n - j) / down))
    got = func.grad(lambda x: xp.special.smirnov(n, x))(tensor(np.asarray(d), backend))
    np.testing.assert_allclose(float(got.item()), float(total), rtol=1e-9)


def test_tukeys_distribution_where_it_ends(backend: str, xp: Any) -> None:
    assert [slope("tklmbda", (5.0, 0.5), which, backend, xp) for which in (0, 1)] == [0, 0]
    np.testing.assert_allclose(slope("tklmbda", (0.2, 0.0), 0, backend, xp), 0.25 / np.cosh(0.1) ** 2, rtol=1e-12)


@pytest.mark.parametrize(("name", "number"), [("chndtr", 1), ("ncfdtr", 0), ("nctdtr", 0), ("chndtridf", 1)])
def test_degrees_of_freedom_of_noncentral_distributions_raise(name: str, number: int, backend: str, xp: Any) -> None:
    arrays = [tensor(np.asarray([0.4]), backend, i == number) for i in range(getattr(special, name).nin)]
    with pytest.raises(NoDerivativeError, match=f"special.{name}: no derivative is known"):
        getattr(xp.special, name)(*arrays).backward()
