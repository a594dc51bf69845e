"""Anomaly mode: each operation remembers the line that called it, and a backward pass stops at the first nan."""

from __future__ import annotations

from ..core.modes import Immediate, Mode, State, current
from ..core.sites import note_origin


def _with_anomaly(state: State, enabled: bool, check_nan: bool) -> State:
    observers = tuple([observer for observer in state.observers if observer is not note_origin])
    if not enabled:
        return state.replace(observers=observers, anomaly=None)
    return state.replace(observers=(note_origin, *observers), anomaly=check_nan)


class detect_anomaly(Mode):
    """Mode in which each recorded operation keeps the stack of its call, and a backward pass raises at the first nan.

    The error names the operation, the shape of the gradient and the line of the user's that recorded the operation. So do all errors of a
    backward pass through what was recorded here. Use it as a context manager or a decorator. Operations and backward passes outside cost
    nothing.

    Parameters
    ----------
    check_nan
        Look for nan, which reads every gradient. Under a transformation that has no values yet, such as ``jax.jit``, no gradient is read.

    Raises
    ------
    AnomalyError
        In a backward pass inside, an operation gave a gradient that is nan. (torch warns where the call was and raises RuntimeError, which
        this is too.)
    """

    def __init__(self, check_nan: bool = True) -> None:
        self.check_nan = bool(check_nan)

    def _fresh(self) -> Mode:
        return type(self)(self.check_nan)

    def _state(self) -> State:
        return _with_anomaly(current(), True, self.check_nan)


class set_detect_anomaly(Immediate):
    """Switch anomaly mode on or off: a plain call takes effect at once; also a context manager and a decorator."""

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self.mode = bool(mode)
        self.check_nan = bool(check_nan)
        self._enter()

    def _state(self) -> State:
        return _with_anomaly(current(), self.mode, self.check_nan)

    def _fresh(self) -> Mode:
        return type(self)(self.mode, self.check_nan)
