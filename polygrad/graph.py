"""Pictures of a graph: ``polygrad.graph.draw``."""

from __future__ import annotations

from .debug.drawing import draw

__all__ = ["draw"]
