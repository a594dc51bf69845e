"""The functions of scipy.special, and torch's names of them."""

from __future__ import annotations

from typing import Any

from .case import SampleFunction, case
from .samples import A, I, R, beside, both, calls, points, real_only, unary, whole_orders

REAL = ("float64",)
DIGITS = "the libraries' own implementations have ten to twelve digits"
CHAIN = "its derivative is a difference of such functions, which loses digits"


def special(name: str, samples: SampleFunction, *, torch: str | None = None, **options: Any) -> None:
    """The case of a function of ``special``."""
    options.setdefault("dtypes", REAL)
    case(f"special.{name}", torch, samples, **options)


LOOSE: dict[str, Any] = {"tolerance": 1e-9, "reason": DIGITS}
ANY, SIGNED, POSITIVE, UNIT = (-2.5, 3.2), (-0.9, 0.9), (0.3, 3.9), (0.06, 0.95)
BOTH = ("float64", "complex128")
SIGNS = [-2.3, -0.7, -0.2, 0.4, 1.6, 3.1]
"""Numbers of both signs, away from whole ones."""

# -- one argument: name: (interval, mpmath, torch, options) -----------------------------------------------------------
special("erf", points(ANY), torch="torch.special.erf", mpmath="erf(x)", dtypes=BOTH)
special(
    "erfc",
    points(ANY, more=[([5.0, 20.0, -6.0], "extreme")]),
    torch="torch.special.erfc",
    mpmath="erfc(x)",
    tolerance=2e-12,
    reason="far out the function is tiny and its argument is squared",
)
special("erfi", points(ANY), mpmath="erfi(x)", dtypes=BOTH)
special(
    "erfcx",
    points(ANY, more=[([50.0, 1e5, -5.0], "extreme")]),
    torch="torch.special.erfcx",
    mpmath="exp(x * x) * erfc(x)",
)
special("dawsn", points(ANY), mpmath="sqrt(pi) / 2 * exp(-x * x) * erfi(x)", dtypes=BOTH)
special(
    "erfinv",
    points(SIGNED, more=[([1e-200, 0.999999], "extreme")]),
    torch="torch.special.erfinv",
    mpmath="erfinv(x)",
    domain="|x| < 1",
    tolerance=2e-11,
    reason="near 1 the inverse is ill conditioned",
)
special("erfcinv", points((0.1, 1.9)), mpmath="erfinv(1 - x)", domain="0 < x < 2")
special(
    "ndtr",
    points(ANY, more=[([-20.0, 6.0], "extreme")]),
    torch=None,
    mpmath="erfc(-x / sqrt(2)) / 2",
    tolerance=2e-12,
    reason="far out the function is tiny and its argument is squared",
)
special(
    "ndtri",
    points(UNIT, more=[([1e-200, 1e-10], "extreme")]),
    torch="torch.special.ndtri",
    mpmath="sqrt(2) * erfinv(2 * x - 1)",
    domain="0 < x < 1",
    tolerance=1e-9,
    reason="torch computes in float32 constants far out",
)
special(
    "log_ndtr",
    points(ANY, more=[([-30.0, 9.0], "extreme")]),
    torch="torch.special.log_ndtr",
    mpmath="log(erfc(-x / sqrt(2)) / 2)",
    tolerance=1e-11,
    reason="logarithms of nearly 1",
)
special("ndtri_exp", points((-3.9, -0.3)), mpmath="sqrt(2) * erfinv(2 * exp(x) - 1)", domain="x < 0", **LOOSE)
special(
    "expit",
    unary(*ANY, extremes=(-700.0, -40.0, 40.0)),
    torch="torch.special.expit",
    mpmath="1 / (1 + exp(-x))",
    dtypes=BOTH,
)
special(
    "log_expit", points(ANY, more=[([-800.0, 40.0], "extreme")]), torch="F.logsigmoid(x)", mpmath="-log(1 + exp(-x))"
)
special(
    "softplus",
    points(ANY, more=[([-700.0, 50.0], "extreme")]),
    torch="torch.logaddexp(x, 0 * x)",
    mpmath="log(1 + exp(x))",
)
special(
    "logit",
    points(UNIT, more=[([1e-200, 0.999], "extreme")]),
    torch="torch.special.logit(x)",
    mpmath="log(x / (1 - x))",
    domain="0 < x < 1",
)
special("entr", points(POSITIVE), torch="torch.special.entr", mpmath="-x * log(x)", domain="x > 0")
special("exp2", unary(*ANY), torch="torch.special.exp2", mpmath="power(2, x)", dtypes=BOTH)
special("exp10", unary(*ANY), mpmath="power(10, x)", dtypes=BOTH)
special("expm1", unary(*ANY, extremes=(1e-200, 1e-10)), torch="torch.special.expm1", mpmath="expm1(x)", dtypes=BOTH)
special("log1p", unary(-0.7, 3), torch="torch.special.log1p", mpmath="log1p(x)", dtypes=BOTH, domain="x > -1")
special("cosm1", points(ANY, more=[([1e-150, 1e-5], "extreme")]), mpmath="-2 * sin(x / 2) ** 2")
special(
    "cbrt",
    points(POSITIVE, more=[([1e-200, 1e200, 3.0], "extreme"), (SIGNS, "regular")]),
    mpmath="cbrt(x) if x > 0 else -cbrt(-x)",
    domain="x != 0",
)
special(
    "exprel",
    points(ANY, more=[([1e-10, 0.0, 500.0], "extreme")]),
    mpmath="expm1(x) / x if x else mpf(1)",
    tolerance={"reverse_over_reverse": 1e-10, "forward_over_reverse": 1e-10},
    reason="its derivatives are differences near 0",
)
special("sinc", unary(0.2, 2.4), torch="torch.special.sinc", mpmath="sincpi(x)", dtypes=BOTH)
special("sindg", points(ANY), mpmath="sin(x * pi / 180)")
special("cosdg", points(ANY), mpmath="cos(x * pi / 180)")
special("tandg", points(ANY), mpmath="tan(x * pi / 180)")
special("cotdg", points(POSITIVE, more=[(SIGNS, "regular")]), mpmath="cot(x * pi / 180)", domain="x no multiple of 180")
special("wrightomega", points(ANY), mpmath="lambertw(exp(z))", dtypes=BOTH)
special(
    "lambertw",
    both(real_only(calls((A(3, low=0.2),), (R([-0.3, -0.1]),), (R([-0.3, -0.1]), -1))), calls((A(2, 2, low=0.2),))),
    mpmath="lambertw(z, k)",
    domain="z > -1/e",
    dtypes=BOTH,
    tolerance=1e-11,
    reason="near the branch point it is ill conditioned",
)
special(
    "wofz",
    calls((A(2, 3),), (A(),)),
    mpmath="exp(-z * z) * erfc(-1j * z)",
    dtypes=("complex128",),
    tolerance=1e-11,
    reason="mpmath's exponential and complementary error function cancel, as do SciPy's Faddeeva parts",
)
for _name, _mp in (
    ("j0", "besselj(0, x)"),
    ("j1", "besselj(1, x)"),
    ("i0", "besseli(0, x)"),
    ("i1", "besseli(1, x)"),
    ("i0e", "exp(-abs(x)) * besseli(0, x)"),
    ("i1e", "exp(-abs(x)) * besseli(1, x)"),
):
    _torch: str | None = f"torch.special.{_name}" if _name[0] == "i" else None
    _points = points(POSITIVE, more=[(SIGNS, "regular")]) if _name[-1] == "e" else points(ANY)
    special(_name, _points, torch=_torch, mpmath=_mp)
for _name, _mp in (
    ("y0", "bessely(0, x)"),
    ("y1", "bessely(1, x)"),
    ("k0", "besselk(0, x)"),
    ("k1", "besselk(1, x)"),
    ("k0e", "exp(x) * besselk(0, x)"),
    ("k1e", "exp(x) * besselk(1, x)"),
):
    special(
        _name,
        points(POSITIVE),
        mpmath=_mp,
        domain="x > 0",
        tolerance=2e-12,
        reason="its derivative is a difference of such functions",
    )
_torch_names = {
    "bessel_j0": ("besselj(0, x)", ANY), "bessel_j1": ("besselj(1, x)", ANY), "bessel_y0": ("bessely(0, x)", POSITIVE),
    "bessel_y1": ("bessely(1, x)", POSITIVE), "modified_bessel_i0": ("besseli(0, x)", ANY), "modified_bessel_i1": ("besseli(1, x)", ANY),
    "modified_bessel_k0": ("besselk(0, x)", POSITIVE), "modified_bessel_k1": ("besselk(1, x)", POSITIVE),
    "scaled_modified_bessel_k0": ("exp(x) * besselk(0, x)", POSITIVE), "scaled_modified_bessel_k1": ("exp(x) * besselk(1, x)", POSITIVE),
    "airy_ai": ("airyai(x)", ANY), "spherical_bessel_j0": ("sin(x) / x", POSITIVE),
}  # fmt: skip
for _name, (_mp, _range) in _torch_names.items():
    special(
        _name,
        points(_range),
        torch=f"torch.special.{_name}",
        mpmath=_mp,
        tolerance=2e-12,
        reason="its derivative is a difference of such functions",
    )
_polynomials = {
    "chebyshev_polynomial_t": "chebyt(n, x)",
    "chebyshev_polynomial_u": "chebyu(n, x)",
    "shifted_chebyshev_polynomial_t": "chebyt(n, 2 * x - 1)",
    "shifted_chebyshev_polynomial_u": "chebyu(n, 2 * x - 1)",
    "hermite_polynomial_h": "hermite(n, x)",
    "hermite_polynomial_he": "power(2, -mpf(n) / 2) * hermite(n, x / sqrt(2))",
    "laguerre_polynomial_l": "laguerre(n, 0, x)",
    "legendre_polynomial_p": "legendre(n, x)",
    "chebyshev_polynomial_v": "chebyu(n, x) - (chebyu(n - 1, x) if n else 0)",
    "chebyshev_polynomial_w": "chebyu(n, x) + (chebyu(n - 1, x) if n else 0)",
}
for _name, _mp in _polynomials.items():
    _low = 0.1 if "shifted" in _name else -0.8
    special(
        _name,
        calls(*[(A(2, 2, low=_low, high=0.9), n) for n in (0, 1, 2, 5)], (A(low=0.1, high=0.9), 3), (A(0, 2), 2)),
        torch=f"torch.special.{_name}",
        mpmath=_mp,
    )
_kelvin: tuple[tuple[str, str | None, tuple[float, float]], ...] = (
    ("ber", "ber(0, x)", POSITIVE), ("bei", "bei(0, x)", POSITIVE), ("ker", "ker(0, x)", POSITIVE), ("kei", "kei(0, x)", POSITIVE),
    ("berp", None, POSITIVE), ("beip", None, POSITIVE), ("kerp", None, POSITIVE), ("keip", None, POSITIVE),
    ("itstruve0", None, POSITIVE), ("itmodstruve0", None, POSITIVE),
)  # fmt: skip
for _name, _exact, _range in _kelvin:
    _more = [] if _name in ("ker", "kei", "kerp", "keip") else [(SIGNS, "regular")]
    special(_name, points(_range, more=_more), mpmath=_exact, scipy=f"special.{_name}(x)", **LOOSE)

# -- gamma and its kin ------------------------------------------------------------------------------------------------
special(
    "gamma",
    points(POSITIVE, complex_kind="first", more=[([50.0, 1e-200, -1.5], "extreme"), (SIGNS, "regular")]),
    mpmath="gamma(x)",
    dtypes=BOTH,
)
special(
    "gammaln",
    points(POSITIVE, more=[([1e6, 1e-100, 50.0], "extreme"), (SIGNS, "regular")]),
    torch="torch.special.gammaln",
    mpmath="re(loggamma(x))",
    tolerance=1e-11,
    reason="near its zeros at 1 and 2 only the absolute error is small",
)
special(
    "loggamma",
    points(POSITIVE, complex_kind="first"),
    mpmath="loggamma(x)",
    dtypes=BOTH,
    tolerance=1e-11,
    reason="near its zeros at 1 and 2 only the absolute error is small",
)
special("gammasgn", unary(-3.3, 3.1, specials=()), mpmath="sign(gamma(x))")
special("rgamma", points(ANY, complex_kind="first"), mpmath="rgamma(x)", dtypes=BOTH, tolerance=1e-11, reason=CHAIN)
for _name in ("digamma", "psi"):
    special(
        _name,
        points(POSITIVE, more=[(SIGNS, "regular")]),
        torch=f"torch.special.{_name}",
        mpmath="digamma(x)",
        dtypes=REAL,
    )
special(
    "polygamma",
    calls(*[(n, A(2, 2, low=0.4, high=3)) for n in (0, 1, 3)], (I([1], [2]), A(3, low=0.4, high=3))),
    mpmath="polygamma(n, x)",
)
special(
    "multigammaln", calls((A(2, 3, low=2, high=4), 3), (A(low=1, high=2), 1)), torch="torch.special.multigammaln(a, d)"
)
_numbers = both(points(POSITIVE, POSITIVE), beside(POSITIVE, POSITIVE))
special("beta", _numbers, mpmath="beta(a, b)", tolerance=2e-11, reason=CHAIN)
special("betaln", _numbers, mpmath="log(beta(a, b))", tolerance=2e-11, reason=CHAIN)
special("poch", points(POSITIVE, POSITIVE), mpmath="rf(z, m)", tolerance=2e-11, reason=CHAIN)
special("binom", points((4.2, 7.1), POSITIVE), mpmath="binomial(n, k)", tolerance=2e-11, reason=CHAIN)
special(
    "zeta",
    both(points((1.5, 4.5), POSITIVE), calls((A(3, low=1.5, high=4),)), beside((1.5, 4.5), POSITIVE)),
    mpmath="zeta(x) if q is None else zeta(x, q)",
    tolerance=1e-11,
    reason=CHAIN,
)
special("zetac", points((1.5, 4.5)), mpmath="zeta(x) - 1", tolerance=1e-11, reason=CHAIN)
REGULARIZED: dict[str, Any] = {"tolerance": 1e-10, "reason": DIGITS}
special(
    "gammainc",
    both(points(POSITIVE, POSITIVE), beside(POSITIVE, POSITIVE)),
    mpmath="gammainc(a, 0, x, regularized=True)",
    **REGULARIZED,
)
special(
    "gammaincc",
    points(POSITIVE, POSITIVE),
    mpmath="gammainc(a, x, inf, regularized=True)",
    **REGULARIZED,
)
special("gammaincinv", points(POSITIVE, UNIT), scipy="special.gammaincinv(a, y)", **REGULARIZED)
special("gammainccinv", points(POSITIVE, UNIT), scipy="special.gammainccinv(a, y)", **REGULARIZED)
special(
    "betainc",
    points(POSITIVE, POSITIVE, UNIT),
    mpmath="betainc(a, b, 0, x, regularized=True)",
    **REGULARIZED,
)
special(
    "betaincc",
    points(POSITIVE, POSITIVE, UNIT),
    mpmath="betainc(a, b, x, 1, regularized=True)",
    **REGULARIZED,
)
special(
    "betaincinv",
    points(POSITIVE, POSITIVE, UNIT),
    scipy="special.betaincinv(a, b, y)",
    **REGULARIZED,
)
special(
    "betainccinv",
    points(POSITIVE, POSITIVE, UNIT),
    scipy="special.betainccinv(a, b, y)",
    **REGULARIZED,
)
# -- several arguments ------------------------------------------------------------------------------------------------
_zero_log = [([0.0, 0.0, 2.0], [3.0, 0.5, 0.5], "kink")]
special(
    "xlogy",
    both(points(POSITIVE, POSITIVE, more=_zero_log), beside(POSITIVE, POSITIVE)),
    torch="torch.special.xlogy",
    mpmath="x * log(y)",
)
special("xlog1py", points(POSITIVE, POSITIVE, more=_zero_log), torch="torch.special.xlog1py", mpmath="x * log1p(y)")
special("rel_entr", points(POSITIVE, POSITIVE), mpmath="x * log(x / y)")
special("kl_div", points(POSITIVE, POSITIVE), mpmath="x * log(x / y) - x + y")
special(
    "huber",
    both(
        calls((A(2, 1, low=0.3), R([-2.5, -0.2, 0.1, 4.0])), (A(low=0.5, high=1), A(low=1.5))),
        beside((0.3, 3.9), (1.3, 3.9)),
    ),
    mpmath="r * r / 2 if abs(r) <= delta else delta * (abs(r) - delta / 2)",
)
special("pseudo_huber", points(POSITIVE, ANY), mpmath="delta ** 2 * (sqrt(1 + (r / delta) ** 2) - 1)")
special("powm1", both(points(POSITIVE, ANY), beside(POSITIVE, POSITIVE)), mpmath="powm1(x, y)")
_lambdas = calls((A(3, low=0.3), R([[1e-4], [-1.2], [0.7]])), (A(3, low=0.3), R([[0.0]])))
_inverses = both(points(POSITIVE, (0.2, 2)), calls((A(3, low=0.6, high=3.2), R([[0.01], [0.7], [-0.02]]))))
special(
    "boxcox",
    both(points(POSITIVE, (0.2, 2)), _lambdas, beside(POSITIVE, POSITIVE)),
    mpmath="powm1(x, lmbda) / lmbda if lmbda else log(x)",
    tolerance=1e-10,
    reason="near lambda = 0 its derivatives are differences",
)
special(
    "boxcox1p",
    both(points(POSITIVE, (0.2, 2)), _lambdas),
    mpmath="powm1(1 + x, lmbda) / lmbda if lmbda else log1p(x)",
    tolerance=1e-10,
    reason="near lambda = 0 its derivatives are differences",
)
special("inv_boxcox", _inverses, mpmath="power(1 + lmbda * y, 1 / lmbda)", tolerance=1e-11, reason=CHAIN)
special(
    "inv_boxcox1p",
    _inverses,
    mpmath="power(1 + lmbda * y, 1 / lmbda) - 1",
    tolerance=1e-11,
    reason=CHAIN,
)
special("radian", points(POSITIVE, POSITIVE, POSITIVE), mpmath="(d + m / 60 + s / 3600) * pi / 180")
special(
    "owens_t",
    both(points((-2, 2), (0.2, 1.5)), beside(POSITIVE, POSITIVE)),
    scipy="special.owens_t(h, a)",
    tolerance=1e-11,
    reason=DIGITS,
)
special(
    "voigt_profile",
    points(ANY, POSITIVE, POSITIVE),
    scipy="special.voigt_profile(x, sigma, gamma)",
    tolerance=1e-9,
    reason=DIGITS,
)
special(
    "agm",
    both(points(POSITIVE, POSITIVE), calls((R([0.6, 1.9, 3.2]), R([0.606, 1.919, 3.232])))),
    mpmath="agm(a, b)",
    tolerance=1e-9,
    reason="its derivative divides by the difference of the arguments",
)

# -- integrals, elliptic functions ---------------------------------------------------------------------------------------
special("expi", points(POSITIVE, more=[(SIGNS, "regular")]), mpmath="ei(x)", dtypes=BOTH)
special("expn", whole_orders(0.3), mpmath="expint(n, x)", tolerance=1e-11, reason=CHAIN)
special("exp1", points(POSITIVE), mpmath="e1(x)", dtypes=BOTH)
special(
    "spence",
    points((0.1, 1.9)),
    mpmath="polylog(2, 1 - z)",
    dtypes=BOTH,
    tolerance=2e-12,
    reason="its second derivative is a difference near 1",
)
special(
    "ellipk",
    points((-0.8, 0.9)),
    mpmath="ellipk(m)",
    domain="m < 1",
    tolerance=1e-11,
    reason="its derivatives are differences near 0",
)
special(
    "ellipkm1",
    points(UNIT, more=[([1e-12, 1e-20], "extreme")]),
    mpmath="ellipk(1 - p)",
    domain="0 < p",
    tolerance=1e-11,
    reason="its derivatives are differences near 1",
)
special(
    "ellipe",
    points((-0.8, 0.9)),
    mpmath="ellipe(m)",
    domain="m < 1",
    tolerance=1e-11,
    reason="its derivatives are differences near 0",
)
special(
    "ellipkinc",
    both(points((-1.2, 1.2), (-0.8, 0.8)), calls((R([-1.1, 0.4, 2.7]), R([[-0.8], [0.01], [0.6]])))),
    mpmath="ellipf(phi, m)",
    tolerance=1e-10,
    reason="its derivatives are differences near m = 0",
)
special(
    "ellipeinc",
    both(points((-1.2, 1.2), (-0.8, 0.8)), calls((R([-1.1, 0.4, 2.7]), R([[-0.8], [0.01], [0.6]])))),
    mpmath="ellipe(phi, m)",
    tolerance=1e-10,
    reason="its derivatives are differences near m = 0",
)
# -- several outputs --------------------------------------------------------------------------------------------------
special(
    "airy",
    points((-2.2, 2.4)),
    mpmath="(airyai(z), airyai(z, derivative=1), airybi(z), airybi(z, derivative=1))",
    dtypes=BOTH,
    tolerance=2e-12,
    reason="mpmath differentiates the derivative once more",
)
special("fresnel", points(ANY), mpmath="(fresnels(z), fresnelc(z))", dtypes=BOTH)
special("sici", points(POSITIVE), mpmath="(si(x), ci(x))")
special("shichi", points(POSITIVE), mpmath="(shi(x), chi(x))")
special(
    "itairy",
    points(POSITIVE),
    mpmath="(airyai(x, derivative=-1), airybi(x, derivative=-1), -airyai(-x, derivative=-1), -airybi(-x, derivative=-1))",
    tolerance={"value": 1e-4},
    reason="SciPy's has four to six digits",
    without={"numeric": "SciPy's jumps by 1e-7 here and there, so that finite differences say nothing"},
)
special("itj0y0", points(POSITIVE), scipy="special.itj0y0(x)")
special("iti0k0", points(POSITIVE), scipy="special.iti0k0(x)")
special(
    "ellipj",
    points((0.3, 1.5), (0.2, 0.8)),
    mpmath="(ellipfun('sn', u, m=m), ellipfun('cn', u, m=m), ellipfun('dn', u, m=m), asin(ellipfun('sn', u, m=m)))",
    tolerance=1e-9,
    reason="SciPy's amplitude has ten digits, and the derivatives are made of it",
)
for _name, _arguments in (("pbdv", "v, x"), ("pbvv", "v, x"), ("pbwa", "a, x")):
    special(
        _name,
        points((0.3, 2.6), POSITIVE),
        scipy=f"special.{_name}({_arguments})",
        undefined=(_arguments[0],),
        tolerance={"numeric": 1e-5},
        reason="SciPy's has seven digits",
    )
