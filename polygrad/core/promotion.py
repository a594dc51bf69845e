"""Promote the arguments of an operation to one dtype."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..backend.frame import Frame
from ..errors import DtypeError
from ..rules.declare import Op
from .tensor import SCALAR_TYPES, SCALARS, Tensor

_KINDS = ("bool", "integral", "real floating", "complex floating")


def promote(op: Op, payloads: list[Any], frame: Frame, args: Sequence[Any]) -> tuple[list[Any], dict[int, Any]]:
    """The payloads in one dtype, and which had to be cast to what.

    Within a kind the standard promotes; across kinds the lower kind takes the dtype of the higher (so an integer array meeting a
    floating one takes its dtype), and a Python scalar of a higher kind brings the default dtype of its kind.
    """
    if not op.sequence and _same(op, payloads, frame):
        return payloads, {}
    xp = frame.backend.xp
    chosen = [i for i, name in enumerate(op.arrays) if name in op.promote]
    positions = list(range(len(payloads))) if op.sequence else chosen
    arrays = {i: payloads[i] for i in positions if hasattr(payloads[i], "dtype")}
    # A number that a compiler has made an array of stays a number to its library, and takes on the dtype of what it meets.
    if frame.backend.traces and len(arrays) > 1:
        arrays = {
            i: a for i, a in arrays.items() if isinstance(args[i], Tensor) or not frame.backend.is_number(a)
        } or arrays
    dtypes = [array.dtype for array in arrays.values()]
    ranks = [_rank(op, xp, dtype) for dtype in dtypes]
    highest = max(ranks, default=0)
    scalars = [payloads[i] for i in positions if type(payloads[i]) in SCALAR_TYPES]
    scalar_rank = max((SCALARS.index(type(value)) for value in scalars), default=0)
    if len(set(map(str, dtypes))) <= 1 and scalar_rank <= highest:
        target = dtypes[0] if dtypes else None
    else:
        joined = [
            dtype for dtype, rank in zip(dtypes, ranks, strict=True) if rank == highest or (highest == 3 and rank == 2)
        ]
        target = xp.result_type(*joined) if len(joined) > 1 else joined[0]
        if scalar_rank > highest:
            if scalar_rank == 3 and highest == 2:
                target = xp.complex64 if target == xp.float32 else xp.complex128
            else:
                target = frame.backend.default_dtype(_KINDS[scalar_rank])
    casts = {i: target for i, array in arrays.items() if array.dtype != target}
    if not casts:
        return payloads, casts
    return [frame.raw.astype(array, target) if i in casts else array for i, array in enumerate(payloads)], casts


def _rank(op: Op, xp: Any, dtype: Any) -> int:
    """Return the number of the kind of a dtype, from the lowest to the highest.

    Raises
    ------
    DtypeError
        It is of no kind of the standard.
    """
    for rank, kind in enumerate(_KINDS):
        if xp.isdtype(dtype, kind):
            return rank
    raise DtypeError(
        f"{op.name}: an argument has dtype {dtype}, which is none of the Array API standard; its kinds are bool, integer, real and "
        f"complex floating point: convert the array first"
    )


def _same(op: Op, payloads: Sequence[Any], frame: Frame) -> bool:
    """Return whether there is nothing to promote: one dtype, and scalars that take it on. This is the common case."""
    dtype: Any = None
    for name, payload in zip(op.arrays, payloads, strict=True):
        if name in op.promote and hasattr(payload, "dtype"):
            if dtype is None:
                dtype = payload.dtype
            elif payload.dtype != dtype:
                return False
    for name, payload in zip(op.arrays, payloads, strict=True):
        if (
            type(payload) in SCALAR_TYPES
            and name in op.promote
            and dtype not in frame.weak.get(type(payload), (dtype,))
        ):
            return dtype is None  # numbers alone are left to the library
    return True
