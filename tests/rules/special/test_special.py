"""Special functions: values against SciPy, derivatives against finite differences, mpmath and torch, kinks and removable singularities."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest

import polygrad
from polygrad import func
from polygrad.errors import NoDerivativeError, UnsupportedError
from polygrad.rules.declare import OPS
from polygrad.rules.special.special import LEFT_OUT
from support.gradient_checks import check, host, tensor

special = pytest.importorskip("scipy.special")

X = np.asarray([[0.3, 0.8, 1.7], [0.45, 2.6, 3.9]])
ALL = np.asarray([-2.3, -0.7, -0.2, 0.4, 1.6, 3.1])  # of both signs
UNIT = np.asarray([0.07, 0.31, 0.52, 0.94])
SIGNED_UNIT = np.asarray([-0.83, -0.21, 0.34, 0.91])
COLUMN = np.asarray([[0.6], [1.9]])
S = np.asarray(0.7)
Z = np.asarray([0.4 + 0.3j, 1.2 - 0.8j, -0.7 + 1.1j])

ONE = [
    *[(name, ALL) for name in (
        "erf", "erfc", "erfi", "erfcx", "dawsn", "ndtr", "log_ndtr", "expit", "log_expit", "softplus", "exp2", "exp10", "expm1",
        "cosm1", "cbrt", "exprel", "sinc", "sindg", "cosdg", "tandg", "cotdg", "wrightomega", "gamma", "rgamma", "digamma", "psi",
        "gammaln", "j0", "j1", "i0", "i1", "i0e", "i1e", "expi", "ber", "bei", "berp", "beip", "itstruve0", "itmodstruve0",
    )],
    *[(name, X) for name in (
        "log1p", "entr", "loggamma", "exp1", "spence", "y0", "y1", "k0", "k1", "k0e", "k1e", "ker", "kei", "kerp", "keip",
    )],
    *[(name, UNIT) for name in ("ndtri", "logit", "erfcinv", "ellipkm1", "ellipk", "ellipe")],
    *[(name, SIGNED_UNIT) for name in ("erfinv", "ellipk", "ellipe")],
    *[(name, S) for name in ("gamma", "j1", "sinc", "ellipk")],
    *[(name, np.zeros((0, 3))) for name in ("gammaln", "exprel", "j1")],
    *[(name, Z) for name in ("erf", "erfi", "dawsn", "gamma", "rgamma", "loggamma", "expi", "exp1", "spence", "sinc", "wrightomega")],
    ("ndtri_exp", -X),
    ("zetac", X + 1.2),
    ("lambertw", np.asarray([-0.3, -0.1, 0.4, 2.7])),
    ("lambertw", Z),
    ("wofz", Z),
]  # fmt: skip


def label(value: Any) -> str:
    return (
        value if isinstance(value, str) else f"{value.dtype.kind}{value.shape}" if isinstance(value, np.ndarray) else ""
    )


def expected(name: str, *args: Any) -> Any:
    if name == "lambertw":
        out = special.lambertw(*args)
        return out if np.iscomplexobj(args[0]) else out.real
    return getattr(special, name)(*args)


def same(got: Any, want: Any, rtol: float = 2e-10) -> None:
    for a, b in zip(
        got if isinstance(got, tuple) else (got,), want if isinstance(want, tuple) else (want,), strict=True
    ):
        np.testing.assert_allclose(host(a), b, rtol=rtol, atol=1e-12)


@pytest.mark.parametrize(("name", "x"), ONE, ids=label)
def test_one_argument(name: str, x: np.ndarray, backend: str, xp: Any) -> None:
    if backend == "array_api_strict" and name == "erf" and np.iscomplexobj(x):
        with pytest.raises(UnsupportedError, match="real arguments only"):
            xp.special.erf(tensor(x, backend))
        return
    function = getattr(xp.special, name)
    same(function(tensor(x, backend)), expected(name, x))
    second = not (
        np.iscomplexobj(x) and name in ("gamma", "rgamma", "loggamma")
    )  # there is no complex polygamma in SciPy
    check(function, [x], backend, second=second, rtol=1e-9)


A, B = np.asarray([0.6, 1.9, 3.2]), np.asarray([[1.3], [0.8]])
SEVERAL = [
    # name, arguments, which have a derivative
    ("xlogy", [A, B], (0, 1)),
    ("xlog1py", [A, B], (0, 1)),
    ("rel_entr", [A, B], (0, 1)),
    ("kl_div", [A, B], (0, 1)),
    ("huber", [B, np.asarray([-2.5, -0.4, 0.3, 4.0])], (0, 1)),
    ("pseudo_huber", [B, np.asarray([-2.5, -0.4, 0.3, 4.0])], (0, 1)),
    ("powm1", [A, B], (0, 1)),
    ("boxcox", [A, B], (0, 1)),
    ("boxcox", [A, np.asarray([[0.0], [1e-4], [-1.2]])], (0, 1)),
    ("boxcox1p", [A, np.asarray([[0.0], [1e-4], [-1.2]])], (0, 1)),
    ("inv_boxcox", [A, np.asarray([[0.01], [0.7], [-0.02]])], (0, 1)),
    ("inv_boxcox1p", [A, np.asarray([[0.01], [0.7], [-0.02]])], (0, 1)),
    ("radian", [A, B, S], (0, 1, 2)),
    ("owens_t", [ALL, B], (0, 1)),
    ("voigt_profile", [SIGNED_UNIT, B, COLUMN], (0, 1, 2)),
    ("agm", [A, B], (0, 1)),
    ("agm", [A, A * 1.01], (0, 1)),
    ("beta", [A, B], (0, 1)),
    ("betaln", [A, B], (0, 1)),
    ("poch", [A, B], (0, 1)),
    ("binom", [A + 4, B], (0, 1)),
    ("zeta", [A + 1.2, B], (0, 1)),
    ("gammainc", [A, B], (0, 1)),
    ("gammaincc", [A, B], (0, 1)),
    ("gammaincinv", [A, UNIT[:3]], (0, 1)),
    ("gammainccinv", [A, UNIT[:3]], (0, 1)),
    ("betainc", [A, B, UNIT[:3]], (0, 1, 2)),
    ("betaincc", [A, B, UNIT[:3]], (0, 1, 2)),
    ("betaincinv", [A, B, UNIT[:3]], (0, 1, 2)),
    ("betainccinv", [A, B, UNIT[:3]], (0, 1, 2)),
    ("gdtr", [A, B, S], (0, 1, 2)),
    ("gdtrc", [A, B, S], (0, 1, 2)),
    ("fdtr", [A, B, A], (0, 1, 2)),
    ("fdtrc", [A, B, A], (0, 1, 2)),
    ("fdtri", [A, B, UNIT[:3]], (0, 1, 2)),
    ("chdtri", [B, UNIT], (0, 1)),
    ("stdtr", [B, ALL], (0, 1)),
    ("pdtr", [np.asarray([[2.0], [3.0]]), A], (1,)),
    ("pdtrc", [np.asarray([[2.0], [3.0]]), A], (1,)),
    ("pdtri", [np.asarray([[2.0], [3.0]]), UNIT[:3]], (1,)),
    ("bdtr", [np.asarray([[2], [3]]), np.asarray(7), UNIT[:3]], (2,)),
    ("bdtrc", [np.asarray([[2], [3]]), np.asarray(7), UNIT[:3]], (2,)),
    ("bdtri", [np.asarray([[2], [3]]), np.asarray(7), UNIT[:3]], (2,)),
    ("nbdtr", [np.asarray([[2], [3]]), np.asarray(4), UNIT[:3]], (2,)),
    ("nbdtrc", [np.asarray([[2], [3]]), np.asarray(4), UNIT[:3]], (2,)),
    ("nbdtri", [np.asarray([[2], [3]]), np.asarray(4), UNIT[:3]], (2,)),
    ("ellipkinc", [np.asarray([-1.1, 0.4, 2.7]), np.asarray([[-0.8], [0.01], [0.6]])], (0, 1)),
    ("ellipeinc", [np.asarray([-1.1, 0.4, 2.7]), np.asarray([[-0.8], [0.01], [0.6]])], (0, 1)),
    ("elliprf", [A, B, S], ()),
    ("elliprc", [A, B], ()),
    ("jv", [A, B], (1,)),
    ("yv", [A, B], (1,)),
    ("iv", [A, B], (1,)),
    ("kv", [A, B], (0, 1)),
    ("jve", [A, B], (1,)),
    ("yve", [A, B], (1,)),
    ("ive", [A, B], (1,)),
    ("kve", [A, B], (0, 1)),
    ("jv", [B, Z], (1,)),
    ("kv", [B, Z], (1,)),
    ("hankel1", [A, B], (1,)),
    ("hankel2", [B, Z], (1,)),
    ("hankel1e", [B, Z], (1,)),
    ("hankel2e", [A, B], (1,)),
    ("struve", [A, B], (1,)),
    ("modstruve", [A, B], (1,)),
    ("hyp0f1", [A, B], (1,)),
    ("hyp1f1", [A, A + 0.3, B], (2,)),
    ("hyp2f1", [A, A + 0.3, A + 1.4, SIGNED_UNIT[:3] / 2], (3,)),
    ("hyperu", [A, A + 0.3, B], (2,)),
    ("wright_bessel", [A, A + 0.3, B], (2,)),
]


@pytest.mark.parametrize(("name", "arrays", "which"), SEVERAL, ids=label)
def test_several_arguments(name: str, arrays: list[Any], which: tuple[int, ...], backend: str, xp: Any) -> None:
    function = getattr(xp.special, name)
    arrays = [np.asarray(a) for a in arrays]
    same(function(*[tensor(a, backend) for a in arrays]), expected(name, *arrays))
    if which:
        check(function, arrays, backend, differentiate=which, rtol=1e-9)


@pytest.mark.parametrize("name", ["xlogy", "boxcox", "owens_t", "betaln", "gammainc", "beta", "huber", "zeta", "powm1"])
def test_a_python_number_among_the_arguments(name: str, backend: str, xp: Any) -> None:
    function = getattr(xp.special, name)
    scalar = 1.25
    same(function(tensor(A, backend), scalar), expected(name, A, scalar))
    same(function(scalar, tensor(A, backend)), expected(name, scalar, A))
    check(lambda x: function(x, scalar), [A + 1 if name == "zeta" else A], backend, rtol=1e-9)
    check(lambda x: function(scalar, x), [A], backend, rtol=1e-9)


ORDERS = [
    ("jn", 0), ("jn", 2), ("yn", 1), ("kn", 2), ("expn", 0), ("expn", 1), ("expn", 3), ("polygamma", 0), ("polygamma", 1),
    ("polygamma", 3), ("spherical_jn", 0), ("spherical_jn", 2), ("spherical_yn", 1), ("spherical_in", 2), ("spherical_kn", 1),
    *[(f"eval_{name}", n) for n in (0, 1, 4) for name in (
        "chebyt", "chebyu", "chebyc", "chebys", "sh_chebyt", "sh_chebyu", "legendre", "sh_legendre", "laguerre", "hermite",
        "hermitenorm",
    )],
]  # fmt: skip


@pytest.mark.parametrize(("name", "n"), ORDERS)
def test_integer_orders(name: str, n: int, backend: str, xp: Any) -> None:
    function = getattr(xp.special, name)
    same(function(n, tensor(X, backend)), expected(name, n, X))
    check(lambda x: function(n, x), [X], backend, rtol=1e-9)


@pytest.mark.parametrize("name", ["jn", "expn", "spherical_jn", "eval_hermite", "eval_chebyt", "polygamma"])
def test_an_array_of_orders(name: str, backend: str, xp: Any) -> None:
    n = np.asarray([[1], [2]])
    function = getattr(xp.special, name)
    same(function(tensor(n, backend), tensor(A, backend)), expected(name, n, A))
    check(function, [n, A], backend, differentiate=(1,), rtol=1e-9)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("eval_gegenbauer", (1.3,)), ("eval_genlaguerre", (0.7,)), ("eval_jacobi", (0.7, 1.2))],
)
def test_polynomials_with_parameters(name: str, parameters: Any, backend: str, xp: Any) -> None:
    function = getattr(xp.special, name)
    for n in (0, 3):
        same(function(n, *parameters, tensor(X, backend)), expected(name, n, *parameters, X))
        check(lambda x, n=n: function(n, *parameters, x), [X], backend, rtol=1e-9)


OUTPUTS = [
    ("airy", [ALL]), ("airy", [Z]), ("fresnel", [ALL]), ("fresnel", [Z]), ("sici", [X]), ("shichi", [X]), ("itj0y0", [X]),
    ("iti0k0", [X]),
    ("ellipj", [A, np.asarray([[0.01], [0.6]])]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arrays"), OUTPUTS, ids=label)
def test_several_outputs(name: str, arrays: list[Any], backend: str, xp: Any) -> None:
    function = getattr(xp.special, name)
    rtol = 1e-4 if name == "ellipj" else 2e-10  # SciPy's amplitude has few digits beside a small parameter
    same(function(*[tensor(a, backend) for a in arrays]), expected(name, *arrays), rtol)
    check(function, arrays, backend, rtol=1e-9)


def test_integrals_of_airy_functions(backend: str, xp: Any) -> None:
    """SciPy's itairy jumps by 1e-7 here and there, so finite differences of it say nothing."""
    ai, _, bi, _ = special.airy(X)
    ai_mirrored, _, bi_mirrored, _ = special.airy(-X)
    for i, want in enumerate((ai, bi, ai_mirrored, bi_mirrored)):
        x = tensor(X, backend, True)
        xp.sum(xp.special.itairy(x)[i]).backward()
        np.testing.assert_allclose(host(x.grad), want, rtol=1e-12)


@pytest.mark.parametrize("name", ["pbdv", "pbvv", "pbwa"])
def test_parabolic_cylinder_functions(name: str, backend: str, xp: Any) -> None:
    function = getattr(xp.special, name)
    same(function(tensor(S, backend), tensor(A, backend)), expected(name, S, A))
    check(function, [S, A], backend, differentiate=(1,), rtol=1e-9, numeric=1e-5)


def test_multigammaln(backend: str, xp: Any) -> None:
    x = A + 2
    same(xp.special.multigammaln(tensor(x, backend), 3), special.multigammaln(x, 3))
    check(lambda a: xp.special.multigammaln(a, 3), [x], backend, rtol=1e-9)


@pytest.mark.parametrize(
    ("name", "formula"),
    [("exp2", lambda z: 2.0**z), ("exp10", lambda z: 10.0**z), ("expit", lambda z: 1 / (1 + np.exp(-z)))],
    ids=["exp2", "exp10", "expit"],
)
def test_complex_arguments_that_scipy_refuses(name: str, formula: Any, backend: str, xp: Any) -> None:
    function = getattr(xp.special, name)
    same(function(tensor(Z, backend)), formula(Z))
    check(function, [Z], backend, rtol=1e-9)


# -- where a formula is 0/0, against series known from theory, to third order ------------------------------------------------
def derivatives(function: Any, x: float, backend: str, number: int = 3) -> list[float]:
    out = [function]
    for _ in range(number):
        out.append(func.grad(out[-1]))
    return [float(f(polygrad.tensor(x, dtype="float64", backend=backend)).item()) for f in out]


REMOVABLE = [
    ("sinc", 0.0, [1, 0, -(np.pi**2) / 3, 0]),
    ("exprel", 0.0, [1, 1 / 2, 1 / 3, 1 / 4]),
    ("j1", 0.0, [0, 1 / 2, 0, -3 / 8]),
    ("i1", 0.0, [0, 1 / 2, 0, 3 / 8]),
    ("ellipk", 0.0, [np.pi / 2, np.pi / 8, 9 * np.pi / 64, 75 * np.pi / 256]),
    ("ellipe", 0.0, [np.pi / 2, -np.pi / 8, -3 * np.pi / 64, -15 * np.pi / 256]),
    ("spence", 1.0, [0, -1, 1 / 2, -2 / 3]),
    ("lambertw", 0.0, [0, 1, -2, 9]),
    ("rgamma", 0.0, [0, 1, 2 * np.euler_gamma]),
    ("rgamma", -2.0, [0, 2, -4 * (1.5 - np.euler_gamma)]),
]


@pytest.mark.parametrize(("name", "x", "values"), REMOVABLE, ids=label)
def test_removable_singularities(name: str, x: float, values: list[float], backend: str, xp: Any) -> None:
    got = derivatives(getattr(xp.special, name), x, backend, len(values) - 1)
    np.testing.assert_allclose(got, values, rtol=1e-9, atol=1e-9)


def test_the_parameter_of_incomplete_elliptic_integrals_at_zero(backend: str, xp: Any) -> None:
    phi = 0.9
    slope = (phi - np.sin(phi) * np.cos(phi)) / 4  # half the integral of sin**2
    first = derivatives(lambda m: xp.special.ellipkinc(phi, m), 0.0, backend, 1)[1]
    second = derivatives(lambda m: xp.special.ellipeinc(phi, m), 0.0, backend, 1)[1]
    np.testing.assert_allclose([first, second], [slope, -slope], rtol=1e-12)


FAR = [
    ("log_ndtr", -1e5),
    ("log_ndtr", -30.0),
    ("log_ndtr", 9.0),
    ("erfcx", -3.0),
    ("expit", -40.0),
    ("log_expit", -800.0),
    ("ndtri_exp", -700.0),
    ("gammaln", 1e6),
    ("ellipkm1", 1e-12),
]


@pytest.mark.parametrize(("name", "x"), FAR)
def test_far_out_against_mpmath(name: str, x: float, backend: str, xp: Any) -> None:
    mpmath = pytest.importorskip("mpmath")
    mp = mpmath.mp.clone()
    mp.dps = 60
    log_ndtr = lambda t: mp.log(mp.erfc(-t / mp.sqrt(2)) / 2)  # noqa: E731
    reference = {
        "log_ndtr": log_ndtr,
        "erfcx": lambda t: mp.exp(t * t) * mp.erfc(t),
        "expit": lambda t: 1 / (1 + mp.exp(-t)),
        "log_expit": lambda t: -mp.log(1 + mp.exp(-t)),
        "gammaln": mp.loggamma,
        "ellipkm1": lambda p: mp.ellipk(1 - p),
    }
    if name == "ndtri_exp":
        at = float(special.ndtri_exp(x))
        want = 1 / float(mp.diff(log_ndtr, at))
    else:
        want = float(mp.diff(reference[name], mp.mpf(x), h=mp.mpf(x) * mp.mpf(10) ** -20))
    np.testing.assert_allclose(derivatives(getattr(xp.special, name), x, backend, 1)[1], want, rtol=1e-9)


def test_shape_parameters_over_many_magnitudes(backend: str, xp: Any) -> None:
    """The derivatives of the incomplete gamma and beta functions in their parameters, in the body and in both tails."""
    mpmath = pytest.importorskip("mpmath")
    mp = mpmath.mp.clone()
    mp.dps = 40

    def slope(f: Any, at: float) -> float:
        at, h = mp.mpf(at), mp.mpf(at) * mp.mpf(10) ** -12
        return float((f(at + h) - f(at - h)) / (2 * h))

    def lower(a: Any, x: Any, small: bool) -> Any:
        """P, or where that is near 1 its complement with the other sign, which has the same slope."""
        ends = (0, x) if small else (x, mp.inf)
        return mp.gammainc(a, *ends, regularized=True) * (1 if small else -1)

    def regularized(a: Any, b: Any, x: Any) -> Any:
        return mp.betainc(a, b, 0, x, regularized=True)

    a, x = map(np.ravel, np.meshgrid([1e-3, 0.3, 4.0, 300.0], [0.01, 0.9, 1.0, 1.2, 4.0]))
    x = a * x
    leaf = tensor(a, backend, True)
    xp.sum(xp.special.gammainc(leaf, tensor(x, backend))).backward()
    want = [slope(lambda a, x=x, small=x < a: lower(a, mp.mpf(x), small), a) for a, x in zip(a, x, strict=True)]
    np.testing.assert_allclose(host(leaf.grad), want, rtol=1e-10, atol=1e-290)

    a, b, x = map(np.ravel, np.meshgrid([1e-3, 0.7, 60.0], [0.02, 3.0, 200.0], [0.01, 0.3, 0.8]))
    leaves = tensor(a, backend, True), tensor(b, backend, True)
    xp.sum(xp.special.betainc(*leaves, tensor(x, backend))).backward()
    rows = list(zip(a, b, x, strict=True))
    wants = (
        [slope(lambda a, b=b, x=x: regularized(a, b, mp.mpf(x)), a) for a, b, x in rows],
        [slope(lambda b, a=a, x=x: regularized(a, b, mp.mpf(x)), b) for a, b, x in rows],
    )
    for got, want in zip(leaves, wants, strict=True):
        np.testing.assert_allclose(host(got.grad), want, rtol=1e-9, atol=1e-20)


def test_shape_parameters_where_the_functions_end(backend: str, xp: Any) -> None:
    """0 where the function is constant in the parameter, nan where it is not defined."""

    def gradient(name: str, *arguments: list[float]) -> np.ndarray:
        first, *others = [tensor(a, backend, i == 0) for i, a in enumerate(arguments)]
        xp.sum(getattr(xp.special, name)(first, *others)).backward()
        return host(first.grad)

    np.testing.assert_array_equal(
        gradient("gammainc", [2.0, 2.0, -1.0, np.nan], [0.0, np.inf, 1.0, 1.0]), [0, 0, np.nan, np.nan]
    )
    np.testing.assert_array_equal(gradient("betainc", [2.0, 2.0, np.nan], [3.0] * 3, [0.0, 1.0, 0.5]), [0, 0, np.nan])
    np.testing.assert_array_equal(gradient("stdtr", [3.0], [0.0]), [0])


def test_the_order_of_macdonalds_function_over_many_magnitudes(backend: str, xp: Any) -> None:
    mpmath = pytest.importorskip("mpmath")
    mp = mpmath.mp.clone()
    mp.dps = 40
    rows = [
        (v, z) for v in (-2.3, 0.01, 0.7, 4.0, 20.0, 90.0) for z in (1e-3, 0.4, 3.0, 50.0, 600.0) if v < 50 or z > 0.1
    ]
    v, z = [np.asarray(column) for column in zip(*rows, strict=True)]
    order = tensor(v, backend, True)
    xp.sum(xp.special.kv(order, tensor(z, backend))).backward()
    h = mp.mpf(10) ** -15
    want = [float((mp.besselk(a + h, b) - mp.besselk(a - h, b)) / (2 * h)) for a, b in rows]
    np.testing.assert_allclose(host(order.grad), want, rtol=1e-10)
    order = tensor(np.asarray([0.0, 1.0]), backend, True)
    xp.sum(xp.special.kv(order, tensor(np.asarray([1.5, -1.0]), backend))).backward()
    np.testing.assert_array_equal(host(order.grad), [0, np.nan])  # even in the order; not defined left of 0
    with pytest.raises(NoDerivativeError, match="real arguments only"):
        xp.special.kve(tensor(np.asarray([0.5] * 3), backend, True), tensor(Z, backend)).backward(tensor(Z, backend))


def test_zeta_left_of_its_pole_and_at_it(backend: str, xp: Any) -> None:
    mpmath = pytest.importorskip("mpmath")
    at = np.asarray([-5.2, -4.0, -0.3, 0.0, 0.9, 1.2, 20.0])
    x = tensor(at, backend, True)
    y = xp.special.zeta(x)
    xp.sum(y).backward()
    mp = mpmath.mp.clone()
    mp.dps = 30
    want = np.asarray([float(mp.diff(mp.zeta, mp.mpf(v))) for v in at])
    known = ~np.isnan(host(y))  # torch's own function ends at 1
    assert known.all() or backend == "torch"
    np.testing.assert_allclose(host(x.grad)[known], want[known], rtol=1e-9)
    x = tensor(np.asarray([1.0, np.inf]), backend, True)
    xp.sum(xp.special.zeta(x)).backward()
    np.testing.assert_array_equal(host(x.grad), [-np.inf, 0])
    x = tensor(np.asarray([0.5, 3.0]), backend, True)
    xp.sum(xp.special.zeta(x, tensor(np.asarray([2.0, -0.5]), backend))).backward()
    np.testing.assert_array_equal(host(x.grad), [np.nan, np.nan])


# -- kinks and edges, as in torch -----------------------------------------------------------------------------------------
EDGES = [
    ("xlogy", [[0.0, 0.0, 2.0], [3.0, 0.0, 0.5]]),
    ("xlog1py", [[0.0, 0.0, 2.0], [3.0, -1.0, 0.5]]),
]


@pytest.mark.parametrize(("name", "arrays"), EDGES, ids=label)
def test_zero_times_a_logarithm(name: str, arrays: list[Any], backend: str, xp: Any) -> None:
    torch = pytest.importorskip("torch")
    x, y = tensor(arrays[0], backend, True), tensor(arrays[1], backend)
    xp.sum(getattr(xp.special, name)(x, y)).backward()
    theirs = torch.tensor(arrays[0], requires_grad=True)
    getattr(torch.special, name)(theirs, torch.tensor(arrays[1])).sum().backward()
    np.testing.assert_allclose(host(x.grad), theirs.grad.numpy())


TORCH = [
    "erf",
    "erfc",
    "erfcx",
    "erfinv",
    "exp2",
    "expit",
    "logit",
    "entr",
    "gammaln",
    "digamma",
    "i0",
    "i0e",
    "i1",
    "i1e",
]
TORCH += ["log_ndtr", "ndtr", "ndtri", "sinc", "psi", "expm1", "log1p"]


@pytest.mark.parametrize("name", TORCH)
def test_against_torch(name: str, backend: str, xp: Any) -> None:
    torch = pytest.importorskip("torch")
    check(getattr(xp.special, name), [UNIT], backend, reference=getattr(torch.special, name), rtol=1e-8)
    x = tensor(UNIT, backend, True)
    theirs = getattr(torch.special, name)(torch.tensor(UNIT, requires_grad=True))
    assert getattr(xp.special, name)(x).grad_fn.name() == theirs.grad_fn.name()


ALIASES = [
    ("bessel_j0", "j0"), ("bessel_j1", "j1"), ("bessel_y0", "y0"), ("bessel_y1", "y1"), ("modified_bessel_i0", "i0"),
    ("modified_bessel_i1", "i1"), ("modified_bessel_k0", "k0"), ("modified_bessel_k1", "k1"),
    ("scaled_modified_bessel_k0", "k0e"), ("scaled_modified_bessel_k1", "k1e"),
]  # fmt: skip
POLYNOMIALS = [
    "chebyshev_polynomial_t", "chebyshev_polynomial_u", "chebyshev_polynomial_v", "chebyshev_polynomial_w",
    "shifted_chebyshev_polynomial_t", "shifted_chebyshev_polynomial_u", "hermite_polynomial_h", "hermite_polynomial_he",
    "laguerre_polynomial_l", "legendre_polynomial_p",
]  # fmt: skip


def test_torchs_names(backend: str, xp: Any) -> None:
    torch = pytest.importorskip("torch")
    x = tensor(UNIT, backend)
    for name, target in ALIASES:
        same(getattr(xp.special, name)(x), getattr(special, target)(UNIT))
    for name in POLYNOMIALS:
        same(getattr(xp.special, name)(x, 3), getattr(torch.special, name)(torch.tensor(UNIT), 3).numpy())
    same(xp.special.airy_ai(x), special.airy(UNIT)[0])
    same(xp.special.spherical_bessel_j0(x), special.spherical_jn(0, UNIT))


LIMITS = np.asarray([-np.inf, -1.0, 0.0, 0.5, 3.0, np.inf, np.nan])


@pytest.mark.parametrize("name", ["gammainc", "gammaincc"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_incomplete_gamma_functions_at_their_limits(name: str, dtype: str, backend: str, xp: Any) -> None:
    a, x = (part.reshape(-1).astype(dtype) for part in np.meshgrid(LIMITS, LIMITS))
    if backend == "torch":  # whose limits go before its nan
        a, x = a[~np.isnan(a) & ~np.isnan(x)], x[~np.isnan(a) & ~np.isnan(x)]
    order, place = tensor(a, backend), tensor(x, backend, True)
    y = getattr(xp.special, name)(order, place)
    values = getattr(special, name)(a, x)
    assert y.dtype == place.dtype
    np.testing.assert_allclose(host(y.detach()), values, rtol=1e-10 if dtype == "float64" else 1e-5)
    with np.errstate(all="ignore"):
        y.backward(tensor(np.ones_like(x), backend))
        slopes = np.exp(special.xlogy(a - 1, x) - x - special.gammaln(a))
        got = host(place.grad)
    slopes = slopes if name == "gammainc" else -slopes
    inside = ~np.isnan(values)
    np.testing.assert_allclose(got[inside], slopes[inside], rtol=1e-10 if dtype == "float64" else 1e-5)


def test_zeta_of_one_argument(backend: str, xp: Any) -> None:
    places = np.asarray([[1.5, 2.0, 7.3], [-1.5, -0.4, 0.5]])
    if backend == "torch":  # whose own starts at 1
        places = places[:1]
    same(xp.special.zeta(tensor(places, backend)), special.zeta(places))
    check(xp.special.zeta, [places], backend, rtol=1e-9)


# -- what has no derivative -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("name", "number"), [("hyp1f1", 3), ("jv", 2), ("pdtr", 2), ("kn", 2)])
def test_an_unknown_derivative_raises(name: str, number: int, backend: str, xp: Any) -> None:
    arrays = [tensor(UNIT + 1 if name == "kn" else UNIT, backend, i == 0) for i in range(number)]
    if name == "kn":
        arrays[0] = tensor(np.asarray([1.0, 2.0, 1.0, 2.0]), backend, True)
    y = xp.sum(getattr(xp.special, name)(*arrays))
    with pytest.raises(NoDerivativeError, match=f"special.{name}"):
        y.backward()
    with pytest.raises(NoDerivativeError, match=f"special.{name}"):
        func.jvp(lambda a: getattr(xp.special, name)(a, *arrays[1:]), (arrays[0].detach(),), (arrays[0].detach(),))


def test_complex_arguments_without_complex_derivative_raise(backend: str, xp: Any) -> None:
    z = tensor(Z, backend, True)
    with pytest.raises(NoDerivativeError, match="real arguments only"):
        xp.special.ive(0.5, z).backward(tensor(Z, backend))


@pytest.mark.parametrize(
    "name", ["hyp0f1", "wright_bessel", "kolmogorov", "tklmbda", "exp1", "modfresnelp", "mathieu_a", "stdtridf"]
)
def test_every_other_function_of_scipy_runs(name: str, backend: str, xp: Any) -> None:
    inputs = getattr(special, name).nin
    arrays = [UNIT + 0.1 * i for i in range(inputs)]
    if name == "mathieu_a":
        arrays[0] = np.asarray([1.0, 2.0, 1.0, 0.0])
    got = getattr(xp.special, name)(*[tensor(a, backend) for a in arrays])
    same(got, getattr(special, name)(*arrays))


def test_a_fallback_refuses_to_differentiate(backend: str, xp: Any) -> None:
    assert "special.chndtridf" not in OPS
    x = tensor(UNIT, backend, True)
    y = xp.special.chndtridf(x, 0.5, 0.5)
    assert y.requires_grad
    with pytest.raises(NoDerivativeError, match="special.chndtridf: no derivative is known"):
        y.backward(tensor(UNIT, backend))
    angular, _ = xp.special.obl_ang1(1.0, 2.0, x, 0.5)
    with pytest.raises(NoDerivativeError, match="special.obl_ang1"):
        xp.sum(angular).backward()


def test_names_that_are_left_to_scipy(xp: Any) -> None:
    for name in (*LEFT_OUT, "no_such_function", "__wrapped__"):
        assert not hasattr(xp.special, name)


def test_gammasgn_is_constant(backend: str, xp: Any) -> None:
    y = xp.special.gammasgn(tensor(ALL, backend, True))
    same(y, special.gammasgn(ALL))
    assert not y.requires_grad


@pytest.mark.parametrize("name", ["gammaln", "j0", "agm", "expit", "ellipk", "k1e"])
def test_single_precision_stays(name: str, backend: str, xp: Any) -> None:
    x = tensor(UNIT.astype("float32"), backend, True)
    y = getattr(xp.special, name)(*([x] if name != "agm" else [x, 2 * x]))
    assert y.dtype == x.dtype
    xp.sum(y).backward()
    assert x.grad.dtype == x.dtype


def test_without_scipy_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = polygrad.backend.Backend("array_api_strict", pytest.importorskip("array_api_strict")).load()
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: find_spec(name) if name != "scipy" else None)
    x = backend.xp.asarray([0.5])
    np.testing.assert_allclose(float(backend.raw.special.erf(x)[0]), special.erf(0.5))
    with pytest.raises(UnsupportedError, match="pip install scipy"):
        backend.raw.special.jv(1, x)


DEFAULTS = [
    op.name
    for op in OPS.values()
    if op.name.startswith("special.") and op.default is not None and op.form == "elementwise"
]


@pytest.mark.parametrize("name", DEFAULTS)
def test_agnostic_defaults(name: str) -> None:
    backend = polygrad.get_backend("numpy")
    op = OPS[name]
    if name == "special.multigammaln":
        np.testing.assert_allclose(op.default(backend.raw, A + 2, d=3), special.multigammaln(A + 2, 3))
        return
    args = [UNIT + 0.1 * i for i in range(len(op.arrays))]
    np.testing.assert_allclose(
        op.default(backend.raw, *args), getattr(special, name.partition(".")[2])(*args), rtol=1e-12
    )
    with np.errstate(all="ignore"):
        edges = [[0.0, 0.0, -1.0, 40.0, -40.0], [1.5, 0.0, 2.0, 3.0, 0.25], [0.0] * 5][: len(op.arrays)]
        args = [np.asarray(edge) for edge in edges]
        want = getattr(special, name.partition(".")[2])(*args)
        np.testing.assert_allclose(op.default(backend.raw, *args), want, rtol=1e-12)


# -- jit --------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["gammaln", "j1", "agm", "sici", "airy", "ellipk"])
def test_under_jax_jit(name: str) -> None:
    jax = pytest.importorskip("jax")
    xp = polygrad.namespace("jax")

    def slope(x: Any) -> Any:
        def f(t: Any) -> Any:
            y = getattr(xp.special, name)(*([t] if name != "agm" else [t, 2 * t]))
            return xp.sum(y[0] if isinstance(y, tuple) else y)

        return func.grad(f)(polygrad.asarray(x))._data

    def bottom(t: Any) -> Any:
        return bottom(t._data) if isinstance(t, polygrad.Tensor) else t

    x = jax.numpy.asarray(UNIT.astype("float32"))
    np.testing.assert_allclose(jax.jit(lambda x: bottom(slope(x)))(x), bottom(slope(x)), rtol=1e-5)
