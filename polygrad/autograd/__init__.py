"""torch.autograd's names."""

from __future__ import annotations

from .gradients import backward, grad

__all__ = ["backward", "grad"]
