"""Solutions of wave equations among the functions of scipy.special, Carlson's integrals, and what else has an integral for a value."""

from __future__ import annotations

from typing import Any

from .samples import A, R, both, calls, points, unary
from .special import CHAIN, DIGITS, POSITIVE, special

NINE: dict[str, Any] = {"tolerance": 1e-9, "reason": DIGITS}

special("round", unary(-3.3, 3.1, specials=()), mpmath="nint(x)")
special(
    "airye",
    points(POSITIVE),
    mpmath="(airyai(z) * exp(2 * z * sqrt(z) / 3), airyai(z, derivative=1) * exp(2 * z * sqrt(z) / 3), "
    "airybi(z) * exp(-2 * z * sqrt(z) / 3), airybi(z, derivative=1) * exp(-2 * z * sqrt(z) / 3))",
    tolerance=1e-10,
    reason="mpmath differentiates the derivatives once more",
)
for _name in ("kelvin", "it2j0y0", "it2i0k0", "it2struve0", "modfresnelp", "modfresnelm"):
    special(_name, points(POSITIVE), scipy=f"special.{_name}(x)", **NINE)
special(
    "besselpoly",
    points(POSITIVE, (0.3, 1.9), POSITIVE),
    scipy="special.besselpoly(a, lmb, nu)",
    undefined=("lmb", "nu"),
    **NINE,
)
special(
    "log_wright_bessel",
    points(POSITIVE, POSITIVE, POSITIVE),
    scipy="special.log_wright_bessel(a, b, x)",
    undefined=("a", "b"),
    **NINE,
)
special(
    "lpmv",
    calls(
        (R([[0.0], [1.0]]), R([2.0, 3.0, 0.7]), A(3, low=-0.8, high=0.9), {"_constant": ("m", "v")}),
        (R([[2.0]]), R([3.0]), A(3, low=-0.8, high=0.9), {"_constant": ("m", "v")}),
    ),
    scipy="special.lpmv(m, v, x)",
    undefined=("m", "v"),
    **NINE,
)
special(
    "eval_sh_jacobi",
    calls((R([[0.0], [1.0], [3.0]]), R([2.2]), R([1.3]), A(3, low=0.1, high=0.9), {"_constant": ("n", "p", "q")})),
    scipy="special.eval_sh_jacobi(n, p, q, x)",
    undefined=("n", "p", "q"),
    **NINE,
)

# -- Mathieu's functions and spheroidal ones ----------------------------------------------------------------------------
_fixed = R([[1.0], [3.0]])


def _even(ending: str, name: str, *rest: Any) -> list[tuple[Any, ...]]:
    """The order 0, which only the even functions have."""
    return [(R([[0.0]]), *rest, {"_constant": ("m", "q")[: len(rest)]})] if name.endswith(ending) else []


for _name in ("mathieu_a", "mathieu_b"):
    special(
        _name,
        calls((_fixed, A(3, low=0.3), {"_constant": ("m",)}), *_even("a", _name, A(3, low=0.3))),
        scipy=f"special.{_name}(m, q)",
        undefined=("m",),
        orders=1,
        **NINE,
    )
for _name in (
    "mathieu_cem", "mathieu_sem", "mathieu_modcem1", "mathieu_modcem2", "mathieu_modsem1", "mathieu_modsem2",
):  # fmt: skip
    special(
        _name,
        calls(
            (_fixed, R([1.7]), A(3, low=0.3, high=1.5 if "mod" in _name else 80.0), {"_constant": ("m", "q")}),
            *_even("cem", _name, R([1.7]), A(3, low=0.3, high=80.0)),
        ),
        scipy=f"special.{_name}(m, q, x)",
        undefined=("m", "q"),
        **NINE,
    )
for _kind in ("pro", "obl"):
    special(
        f"{_kind}_cv",
        calls((R([1.0]), R([[2.0], [3.0]]), A(3, low=0.3), {"_constant": ("m", "n")})),
        scipy=f"special.{_kind}_cv(m, n, c)",
        undefined=("m", "n"),
        orders=1,
        **NINE,
    )
    for _name in ("ang1", "rad1", "rad2"):
        _low, _high = (-0.8, 0.9) if _name == "ang1" else (1.6, 3.5)
        _value = {"pro": 12.919051161252558, "obl": 11.091497213101794}[_kind]
        special(
            f"{_kind}_{_name}",
            calls((R([1.0]), R([3.0]), R([1.4]), A(3, low=_low, high=_high), {"_constant": ("m", "n", "c")})),
            scipy=f"special.{_kind}_{_name}(m, n, c, x)",
            undefined=("m", "n", "c"),
            **NINE,
        )
        special(
            f"{_kind}_{_name}_cv",
            calls(
                (
                    R([1.0]),
                    R([3.0]),
                    R([1.4]),
                    R([_value]),
                    A(3, low=_low, high=_high),
                    {"_constant": ("m", "n", "c", "cv")},
                )
            ),
            scipy=f"special.{_kind}_{_name}_cv(m, n, c, cv, x)",
            undefined=("m", "n", "c", "cv"),
            **NINE,
        )

# -- Carlson's integrals ----------------------------------------------------------------------------------------------
for _name, _arguments in (
    ("elliprf", "x, y, z"),
    ("elliprd", "x, y, z"),
    ("elliprg", "x, y, z"),
    ("elliprj", "x, y, z, p"),
    ("elliprc", "x, y"),
):
    special(
        _name,
        both(
            points(*[POSITIVE] * (_arguments.count(",") + 1)),
            calls((R([0.6, 1.9, 3.2]),) * (_arguments.count(",") + 1)) if _name != "elliprc" else calls(),
        ),
        mpmath=f"{_name}({_arguments})",
        tolerance=1e-10,
        reason=CHAIN,
    )
