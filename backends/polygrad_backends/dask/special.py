"""Functions of NumPy arrays, mainly SciPy's, computed block by block and with broadcasting."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import dask.array as da

from polygrad.backend import get_backend, scipy_special


def by_name(name: str, *args: Any, **params: Any) -> Any:
    """Return SciPy's function of that name."""
    function = scipy_special(name)
    assert function is not None, name  # the process that built the graph had one
    return function(*args, **params)


def _on_block(function: Callable[..., Any], output: int | None, params: dict[str, Any], *args: Any) -> Any:
    """Run a function of NumPy arrays, or one of its outputs, in the precision that comes in."""
    out = get_backend("numpy").on_host(function)(*args, **params)
    return out if output is None else out[output]


def _elementwise(function: Callable[..., Any], output: int | None, params: dict[str, Any], *args: Any) -> Any:
    out = da.core.elemwise(functools.partial(_on_block, function, output, params), *args)
    if out is NotImplemented:  # dask hides the errors that the function raises for trial values
        raise TypeError(f"no such function for {', '.join([str(getattr(arg, 'dtype', type(arg))) for arg in args])}")
    return out


def block_by_block(function: Callable[..., Any], outputs: int) -> Callable[..., Any]:
    """Return an elementwise function of NumPy arrays as one of dask's."""
    if outputs == 1:
        return lambda *args, **params: _elementwise(function, None, params, *args)
    return lambda *args, **params: tuple([_elementwise(function, i, params, *args) for i in range(outputs)])
