"""``torch.nn.functional``: the same names, signatures and values, on any backend.

Here, and only here, the keywords are torch's (``dim``, ``keepdim``, ``input``). What torch records as one node is one
node.
"""

# mypy: disable-error-code="no-any-return"
# The functions of a namespace are made from the registry, so what they return is Any to a type checker.

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

from polygrad.array_api import creation
from polygrad.core.modes import no_grad
from polygrad.core.tensor import Tensor, as_frame
from polygrad.core.views import inplace as _rebound
from polygrad.errors import ArgumentError, DtypeError, ShapeError, UnsupportedError

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "celu", "cosine_similarity", "cross_entropy",
    "dropout", "elu", "embedding", "gelu", "hardtanh", "huber_loss", "kl_div", "l1_loss", "layer_norm", "leaky_relu",
    "linear", "log_softmax", "logsigmoid", "mish", "mse_loss", "nll_loss", "normalize", "one_hot", "relu", "relu6",
    "selu", "sigmoid", "silu", "smooth_l1_loss", "softmax", "softmin", "softplus", "tanh",
]  # fmt: skip

_STACKLEVEL = 3
"""Warnings point at the caller of the public function, from one helper down."""


def _array(value: Any) -> Any:
    """A Tensor, or what else an operation takes, as a Tensor."""
    return as_frame(value)


def _xp(tensor: Any) -> Any:
    return tensor._frame.namespace


# -- activations --------------------------------------------------------------------------------------------------
def _activated(input: Any, inplace: bool, name: str, **params: Any) -> Tensor:
    x = _array(input)
    xp = _xp(x)
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


# -- softmax ------------------------------------------------------------------------------------------------------
def _along(name: str, input: Any, dim: int | None, stacklevel: int, dtype: Any) -> tuple[Any, int]:
    """The input in the dtype asked for, and the axis, which torch still guesses if it is not given."""
    x = _array(input)
    if dim is None:
        warnings.warn(
            f"Implicit dimension choice for {name} has been deprecated. "
            f"Change the call to include dim=X as an argument.",
            stacklevel=stacklevel,
        )
        dim = 0 if x.ndim in (0, 1, 3) else 1
    if dtype is not None and x.dtype != x._frame.backend.dtype(dtype):
        x = _xp(x).astype(x, x._frame.backend.dtype(dtype))
    return x, dim


def softmax(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """Exponentials along an axis, divided by their sum."""
    x, axis = _along("softmax", input, dim, _stacklevel, dtype)
    return _xp(x).softmax(x, axis=axis)


def softmin(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """``softmax(-x)``."""
    x, axis = _along("softmin", input, dim, _stacklevel, dtype)
    return _xp(x).softmax(-x, axis=axis)


def log_softmax(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """The logarithm of softmax, without loss of accuracy."""
    x, axis = _along("log_softmax", input, dim, _stacklevel, dtype)
    return _xp(x).log_softmax(x, axis=axis)


# -- losses -------------------------------------------------------------------------------------------------------
def _reduction(size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    """The reduction, from the flags that torch had before it if they are given."""
    if size_average is not None or reduce is not None:
        reduction = "none" if reduce is False else "sum" if size_average is False else "mean"
        warnings.warn(
            f"size_average and reduce args will be deprecated, please use reduction='{reduction}' instead.",
            stacklevel=_STACKLEVEL,
        )
    if reduction == "elementwise_mean":
        warnings.warn(
            "reduction='elementwise_mean' is deprecated. Please use reduction='mean' instead.", stacklevel=_STACKLEVEL
        )
        reduction = "mean"
    if reduction not in ("none", "mean", "sum"):
        raise ArgumentError(f"{reduction} is not a valid value for reduction; there are 'none', 'mean' and 'sum'")
    return reduction


def _reduced(loss: Any, reduction: str) -> Any:
    if reduction == "none":
        return loss
    return _xp(loss).mean(loss) if reduction == "mean" else _xp(loss).sum(loss)


def _broadcast(input: Any, target: Any) -> tuple[Any, Any]:
    """Both in one shape, with torch's warning where they were not."""
    x, y = _array(input), _array(target)
    if x.shape == y.shape:
        return x, y
    warnings.warn(
        f"Using a target size {tuple(y.shape)} that is different to the input size {tuple(x.shape)}. "
        f"This will likely lead to incorrect results due to broadcasting. Please ensure they have the same size.",
        stacklevel=_STACKLEVEL,
    )
    return tuple(_xp(x).broadcast_arrays(x, y))


def _weighted(loss: Any, weight: Any, input: Any) -> Any:
    """Losses times weights."""
    weight, shape = _array(weight), tuple(_array(input).shape)
    if tuple(weight.shape) != shape:
        raise ShapeError(f"Weights and input must have the same size, and they have {tuple(weight.shape)} and {shape}")
    return _xp(loss).multiply(loss, weight)


def _weighted_mean(loss: Any, weight: Any, input: Any, reduction: str) -> Any:
    """Losses times weights, reduced; their mean is relative to the sum of the weights."""
    loss = _weighted(loss, weight, input)
    if reduction == "mean":
        return _xp(loss).divide(_xp(loss).sum(loss), _xp(loss).sum(_array(weight)))
    return _reduced(loss, reduction)


def _spread(weight: Any, input: Any, name: str) -> Any:
    """A weight that broadcasts to the input."""
    if weight is None:
        return None
    weight = _array(weight)
    lead = input.ndim - weight.ndim
    if lead < 0 or any(n not in (1, m) for n, m in zip(weight.shape, input.shape[lead:], strict=True)):
        raise ShapeError(
            f"{name} of shape {tuple(weight.shape)} does not broadcast to the input of shape {tuple(input.shape)}"
        )
    return weight


def binary_cross_entropy_with_logits(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Any = None,
) -> Tensor:
    """The cross entropy of ``target`` and ``sigmoid(input)``, stable for every input.

    Raises:
        ShapeError: input and target differ in shape, or a weight does not broadcast to it.
    """
    reduction = _reduction(size_average, reduce, reduction)
    x, y = _array(input), _array(target)
    if x.shape != y.shape:
        raise ShapeError(f"Target size {tuple(y.shape)} must be the same as input size {tuple(x.shape)}")
    weight, pos_weight = _spread(weight, x, "weight"), _spread(pos_weight, x, "pos_weight")
    return _xp(x).nn.binary_cross_entropy_with_logits(x, y, weight, pos_weight, reduction=reduction)


def binary_cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The cross entropy of ``target`` and the probabilities ``input``, each logarithm bounded by -100.

    Raises:
        ShapeError: input and target differ in shape, or the weight does not broadcast to it.
    """
    reduction = _reduction(size_average, reduce, reduction)
    x, y = _array(input), _array(target)
    if x.shape != y.shape:
        raise ShapeError(
            f"Using a target size {tuple(y.shape)} that is different to the input size {tuple(x.shape)} is deprecated. "
            f"Please ensure they have the same size."
        )
    return _xp(x).nn.binary_cross_entropy(x, y, _spread(weight, x, "weight"), reduction=reduction)


def mse_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Any = None,
) -> Tensor:
    """Squared differences."""
    x, y = _broadcast(input, target)
    reduction = _reduction(size_average, reduce, reduction)
    if weight is not None:
        return _weighted_mean(_xp(x).square(_xp(x).subtract(x, y)), weight, input, reduction)
    return _xp(x).nn.mse_loss(x, y, reduction=reduction)


def l1_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Any = None,
) -> Tensor:
    """Absolute differences."""
    x, y = _broadcast(input, target)
    reduction = _reduction(size_average, reduce, reduction)
    loss = _xp(x).abs(_xp(x).subtract(x, y))
    return _reduced(loss, reduction) if weight is None else _weighted_mean(loss, weight, input, reduction)


def smooth_l1_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """Squared differences below ``beta``, absolute ones above."""
    if beta < 0:
        raise ArgumentError(f"smooth_l1_loss does not support negative values for beta, got {beta}")
    x, y = _broadcast(input, target)
    reduction = _reduction(size_average, reduce, reduction)
    if beta == 0:
        return _reduced(_xp(x).abs(_xp(x).subtract(x, y)), reduction)
    return _xp(x).nn.smooth_l1_loss(x, y, reduction=reduction, beta=beta)


def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0, weight: Any = None) -> Tensor:
    """Half of the squared differences below ``delta``, ``delta`` times the absolute ones above."""
    if delta <= 0:
        raise ArgumentError(f"huber_loss does not support non-positive values for delta, got {delta}")
    x, y = _broadcast(input, target)
    reduction = _reduction(None, None, reduction)
    if weight is not None:
        losses = _xp(x).nn.huber_loss(x, y, reduction="none", delta=delta)
        return _reduced(_weighted(losses, weight, input), reduction)  # torch divides by the number, not the weights
    return _xp(x).nn.huber_loss(x, y, reduction=reduction, delta=delta)


def kl_div(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """The Kullback-Leibler divergence of ``target`` from ``exp(input)``.

    ``reduction="batchmean"`` divides the sum by the size of the batch.
    """
    x, y = _array(input), _array(target)
    xp = _xp(x)
    flags = size_average is not None or reduce is not None
    if reduction == "mean" and not flags:
        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size. "
            "'batchmean' divides only by the batch size, and aligns with the KL div math definition.",
            stacklevel=_STACKLEVEL - 1,
        )
    batch = reduction == "batchmean" and not flags
    reduction = "sum" if batch else _reduction(size_average, reduce, reduction)
    weights = xp.exp(y) if log_target else y
    logs = y if log_target else xp.log(xp.where(y == 0, 1.0, y))  # 0 log 0 is 0
    total = _reduced(weights * (logs - x), reduction)
    return total / x.shape[0] if batch and x.ndim else total


def _per_class(weight: Any, classes: int) -> Any:
    if weight is None:
        return None
    weight = _array(weight)
    if weight.shape != (classes,):
        raise ShapeError(
            f"weight tensor should be defined either for all {classes} classes or no classes but got weight tensor of "
            f"shape: {list(weight.shape)}"
        )
    return weight


def _class_indices(x: Any, target: Any, axis: int) -> Any:
    """The target as indices that fit the input."""
    y = _array(target)
    if not _xp(y).isdtype(y.dtype, "integral"):
        raise DtypeError(
            f"expected integers (class indices) as target, one for each row, but found {y.dtype}{list(y.shape)}"
        )
    expected = (*x.shape[:axis], *x.shape[axis + 1 :])
    if x.ndim > 1 and y.ndim and x.shape[0] != y.shape[0]:
        raise ShapeError(f"Expected input batch_size ({x.shape[0]}) to match target batch_size ({y.shape[0]}).")
    if y.shape != expected:
        raise ShapeError(f"Expected target size {list(expected)}, got {list(y.shape)}")
    return y if y.dtype == _xp(y).int64 else _xp(y).astype(y, _xp(y).int64)


def _needs_classes(name: str, x: Any) -> int:
    """The axis of the classes."""
    if x.ndim == 0:
        raise ShapeError(f"{name}: the input needs an axis of classes, and it has shape ()")
    return 1 if x.ndim > 1 else 0


def nll_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Minus the log-probability of each target class: ``input`` (N, C), (C,) or (N, C, d1, ...), ``target`` without C.

    Raises:
        ShapeError: target or weight do not fit the input.
        DtypeError: the target is no class index.
        IndexError: a target is no class (on a backend that can look; elsewhere the loss is nan).
    """
    reduction = _reduction(size_average, reduce, reduction)
    x = _array(input)
    axis = _needs_classes("nll_loss", x)
    weight = _per_class(weight, x.shape[axis])
    y = _class_indices(x, target, axis)
    return _xp(x).nn.nll_loss(x, y, weight, ignore_index=ignore_index, reduction=reduction)


def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """The cross entropy of ``target`` and ``softmax(input)``.

    ``target`` holds class indices, or probabilities in the shape of the input. Raises what ``nll_loss`` raises.
    """
    reduction = _reduction(size_average, reduce, reduction)
    if not 0 <= label_smoothing <= 1:
        raise ArgumentError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    x, y = _array(input), _array(target)
    xp = _xp(x)
    axis = _needs_classes("cross_entropy", x)
    classes = x.shape[axis]
    weight = _per_class(weight, classes)
    column = None if weight is None else xp.reshape(weight, (classes, *(1,) * (x.ndim - 1 - axis)))
    logs = xp.log_softmax(x, axis=axis)
    if x.shape == y.shape:
        if not xp.isdtype(y.dtype, "real floating"):
            raise DtypeError(f"Expected floating point type for target with class probabilities, got {y.dtype}")
        if ignore_index >= 0:
            raise ArgumentError("ignore_index is not supported for floating point target")
        if label_smoothing:
            y = y * (1 - label_smoothing) + label_smoothing / classes
        terms = logs * y if column is None else logs * y * column
        if reduction == "none":
            return -xp.sum(terms, axis=axis)
        rows = math.prod(x.shape) / classes if classes else 0
        total = -xp.sum(terms)
        return total if reduction == "sum" else total / rows if rows else total * math.nan
    y = _class_indices(x, y, axis)
    hard = xp.nn.nll_loss(logs, y, weight, ignore_index=ignore_index, reduction=reduction)
    if not label_smoothing:
        return hard
    counts = y != ignore_index
    even = xp.where(counts, -xp.sum(logs if column is None else logs * column, axis=axis), 0.0)
    if reduction == "sum":
        even = xp.sum(even)
    elif reduction == "mean":
        share = xp.astype(counts, x.dtype)
        if weight is not None:
            index = xp.reshape(xp.where(counts, y, 0), (-1,))
            share = share * xp.reshape(xp.take(weight, index, axis=0), y.shape)
        share = xp.sum(share)
        even = xp.sum(even) / xp.where(share == 0, math.nan, share)
    return (1 - label_smoothing) * hard + even * (label_smoothing / classes)


# -- layers -------------------------------------------------------------------------------------------------------
def linear(input: Any, weight: Any, bias: Any = None) -> Tensor:
    """``input @ weight.T + bias``: ``input`` (*, in), ``weight`` (out, in) or (in,), ``bias`` (out,) or ()."""
    x, w = _array(input), _array(weight)
    xp = _xp(x)
    out = xp.matmul(x, xp.matrix_transpose(w) if w.ndim > 1 else w)
    return out if bias is None else xp.add(out, bias)


def dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """While training, zeros with probability ``p``, and the rest divided by ``1 - p``."""
    if not 0 <= p <= 1:
        raise ArgumentError(f"dropout probability has to be between 0 and 1, but got {p}")
    x = _array(input)
    if not training or p == 0:
        return x
    xp, backend = _xp(x), x._frame.backend
    with no_grad():
        if p == 1:
            noise = xp.zeros_like(x)
        else:
            noise = creation.rand(tuple(x.shape), device=x.device, backend=backend)
            noise = xp.astype(noise >= p, x.dtype) / (1 - p)
    return _rebound(x, "dropout", lambda: xp.multiply(x, noise)) if inplace else xp.multiply(x, noise)


def layer_norm(
    input: Any, normalized_shape: Sequence[int], weight: Any = None, bias: Any = None, eps: float = 1e-05
) -> Tensor:
    """Mean 0 and variance 1 over the last axes, those of ``normalized_shape``; then times weight plus bias.

    Raises:
        ShapeError: the last axes of the input, or weight or bias, have another shape.
    """
    x = _array(input)
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
    return _xp(x).nn.layer_norm(x, weight, bias, axes=tuple(range(-len(shape), 0)), eps=eps)


def _norm(x: Any, p: float, axis: int) -> Any:
    """The p-norm along an axis, which stays; the derivative where it is 0 is 0, as in torch."""
    xp = _xp(x)
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
    """``input`` divided by its p-norm along an axis, or by ``eps`` where that is greater."""
    if out is not None:
        raise ArgumentError("normalize: out= is not supported, polygrad returns a new Tensor")
    x = _array(input)
    norm = _norm(x, p, dim)
    return _xp(x).divide(x, _xp(x).where(norm >= eps, norm, eps))


def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """The cosine of the angle between vectors along an axis; norms below ``eps`` count as ``eps``."""
    a, b = _array(x1), _array(x2)
    xp = _xp(a)
    a, b = xp.broadcast_arrays(a, b)

    def direction(x: Any) -> Any:
        norm = _norm(x, 2, dim)
        # torch bounds the value alone: the derivative is that of the norm.
        return xp.divide(x, norm + (xp.where(norm >= eps, norm, eps) - norm).detach())

    return xp.sum(direction(a) * direction(b), axis=dim)


def _known(value: Any) -> bool:
    """Whether a 0-d condition is known to hold; False where values are not there yet (lazy or traced)."""
    if value._frame.backend.lazy:
        return False
    try:
        return bool(value)
    except Exception:  # under a tracer a value is not there yet, and every library says so in its own way
        return False


def one_hot(tensor: Any, num_classes: int = -1) -> Tensor:
    """Rows of zeros with a one at each index: int64, ``(*, num_classes)``.

    Raises:
        ArgumentError: an index is negative or too large (on a backend that can look; elsewhere its row is zero).
    """
    x = _array(tensor).detach()
    xp = _xp(x)
    if not xp.isdtype(x.dtype, "integral"):
        raise DtypeError(f"one_hot is only applicable to index tensors, and this one has dtype {x.dtype}")
    if math.prod(x.shape):
        if _known(xp.any(x < 0)):
            raise ArgumentError("Class values must be non-negative.")
        if num_classes == -1:
            num_classes = int(xp.max(x)) + 1
        elif _known(xp.any(x >= num_classes)):
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
    """Rows of ``weight`` (V, D) at the indices ``input`` (*): (*, D).

    Args:
        padding_idx: a row that gets no gradient.
        max_norm: rows that are used and longer are first shortened to it, in ``weight`` itself.
        scale_grad_by_freq: divide gradients by how often the index occurs.
        sparse: not supported.
    """
    if sparse:
        raise UnsupportedError("embedding: sparse=True is not supported, the gradient of the weight is always dense")
    indices, table = _array(input), _array(weight)
    xp = _xp(table)
    if not xp.isdtype(indices.dtype, "integral"):
        raise DtypeError(f"embedding: indices have to be integers, got {indices.dtype}{list(indices.shape)}")
    rows = table.shape[0]
    if padding_idx is not None:
        if not -rows <= padding_idx < rows:
            raise ArgumentError(f"Padding_idx must be within num_embeddings: got {padding_idx} with {rows} embeddings")
        padding_idx %= rows
    if max_norm is not None:
        with no_grad():
            _rebound(table, "embedding", lambda: _shortened(table.detach(), indices, max_norm, norm_type))
    return xp.nn.embedding(
        table, indices, padding_idx=-1 if padding_idx is None else padding_idx, scale_grad_by_freq=scale_grad_by_freq
    )


def _shortened(table: Any, indices: Any, max_norm: float, norm_type: float) -> Any:
    """The table with the rows that are used bounded in length."""
    xp = _xp(table)
    norm = _norm(table, norm_type, 1)
    ones = xp.astype(xp.ones_like(indices), table.dtype)
    used = xp.expand_dims(xp.getitem_adjoint(ones, key=indices, shape=(table.shape[0],)) > 0, axis=-1)
    return xp.where(used & (norm > max_norm), table * (max_norm / (norm + 1e-7)), table)
