"""Selection and assignment. JAX moves an integer that is out of range into the range, where NumPy raises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from polygrad.errors import UnsupportedError
from polygrad.rules.keys import axes_indexed, is_mask


def _key(key: Any) -> Any:
    """Return a key as JAX takes it: lists have to be arrays."""
    if isinstance(key, tuple):
        return tuple(_key(part) for part in key)
    return jnp.asarray(key) if isinstance(key, list) else key


def _in_range(x: Any, key: Any) -> None:
    """Raise for an integer out of range, which JAX would move into the range."""
    keys = key if isinstance(key, tuple) else (key,)
    axis = 0
    for i, part in enumerate(keys):
        if part is Ellipsis:
            axis = x.ndim - sum(axes_indexed(later) for later in keys[i + 1 :])
            continue
        if type(part) is int and axis < x.ndim and not -x.shape[axis] <= part < x.shape[axis]:
            raise IndexError(f"index {part} is out of bounds for axis {axis} with size {x.shape[axis]}")
        axis += axes_indexed(part)


def getitem(x: Any, *, key: Any) -> Any:
    """Return ``x[key]``."""
    _in_range(x, key)
    for part in key if isinstance(key, tuple) else (key,):
        if isinstance(part, jax.core.Tracer) and is_mask(part) and part.ndim:
            raise UnsupportedError(
                "x[mask] inside jax.jit (or vmap, ...): the shape of the result depends on values, which JAX does not know while it "
                "traces. Keep the shape: polygrad.where(mask, x, 0), or y[mask] = number, which becomes a where"
            )
    return x[_key(key)]


def add_at(x: Any, key: Any, value: Any) -> Any:
    """Return ``x`` with ``value`` added at ``key``, every duplicate counted."""
    return x.at[_key(key)].add(value)


def getitem_adjoint(x: Any, *, key: Any, shape: tuple[int, ...]) -> Any:
    """Return zeros of ``shape`` with ``x`` added at ``key``, every duplicate counted."""
    return add_at(jnp.zeros(shape, dtype=x.dtype), key, x)


def set_at(x: Any, value: Any, /, *, key: Any) -> Any:
    """Return ``x`` with ``value`` at ``key``."""
    _in_range(x, key)
    if is_mask(key) and getattr(value, "ndim", 0) == 0:
        mask = jnp.reshape(key, key.shape + (1,) * (x.ndim - key.ndim))
        return jnp.where(
            mask, jnp.asarray(value, dtype=x.dtype), x
        )  # this works under jit too, where a mask cannot select
    return x.at[_key(key)].set(value)


FUNCTIONS: dict[str, Callable[..., Any]] = {"getitem": getitem, "getitem_adjoint": getitem_adjoint, "set_at": set_at}
