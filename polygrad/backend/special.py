"""``scipy.special`` on NumPy arrays, for libraries that lack some of its functions."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any


def scipy_special(name: str) -> Callable[..., Any] | None:
    """Return the function of ``scipy.special`` that computes on NumPy arrays; None without SciPy, or if it has no such function."""
    if importlib.util.find_spec("scipy") is None:
        return None
    function = getattr(importlib.import_module("scipy.special"), name, None)
    # With SCIPY_ARRAY_API set the public name is a Python function that dispatches on the type of the arrays, and wraps the ufunc.
    function = getattr(function, "__wrapped__", function)
    if name == "lambertw":
        return _real_lambertw
    if name in _ANALYTIC and function is not None:
        return _with_complex(function, _ANALYTIC[name])
    if name.startswith(_WRONG_IN_SINGLE) and function is not None:
        return _InDouble(function)
    return function if callable(function) else None


_WRONG_IN_SINGLE = ("mathieu_", "modfresnel", "obl_", "pro_")
"""Functions of SciPy (1.18) that give nan for single precision (Mathieu's, modified Fresnel integrals) or never return (spheroidal)."""


class _InDouble:
    """A ufunc of SciPy that computes in double precision whatever it is given."""

    def __init__(self, ufunc: Any) -> None:
        self.ufunc, self.nin, self.nout = ufunc, ufunc.nin, ufunc.nout

    def __call__(self, *args: Any) -> Any:
        real = [getattr(getattr(arg, "dtype", None), "kind", "") == "f" for arg in args]
        return self.ufunc(*[arg.astype("float64") if yes else arg for arg, yes in zip(args, real, strict=True)])


def _with_complex(function: Callable[..., Any], formula: Callable[..., Any]) -> Callable[..., Any]:
    """Combine a function of SciPy that takes only real arguments with a formula for complex ones."""
    return lambda x, /: formula(x) if getattr(getattr(x, "dtype", None), "kind", "f") == "c" else function(x)


def _expit(x: Any) -> Any:
    return 1 / (1 + importlib.import_module("numpy").exp(-x))


_ANALYTIC: dict[str, Callable[..., Any]] = {"exp2": lambda x: 2.0**x, "exp10": lambda x: 10.0**x, "expit": _expit}


def _real_lambertw(z: Any, k: int = 0, tol: float = 1e-8) -> Any:
    """Return SciPy's value, which is complex for real arguments too; for those, its real part, or nan where there is another part."""
    out = importlib.import_module("scipy.special").lambertw(z, k, tol)
    if getattr(getattr(z, "dtype", None), "kind", "f") == "c":
        return out
    return importlib.import_module("numpy").where(out.imag == 0, out.real, float("nan"))
