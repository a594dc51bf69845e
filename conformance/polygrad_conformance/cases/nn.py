"""What neural networks are made of: the nodes under ``nn.``, and the functions of polygrad.nn.functional."""

from __future__ import annotations

from typing import Any

import numpy as np

from .case import SampleFunction, case
from .samples import A, I, R, both, calls, unary

REAL = ("float64",)
_CLASSES = I(0, 3, 1)
_POSITIVE: dict[str, Any] = {"low": 0.2, "high": 2}
_SHARE: dict[str, Any] = {"low": 0.05, "high": 0.95}

# name: interval, kinks, parameters to run with
_activations: dict[str, tuple[tuple[float, ...], tuple[dict[str, Any], ...]]] = {
    "logsigmoid": ((), ({},)),
    "silu": ((0.0,), ({},)),
    "mish": ((0.0,), ({},)),
    "gelu": ((0.0,), ({},)),
    "relu6": ((0.0, 6.0), ({},)),
    "selu": ((0.0,), ({},)),
    "elu": ((0.0,), ({}, {"alpha": 1.7})),
    "celu": ((0.0,), ({}, {"alpha": 0.5})),
    "leaky_relu": ((0.0,), ({}, {"negative_slope": 0.3})),
    "hardtanh": ((-1.0, 1.0), ({}, {"min_val": -0.4, "max_val": 1.5})),
    "softplus": ((), ({}, {"beta": 2.5, "threshold": 4.0})),
}
_FAR = (-200.0, -30.0, 25.0, 150.0)
case(
    "relu",
    "torch.relu",
    unary(-2, 2, kinks=(0.0, -0.0), extremes=(-1e300, 1e300)),
    dtypes=REAL,
    note="The derivative at 0 is 0.",
)
case("sigmoid", "torch.sigmoid", unary(extremes=_FAR))
for _name, (_kinks, _params) in _activations.items():
    _samples = both(*[unary(-3.1, 2.9, kinks=_kinks, extremes=_FAR, **params) for params in _params])
    _given = "".join(f", {key}={key}" for key in _params[-1])
    case(f"nn.{_name}", f"F.{_name}(x{_given})", _samples, dtypes=REAL)
    case(f"nn.functional.{_name}", f"F.{_name}", _samples, dtypes=REAL)
case("nn.gelu_tanh", "F.gelu(x, approximate='tanh')", unary(-3, 3, kinks=(0.0,)), dtypes=REAL)
for _name in ("relu", "sigmoid", "tanh"):
    case(f"nn.functional.{_name}", f"F.{_name}", unary(kinks=(0.0,) if _name == "relu" else ()), dtypes=REAL)

_soft = both(
    calls((A(2, 3), 0), (A(2, 3), -1), (A(), 0), (A(0, 3), 1), (A(0, 3), 0), (A(2, 3, 2), 1)),
    calls((R([[800.0, 0.0, -900.0]]), 1, {"_kind": "extreme"})),
)
for _name in ("softmax", "log_softmax"):
    case(_name, f"torch.{_name}(x, axis)", _soft, dtypes=REAL)
for _name in ("softmax", "log_softmax", "softmin"):
    case(f"nn.functional.{_name}", f"F.{_name}(input, dim)", _soft, dtypes=REAL)

# -- losses -----------------------------------------------------------------------------------------------------------
_reductions = ("none", "mean", "sum")


def _losses(*items: tuple[Any, ...]) -> SampleFunction:
    return calls(
        *[
            (*item[:-1], {**item[-1], "reduction": kind})
            if isinstance(item[-1], dict)
            else (*item, {"reduction": kind})
            for item in items
            for kind in _reductions
        ]
    )


_two = ((A(3, 4), A(3, 4)), (A(), A()), (A(0, 4), A(0, 4)))
for _name, _option, _value in (
    ("mse_loss", "", 0.0),
    ("smooth_l1_loss", "beta", 0.3),
    ("huber_loss", "delta", 0.5),
    ("l1_loss", "", 0.0),
):
    _items = [*_two, *([(A(3, 4), A(3, 4), {_option: _value})] if _option else [])]
    _joints = calls(*[(R([d]), R([0.0]), {"_kind": "kink"}) for d in (-1.0, 0.0, 1.0)])
    if _name != "l1_loss":
        _given = f", {_option}={_option}" if _option else ""
        case(
            f"nn.{_name}",
            f"F.{_name}(input, target, reduction=reduction{_given})",
            both(_losses(*_items), _joints),
            dtypes=REAL,
        )
    _weighted = calls(
        (A(3, 4), A(3, 4), {"weight": A(3, 4, **_POSITIVE)}),
        (A(3, 4), A(3, 4), {"weight": A(3, 4, **_POSITIVE), "reduction": "sum"}),
    )
    case(
        f"nn.functional.{_name}",
        f"F.{_name}",
        both(_losses(*_items), _joints, *([] if _name == "smooth_l1_loss" else [_weighted])),
        dtypes=REAL,
    )
_logits = (
    (A(3, 4), A(3, 4, **_SHARE)),
    (A(), A(**_SHARE)),
    (A(0, 4), A(0, 4)),
    (A(3, 4), A(3, 4, **_SHARE), A(3, 4, **_POSITIVE)),
    (A(3, 4), A(3, 4, **_SHARE), A(4, **_POSITIVE)),
)
case(
    "nn.functional.binary_cross_entropy_with_logits",
    "F.binary_cross_entropy_with_logits(input, target, weight, reduction=reduction, pos_weight=pos_weight)",
    both(
        _losses(*[(*item, {"_constant": ("weight",)}) for item in _logits]),
        calls((A(3, 4), A(3, 4, **_SHARE), {"pos_weight": A(4, **_POSITIVE), "_constant": ("pos_weight",)})),
        calls((R([-800.0, 40.0, 900.0]), R([1.0, 0.0, 0.0]), {"reduction": "none", "_kind": "extreme"})),
    ),
    dtypes=REAL,
)
case(
    "nn.binary_cross_entropy_with_logits",
    "F.binary_cross_entropy_with_logits(input, target, weight, reduction=reduction, pos_weight=pos_weight)",
    _losses(
        (A(3, 4), A(3, 4, **_SHARE), None, None),
        (A(3, 4), A(3, 4, **_SHARE), A(3, 4, **_POSITIVE), A(4, **_POSITIVE), {"_constant": ("weight", "pos_weight")}),
    ),
    dtypes=REAL,
)
_bce = (
    (A(3, 4, **_SHARE), A(3, 4, **_SHARE), None),
    (A(3, 4, **_SHARE), A(3, 4, **_SHARE), A(3, 4, **_POSITIVE), {"_constant": ("weight",)}),
)
case(
    "nn.binary_cross_entropy",
    "F.binary_cross_entropy(input, target, weight, reduction=reduction)",
    _losses(*_bce),
    dtypes=REAL,
    tolerance={"reverse_over_reverse": 1e-9, "forward_over_reverse": 1e-9},
    reason="torch adds 1e-12 to denominators in its second derivative",
)
case(
    "nn.functional.binary_cross_entropy",
    "F.binary_cross_entropy(input, target, weight, reduction=reduction)",
    _losses(*_bce),
    dtypes=REAL,
    tolerance={"reverse_over_reverse": 1e-9, "forward_over_reverse": 1e-9},
    reason="torch adds 1e-12 to denominators in its second derivative",
)
case(
    "nn.functional.kl_div",
    "F.kl_div(input, target, reduction=reduction, log_target=log_target)",
    both(
        _losses((A(3, 4), A(3, 4, **_SHARE)), (A(3, 4), A(3, 4), {"log_target": True})),
        calls(
            (A(3, 4), A(3, 4, **_SHARE), {"reduction": "batchmean"}),
            (A(2), R([0.0, 1.0]), {"reduction": "sum", "_constant": ("target",)}),
        ),
    ),
    dtypes=REAL,
)
_classified = (
    (A(3, 4), _CLASSES),
    (A(4), I(np.asarray(2))),
    (A(2, 4, 3), I([0, 3, 1], [2, 2, 0])),
    (A(3, 4), I(0, -100, 1)),
    (A(3, 4), _CLASSES, {"ignore_index": 3}),
    (A(3, 4), _CLASSES, {"weight": A(4, **_POSITIVE), "_constant": ("weight",)}),
)
case(
    "nn.functional.nll_loss",
    "F.nll_loss(input, target, weight, ignore_index=ignore_index, reduction=reduction)",
    _losses(*_classified),
    dtypes=REAL,
)
case(
    "nn.nll_loss",
    "F.nll_loss(input, target, weight, ignore_index=ignore_index, reduction=reduction)",
    _losses((A(3, 4), _CLASSES, None), (A(3, 4), _CLASSES, A(4, **_POSITIVE), {"_constant": ("weight",)})),
    dtypes=REAL,
)
case(
    "nn.functional.cross_entropy",
    "F.cross_entropy(input, target, weight, ignore_index=ignore_index, reduction=reduction, label_smoothing=label_smoothing)",
    both(
        _losses(*_classified),
        _losses((A(3, 4), _CLASSES, {"label_smoothing": 0.2}), (A(3, 4), A(3, 4, **_SHARE))),
        calls((A(3, 4), _CLASSES, {"weight": A(4, **_POSITIVE), "label_smoothing": 0.1, "_constant": ("weight",)})),
    ),
    dtypes=REAL,
)

# -- layers -----------------------------------------------------------------------------------------------------------
case(
    "nn.layer_norm",
    "F.layer_norm(input, [input.shape[i] for i in axes], weight, bias, eps)",
    calls(
        (A(3, 4), A(4), A(4), {"axes": (-1,)}),
        (A(3, 4), None, None, {"axes": (-1,)}),
        (A(2, 3, 4), A(3, 4), None, {"axes": (-2, -1), "eps": 1e-3}),
    ),
    dtypes=REAL,
)
case(
    "nn.functional.layer_norm",
    "F.layer_norm",
    calls(
        (A(3, 4), (4,)),
        (A(3, 4), (4,), A(4), A(4)),
        (A(2, 3, 4), (3, 4), A(3, 4), A(3, 4), 1e-3),
        (A(3, 4), [4], None, A(4)),
    ),
    dtypes=REAL,
)
case(
    "nn.embedding",
    "F.embedding(indices, weight, padding_idx if padding_idx >= 0 else None, scale_grad_by_freq=scale_grad_by_freq)",
    calls(
        (A(5, 3), I(0, 2, 2)),
        (A(5, 3), I([0, 4], [1, 0]), {"padding_idx": 0, "_kind": "convention"}),
        (A(5, 3), I(1, 1, 2), {"scale_grad_by_freq": True, "_kind": "convention"}),
    ),
    dtypes=REAL,
)
case(
    "nn.functional.embedding",
    "F.embedding",
    calls(
        (I(0, 2, 2), A(5, 3)),
        (I([0, 4], [1, 0]), A(5, 3), 0, {"_kind": "convention"}),
        (I(np.asarray(2)), A(3, 2), -1, {"_kind": "convention"}),
    ),
    dtypes=REAL,
)
case(
    "nn.functional.linear",
    "F.linear(*references.given(input, weight, bias))",
    calls(
        (A(2, 3), A(4, 3)),
        (A(2, 3), A(4, 3), A(4)),
        (A(3), A(4, 3), A(4)),
        (A(2, 2, 3), A(4, 3), A(4)),
        (A(2, 3), A(3)),
    ),
)
case(
    "nn.functional.cosine_similarity",
    "F.cosine_similarity(x1, x2, dim, eps)",
    calls((A(3, 4), A(3, 4)), (A(3, 4), A(4), -1), (A(3, 4), A(3, 4), 0)),
    dtypes=REAL,
)
case(
    "nn.functional.normalize",
    "F.normalize(input, p, dim, eps)",
    calls((A(3, 4),), (A(3, 4), 1.0, 0), (A(2, 3, 4), 3.0, -1)),
    dtypes=REAL,
)
case("nn.functional.one_hot", "F.one_hot", calls((I(0, 2, 1),), (I([0, 1], [1, 3]), 5)), dtypes=("int64",), orders=0)
case(
    "nn.functional.dropout",
    "F.dropout",
    calls((A(2, 3), 0.5, False), (A(2, 3), 0.0), (A(2, 3), 1.0)),
    note="Random elsewhere: the tests of polygrad.nn look at that.",
)
