"""torch.utils' names that belong to differentiation."""

from __future__ import annotations

from . import checkpoint

__all__ = ["checkpoint"]
