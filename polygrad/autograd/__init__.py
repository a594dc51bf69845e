"""torch.autograd's names."""

from __future__ import annotations

from . import anomaly_mode, forward_ad, function, functional, graph
from .anomaly_mode import detect_anomaly, set_detect_anomaly
from .function import Function
from .gradients import backward, grad

__all__ = [
    "Function",
    "anomaly_mode",
    "backward",
    "detect_anomaly",
    "forward_ad",
    "function",
    "functional",
    "grad",
    "graph",
    "set_detect_anomaly",
]
