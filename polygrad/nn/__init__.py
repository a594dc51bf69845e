"""Building blocks of neural networks, as ``torch.nn`` has them."""

from __future__ import annotations

from . import functional

__all__ = ["functional"]
