"""Connect other libraries' protocols: what NumPy asks of a Tensor, and what consumers ask of a namespace.

The modules that answer are imported when they are first asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from ..array_api.namespace import PROVIDED
from ..core.tensor import Tensor
from .consumers import watch

NUMPY = (
    "average", "cross", "gradient", "interp", "median", "nanmax", "nanmedian", "nanmin", "nanprod", "nanquantile", "nanstd", "nanvar",
    "percentile", "quantile", "sliding_window_view",
)  # fmt: skip
"""What namespaces have with NumPy's meaning."""


def _protocols() -> Any:
    return import_module(f"{__package__}.protocols")


def array_ufunc(self: Tensor, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
    """NumPy's and SciPy's ufuncs are the operations of the same meaning; in place into an array they raise."""
    return _protocols().array_ufunc(ufunc, method, inputs, options)


def array_function(self: Tensor, function: Any, types: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """NumPy's functions are the operations of the same meaning."""
    return _protocols().array_function(function, args, options)


def _provider(name: str) -> Callable[[], Callable[..., Any]]:
    return lambda: import_module(f"{__package__}.numpy_functions").FUNCTIONS[name]


def attach() -> None:
    """Connect everything; called once, by the import of polygrad."""
    Tensor.__array_ufunc__ = array_ufunc  # type: ignore[attr-defined]
    Tensor.__array_function__ = array_function  # type: ignore[attr-defined]
    PROVIDED.update({name: _provider(name) for name in NUMPY})
    watch()
