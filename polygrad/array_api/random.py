"""Random numbers, drawn by the backend: torch's functions."""

from __future__ import annotations

from typing import Any

from ..backend.base import Backend
from ..backend.select import get_backend
from ..core.modes import current
from ..core.tensor import Tensor, constant
from ..errors import ArgumentError
from .creation import default_floating, home_of, options_of, shape_of, standard_signature

__all__ = ["manual_seed", "rand", "rand_like", "randint", "randn", "randn_like", "randperm"]


def manual_seed(seed: int, *, backend: Any = None) -> None:
    """Seed the generator of random numbers of a backend (default: the selected one)."""
    get_backend(backend).manual_seed(seed)


def drawn(
    home: Backend, kind: str, shape: tuple[int, ...], dtype: Any, device: Any, *, draw: Any, **params: Any
) -> Tensor:
    """Random numbers from ``draw`` (see ``modes.State``), or from the backend where there is none."""
    if draw is None:
        return constant(home.random(kind, shape, dtype, device, **params), home.frame())
    return draw(home, kind, shape, dtype, device, **params)  # type: ignore[no-any-return]


def _random(name: str, kind: str) -> Any:
    def create(
        *size: Any,
        shape: Any = None,
        dtype: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        backend: Any = None,
    ) -> Tensor:
        home = get_backend(backend)
        options = options_of(home, dtype, device, default_floating(home, device))
        out = drawn(
            home, kind, shape_of(size, shape, name), options["dtype"], options.get("device"), draw=current().draw
        )
        return out.requires_grad_() if requires_grad else out

    create.__wrapped__ = standard_signature  # type: ignore[attr-defined]
    create.__name__ = create.__qualname__ = name
    law = "the standard normal distribution" if kind == "normal" else "the uniform distribution on [0, 1)"
    create.__doc__ = f"Random numbers from {law}: ``{name}(2, 3)`` or ``{name}((2, 3))``."
    return create


randn, rand = _random("randn", "normal"), _random("rand", "uniform")


def _random_like(name: str, make: Any) -> Any:
    def create(
        x: Tensor, /, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, backend: Any = None
    ) -> Tensor:
        home = home_of(name, backend, x)
        dtype = dtype if dtype is not None else x.dtype
        return make(tuple(x.shape), dtype=dtype, device=device, requires_grad=requires_grad, backend=home)  # type: ignore[no-any-return]

    create.__name__ = create.__qualname__ = name
    create.__doc__ = f"As ``{name.removesuffix('_like')}``, with the shape and dtype of ``x``."
    return create


randn_like, rand_like = _random_like("randn_like", randn), _random_like("rand_like", rand)


def randint(
    low: int, high: Any = None, size: Any = None, *, dtype: Any = None, device: Any = None, backend: Any = None
) -> Tensor:
    """Random integers in ``[low, high)``, or ``[0, low)``: ``randint(10, (2, 3))``, ``randint(3, 10, (2, 3))``."""
    if size is None:
        low, high, size = 0, low, high
    if size is None:
        raise ArgumentError("randint: the size is missing: randint(high, size) or randint(low, high, size)")
    if low >= high:
        raise ArgumentError(f"randint: low has to be less than high, got low={low}, high={high}")
    home = get_backend(backend)
    dtype = home.dtype(dtype) if dtype is not None else home.default_dtype("integral", device)
    device = home.device(device) if device is not None else None
    size = shape_of((size,), None, "randint")
    return drawn(home, "integers", size, dtype, device, draw=current().draw, low=low, high=high)


def randperm(n: int, *, dtype: Any = None, device: Any = None, backend: Any = None) -> Tensor:
    """A random permutation of ``0 ... n - 1``."""
    home = get_backend(backend)
    where = home.device(device) if device is not None else None
    order = home.namespace.argsort(drawn(home, "uniform", (n,), home.dtype("float32"), where, draw=current().draw))
    return order if dtype is None else home.namespace.astype(order, home.dtype(dtype))  # type: ignore[no-any-return]
