"""Sums, products, extrema, norms and running reductions."""

from __future__ import annotations

import math

from .case import case
from .samples import A, R, both, calls, complex_only, real_only, reduction

REAL = ("float64",)

case(
    "sum",
    "torch.sum(x, dim=axis, keepdim=keepdims, dtype=references.dtype_of(dtype))",
    both(
        reduction(),
        calls((A(2, 3), {"dtype": "complex128"}), (A(2, 3), {"keepdims": True}), (A(2, 3, 2), {"axis": (-1, 0)})),
    ),
)
case("mean", "torch.mean(x, dim=axis, keepdim=keepdims)", reduction(empty=False))
case(
    "prod",
    "references.prod(x, axis, keepdims)",
    both(
        reduction(zeros=True),
        calls((A(1, 4), {"axis": 0}), (A(0, 3),), (A(2, 3, 4), {"axis": 1})),
        real_only(calls((R([[1.5, 0.0, 2.0], [3.0, -2.0, 0.5]]), {"_note": "a zero"}))),
        complex_only(calls((R([[1.0, 2.0j], [0.0, 0.0], [0.0, 1.0]]), {"axis": 0, "_note": "zeros"}))),
    ),
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
        both(
            reduction(empty=False, several=({}, {"correction": 1.0}), whole=True, nans=False),
            calls((A(2, 3, 4), {"axis": -1, "correction": 1.5})),
        ),
        without={},
    )
case(
    "logsumexp",
    "torch.logsumexp(x, dim=references.axes_of(x, axis), keepdim=keepdims)",
    both(
        reduction(nans=False, empty=False),
        calls((R([[800.0, 801.0], [-900.0, -901.0]]), {"axis": 1, "_kind": "extreme"})),
    ),
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
    (A(1),),
    (A(4), {"include_initial": True}),
    (A(2, 3, 4), {"axis": 0}),
    (A(2, 3, 4), {"axis": -2}),
    (A(3, 0), {"axis": 1}),
    (A(3, 0), {"axis": 0, "include_initial": True}),
    (A(3, 0), {"axis": 1, "include_initial": True}),
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
            calls((A(4), 0), (A(2, 3), 1), (A(2, 3), -2)),
            calls((R([1.0, 2.0, 2.0, 0.5, 0.5]), 0, {"_kind": "kink"})),
            calls((A(2, 3, 4), -2), (A(17), 0), (A(), 0)),
        ),
        dtypes=REAL,
    )
case(
    "logcumsumexp",
    "torch.logcumsumexp(x, axis)",
    both(
        calls(
            (A(4), 0),
            (A(2, 3), 1),
            (A(2, 3), -2),
            (A(0, 2), 0),
            (A(2, 3, 4, low=-1, high=1), -2),
            (A(), 0),
            (A(3, 0), 1),
        ),
        real_only(calls((R([300.0, -200.0, 250.0, 301.0, -500.0]), 0, {"_kind": "extreme"}))),
    ),
)
case(
    "diff",
    "references.diff(x, axis, n, prepend, append)",
    calls(
        (A(4),), (A(2, 4), {"axis": 0}), (A(2, 4), {"n": 2}), (A(2, 4), {"n": 0}), (A(3, 2), {"prepend": A(3, 1), "append": A(3, 2)}),
        (A(4), {"append": A(1)}), (A(1),), (A(0),), (A(4, 3), {"axis": 0, "_layout": "strided"}),
        *[(A(5), {"n": n}) for n in (2, 4, 5)], (A(2, 3, 4), {"axis": -2, "n": 2}), (A(3, 0), {"axis": 0}),
        *[
            (A(3, 4), {"n": n, "axis": axis, **ends})
            for n in (1, 2)
            for axis, first, last in ((0, (2, 4), (1, 4)), (-1, (3, 1), (3, 2)))
            for ends in ({"prepend": A(*first), "append": A(*last)}, {"prepend": A(*first)}, {"append": A(*last)})
        ],
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
        (A(2, 3, 4), {"axis": 1}),
        (A(3, 0), {"dx": 0.5}),
        (A(0, 4), {"axis": 0}),
        (A(3, 0), A(0)),
        (A(2, 0), A(0)),
        (A(2, 3, 4), A(3), {"axis": 1}),
        (A(5), A(5), {"axis": 0}),
        (A(3, 4), A(3, 4), {"axis": 0}),
        (A(3, 4), A(3, 1), {"axis": 0}),
        (A(1, 4), A(3, 4), {"axis": 1}),
        (A(3, 1), A(1)),
        (A(3, 4), A(4, dtype="float64"), {"_note": "points real"}),
    ),
)
case(
    "cumulative_trapezoid",
    "torch.cumulative_trapezoid(y, dx=1 if dx is None else dx, dim=axis) if x is None else torch.cumulative_trapezoid(y, x, dim=axis)",
    calls(
        *[(A(4),), (A(2, 4), {"dx": 0.5}), (A(4, 2), {"axis": 0}), (A(4), A(4)), (A(2, 4), A(2, 4)), (A(1),)],
        *[
            (A(3, 4), A(4)),
            (A(2, 3, 4), {"axis": 1}),
            (A(3, 4), A(3, 4, dtype="float64"), {"axis": 0, "_note": "points real"}),
        ],
    ),
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
        calls(
            *[
                (A(*shape, low=0.2), {"ord": order, **params})
                for order in (math.inf, -math.inf, 1, 2, 3, 0.5, 1.5, 2.5, -1, -2.5)
                for shape, params in (
                    ((4, 3), {}),
                    ((2, 2, 3), {"axis": -1}),
                    ((2, 3, 3), {"axis": (0, -1), "keepdims": True}),
                    ((), {}),
                )
            ]
        ),
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
        *[
            (A(*shape), {"ord": order, **params})
            for order in ("fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf)
            for shape, params in (((2, 4, 2), {}), ((3, 5), {"keepdims": True}), ((2, 2, 3), {}))
        ],
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
    (A(3), {"ord": 3}),
    (A(2, 3, 3), {"ord": 1, "axis": 0}),
    (A(2, 3, 3), {"ord": "nuc", "axis": (2, 0)}),
    (A(2, 3, 3), {"ord": -1, "axis": (0, 2), "keepdims": True}),
    (A(2, 3, 3), {"axis": (0, 1)}),
)
case("linalg.norm", "torch.linalg.norm(x, ord=ord, dim=axis, keepdim=keepdims)", _norms)
case("norm", "torch.linalg.norm(x, ord=ord, dim=axis, keepdim=keepdims)", _norms)
case(
    "linalg.cond",
    "references.cond(x, p)",
    calls((A(3, 3),), (A(2, 3, 3), {"p": 1}), (A(3, 3), {"p": "fro"}), (A(3, 3), {"p": -2}), (A(4, 2),), (A(2, 4, 2),)),
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
        (A(3, 4), A(4), {"p": 3.0}),
    ),
    dtypes=REAL,
)
case(
    "cdist",
    "torch.cdist(x1, x2, p)",
    calls(
        *[(A(3, 2), A(4, 2), {"p": p}) for p in (2.0, 1.0, 3.0, math.inf)],
        (A(2, 3, 2), A(2, 4, 2)),
        (A(2, 3, 4), A(3, 4), {"p": 1.0}),
        (A(3, 0), A(2, 0)),
        (A(3, 4), A(0, 4)),
    ),
    dtypes=REAL,
)
case("pdist", "F.pdist(x, p)", calls(*[(A(4, 3), {"p": p}) for p in (2.0, 1.0, 3.0, math.inf)]), dtypes=REAL)
case(
    "renorm",
    "torch.renorm(x, p, axis, maxnorm)",
    calls(
        (A(3, 4), 2, 0, 1.0),
        (A(3, 4), 1, 1, 2.0),
        (A(2, 3, 2), 2, -1, 0.5),
        (A(2, 2), 2, 0, 100.0),
        (A(2, 3, 4), 1, -2, 2.5),
    ),
)
case(
    "trace",
    "references.trace(x, offset)",
    calls((A(3, 3),), (A(2, 4),), (A(4, 2), {"offset": -1}), (A(2, 3, 3), {"offset": 1})),
)
