"""dask arrays: building a graph and its gradient computes nothing.

What dask does across chunks is left to it. Beyond that, matrices and lines (of a sort, a Fourier transform) are each brought into one
chunk and computed there by NumPy, the stacks of them in parallel; selection by one array of integers works chunk by chunk, its
transpose by partial sums. Other keys with arrays become one task that sees the whole array.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from math import prod
from typing import Any

import array_api_compat.dask.array as xp
import dask
import dask.array as da
import numpy as np

from polygrad.backend import Backend, get_backend, scipy_special
from polygrad.rules.indexing import basic


# -- matrices and lines -----------------------------------------------------------------------------------------------
def _numpy(name: str) -> Callable[..., Any]:
    """NumPy's function, with what its adapter makes of it."""
    function = get_backend("numpy").raw
    for part in name.split("."):
        function = getattr(function, part)
    return function  # type: ignore[no-any-return]


def _of_nothing(function: Callable[..., Any], *arrays: Any, **params: Any) -> Any:
    """What NumPy's function makes of arrays without elements, of which dask has not all."""
    out = function(*[np.empty(array.shape, array.dtype) for array in arrays], **params)
    return tuple(map(da.asarray, out)) if isinstance(out, tuple) else da.asarray(out)


def _blocks(name: str, signature: str, *arrays: Any, leading: tuple[Any, ...] = (), **params: Any) -> Any:
    """NumPy's function of that name on the last axes that the signature names, each brought into one chunk; in parallel over the others."""
    function = _numpy(name)

    def compute(*blocks: Any) -> Any:
        out = function(*blocks, *leading, **params)
        return tuple(out) if isinstance(out, tuple) else out

    if any(array.size == 0 for array in arrays):  # dask divides by the sizes, and nothing is to be computed
        return _of_nothing(compute, *arrays)
    inputs = [part.count(",") + 1 for part in signature.partition("->")[0].split("),(")]
    ones = [np.ones((1,) * n, array.dtype) for n, array in zip(inputs, arrays, strict=True)]
    trial = compute(*[one - 1 if one.dtype.kind in "iu" else one for one in ones])  # integers are indices
    meta = tuple([np.empty(0, part.dtype) for part in trial]) if isinstance(trial, tuple) else np.empty(0, trial.dtype)
    sizes = {"k": min(arrays[0].shape[-2:])} if "k" in signature else {"one": 1} if "one" in signature else None
    return da.apply_gufunc(compute, signature, *arrays, meta=meta, output_sizes=sizes, allow_rechunk=True)


def _matrix(name: str, signature: str) -> Callable[..., Any]:
    return lambda *arrays, **params: _blocks(f"linalg.{name}", signature, *arrays, **params)


def _line(name: str) -> Callable[..., Any]:
    """A function along one axis."""

    def run(x: Any, /, *, axis: int = -1, **params: Any) -> Any:
        if x.ndim == 0:
            return da.map_blocks(_numpy(name), x, axis=axis, dtype=_numpy(name)(np.ones((), x.dtype), axis=axis).dtype)
        return da.moveaxis(_blocks(name, "(i)->(i)", da.moveaxis(x, axis, -1), axis=-1, **params), -1, axis)

    return run


def matrix_power(x: Any, n: int, /) -> Any:
    """The n-th power of matrices."""
    return _blocks("linalg.matrix_power", "(i,i)->(i,i)", x, leading=(n,))


def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """The norm of matrices."""
    return _blocks("linalg.matrix_norm", f"(m,n)->{'(one,one)' if keepdims else '()'}", x, keepdims=keepdims, ord=ord)


def solve(a: Any, b: Any, /) -> Any:
    """The solution of ``a x = b``."""
    return _blocks("linalg.solve", "(i,i),(i)->(i)" if b.ndim == 1 else "(i,i),(i,j)->(i,j)", a, b)


def solve_triangular(a: Any, b: Any, /, **params: Any) -> Any:
    """The solution of ``a x = b`` or ``x a = b``."""
    left = params.get("left", True)
    return _blocks("linalg.solve_triangular", f"(i,i),{'(i,j)->(i,j)' if left else '(j,i)->(j,i)'}", a, b, **params)


def _tall(x: Any) -> bool:
    """Whether a matrix is cut into blocks of rows only, which dask decomposes in parallel."""
    return bool(x.ndim == 2 and x.numblocks[0] > 1 and x.numblocks[1] == 1 and x.shape[0] >= x.shape[1])


def qr(x: Any, /, *, mode: str = "reduced") -> Any:
    """The decomposition, in parallel for a matrix cut into blocks of rows."""
    if mode == "reduced" and _tall(x):
        return da.linalg.qr(x)
    return _blocks("linalg.qr", "(m,n)->(m,k),(k,n)" if mode == "reduced" else "(m,n)->(m,m),(m,n)", x, mode=mode)


def svd(x: Any, /, *, full_matrices: bool = True) -> Any:
    """The decomposition, in parallel for a matrix cut into blocks of rows where only the first columns are asked for."""
    if not full_matrices and _tall(x):
        return da.linalg.svd(x)
    outputs = "(m,m),(k),(n,n)" if full_matrices else "(m,k),(k),(k,n)"
    return _blocks("linalg.svd", f"(m,n)->{outputs}", x, full_matrices=full_matrices)


def _transform(name: str) -> Any:
    """A Fourier transform, for which dask wants each axis that is transformed in one chunk."""
    function = getattr(xp.fft, name)  # type: ignore[attr-defined]

    def run(x: Any, /, **params: Any) -> Any:
        if x.size == 0:
            return _of_nothing(_numpy(f"fft.{name}"), x, **params)
        axes = params["axis"] if "axis" in params else params.get("axes")
        axes = range(x.ndim) if axes is None else (axes,) if isinstance(axes, int) else axes
        return function(x.rechunk({axis % x.ndim: -1 for axis in axes}), **params)

    return run


def _running(name: str) -> Callable[..., Any]:
    """A running sum or product."""

    def run(x: Any, /, **params: Any) -> Any:
        return getattr(xp, name)(x, **params) if x.size else _of_nothing(_numpy(name), x, **params)

    return run


def count_nonzero(x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Any:
    """How many elements are not zero; dask itself counts over one axis or all."""
    return da.sum(x != 0, axis=axis, keepdims=keepdims, dtype=np.int64)


# -- selection --------------------------------------------------------------------------------------------------------
def _whole(function: Callable[..., Any], *arrays: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """An operation that NumPy does on whole arrays, as one task."""
    return da.from_delayed(dask.delayed(function)(*arrays), shape=shape, dtype=dtype)


def _is_mask(part: Any) -> bool:
    return getattr(part, "dtype", None) == np.bool_


def _keys(key: Any) -> tuple[Any, ...]:
    """The parts of a key, lists as arrays. What selects an unknown number of elements is refused."""
    parts = key if isinstance(key, tuple) else (key,)
    keys = tuple([np.asarray(part) if isinstance(part, list) else part for part in parts])
    if any(_is_mask(part) or np.isnan(getattr(part, "shape", ())).any() for part in keys):
        raise BACKEND.refusal("getitem(mask)")
    return keys


def _selected(shape: tuple[int, ...], keys: tuple[Any, ...]) -> tuple[int, ...]:
    """The shape of what integers, slices and arrays of integers select."""
    like = [np.zeros(part.shape, np.int64) if hasattr(part, "dtype") else part for part in keys]
    return tuple(np.broadcast_to(np.empty((), bool), shape)[tuple(like)].shape)


def _one_array(keys: tuple[Any, ...], ndim: int) -> tuple[tuple[Any, ...], int, Any] | None:
    """A key with one array, beside slices, as a basic key, an axis of what that selects, and the array along it; None for other keys."""
    arrays = [part for part in keys if hasattr(part, "dtype")]
    if len(arrays) != 1 or arrays[0].ndim == 0 or any(type(part) is int for part in keys):
        return None
    at = next(i for i, part in enumerate(keys) if hasattr(part, "dtype"))
    if Ellipsis in keys[:at]:
        fill = ndim - sum(part is not None and part is not Ellipsis for part in keys)
        axis = at - 1 + fill
    else:
        axis = at
    return tuple([slice(None) if i == at else part for i, part in enumerate(keys)]), axis, arrays[0]


def _pick(x: Any, index: Any, axis: int) -> Any:
    """The slices of ``x`` along an axis that an array of integers in a row names."""
    if isinstance(index, np.ndarray):
        return x[(slice(None),) * axis + (index,)]
    if np.iscomplexobj(x):  # dask 2026.8 adds up what it finds in each chunk, and drops the imaginary part
        return _pick(x.real, index, axis) + 1j * _pick(x.imag, index, axis)
    # The sum gives the index a name of its own: dask 2026.8 mistakes one that equals its own array of offsets for that.
    return x[(slice(None),) * axis + (index + 0,)]


def getitem(x: Any, *, key: Any) -> Any:
    """``x[key]``."""
    if basic(key):
        return x[key]
    keys = _keys(key)
    found = _one_array(keys, x.ndim)
    if found is None:
        return _whole(lambda x, *keys: x[keys], x, *keys, shape=_selected(x.shape, keys), dtype=x.dtype)
    basic_key, axis, index = found
    x = x[basic_key]
    return _pick(x, index.reshape(-1), axis).reshape((*x.shape[:axis], *index.shape, *x.shape[axis + 1 :]))


def getitem_adjoint(x: Any, *, key: Any, shape: tuple[int, ...]) -> Any:
    """Zeros of ``shape`` with ``x`` added at ``key``, every duplicate counted."""
    if basic(key):
        return _write(da.zeros(shape, dtype=x.dtype), x, key)
    keys = _keys(key)
    found = _one_array(keys, len(shape))
    if found is None:

        def add(value: Any, *keys: Any) -> Any:
            out = np.zeros(shape, dtype=value.dtype)
            np.add.at(out, keys, value)
            return out

        return _whole(add, x, *keys, shape=shape, dtype=x.dtype)
    basic_key, axis, index = found
    inner = _selected(shape, basic_key)
    x = da.broadcast_to(x, (*inner[:axis], *index.shape, *inner[axis + 1 :]))
    sums = _partial_sums(
        x.reshape((*inner[:axis], index.size, *inner[axis + 1 :])), da.asarray(index).reshape(-1), axis, inner[axis]
    )
    return sums if all(part == slice(None) for part in basic_key) else getitem_adjoint(sums, key=basic_key, shape=shape)


def _partial_sums(x: Any, index: Any, axis: int, length: int) -> Any:
    """Zeros with slice i of ``x`` along an axis added at ``index[i]``: each chunk by itself, then the sum over them."""

    def add(block: Any, index: Any) -> Any:
        out = get_backend("numpy").raw.getitem_adjoint(
            block, key=(slice(None),) * axis + (index,), shape=(*block.shape[:axis], length, *block.shape[axis + 1 :])
        )
        return np.expand_dims(out, axis)

    if index.size == 0:
        return da.zeros((*x.shape[:axis], length, *x.shape[axis + 1 :]), dtype=x.dtype)
    letters = tuple(range(x.ndim))
    parts = da.blockwise(
        add, (*letters[: axis + 1], x.ndim, *letters[axis + 1 :]), x, letters, index, (axis,),
        new_axes={x.ndim: length}, adjust_chunks={axis: lambda n: 1}, dtype=x.dtype, align_arrays=True, meta=np.empty(0, x.dtype),
    )  # fmt: skip
    return da.sum(parts, axis=axis, dtype=x.dtype)


def _write(x: Any, value: Any, key: Any) -> Any:
    """``x`` with ``value`` at a basic key, chunk by chunk."""
    kept = tuple([part for part in (key if isinstance(key, tuple) else (key,)) if part is not None])
    shape = _selected(x.shape, kept)
    if prod(shape) == 0:
        return x
    if getattr(value, "ndim", 0):
        value = da.broadcast_to(value, _selected(x.shape, key if isinstance(key, tuple) else (key,))).reshape(shape)
    out = x.copy()
    out[kept] = value
    return out


def set_at(x: Any, value: Any, /, *, key: Any) -> Any:
    """``x`` with ``value`` at ``key``."""
    if basic(key):
        return _write(x, value, key)
    if _is_mask(key) and getattr(value, "ndim", 0) == 0:
        mask = key.reshape(key.shape + (1,) * (x.ndim - key.ndim))
        return da.where(mask, da.asarray(value).astype(x.dtype), x)

    def write(x: Any, value: Any, *keys: Any) -> Any:
        out = np.array(x)
        out[keys] = value
        return out

    return _whole(write, x, value, *(key if isinstance(key, tuple) else (key,)), shape=x.shape, dtype=x.dtype)


def take(x: Any, indices: Any, /, *, axis: int | None = None) -> Any:
    """The elements at ``indices`` along an axis."""
    return getitem(x, key=(slice(None),) * ((axis or 0) % x.ndim) + (indices,))


def take_along_axis(x: Any, indices: Any, /, *, axis: int = -1) -> Any:
    """The elements at ``indices``, which go along an axis."""
    lines = [da.moveaxis(array, axis, -1) for array in (x, indices)]
    return da.moveaxis(_blocks("take_along_axis", "(i),(j)->(j)", *lines, axis=-1), -1, axis)


def searchsorted(x1: Any, x2: Any, /, *, side: str = "left", sorter: Any = None) -> Any:
    """Where the elements of ``x2`` belong in the sorted ``x1``."""
    return da.searchsorted(x1 if sorter is None else getitem(x1, key=(sorter,)), x2, side=side)


def repeat(x: Any, repeats: Any, /, *, axis: int | None = None) -> Any:
    """Each element several times."""
    if not isinstance(repeats, int):
        raise BACKEND.refusal("repeat(array)")
    return da.repeat(x.reshape(-1) if axis is None else x, repeats, axis=axis or 0)


def concat(arrays: Any, /, *, axis: int | None = 0) -> Any:
    """Arrays one after the other. dask 2026.8 confuses the chunks of several that are empty."""
    out = xp.concat(arrays, axis=axis)
    return da.zeros(out.shape, dtype=out.dtype) if out.size == 0 else out


def reshape(x: Any, /, shape: Any, *, copy: bool | None = None) -> Any:
    """The elements in another shape; dask 2026.8 fails for some shapes without elements."""
    if x.size == 0:
        return _of_nothing(lambda array: array.reshape(shape), x)
    return xp.reshape(x, shape, copy=copy)  # type: ignore[attr-defined]


def broadcast_to(x: Any, /, shape: tuple[int, ...]) -> Any:
    """The array broadcast, in chunks of the usual size along the new axes, where dask makes one. Of nothing it knows no usual size."""
    if 0 in shape:
        return da.broadcast_to(x, shape)
    own = (
        *("auto",) * (len(shape) - x.ndim),
        *["auto" if n == 1 else part for n, part in zip(x.shape, x.chunks, strict=True)],
    )
    return da.broadcast_to(x, shape, chunks=da.core.normalize_chunks(own, shape, dtype=x.dtype))  # fmt: skip


# -- creation ---------------------------------------------------------------------------------------------------------
def eye(n_rows: int, n_cols: int | None = None, /, *, k: int = 0, dtype: Any = None, device: Any = None) -> Any:
    """Ones on a diagonal. dask's own gives an oblong matrix the wrong chunks."""
    rows, columns = da.arange(n_rows), da.arange(n_rows if n_cols is None else n_cols)
    return (rows[:, None] + k == columns).astype(np.float64 if dtype is None else dtype)


def _triangle(inside: Callable[..., Any]) -> Callable[..., Any]:
    """A part of matrices, with zeros elsewhere. dask's own warns of complex numbers."""

    def run(x: Any, /, *, k: int = 0) -> Any:
        mask = inside(da.arange(x.shape[-2])[:, None], da.arange(x.shape[-1]), k)
        return da.where(mask, x, np.zeros((), x.dtype))

    return run


class DaskBackend(Backend):
    """dask.array collections of NumPy blocks."""

    name = "dask"
    install = "pip install 'dask[array]'"
    xp = xp
    lazy = True
    overrides = {  # noqa: RUF012
        **{
            f"fft.{name}": _transform(name)
            for name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft", "fftn", "ifftn", "rfftn", "irfftn")
        },
        **{
            f"linalg.{name}": _matrix(name, signature) for name, signature in {
                "cholesky": "(i,i)->(i,i)", "det": "(i,i)->()", "eig": "(i,i)->(i),(i,i)", "eigh": "(i,i)->(i),(i,i)",
                "eigvals": "(i,i)->(i)", "eigvalsh": "(i,i)->(i)", "inv": "(i,i)->(i,i)", "lu": "(m,n)->(m,m),(m,k),(k,n)",
                "lu_factor": "(m,n)->(m,n),(k)", "matrix_rank": "(m,n)->()", "pinv": "(m,n)->(n,m)", "slogdet": "(i,i)->(),()",
                "svdvals": "(m,n)->(k)",
            }.items()
        },
        "argsort": _line("argsort"),
        "broadcast_to": broadcast_to,
        "concat": concat,
        "count_nonzero": count_nonzero,
        "cumulative_prod": _running("cumulative_prod"),
        "cumulative_sum": _running("cumulative_sum"),
        "eye": eye,
        "getitem": getitem,
        "getitem_adjoint": getitem_adjoint,
        "linalg.matrix_norm": matrix_norm,
        "linalg.matrix_power": matrix_power,
        "linalg.qr": qr,
        "linalg.solve": solve,
        "linalg.solve_triangular": solve_triangular,
        "linalg.svd": svd,
        "repeat": repeat,
        "reshape": reshape,
        "searchsorted": searchsorted,
        "set_at": set_at,
        "sort": _line("sort"),
        "take": take,
        "take_along_axis": take_along_axis,
        "to_device": lambda x, device: x,
        "tril": _triangle(lambda row, column, k: row + k >= column),
        "triu": _triangle(lambda row, column, k: row + k <= column),
    }  # fmt: skip
    others = frozenset({"nan_to_num", "topk"})
    unsupported = {  # noqa: RUF012
        "bincount": "how long the result gets depends on the values; histogram has a number of bins",
        "getitem(mask)": "how many elements a mask, or what nonzero finds, selects is not known before it is computed; "
        "where(mask, x, 0) keeps the shape",
        "repeat(array)": "how long the result gets is not known before the repeats are computed; a Python integer will do",
    }

    def __init__(self) -> None:
        super().__init__()
        self._generator: Any = None

    def owns(self, kind: type) -> bool:
        return issubclass(kind, da.Array)

    def canonical(self, dtype: Any) -> Any:
        return np.dtype(dtype)

    def device(self, spec: Any) -> Any:
        if spec != "cpu":
            raise self.no_device(spec)
        return spec

    def device_of(self, array: Any) -> Any:
        return "cpu"

    def devices(self) -> tuple[str, ...]:
        return ("cpu",)

    def add_at(self, buffer: Any, key: Any, value: Any) -> Any:
        return buffer + getitem_adjoint(value, key=key, shape=buffer.shape)

    def own(self, array: Any, alias: bool) -> Any:
        # An assignment gives the Python object another graph; the blocks themselves are never written to.
        return da.Array(array.dask, array.name, array.chunks, meta=array) if alias else array

    def special(self, name: str) -> Any:
        function = (
            scipy_special(name) if name != "multigammaln" else None
        )  # which raises for some values, dask's trial ones among them
        return None if function is None else self.on_host(function)

    def on_host(self, function: Any) -> Any:
        """Block by block, with broadcasting."""
        number = getattr(function, "nout", 1)
        if number == 1:
            return lambda *args, **params: da.core.elemwise(functools.partial(function, **params), *args)
        return lambda *args: tuple(
            [da.core.elemwise(lambda *values, i=i: function(*values)[i], *args) for i in range(number)]
        )

    def to_host(self, array: Any) -> Any:
        return array.compute().tolist()

    def numpy(self, array: Any) -> Any:
        return array.compute()

    def random(self, kind: str, shape: tuple[int, ...], dtype: Any, device: Any, **params: Any) -> Any:
        if self._generator is None:
            self.manual_seed(int(np.random.default_rng().integers(2**31)))
        if kind == "integers":
            return self._generator.integers(params["low"], params["high"], size=shape).astype(dtype)
        draw = self._generator.standard_normal if kind == "normal" else self._generator.random
        return draw(size=shape).astype(dtype)

    def manual_seed(self, seed: int) -> None:
        self._generator = da.random.default_rng(seed)

    def random_state(self) -> Any:
        return copy.deepcopy(self._generator)

    def set_random_state(self, state: Any) -> None:
        self._generator = copy.deepcopy(state)


BACKEND = DaskBackend()
