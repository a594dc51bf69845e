"""Backends: the adapter of each array library, and the selection of one."""

from __future__ import annotations

from .base import Array, Backend, Raw
from .dtypes import ALIASES, DTYPE_NAMES, dtype_name
from .frame import Frame
from .interface import RuleNamespace
from .select import BackendInfo, backend_of, backends, default_backend_name, get_backend, register_backend, use_backend
from .special import scipy_special

__all__ = [
    "ALIASES",
    "DTYPE_NAMES",
    "Array",
    "Backend",
    "BackendInfo",
    "Frame",
    "Raw",
    "RuleNamespace",
    "backend_of",
    "backends",
    "default_backend_name",
    "dtype_name",
    "get_backend",
    "register_backend",
    "scipy_special",
    "use_backend",
]
