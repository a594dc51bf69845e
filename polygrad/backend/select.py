"""Find and select backends: by name, by the type of an array, by entry point.

Adapters are found through the entry points ``polygrad.backends`` and are imported on first use only.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import sys
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, NamedTuple

from ..errors import BackendError
from .base import Backend

_BY_NAME: dict[str, Backend] = {}

BY_TYPE: dict[type, Backend] = {}
"""The backends by the types of arrays that have been met."""

SELECTED: ContextVar[str | None] = ContextVar("polygrad_backend", default=None)


@functools.cache
def _entry_points() -> dict[str, Any]:
    from importlib.metadata import entry_points

    return {point.name: point for point in entry_points(group="polygrad.backends")}


def get_backend(name: str | Backend | None = None) -> Backend:
    """Return the backend of that name; None means the selected one (``use_backend``, POLYGRAD_BACKEND, else NumPy)."""
    if isinstance(name, Backend):
        return name.load()
    given, name = name, name or default_backend_name()
    backend = _BY_NAME.get(name)
    if backend is not None:
        return backend
    point = _entry_points().get(name)
    if point is None:
        known = ", ".join(sorted(_entry_points().keys() | _BY_NAME.keys()))
        source = ", which POLYGRAD_BACKEND names" if not given and not SELECTED.get() else ""
        raise BackendError(
            f"there is no backend {name!r}{source}; known are: {known}. A library that speaks the Array API standard needs no "
            f"name: polygrad.asarray(array) takes its arrays as they are"
        )
    if importlib.util.find_spec(name) is None:
        ours = point.value.startswith("polygrad_backends.")
        install = (
            f"pip install '.[{name.rpartition('_')[2]}]' in a checkout of polygrad" if ours else f"pip install {name}"
        )
        found = ", ".join(other for other in sorted(_entry_points()) if importlib.util.find_spec(other))
        raise BackendError(f"the backend {name!r} needs {name}, which is not installed: {install}. Found here: {found}")
    return _BY_NAME.setdefault(name, point.load().load())


def backend_of(array: Any) -> Backend | None:
    """Return the backend that owns an array, or None if it is not an array of any library."""
    kind = type(array)
    backend = BY_TYPE.get(kind)
    if backend is None:
        backend = _find(array, kind)
        if backend is not None:
            BY_TYPE[kind] = backend
    return backend


def _find(array: Any, kind: type) -> Backend | None:
    if kind.__module__ == "builtins":
        return None
    for name in _entry_points():
        # An array of a library can exist only once the library is imported, so no library is imported here.
        if name in sys.modules and importlib.util.find_spec(name) is not None:
            backend = get_backend(name)
            if backend.owns(kind):
                return backend
    for backend in list(_BY_NAME.values()):  # a registered backend may recognise its arrays in a way of its own
        if type(backend).owns is not Backend.owns and backend.owns(kind):
            return backend
    if hasattr(array, "__array_namespace__"):
        xp = array.__array_namespace__()
        name = (getattr(xp, "__name__", None) or kind.__module__).split(".")[0]
        return _BY_NAME.setdefault(name, Backend(name, xp).load())
    return None


def register_backend(backend: Backend) -> None:
    """Make a backend known without an entry point. It takes the place of one of the same name."""
    _BY_NAME[backend.name] = backend.load()
    for kind in [kind for kind, known in BY_TYPE.items() if known.name == backend.name]:
        del BY_TYPE[kind]


def default_backend_name() -> str:
    """Return the name of the backend that creation functions use where nothing else decides."""
    return SELECTED.get() or os.environ.get("POLYGRAD_BACKEND") or "numpy"


class use_backend:
    """Select the backend of creation functions: a plain call takes effect at once, a ``with`` block until its end."""

    def __init__(self, name: str) -> None:
        get_backend(name)
        self._name = name
        self._fresh = True
        self._previous = [SELECTED.get()]
        SELECTED.set(name)

    def __enter__(self) -> None:
        if self._fresh:
            self._fresh = False
        else:  # the same object in another block
            self._previous.append(SELECTED.get())
        SELECTED.set(self._name)

    def __exit__(self, *exc_info: object) -> None:
        SELECTED.set(self._previous.pop())


class BackendInfo(NamedTuple):
    """A backend as ``backends`` lists it. ``reason`` says why it is not available and how to install it."""

    name: str
    available: bool
    version: str | None
    devices: tuple[str, ...]
    reason: str | None


def backends() -> list[BackendInfo]:
    """List every known backend, with version and devices, or the reason why it cannot be used here."""

    def look() -> Iterator[BackendInfo]:
        for name in sorted(_entry_points().keys() | _BY_NAME.keys()):
            try:
                backend = get_backend(name)
                reason = backend.missing()
                devices = () if reason else backend.devices()
            except Exception as error:  # an adapter whose library is broken is reported, not fatal
                yield BackendInfo(name, False, None, (), str(error))
            else:
                yield BackendInfo(name, reason is None, backend.version, devices, reason)

    return list(look())
