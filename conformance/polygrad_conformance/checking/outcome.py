"""The checks, and the outcome of a sample under one."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np

Arrays = list[np.ndarray]

STATUSES = ("passed", "failed", "known", "unsupported", "not_run")
"""The outcomes of one sample under one check.

    passed       it agrees, within the tolerance
    failed       it does not, and nothing says why
    known        it does not, and the ledger says why
    unsupported  the backend declares that its library cannot do it
    not_run      it could not be checked; the reason is recorded. Never counted as passed
"""

CHECKS = {
    "value": "the value, against the reference",
    "reverse": "the gradient in reverse mode, against the reference",
    "forward": "the derivative in forward mode, against the reference",
    "reverse_over_reverse": "the second derivative, reverse over reverse, against the reference",
    "forward_over_reverse": "the second derivative, forward over reverse, against the reference",
    "numeric": "the gradient, against finite differences",
    "adjoint": "<v, J u> = <J'v, u>: forward and reverse mode agree with each other",
    "metadata": "dtype, shape and device of values, gradients and tangents, and what requires grad",
    "mutation": "no input is changed",
    "vmap": "vmap agrees with a loop",
}
"""The checks of a case, in the order in which they are shown."""

WORST = sys.float_info.max
"""The error, relative and in ulps, where a nan or an infinity disagrees: JSON knows neither."""


@dataclass
class Outcome:
    """The outcome of a sample under a check."""

    status: str
    text: str = ""
    """Why it was not run, or what differs."""
    relative: float | None = None
    ulps: float | None = None
    oracle: str = ""
    tolerance: float | None = None
    verdict: str = ""
    settled_by: str = ""


class NotRun(Exception):
    """The check cannot be made; the text says why."""


class NotDifferentiable(Exception):
    """The reference does not differentiate the function, or not in this mode; the text says why."""


def first_line(error: BaseException) -> str:
    """Return the message of what was raised, in a line."""
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:200]
