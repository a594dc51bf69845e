"""Functions that torch has under another name, with other arguments, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch


def with_numbers(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of torch, which takes tensors only, for Python numbers too."""

    def run(*args: Any, **params: Any) -> Any:
        like = next(arg for arg in args if isinstance(arg, torch.Tensor))
        return function(*[arg if isinstance(arg, torch.Tensor) else _number(arg, like) for arg in args], **params)

    return run


def _number(value: Any, like: Any) -> Any:
    return torch.tensor(value, dtype=torch.result_type(like, value), device=like.device)


def logsumexp(x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
    """Return ``logsumexp`` over all axes where none are given, which torch demands."""
    return torch.logsumexp(x, tuple(range(x.ndim)) if axis is None else axis, keepdims)


def median_along(x: Any, *, ignore_nan: bool, axis: int, keepdims: bool) -> Any:
    """Return the median along an axis, by two functions of torch."""
    return (torch.nanmedian if ignore_nan else torch.median)(x, axis, keepdims)


def median_value(x: Any, *, ignore_nan: bool) -> Any:
    """Return the median of everything, by two functions of torch."""
    return torch.nanmedian(x) if ignore_nan else torch.median(x)


class UniqueAllResult(NamedTuple):
    """The result of the standard's ``unique_all``."""

    values: Any
    indices: Any
    inverse_indices: Any
    counts: Any


def unique_all(x: Any, /) -> UniqueAllResult:
    """Return the different elements, where each comes first, the number of each element among them, and how often each comes."""
    values, inverse, counts = torch.unique(x, return_inverse=True, return_counts=True)
    positions = torch.arange(x.numel(), device=x.device)
    first = torch.full(values.shape, x.numel(), device=x.device)
    first = first.scatter_reduce(0, inverse.reshape(-1), positions, "amin")
    return UniqueAllResult(values, first, inverse, counts)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{
        name: with_numbers(getattr(torch, name))
        for name in ("addcdiv", "addcmul", "fmax", "fmin", "fmod", "heaviside", "isclose", "lerp", "logaddexp2")
    },
    "contract_pair": lambda x1, x2, *, equation: torch.einsum(equation, x1, x2),
    "logsumexp": logsumexp,
    "median_along": median_along,
    "median_value": median_value,
    "to_device": lambda x, device: x.to(device),
    "unique_all": unique_all,
}
