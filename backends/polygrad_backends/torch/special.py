"""Functions of ``scipy.special`` that torch has. They take tensors only, and mostly real ones."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import special

from polygrad.backend import get_backend

from .functions import with_numbers


def polygamma(n: Any, x: Any) -> Any:
    """Return the polygamma function by the zeta function (DLMF 5.15.1).

    torch's own has no more than ten digits for the first order, and one order for all elements.
    """
    if type(n) is not int:
        return get_backend("torch").special_on_host("polygamma")(n, x)
    if n == 0:
        return special.digamma(x)
    order = torch.tensor(n + 1.0, dtype=x.dtype, device=x.device)
    return special.zeta(order, x) * ((-1) ** (n + 1) * math.factorial(n))


def zeta(x: Any, q: Any = None) -> Any:
    """Return Hurwitz's zeta function, and Riemann's where ``q`` is not given."""
    return with_numbers(special.zeta)(x, 1.0 if q is None else q)


NATIVE: dict[str, Callable[..., Any]] = {
    **{
        name: with_numbers(getattr(special, name)) for name in (
            "digamma", "entr", "erf", "erfc", "erfcx", "erfinv", "exp2", "expit", "gammainc", "gammaincc", "gammaln", "i0", "i0e", "i1",
            "i1e", "log_ndtr", "logit", "ndtri", "psi", "sinc", "xlog1py", "xlogy",
        )
    },
    "k0": with_numbers(special.modified_bessel_k0),
    "k0e": with_numbers(special.scaled_modified_bessel_k0),
    "k1": with_numbers(special.modified_bessel_k1),
    "k1e": with_numbers(special.scaled_modified_bessel_k1),
    "log_expit": torch.nn.functional.logsigmoid,
    "multigammaln": lambda a, *, d: special.multigammaln(a, d),  # torch calls it p
    "polygamma": polygamma,
    "zeta": zeta,
}  # fmt: skip
"""Left out are those with far fewer digits than SciPy's in double precision: the Bessel functions of the first and second kind (errors of
1e-7 and 1e-9), and ``ndtr``, which is 0 far to the left."""

COMPLEX = frozenset({"exp2", "expit", "sinc"})
