"""Solutions of wave equations, and Carlson's integrals: values against SciPy, derivatives against finite differences and mpmath."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from polygrad import func
from polygrad.errors import NoDerivativeError
from support.gradient_checks import check, host, tensor

special = pytest.importorskip("scipy.special")

A, B = np.asarray([0.6, 1.9, 3.2]), np.asarray([[1.3], [0.8]])
ALL = np.asarray([-2.3, -0.7, -0.2, 0.4, 1.6, 3.1])
UNIT = np.asarray([-0.83, 0.31, 0.64])
ONE, THREE = np.asarray(1.0), np.asarray(3.0)
ORDERS = np.asarray([[0.0], [1.0], [3.0]])
C = np.asarray(1.4)
CV = {"pro": np.asarray(special.pro_cv(1.0, 3.0, 1.4)), "obl": np.asarray(special.obl_cv(1.0, 3.0, 1.4))}
OUTSIDE = {"pro": A + 1, "obl": A}


def label(value: Any) -> str:
    return value if isinstance(value, str) else ""


ROWS = [
    # name, arguments, which have a derivative, options of ``check``
    ("kelvin", [A], (0,), {}),
    ("airye", [A], (0,), {}),
    ("it2j0y0", [A], (0,), {}),
    ("it2i0k0", [A], (0,), {}),
    ("it2struve0", [A], (0,), {}),
    ("besselpoly", [A, B, np.asarray([0.5, 1.0, 2.5])], (0,), {}),
    ("log_wright_bessel", [A, A + 0.3, B], (2,), {}),
    ("modfresnelp", [A], (0,), {}),
    ("modfresnelm", [A], (0,), {}),
    ("lpmv", [np.asarray([[0.0], [1.0], [2.0]]), np.asarray(3.0), UNIT], (2,), {}),
    ("lpmv", [np.asarray([[0.0], [1.0]]), np.asarray(0.7), UNIT], (2,), {}),
    ("eval_sh_jacobi", [ORDERS, np.asarray(2.2), np.asarray(1.3), np.asarray([0.2, 0.7])], (3,), {}),
    ("mathieu_a", [ORDERS, A], (1,), {"second": False}),
    ("mathieu_b", [ORDERS[1:], A], (1,), {"second": False}),
    ("mathieu_cem", [ORDERS, np.asarray(1.7), 50 * A], (2,), {}),
    ("mathieu_sem", [ORDERS[1:], np.asarray(1.7), 50 * A], (2,), {}),
    *[(f"mathieu_mod{kind}em{i}", [ORDERS[1:], np.asarray(1.7), A / 3], (2,), {}) for kind in "cs" for i in (1, 2)],
    *[(f"{kind}_cv", [ONE, THREE, A], (2,), {"second": False}) for kind in ("pro", "obl")],
    *[(f"{kind}_ang1", [ONE, THREE, C, UNIT], (3,), {}) for kind in ("pro", "obl")],
    *[(f"{kind}_rad{i}", [ONE, THREE, C, OUTSIDE[kind]], (3,), {}) for kind in CV for i in (1, 2)],
    *[(f"{kind}_ang1_cv", [ONE, THREE, C, CV[kind], UNIT], (4,), {}) for kind in CV],
    *[(f"{kind}_rad{i}_cv", [ONE, THREE, C, CV[kind], OUTSIDE[kind]], (4,), {}) for kind in CV for i in (1, 2)],
    ("elliprd", [A, B, ONE], (0, 1, 2), {}),
    ("elliprd", [A, A, A], (0, 1, 2), {}),
    ("elliprf", [A, B, ONE], (0, 1, 2), {}),
    ("elliprf", [A, A, A], (0, 1, 2), {}),
    ("elliprc", [A, B], (0, 1), {}),
    ("elliprg", [A, B, ONE], (0, 1, 2), {}),
    ("elliprj", [A, B, ONE, np.asarray(1.7)], (0, 1, 2, 3), {}),
    ("elliprj", [A, A, A, A], (0, 1, 2, 3), {}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arrays", "which", "options"), ROWS, ids=label)
def test_values_and_derivatives(
    name: str, arrays: list[Any], which: tuple[int, ...], options: dict[str, Any], backend: str, xp: Any
) -> None:
    function = getattr(xp.special, name)
    outputs = function(*[tensor(a, backend) for a in arrays])
    wanted = getattr(special, name)(*arrays)
    several = isinstance(wanted, tuple)
    for got, want in zip(outputs if several else [outputs], wanted if several else [wanted], strict=True):
        np.testing.assert_allclose(host(got), want, rtol=1e-10)
    check(function, arrays, backend, differentiate=which, **{"rtol": 1e-9, **options})


def slope(name: str, arguments: tuple[float, ...], which: int, backend: str, xp: Any, order: int = 1) -> float:
    def f(x: Any) -> Any:
        fixed = [tensor(np.asarray(float(a)), backend) for a in arguments]
        out = getattr(xp.special, name)(*fixed[:which], x, *fixed[which + 1 :])
        return out[0] if isinstance(out, tuple) else out

    for _ in range(order):
        f = func.grad(f)
    return float(f(tensor(np.asarray(float(arguments[which])), backend)).item())


def test_carlsons_integrals_over_many_magnitudes(backend: str, xp: Any) -> None:
    mpmath = pytest.importorskip("mpmath")
    mp = mpmath.mp.clone()
    mp.dps = 50
    rows = [
        ("elliprd", (1.0, 2.0, 3.0)),
        ("elliprd", (2.0, 2.0, 2.0)),
        ("elliprd", (1e-8, 2.0, 1e5)),
        ("elliprd", (1e12, 3.0, 1e-9)),
        ("elliprd", (0.0, 2.0, 3.0)),
        ("elliprj", (1.0, 1.0, 2.0, 2.0)),
        ("elliprj", (1e-6, 30.0, 2e4, 0.7)),
        ("elliprj", (3.0, 0.0, 1.0, 1e-5)),
        ("elliprg", (2.0, 2.0, 3e-7)),
    ]
    for name, row in rows:
        for i, at in enumerate(row):
            if at == 0:
                assert slope(name, row, i, backend, xp) == -np.inf
                continue
            exact = [mp.mpf(v) for v in row]

            def moved(t: Any, exact: Any = exact, i: int = i, name: str = name) -> Any:
                return getattr(mp, name)(*exact[:i], t, *exact[i + 1 :])

            h = exact[i] * mp.mpf(10) ** -15
            want = (moved(exact[i] + h) - moved(exact[i] - h)) / (2 * h)
            np.testing.assert_allclose(
                slope(name, row, i, backend, xp), float(want), rtol=1e-10, err_msg=f"{name}{row} {i}"
            )
    assert np.isnan(slope("elliprj", (1.0, 2.0, 3.0, -0.5), 0, backend, xp))  # a principal value
    # R_D(x, x, x) = x**(-3/2): along (1, 1, 1) the second derivative at 1 is 15/4
    x = tensor(np.asarray(1.0), backend)
    diagonal = func.grad(func.grad(lambda t: xp.special.elliprd(t, t, t)))(x)
    np.testing.assert_allclose(float(diagonal.item()), 15 / 4, rtol=1e-11)


def test_where_a_formula_would_divide_by_zero(backend: str, xp: Any) -> None:
    assert [slope("it2j0y0", (0.0,), 0, backend, xp, order) for order in (2, 3)] == [0.25, 0.0]
    assert [slope("it2i0k0", (0.0,), 0, backend, xp, order) for order in (2, 3)] == [0.25, 0.0]
    np.testing.assert_allclose(slope("it2struve0", (1e-8,), 0, backend, xp), -2 / np.pi, rtol=1e-12)
    assert np.isnan(slope("lpmv", (1.0, 2.0, 1.0), 2, backend, xp))
    second = func.grad(lambda x: xp.imag(xp.special.kelvin(x)[2]))(tensor(np.asarray(0.0), backend))
    assert float(second.item()) == 0.5  # bei'' at 0


def test_functions_that_only_real_arguments_have_a_derivative_of(backend: str, xp: Any) -> None:
    z = tensor(np.asarray([0.4 + 0.3j]), backend, True)
    for out in (xp.special.airye(z)[0], xp.special.elliprd(z, z, z)):
        with pytest.raises(NoDerivativeError, match="for real arguments only"):
            out.backward(tensor(np.asarray([1.0 + 0j]), backend))


@pytest.mark.parametrize(("name", "number"), [("mathieu_cem", 1), ("pro_ang1", 2), ("obl_rad2_cv", 3), ("lpmv", 1)])
def test_parameters_of_waves_raise(name: str, number: int, backend: str, xp: Any) -> None:
    values = {
        "mathieu_cem": (1, 0.5, 20),
        "pro_ang1": (1, 2, 0.7, 0.3),
        "obl_rad2_cv": (1, 3, 1.4, 12.5, 2),
        "lpmv": (1, 2, 0.3),
    }
    arrays = [tensor(np.asarray([float(v)]), backend, i == number) for i, v in enumerate(values[name])]
    out = getattr(xp.special, name)(*arrays)
    with pytest.raises(NoDerivativeError, match=f"special.{name}: no derivative is known"):
        xp.sum(out[0] if isinstance(out, tuple) else out).backward()


def test_round_is_constant(backend: str, xp: Any) -> None:
    y = xp.special.round(tensor(ALL, backend, True))
    np.testing.assert_array_equal(host(y), special.round(ALL))
    assert not y.requires_grad
