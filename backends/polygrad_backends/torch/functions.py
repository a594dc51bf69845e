"""Functions that torch has under another name, with other arguments, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch


def with_numbers(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of torch that takes tensors only, for Python numbers too."""

    def run(*args: Any, **params: Any) -> Any:
        like = next(arg for arg in args if isinstance(arg, torch.Tensor))
        return function(*[arg if isinstance(arg, torch.Tensor) else _number(arg, like) for arg in args], **params)

    return run


def _number(value: Any, like: Any) -> Any:
    return torch.tensor(value, dtype=torch.result_type(like, value), device=like.device)


def logsumexp(x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
    """torch wants to be told the axes."""
    return torch.logsumexp(x, tuple(range(x.ndim)) if axis is None else axis, keepdims)


def median_along(x: Any, *, ignore_nan: bool, axis: int, keepdims: bool) -> Any:
    """Two functions of torch in one operation."""
    return (torch.nanmedian if ignore_nan else torch.median)(x, axis, keepdims)


def median_value(x: Any, *, ignore_nan: bool) -> Any:
    """As ``median_along``, over everything."""
    return torch.nanmedian(x) if ignore_nan else torch.median(x)


class UniqueAllResult(NamedTuple):
    """What the standard's ``unique_all`` returns."""

    values: Any
    indices: Any
    inverse_indices: Any
    counts: Any


def unique_all(x: Any, /) -> UniqueAllResult:
    """The different elements, where each comes first, which one each element is, and how often each comes."""
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
