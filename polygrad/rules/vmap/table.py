"""How each operation runs on a batch: what ``vmap`` does with it.

A rule is called as ``rule(run, arrays, mapped, params)``. Where ``mapped`` says so an array has the batch as its first axis; the others
are the same for every example. ``run(*arrays, **params)`` is the operation itself, one level below, ``run.xp`` the namespace there and
``run.size`` the length of the batch. The result (each of several) has the batch as its first axis. ``NotImplemented`` means that
this call has to run in a loop over the examples.

Elementwise operations need no entry: their arrays are aligned behind the batch. Most others move their axes up by one. Arrays inside a
parameter (the index arrays of a key) come as ``Mapped`` where they have a batch axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from string import ascii_letters as LETTERS
from typing import Any

from ...errors import ShapeError
from ..declare import Op
from ..helpers import broadcast_shapes, front_axis
from . import indexing as indexed
from .alignment import DECOMPOSE, Mapped, Rule, Run, aligned, everywhere, raised, rank, rows, up


# -- by form -----------------------------------------------------------------------------------------------------------
def elementwise(run: Run, arrays: Sequence[Any], mapped: Sequence[bool], params: dict[str, Any]) -> Any:
    if len(arrays) == 1:
        return run(*arrays, **params)
    return run(*aligned(run, arrays, mapped), **params)


def reduction(run: Run, arrays: Sequence[Any], mapped: Sequence[bool], params: dict[str, Any]) -> Any:
    """Over one axis, several, or (None) all."""
    (x,) = arrays
    axis, ndim = params["axis"], x.ndim - 1
    if axis == () or (axis is None and ndim == 0):
        # What a library does about no axis at all differs, about an axis of length 1 it does not.
        return run(run.xp.expand_dims(x, axis=-1), **{**params, "axis": ndim + 1, "keepdims": False})
    return run(x, **{**params, "axis": up(run, axis, ndim)})


def position(run: Run, arrays: Sequence[Any], mapped: Sequence[bool], params: dict[str, Any]) -> Any:
    """``argmax`` and ``argmin``, which take one axis or the whole array."""
    (x,) = arrays
    if params["axis"] is not None:
        return run(x, **{**params, "axis": up(run, params["axis"], x.ndim - 1)})
    out = run(rows(run, x), **{**params, "axis": 1, "keepdims": False})
    return run.xp.reshape(out, (run.size, *(1,) * (x.ndim - 1))) if params["keepdims"] else out


def along(run: Run, arrays: Sequence[Any], mapped: Sequence[bool], params: dict[str, Any]) -> Any:
    """Along one axis, which an array of no axes is taken to have."""
    (x,) = arrays
    if x.ndim == 1:
        changed = {"axis": 1, **({"keepdims": False} if "keepdims" in params else {})}
        out = run(run.xp.expand_dims(x, axis=1), **{**params, **changed})
        parts = [run.xp.reshape(part, (run.size,)) for part in (out if isinstance(out, tuple) else (out,))]
        return tuple(parts) if isinstance(out, tuple) else parts[0]
    return run(x, **{**params, "axis": up(run, params["axis"], x.ndim - 1)})


def cumulative(run: Run, arrays: Sequence[Any], mapped: Sequence[bool], params: dict[str, Any]) -> Any:
    (x,) = arrays
    axis = params["axis"]
    if x.ndim == 1 or (axis is None and x.ndim > 2):
        return NotImplemented
    return run(x, **{**params, "axis": up(run, axis or 0, x.ndim - 1)})


def matrix(run: Run, arrays: Sequence[Any], mapped: Sequence[bool], params: dict[str, Any]) -> Any:
    """Of matrices, which the library takes in stacks."""
    (x,) = arrays
    return run(x, **params) if x.ndim > 2 else NotImplemented


def several_axes(run: Run, arrays: Sequence[Any], mapped: Sequence[bool], params: dict[str, Any]) -> Any:
    """The transforms over ``axes``, the last ones where only their lengths are given."""
    (x,) = arrays
    axes, ndim = params["axes"], x.ndim - 1
    if axes is None and params.get("s") is not None:
        axes = range(-len(params["s"]), 0)
    axes = up(run, tuple(axes) if isinstance(axes, range) else axes, ndim)
    return run(x, **{**params, "axes": axes}) if axes != () else x


def data_dependent(run: Run, arrays: Sequence[Any], mapped: Sequence[bool], params: dict[str, Any]) -> Any:
    raise ShapeError(
        f"vmap: the shape of what {run.name} returns depends on the values, so the results of a batch are no array; take it out of "
        f"the function, or use a mask (where)"
    )


# -- rearrangements ----------------------------------------------------------------------------------------------------
def _reshape(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    (x,) = arrays
    shape = params["shape"]
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    if -1 in shape:
        known = prod([n for n in shape if n != -1])
        have = prod(x.shape[1:])
        shape = tuple([have // known if n == -1 and known else n for n in shape])
    if prod(shape) != prod(x.shape[1:]) or min(shape, default=0) < 0:
        raise ShapeError(
            f"reshape: an array of shape {tuple(x.shape[1:])} cannot take the shape {tuple(params['shape'])}"
        )
    return run(x, **{**params, "shape": (run.size, *shape)})


def _expand_dims(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    (x,) = arrays
    axis = params["axis"]
    more = len(axis) if isinstance(axis, (tuple, list)) else 1
    return run(x, axis=up(run, axis, x.ndim - 1 + more))


def _squeeze(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    (x,) = arrays
    return run(x, axis=up(run, params["axis"], x.ndim - 1)) if params["axis"] != () else x


def _permute_dims(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    (x,) = arrays
    return run(x, axes=(0, *up(run, tuple(params["axes"]), x.ndim - 1)))


def _swapaxes(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    (x,) = arrays
    return run(x, **{name: up(run, axis, x.ndim - 1) for name, axis in params.items()})


def _flip(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    (x,) = arrays
    axis = up(run, params["axis"], x.ndim - 1)
    return run(x, axis=axis) if axis != () else x


def _broadcast_to(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    (x,) = arrays
    shape = tuple(params["shape"])
    if len(shape) < x.ndim - 1:
        raise ShapeError(f"broadcast_to: the shape {tuple(x.shape[1:])} does not broadcast to {shape}")
    return run(raised(run, x, len(shape)), shape=(run.size, *shape))


def _concat(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    full = [everywhere(run, x, own) for x, own in zip(arrays, mapped, strict=True)]
    if params["axis"] is None:
        return run(*[rows(run, x) for x in full], axis=1)
    return run(*full, axis=up(run, params["axis"], max([x.ndim for x in full]) - 1))


def _stack(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    full = [everywhere(run, x, own) for x, own in zip(arrays, mapped, strict=True)]
    return run(*full, axis=up(run, params["axis"], full[0].ndim))


def _roll(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    (x,) = arrays
    shift, axis = params["shift"], params["axis"]
    if axis is None:
        shift = shift if isinstance(shift, int) else sum(shift)
        return run.xp.reshape(run(rows(run, x), shift=shift, axis=1), x.shape)
    return run(x, shift=shift, axis=up(run, axis, x.ndim - 1))


def _repeat(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    (x,) = arrays
    if params["axis"] is None:
        return run(rows(run, x), repeats=params["repeats"], axis=1)
    return run(x, repeats=params["repeats"], axis=up(run, params["axis"], x.ndim - 1))


def _tile(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    (x,) = arrays
    times = params["repetitions"]
    times = (times,) if isinstance(times, int) else tuple(times)
    times = (1,) * (x.ndim - 1 - len(times)) + times
    return run(raised(run, x, len(times)), repetitions=(1, *times))


# -- searching ---------------------------------------------------------------------------------------------------------
def _searchsorted(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    x1, x2 = arrays
    xp, sorter = run.xp, params["sorter"]
    if not mapped[0] and not isinstance(sorter, Mapped):
        return xp.reshape(run(x1, xp.reshape(x2, (-1,)), **params), x2.shape)
    x1 = everywhere(run, x1, mapped[0])
    if sorter is not None:
        order = sorter.data if isinstance(sorter, Mapped) else everywhere(run, sorter, False)
        x1 = xp.take_along_axis(x1, order, axis=1)
    x2 = x2 if mapped[1] else xp.expand_dims(x2, axis=0)
    # The place of a value is the number of elements before it; nan counts as the largest number.
    x1 = xp.reshape(x1, (run.size, *(1,) * (x2.ndim - 1), -1))
    x2 = xp.expand_dims(x2, axis=-1)
    earlier = x1 < x2 if params["side"] == "left" else xp.logical_not(x2 < x1)
    if xp.isdtype(x1.dtype, "real floating"):
        nan1, nan2 = xp.isnan(x1), xp.isnan(x2)
        left = params["side"] == "left"
        earlier = xp.where(nan2, xp.logical_not(nan1) if left else xp.ones_like(nan1), earlier & ~nan1)
    dtype = run(
        *[xp.zeros((1,), dtype=x1.dtype)] * 2, side=params["side"], sorter=None
    ).dtype  # which integers is the library's choice
    return xp.sum(xp.astype(earlier, dtype), axis=-1, dtype=dtype)


def _isin(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    x1, x2 = arrays
    if not mapped[1]:
        return run(x1, x2, **params)
    xp = run.xp
    pool = rows(run, x2)
    x1 = xp.reshape(x1, (run.size if mapped[0] else 1, -1, 1)) if hasattr(x1, "ndim") else x1
    found = xp.any(xp.equal(x1, xp.expand_dims(pool, axis=1)), axis=-1)
    shape = arrays[0].shape[int(mapped[0]) :] if hasattr(arrays[0], "ndim") else ()
    found = xp.reshape(found, (run.size, *shape))
    return xp.logical_not(found) if params["invert"] else found


def _bincount(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    x, weights = arrays
    if mapped[0]:
        return data_dependent(run, arrays, mapped, params)
    size = max(params["minlength"], int(run.xp.max(x)) + 1 if prod(x.shape) else 0)
    return run.xp.getitem_adjoint(weights, key=(slice(None), x), shape=(run.size, size))


def _median_value(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    (x,) = arrays
    return run.xp.median_along(rows(run, x), params["ignore_nan"], 1, False)[0]


# -- products ----------------------------------------------------------------------------------------------------------
def _matmul(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    x1, x2 = arrays
    xp = run.xp
    rank1, rank2 = rank(x1, mapped[0]), rank(x2, mapped[1])
    if not rank1 or not rank2:
        raise ShapeError("matmul: both arguments need at least one axis, and one of them is a number")
    if not mapped[1] and (rank2 == 1 or (rank1 == 1 and rank2 == 2)):
        return run(x1, x2)  # the batch is a stack of rows
    if not mapped[0] and rank2 == 1 and rank1 <= 2:
        return run(x2, x1 if rank1 == 1 else xp.matrix_transpose(x1))
    x1 = xp.expand_dims(x1, axis=-2) if rank1 == 1 else x1
    x2 = xp.expand_dims(x2, axis=-1) if rank2 == 1 else x2
    out = run(*aligned(run, (x1, x2), mapped))
    gone = tuple([axis for axis, rank in ((-2, rank1), (-1, rank2)) if rank == 1])
    return xp.squeeze(out, axis=gone) if gone else out


def _labelled(labels: Sequence[str], out: str, mapped: Sequence[bool]) -> str:
    """An equation with a letter for the batch."""
    letter = next(letter for letter in LETTERS if letter not in "".join(labels) and letter not in out)
    return ",".join([letter * own + term for term, own in zip(labels, mapped, strict=True)]) + f"->{letter}{out}"


def _contract(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    left, _, out = params["equation"].partition("->")
    return run(*arrays, equation=_labelled(left.split(","), out, mapped))


def _tensordot(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    x1, x2 = arrays
    ndim1, ndim2, axes = rank(x1, mapped[0]), rank(x2, mapped[1]), params["axes"]
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
    return run.xp.contract_pair(x1, x2, equation=_labelled(("".join(labels1), "".join(labels2)), out, mapped))


def _from_the_end(run: Run, axis: int, ndims: Sequence[int]) -> int:
    if axis < 0:
        return axis
    if len(set(ndims)) > 1:
        raise ShapeError(f"{run.name}: with {ndims[0]} and {ndims[1]} axes, axis={axis} has to be given from the end")
    return axis - ndims[0]


def _vecdot(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    axis = _from_the_end(run, params["axis"], [rank(x, own) for x, own in zip(arrays, mapped, strict=True)])
    return run(*aligned(run, arrays, mapped), axis=axis)


def _cross(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    axis = _from_the_end(run, params["axis"], [rank(x, own) for x, own in zip(arrays, mapped, strict=True)])
    x1, x2 = aligned(run, arrays, mapped)
    shape = broadcast_shapes(tuple(x1.shape), tuple(x2.shape))
    return run(run.xp.broadcast_to(x1, shape), run.xp.broadcast_to(x2, shape), axis=axis)


def _outer(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    x1, x2 = arrays
    if (rank(x1, mapped[0]), rank(x2, mapped[1])) != (1, 1):
        return NotImplemented
    return run.xp.multiply(run.xp.expand_dims(x1, axis=-1), run.xp.expand_dims(x2, axis=-2))


# -- equations ---------------------------------------------------------------------------------------------------------
def _solve(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    x1, x2 = arrays
    xp = run.xp
    if rank(x2, mapped[1]) != 1:
        return run(*_stacked(run, arrays, mapped))
    if not mapped[0] and x1.ndim == 2:  # one matrix for all: the batch is the columns
        return xp.matrix_transpose(run(x1, xp.matrix_transpose(x2)))
    x1, x2 = _stacked(run, (x1, xp.expand_dims(x2, axis=-1)), mapped)
    return xp.squeeze(run(x1, x2), axis=-1)


def _stacked(run: Run, arrays: Any, mapped: Any) -> list[Any]:
    """Matrices with the same axes in front of the last two."""
    arrays = aligned(run, arrays, mapped)
    lead = broadcast_shapes(*[tuple(x.shape[:-2]) for x in arrays])
    return [x if tuple(x.shape[:-2]) == lead else run.xp.broadcast_to(x, (*lead, *x.shape[-2:])) for x in arrays]


def _matrices(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    if min([rank(x, own) for x, own in zip(arrays, mapped, strict=True)]) < 2:
        return NotImplemented
    return run(*_stacked(run, arrays, mapped), **params)


# -- other -------------------------------------------------------------------------------------------------------------
def _clip(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    # The bounds may not be longer than what they bound.
    return run(*aligned(run, (everywhere(run, arrays[0], mapped[0]), *arrays[1:]), (True, *mapped[1:])))


def _diff(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    full: list[Any] = [None if x is None else everywhere(run, x, own) for x, own in zip(arrays, mapped, strict=True)]
    ndim = full[0].ndim - 1
    axis = up(run, params["axis"], ndim)
    for i, end in enumerate(full):
        if end is not None and end.ndim - 1 < ndim:  # one element for each line, as NumPy has it
            shape = tuple([1 if a == axis else n for a, n in enumerate(full[0].shape)])
            full[i] = run.xp.broadcast_to(raised(run, end, ndim), shape)
    return run(*full, **{**params, "axis": axis})


def _trapezoid(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    y, x = arrays
    ndim = rank(y, mapped[0])
    axis = up(run, params["axis"], ndim)
    y = everywhere(run, y, mapped[0])
    if x is not None and mapped[1]:
        if x.ndim == 2:
            x = run.xp.reshape(
                x, tuple([run.size if a == 0 else x.shape[1] if a == axis else 1 for a in range(ndim + 1)])
            )
        else:
            x = raised(run, x, ndim)
    elif x is not None and x.ndim > 1:
        x = run.xp.reshape(x, (*(1,) * (ndim + 1 - x.ndim), *x.shape))
    return run(y, x, **{**params, "axis": axis})


def _layer_norm(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    x, weight, bias = arrays
    ndim = rank(x, mapped[0])
    if mapped[0]:
        params = {**params, "axes": up(run, tuple(params["axes"]), ndim)}
    if not mapped[1] and not mapped[2]:
        return run(x, weight, bias, **params)
    out = run(x, None, None, **params)
    out = out if weight is None else run.xp.multiply(*aligned(run, (out, weight), (mapped[0], mapped[1])))
    if bias is None:
        return out
    return run.xp.add(*aligned(run, (out, bias), (mapped[0] or mapped[1], mapped[2])))


def _embedding(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    weight, indices = arrays
    if params["scale_grad_by_freq"]:  # it counts in each example alone
        return NotImplemented
    if not mapped[0]:
        return run(weight, indices, **params)
    xp = run.xp
    if params["padding_idx"] >= 0:
        return NotImplemented
    # The tables below each other make one.
    length = weight.shape[1]
    indices = everywhere(run, indices, mapped[1])
    starts = xp.arange(run.size, dtype=indices.dtype, device=indices.device) * length
    indices = indices + xp.reshape(starts, (run.size, *(1,) * (indices.ndim - 1)))
    return run(xp.reshape(weight, (run.size * length, *weight.shape[2:])), indices, **params)


def _of(rule: Rule | str, *names: str) -> dict[str, Rule | str]:
    """One rule for several operations, whose names are listed as words."""
    return dict.fromkeys(" ".join(names).split(), rule)


RULES: dict[str, Rule | str] = {
    **_of(
        elementwise,
        "floor_divide ceil floor round trunc equal not_equal less less_equal greater greater_equal isfinite isinf isnan signbit isclose",
        "logical_and logical_not logical_or logical_xor bitwise_and bitwise_invert bitwise_left_shift bitwise_or bitwise_right_shift",
        "bitwise_xor conj real imag where clone astype to_device",
    ),
    **_of(reduction, "sum mean prod max min var std any all count_nonzero logsumexp nansum linalg.vector_norm"),
    **_of(position, "argmax argmin"),
    **_of(
        along,
        "sort argsort softmax log_softmax cummax cummin logcumsumexp kthvalue mode median_along topk",
        "fft.fft fft.ifft fft.rfft fft.irfft fft.hfft fft.ihfft",
    ),
    **_of(cumulative, "cumulative_sum cumulative_prod"),
    **_of(
        matrix,
        "matrix_transpose tril triu linalg.cofactors linalg.det linalg.slogdet linalg.matrix_power linalg.matrix_exp linalg.cholesky",
        "linalg.qr linalg.svd linalg.svdvals linalg.eigh linalg.eigvalsh linalg.eig linalg.eigvals linalg.lu linalg.lu_factor",
        "linalg.matrix_norm linalg.matrix_rank linalg.inv linalg.pinv linalg.diagonal linalg.trace",
    ),
    **_of(several_axes, "fft.fftn fft.ifftn fft.rfftn fft.irfftn fft.hfftn fft.ihfftn fft.fftshift fft.ifftshift"),
    **_of(data_dependent, "nonzero argwhere unique_all unique_counts unique_inverse unique_values"),
    **_of(DECOMPOSE, "nn.nll_loss nn.binary_cross_entropy nn.binary_cross_entropy_with_logits nn.mse_loss nn.smooth_l1_loss nn.huber_loss"),
    "reshape": _reshape, "expand_dims": _expand_dims, "squeeze": _squeeze, "permute_dims": _permute_dims, "swapaxes": _swapaxes,
    "moveaxis": _swapaxes, "flip": _flip, "broadcast_to": _broadcast_to, "concat": _concat, "stack": _stack, "roll": _roll,
    "repeat": _repeat, "tile": _tile,
    "getitem": indexed.getitem, "getitem_adjoint": indexed.getitem_adjoint, "set_at": indexed.set_at,
    "extreme_at": indexed.extreme_at, "take": indexed.take,
    "take_along_axis": indexed.take_along_axis,
    "searchsorted": _searchsorted, "isin": _isin, "bincount": _bincount, "median_value": _median_value,
    "matmul": _matmul, "contract_single": _contract, "contract_pair": _contract, "tensordot": _tensordot, "vecdot": _vecdot,
    "linalg.cross": _cross, "linalg.outer": _outer,
    "linalg.solve": _solve, "linalg.solve_triangular": _matrices, "linalg.least_squares": _matrices,
    "clip": _clip, "diff": _diff, "trapezoid": _trapezoid, "nn.layer_norm": _layer_norm, "nn.embedding": _embedding,
}  # fmt: skip
"""What does not follow from the form alone."""


def rule_of(op: Op) -> Rule | str | None:
    """The batching rule in the table, or that of the operation's form. None: there is none."""
    by_element = op.form == "elementwise" or op.name.startswith(
        "special."
    )  # the ufuncs with several outputs, and constant ones
    return RULES.get(op.name, elementwise if by_element else None)
