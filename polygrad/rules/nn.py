"""Activations, softmax, normalisation and embedding of neural networks, each a single node; ``losses`` has the losses.

``relu``, ``sigmoid``, ``softmax`` and ``log_softmax`` are at the top level, as in torch. The rest is under ``nn.``, and called through
``polygrad.nn.functional``, which has torch's signatures. Every operation has a default, so no library needs to have any of them.

Values at kinks are torch's: the derivative of relu at 0 is 0, that of leaky_relu and elu at 0 is the one from the left, that of hardtanh
at its bounds is 0.
"""

from __future__ import annotations

import math
from typing import Any

from .declare import elementwise, rule
from .helpers import log1p_exp, logistic, weigh
from .vmap import forms
from .vmap.alignment import Run, add_batch, align, example_ndim, shift_axes

SQRT_HALF = math.sqrt(0.5)
INV_SQRT_2PI = 1 / math.sqrt(2 * math.pi)
GELU_SCALE = math.sqrt(2 / math.pi)
GELU_CUBIC = 0.044715
SELU_ALPHA = 1.6732632423543772848170429916717
# The constants of Klambauer et al., Self-Normalizing Neural Networks (2017): zero mean and unit variance are a fixed point.
SELU_SCALE = 1.0507009873554804934193349852946


# -- activations --------------------------------------------------------------------------------------------------


def _elu(xp: Any, x: Any, alpha: float, scale: float = 1.0) -> Any:
    """Return ``x`` where it is positive, and ``alpha * scale * (exp(x / scale) - 1)`` elsewhere. Minima cost less than selections."""
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
    methods="relu relu_",
)
sigmoid = elementwise("sigmoid", lambda xp, out: out * (1 - out), default=logistic, methods="sigmoid sigmoid_")
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
def _softmax_axis(x: Any, axis: int) -> int | None:
    """Return the axis of a softmax; None for a 0-d array, whose only element torch counts as an axis of one."""
    return None if x.ndim == 0 and axis in (0, -1) else axis


def _subtract_max(xp: Any, x: Any, axis: int) -> Any:
    """Return ``x`` minus its maximum along the axis, so that no exponential overflows."""
    return x - xp.max(x, axis=_softmax_axis(x, axis), keepdims=True)


def _softmax(xp: Any, x: Any, *, axis: int) -> Any:
    if 0 in x.shape:
        return x
    e = xp.exp(_subtract_max(xp, x, axis))
    return e / xp.sum(e, axis=_softmax_axis(x, axis), keepdims=True)


def _log_softmax(xp: Any, x: Any, *, axis: int) -> Any:
    if 0 in x.shape:
        return x
    x = _subtract_max(xp, x, axis)
    return x - xp.log(xp.sum(xp.exp(x), axis=_softmax_axis(x, axis), keepdims=True))


def _softmax_product(xp: Any, g: Any, out: Any, *, axis: int) -> Any:
    """Multiply ``g`` by the Jacobian of softmax, which is symmetric."""
    weighted = g * out
    return weighted - out * xp.sum(weighted, axis=_softmax_axis(out, axis), keepdims=True)


softmax = rule(
    "softmax(x, /, axis=-1)",
    vjp=_softmax_product,
    jvp=_softmax_product,
    default=_softmax,
    batch=forms.along,
    methods="softmax",
)
log_softmax = rule(
    "log_softmax(x, /, axis=-1)",
    vjp=lambda xp, g, out, *, axis: g - xp.exp(out) * xp.sum(g, axis=_softmax_axis(out, axis), keepdims=True),
    jvp=lambda xp, t, out, *, axis: t - xp.sum(xp.exp(out) * t, axis=_softmax_axis(out, axis), keepdims=True),
    default=_log_softmax,
    batch=forms.along,
    methods="log_softmax",
)


# -- normalisation and embedding --------------------------------------------------------------------------------------
def _standardize(xp: Any, x: Any, axes: tuple[int, ...], eps: float) -> tuple[Any, Any]:
    """Return ``x`` scaled to mean 0 and variance 1 over the axes, and the factor of the scaling."""
    centered = x - xp.mean(x, axis=axes, keepdims=True)
    scale = 1 / xp.sqrt(xp.mean(centered * centered, axis=axes, keepdims=True) + eps)
    return centered * scale, scale


def _layer_norm(xp: Any, input: Any, weight: Any, bias: Any, *, axes: tuple[int, ...], eps: float) -> Any:
    out = weigh(_standardize(xp, input, axes, eps)[0], weight)
    return out if bias is None else out + bias


def _layer_norm_tangent(xp: Any, t: Any, normal: Any, scale: Any, axes: tuple[int, ...]) -> Any:
    """Multiply ``t`` by the Jacobian of standardizing, which is symmetric: the changes of mean and variance are taken out."""
    along = xp.mean(t * normal, axis=axes, keepdims=True)
    return scale * (t - xp.mean(t, axis=axes, keepdims=True) - normal * along)


def _layer_norm_vjp(
    xp: Any, g: Any, input: Any, weight: Any, *, axes: tuple[int, ...], eps: float, needs: tuple[bool, ...]
) -> tuple[Any, ...]:
    parts: list[Any] = [None, None, None]
    batch = tuple(range(g.ndim - len(axes)))
    if needs[0] or needs[1]:
        normal, scale = _standardize(xp, input, axes, eps)
        if needs[0]:
            parts[0] = _layer_norm_tangent(xp, weigh(g, weight), normal, scale, axes)
        if needs[1]:
            parts[1] = xp.sum(g * normal, axis=batch) if batch else g * normal
    if needs[2]:
        parts[2] = xp.sum(g, axis=batch) if batch else g
    return tuple(parts)


def _layer_norm_jvp(xp: Any, tangents: Any, input: Any, weight: Any, *, axes: tuple[int, ...], eps: float) -> Any:
    of_input, of_weight, of_bias = tangents
    terms = []
    normal, scale = _standardize(xp, input, axes, eps)
    if of_input is not None:
        terms.append(weigh(_layer_norm_tangent(xp, of_input, normal, scale, axes), weight))
    if of_weight is not None:
        terms.append(normal * of_weight)
    if of_bias is not None:
        terms.append(of_bias)
    out = terms[0]
    for term in terms[1:]:
        out = out + term
    return out


def _batch_layer_norm(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    x, weight, bias = arrays
    ndim = example_ndim(x, mapped[0])
    if mapped[0]:
        params = {**params, "axes": shift_axes(run, tuple(params["axes"]), ndim)}
    if not mapped[1] and not mapped[2]:
        return run(x, weight, bias, **params)
    out = run(x, None, None, **params)
    out = out if weight is None else run.xp.multiply(*align(run, (out, weight), (mapped[0], mapped[1])))
    if bias is None:
        return out
    return run.xp.add(*align(run, (out, bias), (mapped[0] or mapped[1], mapped[2])))


layer_norm = rule(
    "nn.layer_norm(input, weight, bias, /, *, axes, eps=1e-05)",
    vjp=_layer_norm_vjp,
    jvp=_layer_norm_jvp,
    default=_layer_norm,
    node="NativeLayerNormBackward0",
    promote=True,
    batch=_batch_layer_norm,
    doc="Layer normalisation (Ba, Kiros and Hinton, 2016). ``axes`` are the last ones; weight and bias have their shape.",
)


def _embedding(xp: Any, weight: Any, indices: Any, *, padding_idx: int, scale_grad_by_freq: bool) -> Any:
    rows = xp.take(weight, xp.reshape(indices, (-1,)), axis=0)
    return xp.reshape(rows, (*indices.shape, *weight.shape[1:]))


def _mask_padding(xp: Any, rows: Any, indices: Any, padding_idx: int) -> Any:
    """Return the rows, with zeros in those of the padding index, which is not trained."""
    if padding_idx < 0:
        return rows
    return xp.where(xp.expand_dims(indices == padding_idx, axis=-1), 0.0, rows)


def _embedding_vjp(
    xp: Any, g: Any, indices: Any, *, weight_shape: tuple[int, ...], padding_idx: int, scale_grad_by_freq: bool
) -> Any:
    g = _mask_padding(xp, g, indices, padding_idx)
    if scale_grad_by_freq:
        ones = xp.astype(xp.ones_like(indices), g.dtype)
        counts = xp.getitem_adjoint(ones, key=indices, shape=weight_shape[:1])
        often = xp.reshape(xp.take(counts, xp.reshape(indices, (-1,)), axis=0), indices.shape)
        g = g / xp.expand_dims(often, axis=-1)
    return xp.getitem_adjoint(g, key=indices, shape=weight_shape)


def _batch_embedding(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    weight, indices = arrays
    if params["scale_grad_by_freq"]:  # the frequency counts in each example alone
        return NotImplemented
    if not mapped[0]:
        return run(weight, indices, **params)
    xp = run.xp
    if params["padding_idx"] >= 0:
        return NotImplemented
    # The tables of the batch, one below the other, are one table.
    length = weight.shape[1]
    indices = add_batch(run, indices, mapped[1])
    starts = xp.arange(run.size, dtype=indices.dtype, device=indices.device) * length
    indices = indices + xp.reshape(starts, (run.size, *(1,) * (indices.ndim - 1)))
    return run(xp.reshape(weight, (run.size * length, *weight.shape[2:])), indices, **params)


embedding = rule(
    "nn.embedding(weight, indices, /, *, padding_idx=-1, scale_grad_by_freq=False)",
    vjp=(_embedding_vjp, None),
    jvp=(
        lambda xp, t, indices, *, padding_idx: _mask_padding(xp, xp.nn.embedding(t, indices), indices, padding_idx),
        None,
    ),
    default=_embedding,
    batch=_batch_embedding,
    doc="Rows of a table. The row of ``padding_idx`` gets no gradient; a negative number means that there is no such row.",
)
