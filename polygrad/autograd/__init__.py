"""torch.autograd's names."""

from __future__ import annotations

from . import forward_ad
from .gradients import backward, grad

__all__ = ["backward", "forward_ad", "grad"]
