"""Shapes, orders of axes, joins, gathers, copies."""

from __future__ import annotations

from .case import case
from .samples import A, I, calls, unary

S = slice

# -- indexing ---------------------------------------------------------------------------------------------------------
_keys = (
    (A(3, 4), {"key": 1}),
    (A(3, 4), {"key": (S(None), -1)}),
    (A(3, 4), {"key": S(0, 3, 2)}),
    (A(3, 4), {"key": (S(1, None), S(None, None, 2))}),
    (A(2, 3, 4), {"key": (..., 1)}),
    (A(2, 3), {"key": (None, S(None), 2)}),
    (A(4), {"key": I(0, 2, 2, -1)}),
    (A(3, 4), {"key": (I(0, 2, 0), I(1, 1, 1))}),
    (A(3, 4), {"key": (S(None), I([0, 0], [3, 0]))}),
    (A(2, 3), {"key": I([True, False, True], [False, False, True])}),
    (A(3, 2), {"key": I(True, False, True)}),
    (A(0, 3), {"key": (S(None), 1)}),
    (A(3), {"key": S(2, 2)}),
    (A(), {"key": ...}),
    (A(3, 2), {"key": (S(None), 0), "_layout": "strided"}),
)
case("getitem", "x[key]", calls(*_keys))
case(
    "getitem_adjoint",
    "references.added(shape, key, x)",
    calls(
        (A(4), {"key": 1, "shape": (3, 4)}),
        (A(3), {"key": (S(None), -1), "shape": (3, 4)}),
        (A(2, 4), {"key": S(0, 3, 2), "shape": (3, 4)}),
        (A(4), {"key": I(0, 2, 2, -1), "shape": (4,)}),
        (A(2), {"key": (I(0, 0), I(1, 1)), "shape": (2, 2)}),
        (A(2), {"key": I(True, False, True), "shape": (3,)}),
    ),
    note="The transpose of getitem: repeated indices add up.",
)
case(
    "set_at",
    "references.written(x, key, value)",
    calls(
        (A(3, 4), A(4), {"key": 1}),
        (A(3, 4), A(), {"key": (S(None), -1)}),
        (A(3, 4), A(2, 1), {"key": S(0, 3, 2)}),
        (A(4), A(2), {"key": I(0, 3)}),
        (A(2, 3), A(), {"key": I([True, False, True], [False, False, True])}),
        (A(3), A(0), {"key": S(1, 1)}),
    ),
)
case(
    "take",
    "torch.take(x, indices) if axis is None else x.index_select(axis, indices % x.shape[axis])",
    calls(
        (A(4), I(2, 0, 2), {"axis": 0}),
        (A(2, 3), I(2, 0, 2, 2), {"axis": 1}),
        (A(2, 3), I(0), {"axis": -2}),
        (A(5), I(1, 1)),
        (A(2, 3), I(dtype="int64"), {"axis": 1}),
        (A(2, 3, 2), I(1, -1), {"axis": -2}),
        (A(2, 3), I(dtype="int64"), {"axis": 0}),
    ),
)
case(
    "take_along_axis",
    "torch.take_along_dim(x, indices, axis)",
    calls(
        *[(A(2, 3), I([0, 2], [1, 1])), (A(3, 2), I([0, 0], [2, 1]), {"axis": 0}), (A(4), I(3, 3, 0))],
        (A(2, 3), I([[1, 0, 1]]), {"axis": 0}),
        (A(2, 2, 2), I([[[1, 0], [1, 1], [0, 1]]] * 2), {"axis": -2}),
        (A(3, 4), I([[1, 1, 2]]), {"axis": 1, "_note": "broadcast"}),
    ),
)
case(
    "index_select",
    "torch.index_select(x, axis, index)",
    calls((A(2, 3), 1, I(2, 0, 2)), (A(2, 3), 0, I(1)), (A(3), -1, I(0, 0))),
)

# -- shapes -----------------------------------------------------------------------------------------------------------
case(
    "reshape",
    "torch.reshape(x, shape)",
    calls(
        (A(2, 3), (3, 2)),
        (A(2, 3), (-1,)),
        (A(6), (2, 1, 3)),
        (A(), (1, 1)),
        (A(0, 3), (3, 0)),
        (A(3, 2), (6,), {"_layout": "strided"}),
        (A(2, 3, 4), (4, -1)),
        (A(2, 3), (6,), {"copy": True}),
    ),
)
case(
    "permute_dims",
    "torch.permute(x, axes)",
    calls(
        (A(2, 3), (1, 0)),
        (A(2, 3, 4), (2, 0, 1)),
        (A(2, 3), (-1, 0)),
        (A(), ()),
        (A(0, 2), (1, 0)),
        (A(2, 3, 4), (-1, 0, -2)),
    ),
)
case(
    "expand_dims",
    "torch.unsqueeze(x, axis)",
    calls(
        (A(2, 3), {"axis": 0}),
        (A(2, 3), {"axis": -1}),
        (A(), {"axis": 0}),
        (
            A(
                0,
            ),
            {"axis": 1},
        ),
        (A(2, 3), {"axis": 1}),
        (A(2, 3), {"axis": -3}),
    ),
)
case(
    "squeeze",
    "torch.squeeze(x, axis)",
    calls((A(2, 1, 3), 1), (A(1, 3, 1), (0, -1)), (A(1, 1), 0), (A(1, 0), 0), (A(2, 1, 3), -2)),
)
case("matrix_transpose", "x.mT + 0", calls((A(2, 3),), (A(2, 3, 4),), (A(0, 2),), (A(3, 2), {"_layout": "strided"})))
case("linalg.matrix_transpose", "x.mT + 0", calls((A(2, 3),), (A(2, 3, 4),)))
for _name in ("swapaxes", "transpose", "swapdims"):
    case(
        _name,
        f"torch.{_name}(x, axis0, axis1)",
        calls((A(2, 3), 0, 1), (A(2, 3, 4), 0, -1), (A(2, 1, 3), 1, 1), (A(2, 3, 4), 1, 2), (A(2, 3, 4), -1, 0)),
    )
for _name in ("moveaxis", "movedim"):
    case(
        _name,
        f"torch.{_name}(x, source, destination)",
        calls(
            *[(A(2, 3, 4), 0, -1), (A(2, 3, 4), (0, 1), (-1, 0)), (A(2, 3), 1, 0)],
            *[(A(2, 3, 4), 0, 2), (A(2, 3, 4), (0, -1), (1, 0))],
        ),
    )
case(
    "flip",
    "torch.flip(x, references.axes_of(x, axis))",
    calls(
        (A(2, 3),),
        (A(2, 3), {"axis": 1}),
        (A(2, 3, 2), {"axis": (0, -1)}),
        (A(),),
        (A(0, 2), {"axis": 0}),
        (A(2, 3), {"axis": -1}),
    ),
)
case("ravel", "torch.ravel", unary())
case(
    "flatten",
    "torch.flatten(x, start_dim, end_dim)",
    calls(
        *[(A(2, 3),), (A(2, 3, 4), 1), (A(2, 3, 4), 0, 1), (A(),), (A(3, 2), {"_layout": "strided"})],
        *[(A(2, 3, 2, 2), 1, -2), (A(2, 3, 2),), (A(0, 2, 3), 1)],
    ),
)
case("unstack", "torch.unbind(x, axis)", calls((A(2, 3),), (A(2, 3), {"axis": 1}), (A(2, 3, 2), {"axis": -1}), (A(3),)))
case("unbind", "torch.unbind(x, axis)", calls((A(2, 3),), (A(2, 3), 1), (A(3), 0), (A(2, 3, 2), 1)))
case(
    "narrow",
    "torch.narrow(x, axis, start, length)",
    calls((A(4), 0, 1, 2), (A(2, 4), 1, -3, 2), (A(2, 4), -1, 0, 0), (A(4, 2), -2, -3, 2), (A(2, 2), 0, 2, 0)),
)
case("select", "torch.select(x, axis, index)", calls((A(3), 0, 1), (A(2, 4), 1, -1), (A(2, 3, 2), -2, 0)))
case(
    "split",
    "torch.split(x, size_or_sections, axis)",
    calls((A(5), 2), (A(2, 4), 2, 1), (A(2, 4), [1, 3], -1), (A(3, 2), 5), (A(2, 4), [1, 0, 3], -1), (A(0, 2), 2)),
)
case(
    "chunk",
    "torch.chunk(x, chunks, axis)",
    calls((A(5), 2), (A(2, 4), 3, 1), (A(3, 2), 5), (A(7), 3), (A(2, 6), 4, 1), (A(0, 2), 2)),
)
case(
    "broadcast_to",
    "torch.broadcast_to(x, shape)",
    calls(
        *[(A(3), (2, 3)), (A(2, 1), (2, 3)), (A(), (2, 2)), (A(1, 3), (0, 3)), (A(2, 3), (2, 3))],
        *[(A(2, 1), (4, 2, 3)), (A(2, 1), (2, 0))],
    ),
)
case(
    "broadcast_arrays",
    "torch.broadcast_tensors(*arrays)",
    calls((A(2, 1), A(3)), (A(), A(2), A(3, 1)), (A(2),), (A(3, 1), A(2, 1, 4), A())),
)
case(
    "expand",
    "x.expand(*shape)",
    calls((A(3), 2, 3), (A(2, 1), -1, 4), (A(), 2), (A(1, 3), 2, 2, 3), (A(2, 1), 4, -1, 3), (A(1, 3), (2, 3))),
)
case(
    "meshgrid",
    "torch.meshgrid(*arrays, indexing=indexing)",
    calls(
        *[(A(2), A(3)), (A(2), A(3), {"indexing": "ij"}), (A(2), A(1), A(3)), (A(2),)],
        *[(A(2), A(3), A(4)), (A(2), A(3), A(2), {"indexing": "ij"})],
    ),
)
case(
    "unflatten",
    "torch.unflatten(x, axis, sizes)",
    calls((A(2, 6), 1, (2, -1)), (A(6), 0, (3, 2)), (A(2, 6), -1, (3, 2))),
)
for _name in ("atleast_1d", "atleast_2d", "atleast_3d"):
    case(
        _name,
        f"torch.{_name}(*arrays)",
        calls((A(),), (A(2),), (A(2, 3),), (A(), A(2), A(1, 2, 1)), ((A(), A(2), A(2, 3), A(1, 2, 1)),)),
    )

# -- joins ------------------------------------------------------------------------------------------------------------
case(
    "concat",
    "torch.cat([x.reshape(-1) for x in arrays], 0) if axis is None else torch.cat(arrays, axis)",
    calls(
        ([A(2, 3), A(1, 3)],),
        ([A(2, 1), A(2, 2)], {"axis": 1}),
        ([A(2), A(0), A(3)], {"axis": -1}),
        ([A(2), A(1, 2)], {"axis": None}),
        ([A(2), A(3, dtype="float64")],),
        ([A(3, 2), A(3, 2)], {"_layout": "strided"}),
        ([A(1, 2), A(3, 2), A(0, 2)],),
        ([A(2, 1), A(), A(3)], {"axis": None}),
        ([A(2, dtype="float64"), A(3)],),
        ([I(1, 2), A(2)],),
    ),
)
case(
    "stack",
    "torch.stack(references.wide(*arrays), axis)",
    calls(
        *[([A(2, 3), A(2, 3)],), ([A(3), A(3), A(3)], {"axis": -1}), ([A(), A()],), ([A(0), A(0)], {"axis": 1})],
        *[([A(2, 3), A(2, 3)], {"axis": 1}), ([A(2, 3)] * 3, {"axis": -1}), ([A(2, dtype="float64"), A(2)],)],
    ),
)
for _name, _more in {
    "hstack": (([A(2, 1), A(2, 2)],), ([A(2), A(), A(1)],)), "vstack": (([A(3), A(2, 3)],),), "dstack": (([A(2, 3), A(2, 3, 2)],),),
    "column_stack": (([A(2), A(2, 3)],),),
}.items():  # fmt: skip
    _two = ([A(2, 3), A(2, 3)],), ([A(2), A(2)],), ([A(), A()],)
    case(_name, f"torch.{_name}(arrays)", calls(*_two, *_more))
case(
    "block_diag",
    "torch.block_diag(*arrays)",
    calls((A(2, 3), A(1, 2)), (A(), A(2), A(2, 1)), (A(0), A(1, 1)), (A(2, 3), A(), A(2), A(0))),
)

# -- repeats ----------------------------------------------------------------------------------------------------------
case(
    "roll",
    "torch.roll(x, shift, axis)",
    calls(
        (A(4), 1),
        (A(2, 3), -2, {"axis": 1}),
        (A(2, 3), (1, 2), {"axis": (0, 1)}),
        (A(2, 3), 7),
        (
            A(
                0,
            ),
            1,
        ),
        (A(2, 3), 2),
        (A(2, 3), -1, {"axis": -1}),
        (A(2, 3), (1, -2), {"axis": (0, 1)}),
    ),
)
case(
    "repeat",
    "torch.repeat_interleave(x, repeats, dim=axis)",
    calls(
        *[(A(3), 2), (A(2, 3), 2, {"axis": 1}), (A(2, 3), I(2, 0, 1), {"axis": 1}), (A(2, 2), 3), (A(2), 0)],
        *[
            (A(2, 3), 2, {"axis": -1}),
            (A(2, 3), 0, {"axis": 0}),
            (A(2, 3), I(2), {"axis": 0}),
            (A(2, 2), I(0, 1, 2, 1)),
        ],
    ),
)
case(
    "tile",
    "torch.tile(x, repetitions)",
    calls(
        *[(A(3), (2,)), (A(2, 3), (2, 1)), (A(2), (2, 2)), (A(2, 2), (3,)), (A(), (2,))],
        *[(A(2, 2), (2, 3)), (A(2, 2), (2, 1, 3)), (A(2, 2), (1, 1, 1))],
    ),
)
for _name in ("tril", "triu"):
    case(
        _name,
        f"torch.{_name}(x, k)",
        calls(
            *[(A(3, 3),), (A(2, 3), {"k": 1}), (A(3, 2), {"k": -1}), (A(2, 3, 3),)],
            *[(A(2, 3, 4), {"k": k}) for k in (-1, 1)],
        ),
    )

# -- copies -----------------------------------------------------------------------------------------------------------
case("clone", "torch.clone", unary())
case("contiguous", "x.contiguous()", unary())
case("to_device", "x.to(device)", calls((A(2, 3), "cpu"), (A(), "cpu")))
case(
    "astype",
    "x.to(references.dtype_of(dtype))",
    calls((A(2, 3), "complex128"), (A(), "complex128"), (A(0, 2), "complex128")),
    note="Back to a real input the gradient is its real part.",
)
