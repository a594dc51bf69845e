"""Everything that stands between a call and the tape: dual numbers, batches, and the calls that run on them."""

from __future__ import annotations

from . import operation, user_function  # they say how operations and Functions run at levels

__all__ = ["operation", "user_function"]
