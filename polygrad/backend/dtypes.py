"""Names of dtypes: the standard's and torch's."""

from __future__ import annotations

from typing import Any

DTYPE_NAMES = (
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float16", "bfloat16", "float32", "float64", "complex64", "complex128",
)  # fmt: skip

ALIASES = {
    "float": "float32", "double": "float64", "half": "float16", "cfloat": "complex64", "cdouble": "complex128",
    "short": "int16", "int": "int32", "long": "int64", "bool_": "bool",
}  # fmt: skip
"""torch's names of dtypes."""


def dtype_name(dtype: Any) -> str:
    """Return the standard's name of any library's dtype object."""
    name = getattr(dtype, "name", None) or getattr(getattr(dtype, "dtype", None), "name", None)
    if not isinstance(name, str):
        name = str(dtype).split(".")[-1] if not isinstance(dtype, type) else dtype.__name__
    return name.rstrip("_")
