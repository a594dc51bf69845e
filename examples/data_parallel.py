"""Data-parallel training over a JAX mesh: the batch is split over the devices, the parameters are on all of them.

    XLA_FLAGS=--xla_force_host_platform_device_count=8 JAX_ENABLE_X64=1 python examples/data_parallel.py

``polygrad.jit`` compiles the whole step. It computes where the data lie, and XLA adds up the gradients of the devices.
"""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

import polygrad

RATE = 0.1


def data(rows: int = 64, features: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Return a regression problem."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, features))
    return x, np.tanh(x @ rng.normal(size=(features, 1))) + 0.1 * rng.normal(size=(rows, 1))


def parameters(features: int = 5, hidden: int = 16) -> dict[str, np.ndarray]:
    """Return the parameters of a network with one hidden layer."""
    rng = np.random.default_rng(1)
    return {
        "w1": rng.normal(size=(features, hidden)) * features**-0.5,
        "b1": np.zeros(hidden),
        "w2": rng.normal(size=(hidden, 1)) * hidden**-0.5,
        "b2": np.zeros(1),
    }


@polygrad.jit
def step(params: dict[str, Any], x: Any, y: Any) -> tuple[Any, Any]:
    """Run forward, backward and update, changing the parameters in place, and return the loss and the residuals of the rows."""
    hidden = polygrad.tanh(x @ params["w1"] + params["b1"])
    residuals = hidden @ params["w2"] + params["b2"] - y
    loss = (residuals * residuals).mean()
    loss.backward()
    with polygrad.no_grad():
        for p in params.values():
            p -= RATE * p.grad
            p.grad = None
    return loss.detach(), residuals.detach()


def train(split: Any = None, everywhere: Any = None, steps: int = 10) -> tuple[dict[str, Any], list[float], Any]:
    """Train ten steps, with the rows placed by ``split`` and the parameters by ``everywhere`` (None: on one device)."""
    params = {
        name: polygrad.Tensor(jax.device_put(value, everywhere), requires_grad=True)
        for name, value in parameters().items()
    }
    x, y = (polygrad.Tensor(jax.device_put(array, split)) for array in data())
    losses = []
    for _ in range(steps):
        loss, residuals = step(params, x, y)
        losses.append(float(loss))
    return params, losses, residuals


def main() -> None:
    """Train on one device and on all, and compare."""
    mesh = Mesh(np.asarray(jax.devices()), ("rows",))
    split, everywhere = NamedSharding(mesh, PartitionSpec("rows")), NamedSharding(mesh, PartitionSpec())
    alone, losses_alone, _ = train()
    spread, losses, residuals = train(split, everywhere)
    print(f"{len(jax.devices())} devices, losses {losses[0]:.6f} ... {losses[-1]:.6f}")
    print(
        "rows of the residuals on each device:", {shard.data.shape[0] for shard in residuals.array.addressable_shards}
    )
    print("every device has all parameters:", all(p.array.sharding.is_fully_replicated for p in spread.values()))
    difference = max(
        float(np.max(np.abs(np.asarray(spread[name].array) - np.asarray(alone[name].array)))) for name in alone
    )
    print("largest difference to one device:", f"{max(difference, *map(abs, np.subtract(losses, losses_alone))):.1e}")


if __name__ == "__main__":
    main()
