"""Losses, as ``torch.nn.functional`` has them."""

# mypy: disable-error-code="no-any-return"
# The functions of a namespace are made from the registry, so their results are Any to a type checker.

from __future__ import annotations

import math
import warnings
from typing import Any

from ..core.tensor import Tensor
from ..errors import ArgumentError, DtypeError, ShapeError
from .common import STACKLEVEL, as_array, namespace_of


def _choose_reduction(size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    """Return the reduction, from the flags that torch had before it if they are given."""
    if size_average is not None or reduce is not None:
        reduction = "none" if reduce is False else "sum" if size_average is False else "mean"
        warnings.warn(
            f"size_average and reduce args will be deprecated, please use reduction='{reduction}' instead.",
            stacklevel=STACKLEVEL,
        )
    if reduction == "elementwise_mean":
        warnings.warn(
            "reduction='elementwise_mean' is deprecated. Please use reduction='mean' instead.", stacklevel=STACKLEVEL
        )
        reduction = "mean"
    if reduction not in ("none", "mean", "sum"):
        raise ArgumentError(f"{reduction} is not a valid value for reduction; give 'none', 'mean' or 'sum'")
    return reduction


def _reduce(loss: Any, reduction: str) -> Any:
    if reduction == "none":
        return loss
    return namespace_of(loss).mean(loss) if reduction == "mean" else namespace_of(loss).sum(loss)


def _broadcast(input: Any, target: Any) -> tuple[Any, Any]:
    """Return both arrays in one shape; warn as torch does if they had two."""
    x, y = as_array(input), as_array(target)
    if x.shape == y.shape:
        return x, y
    warnings.warn(
        f"Using a target size {tuple(y.shape)} that is different to the input size {tuple(x.shape)}. "
        f"This will likely lead to incorrect results due to broadcasting. Please ensure they have the same size.",
        stacklevel=STACKLEVEL,
    )
    return tuple(namespace_of(x).broadcast_arrays(x, y))


def _weigh(loss: Any, weight: Any, input: Any) -> Any:
    """Multiply losses by weights."""
    weight, shape = as_array(weight), tuple(as_array(input).shape)
    if tuple(weight.shape) != shape:
        raise ShapeError(f"Weights and input must have the same size, and they have {tuple(weight.shape)} and {shape}")
    return namespace_of(loss).multiply(loss, weight)


def _weigh_and_reduce(loss: Any, weight: Any, input: Any, reduction: str) -> Any:
    """Multiply losses by weights, and reduce them; their mean is relative to the sum of the weights."""
    loss = _weigh(loss, weight, input)
    if reduction == "mean":
        return namespace_of(loss).divide(namespace_of(loss).sum(loss), namespace_of(loss).sum(as_array(weight)))
    return _reduce(loss, reduction)


def _check_weight(weight: Any, input: Any, name: str) -> Any:
    """Return a weight as an array, if it broadcasts to the input."""
    if weight is None:
        return None
    weight = as_array(weight)
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
    """Return the cross entropy of ``target`` and ``sigmoid(input)``, stable for every input.

    Parameters
    ----------
    input, target
        Arrays of one shape.
    weight
        Factors of the losses, which broadcast to the input.
    size_average, reduce
        torch's former way to choose the reduction.
    reduction
        "none", "mean" or "sum".
    pos_weight
        Factors of the positive terms, which broadcast to the input.

    Raises
    ------
    ShapeError
        Input and target differ in shape, or a weight does not broadcast to it.
    """
    reduction = _choose_reduction(size_average, reduce, reduction)
    x, y = as_array(input), as_array(target)
    if x.shape != y.shape:
        raise ShapeError(f"Target size {tuple(y.shape)} must be the same as input size {tuple(x.shape)}")
    weight, pos_weight = _check_weight(weight, x, "weight"), _check_weight(pos_weight, x, "pos_weight")
    return namespace_of(x).nn.binary_cross_entropy_with_logits(x, y, weight, pos_weight, reduction=reduction)


def binary_cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return the cross entropy of ``target`` and the probabilities ``input``, each logarithm bounded by -100.

    Parameters
    ----------
    input, target
        Arrays of one shape.
    weight
        Factors of the losses, which broadcast to the input.
    size_average, reduce
        torch's former way to choose the reduction.
    reduction
        "none", "mean" or "sum".

    Raises
    ------
    ShapeError
        Input and target differ in shape, or the weight does not broadcast to it.
    """
    reduction = _choose_reduction(size_average, reduce, reduction)
    x, y = as_array(input), as_array(target)
    if x.shape != y.shape:
        raise ShapeError(
            f"Using a target size {tuple(y.shape)} that is different to the input size {tuple(x.shape)} is deprecated. "
            f"Please ensure they have the same size."
        )
    return namespace_of(x).nn.binary_cross_entropy(x, y, _check_weight(weight, x, "weight"), reduction=reduction)


def mse_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Any = None,
) -> Tensor:
    """Return squared differences, reduced; with ``weight``, of the input's shape, their weighted mean."""
    x, y = _broadcast(input, target)
    reduction = _choose_reduction(size_average, reduce, reduction)
    if weight is not None:
        return _weigh_and_reduce(namespace_of(x).square(namespace_of(x).subtract(x, y)), weight, input, reduction)
    return namespace_of(x).nn.mse_loss(x, y, reduction=reduction)


def l1_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Any = None,
) -> Tensor:
    """Return absolute differences, reduced; with ``weight``, of the input's shape, their weighted mean."""
    x, y = _broadcast(input, target)
    reduction = _choose_reduction(size_average, reduce, reduction)
    loss = namespace_of(x).abs(namespace_of(x).subtract(x, y))
    return _reduce(loss, reduction) if weight is None else _weigh_and_reduce(loss, weight, input, reduction)


def smooth_l1_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """Return squared differences over ``2 * beta`` where they are below ``beta``, absolute ones minus ``beta / 2`` above, reduced.

    Raises
    ------
    ArgumentError
        ``beta`` is negative.
    """
    if beta < 0:
        raise ArgumentError(f"smooth_l1_loss does not support negative values for beta, got {beta}")
    x, y = _broadcast(input, target)
    reduction = _choose_reduction(size_average, reduce, reduction)
    if beta == 0:
        return _reduce(namespace_of(x).abs(namespace_of(x).subtract(x, y)), reduction)
    return namespace_of(x).nn.smooth_l1_loss(x, y, reduction=reduction, beta=beta)


def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0, weight: Any = None) -> Tensor:
    """Return half of the squared differences below ``delta``, ``delta`` times (the absolute ones minus ``delta / 2``) above, reduced.

    Raises
    ------
    ArgumentError
        ``delta`` is not positive.
    """
    if delta <= 0:
        raise ArgumentError(f"huber_loss does not support non-positive values for delta, got {delta}")
    x, y = _broadcast(input, target)
    reduction = _choose_reduction(None, None, reduction)
    if weight is not None:
        losses = namespace_of(x).nn.huber_loss(x, y, reduction="none", delta=delta)
        return _reduce(_weigh(losses, weight, input), reduction)  # torch divides by the number, not the weights
    return namespace_of(x).nn.huber_loss(x, y, reduction=reduction, delta=delta)


def kl_div(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """Return the Kullback-Leibler divergence of ``target`` from ``exp(input)``.

    Parameters
    ----------
    input
        Logarithms of probabilities.
    target
        Probabilities, or their logarithms with ``log_target``.
    size_average, reduce
        torch's former way to choose the reduction.
    reduction
        "none", "mean", "sum" or "batchmean", which divides the sum by the size of the batch.
    log_target
        The target holds logarithms.
    """
    x, y = as_array(input), as_array(target)
    xp = namespace_of(x)
    flags = size_average is not None or reduce is not None
    if reduction == "mean" and not flags:
        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size. "
            "'batchmean' divides only by the batch size, and aligns with the KL div math definition.",
            stacklevel=STACKLEVEL - 1,
        )
    batch = reduction == "batchmean" and not flags
    reduction = "sum" if batch else _choose_reduction(size_average, reduce, reduction)
    weights = xp.exp(y) if log_target else y
    logs = y if log_target else xp.log(xp.where(y == 0, 1.0, y))  # 0 log 0 is 0
    total = _reduce(weights * (logs - x), reduction)
    return total / x.shape[0] if batch and x.ndim else total


def _check_class_weight(weight: Any, classes: int) -> Any:
    if weight is None:
        return None
    weight = as_array(weight)
    if weight.shape != (classes,):
        raise ShapeError(
            f"weight tensor should be defined either for all {classes} classes or no classes but got weight tensor of "
            f"shape: {list(weight.shape)}"
        )
    return weight


def _as_class_indices(x: Any, target: Any, axis: int) -> Any:
    """Return the target as indices that fit the input."""
    y = as_array(target)
    if not namespace_of(y).isdtype(y.dtype, "integral"):
        raise DtypeError(
            f"expected integers (class indices) as target, one for each row, but found {y.dtype}{list(y.shape)}"
        )
    expected = (*x.shape[:axis], *x.shape[axis + 1 :])
    if x.ndim > 1 and y.ndim and x.shape[0] != y.shape[0]:
        raise ShapeError(f"Expected input batch_size ({x.shape[0]}) to match target batch_size ({y.shape[0]}).")
    if y.shape != expected:
        raise ShapeError(f"Expected target size {list(expected)}, got {list(y.shape)}")
    return y if y.dtype == namespace_of(y).int64 else namespace_of(y).astype(y, namespace_of(y).int64)


def _class_axis(name: str, x: Any) -> int:
    """Return the axis of the classes."""
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
    """Return minus the log-probability of each target class.

    Parameters
    ----------
    input
        Log-probabilities of shape (N, C), (C,) or (N, C, d1, ...).
    target
        Class indices, in the shape of the input without C.
    weight
        A factor for each class.
    size_average, reduce
        torch's former way to choose the reduction.
    ignore_index
        Targets of this class do not count.
    reduction
        "none", "mean" or "sum".

    Raises
    ------
    ShapeError
        Target or weight do not fit the input.
    DtypeError
        The target is no class index.
    IndexError
        A target is no class. A lazy or traced backend cannot see that; there the loss is nan.
    """
    reduction = _choose_reduction(size_average, reduce, reduction)
    x = as_array(input)
    axis = _class_axis("nll_loss", x)
    weight = _check_class_weight(weight, x.shape[axis])
    y = _as_class_indices(x, target, axis)
    return namespace_of(x).nn.nll_loss(x, y, weight, ignore_index=ignore_index, reduction=reduction)


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
    """Return the cross entropy of ``target`` and ``softmax(input)``.

    Parameters
    ----------
    input
        Logits of shape (N, C), (C,) or (N, C, d1, ...).
    target
        Class indices, in the shape of the input without C; or probabilities in the shape of the input.
    weight
        A factor for each class.
    size_average, reduce
        torch's former way to choose the reduction.
    ignore_index
        Targets of this class do not count.
    reduction
        "none", "mean" or "sum".
    label_smoothing
        The share of the target that is spread evenly over the classes, from 0 to 1.

    Raises
    ------
    ShapeError, DtypeError, IndexError
        As ``nll_loss``.
    ArgumentError
        ``label_smoothing`` is not between 0 and 1, or ``ignore_index`` meets probabilities.
    """
    reduction = _choose_reduction(size_average, reduce, reduction)
    if not 0 <= label_smoothing <= 1:
        raise ArgumentError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    x, y = as_array(input), as_array(target)
    xp = namespace_of(x)
    axis = _class_axis("cross_entropy", x)
    classes = x.shape[axis]
    weight = _check_class_weight(weight, classes)
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
    y = _as_class_indices(x, y, axis)
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
