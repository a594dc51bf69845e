"""Pictures of a graph: ``polygrad.graph.draw``."""

from __future__ import annotations

from .core.graph import draw

__all__ = ["draw"]
