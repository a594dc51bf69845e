"""Products of vectors and matrices, contractions."""

from __future__ import annotations

from typing import Any

from .case import case
from .samples import A, both, calls, complex_only

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
_products = [
    ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3), (3, 4)), ((1, 1), (1, 1)), ((5, 2, 3), (3,)), ((3,), (5, 3, 2)),
    ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4)), ((5, 2, 3), (5, 3, 4)), ((1, 2, 3), (5, 3, 4)), ((5, 2, 3), (1, 3, 4)), ((2, 5, 2, 3), (3,)),
    ((3,), (2, 5, 3, 2)), ((2, 5, 2, 3), (3, 4)), ((2, 3), (2, 5, 3, 4)), ((2, 1, 2, 3), (4, 3, 2)), ((4, 3, 2), (2, 1, 2, 3)),
    ((2, 1, 2, 3), (1, 4, 3, 2)),
]  # fmt: skip
"""Shapes of all ways in which two operands of matmul go together."""


def mixed(left: tuple[int, ...], right: tuple[int, ...], **params: Any) -> list[tuple[Any, ...]]:
    """The arguments of a product of a complex and a real array, and of a real and a complex one."""
    return [
        (A(*left), A(*right, dtype="float64"), {**params, "_note": "second real"}),
        (A(*left, dtype="float64"), A(*right), {**params, "_note": "first real"}),
    ]


case(
    "matmul",
    _wide,
    both(
        calls(*_shapes),
        calls(*[(A(*left), A(*right)) for left, right in _products if len(left) > 2 or len(right) > 2]),
        calls((A(0, 2), A(2, 3)), (A(2, 3), A(0, 3, 2)), (A(0, 3), A(3))),
        complex_only(calls(*[row for left, right in _products for row in mixed(left, right)])),
    ),
)
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
_contractions: list[tuple[tuple[int, ...], tuple[int, ...], Any]] = [
    ((2, 3), (3, 4), 1), ((2, 3, 4), (3, 4, 5), 2), ((2, 3), (3,), 1), ((2,), (3,), 0), ((2, 3), (2, 3), 2), ((), (2,), 0),
    ((2, 3, 4), (4, 2, 5), ((0, 2), (1, 0))), ((2, 3, 4), (4, 2, 5), ((2, 0), (0, 1))),
    ((2, 3, 4), (3, 5, 4, 2), ((-1, 1, 0), (2, 0, -1))), ((2, 3), (4, 3), ((1,), (1,))), ((2, 3), (4,), ((), ())), ((2, 0), (0, 3), 1),
]  # fmt: skip
case(
    "tensordot",
    "references.tensordot(x1, x2, axes)",
    both(
        calls(*_axes),
        calls(*[(A(*left), A(*right), {"axes": axes}) for left, right, axes in _contractions]),
        complex_only(calls(*[row for left, right, axes in _contractions for row in mixed(left, right, axes=axes)[1:]])),
    ),
)
case("linalg.tensordot", "references.tensordot(x1, x2, axes)", calls(*_axes[:3]))
_vec = (
    (A(3), A(3)),
    (A(2, 3), A(2, 3)),
    (A(3, 2), A(4, 3, 2), {"axis": -2}),
    (A(4, 1, 3), A(2, 3)),
    (A(0), A(0)),
    (A(2, 3), A(3, dtype="float64"), {"_note": "second real"}),
)
_pairs: list[tuple[tuple[int, ...], tuple[int, ...], int]] = [
    ((3,), (3,), -1), ((2, 3), (2, 3), -1), ((2, 3), (2, 3), -2), ((3, 2), (4, 3, 2), -2), ((2, 3), (3,), -1), ((4, 1, 3), (2, 3), -1),
    ((0,), (0,), -1),
]  # fmt: skip
case(
    "vecdot",
    "references.vecdot(x1, x2, axis)",
    both(
        calls(*_vec),
        calls((A(2, 3), A(2, 3), {"axis": -2}), (A(2, 3), A(3))),
        complex_only(calls(*[row for left, right, axis in _pairs for row in mixed(left, right, axis=axis)])),
    ),
    note="The first is conjugated.",
)
case("linalg.vecdot", "references.vecdot(x1, x2, axis)", calls(*_vec[:3]))
for _name in ("outer", "linalg.outer"):
    case(
        _name,
        "torch.outer(*references.wide(x1, x2))",
        calls((A(2), A(3)), (A(0), A(2)), *mixed((2,), (3,))),
    )
case("inner", "torch.inner(x1, x2)", calls((A(3), A(3)), (A(2, 3), A(4, 3)), (A(), A(2))))
case(
    "linalg.multi_dot",
    "torch.linalg.multi_dot(arrays)",
    calls(([A(3, 3), A(3, 4), A(4, 2)],), ([A(3), A(3, 3), A(3, 2), A(2)],), ([A(3), A(3, 4)],)),
)
case(
    "addmm",
    "torch.addmm(*references.wide(input, x1, x2), beta=beta, alpha=alpha)",
    calls(
        *[(A(2, 4), A(2, 3), A(3, 4)), (A(4), A(2, 3), A(3, 4), {"beta": 0.5, "alpha": 2.0})],
        (A(1), A(2, 3), A(3, 4), {"beta": -2, "alpha": 3}),
        (A(4, dtype="float64"), A(2, 3), A(3, 4), {"beta": 0.5, "alpha": 2.0, "_note": "first real"}),
    ),
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
    calls(
        (A(5, 2, 4), A(5, 2, 3), A(5, 3, 4)),
        (A(1, 2, 4), A(5, 2, 3), A(5, 3, 4), {"beta": 0.5}),
        (A(5, 2, 4), A(5, 2, 3), A(5, 3, 4), {"alpha": 0.5}),
    ),
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
_equations: list[tuple[Any, ...]] = [
    ("i->i", (3,)), ("i", (3,)), ("ij->ji", (2, 3)), ("ba", (2, 3)), ("ii->i", (3, 3)), ("iij->ji", (3, 3, 2)),
    ("iiijj->ji", (2, 2, 2, 3, 3)),
    ("i...->...", (3, 2, 2)), ("->", ()), ("...", ()), ("ij->j", (0, 3)),
    ("ij,jk", (2, 3), (3, 4)), ("i,i->", (4,), (4,)), ("i,j->ji", (2,), (3,)), ("bij,bkj->ikb", (2, 2, 3), (2, 4, 3)),
    ("ij,ij->ij", (2, 3), (2, 3)), ("ij,j->i", (2, 3), (3,)), ("ij,kl->il", (2, 3), (4, 2)), ("ij,kl->", (2, 3), (4, 2)),
    ("ii,ij->j", (3, 3), (3, 2)), ("ii,jj->ij", (3, 3), (2, 2)), ("iji,j->", (3, 2, 3), (2,)), (",", (), ()),
    ("...ij,...jk->...ik", (2, 2, 3), (3, 2)), ("...ij,jk...", (4, 2, 3), (3, 2, 4)), ("i...,i...->...", (3, 1, 2), (3, 4, 1)),
    ("ij,ij->ij", (1, 3), (2, 1)), ("ij,jk->ik", (2, 1), (3, 4)), (" i j , j k -> i k ", (2, 3), (3, 4)), ("Ab,bA->A", (2, 3), (3, 2)),
    ("ij,jk->ik", (0, 3), (3, 4)), ("bij,jk,bkl,m->bilm", (2, 2, 3), (3, 2), (2, 2, 3), (2,)), ("ii,...j,j->...", (2, 2), (4, 3), (3,)),
]  # fmt: skip
_real_first: list[tuple[Any, ...]] = [
    ("ij,jk->ik", (2, 3), (3, 4)), ("i,j->ij", (2,), (3,)), ("ij,ij->i", (2, 3), (2, 3)), ("ij,ik,il->jkl", (3, 2), (3, 2), (3, 2)),
]  # fmt: skip
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
        *[(equation, *[A(*shape) for shape in shapes]) for equation, *shapes in _equations],
        *[
            (
                equation,
                A(*left, dtype="float64"),
                A(*right),
                *[A(*shape, dtype="float64") for shape in rest],
                {"_note": "first real"},
            )
            for equation, left, right, *rest in _real_first
        ],
    ),
)
