"""Bessel functions of any order, hypergeometric functions, and orthogonal polynomials, of scipy.special."""

from __future__ import annotations

from .samples import A, I, calls, points, whole_orders
from .special import BOTH, CHAIN, LOOSE, POSITIVE, REAL, special

# -- Bessel functions of any order, and their kin ------------------------------------------------------------------------
_orders = points((0.3, 2.6), POSITIVE, ring_last=True)
_real_orders = points((0.3, 2.6), POSITIVE, ring_last=True, complex_constant=("v",))
for _name, _mp in (
    ("jv", "besselj(v, z)"), ("yv", "bessely(v, z)"), ("iv", "besseli(v, z)"), ("kv", "besselk(v, z)"),
    ("jve", "besselj(v, z) * exp(-abs(im(z)))"), ("yve", "bessely(v, z) * exp(-abs(im(z)))"), ("ive", "besseli(v, z) * exp(-abs(re(z)))"),
    ("kve", "besselk(v, z) * exp(z)"),
):  # fmt: skip
    _complex = BOTH if _name in ("jv", "yv", "iv", "kv", "kve") else REAL
    _known = _name in ("kv", "kve")
    special(
        _name,
        _real_orders if _known else _orders,
        mpmath=_mp,
        undefined=() if _known else ("v",),
        dtypes=_complex,
        tolerance=1e-11,
        reason=CHAIN,
        domain="z > 0",
    )
for _name, _mp in (
    ("hankel1", "hankel1(v, z)"),
    ("hankel2", "hankel2(v, z)"),
    ("hankel1e", "hankel1(v, z) * exp(-1j * z)"),
    ("hankel2e", "hankel2(v, z) * exp(1j * z)"),
):
    special(_name, _orders, mpmath=_mp, undefined=("v",), dtypes=("complex128",), tolerance=1e-11, reason=CHAIN)

special("jn", whole_orders(0.3), mpmath="besselj(v, z)", tolerance=1e-11, reason=CHAIN)
special("yn", whole_orders(0.3), mpmath="bessely(n, x)", tolerance=1e-11, reason=CHAIN)
special("kn", whole_orders(0.3), mpmath="besselk(n, x)", tolerance=1e-11, reason=CHAIN)
for _name, _mp in (
    ("spherical_jn", "sqrt(pi / 2 / z) * besselj(n + mpf(1) / 2, z)"),
    ("spherical_yn", "sqrt(pi / 2 / z) * bessely(n + mpf(1) / 2, z)"),
    ("spherical_in", "sqrt(pi / 2 / z) * besseli(n + mpf(1) / 2, z)"),
    ("spherical_kn", "sqrt(pi / 2 / z) * besselk(n + mpf(1) / 2, z)"),
):
    special(_name, whole_orders(0.6), mpmath=_mp, tolerance=1e-9, reason=CHAIN)
special("struve", points((0.3, 2.6), POSITIVE), mpmath="struveh(v, x)", undefined=("v",), **LOOSE)
special("modstruve", points((0.3, 2.6), POSITIVE), mpmath="struvel(v, x)", undefined=("v",), **LOOSE)
special("hyp0f1", points(POSITIVE, POSITIVE), mpmath="hyp0f1(v, z)", undefined=("v",), **LOOSE)
special("hyp1f1", points(POSITIVE, POSITIVE, POSITIVE), mpmath="hyp1f1(a, b, x)", undefined=("a", "b"), **LOOSE)
special(
    "hyp2f1",
    points(POSITIVE, POSITIVE, POSITIVE, (-0.5, 0.5)),
    mpmath="hyp2f1(a, b, c, z)",
    undefined=("a", "b", "c"),
    **LOOSE,
)
special("hyperu", points(POSITIVE, (0.35, 0.85), POSITIVE), mpmath="hyperu(a, b, x)", undefined=("a", "b"), **LOOSE)
special(
    "wright_bessel",
    points(POSITIVE, POSITIVE, POSITIVE),
    scipy="special.wright_bessel(a, b, x)",
    undefined=("a", "b"),
    **LOOSE,
)
for _name, _mp, _low in (
    ("eval_chebyt", "chebyt(n, x)", -0.8),
    ("eval_chebyu", "chebyu(n, x)", -0.8),
    ("eval_chebyc", "2 * chebyt(n, x / 2)", -0.8),
    ("eval_chebys", "chebyu(n, x / 2)", -0.8),
    ("eval_sh_chebyt", "chebyt(n, 2 * x - 1)", 0.1),
    ("eval_sh_chebyu", "chebyu(n, 2 * x - 1)", 0.1),
    ("eval_legendre", "legendre(n, x)", -0.8),
    ("eval_sh_legendre", "legendre(n, 2 * x - 1)", 0.1),
    ("eval_laguerre", "laguerre(n, 0, x)", 0.1),
    ("eval_hermite", "hermite(n, x)", -0.8),
    ("eval_hermitenorm", "power(2, -mpf(int(n)) / 2) * hermite(n, x / sqrt(2))", -0.8),
):
    special(
        _name,
        calls(*[(n, A(2, 2, low=_low, high=0.9)) for n in (0, 1, 2, 5)], (I([1], [2]), A(3, low=_low, high=0.9))),
        mpmath=_mp,
    )
special(
    "eval_gegenbauer",
    calls(*[(n, 1.3, A(2, 2, low=-0.8, high=0.9)) for n in (0, 1, 3)]),
    mpmath="gegenbauer(n, alpha, x)",
)
special("eval_genlaguerre", calls(*[(n, 0.7, A(2, 2, low=0.1)) for n in (0, 1, 3)]), mpmath="laguerre(n, alpha, x)")
special(
    "eval_jacobi",
    calls(*[(n, 0.7, 1.2, A(2, 2, low=-0.8, high=0.9)) for n in (0, 1, 3)]),
    mpmath="jacobi(n, alpha, beta, x)",
)
