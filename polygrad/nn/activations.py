"""Activations and softmax, as ``torch.nn.functional`` has them."""

# mypy: disable-error-code="no-any-return"
# The functions of a namespace are made from the registry, so their results are Any to a type checker.

from __future__ import annotations

import warnings
from typing import Any

from ..core.inplace import inplace as _rebound
from ..core.tensor import Tensor
from ..errors import ArgumentError
from .common import as_array, namespace_of


def _apply(input: Any, inplace: bool, name: str, **params: Any) -> Tensor:
    x = as_array(input)
    xp = namespace_of(x)
    function = getattr(xp, name) if name in ("relu", "sigmoid", "tanh") else getattr(xp.nn, name)
    if inplace:
        return _rebound(x, name, lambda: function(x, **params))
    return function(x, **params)


def relu(input: Any, inplace: bool = False) -> Tensor:
    """Return ``max(x, 0)``; the derivative at 0 is 0."""
    return _apply(input, inplace, "relu")


def relu6(input: Any, inplace: bool = False) -> Tensor:
    """Return ``min(max(x, 0), 6)``."""
    return _apply(input, inplace, "relu6")


def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """Return ``x`` if it is positive, else ``negative_slope * x``."""
    return _apply(input, inplace, "leaky_relu", negative_slope=negative_slope)


def elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """Return ``x`` if it is positive, else ``alpha * (exp(x) - 1)``."""
    return _apply(input, inplace, "elu", alpha=alpha)


def selu(input: Any, inplace: bool = False) -> Tensor:
    """Return ``elu`` scaled so that layers keep mean 0 and variance 1."""
    return _apply(input, inplace, "selu")


def celu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """Return ``x`` if it is positive, else ``alpha * (exp(x / alpha) - 1)``.

    Raises
    ------
    ArgumentError
        ``alpha`` is 0.
    """
    if alpha == 0:
        raise ArgumentError("celu: alpha cannot be 0 for CELU")
    return _apply(input, inplace, "celu", alpha=alpha)


def gelu(input: Any, approximate: str = "none") -> Tensor:
    """Return ``x`` times the normal distribution function of ``x``; ``approximate="tanh"`` is close and needs no erf."""
    if approximate not in ("none", "tanh"):
        raise ArgumentError(f"gelu: approximate argument must be either none or tanh, got {approximate!r}")
    return _apply(input, False, "gelu" if approximate == "none" else "gelu_tanh")


def sigmoid(input: Any) -> Tensor:
    """Return ``1 / (1 + exp(-x))``."""
    return _apply(input, False, "sigmoid")


def logsigmoid(input: Any) -> Tensor:
    """Return ``log(sigmoid(x))`` without loss of accuracy."""
    return _apply(input, False, "logsigmoid")


def tanh(input: Any) -> Tensor:
    """Return the hyperbolic tangent."""
    return _apply(input, False, "tanh")


def softplus(input: Any, beta: float = 1, threshold: float = 20) -> Tensor:
    """Return ``log(1 + exp(beta * x)) / beta``, and ``x`` where ``beta * x`` is above the threshold."""
    return _apply(input, False, "softplus", beta=beta, threshold=threshold)


def silu(input: Any, inplace: bool = False) -> Tensor:
    """Return ``x * sigmoid(x)``."""
    return _apply(input, inplace, "silu")


def mish(input: Any, inplace: bool = False) -> Tensor:
    """Return ``x * tanh(softplus(x))``."""
    return _apply(input, inplace, "mish")


def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """Return ``x`` bounded by ``min_val`` and ``max_val``; the derivative at the bounds is 0.

    Raises
    ------
    ArgumentError
        ``min_val`` is greater than ``max_val``.
    """
    if min_val > max_val:
        raise ArgumentError(f"hardtanh: min_val cannot be greater than max_val, got {min_val} and {max_val}")
    return _apply(input, inplace, "hardtanh", min_val=min_val, max_val=max_val)


def _resolve_axis(name: str, input: Any, dim: int | None, stacklevel: int, dtype: Any) -> tuple[Any, int]:
    """Return the input in the dtype asked for, and the axis, which torch still guesses if it is not given."""
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
    """Return exponentials along an axis, divided by their sum.

    Parameters
    ----------
    input
        An array of any shape.
    dim
        The axis. Without one torch's guess is taken, with torch's warning.
    dtype
        Convert the input to this dtype first.
    """
    x, axis = _resolve_axis("softmax", input, dim, _stacklevel, dtype)
    return namespace_of(x).softmax(x, axis=axis)


def softmin(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """Return ``softmax(-x)``; the parameters are those of ``softmax``."""
    x, axis = _resolve_axis("softmin", input, dim, _stacklevel, dtype)
    return namespace_of(x).softmax(-x, axis=axis)


def log_softmax(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """Return the logarithm of softmax, without loss of accuracy; the parameters are those of ``softmax``."""
    x, axis = _resolve_axis("log_softmax", input, dim, _stacklevel, dtype)
    return namespace_of(x).log_softmax(x, axis=axis)
