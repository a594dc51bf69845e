"""The functions of ``numpy.linalg`` whose options the operations have not, or have by other names."""

from __future__ import annotations

import operator
from typing import Any

from ..errors import ArgumentError
from .numpy_functions import FUNCTIONS


def _register(function: Any) -> Any:
    FUNCTIONS[f"linalg.{function.__name__}"] = function
    return function


@_register
def qr(xp: Any, a: Any, mode: str = "reduced") -> Any:
    if mode not in ("reduced", "complete", "r"):
        raise ArgumentError(f"numpy.linalg.qr: mode has to be 'reduced', 'complete' or 'r' for Tensors, got {mode!r}")
    return xp.linalg.qr(a, mode="reduced").R if mode == "r" else xp.linalg.qr(a, mode=mode)


@_register
def svd(xp: Any, a: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    return xp.linalg.svd(a, full_matrices=bool(full_matrices)) if compute_uv else xp.linalg.svdvals(a)


def _lower(xp: Any, a: Any, UPLO: str) -> Any:
    """Return the matrix whose lower triangle counts."""
    if not isinstance(UPLO, str) or UPLO.upper() not in ("L", "U"):
        raise ArgumentError(f"numpy.linalg: UPLO has to be 'L' or 'U', got {UPLO!r}")
    return a if UPLO.upper() == "L" else xp.conj(xp.matrix_transpose(a))


@_register
def eigh(xp: Any, a: Any, UPLO: str = "L") -> Any:
    return xp.linalg.eigh(_lower(xp, a, UPLO))


@_register
def eigvalsh(xp: Any, a: Any, UPLO: str = "L") -> Any:
    return xp.linalg.eigvalsh(_lower(xp, a, UPLO))


@_register
def pinv(xp: Any, a: Any, rcond: Any = None, *, rtol: Any = None) -> Any:
    if rcond is not None and rtol is not None:
        raise ArgumentError("numpy.linalg.pinv: rcond and rtol are two names of one option; give one of them")
    cut = rcond if rtol is None else rtol
    return xp.linalg.pinv(a) if cut is None else xp.linalg.pinv(a, rtol=cut)


@_register
def matrix_rank(xp: Any, A: Any, tol: Any = None, *, rtol: Any = None) -> Any:
    if A.ndim < 2:
        return xp.any(A != 0).to("int64")
    if tol is None:
        return xp.linalg.matrix_rank(A) if rtol is None else xp.linalg.matrix_rank(A, rtol=rtol)
    if rtol is not None:
        raise ArgumentError("numpy.linalg.matrix_rank: give one of tol and rtol")
    bound = xp.asarray(tol)
    return xp.count_nonzero(xp.linalg.svdvals(A) > xp.expand_dims(bound, axis=-1), axis=-1)


@_register
def cross(xp: Any, x1: Any, x2: Any, *, axis: int = -1) -> Any:
    return xp.linalg.cross(x1, x2, axis=operator.index(axis))


@_register
def lstsq(xp: Any, a: Any, b: Any, rcond: Any = None) -> Any:
    a, b = xp.asarray(a), xp.asarray(b)
    found = xp.linalg.lstsq(a, b, rcond=rcond)
    return found._replace(residuals=xp.reshape(found.residuals, (-1,))) if b.ndim == 1 else found
