"""dask arrays: building a graph and its gradient computes nothing.

dask computes across chunks as it does by itself. In addition, ``blocks`` brings matrices and lines into one chunk each, and ``indexing``
stays within the chunks where one array of integers selects. Other keys with arrays need the whole array.
"""

from __future__ import annotations

import copy
import functools
from typing import Any

import array_api_compat.dask.array as xp
import dask.array as da
import numpy as np

from polygrad.backend import Backend, scipy_special

from . import blocks, functions, indexing, special


class DaskBackend(Backend):
    """dask.array collections of NumPy blocks."""

    name = "dask"
    install = "pip install 'dask[array]'"
    xp = xp
    lazy = True
    overrides = {**blocks.FUNCTIONS, **functions.FUNCTIONS, **indexing.FUNCTIONS}  # noqa: RUF012
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
        # An assignment gives the Python object another graph. Nobody writes to the blocks themselves.
        return da.Array(array.dask, array.name, array.chunks, meta=array) if alias else array

    def special(self, name: str) -> Any:
        # multigammaln raises for some values, even for dask's trial values.
        function = None if name == "multigammaln" else scipy_special(name)
        if function is None:
            return None
        # The ufunc goes by its name: dask pickles functions for the keys of its graph, and pickle takes a millisecond to find a ufunc.
        return special.block_by_block(functools.partial(special.by_name, name), getattr(function, "nout", 1))

    def on_host(self, function: Any) -> Any:
        """Return a function of NumPy arrays that runs block by block, with broadcasting."""
        return special.block_by_block(function, getattr(function, "nout", 1))

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
