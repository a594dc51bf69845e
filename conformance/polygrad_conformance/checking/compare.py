"""How far two results are apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .outcome import WORST


@dataclass
class Difference:
    """The worst disagreement between two results."""

    relative: float = 0.0
    ulps: float = 0.0
    message: str = ""

    def worse(self, other: Difference) -> Difference:
        """The greater of two."""
        return other if other.relative > self.relative or (other.message and not self.message) else self


def epsilon(dtype: np.dtype) -> float:
    """The distance from 1 to the next number."""
    return float(np.finfo(dtype).eps) if dtype.kind in "fc" else 0.0


def difference(
    got: np.ndarray, want: np.ndarray, floor: float | np.ndarray = 0.0, each: bool = False, where: str = ""
) -> Difference:
    """How far an array is from what it should be, relative to its scale.

    The scale is the largest number expected, and at least ``floor``; with ``each`` every number is its own scale. Where one of the
    two is nan or infinite so has the other to be; a complex number is infinite or nan as a whole.
    """
    if got.shape != want.shape:
        return Difference(WORST, WORST, f"{where}the shape is {got.shape}, expected {want.shape}")
    if not got.size:
        return Difference()
    if got.dtype.kind not in "fc" or want.dtype.kind not in "fc":
        wrong = got != want
        if not wrong.any():
            return Difference()
        at = tuple(int(i) for i in np.argwhere(wrong)[0])
        return Difference(WORST, WORST, f"{where}at {list(at)}: {got[at]}, expected {want[at]}")
    got = np.asarray(got, dtype=want.dtype if want.dtype.kind == "c" or got.dtype.kind != "c" else got.dtype)
    finite = np.isfinite(got) & np.isfinite(want)
    odd = np.isfinite(got) != np.isfinite(want)
    if want.dtype.kind != "c":
        odd = odd | ~(finite | (got == want) | (np.isnan(got) & np.isnan(want)))
    if odd.any():
        at = tuple(int(i) for i in np.argwhere(odd)[0])
        return Difference(WORST, WORST, f"{where}at {list(at)}: {got[at]}, expected {want[at]}")
    if not finite.any():
        return Difference()
    with np.errstate(all="ignore"):
        size = np.abs(np.where(finite, want, 0))
        floor = np.where(np.isfinite(floor), floor, 0.0)
        scale = np.maximum(size, floor) if each else np.maximum(size.max(), np.max(floor, initial=0.0))
        scale = np.where(scale > 0, scale, 1.0)
        error = np.abs(np.where(finite, got, 0) / scale - np.where(finite, want, 0) / scale)
    error = np.where(np.isfinite(error), error, WORST)
    worst = int(np.argmax(error))
    at = tuple(int(i) for i in np.unravel_index(worst, error.shape))
    relative = float(error[at])
    # the numbers of a binade lie eps/2 to eps apart, relative to themselves
    mantissa = math.frexp(float(np.broadcast_to(scale, error.shape)[at]))[0]
    ulps = min(relative * 2 * mantissa / epsilon(want.dtype), WORST)
    return Difference(relative, ulps, f"{where}at {list(at)}: {got[at]}, expected {want[at]}" if relative else "")


def differences(
    got: Sequence[np.ndarray],
    want: Sequence[np.ndarray],
    floors: Sequence[float | np.ndarray] | None = None,
    each: bool = False,
    what: str = "result",
) -> Difference:
    """The worst over several arrays."""
    if len(got) != len(want):
        return Difference(WORST, WORST, f"{len(got)} arrays, expected {len(want)}")
    worst = Difference()
    for i, (g, w) in enumerate(zip(got, want, strict=True)):
        where = f"{what} {i} " if len(want) > 1 else ""
        worst = worst.worse(difference(g, w, floors[i] if floors is not None else 0.0, each, where))
    return worst


def inner(a: Sequence[np.ndarray], b: Sequence[np.ndarray]) -> float:
    """The real inner product, under which torch's complex gradients are gradients."""
    return float(sum(np.sum(np.real(np.conj(x) * y)) for x, y in zip(a, b, strict=True)))


def size(a: Sequence[np.ndarray], b: Sequence[np.ndarray]) -> float:
    """The scale of their inner product: what its terms add up to without their signs."""
    return float(sum(np.sum(np.abs(x) * np.abs(y)) for x, y in zip(a, b, strict=True)))
