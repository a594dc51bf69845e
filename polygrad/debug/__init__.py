"""Find out what went wrong: why a Tensor has no gradient, what a graph keeps, and where the time goes.

``polygrad.graph.draw`` shows the graph itself, and ``polygrad.autograd.detect_anomaly`` finds the first nan.
"""

from __future__ import annotations

from .profiling import Profile, Row, profile
from .saving import Saved, SavedValues, saved
from .why import Reason, Why, why_no_grad

__all__ = ["Profile", "Reason", "Row", "Saved", "SavedValues", "Why", "profile", "saved", "why_no_grad"]
