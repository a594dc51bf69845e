"""Matrices and lines, each brought into one chunk and computed there by NumPy; stacks of them in parallel."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import array_api_compat.dask.array as xp
import dask.array as da
import numpy as np

from polygrad.backend import get_backend


def numpys(name: str) -> Callable[..., Any]:
    """Return NumPy's function, as its adapter has it."""
    function: Callable[..., Any] = functools.reduce(getattr, name.split("."), get_backend("numpy").raw)
    return function


def _split(args: tuple[Any, ...]) -> tuple[list[Any], list[Any]]:
    """Split arguments into the arrays and the rest."""
    return [arg for arg in args if isinstance(arg, da.Array)], [arg for arg in args if not isinstance(arg, da.Array)]


def _like(array: Any) -> Any:
    """Return a NumPy array of that shape and dtype with identity matrices, which every function of matrices takes."""
    if array.ndim < 2:
        return np.zeros(array.shape, array.dtype)
    return np.broadcast_to(np.eye(*array.shape[-2:], dtype=array.dtype), array.shape)


def unless_empty(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function, which calls NumPy's of that name for empty arrays, where dask's may fail."""

    def run(*args: Any, **params: Any) -> Any:
        arrays, rest = _split(args)
        if all(array.size for array in arrays):
            return function(*args, **params)
        out = numpys(name)(*map(_like, arrays), *rest, **params)
        return tuple(map(da.asarray, out)) if isinstance(out, tuple) else da.asarray(out)

    return run


def _on_block(name: str, rest: list[Any], params: dict[str, Any], *blocks: Any) -> Any:
    out = numpys(name)(*blocks, *rest, **params)
    return tuple(out) if isinstance(out, tuple) else out


def _blocks(name: str, signature: str, *args: Any, **params: Any) -> Any:
    """Run NumPy's function on the last axes, which the signature names. They are in one chunk, the others as they are."""
    arrays, rest = _split(args)
    compute = functools.partial(_on_block, name, rest, params)
    inputs = [part.count(",") + 1 for part in signature.partition("->")[0].split("),(")]
    ones = [np.ones((1,) * n, array.dtype) for n, array in zip(inputs, arrays, strict=True)]
    trial = compute(*[one - 1 if one.dtype.kind in "iu" else one for one in ones])  # integers are indices
    meta = tuple([np.empty(0, part.dtype) for part in trial]) if isinstance(trial, tuple) else np.empty(0, trial.dtype)
    sizes = {"k": min(arrays[0].shape[-2:])} if "k" in signature else None
    return da.apply_gufunc(compute, signature, *arrays, meta=meta, output_sizes=sizes, allow_rechunk=True)


def _matrix(name: str, signature: str | Callable[..., str]) -> Callable[..., Any]:
    """Return a function of matrices. Its signature may depend on the arguments."""
    name = f"linalg.{name}"

    def run(*args: Any, **params: Any) -> Any:
        axes = signature if isinstance(signature, str) else signature(*args, **params)
        return _blocks(name, axes, *args, **params)

    return unless_empty(name, run)


def _line(name: str, signature: str = "(i)->(i)") -> Callable[..., Any]:
    """Return a function along one axis."""

    def run(*arrays: Any, axis: int = -1, **params: Any) -> Any:
        out = _blocks(name, signature, *[da.moveaxis(array, axis, -1) for array in arrays], axis=-1, **params)
        return da.moveaxis(out, -1, axis)

    return unless_empty(name, run)


def _transform(name: str) -> Callable[..., Any]:
    """Return a Fourier transform. dask demands that each axis of it is in one chunk."""
    function = getattr(xp.fft, name)  # type: ignore[attr-defined]

    def run(x: Any, /, **params: Any) -> Any:
        axes = params["axis"] if "axis" in params else params.get("axes")
        axes = range(x.ndim) if axes is None else (axes,) if isinstance(axes, int) else axes
        return function(x.rechunk({axis % x.ndim: -1 for axis in axes}), **params)

    return unless_empty(f"fft.{name}", run)


def _tall(x: Any) -> bool:
    """Return whether a matrix is cut into blocks of rows only, which dask decomposes in parallel."""
    return bool(x.ndim == 2 and x.numblocks[0] > 1 and x.numblocks[1] == 1 and x.shape[0] >= x.shape[1])


_qr = _matrix("qr", lambda x, mode: "(m,n)->(m,k),(k,n)" if mode == "reduced" else "(m,n)->(m,m),(m,n)")
_svd = _matrix("svd", lambda x, full_matrices: f"(m,n)->{'(m,m),(k),(n,n)' if full_matrices else '(m,k),(k),(k,n)'}")
_norm = _matrix("matrix_norm", "(m,n)->()")


def qr(x: Any, /, *, mode: str = "reduced") -> Any:
    """Decompose a matrix, in parallel if it is cut into blocks of rows."""
    return da.linalg.qr(x) if mode == "reduced" and _tall(x) else _qr(x, mode=mode)


def svd(x: Any, /, *, full_matrices: bool = True) -> Any:
    """Decompose a matrix, in parallel if it is cut into blocks of rows and only the first columns are needed."""
    return _svd(x, full_matrices=full_matrices) if full_matrices or not _tall(x) else da.linalg.svd(x)


def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """Return the norm of matrices."""
    out = _norm(x, ord=ord)
    return out[..., None, None] if keepdims else out


_SIGNATURES: dict[str, str | Callable[..., str]] = {
    "cholesky": "(i,i)->(i,i)",
    "det": "(i,i)->()",
    "eig": "(i,i)->(i),(i,i)",
    "eigh": "(i,i)->(i),(i,i)",
    "eigvals": "(i,i)->(i)",
    "eigvalsh": "(i,i)->(i)",
    "inv": "(i,i)->(i,i)",
    "lu": "(m,n)->(m,m),(m,k),(k,n)",
    "lu_factor": "(m,n)->(m,n),(k)",
    "matrix_power": "(i,i)->(i,i)",
    "matrix_rank": "(m,n)->()",
    "pinv": "(m,n)->(n,m)",
    "slogdet": "(i,i)->(),()",
    "solve": lambda a, b: "(i,i),(i)->(i)" if b.ndim == 1 else "(i,i),(i,j)->(i,j)",
    "solve_triangular": lambda a, b, left=True, **_: "(i,i),(i,j)->(i,j)" if left else "(i,i),(j,i)->(j,i)",
    "svdvals": "(m,n)->(k)",
}
"""Functions of matrices with the signatures of generalised ufuncs; ``k`` is the smaller of the two lengths."""

FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{f"linalg.{name}": _matrix(name, signature) for name, signature in _SIGNATURES.items()},
    **{
        f"fft.{name}": _transform(name)
        for name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft", "fftn", "ifftn", "rfftn", "irfftn")
    },
    "argsort": _line("argsort"),
    "linalg.matrix_norm": matrix_norm,
    "linalg.qr": qr,
    "linalg.svd": svd,
    "sort": _line("sort"),
    "take_along_axis": _line("take_along_axis", "(i),(j)->(j)"),
}
