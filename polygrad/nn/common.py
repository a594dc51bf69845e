"""What the functions of ``nn`` have in common."""

from __future__ import annotations

from typing import Any

from ..core.tensor import as_frame

STACKLEVEL = 3
"""Warnings point at the caller of the public function, from one helper down."""


def as_array(value: Any) -> Any:
    """A Tensor, or what else an operation takes, as a Tensor."""
    return as_frame(value)


def namespace_of(tensor: Any) -> Any:
    """The differentiable namespace of a Tensor."""
    return tensor._frame.namespace
