"""Order statistics, moments, histograms."""

from __future__ import annotations

import math

from .case import case
from .samples import A, I, R, both, calls

REAL = ("float64",)
TIES = {"_kind": "kink", "_note": "ties"}

case(
    "kthvalue",
    "torch.kthvalue(x, k, axis, keepdims)",
    calls((A(5), 2), (A(2, 4), 1, 1, True), (A(3, 2), 3, 0), (A(), 1)),
    dtypes=REAL,
)
case(
    "mode",
    "torch.mode(x, axis, keepdims)",
    calls((R([1.0, 2.0, 2.0, 3.0]),), (R([[1.0, 1.0, 2.0], [3.0, 2.0, 3.0]]), 1, True)),
    dtypes=REAL,
    without=dict.fromkeys(("numeric", "vmap"), "the mode of numbers that move apart is another one"),
)
case(
    "median_along",
    "(torch.nanmedian if ignore_nan else torch.median)(x, axis, keepdims)",
    calls((A(5), False), (A(2, 4), True, 1, True), (A(3, 2), False, 0)),
    dtypes=REAL,
)
case(
    "median_value",
    "(torch.nanmedian if ignore_nan else torch.median)(x)",
    calls((A(5), {"ignore_nan": False}), (A(2, 4), {"ignore_nan": True})),
    dtypes=REAL,
)
for _name in ("median", "nanmedian"):
    case(
        _name,
        f"torch.{_name}(x) if axis is None else torch.{_name}(x, axis, keepdims)",
        both(
            calls((A(5),), (A(2, 4), 1), (A(3, 2), 0, True)),
            calls((R([1.0, 2.0, 2.0]), TIES), (R([1.0, math.nan, 3.0]), {"_kind": "value"})),
            calls((A(3, 4),), (A(2, 3, 4), -2, True), (A(),), (A(), 0)),
        ),
        dtypes=REAL,
    )
case(
    "topk",
    "torch.topk(x, k, axis, largest, sorted)",
    calls(
        *[(A(5), 2), (A(2, 4), 3, 1), (A(4, 2), 2, 0, False)],
        *[(A(3, 4), 2, 0), (A(2, 3, 5), 2, -2, False), (A(2, 3, 5), 0, 1), (A(), 1)],
    ),
    dtypes=REAL,
)
case(
    "aminmax",
    "references.aminmax(x, axis, keepdims)",
    both(
        calls((A(5),), (A(2, 3), {"axis": 1}), (A(2, 3), {"axis": 0, "keepdims": True})),
        calls((R([1.0, 2.0, 2.0]), {"axis": 0, **TIES})),
        calls((A(3, 4),), (A(2, 3, 5), {"axis": -2, "keepdims": True})),
    ),
    dtypes=REAL,
)
Q = R([0.15, 0.55, 0.9])
for _name in ("quantile", "nanquantile"):
    case(
        _name,
        f"references.quantile(torch.{_name}, x, q, axis, keepdims, interpolation)",
        calls(
            (A(5), 0.3), (A(2, 4), 0.6, 1), (A(2, 4), 0.6, 0, True), (A(5), R([0.1, 0.5, 0.9]), {"_constant": ("q",)}),
            *[(A(5), 0.33, {"interpolation": kind}) for kind in ("lower", "higher", "midpoint", "nearest")],
            (A(3, 4), 0.0, 0), (A(3, 4), 1.0, 0), (A(2, 3, 5), 0.7, 1, True), (A(2, 3, 5), 0.7, None, True), (A(), 0.3), (A(7), Q),
            (A(2, 3, 5), Q, -1), (A(2, 3, 5), Q, 1, True), (A(2, 3, 5), R(0.35), 2),
            *[(A(3, 4), 0.35, 1, {"interpolation": kind}) for kind in ("lower", "higher", "midpoint", "nearest")],
            *[(A(3, 4), Q, 0, {"interpolation": kind}) for kind in ("lower", "higher", "midpoint", "nearest")],
        ),
        dtypes=REAL,
    )  # fmt: skip
_nans = (R([[1.0, math.nan, 2.0], [0.5, 1.5, math.nan]]), {"axis": 1, "_kind": "kink"})
case(
    "nansum",
    "torch.nansum(x, dim=axis, keepdim=keepdims)",
    calls(
        (A(2, 3),), (A(2, 3), {"axis": 0, "keepdims": True}), _nans, (A(2, 3, 4), {"axis": (0, 2), "keepdims": True})
    ),
    dtypes=REAL,
)
case(
    "nanmean",
    "torch.nanmean(x, dim=axis, keepdim=keepdims)",
    calls(
        *[(A(2, 3),), (A(2, 3), {"axis": 0, "keepdims": True}), _nans],
        *[(A(2, 3, 5), {"axis": -1}), (A(2, 3, 5), {"axis": (0, 1)})],
    ),
    dtypes=REAL,
)
for _name in ("var_mean", "std_mean"):
    case(
        _name,
        f"torch.{_name}(x, dim=references.axes_of(x, axis), correction=correction, keepdim=keepdims)",
        calls((A(2, 3),), (A(2, 3), {"axis": 1}), (A(2, 3), {"axis": (0, 1), "correction": 0, "keepdims": True})),
    )
case(
    "cov",
    "references.cov(x, correction, fweights, aweights)",
    calls(
        (A(3, 4),),
        (A(4),),
        (A(2, 4), {"correction": 0}),
        (A(2, 3), {"aweights": I(0.5, 1.0, 2.0, dtype="float64"), "_constant": ("aweights",)}),
        (
            A(3, 5),
            {"correction": 0.5, "fweights": I(1, 2, 1, 3, 2), "aweights": A(5, low=0.3, high=1.0, dtype="float64")},
        ),
    ),
)
case("corrcoef", "torch.corrcoef(x)", calls((A(3, 4),), (A(4),), (A(3, 5),)))
case("histc", "torch.histc(x, bins, min, max)", calls((A(10), 4), (A(10), 4, -1, 1)), dtypes=REAL, orders=0)
case(
    "histogram",
    "references.histogram(x, bins, range, weight, density)",
    calls(
        (A(10), R([-2.0, 0.0, 1.0, 2.0]), {"_constant": ("bins",)}),
        (A(10), 5, {"range": (-2.0, 2.0)}),
        (A(10), 5, {"range": (-2.0, 2.0), "density": True}),
    ),
    dtypes=REAL,
    orders=0,
)
