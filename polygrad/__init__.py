"""polygrad: torch's autograd for the arrays that you have.

A ``Tensor`` wraps an array of NumPy, CuPy, JAX, torch, dask or any other library that follows the Array API standard, and records the
operations on it, so that ``backward()`` and ``grad`` give the derivatives. The functions of this module are those of the standard.
They go by their arguments; without an array to go by, the selected backend is used (``use_backend``, POLYGRAD_BACKEND, or NumPy).
"""

from __future__ import annotations

import math as _math
from functools import cache as _cache
from importlib import import_module as _import_module
from pathlib import Path as _Path
from typing import TYPE_CHECKING
from typing import Any as _Any

from . import errors
from .array_api import surface as _surface  # noqa: F401 - it gives Tensor its methods
from .array_api.creation import (
    arange,
    asarray,
    empty,
    empty_like,
    eye,
    from_dlpack,
    from_numpy,
    full,
    full_like,
    get_default_dtype,
    linspace,
    ones,
    ones_like,
    set_default_dtype,
    tensor,
    tril_indices,
    triu_indices,
    zeros,
    zeros_like,
)
from .array_api.namespace import API_VERSIONS as _API_VERSIONS
from .array_api.namespace import EXTENSIONS as _EXTENSIONS
from .array_api.namespace import by_argument as _by_argument
from .array_api.namespace import namespace
from .array_api.random import manual_seed, rand, rand_like, randint, randn, randn_like, randperm
from .backend.base import Backend
from .backend.dtypes import ALIASES as _ALIASES
from .backend.dtypes import DTYPE_NAMES as _DTYPE_NAMES
from .backend.select import BackendInfo, backends, get_backend, register_backend, use_backend
from .core.modes import (
    enable_grad,
    inference_mode,
    is_anomaly_check_nan_enabled,
    is_anomaly_enabled,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
    zero_absorbing,
)
from .core.tensor import Tensor
from .errors import PolygradError
from .interop.attach import attach as _attach
from .rules.declare import OPS as _OPS

if TYPE_CHECKING:
    from . import autograd, debug, extend, func, interop, nn, utils
    from .compiler.compile import jit
    from .show.printing import set_printoptions

__version__ = "0.1.0"
__array_api_version__ = _API_VERSIONS[-1]
__all__ = [
    "Backend",
    "BackendInfo",
    "PolygradError",
    "Tensor",
    "arange",
    "asarray",
    "autograd",
    "backends",
    "debug",
    "empty",
    "empty_like",
    "enable_grad",
    "errors",
    "extend",
    "eye",
    "from_dlpack",
    "from_numpy",
    "full",
    "full_like",
    "func",
    "get_backend",
    "get_default_dtype",
    "inference_mode",
    "interop",
    "is_anomaly_check_nan_enabled",
    "is_anomaly_enabled",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "is_tensor",
    "jit",
    "linspace",
    "manual_seed",
    "namespace",
    "nn",
    "no_grad",
    "ones",
    "ones_like",
    "rand",
    "rand_like",
    "randint",
    "randn",
    "randn_like",
    "randperm",
    "register_backend",
    "set_default_dtype",
    "set_grad_enabled",
    "set_printoptions",
    "tensor",
    "tril_indices",
    "triu_indices",
    "use_backend",
    "utils",
    "zero_absorbing",
    "zeros",
    "zeros_like",
]  # fmt: skip

e, pi, inf, nan, newaxis = _math.e, _math.pi, _math.inf, _math.nan, None

_EXPORTED = __all__
# From here on ``__getattr__`` gives it, with the operations, whose tables are not read before they are needed.
del __all__


def is_tensor(value: object) -> bool:
    """Return True if ``value`` is a Tensor."""
    return isinstance(value, Tensor)


_MODULES = ("autograd", "debug", "extend", "func", "graph", "interop", "nn", "utils")


@_cache
def _own_modules() -> frozenset[str]:
    return frozenset([path.stem for path in _Path(__file__).parent.iterdir()])


def __getattr__(name: str) -> _Any:
    """Import a package, or build an operation, when it is first used.

    dtypes, under the standard's names and torch's, are those of the selected backend; so are the extensions.
    """
    if name in _MODULES:
        return _import_module(f"{__name__}.{name}")
    if name in _DTYPE_NAMES or name in _ALIASES:
        try:
            return get_backend().dtype(name)
        except errors.DtypeError as error:
            raise AttributeError(str(error)) from error
    if name in _EXTENSIONS or name in (
        "isdtype",
        "broadcast_shapes",
        "__array_namespace_info__",
        "__array_api_version__",
    ):
        return getattr(get_backend().namespace, name)
    if name in ("can_cast", "finfo", "iinfo", "result_type"):
        return _by_argument(name)
    if name == "jit":
        return _import_module(f"{__name__}.compiler.compile").jit
    if name == "set_printoptions":
        return _import_module(f"{__name__}.show.printing").set_printoptions
    if name == "__all__":
        return [*_EXPORTED, *(op for op in _OPS if "." not in op)]
    # An import statement asks for its modules here first. No table need be read to know that a module is no operation.
    if name not in _own_modules() and name in _OPS:
        function = globals()[name] = _OPS[name].call
        return function
    raise AttributeError(f"module 'polygrad' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__getattr__("__all__")})


_attach()
