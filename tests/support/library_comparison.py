"""The same call on an array library and on polygrad's namespace over it: what has to agree, and where polygrad departs on purpose.

``Bare(backend).agree(name, call, *arrays)`` runs ``call(xp, *arrays)`` twice: with the library's own namespace and arrays, and with
polygrad's namespace and Tensors of the same values. Both have to raise, or to give the same structure, dtypes, shapes and bits.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import polygrad as pg
from polygrad.backend import dtype_name

SIGNED, UNSIGNED = ("int8", "int16", "int32", "int64"), ("uint8", "uint16", "uint32", "uint64")
REAL, COMPLEX = ("float32", "float64"), ("complex64", "complex128")
DTYPES = ("bool", *SIGNED, *UNSIGNED, *REAL, *COMPLEX)
"""The dtypes of the standard."""
FEW = ("bool", "int64", "uint8", "float32", "float64", "complex128")
"""A selection for a library that compiles every call."""
NUMBERS = (bool, int, float, complex)
KINDS = ("bool", "signed integer", "unsigned integer", "integral", "real floating", "complex floating", "numeric")
"""The standard's names of kinds of dtypes."""


class Raised:
    """The outcome of a call that raised."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __repr__(self) -> str:
        return f"{type(self.error).__name__}: {self.error}"


def kind(value: Any) -> str:
    """The kind of an array or Python number: b(oolean), i(nteger), f(loating) or c(omplex)."""
    letter = "bifc"[NUMBERS.index(type(value))] if type(value) in NUMBERS else np.dtype(dtype_name(value.dtype)).kind
    return letter.replace("u", "i")


# -- where polygrad departs -----------------------------------------------------------------------------------------
def _number_and_complex(arguments: Any, got: Any, expected: Any) -> bool:
    return any(type(a) in NUMBERS for a in arguments) and "c" in map(kind, arguments)


DEPARTURES: list[tuple[str, str, Callable[[Any, Any, Any], bool], str]] = [
    # the library, the calls, a condition on (arguments, expected, got), the reason
    (
        "*",
        "iadd isub imul itruediv ifloordiv imod ipow iand ior ixor ilshift irshift",
        lambda arguments, expected, got: (
            isinstance(expected, Raised) and dtype_name(got.dtype) == arguments[0].dtype.name
        ),
        "Within a kind an in-place operation keeps the dtype of its target, as in torch.",
    ),
    (
        "jax",
        "iadd isub imul itruediv ifloordiv imod ipow iand ior ixor ilshift irshift",
        lambda arguments, expected, got: isinstance(got, Raised) or dtype_name(got.dtype) == arguments[0].dtype.name,
        "JAX rebinds x += y to the dtype of x + y; by the standard an in-place operation keeps that of x.",
    ),
    (
        "numpy",
        "atan2 copysign hypot logaddexp nextafter",
        lambda arguments, expected, got: {*map(kind, arguments)} == {"i"},
        "The standard defines these for floating dtypes only; integers are promoted among themselves first.",
    ),
    (
        "numpy",
        "pow",
        _number_and_complex,
        "A power with a Python number is the operator's, whose shortcuts differ from the function in the signs of zeros.",
    ),
    (
        "torch",
        "add subtract multiply divide radd rsub rmul rtruediv",
        _number_and_complex,
        "torch's operators treat a Python number beside complex numbers by parts, with fewer nan beside infinities.",
    ),
    (
        "torch",
        "rtruediv",
        lambda arguments, expected, got: True,
        "torch's operator multiplies the number with the reciprocal, which rounds twice; here it is a division.",
    ),
    (
        "torch",
        "getitem setitem",
        lambda arguments, expected, got: isinstance(expected, Raised) and "step must be greater" in str(expected),
        "torch has no negative steps.",
    ),
    (
        "torch",
        "matmul tensordot vecdot",
        lambda arguments, expected, got: isinstance(expected, Raised) and arguments[0].dtype != arguments[1].dtype,
        "torch's products do not promote; the standard's do.",
    ),
    (
        "torch",
        "unique_all",
        lambda arguments, expected, got: isinstance(expected, Raised) and "not yet implemented" in str(expected),
        "array-api-compat has no unique_all for torch.",
    ),
    (
        "jax",
        "getitem setitem",
        lambda arguments, expected, got: isinstance(got, Raised) and "is out of bounds" in str(got),
        "JAX moves an index that is out of range into the range.",
    ),
    (
        "jax",
        "permute_dims",
        lambda arguments, expected, got: isinstance(expected, Raised) and "got permutation (-" in str(expected),
        "JAX's permute_dims takes no axis counted from the end.",
    ),
    (
        "jax",
        "setitem setitem_mask",
        lambda arguments, expected, got: isinstance(expected, Raised) and "immutable" in str(expected),
        "JAX's arrays cannot be written; a Tensor on JAX is assigned to by rebinding.",
    ),
    (
        "array_api_strict",
        "getitem setitem",
        lambda arguments, expected, got: any(
            part in str(expected)
            for part in ("only allowed with integer", "Single-axes index None", "mismatched dtypes")
        ),
        "array-api-strict refuses keys beyond the standard and, in an assignment, any dtype but the target's; no other library does.",
    ),
    (
        "array_api_strict",
        "bitwise_left_shift bitwise_right_shift lshift rshift ilshift irshift",
        lambda arguments, expected, got: "b" in map(kind, arguments),
        "A boolean meeting an integer takes its dtype.",
    ),
    (
        "array_api_strict",
        "matmul tensordot vecdot",
        lambda arguments, expected, got: "cannot be type promoted" in str(got),
        "array-api-strict does not ask that the dtypes promote here, as it does elsewhere.",
    ),
    (
        "array_api_strict",
        "isin_inverted",
        lambda arguments, expected, got: True,
        "array-api-strict 2.6 overlooks invert.",
    ),
]
"""Wherever polygrad's outcome is not the library's, and why."""


def departs(backend: str, name: str, arguments: Any, expected: Any, got: Any) -> bool:
    """Whether the table lists this difference."""
    return any(
        library in ("*", backend) and name in names.split() and condition(arguments, expected, got)
        for library, names, condition, _ in DEPARTURES
    )


# -- comparing ------------------------------------------------------------------------------------------------------
class Bare:
    """The library's own namespace beside polygrad's."""

    def __init__(self, backend: str) -> None:
        self.name = backend
        self.backend = pg.get_backend(backend)
        if self.backend.lazy:
            pytest.skip("what a lazy library raises and warns of comes with the values, and not with the call")
        self.own = self.backend.xp
        self.ours = pg.namespace(backend)
        known = self.own.__array_namespace_info__().dtypes()
        self.dtypes = [name for name in (FEW if backend == "jax" else DTYPES) if name in known]
        """The names of the dtypes that are tried."""

    def of_kind(self, kinds: str) -> list[str]:
        """Those of the dtypes that are of some kinds."""
        return [name for name in self.dtypes if np.dtype(name).kind.replace("u", "i") in kinds]

    def pairs(self) -> list[tuple[str, str]]:
        """Two dtypes of the same kind, which promote together."""
        found = [(a, b) for a in self.dtypes for b in self.of_kind(np.dtype(a).kind.replace("u", "i"))]
        return [(a, b) for a, b in found if "uint64" not in (a, b) or a[0] == b[0] or a[0] not in "iu"]

    def agree(self, name: str, call: Callable[..., Any], *arrays: Any) -> None:
        """Both outcomes are the same, or the table says why not."""
        expected = self._run(call, self.own, [self._array(array) for array in arrays])
        got = self._run(call, self.ours, [self._tensor(array) for array in arrays])
        difference = self.difference(expected, got)
        if difference and not departs(self.name, name, arrays, expected, got):
            shown = ", ".join(f"{a.dtype}{list(a.shape)}" if isinstance(a, np.ndarray) else repr(a) for a in arrays)
            raise AssertionError(f"{name}({shown}) on {self.name}: {difference}")

    def _array(self, value: Any) -> Any:
        return self.own.asarray(np.array(value), copy=True) if isinstance(value, (np.ndarray, np.generic)) else value

    def _tensor(self, value: Any) -> Any:
        return pg.asarray(self._array(value)) if isinstance(value, (np.ndarray, np.generic)) else value

    @staticmethod
    def _run(call: Callable[..., Any], xp: Any, arrays: list[Any]) -> Any:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                return call(xp, *arrays)
            except Exception as error:
                return Raised(error)

    def difference(self, expected: Any, got: Any) -> str:
        """What differs, in words; nothing if nothing does."""
        if isinstance(expected, Raised) or isinstance(got, Raised):
            both = isinstance(expected, Raised) and isinstance(got, Raised)
            return "" if both else f"the library gives {expected!r}, polygrad {got!r}"
        if isinstance(expected, (tuple, list)):
            if not isinstance(got, (tuple, list)) or len(expected) != len(got):
                return f"{type(got).__name__} instead of {type(expected).__name__}, or of another length"
            fields = getattr(expected, "_fields", None)
            if fields is not None and fields != getattr(got, "_fields", None):
                return f"the fields are {getattr(got, '_fields', None)}, not {fields}"
            return next(filter(None, map(self.difference, expected, got)), "")
        if not hasattr(expected, "shape") or not hasattr(expected, "dtype") or isinstance(expected, np.dtype):
            both_nan = expected != expected and got != got  # noqa: PLR0124
            return "" if expected is got or expected == got or both_nan else f"{got!r} instead of {expected!r}"
        if not isinstance(got, pg.Tensor):
            return f"a {type(got).__name__} instead of a Tensor"
        if got.dtype != expected.dtype or tuple(got.shape) != tuple(expected.shape):
            return f"{got.dtype}{tuple(got.shape)} instead of {expected.dtype}{tuple(expected.shape)}"
        return self._bits(np.asarray(self.backend.numpy(expected)), np.asarray(self.backend.numpy(got.array)))

    @staticmethod
    def _bits(expected: np.ndarray, got: np.ndarray) -> str:
        """Bit for bit, with one kind of nan only."""
        shape, dtype = expected.shape, expected.dtype
        expected, got = np.ascontiguousarray(expected).reshape(-1), np.ascontiguousarray(got).reshape(-1)
        if dtype.kind == "c":
            expected, got = expected.view(expected.real.dtype), got.view(got.real.dtype)
        same = np.asarray(expected == got)
        if dtype.kind in "fc":
            word = f"u{expected.dtype.itemsize}"
            same = (expected.view(word) == got.view(word)) | (np.isnan(expected) & np.isnan(got))
        if same.all():
            return ""
        return f"of {dtype}{shape}: {got[~same][:4]} instead of {expected[~same][:4]}"


# -- values ---------------------------------------------------------------------------------------------------------
def special(dtype: str) -> np.ndarray:
    """The values of a dtype at which functions have special cases, and a few ordinary ones."""
    letter = np.dtype(dtype).kind
    if letter == "b":
        return np.array([False, True])
    if letter in "iu":
        limits = np.iinfo(dtype)
        signed = {-1, -3} if letter == "i" else set()
        return np.array(sorted({0, 1, 2, 7, limits.min, limits.max} | signed), dtype=dtype)
    if letter == "c":
        parts = [0.0, -0.0, 1.5, -2.0, np.inf, -np.inf, np.nan]
        return np.array([complex(re, im) for re in parts for im in parts], dtype=dtype)
    limits = np.finfo(dtype)
    ordinary = [0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, -7.0]
    extreme = [np.inf, -np.inf, np.nan, limits.max, limits.tiny, -limits.smallest_subnormal]
    return np.array([*ordinary, *extreme], dtype=dtype)


def ordinary(dtype: str, *shape: int, seed: int = 0) -> np.ndarray:
    """Unremarkable values of a dtype, with a few repetitions."""
    rng = np.random.default_rng(seed)
    if dtype == "bool":
        return np.asarray(rng.integers(0, 2, shape) == 1)
    values = np.asarray(rng.integers(0, 9, shape))
    if np.dtype(dtype).kind in "fc":
        values = np.asarray(values / 2 - 2)
    if np.dtype(dtype).kind == "c":
        values = np.asarray(values + 1j * rng.integers(-2, 3, shape))
    return np.asarray(values.astype(dtype))
