"""Products of matrices and vectors: ``matmul`` and its kin.

The cotangent of an operand is again a single product: g x2ᴴ for the first and x1ᴴ g for the second. See Giles, "Collected matrix
derivative results for forward and reverse mode algorithmic differentiation", 2008, section 2.2.2; complex operands are conjugated.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from string import ascii_letters as LETTERS
from typing import Any

from ..errors import ShapeError, describe
from .declare import bilinear, composite
from .helpers import adjoint, conj, fit, front_axis
from .vmap import forms
from .vmap.alignment import Run, align, example_ndim, label_batch


# -- matmul ------------------------------------------------------------------------------------------------------------
def _matmul_first(xp: Any, g: Any, x2: Any, *, x1_shape: tuple[int, ...]) -> Any:
    if x2.ndim == 1:
        # (..., m, k) @ (k,): the outer product of g and x2; if x1 is a vector too, g is a number.
        g = xp.expand_dims(g, axis=-1) if len(x1_shape) > 1 else g
        return g * conj(xp, x2)
    if len(x1_shape) == 1:
        # (k,) @ (..., k, n): the matrices times vectors, summed over the stack.
        columns = xp.matmul(conj(xp, x2), xp.expand_dims(g, axis=-1)) if x2.ndim > 2 else xp.matmul(conj(xp, x2), g)
        return fit(xp, xp.squeeze(columns, axis=-1), x1_shape) if x2.ndim > 2 else columns
    if len(x1_shape) == 2 and x2.ndim > 2:
        # One matrix for a whole stack: contract stack and columns at once, and never hold a cotangent for each matrix.
        axes = (*range(g.ndim - 2), g.ndim - 1)
        return xp.tensordot(g, conj(xp, x2), axes=(axes, axes))
    return fit(xp, xp.matmul(g, adjoint(xp, x2)), x1_shape)


def _matmul_second(xp: Any, g: Any, x1: Any, *, x2_shape: tuple[int, ...]) -> Any:
    if x1.ndim == 1:
        # (k,) @ (..., k, n)
        x1 = conj(xp, x1)
        if len(x2_shape) == 1:
            return g * x1
        return xp.expand_dims(x1, axis=-1) * xp.expand_dims(g, axis=-2)
    if len(x2_shape) <= 2 < x1.ndim:
        # One matrix (or vector) for a whole stack: the rows of the stack are the rows of one tall matrix.
        rows = prod(x1.shape[:-1])
        x1 = xp.reshape(x1, (rows, x1.shape[-1]))
        g = xp.reshape(g, (rows, *x2_shape[1:]))
    if len(x2_shape) == 1:
        return xp.matmul(g, conj(xp, x1))
    return fit(xp, xp.matmul(adjoint(xp, x1), g), x2_shape)


_NAMES = {
    (2, 2): "MmBackward0", (2, 1): "MvBackward0", (1, 2): "MvBackward0", (1, 1): "DotBackward0", (3, 3): "BmmBackward0",
}  # fmt: skip


def _matmul_name(payloads: Any, params: Any) -> str:
    return _NAMES.get((getattr(payloads[0], "ndim", 0), getattr(payloads[1], "ndim", 0)), "MatmulBackward0")


def _batch_matmul(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    x1, x2 = arrays
    xp = run.xp
    rank1, rank2 = example_ndim(x1, mapped[0]), example_ndim(x2, mapped[1])
    if not rank1 or not rank2:
        raise ShapeError("matmul: both arguments need at least one axis, and one of them is a number")
    if not mapped[1] and (rank2 == 1 or (rank1 == 1 and rank2 == 2)):
        return run(x1, x2)  # the batch is a stack of rows
    if not mapped[0] and rank2 == 1 and rank1 <= 2:
        return run(x2, x1 if rank1 == 1 else xp.matrix_transpose(x1))
    x1 = xp.expand_dims(x1, axis=-2) if rank1 == 1 else x1
    x2 = xp.expand_dims(x2, axis=-1) if rank2 == 1 else x2
    out = run(*align(run, (x1, x2), mapped))
    gone = tuple([axis for axis, rank in ((-2, rank1), (-1, rank2)) if rank == 1])
    return xp.squeeze(out, axis=gone) if gone else out


matmul = bilinear(
    "matmul(x1, x2, /)",
    transpose=(_matmul_first, _matmul_second),
    promote=True,
    node=_matmul_name,
    batch=_batch_matmul,
    methods="matmul",
)


def _expect_axes(name: str, ndim1: int, ndim2: int) -> Callable[..., Any]:
    """Return the body of one of torch's names of ``matmul``, which insists on one combination of axes."""

    def body(xp: Any, x1: Any, x2: Any) -> Any:
        if (x1.ndim, x2.ndim) != (ndim1, ndim2):
            raise ShapeError(
                f"{name}: expected arrays of {ndim1} and {ndim2} axes, got {describe(x1)} and {describe(x2)}; "
                f"matmul takes any number"
            )
        return xp.matmul(x1, x2)

    return body


mm = composite("mm(x1, x2, /)", _expect_axes("mm", 2, 2), methods="mm")
mv = composite("mv(x1, x2, /)", _expect_axes("mv", 2, 1), methods="mv")
dot = composite("dot(x1, x2, /)", _expect_axes("dot", 1, 1), methods="dot")
bmm = composite("bmm(x1, x2, /)", _expect_axes("bmm", 3, 3), methods="bmm")


# -- tensordot ---------------------------------------------------------------------------------------------------------
def _contracted_axes(axes: Any, ndim1: int, ndim2: int) -> tuple[list[int], list[int]]:
    """Return the axes of the two operands that are summed over, pair by pair."""
    if isinstance(axes, int):
        return list(range(ndim1 - axes, ndim1)), list(range(axes))
    first, second = [[each] if isinstance(each, int) else each for each in axes]
    return [axis % ndim1 for axis in first], [axis % ndim2 for axis in second]


def _free_axes(ndim: int, axes: list[int]) -> tuple[int, ...]:
    return tuple([i for i in range(ndim) if i not in axes])


def _arrange(xp: Any, x: Any, places: list[int]) -> Any:
    """Return ``x`` with each axis moved to the place given for it."""
    axes = tuple([places.index(i) for i in range(len(places))])
    return x if axes == tuple(range(len(axes))) else xp.permute_dims(x, axes)


# g has the free axes of x1, then those of x2. If it is contracted with one operand over the free axes of that operand, there remain the
# free axes of the other, and the contracted ones in the order of the operand, which go back to where their partners were.
def _tensordot_first(xp: Any, g: Any, x2: Any, *, x1_shape: tuple[int, ...], axes: Any) -> Any:
    summed1, summed2 = _contracted_axes(axes, len(x1_shape), x2.ndim)
    free1, free2 = _free_axes(len(x1_shape), summed1), _free_axes(x2.ndim, summed2)
    out = xp.tensordot(g, conj(xp, x2), axes=(tuple(range(len(free1), g.ndim)), free2))
    return _arrange(xp, out, [*free1, *[summed1[summed2.index(axis)] for axis in sorted(summed2)]])


def _tensordot_second(xp: Any, g: Any, x1: Any, *, x2_shape: tuple[int, ...], axes: Any) -> Any:
    summed1, summed2 = _contracted_axes(axes, x1.ndim, len(x2_shape))
    free1, free2 = _free_axes(x1.ndim, summed1), _free_axes(len(x2_shape), summed2)
    out = xp.tensordot(conj(xp, x1), g, axes=(free1, tuple(range(len(free1)))))
    return _arrange(xp, out, [*[summed2[summed1.index(axis)] for axis in sorted(summed1)], *free2])


def _batch_tensordot(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    x1, x2 = arrays
    ndim1, ndim2, axes = example_ndim(x1, mapped[0]), example_ndim(x2, mapped[1]), params["axes"]
    if isinstance(axes, int):
        axes = (range(ndim1 - axes, ndim1), range(axes))
    first, second = [[each] if isinstance(each, int) else list(each) for each in axes]
    labels1, labels2 = list(LETTERS[:ndim1]), list(LETTERS[ndim1 : ndim1 + ndim2])
    for a, b in zip(first, second, strict=True):
        a, b = front_axis("tensordot", a, ndim1), front_axis("tensordot", b, ndim2)
        if x1.shape[a + mapped[0]] != x2.shape[b + mapped[1]]:
            raise ShapeError(
                f"tensordot: axis {a} of the first has length {x1.shape[a + mapped[0]]}, axis {b} of the second "
                f"{x2.shape[b + mapped[1]]}"
            )
        labels2[b] = labels1[a]
    summed = set(labels1) & set(labels2)
    out = "".join([label for label in (*labels1, *labels2) if label not in summed])
    return run.xp.contract_pair(x1, x2, equation=label_batch(("".join(labels1), "".join(labels2)), out, mapped))


tensordot = bilinear(
    "tensordot(x1, x2, /, *, axes=2)",
    transpose=(_tensordot_first, _tensordot_second),
    promote=True,
    batch=_batch_tensordot,
    methods="tensordot",
    by_position=("axes",),
)


# -- vecdot ------------------------------------------------------------------------------------------------------------
def _restore_axis(xp: Any, g: Any, axis: int, ndim1: int, ndim2: int) -> Any:
    """Return the cotangent with the summed axis back in its place, of length 1."""
    if axis >= 0:
        if ndim1 != ndim2:
            raise ShapeError(f"vecdot: with {ndim1} and {ndim2} axes, axis={axis} has to be given from the end")
        axis -= ndim1
    return xp.expand_dims(g, axis=axis)


def _batch_vecdot(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    axis = forms.count_from_end(
        run, params["axis"], [example_ndim(x, own) for x, own in zip(arrays, mapped, strict=True)]
    )
    return run(*align(run, arrays, mapped), axis=axis)


vecdot = bilinear(
    "vecdot(x1, x2, /, *, axis=-1)",
    # The product is with the conjugate of x1, so the cotangent of x1 takes the conjugate of g.
    transpose=(
        lambda xp, g, x2, *, x1_shape, axis: fit(
            xp, _restore_axis(xp, conj(xp, g), axis, len(x1_shape), x2.ndim) * x2, x1_shape
        ),
        lambda xp, g, x1, *, x2_shape, axis: fit(xp, _restore_axis(xp, g, axis, x1.ndim, len(x2_shape)) * x1, x2_shape),
    ),
    promote=True,
    batch=_batch_vecdot,
    methods="vecdot",
)
