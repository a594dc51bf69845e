"""What a backend is, and which one is selected."""

from __future__ import annotations

from .base import (
    ALIASES,
    DTYPE_NAMES,
    Array,
    Backend,
    BackendInfo,
    Frame,
    Raw,
    backend_of,
    backends,
    default_backend_name,
    dtype_name,
    get_backend,
    register_backend,
    scipy_special,
    use_backend,
)

__all__ = [
    "ALIASES",
    "DTYPE_NAMES",
    "Array",
    "Backend",
    "BackendInfo",
    "Frame",
    "Raw",
    "backend_of",
    "backends",
    "default_backend_name",
    "dtype_name",
    "get_backend",
    "register_backend",
    "scipy_special",
    "use_backend",
]
