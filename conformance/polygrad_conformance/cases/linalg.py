"""Determinants, inverses, solutions, decompositions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .case import Sample, SampleFunction, case
from .samples import A, R, Rng, both, calls, normal, real_only

SQUARE = ((3, 3), (2, 3, 3), (1, 1))
TALL, WIDE = ((4, 3), (2, 4, 2)), ((3, 5), (2, 2, 3))


def matrices(*shapes: tuple[int, ...], shift: float = 0.0, strided: bool = True, **params: object) -> SampleFunction:
    """Random matrices of these shapes; ``shift`` moves the singular values of square ones apart."""

    def draw(rng: Rng, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
        x = normal(rng, dtype, *shape)
        if shift and shape[-1] == shape[-2]:
            x = x / 3 + shift * np.diag(np.arange(1.0, shape[-1] + 1) ** 1.5)
        return np.asarray(x)

    def generate(rng: Rng, dtype: str) -> Iterator[Sample]:
        for shape in shapes:
            yield Sample((draw(rng, dtype, shape),), dict(params))
        if strided:
            yield Sample((draw(rng, dtype, shapes[0]),), dict(params), layout="strided")

    return generate


def systems(*pairs: tuple[tuple[int, ...], tuple[int, ...]], shift: float = 1.0, **params: object) -> SampleFunction:
    """A well conditioned matrix, and right-hand sides."""

    def generate(rng: Rng, dtype: str) -> Iterator[Sample]:
        for left, right in pairs:
            a = normal(rng, dtype, *left)
            if left[-1] == left[-2]:
                a = a / 3 + shift * np.diag(np.arange(1.0, left[-1] + 1))
            yield Sample((np.asarray(a), normal(rng, dtype, *right)), dict(params))

    return generate


_empty = calls((A(0, 0),))
_SINGULAR = R([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0], [1.0, 0.0, 1.0]])
for _name in ("det", "linalg.det"):
    case(
        _name,
        "torch.linalg.det(x)",
        both(matrices(*SQUARE), _empty, real_only(calls((_SINGULAR, {"_note": "singular"})))),
        note="Right also of singular matrices.",
    )
for _name in ("logdet", "linalg.logdet"):
    case(
        _name,
        "torch.logdet(x)",
        both(matrices((3, 3), (2, 3, 3), shift=1.0)),
        domain="determinant > 0, or complex matrices",
    )
case("linalg.slogdet", "tuple(torch.linalg.slogdet(x))", both(matrices(*SQUARE), _empty), domain="regular matrices")
case(
    "linalg.cofactors",
    "references.cofactors(x)",
    matrices((3, 3), (2, 3, 3), shift=1.0),
    note="What the derivative of det is made of.",
)
for _name in ("inverse", "linalg.inv"):
    case(_name, "torch.linalg.inv(x)", both(matrices(*SQUARE, shift=1.0), _empty), domain="regular matrices")
case(
    "linalg.solve",
    "references.solve(x1, x2)",
    systems(
        ((3, 3), (3, 2)),
        ((3, 3), (3,)),
        ((2, 3, 3), (2, 3, 2)),
        ((2, 3, 3), (3,)),
        ((3, 3), (2, 3, 2)),
        ((2, 3, 3), (3, 2)),
        ((0, 0), (0, 2)),
        ((2, 3, 3), (2, 3, 1)),
    ),
    domain="regular matrices",
)
case(
    "linalg.pinv",
    "torch.linalg.pinv(x, rtol=rtol)",
    both(matrices(*TALL, *WIDE), matrices((3, 3), shift=1.0)),
    domain="full rank",
    tolerance=1e-11,
    reason="products of the pseudoinverse with itself lose a digit",
)
for _name in ("linalg.least_squares", "linalg.lstsq"):
    case(
        _name,
        "torch.linalg.lstsq(a, b)",
        systems(((4, 3), (4, 2)), ((2, 4, 3), (2, 4, 2)), ((2, 3, 3), (2, 3, 2)), ((2, 2, 3), (2, 2, 1))),
        observe="first",
        domain="full rank",
        tolerance=1e-11,
        reason="it goes by the pseudoinverse",
    )
_tri = [
    systems(((3, 3), (3, 2)), ((2, 3, 3), (3, 2)), upper=upper, left=True, unitriangular=unit)
    for upper in (True, False)
    for unit in (True, False)
] + [systems(((3, 3), (2, 3)), upper=upper, left=False) for upper in (True, False)]
_tri += [
    systems(*pairs, upper=upper, left=left, unitriangular=unit)
    for left, pairs in ((True, [((3, 3), (2, 3, 2))]), (False, [((2, 3, 3), (2, 3)), ((3, 3), (2, 2, 3))]))
    for upper in (True, False)
    for unit in (True, False)
]
case(
    "linalg.solve_triangular",
    "torch.linalg.solve_triangular(a, b, upper=upper, left=left, unitriangular=unitriangular)",
    both(*_tri),
)


def _factor(rng: Rng, dtype: str) -> Iterator[Sample]:
    for batch in ((), (2,)):
        factor = normal(rng, dtype, *batch, 3, 3) / 3 + np.diag([1.0, 2.0, 3.0])
        yield Sample((normal(rng, dtype, *batch, 3, 2), np.asarray(factor)))


case(
    "linalg.cholesky_solve",
    "torch.cholesky_solve(b, factor, upper)",
    _factor,
    prepare="lower_second",
    domain="triangular factors",
)
case(
    "linalg.cholesky_inverse",
    "torch.cholesky_inverse(factor, upper)",
    matrices((3, 3), (2, 3, 3), shift=1.0),
    prepare="factor",
    domain="triangular factors with a positive diagonal",
)
case("linalg.tensorinv", "torch.linalg.tensorinv(x, ind)", calls((A(2, 3, 3, 2),), (A(4, 2, 2), {"ind": 1})))
case(
    "linalg.tensorsolve",
    "torch.linalg.tensorsolve(a, b, axes)",
    calls((A(2, 3, 6), A(2, 3)), (A(3, 6, 2), A(6), {"axes": (0, 2)})),
)

# -- decompositions ---------------------------------------------------------------------------------------------------
LOOSE: dict[str, Any] = {"tolerance": 1e-10, "reason": "differences of neighbouring eigenvalues stand in denominators"}
case(
    "linalg.cholesky",
    "torch.linalg.cholesky(x, upper=upper)",
    both(matrices((3, 3), (2, 3, 3), (1, 1)), matrices((3, 3), upper=True), matrices((2, 3, 3), upper=True)),
    prepare="positive",
    domain="positive definite matrices",
)
case(
    "linalg.qr",
    "tuple(torch.linalg.qr(x, mode=mode))",
    both(matrices((3, 3), *TALL, *WIDE), matrices((2, 2, 3), mode="complete")),
    domain="full rank, no more columns than rows in complete mode",
)
case(
    "linalg.svd",
    "torch.linalg.svd(x, full_matrices=full_matrices)",
    both(matrices((3, 3), shift=1.0), matrices(*TALL, *WIDE, full_matrices=False)),
    observe="singular",
    domain="different singular values",
    note="Compared are quantities that do not depend on the phases of the vectors.",
    **LOOSE,
)
case(
    "linalg.svdvals",
    "torch.linalg.svdvals(x)",
    both(matrices((3, 3), shift=1.0), matrices(*TALL, *WIDE)),
    domain="different singular values",
    **LOOSE,
)
case(
    "linalg.eigh",
    "torch.linalg.eigh(x)",
    matrices((3, 3), (2, 3, 3), shift=1.0),
    prepare="hermitian",
    observe="eigen",
    domain="different eigenvalues",
    note="Compared are quantities that do not depend on the phases of the vectors.",
    **LOOSE,
)
case(
    "linalg.eigvalsh",
    "torch.linalg.eigvalsh(x)",
    matrices((3, 3), (2, 3, 3), shift=1.0),
    prepare="hermitian",
    domain="different eigenvalues",
    **LOOSE,
)
case(
    "linalg.eig",
    "torch.linalg.eig(x)",
    matrices((3, 3), (2, 3, 3), shift=2.0),
    observe="eigen",
    domain="different eigenvalues",
    note="Compared are quantities that do not depend on the phases of the vectors.",
    **LOOSE,
)
case(
    "linalg.eigvals",
    "torch.linalg.eigvals(x)",
    matrices((3, 3), (2, 3, 3), shift=2.0),
    domain="different eigenvalues",
    **LOOSE,
)
case(
    "linalg.lu",
    "torch.linalg.lu(x, pivot=pivot)",
    matrices((3, 3), (2, 3, 3), *TALL[:1], *WIDE[:1]),
    observe="after_first",
    domain="full rank",
)
case(
    "linalg.lu_factor",
    "torch.linalg.lu_factor(x, pivot=pivot)",
    matrices((3, 3), (2, 3, 3), *TALL[:1], *WIDE[:1]),
    observe="first",
    domain="full rank",
)


def _factored(rng: Rng, dtype: str) -> Iterator[Sample]:
    for batch in ((2,), ()):
        for left, adjoint in ((True, False), (True, True), (False, False), (False, True)):
            factors = normal(rng, dtype, *batch, 3, 3) / 3 + np.diag([1.0, 2.0, 3.0])
            right = normal(rng, dtype, *batch, *((3, 2) if left else (2, 3)))
            pivots = np.asarray([[1, 2, 2], [2, 2, 2]] if batch else [1, 2, 2], dtype="int32")
            yield Sample((np.asarray(factors), pivots, right), {"left": left, "adjoint": adjoint})


case(
    "linalg.lu_solve", "torch.linalg.lu_solve(LU, references.pivots(pivots), b, left=left, adjoint=adjoint)", _factored
)
case(
    "linalg.diagonal",
    "x.diagonal(offset, -2, -1)",
    calls(
        *[(A(3, 3),), (A(2, 3, 4), {"offset": 1}), (A(4, 2), {"offset": -2}), (A(3, 5), {"offset": 3})],
        *[(A(2, 3, 3),), (A(3, 5), {"offset": 1}), (A(2, 4, 2), {"offset": -2})],
    ),
)
case(
    "linalg.trace",
    "references.trace(x, offset)",
    calls(
        *[(A(3, 3),), (A(2, 4),), (A(4, 2), {"offset": -1}), (A(2, 3, 3), {"offset": 1}), (A(2, 2, 3), {"offset": -1})]
    ),
)
case(
    "linalg.cross",
    "torch.linalg.cross(x1, x2, dim=axis)",
    calls((A(3), A(3)), (A(2, 3), A(2, 3)), (A(3, 2), A(3, 2), {"axis": -2}), (A(2, 1, 3), A(1, 4, 3))),
)
case(
    "linalg.matrix_power",
    "torch.linalg.matrix_power(x, n)",
    both(
        *[
            _power
            for n, batch in (
                *[(n, (2,)) for n in (0, 1, 2, 3, -1, -2, -3, 5)],
                *[(n, ()) for n in (0, 1, 2, 3, -1, -2, -3, 5)],
            )
            for _power in [
                lambda rng, dtype, n=n, batch=batch: [
                    Sample((np.asarray(normal(rng, dtype, *batch, 3, 3) / 3 + np.eye(3)), n))
                ]
            ]
        ]
    ),
)
case("linalg.matrix_exp", "torch.linalg.matrix_exp(x)", both(matrices((3, 3), (2, 3, 3), (1, 1)), _empty))
