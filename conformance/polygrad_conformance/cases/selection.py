"""Gathers and scatters under torch's names, masks, histograms of indices."""

from __future__ import annotations

import numpy as np

from .case import case
from .samples import A, I, R, both, calls

ZERO = I(np.asarray(0))
MASK = I([True, False, True], [False, True, True])

case(
    "gather",
    "torch.gather(input, axis, index)",
    calls(
        *[(A(2, 3), 1, I([0, 2], [1, 1])), (A(3, 2), 0, I([[2, 0]])), (A(4), -1, I(0, 0, 3))],
        *[(A(3, 2), 0, I([0, 2], [1, 1], [0, 0], [2, 1])), (A(2, 3), -1, I([0, 2, 2, 1], [1, 1, 0, 0]))],
        *[(A(3, 2, 3), 1, I([[[1, 0], [0, 0], [1, 1]]])), (A(2, 3), 1, I(np.zeros((2, 0), int)))],
        *[(A(), 0, ZERO), (A(), 0, I(0, 0)), (A(3), 0, I(np.asarray(2)))],
    ),
)
case(
    "scatter",
    "torch.scatter(input, axis, index, references.meant(src, index), **({'reduce': reduce} if reduce else {}))",
    calls(
        *[
            (A(3, 4), 0, I([[0, 1, 2, 0]]), A(2, 4)),
            (A(3, 4), 1, I([[0], [3], [1]]), A(3, 1)),
            (A(4), 0, I(3, 1), A(2)),
        ],
        *[
            (A(3, 2), 0, I([0, 2], [1, 0]), A(2, 2)),
            (A(2, 3), -1, I([0, 2], [1, 0]), A(2, 2)),
            (A(2, 3), 1, I([0, 2], [1, 0]), 2.5),
        ],
        *[(A(), 0, ZERO, A()), (A(3), 0, I(np.asarray(1)), A()), (A(3, 4), 1, I([0, 3], [1, 0]), A(4, 3))],
    ),
)
case(
    "scatter_add",
    "torch.scatter_add(input, axis, index, references.meant(src, index))",
    calls(
        (A(3, 4), 0, I([[0, 1, 2, 0], [0, 0, 0, 0]]), A(2, 4)),
        (A(3, 4), 1, I([[0], [3], [1]]), A(3, 1)),
        (A(4), 0, I(3, 3, 1), A(3)),
        (A(), 0, I(0, 0, 0), A(3)),
        (A(3, 2), -1, I([0, 1, 1], [1, 1, 1]), A(4, 5)),
        (A(3), 0, I(dtype="int64"), A(2)),
    ),
    note="Repeated indices add up.",
)
_reduces = ("sum", "prod", "mean", "amax", "amin")
case(
    "scatter_reduce",
    "torch.scatter_reduce(input, axis, index, references.meant(src, index), reduce, include_self=include_self)",
    both(
        *[
            calls(
                (A(3, low=0.3), 0, I(0, 2, 2, 0), A(4, low=0.3), reduce),
                (A(3, low=0.3), 0, I(0, 2, 2, 0), A(4, low=0.3), reduce, {"include_self": False}),
                (A(2, 3, low=0.3), 1, I([[0, 2], [1, 1]]), A(2, 2, low=0.3), reduce),
            )
            for reduce in _reduces
        ],
        calls((R([1.0, 2.0]), 0, I(0, 0, 1), R([3.0, 3.0, 2.0]), "amax", {"_kind": "kink", "_note": "ties"})),
        calls(
            *[
                (A(*shape), axis, index, A(*source), reduce, {"include_self": include_self})
                for reduce in _reduces
                for include_self in (True, False)
                for shape, axis, index, source in (
                    ((4, 2), 0, I([0, 2], [0, 0], [2, 0], [0, 2], [3, 0]), (5, 2)),
                    ((), 0, I(0, 0, 0), (3,)),
                    ((3, 4), -1, I([0, 3, 3], [1, 1, 1]), (2, 3)),
                    ((2,), 0, I(dtype="int64"), (0,)),
                )
            ],
            *[(A(2, 4), -1, I([0, 3, 3], [1, 1, 1]), A(3, 4), reduce) for reduce in ("amax", "prod")],
            *[
                (A(2), 0, I(0, 0, 0, 1, 1), R(values), "prod", {"_note": "zeros"})
                for values in ([0.7, 1.3, 0.0, 0.4, -1.1], [0.0, 1.3, 0.0, 0.4, -1.1], [0.0, 0.0, 0.0, 0.4, -1.1])
            ],
        ),
    ),
    dtypes=("float64",),
)
case(
    "extreme_at",
    "references.extreme_at(x, src, key, largest, include_self)",
    calls(
        (A(3), A(4), {"key": (I(0, 2, 2, 0),), "largest": True, "include_self": True}),
        (A(3), A(4), {"key": (I(0, 2, 2, 0),), "largest": False, "include_self": False}),
    ),
    dtypes=("float64",),
    note="What amax and amin of scatter_reduce are made of.",
)
case(
    "index_add",
    "torch.index_add(input, axis, index, source, alpha=alpha)",
    calls(
        (A(3, 2), 0, I(0, 2, 0), A(3, 2)),
        (A(2, 3), 1, I(1, 1), A(2, 2), {"alpha": 2}),
        (A(3), -1, I(2), A(1)),
        (A(2, 3), -1, I(1, 1), A(2, 2), {"alpha": -2.5}),
        (A(2, 3), 1, I(np.asarray(1)), A(2, 1)),
    ),
)
case(
    "index_copy",
    "torch.index_copy(input, axis, index, source)",
    calls(
        *[(A(3, 2), 0, I(0, 2), A(2, 2)), (A(2, 3), 1, I(1, 0), A(2, 2))],
        *[(A(2, 3, 2), 1, I(2, 0), A(2, 2, 2)), (A(3), 0, I(np.asarray(1)), A())],
    ),
)
case(
    "index_fill",
    "torch.index_fill(input, axis, index, value)",
    calls((A(3, 2), 0, I(0, 2), 1.5), (A(2, 3), 1, I(1), A()), (A(2, 3), 1, I(2, 0, 2), 3.0), (A(2, 3), 0, I(1), A())),
)
case(
    "index_reduce",
    "torch.index_reduce(input, axis, index, source, reduce, include_self=include_self)",
    both(
        *[
            calls(
                (A(3, 2, low=0.3), 0, I(0, 2, 0), A(3, 2, low=0.3), reduce),
                (A(2, 3, low=0.3), 1, I(1, 1), A(2, 2, low=0.3), reduce, {"include_self": False}),
                (A(2, 4), 1, I(3, 0, 3), A(2, 3), reduce),
                (A(2, 4), 1, I(3, 0, 3), A(2, 3), reduce, {"include_self": False}),
            )
            for reduce in _reduces[1:]
        ]
    ),
    dtypes=("float64",),
)
case(
    "index_put",
    "torch.index_put(input, indices, values, accumulate)",
    calls(
        (A(3, 4), (I(0, 2), I(1, 1)), A(2)),
        (A(3, 4), (I(0, 0), I(1, 1)), A(2), True),
        (A(3, 4), (I(0, 2),), A(4)),
        (A(3), (I(True, False, True),), A()),
        (A(2, 3), (MASK,), A(4)),
        (A(2, 3), (MASK,), A()),
        (A(3, 2), (I(0, 2, 0, 0),), A(4, 2), True),
        (A(3, 3), (I(0, 0), I(1, 1)), A(), True),
        (A(3, 2), (I(0, 2),), A(2)),
    ),
)
case(
    "masked_fill",
    "torch.masked_fill(input, mask, value)",
    calls(
        (A(2, 3), I([True, False, True], [False, True, False]), 1.5),
        (A(2, 3), I(True, False, True), A()),
        (A(3), I([True], [False]), 0.0),
        (A(2, 3), I(True, False, True), -1),
        (A(2, 3), MASK, A()),
    ),
)
case(
    "masked_select",
    "torch.masked_select(input, mask)",
    calls(
        (A(2, 3), I([True, False, True], [False, True, False])),
        (A(2, 3), I(True, False, True)),
        (A(3), I(False, False, False)),
        (A(3), MASK),
    ),
)
case(
    "masked_scatter",
    "torch.masked_scatter(input, mask, source)",
    calls(
        (A(2, 3), I([True, False, True], [False, True, False]), A(3)),
        (A(2, 3), I(True, False, True), A(2, 2)),
        (A(2, 3), MASK, A(5)),
    ),
)
case(
    "one_hot",
    "F.one_hot(x, num_classes)",
    calls((I(0, 2, 1),), (I([0, 1], [1, 3]), 5), (I(2),)),
    dtypes=("int64",),
    orders=0,
)
case(
    "bincount",
    "torch.bincount(x, weights, minlength)",
    calls((I(0, 2, 2, 5),), (I(0, 2, 2), A(3)), (I(1, 1), A(2), 4), (I(0, 3), {"minlength": 6})),
    dtypes=("float64",),
    wide=True,
)
case("argwhere", "torch.argwhere(x)", calls((R([[0.0, 1.0], [2.0, 0.0]]),), (R([0.0, 0.0]),)), dtypes=("float64",))
