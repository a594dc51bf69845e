"""What neural networks are made of: activations, softmax, losses, normalisation, embedding; each a single node.

``relu``, ``sigmoid``, ``softmax`` and ``log_softmax`` are at the top level, as in torch; the rest is under ``nn.`` and
reached through ``polygrad.nn.functional``, which has torch's signatures. No library needs to have any of it: every
operation has a default.

Values at kinks are torch's: the derivative of relu at 0 is 0, that of leaky_relu and elu at 0 is the one from the left,
that of hardtanh at its bounds is 0.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

from .declare import Op, elementwise, linear, rule
from .helpers import log1p_exp, logistic

SQRT_HALF = math.sqrt(0.5)
INV_SQRT_2PI = 1 / math.sqrt(2 * math.pi)
GELU_SCALE = math.sqrt(2 / math.pi)
GELU_CUBIC = 0.044715
SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946
"""Of Klambauer et al., Self-Normalizing Neural Networks (2017): zero mean and unit variance are a fixed point."""


# -- activations --------------------------------------------------------------------------------------------------


def _elu(xp: Any, x: Any, alpha: float, scale: float = 1.0) -> Any:
    """``x`` where it is positive, ``alpha * scale * (exp(x / scale) - 1)`` elsewhere; minima cost less than selections."""
    return xp.maximum(x, 0.0) + (alpha * scale) * xp.expm1(xp.minimum(x, 0.0) / scale)


def _elu_slope(xp: Any, x: Any, alpha: float, scale: float = 1.0) -> Any:
    e = xp.exp(xp.minimum(x, 0.0) / scale)
    return e if alpha == 1 else alpha * e + (1 - alpha) * xp.astype(x > 0, x.dtype)


def _leaky_slope(xp: Any, x: Any, *, negative_slope: float) -> Any:
    positive = xp.astype(x > 0, x.dtype)
    return positive + negative_slope * (1 - positive)


def _gelu_inner(x: Any) -> Any:
    return GELU_SCALE * (x + GELU_CUBIC * (x * x * x))


def _gelu_tanh_partial(xp: Any, x: Any) -> Any:
    t = xp.tanh(_gelu_inner(x))
    return 0.5 * (1 + t) + 0.5 * GELU_SCALE * x * (1 - t * t) * (1 + 3 * GELU_CUBIC * (x * x))


def _silu_partial(xp: Any, x: Any) -> Any:
    s = xp.sigmoid(x)
    return s * (1 + x * (1 - s))


def _mish_partial(xp: Any, x: Any) -> Any:
    t = xp.tanh(-xp.nn.logsigmoid(-x))
    return t + x * xp.sigmoid(x) * (1 - t * t)


relu = elementwise(
    "relu",
    lambda xp, out: xp.astype(out != 0, out.dtype),  # so that nan stays nan, as in torch
    default=lambda xp, x: xp.maximum(x, 0),
)
sigmoid = elementwise("sigmoid", lambda xp, out: out * (1 - out), default=logistic)
logsigmoid = elementwise(
    "nn.logsigmoid",
    lambda xp, out: -xp.expm1(out),
    default=lambda xp, x: -log1p_exp(xp, -x),
    node="LogSigmoidBackward0",
)
silu = elementwise("nn.silu", _silu_partial, default=lambda xp, x: x * xp.sigmoid(x))
mish = elementwise("nn.mish", _mish_partial, default=lambda xp, x: x * xp.tanh(log1p_exp(xp, x)))
gelu = elementwise(
    "nn.gelu",
    lambda xp, x: 0.5 * (1 + xp.special.erf(x * SQRT_HALF)) + x * xp.exp(-0.5 * x * x) * INV_SQRT_2PI,
    default=lambda xp, x: 0.5 * x * (1 + xp.special.erf(x * SQRT_HALF)),
)
gelu_tanh = elementwise(
    "nn.gelu_tanh",
    _gelu_tanh_partial,
    default=lambda xp, x: 0.5 * x * (1 + xp.tanh(_gelu_inner(x))),
    node="GeluBackward0",
)
relu6 = elementwise(
    "nn.relu6",
    lambda xp, out: xp.astype((out > 0) & (out < 6), out.dtype),
    default=lambda xp, x: xp.minimum(xp.maximum(x, 0), 6),
    node="HardtanhBackward0",
)
selu = elementwise(
    "nn.selu",
    lambda xp, x: SELU_SCALE * _elu_slope(xp, x, SELU_ALPHA),
    default=lambda xp, x: SELU_SCALE * _elu(xp, x, SELU_ALPHA),
    node="EluBackward0",
)
elu = elementwise(
    "nn.elu(x, /, *, alpha=1.0)",
    lambda xp, x, *, alpha: _elu_slope(xp, x, alpha),
    default=lambda xp, x, *, alpha: _elu(xp, x, alpha),
)
celu = elementwise(
    "nn.celu(x, /, *, alpha=1.0)",
    lambda xp, x, *, alpha: _elu_slope(xp, x, 1.0, alpha),
    default=lambda xp, x, *, alpha: _elu(xp, x, 1.0, alpha),
)
leaky_relu = elementwise(
    "nn.leaky_relu(x, /, *, negative_slope=0.01)",
    _leaky_slope,
    default=lambda xp, x, *, negative_slope: xp.maximum(x, 0.0) + negative_slope * xp.minimum(x, 0.0),
)
hardtanh = elementwise(
    "nn.hardtanh(x, /, *, min_val=-1.0, max_val=1.0)",
    lambda xp, x, *, min_val, max_val: xp.astype((x > min_val) & (x < max_val), x.dtype),
    default=lambda xp, x, *, min_val, max_val: xp.minimum(xp.maximum(x, min_val), max_val),
)
softplus = elementwise(
    "nn.softplus(x, /, *, beta=1.0, threshold=20.0)",
    lambda xp, x, *, beta, threshold: xp.where(x * beta > threshold, 1.0, xp.sigmoid(x * beta)),
    default=lambda xp, x, *, beta, threshold: xp.where(x * beta > threshold, x, log1p_exp(xp, x * beta) / beta),
)


# -- softmax ------------------------------------------------------------------------------------------------------
def _axis(x: Any, axis: int) -> int | None:
    """The axis of a softmax; None for the only element of a 0-d array, which torch counts as an axis of one."""
    return None if x.ndim == 0 and axis in (0, -1) else axis


def _shifted(xp: Any, x: Any, axis: int) -> Any:
    """``x`` minus its maximum along the axis, so that no exponential overflows."""
    return x - xp.max(x, axis=_axis(x, axis), keepdims=True)


def _softmax(xp: Any, x: Any, *, axis: int) -> Any:
    if 0 in x.shape:
        return x
    e = xp.exp(_shifted(xp, x, axis))
    return e / xp.sum(e, axis=_axis(x, axis), keepdims=True)


def _log_softmax(xp: Any, x: Any, *, axis: int) -> Any:
    if 0 in x.shape:
        return x
    x = _shifted(xp, x, axis)
    return x - xp.log(xp.sum(xp.exp(x), axis=_axis(x, axis), keepdims=True))


def _softmax_product(xp: Any, g: Any, out: Any, *, axis: int) -> Any:
    """The Jacobian of softmax, which is symmetric, times ``g``."""
    weighted = g * out
    return weighted - out * xp.sum(weighted, axis=_axis(out, axis), keepdims=True)


softmax = rule("softmax(x, /, axis=-1)", vjp=_softmax_product, jvp=_softmax_product, default=_softmax)
log_softmax = rule(
    "log_softmax(x, /, axis=-1)",
    vjp=lambda xp, g, out, *, axis: g - xp.exp(out) * xp.sum(g, axis=_axis(out, axis), keepdims=True),
    jvp=lambda xp, t, out, *, axis: t - xp.sum(xp.exp(out) * t, axis=_axis(out, axis), keepdims=True),
    default=_log_softmax,
)


# -- losses of an element each --------------------------------------------------------------------------------------
def _reduced(xp: Any, x: Any, reduction: str) -> Any:
    if reduction == "none":
        return x
    if reduction == "sum":
        return xp.sum(x)
    return xp.mean(x) if math.prod(x.shape) else xp.sum(x) * math.nan  # the mean of nothing, without a warning


def loss(text: str, value: Callable[..., Any], *partials: Callable[..., Any] | None, **options: Any) -> Op:
    """A loss that is a function of each element alone, reduced to its mean or sum (or not): one node.

    ``value`` gives the losses; a partial is declared as for ``elementwise``. They are of the shape of ``input``, and so
    are all inputs that have a partial. Reverse and forward mode follow, each in one multiplication.
    """

    def vjp(partial: Callable[..., Any]) -> Callable[..., Any]:
        def pull(xp: Any, g: Any, *values: Any, reduction: str, **facts: Any) -> Any:
            local = partial(xp, *values, **facts)
            size = math.prod(local.shape)
            return local * (g / size if reduction == "mean" and size else g)

        return _signed(pull, partial)

    def jvp(partial: Callable[..., Any]) -> Callable[..., Any]:
        def push(xp: Any, t: Any, *values: Any, reduction: str, **facts: Any) -> Any:
            return _reduced(xp, t * partial(xp, *values, **facts), reduction)

        return _signed(push, partial)

    def default(xp: Any, *arrays: Any, reduction: str, **params: Any) -> Any:
        return _reduced(xp, value(xp, *arrays, **params), reduction)

    return rule(
        text,
        vjp=tuple([None if partial is None else vjp(partial) for partial in partials]),
        jvp=tuple([None if partial is None else jvp(partial) for partial in partials]),
        default=default,
        **options,
    )


def _signed(function: Callable[..., Any], partial: Callable[..., Any]) -> Callable[..., Any]:
    """``function`` with a signature that asks for what the partial derivative asks for, and for the reduction."""
    first, *rest = inspect.signature(partial).parameters.values()
    kinds = inspect.Parameter
    g = kinds("g", kinds.POSITIONAL_OR_KEYWORD)
    reduction = kinds("reduction", kinds.KEYWORD_ONLY)
    function.__signature__ = inspect.Signature([first, g, *rest, reduction])  # type: ignore[attr-defined]
    return function


def _weighted(x: Any, weight: Any) -> Any:
    return x if weight is None else x * weight


def _bce_logits(xp: Any, input: Any, target: Any, weight: Any, pos_weight: Any) -> Any:
    """``-pos_weight * target * log(sigmoid(x)) - (1 - target) * log(1 - sigmoid(x))``.

    The small term is added last, so that the small losses of confident right answers keep their relative accuracy.
    """
    small = xp.log1p(xp.exp(-xp.abs(input)))
    if pos_weight is None:
        return _weighted(xp.maximum(input, 0.0) - input * target + small, weight)
    positive = pos_weight * target
    sides = (1 - target) * xp.maximum(input, 0.0) + positive * xp.maximum(-input, 0.0)
    return _weighted(sides + (positive + 1 - target) * small, weight)


def _bce_logits_input(xp: Any, input: Any, target: Any, weight: Any, pos_weight: Any) -> Any:
    if pos_weight is None:
        return _weighted(xp.sigmoid(input) - target, weight)
    positive = pos_weight * target
    return _weighted((positive + 1 - target) * xp.sigmoid(input) - positive, weight)


def _bce_logits_target(xp: Any, input: Any, weight: Any, pos_weight: Any) -> Any:
    if pos_weight is None:
        return _weighted(-input, weight)
    return _weighted(xp.nn.logsigmoid(-input) - pos_weight * xp.nn.logsigmoid(input), weight)


def _log_bounded(xp: Any, x: Any, log: Callable[[Any], Any], zero: float) -> Any:
    """torch lets no logarithm of a probability go below -100, so that one wrong certainty is not an infinite loss."""
    singular = x == zero
    safe = xp.where(singular, 0.5, x)
    return xp.where(singular, -100.0, xp.maximum(log(safe), -100.0))


def _bce(xp: Any, input: Any, target: Any, weight: Any) -> Any:
    right = _log_bounded(xp, input, xp.log, 0.0)
    wrong = _log_bounded(xp, input, lambda x: xp.log1p(-x), 1.0)
    return _weighted((target - 1) * wrong - target * right, weight)


def _bce_input(xp: Any, input: Any, target: Any, weight: Any) -> Any:
    return _weighted((input - target) / xp.maximum(input * (1 - input), 1e-12), weight)


def _huber(xp: Any, input: Any, target: Any, *, delta: float) -> Any:
    """``0.5 * d**2`` up to delta, ``delta * (abs(d) - 0.5 * delta)`` above."""
    size = xp.abs(input - target)
    inner = xp.minimum(size, delta)
    return inner * (size - 0.5 * inner)


def _bounded(xp: Any, d: Any, delta: float) -> Any:
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
    lambda xp, input, weight: _weighted(xp.log1p(-input) - xp.log(input), weight),
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
    lambda xp, input, target, *, beta: _bounded(xp, input - target, beta) / beta,
    lambda xp, input, target, *, beta: _bounded(xp, target - input, beta) / beta,
    node="SmoothL1LossBackward0",
    promote=True,
)
huber_loss = loss(
    "nn.huber_loss(input, target, /, *, reduction='mean', delta=1.0)",
    _huber,
    lambda xp, input, target, *, delta: _bounded(xp, input - target, delta),
    lambda xp, input, target, *, delta: _bounded(xp, target - input, delta),
    promote=True,
)


# -- negative log-likelihood ----------------------------------------------------------------------------------------
def _class_axis(ndim: int) -> int:
    return 1 if ndim > 1 else 0


def _choices(
    xp: Any, target: Any, weight: Any, classes: int, dtype: Any, ignore_index: int, reduction: str
) -> tuple[Any, Any, Any, Any]:
    """Which targets count, an index for each, the weight of each, and what the sum of their losses is divided by.

    A negative target becomes one past the last class, so that the library refuses it like any other that is too large,
    instead of counting from the end. Where the library does not look at indices, the weight makes the loss nan.
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
    # The number of each row, made from the target itself so that it is on its device (and traced where it is).
    ones = xp.ones_like(index)
    rows = [xp.cumulative_sum(ones, axis=i) - 1 for i in range(target.ndim)]
    return xp.getitem_adjoint(value, key=(*rows[:axis], index, *rows[axis:]), shape=input_shape)


nll_loss = linear(
    "nn.nll_loss(input, target, weight, /, *, ignore_index=-100, reduction='mean')",
    transpose=(_nll_vjp, None, None),
    default=_nll,
    node=lambda payloads, params: "NllLoss2DBackward0" if payloads[0].ndim > 2 else "NllLossBackward0",
    promote=("input", "weight"),
)


# -- normalisation and embedding --------------------------------------------------------------------------------------
def _standardized(xp: Any, x: Any, axes: tuple[int, ...], eps: float) -> tuple[Any, Any]:
    """``x`` with mean 0 and variance 1 over the axes, and what it was divided by, inverted."""
    centered = x - xp.mean(x, axis=axes, keepdims=True)
    scale = 1 / xp.sqrt(xp.mean(centered * centered, axis=axes, keepdims=True) + eps)
    return centered * scale, scale


def _layer_norm(xp: Any, input: Any, weight: Any, bias: Any, *, axes: tuple[int, ...], eps: float) -> Any:
    out = _weighted(_standardized(xp, input, axes, eps)[0], weight)
    return out if bias is None else out + bias


def _layer_norm_tangent(xp: Any, t: Any, normal: Any, scale: Any, axes: tuple[int, ...]) -> Any:
    """The Jacobian of standardizing, which is symmetric, times ``t``: what changes mean or variance is taken out."""
    along = xp.mean(t * normal, axis=axes, keepdims=True)
    return scale * (t - xp.mean(t, axis=axes, keepdims=True) - normal * along)


def _layer_norm_vjp(
    xp: Any, g: Any, input: Any, weight: Any, *, axes: tuple[int, ...], eps: float, needs: tuple[bool, ...]
) -> tuple[Any, ...]:
    parts: list[Any] = [None, None, None]
    batch = tuple(range(g.ndim - len(axes)))
    if needs[0] or needs[1]:
        normal, scale = _standardized(xp, input, axes, eps)
        if needs[0]:
            parts[0] = _layer_norm_tangent(xp, _weighted(g, weight), normal, scale, axes)
        if needs[1]:
            parts[1] = xp.sum(g * normal, axis=batch) if batch else g * normal
    if needs[2]:
        parts[2] = xp.sum(g, axis=batch) if batch else g
    return tuple(parts)


def _layer_norm_jvp(xp: Any, tangents: Any, input: Any, weight: Any, *, axes: tuple[int, ...], eps: float) -> Any:
    of_input, of_weight, of_bias = tangents
    terms = []
    normal, scale = _standardized(xp, input, axes, eps)
    if of_input is not None:
        terms.append(_weighted(_layer_norm_tangent(xp, of_input, normal, scale, axes), weight))
    if of_weight is not None:
        terms.append(normal * of_weight)
    if of_bias is not None:
        terms.append(of_bias)
    out = terms[0]
    for term in terms[1:]:
        out = out + term
    return out


layer_norm = rule(
    "nn.layer_norm(input, weight, bias, /, *, axes, eps=1e-05)",
    vjp=_layer_norm_vjp,
    jvp=_layer_norm_jvp,
    default=_layer_norm,
    node="NativeLayerNormBackward0",
    promote=True,
)
"""Ba, Kiros and Hinton, Layer Normalization (2016). ``axes`` are the last ones; weight and bias have their shape."""


def _embedding(xp: Any, weight: Any, indices: Any, *, padding_idx: int, scale_grad_by_freq: bool) -> Any:
    rows = xp.take(weight, xp.reshape(indices, (-1,)), axis=0)
    return xp.reshape(rows, (*indices.shape, *weight.shape[1:]))


def _trained(xp: Any, rows: Any, indices: Any, padding_idx: int) -> Any:
    """The rows, with zeros in those of the padding index, which is not trained."""
    if padding_idx < 0:
        return rows
    return xp.where(xp.expand_dims(indices == padding_idx, axis=-1), 0.0, rows)


def _embedding_vjp(
    xp: Any, g: Any, indices: Any, *, weight_shape: tuple[int, ...], padding_idx: int, scale_grad_by_freq: bool
) -> Any:
    g = _trained(xp, g, indices, padding_idx)
    if scale_grad_by_freq:
        ones = xp.astype(xp.ones_like(indices), g.dtype)
        counts = xp.getitem_adjoint(ones, key=indices, shape=weight_shape[:1])
        often = xp.reshape(xp.take(counts, xp.reshape(indices, (-1,)), axis=0), indices.shape)
        g = g / xp.expand_dims(often, axis=-1)
    return xp.getitem_adjoint(g, key=indices, shape=weight_shape)


embedding = rule(
    "nn.embedding(weight, indices, /, *, padding_idx=-1, scale_grad_by_freq=False)",
    vjp=(_embedding_vjp, None),
    jvp=(
        lambda xp, t, indices, *, padding_idx: _trained(xp, xp.nn.embedding(t, indices), indices, padding_idx),
        None,
    ),
    default=_embedding,
)
"""Rows of a table. The row of ``padding_idx`` (negative: none) gets no gradient."""
