"""Padding, diagonals, windows, products of sets."""

from __future__ import annotations

import math

from .case import case
from .samples import A, R, both, calls, real_only

case(
    "pad",
    "references.pad(x, pad_width, mode, constant_values)",
    calls(
        (A(2, 3), 1), (A(3), (1, 2)), (A(2, 3), ((0, 1), (2, 0))), (A(2, 3), 0), (A(), 1), (A(0), 1), (A(3), 2, {"constant_values": 1.5}),
        *[(A(2, 3), ((1, 1), (1, 2)), {"mode": mode}) for mode in ("edge", "reflect", "symmetric", "wrap")],
        (A(3), ((3, 5),), {"mode": "reflect"}), (A(2), ((3, 5),), {"mode": "symmetric"}), (A(3), 1, "constant", 7),
        (A(2, 3), ((1, 0), (2, 1)), {"constant_values": ((1.0, 2.0), (3, 4.0))}),
        (A(2, 3), ((2, 1),), {"mode": "edge"}), (A(2, 3), ((1, 0), (1, 2)), {"mode": "reflect"}),
        (A(2, 3), ((2, 1), (3, 2)), {"mode": "wrap"}), (A(3), (3, 2), {"mode": "symmetric"}), (A(3), (3, 5), {"mode": "reflect"}),
        (A(2), (3, 5), {"mode": "symmetric"}), (A(2), (3, 5), {"mode": "wrap"}), (A(1), 2, {"mode": "reflect"}),
    ),
)  # fmt: skip
case(
    "diag", "torch.diag(x, offset)", calls((A(3),), (A(3), 1), (A(3), -2), (A(3, 2),), (A(2, 4), 1), (A(0),), (A(0), 1))
)
case("diagflat", "torch.diagflat(x, offset)", calls((A(2, 2),), (A(2, 2), -1), (A(),)))
case(
    "diag_embed", "torch.diag_embed(x, offset, axis1, axis2)", calls((A(2, 3),), (A(2, 3), 1, 0, -1), (A(3), -1, 1, 0))
)
case(
    "diagonal_scatter",
    "torch.diagonal_scatter(input, src, min(offset, input.shape[axis2]), axis1, axis2)",
    calls(
        *[(A(3, 4), A(3)), (A(2, 3, 4), A(3, 2), -1, -1, 0), (A(3, 3), A(0), 3)],
        *[(A(3, 4, 2), A(2, 2), 2, 0, 1), (A(3, 3), A(0), 5)],
    ),
)
case(
    "select_scatter",
    "references.written(input, (slice(None),) * (axis % input.ndim) + (index,), src)",
    calls((A(2, 3), A(2), 1, -1), (A(3), A(), 0, 1), (A(2, 3, 2), A(2, 3), -1, 0)),
)
case(
    "slice_scatter",
    "references.written(input, (slice(None),) * (axis % input.ndim) + (slice(start, end, step),), src)",
    calls((A(2, 4), A(2, 2), 1, -3, None, 2), (A(2, 2), A(2, 2)), (A(4, 2), A(2, 2), 0, 1, 3)),
)
case(
    "unfold",
    "x.unfold(axis, size, step)",
    calls((A(5), 0, 3, 1), (A(2, 5, 2), -2, 2, 2), (A(5, 2), 0, 1, 3), (A(), 0, 1, 1), (A(2), 0, 0, 1)),
)
case(
    "rot90",
    "torch.rot90(x, k, axes)",
    calls((A(2, 3),), (A(2, 3), 2), (A(2, 3), -1), (A(2, 3, 2), 1, (2, 0)), (A(2, 3), 0), (A(2, 3), 3)),
)
case("cartesian_prod", "torch.cartesian_prod(*arrays)", calls((A(2), A(3), A(2)), (A(2),), (A(2), A(0))))
case(
    "combinations",
    "torch.combinations(x, r, with_replacement) if r else x[:0]",
    calls((A(4),), (A(4), 3), (A(3), 2, True), (A(3), 0), (A(3), 4)),
)
case("kron", "torch.kron(a, b)", calls((A(2, 3), A(3, 2)), (A(2), A(2, 1, 2)), (A(), A(2))))
case(
    "vander",
    "references.vander(x, N, increasing)",
    calls((A(3),), (A(3), 4, True), (A(3), 1), (R([0.0, 2.0]), 3), (A(3), 0), (R([0.0, 2.0, 0.0]), 4)),
)
case(
    "nan_to_num",
    "references.nan_to_num(x, nan, posinf, neginf)",
    both(
        calls((A(2, 3),), (A(),), (A(0, 2),), (A(2), {"nan": 1.0})),
        real_only(
            calls(
                (R([math.nan, math.inf, -math.inf, 1.5]), {"_kind": "kink"}),
                (R([math.nan, math.inf, -math.inf, 1.5]), {"nan": 2.0, "posinf": 3.0, "neginf": -1.0, "_kind": "kink"}),
            )
        ),
    ),
    note="What is replaced has the gradient 0.",
)
