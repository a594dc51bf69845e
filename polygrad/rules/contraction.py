"""Contractions: ``einsum``, and torch's sums of a matrix and a product.

``einsum`` of many operands goes pair by pair, in the order that ``contraction_path`` of the namespace returns. Each pair is one node, so
the backward pass reuses what was contracted on the way forward, instead of contracting all other operands again for each operand. The
derivative of a pair is again the contraction of a pair.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from math import prod
from string import ascii_letters as LETTERS
from typing import Any

from ..errors import ArgumentError, ShapeError
from .declare import bilinear, composite, linear
from .helpers import cast, conj, device_of
from .vmap.alignment import Run, label_batch


def _unique(labels: str) -> str:
    return "".join(dict.fromkeys(labels))


# -- one operand -------------------------------------------------------------------------------------------------------
def _take_diagonals(xp: Any, x: Any, labels: str) -> tuple[Any, str]:
    """Take the diagonal along the axes of each repeated label; that axis comes last."""
    for label in _unique(labels):
        while labels.count(label) > 1:
            first = labels.index(label)
            second = labels.index(label, first + 1)
            rest = [i for i in range(len(labels)) if i not in (first, second)]
            x = xp.linalg.diagonal(xp.permute_dims(x, (*rest, first, second)))
            labels = "".join(labels[i] for i in rest) + label
    return x, labels


def _reduce_operand(xp: Any, x: Any, labels: str, out: str) -> Any:
    """Compute ``einsum`` of one operand: take diagonals, sum over labels that are not in ``out``, and order the axes as in ``out``."""
    x, labels = _take_diagonals(xp, x, labels)
    summed = tuple([i for i, label in enumerate(labels) if label not in out])
    if summed:
        x = xp.sum(x, axis=summed, dtype=x.dtype)
        labels = "".join(label for label in labels if label in out)
    return x if labels == out else xp.permute_dims(x, tuple([labels.index(label) for label in out]))


def _expand_operand(xp: Any, g: Any, labels: str, target: str, shape: tuple[int, ...]) -> Any:
    """Transpose ``_reduce_operand``: repeat ``g`` over the summed axes, and put it on a diagonal where one was taken."""
    once = _unique(target)
    order = "".join(label for label in once if label in labels)
    if order != labels:
        g = xp.permute_dims(g, tuple([labels.index(label) for label in order]))
    sizes = [shape[target.index(label)] for label in once]
    if order != once:
        g = xp.reshape(g, tuple([n if label in order else 1 for label, n in zip(once, sizes, strict=True)]))
    if once == target:
        return xp.broadcast_to(g, shape)
    g = xp.reshape(
        xp.broadcast_to(g, tuple(sizes)),
        tuple([n if target.index(label) == i else 1 for i, (label, n) in enumerate(zip(target, shape, strict=True))]),
    )
    for i, label in enumerate(target):
        if target.index(label) < i:
            numbers = xp.arange(shape[i], device=device_of(g))
            along = tuple([-1 if j == i else 1 for j in range(len(target))])
            across = tuple([-1 if j == target.index(label) else 1 for j in range(len(target))])
            g = xp.where(xp.equal(xp.reshape(numbers, along), xp.reshape(numbers, across)), g, 0.0)
    return g


def _split_equation(equation: str) -> tuple[list[str], str]:
    inputs, _, out = equation.partition("->")
    return inputs.split(","), out


def _contract_single(xp: Any, x: Any, *, equation: str) -> Any:
    (labels,), out = _split_equation(equation)
    return _reduce_operand(xp, x, labels, out)


def _single_transpose(xp: Any, g: Any, *, x_shape: tuple[int, ...], equation: str) -> Any:
    (labels,), out = _split_equation(equation)
    return _expand_operand(xp, g, out, labels, x_shape)


def _batch_contract(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    left, _, out = params["equation"].partition("->")
    return run(*arrays, equation=label_batch(left.split(","), out, mapped))


contract_single = linear(
    "contract_single(x, /, *, equation)",
    transpose=_single_transpose,
    default=_contract_single,
    node="EinsumBackward0",
    batch=_batch_contract,
    doc="``einsum`` of one operand, whose equation has one letter for each axis and gives the result.",
)


# -- two operands ------------------------------------------------------------------------------------------------------
@lru_cache(maxsize=1024)
def _plan(equation: str) -> tuple[str, str, str, str, str, str, str]:
    """Sort the labels of a pair: return those of each operand, kept by both, summed, only in the first, only in the second, and out."""
    (labels1, labels2), out = _split_equation(equation)
    shared = "".join(label for label in _unique(labels1) if label in labels2)
    batch = "".join(label for label in shared if label in out)
    summed = "".join(label for label in shared if label not in out)
    free1 = "".join(label for label in _unique(labels1) if label in out and label not in labels2)
    free2 = "".join(label for label in _unique(labels2) if label in out and label not in labels1)
    return labels1, labels2, batch, summed, free1, free2, out


@lru_cache(maxsize=1024)
def _as_matmul(equation: str) -> tuple[bool, bool, bool] | None:
    """Return which of the two operands and the result have to be transposed to make the pair one product of (stacks of) matrices.

    None means that the operands are no such matrices as they stand.
    """
    labels1, labels2, batch, summed, free1, free2, out = _plan(equation)
    forms = (
        (labels1, batch + free1 + summed, batch + summed + free1),
        (labels2, batch + summed + free2, batch + free2 + summed),
        (out, batch + free1 + free2, batch + free2 + free1),
    )
    if not len(summed) == len(free1) == len(free2) == 1 or any(form not in ways for form, *ways in forms):
        return None
    first, second, result = (form == transposed for form, _, transposed in forms)
    return first, second, result


def _contract_pair(xp: Any, x1: Any, x2: Any, *, equation: str) -> Any:
    """Contract a pair as a product of two stacks of matrices, or elementwise where nothing is summed."""
    matrices = _as_matmul(equation)
    if matrices is not None:
        first, second, result = matrices
        a, b = (xp.matrix_transpose(x) if turn != result else x for x, turn in ((x1, first), (x2, second)))
        return xp.matmul(b, a) if result else xp.matmul(a, b)
    labels1, labels2, batch, summed, free1, free2, out = _plan(equation)
    a = _reduce_operand(xp, x1, labels1, batch + free1 + summed)
    b = _reduce_operand(xp, x2, labels2, batch + summed + free2)
    heads, rows, columns = (
        a.shape[: len(batch)],
        a.shape[len(batch) : len(batch + free1)],
        b.shape[len(batch + summed) :],
    )
    if summed:
        depth = prod(b.shape[len(batch) : len(batch + summed)])
        if batch and not free1 and not free2:
            a, b = (xp.reshape(x, (*heads, depth)) for x in (a, b))
            product = xp.vecdot(conj(xp, a), b, axis=-1)
        else:
            stack = (prod(heads),) if batch else ()
            a = xp.reshape(a, (*stack, prod(rows), depth))
            b = xp.reshape(b, (*stack, depth, prod(columns)))
            product = xp.reshape(xp.matmul(a, b), (*heads, *rows, *columns))
    else:
        product = xp.reshape(a, (*a.shape, *[1] * len(free2))) * xp.reshape(b, (*heads, *[1] * len(free1), *columns))
    return _reduce_operand(xp, product, batch + free1 + free2, out)


def _pair_transpose(which: int) -> Any:
    """Return the transpose by one operand: ``g`` contracted with the conjugate of the other operand."""

    def transpose(xp: Any, g: Any, other: Any, shape: tuple[int, ...], dtype: Any, equation: str) -> Any:
        labels, out = _split_equation(equation)
        mine, theirs = labels[which], labels[1 - which]
        target = "".join(label for label in _unique(mine) if label in out or label in theirs)
        c = xp.contract_pair(g, conj(xp, other), equation=f"{out},{theirs}->{target}")
        return cast(xp, c if target == mine else _expand_operand(xp, c, target, mine, shape), dtype)

    if which == 0:
        return lambda xp, g, x2, *, x1_shape, x1_dtype, equation: transpose(xp, g, x2, x1_shape, x1_dtype, equation)
    return lambda xp, g, x1, *, x2_shape, x2_dtype, equation: transpose(xp, g, x1, x2_shape, x2_dtype, equation)


contract_pair = bilinear(
    "contract_pair(x1, x2, /, *, equation)",
    transpose=(_pair_transpose(0), _pair_transpose(1)),
    default=_contract_pair,
    node="EinsumBackward0",
    promote=True,
    batch=_batch_contract,
    doc="``einsum`` of two operands, whose equation gives the result; axes with the same letter have the same length.",
)


# -- einsum ------------------------------------------------------------------------------------------------------------
def _from_lists(operands: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """Convert the other format, ``einsum(a, [0, 1], b, [1, 2], [0, 2])``, to an equation and operands."""

    def letters(labels: Any) -> str:
        return "".join("..." if label is Ellipsis else LETTERS[label] for label in labels)

    arrays = operands[: len(operands) // 2 * 2 : 2]
    equation = ",".join(letters(labels) for labels in operands[1::2])
    return equation + ("->" + letters(operands[-1]) if len(operands) % 2 else ""), arrays


@lru_cache(maxsize=1024)
def _spell_out(equation: str, ndims: tuple[int, ...]) -> tuple[list[str], str]:
    """Return the labels of operands with these numbers of axes, and of the result, with letters in the place of every ellipsis."""
    text = equation.replace(" ", "")
    inputs, arrow, out = text.partition("->")
    terms = inputs.split(",")
    if len(terms) != len(ndims):
        raise ArgumentError(
            f"einsum: the equation {equation!r} is of {len(terms)} operands, but there are {len(ndims)}"
        )
    wrong = [c for c in text.replace("->", "").replace("...", "").replace(",", "") if c not in LETTERS]
    if wrong or any(term.count("...") > 1 for term in (*terms, out)) or "," in out:
        raise ArgumentError(f"einsum: the equation {equation!r} is not made of letters, commas, ellipses and an arrow")
    spare = [letter for letter in LETTERS if letter not in text]
    widths = []
    for term, ndim in zip(terms, ndims, strict=True):
        width = ndim - len(term.replace("...", ""))
        if width < 0 or (width and "..." not in term):
            raise ShapeError(f"einsum: the labels {term!r} of {equation!r} do not fit an operand with {ndim} axes")
        widths.append(width)
    hidden = "".join(spare[: max(widths, default=0)])
    labels = [term.replace("...", hidden[len(hidden) - width :]) for term, width in zip(terms, widths, strict=True)]
    if not arrow:
        letters = sorted(set(inputs) - set(".,"))
        out = ("..." if hidden else "") + "".join(letter for letter in letters if inputs.count(letter) == 1)
    result = out.replace("...", hidden)
    for letter in result:
        if result.count(letter) > 1 or not any(letter in term for term in labels):
            raise ArgumentError(
                f"einsum: {letter!r} has to stand once in the result of {equation!r}, and in an operand"
            )
    return labels, result


@lru_cache(maxsize=1024)
def _match_labels(
    equation: str, shapes: tuple[tuple[int, ...], ...]
) -> tuple[tuple[str, ...], str, tuple[tuple[int, ...], ...]]:
    """Match an equation with shapes. Return the labels of the operands, those of the result, and the axes of each operand to squeeze.

    These are the axes of length 1 that meet a longer one.
    """
    labels, out = _spell_out(equation, tuple(map(len, shapes)))
    sizes: dict[str, int] = {}
    for term, shape in zip(labels, shapes, strict=True):
        for label, n in zip(term, shape, strict=True):
            if sizes.setdefault(label, n) == 1:
                sizes[label] = n
            elif n not in (1, sizes[label]):
                raise ShapeError(
                    f"einsum: in {equation!r} the axes of one label have lengths {sizes[label]} and {n}; "
                    f"the operands have the shapes {', '.join(map(str, shapes))}"
                )
    single = tuple(
        [
            tuple([axis for axis, label in enumerate(term) if shape[axis] == 1 != sizes[label]])
            for term, shape in zip(labels, shapes, strict=True)
        ]
    )
    left = [
        "".join([label for axis, label in enumerate(term) if axis not in gone])
        for term, gone in zip(labels, single, strict=True)
    ]
    return tuple(left), out, single


def _iterate_pairs(path: Iterable[tuple[int, ...]], count: int) -> Iterator[tuple[int, int]]:
    """Yield a contraction path as pairs of positions; the product of a pair comes last.

    A step of more than two operands goes from left to right.
    """
    for step in path:
        rest = sorted(step)
        while len(rest) > 1:
            i, j, *later = rest
            yield i, j
            count -= 1
            rest = [*[k - 2 for k in later], count - 1] if later else []


def _remaining_labels(labels: list[str], out: str, i: int, j: int) -> str:
    """Return the labels that are left of two contracted operands: those that the result or another operand needs."""
    needed = out + "".join(term for k, term in enumerate(labels) if k not in (i, j))
    return "".join(label for label in _unique(labels[i] + labels[j]) if label in needed)


def _einsum(xp: Any, equation: Any, operands: Any) -> Any:
    if not isinstance(equation, str):
        equation, operands = _from_lists((equation, *operands))
    elif len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        (operands,) = operands
    operands = [x if hasattr(x, "ndim") else xp.asarray(x) for x in operands]
    terms, out, single = _match_labels(equation, tuple([tuple(x.shape) for x in operands]))
    labels = list(terms)
    if any(single):
        operands = [xp.squeeze(x, axis=axes) if axes else x for x, axes in zip(operands, single, strict=True)]
    if len(operands) == 1:
        return xp.contract_single(operands[0], equation=f"{labels[0]}->{out}")
    path = (
        [(0, 1)]
        if len(operands) == 2
        else xp.contraction_path(f"{','.join(labels)}->{out}", [x.shape for x in operands])
    )
    for i, j in _iterate_pairs(path, len(operands)):
        left = out if len(operands) == 2 else _remaining_labels(labels, out, i, j)
        made = xp.contract_pair(operands[i], operands[j], equation=f"{labels[i]},{labels[j]}->{left}")
        operands = [x for k, x in enumerate(operands) if k not in (i, j)] + [made]
        labels = [term for k, term in enumerate(labels) if k not in (i, j)] + [left]
    return operands[0]


einsum = composite(
    "einsum(equation, /, *operands)",
    _einsum,
    arrays=("equation", "operands"),
    doc="Einstein summation: ``einsum('...ij,...jk->...ik', a, b)``, with ellipses, diagonals (``'ii->i'``) and implicit results.",
)


# -- a sum and a product -----------------------------------------------------------------------------------------------
def _add_product(product: Any) -> Any:
    """Return the body of an operation that computes ``beta * input + alpha * product``.

    With ``beta=0`` the input is left out, so that a NaN in it does not matter.
    """

    def body(xp: Any, input: Any, x1: Any, x2: Any, *, beta: Any, alpha: Any) -> Any:
        out = product(xp, x1, x2)
        if alpha != 1:
            out = out * alpha
        if beta == 0:
            return out
        return (input if beta == 1 else input * beta) + out

    return body


addmm = composite(
    "addmm(input, x1, x2, /, *, beta=1, alpha=1)", _add_product(lambda xp, a, b: xp.mm(a, b)), methods="addmm addmm_"
)
addmv = composite(
    "addmv(input, x1, x2, /, *, beta=1, alpha=1)", _add_product(lambda xp, a, b: xp.mv(a, b)), methods="addmv addmv_"
)
addr = composite(
    "addr(input, x1, x2, /, *, beta=1, alpha=1)", _add_product(lambda xp, a, b: xp.linalg.outer(a, b)), methods="addr"
)
baddbmm = composite(
    "baddbmm(input, x1, x2, /, *, beta=1, alpha=1)",
    _add_product(lambda xp, a, b: xp.bmm(a, b)),
    methods="baddbmm baddbmm_",
)
addbmm = composite(
    "addbmm(input, x1, x2, /, *, beta=1, alpha=1)",
    # The sum over the stack is one product of two matrices.
    _add_product(lambda xp, a, b: xp.tensordot(a, b, axes=((0, 2), (0, 1)))),
    methods="addbmm",
)
inner = composite(
    "inner(x1, x2, /)",
    lambda xp, x1, x2: (
        xp.multiply(x1, x2) if x1.ndim == 0 or x2.ndim == 0 else xp.tensordot(x1, x2, axes=((-1,), (-1,)))
    ),
    methods="inner",
    doc="The sum of products over the last axes, as in torch and NumPy: nothing is conjugated.",
)
