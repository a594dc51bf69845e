"""Functions of ``scipy.special`` that CuPy has, in the precision of their arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cupy as cp
from cupyx.scipy import special

from .functions import with_nan


def in_precision(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function in the precision of its arguments.

    The loops of CuPy's functions are of one dtype each, which widens half precision, and single precision beside an integer.
    """

    def run(*args: Any, **params: Any) -> Any:
        floating = [arg.dtype for arg in args if isinstance(arg, cp.ndarray) and arg.dtype.kind in "fc"]
        if not floating:
            return function(*args, **params)
        dtype = floating[0] if len(floating) == 1 else cp.result_type(*floating)
        out = function(
            *[arg.astype(dtype) if isinstance(arg, cp.ndarray) and arg.dtype.kind in "biu" else arg for arg in args],
            **params,
        )
        if type(out) is tuple:
            return tuple([part.astype(dtype, copy=False) for part in out])
        return out.astype(dtype, copy=False)

    return run


def lambertw(z: Any, k: int = 0, tol: float = 1e-8) -> Any:
    """Return CuPy's value, which is complex for real arguments too; for those, its real part, or nan where there is another part."""
    out = special.lambertw(z, k, tol)
    return out if z.dtype.kind == "c" else cp.where(out.imag == 0, out.real, cp.nan)


def polygamma(n: Any, x: Any) -> Any:
    """Return the polygamma function. CuPy's takes only an array for the order."""
    return special.polygamma(cp.asarray(n), x)


def zeta(x: Any, q: Any = None) -> Any:
    """Return Hurwitz's zeta function; without ``q`` Riemann's, also left of its pole. CuPy has the latter less 1."""
    return 1 + special.zetac(x) if q is None else special.zeta(x, q)


LEFT_OUT = {
    # exp(-|x|) times a number that has overflowed: nan from 714 on, where these functions are useful
    "i0e", "i1e", "k0e", "k1e",
    # a difference of numbers that are nearly equal, where the residuals are small beside delta
    "pseudo_huber",
    # its values differ from SciPy's if the degree is no integer
    "lpmv",
    # integer orders only
    "spherical_yn",
}  # fmt: skip
"""Functions of CuPy's that are left out, since SciPy on the host does better."""

_FOUND: dict[str, Callable[..., Any]] = {
    **{name: function for name, function in vars(special).items() if callable(function) and name not in LEFT_OUT},
    **{name: with_nan(getattr(special, name)) for name in ("exprel", "gammainc", "gammaincc", "sinc", "xlog1py")},
    "lambertw": lambertw,
    "polygamma": polygamma,
    "zeta": zeta,
}
NATIVE = {name: in_precision(function) for name, function in _FOUND.items()}

COMPLEX = frozenset(
    {name for name, function in vars(special).items() if any("D" in kinds for kinds in getattr(function, "types", ()))}
    | {"lambertw"}
)
"""Functions that take complex numbers."""
