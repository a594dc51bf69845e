"""Sums, products, extrema, norms and running reductions."""

from __future__ import annotations

import math

from .case import case
from .samples import A, R, both, calls, real_only, reduction

REAL = ("float64",)

case(
    "sum",
    "torch.sum(x, dim=axis, keepdim=keepdims, dtype=references.dtype_of(dtype))",
    both(reduction(), calls((A(2, 3), {"dtype": "complex128"}))),
)
case("mean", "torch.mean(x, dim=axis, keepdim=keepdims)", reduction(empty=False))
case(
    "prod",
    "references.prod(x, axis, keepdims)",
    reduction(zeros=True),
    note="Right also where one factor is 0, or several are.",
)
for _name in ("max", "min"):
    case(
        _name,
        f"torch.a{_name}(x, dim=references.axes_of(x, axis), keepdim=keepdims)",
        reduction(empty=False, ties=True),
        dtypes=REAL,
        note="Equal extremes share the gradient.",
    )
for _name in ("var", "std"):
    case(
        _name,
        f"references.moment(torch.{_name}, x, axis, correction, keepdims)",
        reduction(empty=False, several=({}, {"correction": 1.0}), whole=True, nans=False),
        without={},
    )
case(
    "logsumexp",
    "torch.logsumexp(x, dim=references.axes_of(x, axis), keepdim=keepdims)",
    both(
        reduction(nans=False, empty=False),
        calls((R([[800.0, 801.0], [-900.0, -901.0]]), {"axis": 1, "_kind": "extreme"})),
    ),
    dtypes=REAL,
)
for _name in ("any", "all"):
    case(
        _name,
        f"torch.{_name}(x, dim=references.axes_of(x, axis), keepdim=keepdims)",
        reduction(nans=False),
        dtypes=("bool", "float64"),
    )
for _name in ("argmax", "argmin"):
    case(
        _name,
        f"torch.{_name}(x, dim=axis, keepdim=keepdims)",
        reduction(empty=False, tuples=False, nans=False),
        dtypes=REAL,
    )
case(
    "count_nonzero",
    "torch.count_nonzero(x, dim=axis) if not keepdims else (x != 0).sum(dim=axis, keepdim=True)",
    reduction(nans=False),
    dtypes=("float64", "int64"),
)

_running = calls(
    (A(4),),
    (A(2, 3), {"axis": 0}),
    (A(2, 3), {"axis": -1}),
    (A(2, 1, 3), {"axis": 1}),
    (A(0, 3), {"axis": 0}),
    (A(2, 3), {"axis": 1, "include_initial": True}),
    (A(3, 2), {"axis": 0, "_layout": "strided"}),
)
case("cumulative_sum", "references.cumulative(torch.cumsum, x, axis, include_initial, 0.0)", _running)
_zeros = calls((R([[1.5, 0.0, 2.0, -1.0], [0.0, 3.0, 0.0, 1.0]]), {"axis": 1, "_note": "zeros"}))
case("cumulative_prod", "references.cumulative(torch.cumprod, x, axis, include_initial, 1.0)", both(_running, _zeros))
_torchs = calls((A(4),), (A(2, 3), {"axis": 0}), (A(2, 3), {"axis": -1}), (A(0, 3), {"axis": 0}))
case("cumsum", "references.cumulative(torch.cumsum, x, axis, False, 0.0)", _torchs)
case("cumprod", "references.cumulative(torch.cumprod, x, axis, False, 1.0)", both(_torchs, _zeros))
for _name in ("cummax", "cummin"):
    case(
        _name,
        f"torch.{_name}(x, axis)",
        both(
            calls((A(4), 0), (A(2, 3), 1), (A(2, 3), -2)), calls((R([1.0, 2.0, 2.0, 0.5, 0.5]), 0, {"_kind": "kink"}))
        ),
        dtypes=REAL,
    )
case(
    "logcumsumexp",
    "torch.logcumsumexp(x, axis)",
    calls((A(4), 0), (A(2, 3), 1), (A(2, 3), -2), (A(0, 2), 0)),
    dtypes=REAL,
)
case(
    "diff",
    "references.diff(x, axis, n, prepend, append)",
    calls(
        (A(4),), (A(2, 4), {"axis": 0}), (A(2, 4), {"n": 2}), (A(2, 4), {"n": 0}), (A(3, 2), {"prepend": A(3, 1), "append": A(3, 2)}),
        (A(4), {"append": A(1)}), (A(1),), (A(0),), (A(4, 3), {"axis": 0, "_layout": "strided"}),
    ),
)  # fmt: skip
case(
    "trapezoid",
    "torch.trapezoid(y, dx=1.0 if dx is None else dx, dim=axis) if x is None else torch.trapezoid(y, x, dim=axis)",
    calls(
        (A(4),),
        (A(2, 4), {"dx": 0.5}),
        (A(4, 2), {"axis": 0}),
        (A(4), A(4)),
        (A(2, 4), A(4)),
        (A(2, 4), A(2, 4)),
        (A(1),),
        (A(0),),
    ),
)
case(
    "cumulative_trapezoid",
    "torch.cumulative_trapezoid(y, dx=1 if dx is None else dx, dim=axis) if x is None else torch.cumulative_trapezoid(y, x, dim=axis)",
    calls((A(4),), (A(2, 4), {"dx": 0.5}), (A(4, 2), {"axis": 0}), (A(4), A(4)), (A(2, 4), A(2, 4)), (A(1),)),
)

# -- norms ----------------------------------------------------------------------------------------------------------
_orders: tuple[float, ...] = (2, 1, 3, 0.5, math.inf, -math.inf, -1, 0)
case(
    "linalg.vector_norm",
    "torch.linalg.vector_norm(x, ord=ord, dim=axis, keepdim=keepdims)",
    both(
        *[reduction(0.2, 2, empty=False, nans=False, several=({"ord": order},)) for order in _orders[:4]],
        calls(*[(A(2, 3, low=0.2), {"ord": order, "axis": 1}) for order in _orders[4:]]),
        real_only(calls((R([0.0, 0.0]), {"_kind": "kink"}), (R([0.0, 2.0]), {"ord": 1, "_kind": "kink"}))),
        real_only(calls((R([2.0, -2.0, 1.0]), {"ord": math.inf, "_kind": "kink", "_note": "ties"}))),
    ),
    note="The derivative at the zero vector is 0; equal extremes share it.",
)
case(
    "linalg.matrix_norm",
    "references.matrix_norm(x, ord, keepdims)",
    calls(
        *[(A(3, 2), {"ord": order}) for order in ("fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf)],
        (A(2, 3, 2), {"keepdims": True}),
        (A(2, 2, 3), {"ord": "nuc"}),
    ),
)
_norms = calls(
    (A(4),),
    (A(2, 3),),
    (A(2, 3), {"ord": 1, "axis": 0}),
    (A(2, 3), {"ord": "fro"}),
    (A(2, 3, 2), {"axis": (0, 2), "ord": "fro", "keepdims": True}),
    (A(2, 3), {"ord": 3, "axis": -1}),
    (A(3, 3), {"ord": 2}),
)
case("linalg.norm", "torch.linalg.norm(x, ord=ord, dim=axis, keepdim=keepdims)", _norms)
case("norm", "torch.linalg.norm(x, ord=ord, dim=axis, keepdim=keepdims)", _norms)
case(
    "linalg.cond",
    "references.cond(x, p)",
    calls((A(3, 3),), (A(2, 3, 3), {"p": 1}), (A(3, 3), {"p": "fro"}), (A(3, 3), {"p": -2}), (A(4, 2),)),
    domain="regular matrices",
)
case(
    "linalg.matrix_rank",
    "torch.linalg.matrix_rank(x, rtol=rtol)",
    calls((A(3, 3),), (R([[1.0, 2.0], [2.0, 4.0]]),), (A(2, 4, 2),)),
)
case(
    "dist",
    "torch.dist(x1, x2, p)",
    calls(
        (A(2, 3), A(2, 3)),
        (A(3), A(2, 1)),
        (A(4), A(4), {"p": 1}),
        (A(4), A(4), {"p": 3}),
        (A(4), A(4), {"p": math.inf}),
    ),
    dtypes=REAL,
)
case(
    "cdist",
    "torch.cdist(x1, x2, p)",
    calls(*[(A(3, 2), A(4, 2), {"p": p}) for p in (2.0, 1.0, 3.0, math.inf)], (A(2, 3, 2), A(2, 4, 2))),
    dtypes=REAL,
)
case("pdist", "F.pdist(x, p)", calls(*[(A(4, 3), {"p": p}) for p in (2.0, 1.0, 3.0, math.inf)]), dtypes=REAL)
case(
    "renorm",
    "torch.renorm(x, p, axis, maxnorm)",
    calls((A(3, 4), 2, 0, 1.0), (A(3, 4), 1, 1, 2.0), (A(2, 3, 2), 2, -1, 0.5), (A(2, 2), 2, 0, 100.0)),
)
case(
    "trace",
    "references.trace(x, offset)",
    calls((A(3, 3),), (A(2, 4),), (A(4, 2), {"offset": -1}), (A(2, 3, 3), {"offset": 1})),
)
