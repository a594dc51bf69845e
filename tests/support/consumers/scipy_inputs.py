"""What the table of SciPy calls may name: inputs under short names, functions to integrate and to solve, and SciPy's modules."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.optimize.elementwise
from scipy import constants, differentiate, fft, integrate, interpolate, linalg, ndimage, signal, special, stats
from scipy.cluster import hierarchy, vq
from scipy.spatial import distance
from scipy.spatial.transform import RigidTransform, Rotation, Slerp

_rng = np.random.default_rng(0)


def _normal(*shape: int) -> Any:
    return _rng.normal(size=shape)


def _positive(*shape: int) -> Any:
    return _rng.uniform(0.5, 2.0, size=shape)


_a = _normal(3, 3)
INPUTS: dict[str, Any] = {
    # vectors: of any sign, positive, sorted between 0 and 1, nine and 25 long
    "x": _normal(12),
    "y": 0.3 + 1.2 * _normal(12),
    "w": _normal(12) - 0.2,
    "p": _positive(12),
    "q": _positive(12),
    "u": np.sort(_rng.uniform(0.05, 0.95, size=12)),
    "nine": _normal(9),
    "x25": _normal(25),
    # numbers
    "h": np.asarray(0.4),
    "s": np.asarray(1.3),
    "s2": np.asarray(0.7),
    "s3": np.asarray(1.1),
    # matrices: wide, tall, square, three by three, positive definite, complex
    "A": _normal(4, 6),
    "B": _normal(5, 2),
    "B2": _normal(5, 2),
    "M": _normal(4, 4),
    "K": _normal(3, 3),
    "P": _a @ _a.T + np.eye(3),
    "T": _normal(2, 3, 4),
    "N": np.where(np.arange(24).reshape(4, 6) % 7 == 3, np.nan, _normal(4, 6)),
    "z": _normal(8) + 1j * _normal(8),
    "Z": _normal(4, 6) + 1j * _normal(4, 6),
    # systems: input and feedthrough matrices, coefficients, zeros and poles, second-order sections
    "C1": _normal(3, 2),
    "D1": _normal(2, 3),
    "D2": _normal(2, 2),
    "b": np.asarray([1.0, 0.4, 0.25]),
    "a": np.asarray([2.0, 0.3, 0.1]),
    "zeros": np.asarray([0.3 + 0.2j, 0.3 - 0.2j]),
    "poles": np.asarray([-0.3 + 0.5j, -0.3 - 0.5j]),
    "sos": np.asarray([[1.0, 0.4, 0.25, 1.0, 0.3, 0.1], [0.7, 0.2, 0.1, 1.0, -0.2, 0.3]]),
    "taps": np.asarray([0.1, 0.5, 1.0, 0.5, 0.1]),
    # rotations
    "quat": _normal(5, 4),
    "points": _normal(5, 3),
    "points2": _normal(5, 3),
    "six": _normal(5, 6),
    # bounds
    "low2": np.asarray([0.1, -0.2]),
    "high2": np.asarray([0.9, 0.8]),
    "zero12": np.zeros(12),
    "three12": np.full(12, 3.0),
    # integers, which have no gradient
    "block": np.ones((3, 3), dtype=np.int64),
    "threes": np.full(12, 3),
}


def _namespace(x: Any) -> Any:
    return x.__array_namespace__()


def mean(x: Any, axis: Any = -1) -> Any:
    return _namespace(x).mean(x, axis=axis)


def xsum(x: Any) -> Any:
    return _namespace(x).sum(x)


def difference_of_means(x: Any, y: Any, axis: int = -1) -> Any:
    return mean(x, axis=axis) - mean(y, axis=axis)


def normal_sample(size: Any) -> Any:
    return np.random.default_rng(5).normal(size=size)


def gaussian(t: Any, s: Any = 1.0) -> Any:
    return _namespace(t).exp(-s * t * t)


def gaussian_n(t: Any, s: Any, axis: int = -1) -> Any:
    xp = _namespace(t)
    return xp.exp(-s * xp.sum(t * t, axis=axis))


def cube(t: Any, s: Any = 1.0) -> Any:
    return s * t * t * t


def curve(t: Any) -> Any:
    xp = _namespace(t)
    return xp.stack([t[0] * t[1], xp.exp(t[1]) * t[2], t[2] * t[2] * t[0]])


def parabola(t: Any, c: Any) -> Any:
    return t * t - c


def bowl(t: Any, c: Any) -> Any:
    return (t - c) ** 2 + 0.1 * (t - c) ** 4 + c


SCOPE: dict[str, Any] = {
    **{f.__name__: f for f in (mean, xsum, difference_of_means, normal_sample, gaussian, gaussian_n, cube, curve, parabola, bowl)},
    **{m.__name__.rpartition(".")[2]: m for m in (
        constants, differentiate, fft, integrate, interpolate, linalg, ndimage, signal, special, stats, hierarchy, vq, distance,
    )},
    "optimize": scipy.optimize, "RigidTransform": RigidTransform, "Rotation": Rotation, "Slerp": Slerp, "np": np, "inf": np.inf,
    "AXES": np.eye(3), "SOS": INPUTS["sos"],
}  # fmt: skip
