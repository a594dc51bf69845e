"""Functions that JAX has under another name, with other arguments, or for fewer dtypes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from polygrad.backend import get_backend
from polygrad.rules.helpers import front_axes


def logcumsumexp(x: Any, *, axis: int) -> Any:
    """Return the logarithm of the running sum of exponentials, which JAX has for real numbers only."""
    if x.ndim == 0 or jnp.iscomplexobj(x):
        return get_backend("jax").default("logcumsumexp")(x, axis=axis)
    return jax.lax.cumlogsumexp(x, axis=axis % x.ndim)


def permute_dims(x: Any, /, axes: tuple[int, ...]) -> Any:
    """Reorder the axes. JAX's function of the standard's name takes no axes counted from the end."""
    return jnp.transpose(x, front_axes(axes, x.shape))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "contract_pair": lambda x1, x2, *, equation: jnp.einsum(equation, x1, x2),
    "logcumsumexp": logcumsumexp,
    "permute_dims": permute_dims,
    "to_device": jax.device_put,
}
