"""The differentiable Array API namespace of one backend, made from the registry of operations.

The functions that take arrays are the same objects in every namespace (they go by their arguments); the creation functions are
bound to the backend.
"""

from __future__ import annotations

import functools
from types import SimpleNamespace
from typing import Any

from . import apply, creation
from .backend import Backend, get_backend
from .errors import ArgumentError
from .methods import install
from .rules import decompositions, elementwise, fft, indexing, linalg, manipulation, nn, products, reductions, sorting, special
from .rules.declare import OPS
from .tensor import Tensor

API_VERSIONS = ("2021.12", "2022.12", "2023.12", "2024.12")
TABLES = (elementwise, reductions, manipulation, indexing, nn, sorting, products, special, fft, linalg, decompositions)
"""The rule tables whose operations make up the namespace."""

FUNCTIONS: dict[str, Any] = {name: apply.build(op) for name, op in OPS.items()}
"""Every public function by name."""
EXTENSIONS = ("linalg", "fft", "special", "nn")


def check_version(api_version: str | None) -> None:
    """Raise unless the version of the standard is one that the namespaces offer."""
    if api_version is not None and api_version not in API_VERSIONS:
        raise ArgumentError(f"the Array API version {api_version!r} is not offered; there are {', '.join(API_VERSIONS)}")


class SpecialNamespace(SimpleNamespace):
    """``special``: the functions of the table, and the rest of SciPy's ufuncs, which are not differentiable, on demand."""

    def __getattr__(self, name: str) -> Any:
        function = None if name.startswith("_") else fallback(name)
        if function is None:
            raise AttributeError(f"the namespace {self.__dict__.get('__name__', 'special')!r} has no {name!r}")
        return function


@functools.cache
def fallback(name: str) -> Any:
    """SciPy's function of that name as an operation without derivative; None where SciPy has none."""
    op = special.special_fallback(name)
    return None if op is None else apply.build(op)


class Namespace:
    """The standard's functions for Tensors on one backend; what ``Tensor.__array_namespace__()`` returns.

    There is one object for each backend, and it is compared by identity.
    """

    def __init__(self, backend: Backend) -> None:
        self.__name__ = f"polygrad.{backend.name}"
        self._backend = backend
        self.__dict__.update({name: f for name, f in FUNCTIONS.items() if "." not in name})
        for extension in EXTENSIONS:
            members = {n.partition(".")[2]: f for n, f in FUNCTIONS.items() if n.startswith(extension + ".")}
            if members:
                kind = SpecialNamespace if extension == "special" else SimpleNamespace
                self.__dict__[extension] = kind(__name__=f"{self.__name__}.{extension}", **members)
        for name in creation.__all__:
            self.__dict__[name] = functools.partial(getattr(creation, name), backend=backend)
        for name in creation.FFT:
            setattr(self.fft, name, functools.partial(getattr(creation, name), backend=backend))
        self.__array_api_version__ = API_VERSIONS[-1]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name not in _PASSED:
            raise AttributeError(f"the namespace {self.__dict__.get('__name__', 'polygrad')!r} has no {name!r}")
        value = getattr(self._backend.xp, name)
        setattr(self, name, value)
        return value

    def __dir__(self) -> list[str]:
        return sorted({*self.__dict__, *_PASSED})

    def __repr__(self) -> str:
        return f"<namespace {self.__name__}>"

    def __reduce__(self) -> Any:
        return (namespace, (self._backend.name,))


_PASSED = {
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "bfloat16", "float32", "float64",
    "complex64", "complex128", "e", "pi", "inf", "nan", "newaxis", "isdtype", "finfo", "iinfo", "__array_namespace_info__",
}  # fmt: skip
"""What is the library's own, unchanged."""


def namespace(backend: str | Backend | None = None) -> Namespace:
    """The differentiable namespace bound to a backend (default: the selected one)."""
    return get_backend(backend).namespace  # type: ignore[no-any-return]


_OPERATORS = {
    "__add__": "add", "__radd__": "add", "__sub__": "subtract", "__mul__": "multiply", "__rmul__": "multiply",
    "__truediv__": "divide", "__floordiv__": "floor_divide", "__mod__": "remainder", "__pow__": "pow", "__matmul__": "matmul",
    "__neg__": "negative", "__pos__": "positive", "__abs__": "abs", "__invert__": "bitwise_invert",
    "__and__": "bitwise_and", "__or__": "bitwise_or", "__xor__": "bitwise_xor", "__lshift__": "bitwise_left_shift",
    "__rshift__": "bitwise_right_shift", "__rand__": "bitwise_and", "__ror__": "bitwise_or", "__rxor__": "bitwise_xor",
    "__lt__": "less", "__le__": "less_equal", "__gt__": "greater", "__ge__": "greater_equal",
}  # fmt: skip
"""Operators that are an operation just as it stands: ``x * y`` calls it without a step between. Commutative reflected operators keep
the Tensor in front, as torch does."""
_REFLECTED = {
    "__rsub__": "subtract", "__rtruediv__": "divide", "__rfloordiv__": "floor_divide", "__rmod__": "remainder", "__rpow__": "pow",
    "__rmatmul__": "matmul", "__rlshift__": "bitwise_left_shift", "__rrshift__": "bitwise_right_shift",
}  # fmt: skip


def _install_operators() -> None:
    def reflected(function: Any) -> Any:
        return lambda self, other: function(other, self)

    def comparison(function: Any) -> Any:
        def compare(self: Tensor, other: Any) -> Any:
            if other is None or isinstance(other, (str, dict, list, tuple, set)):
                return NotImplemented  # so that `x == None` is False, as in torch
            return function(self, other)

        return compare

    for method, name in _OPERATORS.items():
      if name in FUNCTIONS:
        setattr(Tensor, method, FUNCTIONS[name])
    for method, name in _REFLECTED.items():
      if name in FUNCTIONS:
        setattr(Tensor, method, reflected(FUNCTIONS[name]))
    if "equal" in FUNCTIONS:
      Tensor.__eq__ = comparison(FUNCTIONS["equal"])  # type: ignore[method-assign]
      Tensor.__ne__ = comparison(FUNCTIONS["not_equal"])  # type: ignore[method-assign]
    Tensor.__hash__ = object.__hash__  # type: ignore[method-assign, assignment]
    install(Tensor, FUNCTIONS)


_install_operators()
