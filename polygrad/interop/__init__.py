"""Bridges to array libraries and to their consumers. Modules here may import array libraries; no other room may.

``allow_detach`` lets library code take the values of tracked Tensors. ``polygrad.interop.sklearn`` moves fitted estimators between
array libraries. ``polygrad.interop.torch`` and ``polygrad.interop.jax`` take functions from one engine's graph into another's
(``docs/bridges.md``). ``docs/consumers.md`` says how far SciPy, scikit-learn, xarray, einops and opt_einsum go.
"""

from importlib import import_module as _import_module
from typing import Any as _Any

from ..core.modes import allow_detach

__all__ = ["allow_detach"]


def __getattr__(name: str) -> _Any:
    """Import a bridge, and its library with it, when it is first used."""
    if name in ("jax", "sklearn", "torch"):
        return _import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
