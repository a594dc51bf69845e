"""Connect other libraries' protocols: NumPy's to Tensors, and the wishes of consumers to namespaces.

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
"""Functions that namespaces have with NumPy's meaning."""


def _protocols() -> Any:
    return import_module(f"{__package__}.protocols")


def array_ufunc(self: Tensor, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
    """Run a ufunc of NumPy or SciPy as the operation of the same meaning; in place into an array it raises."""
    return _protocols().array_ufunc(ufunc, method, inputs, options)


def array_function(self: Tensor, function: Any, types: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Run a function of NumPy as the operation of the same meaning."""
    return _protocols().array_function(function, args, options)


def _provider(name: str) -> Callable[[], Callable[..., Any]]:
    return lambda: _protocols().FUNCTIONS[name]


def attach() -> None:
    """Connect everything; called once, by the import of polygrad."""
    Tensor.__array_ufunc__ = array_ufunc  # type: ignore[attr-defined]
    Tensor.__array_function__ = array_function  # type: ignore[attr-defined]
    PROVIDED.update({name: _provider(name) for name in NUMPY})
    watch()
