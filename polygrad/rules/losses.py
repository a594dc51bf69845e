"""Losses, each a single node: functions of each element, reduced, and the negative log-likelihood.

They are called through ``polygrad.nn.functional``, which has torch's signatures.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

from .declare import Op, linear, rule
from .helpers import weigh
from .vmap.alignment import DECOMPOSE


# -- losses of an element each --------------------------------------------------------------------------------------
def _reduce(xp: Any, x: Any, reduction: str) -> Any:
    if reduction == "none":
        return x
    if reduction == "sum":
        return xp.sum(x)
    return xp.mean(x) if math.prod(x.shape) else xp.sum(x) * math.nan  # the mean of nothing, without a warning


def loss(text: str, value: Callable[..., Any], *partials: Callable[..., Any] | None, **options: Any) -> Op:
    """Declare a loss that is a function of each element alone, and is reduced to its mean or sum, or not.

    ``value`` returns the losses; a partial is declared as for ``elementwise``. The losses have the shape of ``input``, and so have all
    inputs with a partial. Reverse and forward mode follow, each in one multiplication.
    """

    def vjp(partial: Callable[..., Any]) -> Callable[..., Any]:
        def pull(xp: Any, g: Any, *values: Any, reduction: str, **facts: Any) -> Any:
            local = partial(xp, *values, **facts)
            size = math.prod(local.shape)
            return local * (g / size if reduction == "mean" and size else g)

        return _with_signature(pull, partial)

    def jvp(partial: Callable[..., Any]) -> Callable[..., Any]:
        def push(xp: Any, t: Any, *values: Any, reduction: str, **facts: Any) -> Any:
            return _reduce(xp, t * partial(xp, *values, **facts), reduction)

        return _with_signature(push, partial)

    def default(xp: Any, *arrays: Any, reduction: str, **params: Any) -> Any:
        return _reduce(xp, value(xp, *arrays, **params), reduction)

    return rule(
        text,
        vjp=tuple([None if partial is None else vjp(partial) for partial in partials]),
        jvp=tuple([None if partial is None else jvp(partial) for partial in partials]),
        default=default,
        batch=DECOMPOSE,
        **options,
    )


def _with_signature(function: Callable[..., Any], partial: Callable[..., Any]) -> Callable[..., Any]:
    """Give ``function`` a signature with the parameters of the partial derivative and ``reduction``."""
    first, *rest = inspect.signature(partial).parameters.values()
    kinds = inspect.Parameter
    g = kinds("g", kinds.POSITIONAL_OR_KEYWORD)
    reduction = kinds("reduction", kinds.KEYWORD_ONLY)
    function.__signature__ = inspect.Signature([first, g, *rest, reduction])  # type: ignore[attr-defined]
    return function


def _bce_logits(xp: Any, input: Any, target: Any, weight: Any, pos_weight: Any) -> Any:
    """Return ``-pos_weight * target * log(sigmoid(x)) - (1 - target) * log(1 - sigmoid(x))``.

    The small term is added last, so that the small losses of confident right answers keep their relative accuracy.
    """
    small = xp.log1p(xp.exp(-xp.abs(input)))
    if pos_weight is None:
        return weigh(xp.maximum(input, 0.0) - input * target + small, weight)
    positive = pos_weight * target
    sides = (1 - target) * xp.maximum(input, 0.0) + positive * xp.maximum(-input, 0.0)
    return weigh(sides + (positive + 1 - target) * small, weight)


def _bce_logits_input(xp: Any, input: Any, target: Any, weight: Any, pos_weight: Any) -> Any:
    if pos_weight is None:
        return weigh(xp.sigmoid(input) - target, weight)
    positive = pos_weight * target
    return weigh((positive + 1 - target) * xp.sigmoid(input) - positive, weight)


def _bce_logits_target(xp: Any, input: Any, weight: Any, pos_weight: Any) -> Any:
    if pos_weight is None:
        return weigh(-input, weight)
    return weigh(xp.nn.logsigmoid(-input) - pos_weight * xp.nn.logsigmoid(input), weight)


def _log_bounded(xp: Any, x: Any, log: Callable[[Any], Any], zero: float) -> Any:
    """Return the logarithm of a probability, at least -100 as in torch: then one wrong certainty is not an infinite loss."""
    singular = x == zero
    safe = xp.where(singular, 0.5, x)
    return xp.where(singular, -100.0, xp.maximum(log(safe), -100.0))


def _bce(xp: Any, input: Any, target: Any, weight: Any) -> Any:
    right = _log_bounded(xp, input, xp.log, 0.0)
    wrong = _log_bounded(xp, input, lambda x: xp.log1p(-x), 1.0)
    return weigh((target - 1) * wrong - target * right, weight)


def _bce_input(xp: Any, input: Any, target: Any, weight: Any) -> Any:
    return weigh((input - target) / xp.maximum(input * (1 - input), 1e-12), weight)


def _huber(xp: Any, input: Any, target: Any, *, delta: float) -> Any:
    """Return ``0.5 * d**2`` up to delta, ``delta * (abs(d) - 0.5 * delta)`` above."""
    size = xp.abs(input - target)
    inner = xp.minimum(size, delta)
    return inner * (size - 0.5 * inner)


def _bound(xp: Any, d: Any, delta: float) -> Any:
    return xp.maximum(xp.minimum(d, delta), -delta)


binary_cross_entropy_with_logits = loss(
    "nn.binary_cross_entropy_with_logits(input, target, weight, pos_weight, /, *, reduction='mean')",
    _bce_logits,
    _bce_logits_input,
    _bce_logits_target,
    None,
    None,
    promote=True,
)
binary_cross_entropy = loss(
    "nn.binary_cross_entropy(input, target, weight, /, *, reduction='mean')",
    _bce,
    _bce_input,
    lambda xp, input, weight: weigh(xp.log1p(-input) - xp.log(input), weight),
    None,
    promote=True,
)
mse_loss = loss(
    "nn.mse_loss(input, target, /, *, reduction='mean')",
    lambda xp, input, target: xp.square(input - target),
    lambda xp, input, target: 2 * (input - target),
    lambda xp, input, target: 2 * (target - input),
    promote=True,
)
smooth_l1_loss = loss(
    "nn.smooth_l1_loss(input, target, /, *, reduction='mean', beta=1.0)",
    lambda xp, input, target, *, beta: _huber(xp, input, target, delta=beta) / beta,
    lambda xp, input, target, *, beta: _bound(xp, input - target, beta) / beta,
    lambda xp, input, target, *, beta: _bound(xp, target - input, beta) / beta,
    node="SmoothL1LossBackward0",
    promote=True,
)
huber_loss = loss(
    "nn.huber_loss(input, target, /, *, reduction='mean', delta=1.0)",
    _huber,
    lambda xp, input, target, *, delta: _bound(xp, input - target, delta),
    lambda xp, input, target, *, delta: _bound(xp, target - input, delta),
    promote=True,
)


# -- negative log-likelihood ----------------------------------------------------------------------------------------
def _class_axis(ndim: int) -> int:
    return 1 if ndim > 1 else 0


def _choices(
    xp: Any, target: Any, weight: Any, classes: int, dtype: Any, ignore_index: int, reduction: str
) -> tuple[Any, Any, Any, Any]:
    """Return a mask of the targets that count, an index and a weight for each, and the divisor of the sum of their losses.

    A negative target becomes one past the last class. So the library refuses it like any other that is too large, instead of counting from
    the end. Where the library does not look at indices, the weight makes the loss nan.
    """
    counts = target != ignore_index
    index = xp.where(counts, xp.where(target < 0, classes, target), 0)
    if weight is None:
        weights = xp.astype(counts, dtype)
    else:
        weights = xp.reshape(xp.take(weight, xp.reshape(index, (-1,)), axis=0), target.shape)
        weights = xp.where(counts, weights, 0.0)
    weights = xp.where(index >= classes, math.nan, weights)
    divisor = None
    if reduction == "mean":
        total = xp.sum(weights)
        divisor = xp.where(total == 0, math.nan, total)  # the mean of nothing, without a warning
    return counts, index, weights, divisor


def _nll(xp: Any, input: Any, target: Any, weight: Any, *, ignore_index: int, reduction: str) -> Any:
    axis = _class_axis(input.ndim)
    counts, index, weights, divisor = _choices(
        xp, target, weight, input.shape[axis], input.dtype, ignore_index, reduction
    )
    picked = xp.squeeze(xp.take_along_axis(input, xp.expand_dims(index, axis=axis), axis=axis), axis=axis)
    losses = xp.where(counts, -picked * weights, 0.0)
    if reduction == "none":
        return losses
    return xp.sum(losses) if divisor is None else xp.sum(losses) / divisor


def _nll_vjp(
    xp: Any, g: Any, target: Any, weight: Any, *, input_shape: tuple[int, ...], ignore_index: int, reduction: str
) -> Any:
    axis = _class_axis(len(input_shape))
    counts, index, weights, divisor = _choices(xp, target, weight, input_shape[axis], g.dtype, ignore_index, reduction)
    value = xp.where(counts, -weights * (g if divisor is None else g / divisor), 0.0)
    # The numbers of the rows are made from the target, so that they are on its device, and traced if it is.
    ones = xp.ones_like(index)
    rows = [xp.cumulative_sum(ones, axis=i) - 1 for i in range(target.ndim)]
    return xp.getitem_adjoint(value, key=(*rows[:axis], index, *rows[axis:]), shape=input_shape)


nll_loss = linear(
    "nn.nll_loss(input, target, weight, /, *, ignore_index=-100, reduction='mean')",
    transpose=(_nll_vjp, None, None),
    default=_nll,
    node=lambda payloads, params: "NllLoss2DBackward0" if payloads[0].ndim > 2 else "NllLossBackward0",
    promote=("input", "weight"),
    batch=DECOMPOSE,
)
