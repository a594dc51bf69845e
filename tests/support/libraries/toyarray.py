# ruff: noqa: SIM905 (lists of names read better so)
"""A small array library that nobody knows: the standard and nothing beyond.

Its arrays cannot be written, and are selected from by integers, slices, None and an ellipsis only.
"""

from __future__ import annotations

from builtins import any as _any
from builtins import bool as _bool
from types import SimpleNamespace
from typing import Any

import array_api_compat.numpy as inner
import numpy as np

__version__ = "1.0"
__array_api_version__ = "2024.12"

FUNCTIONS = """
abs acos acosh add all any arange argmax argmin argsort asin asinh astype atan atan2 atanh bitwise_and bitwise_invert
bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor broadcast_arrays broadcast_to ceil clip concat conj copysign cos cosh
count_nonzero cumulative_prod cumulative_sum diff divide empty empty_like equal exp expand_dims expm1 eye flip floor floor_divide full
full_like greater greater_equal hypot imag isfinite isinf isnan less less_equal linspace log log10 log1p log2 logaddexp
logical_and logical_not logical_or logical_xor matmul matrix_transpose max maximum mean meshgrid min minimum moveaxis multiply negative
nextafter nonzero not_equal ones ones_like permute_dims positive pow prod real reciprocal remainder repeat reshape roll round
searchsorted sign signbit sin sinh sort sqrt square squeeze stack std subtract sum take take_along_axis tan tanh tensordot tile tril
triu trunc unique_all unique_counts unique_inverse unique_values unstack var vecdot where zeros zeros_like
""".split()
LINALG = """cholesky cross det diagonal eigh eigvalsh inv matmul matrix_norm matrix_power matrix_rank matrix_transpose outer pinv qr
slogdet solve svd svdvals tensordot trace vecdot vector_norm""".split()
FFT = "fft fftn fftshift hfft ifft ifftn ifftshift ihfft irfft irfftn rfft rfftn".split()
DTYPES = """bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64 complex64 complex128""".split()


def _in(value: Any) -> Any:
    if isinstance(value, Array):
        return value._data
    if isinstance(value, (list, tuple)):
        return type(value)(map(_in, value))
    if isinstance(value, np.ndarray) and value.ndim:
        raise TypeError("toyarray takes arrays of its own")
    return value


def _out(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return tuple(map(_out, value))
    return Array(value) if isinstance(value, (np.ndarray, np.generic)) else value


class Array:
    """An array."""

    __slots__ = ("_data",)

    def __init__(self, data: Any) -> None:
        self._data = np.array(data)
        self._data.flags.writeable = False

    shape = property(lambda self: self._data.shape)
    dtype = property(lambda self: self._data.dtype)
    ndim = property(lambda self: self._data.ndim)
    size = property(lambda self: self._data.size)
    device = property(lambda self: "toy")
    T = property(lambda self: Array(self._data.T))
    mT = property(lambda self: Array(self._data.mT))

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        import toyarray

        return toyarray

    def to_device(self, device: Any, /, *, stream: Any = None) -> Array:
        return self

    def __getitem__(self, key: Any) -> Array:
        keys = key if isinstance(key, tuple) else (key,)
        if _any(part is not None and part is not Ellipsis and type(part) not in (int, slice) for part in keys):
            raise IndexError(f"toyarray selects by integers, slices, None and an ellipsis, not by {key!r}")
        return Array(self._data[key])

    def __dlpack__(self, **options: Any) -> Any:
        return np.array(self._data).__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._data.__dlpack_device__()

    def __bool__(self) -> _bool:
        return _bool(self._data)

    def __int__(self) -> int:
        return int(self._data)

    def __float__(self) -> float:
        return float(self._data)

    def __complex__(self) -> complex:
        return complex(self._data)

    def __index__(self) -> int:
        return self._data.__index__()

    __hash__ = None  # type: ignore[assignment]


def _operator(name: str) -> Any:
    def method(self: Array, *others: Any) -> Any:
        if _any(not isinstance(other, (Array, _bool, int, float, complex)) for other in others):
            return NotImplemented
        return _out(getattr(self._data, name)(*map(_in, others)))

    return method


_BINARY = "add sub mul truediv floordiv mod pow matmul and or xor lshift rshift".split()
for _name in (*_BINARY, *[f"r{name}" for name in _BINARY], *"eq ne lt le gt ge neg pos abs invert".split()):
    setattr(Array, f"__{_name}__", _operator(f"__{_name}__"))


def _function(function: Any, name: str) -> Any:
    def call(*args: Any, **params: Any) -> Any:
        if params.pop("device", "toy") not in ("toy", None):
            raise ValueError("toyarray has the device 'toy'")
        return _out(function(*map(_in, args), **{key: _in(value) for key, value in params.items()}))

    call.__name__ = name
    return call


globals().update({name: _function(getattr(inner, name), name) for name in FUNCTIONS})


def asarray(obj: Any, /, *, dtype: Any = None, device: Any = None, copy: Any = None) -> Array:
    """Numbers, nested lists or a buffer as an array."""
    return Array(np.asarray(_in(obj) if not isinstance(obj, np.ndarray) else obj, dtype=dtype))


linalg = SimpleNamespace(**{name: _function(getattr(inner.linalg, name), name) for name in LINALG})
fft = SimpleNamespace(**{name: _function(getattr(inner.fft, name), name) for name in FFT})
globals().update({name: np.dtype(name) for name in DTYPES})
e, pi, inf, nan, newaxis = np.e, np.pi, np.inf, np.nan, None
isdtype, finfo, iinfo, can_cast = inner.isdtype, inner.finfo, inner.iinfo, inner.can_cast


def from_dlpack(x: Any, /, *, device: Any = None, copy: Any = None) -> Array:
    """An array of another library's."""
    return Array(np.from_dlpack(x))


def result_type(*values: Any) -> Any:
    """The dtype that the arguments have in common."""
    return inner.result_type(*map(_in, values))


def __array_namespace_info__() -> Any:
    """What the library has."""
    info = inner.__array_namespace_info__()
    return SimpleNamespace(
        capabilities=lambda: {"boolean indexing": False, "data-dependent shapes": True, "max dimensions": 64},
        default_device=lambda: "toy",
        devices=lambda: ["toy"],
        default_dtypes=lambda device=None: info.default_dtypes(),
        dtypes=lambda device=None, kind=None: info.dtypes(kind=kind),
    )
