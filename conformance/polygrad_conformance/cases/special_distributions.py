"""The distributions of scipy.special: gamma, beta and their kin, those of counts, those solved for a parameter, the noncentral ones, and
those of Kolmogorov, Smirnov and Tukey."""

from __future__ import annotations

from typing import Any

import numpy as np

from .samples import A, I, R, both, calls, points
from .special import ANY, DIGITS, POSITIVE, REGULARIZED, UNIT, special

SOLVED: dict[str, Any] = {"tolerance": 1e-8, "reason": "SciPy finds the root to ten digits or so"}
PROBABILITY, SHAPE, COUNT = (0.12, 0.83), (0.6, 3.9), (5.5, 9.5)

# -- gamma, beta, and what is made of them ---------------------------------------------------------------------------
special(
    "gdtr",
    points(POSITIVE, POSITIVE, POSITIVE),
    mpmath="gammainc(b, 0, a * x, regularized=True)",
    **REGULARIZED,
)
special(
    "gdtrc",
    points(POSITIVE, POSITIVE, POSITIVE),
    mpmath="gammainc(b, a * x, inf, regularized=True)",
    **REGULARIZED,
)
special(
    "fdtr",
    points(POSITIVE, POSITIVE, POSITIVE),
    mpmath="betainc(dfn / 2, dfd / 2, 0, dfn * x / (dfd + dfn * x), regularized=True)",
    **REGULARIZED,
)
special(
    "fdtrc",
    points(POSITIVE, POSITIVE, POSITIVE),
    mpmath="betainc(dfn / 2, dfd / 2, dfn * x / (dfd + dfn * x), 1, regularized=True)",
    **REGULARIZED,
)
special(
    "fdtri",
    points(POSITIVE, POSITIVE, UNIT),
    scipy="special.fdtri(dfn, dfd, p)",
    **REGULARIZED,
)
special("chdtri", points(POSITIVE, UNIT), scipy="special.chdtri(v, p)", **REGULARIZED)
special(
    "stdtr",
    points(POSITIVE, ANY),
    mpmath="mpf(1) / 2 + sign(t) * betainc(mpf(1) / 2, df / 2, 0, t * t / (df + t * t), regularized=True) / 2",
    **REGULARIZED,
)
special(
    "pdtr",
    calls((R([[2.0], [3.0]]), A(3, low=0.3, high=4), {"_constant": ("k",)})),
    mpmath="gammainc(floor(k) + 1, m, inf, regularized=True)",
    **REGULARIZED,
)
special(
    "pdtrc",
    calls((R([[2.0], [3.0]]), A(3, low=0.3, high=4), {"_constant": ("k",)})),
    mpmath="gammainc(floor(k) + 1, 0, m, regularized=True)",
    **REGULARIZED,
)

# -- distributions of counts ------------------------------------------------------------------------------------------
special(
    "pdtri",
    calls((R([[2.0], [3.0]]), A(3, low=0.1, high=0.9), {"_constant": ("k",)})),
    scipy="special.pdtri(k, y)",
    **REGULARIZED,
)
_binomial = calls(
    (I([2], [3]), I(6, 7, 9), A(3, low=0.1, high=0.9)),
    (I(np.asarray(2)), I(np.asarray(5)), A(2, 2, low=0.1, high=0.9)),
)
for _name in ("bdtr", "bdtrc", "bdtri", "nbdtr", "nbdtrc", "nbdtri"):
    _argument = "y" if _name.endswith("i") else "p"
    special(_name, _binomial, scipy=f"special.{_name}(k, n, {_argument})", **REGULARIZED)

# -- solved for a parameter -----------------------------------------------------------------------------------------
for _name, _intervals, _arguments in (
    ("btdtria", (PROBABILITY, SHAPE, PROBABILITY), "p, b, x"),
    ("btdtrib", (SHAPE, PROBABILITY, PROBABILITY), "a, p, x"),
    ("chdtriv", (PROBABILITY, SHAPE), "p, x"),
    ("gdtria", (PROBABILITY, SHAPE, SHAPE), "p, b, x"),
    ("gdtrib", (SHAPE, PROBABILITY, SHAPE), "a, p, x"),
    ("gdtrix", (SHAPE, SHAPE, PROBABILITY), "a, b, p"),
    ("fdtridfd", ((1.5, 3.0), (0.42, 0.48), (0.7, 0.9)), "dfn, p, x"),
    ("stdtridf", ((0.65, 0.68), (0.5, 0.6)), "p, t"),
    ("stdtrit", ((1.2, 3.9), PROBABILITY), "df, p"),
    ("pdtrik", (PROBABILITY, (2.5, 4.0)), "p, m"),
    ("bdtrik", (PROBABILITY, COUNT, (0.3, 0.7)), "y, n, p"),
    ("bdtrin", (SHAPE, PROBABILITY, (0.3, 0.7)), "k, y, p"),
    ("nbdtrik", ((0.5, 0.9), (1.5, 3.9), (0.3, 0.7)), "y, n, p"),
    ("nbdtrin", (SHAPE, PROBABILITY, (0.3, 0.7)), "k, y, p"),
    ("chdtr", (SHAPE, POSITIVE), "v, x"),
    ("chdtrc", (SHAPE, POSITIVE), "v, x"),
):
    special(_name, points(*_intervals), scipy=f"special.{_name}({_arguments})", **SOLVED)
special(
    "nrdtrimn",
    points(UNIT, SHAPE, POSITIVE),
    mpmath="x - std * sqrt(2) * erfinv(2 * p - 1)",
    tolerance=1e-11,
    reason="SciPy's root has eleven digits",
)
special(
    "nrdtrisd",
    points(POSITIVE, (0.6, 0.95), SHAPE),
    mpmath="(x - mn) / (sqrt(2) * erfinv(2 * p - 1))",
    tolerance=1e-11,
    reason="SciPy's root has eleven digits",
)

# -- noncentral -------------------------------------------------------------------------------------------------------
special(
    "chndtr",
    both(
        points(SHAPE, SHAPE, POSITIVE),
        calls((A(3, low=1.6, high=4.2), A(2, 1, low=0.8, high=1.3), R(0.0), {"_constant": ("nc",)})),
    ),
    mpmath="nsum(lambda j, a=df / 2, x=x / 2, m=nc / 2: exp(-m) * m**j / fac(j) * gammainc(a + j, 0, x, regularized=True), "
    "[0, 60], method='d')",
    undefined=("df",),
    tolerance=1e-9,
    reason=DIGITS,
)
special(
    "chndtrix",
    points(PROBABILITY, SHAPE, POSITIVE),
    scipy="special.chndtrix(p, df, nc)",
    undefined=("df",),
    **SOLVED,
)
special(
    "chndtrinc",
    points((2.5, 3.9), SHAPE, (0.1, 0.2)),
    scipy="special.chndtrinc(x, df, p)",
    undefined=("df",),
    **SOLVED,
)
special(
    "ncfdtr",
    points(SHAPE, SHAPE, POSITIVE, POSITIVE),
    scipy="special.ncfdtr(dfn, dfd, nc, f)",
    undefined=("dfn", "dfd"),
    tolerance=1e-9,
    reason=DIGITS,
)
special(
    "ncfdtri",
    points(SHAPE, SHAPE, POSITIVE, PROBABILITY),
    scipy="special.ncfdtri(dfn, dfd, nc, p)",
    undefined=("dfn", "dfd"),
    **SOLVED,
)
special(
    "ncfdtrinc",
    points(SHAPE, SHAPE, (0.1, 0.25), (1.5, 2.5)),
    scipy="special.ncfdtrinc(dfn, dfd, p, f)",
    undefined=("dfn", "dfd"),
    tolerance={"numeric": 1e-3},
    reason="SciPy's has six digits",
    without=dict.fromkeys(
        ("forward", "reverse_over_reverse", "forward_over_reverse"), "differences of SciPy's six digits say little"
    ),
)
special(
    "nctdtr",
    points(SHAPE, (-1.0, 2.0), (-2.0, 3.0)),
    scipy="special.nctdtr(df, nc, t)",
    undefined=("df",),
    tolerance=1e-9,
    reason=DIGITS,
)
special(
    "nctdtrit",
    points(SHAPE, (-1.0, 2.0), PROBABILITY),
    scipy="special.nctdtrit(df, nc, p)",
    undefined=("df",),
    **SOLVED,
)
special(
    "nctdtrinc",
    points(SHAPE, PROBABILITY, (-1.0, 2.0)),
    scipy="special.nctdtrinc(df, p, t)",
    undefined=("df",),
    **SOLVED,
)

# -- Kolmogorov, Smirnov, Tukey ---------------------------------------------------------------------------------------
special(
    "kolmogorov",
    points((0.3, 1.9), more=[([0.99, 1.01], "regular")]),
    mpmath="1 - sqrt(2 * pi) / y * nsum(lambda k, y=y: exp(-((2 * k - 1) * pi / y) ** 2 / 8), [1, 30], method='d')",
    tolerance=1e-11,
    reason="there the reference cancels",
)
special("kolmogi", points(PROBABILITY), scipy="special.kolmogi(p)", **SOLVED)
for _name, _argument in (("smirnov", "d"), ("smirnovi", "p")):
    special(
        _name,
        calls(
            (I([3], [8]), A(3, low=0.13, high=0.8)),
            (5, A(2, 2, low=0.13, high=0.8)),
            (I(np.asarray(4)), A(low=0.3, high=0.8)),
        ),
        scipy=f"special.{_name}(n, {_argument})",
        **SOLVED,
    )
special(
    "tklmbda",
    both(points((-0.9, 0.9), (-0.8, 0.9)), calls((R([-0.8, 0.1, 0.9]), R([[1e-3]])))),
    scipy="special.tklmbda(x, lmbda)",
    **SOLVED,
)
