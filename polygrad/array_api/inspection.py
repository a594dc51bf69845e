"""Inspection of a namespace: ``__array_namespace_info__()``, ``finfo`` and ``iinfo``."""

from __future__ import annotations

from typing import Any

from ..backend.base import Backend
from ..backend.dtypes import dtype_name
from ..backend.select import backend_of
from ..errors import DtypeError
from .creation import default_floating


class Limits:
    """Machine limits as ``finfo`` and ``iinfo`` return them: the library's own, in Python numbers and with a dtype object."""

    def __init__(self, backend: Backend, function: str, of: Any) -> None:
        dtype = of.dtype if backend_of(of) is backend and hasattr(of, "dtype") else of
        kinds = "integral" if function == "iinfo" else ("real floating", "complex floating")
        if not backend.xp.isdtype(dtype, kinds):
            wanted, other = ("integer", "finfo") if function == "iinfo" else ("floating", "iinfo")
            raise DtypeError(
                f"{function}: the limits of {wanted} dtypes, and {dtype_name(dtype)} is none; use {other} for the others"
            )
        self._backend = backend
        self._own = getattr(backend.xp, function)(dtype)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        value = getattr(self._own, name)
        return self._backend.dtype(value) if name == "dtype" else value.item() if hasattr(value, "item") else value

    def __dir__(self) -> list[str]:
        return dir(self._own)

    def __repr__(self) -> str:
        return repr(self._own)


class Info:
    """Result of ``__array_namespace_info__()``: the library's own answers, but for the default dtype, which can be set here, and
    with a tuple of devices throughout."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._own = backend.xp.__array_namespace_info__()

    def capabilities(self) -> dict[str, Any]:
        """Return whether there are boolean keys and data-dependent shapes, and how many axes there can be."""
        return self._own.capabilities()  # type: ignore[no-any-return]

    def default_device(self) -> Any:
        """The device of new arrays; None where the library does not say."""
        return self._own.default_device()

    def default_dtypes(self, *, device: Any = None) -> dict[str, Any]:
        """The dtypes of new arrays by kind: "real floating", "complex floating", "integral" and "indexing"."""
        own = self._own.default_dtypes(device=self._place(device))
        return own | {"real floating": default_floating(self._backend, device)}  # type: ignore[no-any-return]

    def dtypes(self, *, device: Any = None, kind: Any = None) -> dict[str, Any]:
        """The dtypes of a kind, or of any of several, by the standard's names."""
        return self._own.dtypes(device=self._place(device), kind=kind)  # type: ignore[no-any-return]

    def devices(self) -> tuple[Any, ...]:
        """The devices that there are."""
        return tuple(self._own.devices())

    def _place(self, device: Any) -> Any:
        return device if device is None else self._backend.device(device)
