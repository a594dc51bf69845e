"""Functions of ``scipy.special`` that JAX has, most of them for real arguments only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.scipy import special

from polygrad.backend import get_backend


def _incomplete_gamma(function: Any, at_zero: float, at_infinity: float) -> Any:
    """Return ``gammainc`` or ``gammaincc`` with SciPy's limits for a = 0 and a = ∞.

    JAX has nan there, or a number where the function is undefined.
    """

    def run(a: Any, x: Any) -> Any:
        zero, infinite = a == 0, a == jnp.inf
        inside = function(jnp.where(zero | infinite, 1, a), x)
        out = jnp.where(zero, jnp.where(x > 0, at_zero, jnp.nan), inside)
        return jnp.where(infinite, jnp.where((x >= 0) & (x < jnp.inf), at_infinity, jnp.nan), out)

    return jax.jit(run)


def owens_t(h: Any, a: Any) -> Any:
    """Return Owen's T in the precision of the arguments, where JAX returns float64."""
    return special.owens_t(h, a).astype(jnp.result_type(h, a, 1.0))


def zeta(x: Any, q: Any = None) -> Any:
    """Return Hurwitz's zeta function by JAX, and Riemann's by SciPy, which continues it to the left of 1."""
    return get_backend("jax").special_on_host("zeta")(x) if q is None else special.zeta(x, q)


NATIVE: dict[str, Callable[..., Any]] = {
    **{
        name: getattr(special, name) for name in (
            "betainc", "boxcox", "boxcox1p", "dawsn", "digamma", "entr", "erf", "erfc", "erfinv", "exp1", "expi", "expit", "expn",
            "fresnel", "gamma", "gammaln", "gammasgn", "hyp1f1", "hyp2f1", "i0", "i0e", "i1", "i1e", "kl_div", "log_ndtr", "loggamma",
            "logit", "multigammaln", "ndtr", "ndtri", "poch", "polygamma", "rel_entr", "sici", "spence", "wofz", "xlog1py", "xlogy",
        )
    },
    "gammainc": _incomplete_gamma(special.gammainc, 1.0, 0.0),
    "gammaincc": _incomplete_gamma(special.gammaincc, 0.0, 1.0),
    "owens_t": owens_t,
    "psi": special.digamma,
    "zeta": zeta,
}  # fmt: skip
"""Left out are ``beta`` and ``betaln``, with errors of 1e-7 in double precision, and ``erfcx``, which is 0 for large arguments."""

COMPLEX = frozenset({"expit", "wofz"})
