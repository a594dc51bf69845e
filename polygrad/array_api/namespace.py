"""The differentiable Array API namespace of one backend, made from the registry of operations.

The functions that take arrays are the same objects in every namespace (they go by their arguments); the creation functions are
bound to the backend.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from ..backend.base import NAMESPACE, Backend
from ..backend.select import backend_of, get_backend
from ..backend.special import scipy_special
from ..core.functions import home
from ..core.tensor import SCALAR_TYPES, Tensor
from ..errors import ArgumentError
from ..rules.declare import OPS, broadcast_shapes
from . import creation, random
from .inspection import Info, Limits

API_VERSIONS = ("2021.12", "2022.12", "2023.12", "2024.12", "2025.12")
EXTENSIONS = ("linalg", "fft", "special", "nn")


def check_version(api_version: str | None) -> None:
    """Raise unless the version of the standard is one that the namespaces offer."""
    if api_version is not None and api_version not in API_VERSIONS:
        raise ArgumentError(
            f"the Array API version {api_version!r} is not offered; there are {', '.join(API_VERSIONS)}"
        )


class Extension:
    """``linalg``, ``fft`` and the like of one namespace. ``special`` has, besides its table, the rest of SciPy's ufuncs, on demand."""

    def __init__(self, parent: str, name: str) -> None:
        self.__name__ = f"{parent}.{name}"
        self._prefix = f"{name}."

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        op = OPS.get(self._prefix + name)
        function = op.call if op is not None else fallback(name) if self._prefix == "special." else None
        if function is None:
            raise AttributeError(f"the namespace {self.__name__!r} has no {name!r}")
        setattr(self, name, function)
        return function

    def __dir__(self) -> list[str]:
        return sorted({n.removeprefix(self._prefix) for n in OPS if n.startswith(self._prefix)} | set(self.__dict__))


@functools.cache
def fallback(name: str) -> Any:
    """SciPy's function of that name as an operation without derivative; None where SciPy has none."""
    from ..rules.special import special  # a table, which an import of polygrad does not read

    function = scipy_special(name)
    if name in special.LEFT_OUT or not hasattr(function, "nin"):
        return None
    with OPS.lock:
        return special.special_fallback(name, function.nin, function.nout).call  # type: ignore[union-attr]


class Namespace:
    """The standard's functions for Tensors on one backend; what ``Tensor.__array_namespace__()`` returns.

    There is one object for each backend, and it is compared by identity. What derivative rules use beside the functions are the
    members of ``RuleNamespace``.
    """

    def __init__(self, backend: Backend) -> None:
        self.__name__ = f"polygrad.{backend.name}"
        self.backend = backend.name
        self.complex_dtypes, self.floating_dtypes = backend.complex, backend.floating
        self.lazy = backend.lazy
        self.refusal = backend.refusal
        self.contraction_path = backend.contraction_path
        self._backend = backend
        for extension in EXTENSIONS:
            setattr(self, extension, Extension(self.__name__, extension))
        for module in (creation, random):
            for name in module.__all__:
                setattr(self, name, bind(getattr(module, name), backend))
        for name in creation.FFT:
            setattr(self.fft, name, bind(getattr(creation, name), backend))
        self.__array_api_version__ = API_VERSIONS[-1]

    def __getattr__(self, name: str) -> Any:
        if name in _PASSED:
            value = getattr(self._backend.xp, name)
        elif name in PROVIDED:
            value = bind_first(PROVIDED[name](), self)
        elif name == "lib":  # where NumPy keeps one function that consumers ask for
            view = self.sliding_window_view
            value = SimpleNamespace(stride_tricks=SimpleNamespace(sliding_window_view=view))
        elif name in OPS:
            value = OPS[name].call
        else:
            raise AttributeError(f"the namespace {self.__dict__.get('__name__', 'polygrad')!r} has no {name!r}")
        setattr(self, name, value)
        return value

    def __dir__(self) -> list[str]:
        methods = [name for name in type(self).__dict__ if not name.startswith("_")]
        operations = [name for name in OPS if "." not in name]
        return sorted({*self.__dict__, *_PASSED, *PROVIDED, *operations, *methods, "__array_namespace_info__"})

    def broadcast_shapes(self, *shapes: tuple[int, ...]) -> tuple[int, ...]:
        """The shape that arrays of these shapes broadcast to."""
        return broadcast_shapes(*shapes)

    def isdtype(self, dtype: Any, kind: Any) -> bool:
        """Return whether a dtype is of a kind: a name of the standard, a dtype, or a tuple of these."""
        return self._backend.xp.isdtype(self._operand(dtype), kind)  # type: ignore[no-any-return]

    def result_type(self, *arrays_and_dtypes: Any) -> Any:
        """The dtype that the arguments (Tensors, arrays, dtypes, Python scalars) have in common."""
        return self._backend.xp.result_type(*map(self._operand, arrays_and_dtypes))

    def can_cast(self, from_: Any, to: Any, /) -> bool:
        """Return whether promotion may take one dtype (or that of an array) to another."""
        from_ = from_.dtype if isinstance(from_, Tensor) else self._operand(from_)
        return self._backend.xp.can_cast(from_, self._operand(to))  # type: ignore[no-any-return]

    def _operand(self, value: Any) -> Any:
        """An array, a number or a dtype as the library takes it: the payload of a Tensor, its own dtype for a name or another's."""
        while isinstance(value, Tensor):
            value = value._data
        if type(value) in SCALAR_TYPES or backend_of(value) is self._backend:
            return value
        return self._backend.dtype(value)

    def finfo(self, type: Any, /) -> Limits:
        """Machine limits of a floating dtype, or of the dtype of an array."""
        return Limits(self._backend, "finfo", self._operand(type))

    def iinfo(self, type: Any, /) -> Limits:
        """Machine limits of an integer dtype, or of the dtype of an array."""
        return Limits(self._backend, "iinfo", self._operand(type))

    def __array_namespace_info__(self) -> Info:
        """Return the capabilities of the library, its dtypes and its devices."""
        return Info(self._backend)

    def __repr__(self) -> str:
        return f"<namespace {self.__name__}>"

    def __reduce__(self) -> Any:
        return (namespace, (self._backend.name,))


_PASSED = {
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "bfloat16", "float32", "float64",
    "complex64", "complex128", "e", "pi", "inf", "nan", "newaxis",
}  # fmt: skip
"""The names that are the library's own, unchanged."""
PROVIDED: dict[str, Callable[[], Callable[..., Any]]] = {}
"""Functions that consumers ask of a namespace beyond the standard, each given by a function; its first argument is the namespace.
``interop`` enters NumPy's here (``polygrad.median`` and its like are torch's)."""


def bind(function: Any, backend: Backend) -> Any:
    """A creation function for one backend, with the same signature but for ``backend``."""
    import inspect

    signature = inspect.signature(function)

    @functools.wraps(function)
    def bound(*args: Any, **params: Any) -> Any:
        return function(*args, backend=backend, **params)

    kept = [parameter for name, parameter in signature.parameters.items() if name != "backend"]
    bound.__signature__ = signature.replace(parameters=kept)  # type: ignore[attr-defined]
    return bound


def bind_first(function: Any, xp: Namespace) -> Any:
    """A function of a namespace and more, for this namespace."""
    import inspect

    signature = inspect.signature(function)

    @functools.wraps(function)
    def bound(*args: Any, **params: Any) -> Any:
        return function(xp, *args, **params)

    bound.__signature__ = signature.replace(parameters=list(signature.parameters.values())[1:])  # type: ignore[attr-defined]
    return bound


@functools.cache
def by_argument(name: str) -> Any:
    """A method of namespaces as a function that goes by its arguments, as the operations do."""
    import inspect

    method = getattr(Namespace, name)
    signature = inspect.signature(method)

    @functools.wraps(method)
    def call(*args: Any) -> Any:
        return getattr(home(args), name)(*args)

    call.__signature__ = signature.replace(parameters=list(signature.parameters.values())[1:])  # type: ignore[attr-defined]
    return call


def namespace(backend: str | Backend | None = None) -> Namespace:
    """The differentiable namespace bound to a backend (default: the selected one)."""
    return get_backend(backend).namespace  # type: ignore[no-any-return]


NAMESPACE.append(Namespace)
