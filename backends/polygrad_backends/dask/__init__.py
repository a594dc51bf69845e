"""dask arrays: building a graph and its gradient computes nothing.

What dask does across chunks is left to it. Beyond that, ``blocks`` brings matrices and lines into one chunk each, and ``selection`` keeps
to the chunks where one array of integers selects; other keys with arrays see the whole array.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from math import prod
from typing import Any

import array_api_compat.dask.array as xp
import dask.array as da
import numpy as np

from polygrad.backend import Backend, get_backend, scipy_special
from polygrad.rules.declare import front_axes

from . import blocks, selection


# -- what dask does otherwise, or not for every shape -------------------------------------------------------------------
def repeat(x: Any, repeats: Any, /, *, axis: int | None = None) -> Any:
    """Each element several times."""
    if not isinstance(repeats, int):
        raise BACKEND.refusal("repeat(array)")
    return da.repeat(x.reshape(-1) if axis is None else x, repeats, axis=axis or 0)


def concat(arrays: Any, /, *, axis: int | None = 0) -> Any:
    """Arrays one after the other. dask 2026.8 confuses the chunks of several that are empty."""
    out = xp.concat(arrays, axis=axis)
    return da.zeros(out.shape, dtype=out.dtype) if out.size == 0 else out


def broadcast_to(x: Any, /, shape: tuple[int, ...]) -> Any:
    """The array broadcast, in chunks of the usual size along the new axes, where dask makes one."""
    if not prod(shape) > 0:  # of no elements, and of an unknown number, dask knows no usual size
        return da.broadcast_to(x, shape)
    own = ["auto"] * (len(shape) - x.ndim)
    own += ["auto" if n == 1 else part for n, part in zip(x.shape, x.chunks, strict=True)]
    return da.broadcast_to(x, shape, chunks=da.core.normalize_chunks(tuple(own), shape, dtype=x.dtype))


def tensordot(x1: Any, x2: Any, /, *, axes: Any = 2) -> Any:
    """The sum of products; dask 2026.8 takes other axes where they are counted from the end."""
    if not isinstance(axes, int):
        both = [(part,) if isinstance(part, int) else part for part in axes]
        axes = tuple([tuple([axis % x.ndim for axis in part]) for x, part in zip((x1, x2), both, strict=True)])
    return da.tensordot(x1, x2, axes=axes)


def permute_dims(x: Any, /, axes: tuple[int, ...]) -> Any:
    """The axes in that order. What dask says of one that comes twice does not name it."""
    return da.transpose(x, front_axes(axes, x.shape))


def _diagonals(rows: int, columns: int) -> Any:
    """On which diagonal each element of a matrix is: 0 for the main one, 1 for the one above."""
    return da.arange(columns) - da.arange(rows)[:, None]


def eye(n_rows: int, n_cols: int | None = None, /, *, k: int = 0, dtype: Any = None, device: Any = None) -> Any:
    """Ones on a diagonal. dask's own gives an oblong matrix the wrong chunks."""
    on = _diagonals(n_rows, n_rows if n_cols is None else n_cols) == k
    return on.astype(np.float64 if dtype is None else dtype)


def tril(x: Any, /, *, k: int = 0) -> Any:
    """What is on a diagonal and below. dask's own warns of complex numbers."""
    return da.where(_diagonals(*x.shape[-2:]) <= k, x, np.zeros((), x.dtype))


def triu(x: Any, /, *, k: int = 0) -> Any:
    """What is on a diagonal and above."""
    return da.where(_diagonals(*x.shape[-2:]) >= k, x, np.zeros((), x.dtype))


def isclose(x1: Any, x2: Any, /, *, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> Any:
    """Whether elements are close; dask's own takes no arrays as tolerances."""
    return da.core.elemwise(functools.partial(_isclose, equal_nan=equal_nan), x1, x2, rtol, atol)


def _isclose(x1: Any, x2: Any, rtol: Any, atol: Any, equal_nan: bool) -> Any:
    return np.isclose(x1, x2, rtol=rtol, atol=atol, equal_nan=equal_nan)


# -- functions of NumPy arrays ----------------------------------------------------------------------------------------
def _special(name: str, *args: Any, **params: Any) -> Any:
    """SciPy's function of that name."""
    function = scipy_special(name)
    assert function is not None, name  # there was one where the graph was built
    return function(*args, **params)


def _on_block(function: Callable[..., Any], output: int | None, params: dict[str, Any], *args: Any) -> Any:
    """A function of NumPy arrays, or one of its outputs, in the precision that comes in."""
    out = get_backend("numpy").on_host(function)(*args, **params)
    return out if output is None else out[output]


def _elementwise(function: Callable[..., Any], output: int | None, params: dict[str, Any], *args: Any) -> Any:
    out = da.core.elemwise(functools.partial(_on_block, function, output, params), *args)
    if out is NotImplemented:  # what the function says of trial values, dask keeps to itself
        raise TypeError(f"no such function for {', '.join([str(getattr(arg, 'dtype', type(arg))) for arg in args])}")
    return out


def _block_by_block(function: Callable[..., Any], outputs: int) -> Callable[..., Any]:
    """A function of NumPy arrays, elementwise, as one of dask's."""
    if outputs == 1:
        return lambda *args, **params: _elementwise(function, None, params, *args)
    return lambda *args, **params: tuple([_elementwise(function, i, params, *args) for i in range(outputs)])


class DaskBackend(Backend):
    """dask.array collections of NumPy blocks."""

    name = "dask"
    install = "pip install 'dask[array]'"
    xp = xp
    lazy = True
    overrides = {  # noqa: RUF012
        **blocks.FUNCTIONS,
        **selection.FUNCTIONS,
        **{
            name: blocks.unless_empty(name, getattr(xp, name))
            for name in ("argmax", "argmin", "cumulative_prod", "cumulative_sum", "max", "min", "reshape")
        },
        "broadcast_to": broadcast_to,
        "concat": concat,
        "eye": eye,
        "isclose": isclose,
        "permute_dims": permute_dims,
        "repeat": repeat,
        "tensordot": tensordot,
        "to_device": lambda x, device: x,
        "tril": tril,
        "triu": triu,
    }
    others = frozenset({"count_nonzero", "nan_to_num", "topk"})
    unsupported = {  # noqa: RUF012
        "bincount": "how long the result gets depends on the values; histogram has a number of bins",
        "getitem(mask)": "how many elements a mask, or what nonzero finds, selects is not known before it is computed; "
        "where(mask, x, 0) keeps the shape",
        "special.smirnov(array)": "its derivative has as many terms as the largest n, which is not known before it is "
        "computed; a Python integer will do",
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

    def own(self, array: Any, alias: bool) -> Any:
        # An assignment gives the Python object another graph; the blocks themselves are never written to.
        return da.Array(array.dask, array.name, array.chunks, meta=array) if alias else array

    def special(self, name: str) -> Any:
        # multigammaln raises for some values, dask's trial ones among them.
        function = None if name == "multigammaln" else scipy_special(name)
        if function is None:
            return None
        # By its name: dask pickles a function for the keys of its graph, and a ufunc of SciPy takes pickle a millisecond to find.
        return _block_by_block(functools.partial(_special, name), getattr(function, "nout", 1))

    def on_host(self, function: Any) -> Any:
        """Block by block, with broadcasting."""
        return _block_by_block(function, getattr(function, "nout", 1))

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
