"""torch.autograd's names."""

from __future__ import annotations

from . import anomaly_mode, forward_ad
from .anomaly_mode import detect_anomaly, set_detect_anomaly
from .gradients import backward, grad

__all__ = ["anomaly_mode", "backward", "detect_anomaly", "forward_ad", "grad", "set_detect_anomaly"]
