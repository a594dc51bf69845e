"""NumPy, the embedded default."""

from __future__ import annotations

from typing import Any

import array_api_compat.numpy as xp
import numpy as np

from polygrad.backend import Backend, scipy_special
from polygrad.errors import ArgumentError, DtypeError

from . import functions, indexing


def _is_single(value: Any) -> bool:
    return getattr(value, "dtype", None) in (np.float32, np.complex64)


class NumPyBackend(Backend):
    """NumPy arrays, and NumPy's scalars, which its operations return in the place of 0-d arrays."""

    name = "numpy"
    xp = xp
    overrides = {**functions.FUNCTIONS, **indexing.FUNCTIONS}  # noqa: RUF012

    def owns(self, kind: type) -> bool:
        return issubclass(kind, (np.ndarray, np.generic))

    def check(self, array: Any) -> None:
        if isinstance(array, np.ma.MaskedArray):
            raise ArgumentError(
                "a masked array of NumPy cannot be a Tensor, which knows no mask: use array.filled(...), and where()"
            )
        if isinstance(array, np.matrix):
            raise ArgumentError(
                "a matrix of NumPy cannot be a Tensor, whose * is elementwise: use numpy.asarray(matrix), and @"
            )
        if array.dtype.kind in "OSUTmM":  # dtypes of other packages, such as bfloat16, are of kind V, as structures are
            raise DtypeError(
                f"an array of NumPy of dtype {array.dtype} cannot be a Tensor: its elements are no numbers. Convert it first, for "
                f"example array.astype('float64')"
            )

    def canonical(self, dtype: Any) -> Any:
        return np.dtype(dtype)

    def add_at(self, buffer: Any, key: Any, value: Any) -> Any:
        return indexing.add_at(buffer, key, value)

    def one_like(self, array: Any) -> Any:
        out: Any = np.empty(array.shape, array.dtype)  # np.ones goes by way of Python
        out.fill(1)
        return out

    def own(self, array: Any, alias: bool) -> Any:
        if type(array) is np.ndarray:
            # Somebody else may write to the base of a view, and nobody can write to a broadcast.
            return array.copy() if alias or array.base is not None else array
        return np.array(array)

    def present(self, array: Any) -> Any:
        return array if isinstance(array, np.ndarray) else np.asarray(array)

    def export(self, array: Any) -> Any:
        array = self.present(array)
        # torch aborts the process on negative strides (PyTorch 2.13)
        return array if all(stride >= 0 for stride in array.strides) else array.copy()

    def device(self, spec: Any) -> Any:
        if spec != "cpu":
            raise self.no_device(spec)
        return spec

    def device_of(self, array: Any) -> Any:
        return "cpu"

    def special(self, name: str) -> Any:
        function = scipy_special(name)
        if function is None or (isinstance(function, np.ufunc) and function.nin == 1):
            return function
        # Functions that are no ufuncs (polygamma, multigammaln) widen single precision, and so do ufuncs beside an integer or a number.
        narrowed = self.on_host(function)
        return lambda *args, **params: (narrowed if any(map(_is_single, args)) else function)(*args, **params)

    def to_host(self, array: Any) -> Any:
        return array.tolist()

    def numpy(self, array: Any) -> Any:
        return np.asarray(array)


BACKEND = NumPyBackend()
