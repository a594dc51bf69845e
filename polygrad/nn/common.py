"""Helpers that the functions of ``nn`` share."""

from __future__ import annotations

from typing import Any

from ..core.tensor import as_frame

STACKLEVEL = 3
"""Number of frames from a helper up to the caller of the public function, at whom warnings point."""


def as_array(value: Any) -> Any:
    """Return a Tensor, or another argument that an operation takes, as a Tensor."""
    return as_frame(value)


def namespace_of(tensor: Any) -> Any:
    """Return the differentiable namespace of a Tensor."""
    return tensor._frame.namespace
