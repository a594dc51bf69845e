"""Regression on data that are chunked over two worker processes: dask computes each gradient where the chunks are.

    python examples/dask_regression.py [rows]

The data never come to this process. The loss and the gradient of the parameters of each step are computed together, and come back.
"""

from __future__ import annotations

import sys
from typing import Any

import dask
import dask.array as da
import numpy as np
from dask.distributed import Client, LocalCluster

import polygrad

STEPS, RATE, FEATURES = 10, 0.2, 4


def loss_of(weights: Any, bias: Any, features: Any, target: Any) -> Any:
    """Return the mean squared error of a linear model."""
    return ((features @ weights + bias - target) ** 2).mean()


def data(rows: int, blocks: int) -> tuple[Any, Any]:
    """Return features and a noisy target, in so many blocks of rows; each is made where it is needed."""
    rng = da.random.default_rng(0)
    features = rng.normal(size=(rows, FEATURES), chunks=(rows // blocks, FEATURES))
    noise = rng.normal(size=rows, chunks=rows // blocks)
    return features, features @ np.arange(1.0, FEATURES + 1) + 3 + 0.1 * noise


def train(features: Any, target: Any) -> tuple[list[float], np.ndarray, np.ndarray]:
    """Return the losses of ten steps of descent, the parameters after them, and the first gradient, for data on any arrays."""
    features, target = polygrad.asarray(features), polygrad.asarray(target)
    values, losses, first = np.zeros(FEATURES + 1), [], None
    for _ in range(STEPS):
        weights = polygrad.tensor(values[:-1], backend=features.backend, requires_grad=True)
        bias = polygrad.tensor(values[-1], backend=features.backend, requires_grad=True)
        loss = loss_of(weights, bias, features, target)
        loss.backward()  # on dask, nothing has been computed up to here
        loss_value, gradient, offset = dask.compute(loss.detach().array, weights.grad.array, bias.grad.array)
        gradient = np.append(gradient, offset)
        first = gradient if first is None else first
        values = values - RATE * gradient
        losses.append(float(loss_value))
    return losses, values, first


def main(rows: int = 100_000) -> None:
    """Train on two worker processes, and on the same data in this one."""
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        features, target = (client.persist(array) for array in data(rows, blocks=8))
        losses, parameters, gradient = train(features, target)
        here = dask.compute(features, target)
        workers = {address for holders in client.who_has(features).values() for address in holders}
        print("the data are on", len(workers), "worker processes")
    single_losses, single_parameters, single_gradient = train(*here)
    np.testing.assert_allclose(gradient, single_gradient, rtol=1e-9)
    np.testing.assert_allclose(losses, single_losses, rtol=1e-9)
    np.testing.assert_allclose(parameters, single_parameters, rtol=1e-9)
    print("losses:", *[f"{loss:.4f}" for loss in losses])
    print("parameters:", *[f"{value:.4f}" for value in parameters])


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
