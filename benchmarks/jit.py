"""Training step (forward, backward, update) compiled by ``polygrad.jit`` on JAX, against the same step with ``jax.value_and_grad``.

A network with tanh layers and a squared error, trained by gradient descent. The steps run in turns, each a number of times in a row
that makes up for the coarseness of the clock; both wait for their results at the end.
"""

from __future__ import annotations

import importlib.util
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

import polygrad

from .pairs import alternate, ratio

SIZES = {"tiny": ((16, 32, 1), 8, 200), "small": ((128, 256, 10), 64, 100), "medium": ((256, 512, 256, 10), 128, 20)}
"""Widths of the layers, rows in the batch, and steps in a row. The bar is for steps that take longer than the call of a function; the
tiny one shows the cost of a call."""
RATE = 0.01


def programs(widths: tuple[int, ...], rows: int, steps: int) -> dict[str, Callable[[], object]]:
    """Return the step in plain JAX, and with polygrad in three styles, which all compute the same."""
    import jax
    import jax.numpy as jnp

    rng = np.random.default_rng(0)
    shapes = list(itertools.pairwise(widths))
    start = {f"w{i}": rng.normal(size=shape, scale=shape[0] ** -0.5) for i, shape in enumerate(shapes)}
    start |= {f"b{i}": np.zeros(shape[1]) for i, shape in enumerate(shapes)}
    start = {name: jnp.asarray(value, dtype=jnp.float32) for name, value in start.items()}
    x = jnp.asarray(rng.normal(size=(rows, widths[0])), dtype=jnp.float32)
    y = jnp.asarray(rng.normal(size=(rows, widths[-1])), dtype=jnp.float32)

    def loss(xp: Any, params: dict[str, Any], x: Any, y: Any) -> Any:
        last = len(shapes) - 1
        for i in range(len(shapes)):
            x = x @ params[f"w{i}"] + params[f"b{i}"]
            x = xp.tanh(x) if i < last else x
        return xp.mean((x - y) ** 2)

    @jax.jit
    def in_jax(params: Any, x: Any, y: Any) -> Any:
        value, grads = jax.value_and_grad(lambda params: loss(jnp, params, x, y))(params)
        return value, {name: params[name] - RATE * grads[name] for name in params}

    @polygrad.jit
    def functional(params: Any, x: Any, y: Any) -> Any:
        value, grads = polygrad.func.value_and_grad(lambda params: loss(polygrad, params, x, y))(params)
        return value, {name: params[name] - RATE * grads[name] for name in params}

    @polygrad.jit
    def with_grad(params: Any, x: Any, y: Any) -> Any:
        value = loss(polygrad, params, x, y)
        grads = polygrad.autograd.grad(value, list(params.values()))
        with polygrad.no_grad():
            new = {name: (p - RATE * g).requires_grad_() for (name, p), g in zip(params.items(), grads, strict=True)}
        return value.detach(), new

    @polygrad.jit
    def in_place(params: Any, x: Any, y: Any) -> Any:
        value = loss(polygrad, params, x, y)
        value.backward()
        with polygrad.no_grad():
            for p in params.values():
                p -= RATE * p.grad
                p.grad = None
        return value.detach()

    def chain(step: Callable[..., Any], params: Any, *data: Any) -> Callable[[], object]:
        def run() -> object:
            state = params
            for _ in range(steps):
                _, state = step(state, *data)
            return jax.block_until_ready([getattr(p, "array", p) for _, p in sorted(state.items())])

        return run

    def tensors() -> dict[str, Any]:
        return {name: polygrad.Tensor(value, requires_grad=True) for name, value in start.items()}

    inputs = polygrad.Tensor(x), polygrad.Tensor(y)

    def run_in_place() -> object:
        params = tensors()
        for _ in range(steps):
            in_place(params, *inputs)
        return jax.block_until_ready([p.array for _, p in sorted(params.items())])

    found = {
        "jax.value_and_grad": chain(in_jax, start, x, y),
        "polygrad, arrays": chain(functional, start, x, y),
        "polygrad, Tensors": chain(with_grad, tensors(), *inputs),
        "polygrad, backward() in place": run_in_place,
    }
    expected: Any = found["jax.value_and_grad"]()
    for name, program in found.items():
        for got, want in zip(program(), expected, strict=True):  # type: ignore[call-overload]
            np.testing.assert_allclose(got, want, rtol=2e-3, atol=1e-5, err_msg=name)
    return found


def report(rounds: int = 25) -> list[tuple[str, float, float | None]]:
    """Return rows of (what, measured ratio, bar)."""
    rows: list[tuple[str, float, float | None]] = []
    if importlib.util.find_spec("jax") is None:
        print("jit: jax is not installed")
        return rows
    for size, (widths, batch, steps) in SIZES.items():
        times = alternate(programs(widths, batch, steps), rounds)
        shown = ", ".join(f"{name} {min(seconds) / steps * 1e6:.0f}" for name, seconds in times.items())
        print(f"microseconds a step, {size} ({'-'.join(map(str, widths))}, {batch} rows): {shown}")
        for name in list(times)[1:]:
            rows.append((f"{name}, {size}", ratio(times, name, "jax.value_and_grad"), None if size == "tiny" else 1.1))
    return rows
