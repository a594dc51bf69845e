"""``torch.nn.functional``: the same names, signatures and values, on any backend.

Here, and only here, the keywords are torch's (``dim``, ``keepdim``, ``input``). A function that is one node in torch is one node here.
"""

# mypy: disable-error-code="no-any-return"
# The functions of a namespace are made from the registry, so their results are Any to a type checker.

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..array_api.random import rand
from ..core.inplace import inplace as _rebound
from ..core.modes import no_grad
from ..core.tensor import Tensor
from ..errors import ArgumentError, DtypeError, ShapeError, UnsupportedError
from .activations import (
    celu,
    elu,
    gelu,
    hardtanh,
    leaky_relu,
    log_softmax,
    logsigmoid,
    mish,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    softmax,
    softmin,
    softplus,
    tanh,
)
from .common import as_array, namespace_of
from .losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    huber_loss,
    kl_div,
    l1_loss,
    mse_loss,
    nll_loss,
    smooth_l1_loss,
)

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "celu", "cosine_similarity", "cross_entropy",
    "dropout", "elu", "embedding", "gelu", "hardtanh", "huber_loss", "kl_div", "l1_loss", "layer_norm", "leaky_relu",
    "linear", "log_softmax", "logsigmoid", "mish", "mse_loss", "nll_loss", "normalize", "one_hot", "relu", "relu6",
    "selu", "sigmoid", "silu", "smooth_l1_loss", "softmax", "softmin", "softplus", "tanh",
]  # fmt: skip


# -- layers -------------------------------------------------------------------------------------------------------
def linear(input: Any, weight: Any, bias: Any = None) -> Tensor:
    """Return ``input @ weight.T + bias``.

    Parameters
    ----------
    input
        An array of shape (*, in).
    weight
        An array of shape (out, in) or (in,).
    bias
        An array of shape (out,) or ().
    """
    x, w = as_array(input), as_array(weight)
    xp = namespace_of(x)
    out = xp.matmul(x, xp.matrix_transpose(w) if w.ndim > 1 else w)
    return out if bias is None else xp.add(out, bias)


def dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Set elements to zero with probability ``p``, and divide the rest by ``1 - p``, while training.

    Raises
    ------
    ArgumentError
        ``p`` is no probability.
    """
    if not 0 <= p <= 1:
        raise ArgumentError(f"dropout probability has to be between 0 and 1, but got {p}")
    x = as_array(input)
    if not training or p == 0:
        return x
    xp, backend = namespace_of(x), x._frame.backend
    with no_grad():
        if p == 1:
            noise = xp.zeros_like(x)
        else:
            noise = rand(tuple(x.shape), device=x.device, backend=backend)
            noise = xp.astype(noise >= p, x.dtype) / (1 - p)
    return _rebound(x, "dropout", lambda: xp.multiply(x, noise)) if inplace else xp.multiply(x, noise)


def layer_norm(
    input: Any, normalized_shape: Sequence[int], weight: Any = None, bias: Any = None, eps: float = 1e-05
) -> Tensor:
    """Scale the last axes to mean 0 and variance 1, then multiply by weight and add bias.

    Parameters
    ----------
    input
        An array of shape (*, *normalized_shape).
    normalized_shape
        The lengths of the last axes.
    weight, bias
        Arrays of shape ``normalized_shape``.
    eps
        Number that is added to the variance.

    Raises
    ------
    ShapeError
        The last axes of the input, or weight or bias, have another shape.
    """
    x = as_array(input)
    shape = tuple(normalized_shape)
    if not shape or tuple(x.shape[-len(shape) :]) != shape:
        raise ShapeError(
            f"Given normalized_shape={list(shape)}, expected input with shape [*{''.join(f', {n}' for n in shape)}], "
            f"but got input of size{list(x.shape)}"
        )
    for name, array in (("weight", weight), ("bias", bias)):
        if array is not None and tuple(array.shape) != shape:
            raise ShapeError(
                f"Expected {name} to be of same shape as normalized_shape, but got {name} of shape "
                f"{list(array.shape)} and normalized_shape = {list(shape)}"
            )
    return namespace_of(x).nn.layer_norm(x, weight, bias, axes=tuple(range(-len(shape), 0)), eps=eps)


def _norm(x: Any, p: float, axis: int) -> Any:
    """Return the p-norm along an axis, which stays; the derivative where it is 0 is 0, as in torch."""
    xp = namespace_of(x)
    size = xp.abs(x)
    if p == 1:
        return xp.sum(size, axis=axis, keepdims=True)
    if p in (math.inf, -math.inf):
        return (xp.max if p > 0 else xp.min)(size, axis=axis, keepdims=True)
    if p == 0:
        return xp.sum(xp.astype(size != 0, size.dtype), axis=axis, keepdims=True)
    total = xp.sum(xp.square(size) if p == 2 else size**p, axis=axis, keepdims=True)
    zero = total == 0
    safe = xp.where(zero, 1.0, total)
    return xp.where(zero, 0.0, xp.sqrt(safe) if p == 2 else safe ** (1 / p))


def normalize(input: Any, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Any = None) -> Tensor:
    """Return ``input`` divided by its p-norm along an axis, or by ``eps`` where that is greater."""
    if out is not None:
        raise ArgumentError("normalize: out= is not supported; the result is a new Tensor")
    x = as_array(input)
    norm = _norm(x, p, dim)
    return namespace_of(x).divide(x, namespace_of(x).where(norm >= eps, norm, eps))


def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """Return the cosine of the angle between vectors along an axis; norms below ``eps`` count as ``eps``."""
    a, b = as_array(x1), as_array(x2)
    xp = namespace_of(a)
    a, b = xp.broadcast_arrays(a, b)

    def direction(x: Any) -> Any:
        norm = _norm(x, 2, dim)
        # torch bounds the value alone. The derivative is that of the norm.
        return xp.divide(x, norm + (xp.where(norm >= eps, norm, eps) - norm).detach())

    return xp.sum(direction(a) * direction(b), axis=dim)


def _certainly(value: Any) -> bool:
    """Return True if a 0-d condition is known to hold; False where values are not there yet (lazy or traced)."""
    if namespace_of(value).lazy:
        return False
    try:
        return bool(value)
    except Exception:  # a tracer has no value yet, and every library says so in its own way
        return False


def one_hot(tensor: Any, num_classes: int = -1) -> Tensor:
    """Return rows of zeros with a one at each index.

    Parameters
    ----------
    tensor
        An array of integers, of shape (*).
    num_classes
        The length of a row; -1 for one more than the largest index.

    Returns
    -------
    Tensor
        An array of int64, of shape (*, num_classes).

    Raises
    ------
    ArgumentError
        An index is negative or too large. A lazy or traced backend cannot see that, and gives a row of zeros.
    DtypeError
        The indices are no integers.
    """
    x = as_array(tensor).detach()
    xp = namespace_of(x)
    if not xp.isdtype(x.dtype, "integral"):
        raise DtypeError(f"one_hot is only applicable to index tensors, and this one has dtype {x.dtype}")
    if math.prod(x.shape):
        if _certainly(xp.any(x < 0)):
            raise ArgumentError("Class values must be non-negative.")
        if num_classes == -1:
            num_classes = int(xp.max(x)) + 1
        elif _certainly(xp.any(x >= num_classes)):
            raise ArgumentError(f"Class values must be smaller than num_classes, which is {num_classes}.")
    elif num_classes <= 0:
        raise ArgumentError("Can not infer total number of classes from empty tensor.")
    numbers = xp.arange(num_classes, dtype=x.dtype, device=x.device)
    return xp.astype(xp.expand_dims(x, axis=-1) == numbers, xp.int64)


def embedding(
    input: Any,
    weight: Any,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """Return rows of ``weight`` (V, D) at the indices ``input`` (*), as an array of shape (*, D).

    Parameters
    ----------
    input
        An array of integers.
    weight
        The table.
    padding_idx
        A row that gets no gradient.
    max_norm
        Rows that are used and are longer than this are first shortened to it, in ``weight`` itself.
    norm_type
        The order of the norm for ``max_norm``.
    scale_grad_by_freq
        Divide gradients by the number of times that the index occurs.
    sparse
        Not supported.

    Raises
    ------
    UnsupportedError
        ``sparse`` is True.
    DtypeError
        The indices are no integers.
    ArgumentError
        ``padding_idx`` is no row of the table.
    """
    if sparse:
        raise UnsupportedError("embedding: sparse=True is not supported, the gradient of the weight is always dense")
    indices, table = as_array(input), as_array(weight)
    xp = namespace_of(table)
    if not xp.isdtype(indices.dtype, "integral"):
        raise DtypeError(f"embedding: indices have to be integers, got {indices.dtype}{list(indices.shape)}")
    rows = table.shape[0]
    if padding_idx is not None:
        if not -rows <= padding_idx < rows:
            raise ArgumentError(f"Padding_idx must be within num_embeddings: got {padding_idx} with {rows} embeddings")
        padding_idx %= rows
    if max_norm is not None:
        with no_grad():
            _rebound(table, "embedding", lambda: _shorten_rows(table.detach(), indices, max_norm, norm_type))
    return xp.nn.embedding(
        table, indices, padding_idx=-1 if padding_idx is None else padding_idx, scale_grad_by_freq=scale_grad_by_freq
    )


def _shorten_rows(table: Any, indices: Any, max_norm: float, norm_type: float) -> Any:
    """Return the table with the rows that are used bounded in length."""
    xp = namespace_of(table)
    norm = _norm(table, norm_type, 1)
    ones = xp.astype(xp.ones_like(indices), table.dtype)
    used = xp.expand_dims(xp.getitem_adjoint(ones, key=indices, shape=(table.shape[0],)) > 0, axis=-1)
    return xp.where(used & (norm > max_norm), table * (max_norm / (norm + 1e-7)), table)
