"""The names of ``torch.autograd.function``."""

from __future__ import annotations

from ..levels.function import Function, FunctionCtx, once_differentiable

__all__ = ["Function", "FunctionCtx", "once_differentiable"]
