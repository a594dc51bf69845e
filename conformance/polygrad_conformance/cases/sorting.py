"""Sorting, searching, sets."""

from __future__ import annotations

from .case import case
from .samples import A, I, R, both, calls

REAL = ("float64",)
_sorts = calls(
    (A(4),),
    (A(2, 3), {"axis": 0}),
    (A(2, 3), {"descending": True}),
    (A(2, 1, 3), {"axis": -2}),
    (A(0, 2),),
    (A(3, 2), {"_layout": "strided"}),
    (A(3, 4), {"axis": -2, "descending": True}),
    (A(3, 4), {"axis": 1, "stable": False}),
    (A(2, 3, 4), {"axis": 0, "descending": True, "stable": False}),
    (A(2, 3, 4), {"axis": 1}),
    (A(1),),
    (A(3, 0), {"axis": 1}),
    (A(3, 0), {"axis": 0}),
)
_ties = calls((R([2.0, 1.0, 2.0, 1.0]), {"_kind": "kink", "_note": "ties"}))
case(
    "sort",
    "torch.sort(x, dim=axis, descending=descending, stable=stable).values",
    both(_sorts, _ties),
    dtypes=REAL,
    note="Equal numbers stay in order, and so do their gradients.",
)
case("argsort", "torch.argsort(x, dim=axis, descending=descending, stable=stable)", both(_sorts, _ties), dtypes=REAL)
case(
    "nonzero",
    "torch.nonzero(x, as_tuple=True)",
    calls((R([[0.0, 1.0], [2.0, 0.0]]),), (R([0.0, 0.0]),), (I(0, 3, 1),)),
    dtypes=REAL,
)
case(
    "searchsorted",
    "torch.searchsorted(x1, x2, side=side)",
    calls(
        (R([0.5, 1.0, 2.5]), A(4)),
        (R([0.5, 1.0, 2.5]), R([1.0, 0.5, 9.0]), {"side": "right"}),
        (R([0.5, 1.0, 2.5]), A(2, 2)),
    ),
    dtypes=REAL,
)
case(
    "isin",
    "torch.isin(x1, x2, invert=invert)",
    calls((I(1, 2, 3), I(2, 5)), (I([1, 2], [3, 4]), I(2, 3), {"invert": True}), (I(1), I(dtype="int64"))),
    dtypes=("int64",),
)
_values = calls((R([2.0, 1.0, 2.0, 3.5]),), (R([[1.0, 1.0], [0.5, 1.0]]),), (A(4),))
case(
    "unique_values",
    "references.unique_values(x)",
    _values,
    dtypes=REAL,
    undefined=("x",),
)
case(
    "unique_counts",
    "references.unique_values(x), torch.unique(x, return_counts=True)[1]",
    _values,
    dtypes=REAL,
    undefined=("x",),
)
case(
    "unique_inverse",
    "references.unique_values(x), torch.unique(x, return_inverse=True)[1]",
    _values,
    dtypes=REAL,
    undefined=("x",),
)
case("unique_all", "references.unique_all(x)", _values, dtypes=REAL, undefined=("x",))
