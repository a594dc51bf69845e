"""What the table of scikit-learn calls may name: inputs under short names, and the modules."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn import (
    base,
    cluster,
    covariance,
    decomposition,
    discriminant_analysis,
    feature_selection,
    gaussian_process,
    impute,
    kernel_approximation,
    linear_model,
    metrics,
    mixture,
    model_selection,
    naive_bayes,
    neighbors,
    neural_network,
    pipeline,
    preprocessing,
    svm,
)
from sklearn.metrics import pairwise

_rng = np.random.default_rng(1)


def _normal(*shape: int) -> Any:
    return _rng.normal(size=shape)


def _positive(*shape: int) -> Any:
    return _rng.uniform(0.5, 2.0, size=shape)


INPUTS: dict[str, Any] = {
    # samples to fit, others, one with the two coordinates of a projection, their targets, classes and weights
    "X": _normal(12, 3),
    "X2": _normal(5, 3),
    "T2": _normal(5, 2),
    "y": _normal(12),
    "y2": _normal(12),
    "Y": _normal(12, 2),
    "Y2": _normal(12, 2),
    "c": np.asarray([0, 1, 0, 1, 1, 0, 1, 0, 0, 1, 1, 0]),
    "c2": np.asarray([0, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 0]),
    "p": _positive(12),
    "p2": _positive(12),
    "P2": _positive(12, 2),
    "P3": _positive(12, 2),
    "u": _rng.uniform(0.1, 0.9, size=12),
    "S": _normal(4, 4),
}


def square(x: Any) -> Any:
    return x * x


def gaussian_mixture(covariance_type: str) -> Any:
    """A mixture that is fitted in three steps, from a start that goes by the data."""
    return mixture.GaussianMixture(
        2, covariance_type=covariance_type, init_params="random_from_data", random_state=0, max_iter=3, tol=0
    )


def stacked(u: Any) -> Any:
    """Two columns of probabilities."""
    return u.__array_namespace__().stack([1 - u, u], axis=1)


SCOPE: dict[str, Any] = {
    m.__name__.rpartition(".")[2]: m for m in (
        base, cluster, covariance, decomposition, discriminant_analysis, feature_selection, gaussian_process, impute, kernel_approximation,
        linear_model, metrics, mixture, model_selection, naive_bayes, neighbors, neural_network, pairwise, pipeline, preprocessing, svm,
    )
} | {"square": square, "stacked": stacked, "gaussian_mixture": gaussian_mixture}  # fmt: skip
