"""Explain a library's error: the operation, its arguments, and the cure where one is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..backend.select import backend_of
from ..errors import BackendError, OperationError, ShapeError, describe
from ..rules.declare import Op
from .tensor import Tensor


def explain(op: Op, error: Exception, args: Sequence[Any], params: dict[str, Any] | None = None) -> Exception:
    """The backend's error as polygrad's: the operation, its arguments, what the backend said, and the cure where one is known."""
    shown = ", ".join(
        [describe(arg) for arg in args] + [f"{k}={v!r}" for k, v in (params or {}).items() if v is not None]
    )
    shapes = [tuple(arg.shape) for arg in args if hasattr(arg, "shape")]
    if op.promote and len(shapes) == 2 and not _broadcasts(*shapes) and not op.sequence and op.form == "elementwise":
        axis, a, b = _conflict(*shapes)
        return ShapeError(
            f"{op.name}: shapes {shapes[0]} and {shapes[1]} do not broadcast: counted from the end, axis {axis} has length {a} in one "
            f"and {b} in the other. Two lengths have to be equal, or one of them 1; reshape or expand_dims can make it so"
        )
    devices = {str(device): arg for arg in args if (device := _device(arg)) is not None}
    if len(devices) > 1:
        where = " and ".join(f"{describe(arg)} on {name}" for name, arg in devices.items())
        return BackendError(
            f"{op.name}: the arguments are on different devices: {where}. Bring them together, for example with y.to(x.device)"
        )
    if isinstance(error, (NotImplementedError, IndexError)):
        kind: type[Exception] = type(error)
        found = kind(f"{op.name}({shown}): {error}")
        _copy_facts(error, found)
        return found
    bases = (OperationError,) if isinstance(error, RuntimeError) else (OperationError, type(error))
    wrapped: Exception = _error_class(bases)(f"{op.name}({shown}): {error}")
    _copy_facts(error, wrapped)
    return wrapped


def _copy_facts(error: Exception, wrapped: Exception) -> None:
    """Copy what the error's own kind says of it, such as the axis of an AxisError."""
    wrapped.__dict__.update(error.__dict__)
    for kind in type(error).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if not name.startswith("_") and isinstance(wrapped, kind) and hasattr(error, name):
                setattr(wrapped, name, getattr(error, name))


def _device(arg: Any) -> Any:
    """The device of a Tensor or of an array; None where there is none to tell."""
    if isinstance(arg, Tensor):
        return arg.device
    backend = backend_of(arg) if hasattr(arg, "shape") else None
    return None if backend is None else backend.device_of(arg)


_error_classes: dict[Any, Any] = {}


def _set_text(error: Exception, text: str) -> None:
    """Make an error of a text, whatever the library's own kind is made of."""
    Exception.__init__(error, text)


def _text_of(error: Exception) -> str:
    return str(error.args[0])


def _error_class(bases: tuple[type[Exception], ...]) -> Any:
    """OperationError that is also an error of the backend's own kind, so that both can be caught."""
    if bases not in _error_classes:
        try:
            members = {"__init__": _set_text, "__str__": _text_of, "__module__": OperationError.__module__}
            _error_classes[bases] = type("OperationError", bases, members) if len(bases) > 1 else bases[0]
        except TypeError:
            _error_classes[bases] = OperationError
    return _error_classes[bases]


def _broadcasts(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    return all(x in (y, 1) or y == 1 for x, y in zip(a[::-1], b[::-1], strict=False))


def _conflict(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, int, int]:
    return next(
        (-1 - i, x, y) for i, (x, y) in enumerate(zip(a[::-1], b[::-1], strict=False)) if x not in (y, 1) and y != 1
    )
