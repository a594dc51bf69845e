"""Products of vectors and matrices, contractions."""

from __future__ import annotations

from .case import case
from .samples import A, calls

_shapes = (
    (A(3), A(3)),
    (A(2, 3), A(3)),
    (A(3), A(3, 2)),
    (A(2, 3), A(3, 4)),
    (A(1, 1), A(1, 1)),
    (A(5, 2, 3), A(3)),
    (A(3), A(5, 3, 2)),
    (A(2, 3), A(5, 3, 2)),
    (A(5, 2, 3), A(5, 3, 2)),
    (A(1, 2, 3), A(5, 3, 2)),
    (A(2, 1, 2, 3), A(4, 3, 2)),
    (A(0), A(0)),
    (A(2, 0), A(0, 3)),
    (A(0, 2, 3), A(3, 2)),
    (A(2, 3), A(3, 2), {"_layout": "strided"}),
    (A(2, 3), A(3, 2, dtype="float64"), {"_note": "second real"}),
)
_wide = "torch.matmul(*references.wide(x1, x2))"
case("matmul", _wide, calls(*_shapes))
case("linalg.matmul", _wide, calls(*_shapes[:6]))
case("mm", "torch.mm(x1, x2)", calls((A(2, 3), A(3, 4)), (A(0, 2), A(2, 3))))
case(
    "mv",
    "torch.mv(x1, x2)",
    calls(
        (A(2, 3), A(3)),
    ),
)
case("dot", "torch.dot(x1, x2)", calls((A(3), A(3)), (A(0), A(0))))
case(
    "bmm",
    "torch.bmm(x1, x2)",
    calls(
        (A(5, 2, 3), A(5, 3, 4)),
    ),
)
_axes = (
    (A(2, 3), A(3, 4), {"axes": 1}), (A(2, 3, 4), A(3, 4, 5)), (A(2), A(3), {"axes": 0}), (A(), A(2), {"axes": 0}),
    (A(2, 3, 4), A(4, 2, 5), {"axes": ((0, 2), (1, 0))}), (A(2, 3), A(4, 3), {"axes": ((-1,), (1,))}), (A(2, 0), A(0, 3), {"axes": 1}),
    (A(2, 3), A(3, dtype="float64"), {"axes": 1, "_note": "second real"}),
)  # fmt: skip
case("tensordot", "references.tensordot(x1, x2, axes)", calls(*_axes))
case("linalg.tensordot", "references.tensordot(x1, x2, axes)", calls(*_axes[:3]))
_vec = (
    (A(3), A(3)),
    (A(2, 3), A(2, 3)),
    (A(3, 2), A(4, 3, 2), {"axis": -2}),
    (A(4, 1, 3), A(2, 3)),
    (A(0), A(0)),
    (A(2, 3), A(3, dtype="float64"), {"_note": "second real"}),
)
case("vecdot", "references.vecdot(x1, x2, axis)", calls(*_vec), note="The first is conjugated.")
case("linalg.vecdot", "references.vecdot(x1, x2, axis)", calls(*_vec[:3]))
for _name in ("outer", "linalg.outer"):
    case(
        _name,
        "torch.outer(*references.wide(x1, x2))",
        calls((A(2), A(3)), (A(0), A(2)), (A(2), A(3, dtype="float64"), {"_note": "second real"})),
    )
case("inner", "torch.inner(x1, x2)", calls((A(3), A(3)), (A(2, 3), A(4, 3)), (A(), A(2))))
case(
    "linalg.multi_dot",
    "torch.linalg.multi_dot(arrays)",
    calls(([A(3, 3), A(3, 4), A(4, 2)],), ([A(3), A(3, 3), A(3, 2), A(2)],), ([A(3), A(3, 4)],)),
)
case(
    "addmm",
    "torch.addmm(input, x1, x2, beta=beta, alpha=alpha)",
    calls((A(2, 4), A(2, 3), A(3, 4)), (A(4), A(2, 3), A(3, 4), {"beta": 0.5, "alpha": 2.0})),
)
case(
    "addmv",
    "torch.addmv(input, x1, x2, beta=beta, alpha=alpha)",
    calls((A(2), A(2, 3), A(3)), (A(2), A(2, 3), A(3), {"alpha": 0.5})),
)
case(
    "addr",
    "torch.addr(input, x1, x2, beta=beta, alpha=alpha)",
    calls((A(2, 3), A(2), A(3)), (A(3), A(2), A(3), {"beta": 2.0})),
)
case(
    "addbmm",
    "torch.addbmm(input, x1, x2, beta=beta, alpha=alpha)",
    calls((A(2, 4), A(5, 2, 3), A(5, 3, 4), {"beta": 0.5, "alpha": -1.0})),
)
case(
    "baddbmm",
    "torch.baddbmm(input, x1, x2, beta=beta, alpha=alpha)",
    calls((A(5, 2, 4), A(5, 2, 3), A(5, 3, 4)), (A(1, 2, 4), A(5, 2, 3), A(5, 3, 4), {"beta": 0.5})),
)
case(
    "contract_single",
    "torch.einsum(equation, x)",
    calls(
        *[
            (A(*shape), {"equation": text})
            for text, shape in (("ii->i", (3, 3)), ("ij->ji", (2, 3)), ("ij->", (2, 3)), ("iij->ji", (3, 3, 2)))
        ]
    ),
)
case(
    "contract_pair",
    "torch.einsum(equation, x1, x2)",
    calls(
        (A(2, 3), A(3, 4), {"equation": "ij,jk->ik"}),
        (A(2, 2, 3), A(2, 4, 3), {"equation": "bij,bkj->ikb"}),
        (A(2), A(3), {"equation": "i,j->ji"}),
        (A(2, 3), A(2, 3), {"equation": "ij,ij->i"}),
    ),
)
case(
    "einsum",
    "references.einsum(equation, operands)",
    calls(
        ("i->", A(3)),
        ("ii", A(3, 3)),
        ("iji->j", A(3, 2, 3)),
        ("...ij->...", A(2, 3, 4)),
        ("ij,jk->ik", A(2, 3), A(3, 4)),
        ("ij,kj->ki", A(2, 3), A(4, 3)),
        ("i,i", A(4), A(4)),
        ("bij,bjk->bik", A(2, 2, 3), A(2, 3, 2)),
        ("...ij,...jk->...ik", A(2, 1, 2, 3), A(4, 3, 2)),
        ("ij,i->ij", A(2, 3), A(2)),
        (",i->i", A(), A(3)),
        ("ij,jk,kl->il", A(2, 3), A(3, 4), A(4, 2)),
        ("i,i,i->", A(3), A(3), A(3)),
        ("ij,jk->ik", A(2, 0), A(0, 4)),
        ("ij,jk->ik", A(2, 3), A(3, 4, dtype="float64"), {"_note": "second real"}),
    ),
)
