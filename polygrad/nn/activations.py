"""Activations and softmax, as ``torch.nn.functional`` has them."""

# mypy: disable-error-code="no-any-return"
# The functions of a namespace are made from the registry, so what they return is Any to a type checker.

from __future__ import annotations

import warnings
from typing import Any

from ..core.inplace import inplace as _rebound
from ..core.tensor import Tensor
from ..errors import ArgumentError
from .common import as_array, namespace_of


def _activated(input: Any, inplace: bool, name: str, **params: Any) -> Tensor:
    x = as_array(input)
    xp = namespace_of(x)
    function = getattr(xp, name) if name in ("relu", "sigmoid", "tanh") else getattr(xp.nn, name)
    if inplace:
        return _rebound(x, name, lambda: function(x, **params))
    return function(x, **params)


def relu(input: Any, inplace: bool = False) -> Tensor:
    """``max(x, 0)``; the derivative at 0 is 0."""
    return _activated(input, inplace, "relu")


def relu6(input: Any, inplace: bool = False) -> Tensor:
    """``min(max(x, 0), 6)``."""
    return _activated(input, inplace, "relu6")


def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """``x`` if positive, else ``negative_slope * x``."""
    return _activated(input, inplace, "leaky_relu", negative_slope=negative_slope)


def elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """``x`` if positive, else ``alpha * (exp(x) - 1)``."""
    return _activated(input, inplace, "elu", alpha=alpha)


def selu(input: Any, inplace: bool = False) -> Tensor:
    """``elu`` scaled so that layers keep mean 0 and variance 1."""
    return _activated(input, inplace, "selu")


def celu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """``x`` if positive, else ``alpha * (exp(x / alpha) - 1)``."""
    if alpha == 0:
        raise ArgumentError("celu: alpha cannot be 0 for CELU")
    return _activated(input, inplace, "celu", alpha=alpha)


def gelu(input: Any, approximate: str = "none") -> Tensor:
    """``x`` times the normal distribution function of ``x``; ``approximate="tanh"`` is close and needs no erf."""
    if approximate not in ("none", "tanh"):
        raise ArgumentError(f"gelu: approximate argument must be either none or tanh, got {approximate!r}")
    return _activated(input, False, "gelu" if approximate == "none" else "gelu_tanh")


def sigmoid(input: Any) -> Tensor:
    """``1 / (1 + exp(-x))``."""
    return _activated(input, False, "sigmoid")


def logsigmoid(input: Any) -> Tensor:
    """``log(sigmoid(x))`` without loss of accuracy."""
    return _activated(input, False, "logsigmoid")


def tanh(input: Any) -> Tensor:
    """The hyperbolic tangent."""
    return _activated(input, False, "tanh")


def softplus(input: Any, beta: float = 1, threshold: float = 20) -> Tensor:
    """``log(1 + exp(beta * x)) / beta``, and ``x`` where ``beta * x`` is above the threshold."""
    return _activated(input, False, "softplus", beta=beta, threshold=threshold)


def silu(input: Any, inplace: bool = False) -> Tensor:
    """``x * sigmoid(x)``."""
    return _activated(input, inplace, "silu")


def mish(input: Any, inplace: bool = False) -> Tensor:
    """``x * tanh(softplus(x))``."""
    return _activated(input, inplace, "mish")


def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """``x`` bounded; the derivative at the bounds is 0."""
    if min_val > max_val:
        raise ArgumentError(f"hardtanh: min_val cannot be greater than max_val, got {min_val} and {max_val}")
    return _activated(input, inplace, "hardtanh", min_val=min_val, max_val=max_val)


def _along(name: str, input: Any, dim: int | None, stacklevel: int, dtype: Any) -> tuple[Any, int]:
    """The input in the dtype asked for, and the axis, which torch still guesses if it is not given."""
    x = as_array(input)
    if dim is None:
        warnings.warn(
            f"Implicit dimension choice for {name} has been deprecated. "
            f"Change the call to include dim=X as an argument.",
            stacklevel=stacklevel,
        )
        dim = 0 if x.ndim in (0, 1, 3) else 1
    if dtype is not None and x.dtype != x._frame.backend.dtype(dtype):
        x = namespace_of(x).astype(x, x._frame.backend.dtype(dtype))
    return x, dim


def softmax(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """Exponentials along an axis, divided by their sum."""
    x, axis = _along("softmax", input, dim, _stacklevel, dtype)
    return namespace_of(x).softmax(x, axis=axis)


def softmin(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """``softmax(-x)``."""
    x, axis = _along("softmin", input, dim, _stacklevel, dtype)
    return namespace_of(x).softmax(-x, axis=axis)


def log_softmax(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """The logarithm of softmax, without loss of accuracy."""
    x, axis = _along("log_softmax", input, dim, _stacklevel, dtype)
    return namespace_of(x).log_softmax(x, axis=axis)
