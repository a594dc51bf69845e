"""The interface of an array library, which fills the holes of the Array API standard.

``Backend`` works for any library that follows the standard. An adapter (``backends/polygrad_backends``) overrides what its library does
better. This module imports no array library.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import sys
from collections.abc import Callable
from typing import Any

from ..errors import BackendError, DtypeError, UnsupportedError
from ..rules.declare import OPS
from .dtypes import ALIASES, DTYPE_NAMES, dtype_name
from .frame import GROUND, Frame, Level
from .special import scipy_special

Array = Any
"""An array of some library. The engine knows nothing of it but the standard."""

NAMESPACE: list[Callable[[Backend], Any]] = []
"""The class of the differentiable namespace of a backend. ``array_api.namespace`` enters it here."""


class Raw:
    """The raw namespace of a backend, which rules call in a first-order pass: arrays in, arrays out, nothing recorded.

    A name is looked up once: the adapter's own function, else the library's (through array-api-compat), else the agnostic default that the
    operation declares. Its own members are those of ``RuleNamespace``.
    """

    def __init__(self, backend: Backend, prefix: str = "") -> None:
        self.__name__ = backend.name + (f".{prefix[:-1]}" if prefix else "")
        self.backend = backend.name
        self.complex_dtypes, self.floating_dtypes = backend.complex, backend.floating
        self.lazy = backend.lazy
        self.refusal = backend.refusal
        self.contraction_path = backend.contraction_path
        self._lookup = backend.lookup
        self._prefix = prefix

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        value = self._lookup(self._prefix + name)
        setattr(self, name, value)
        return value


class Backend:
    """One array library. Everything beyond ``name`` and ``xp`` has an agnostic default."""

    name: str
    """The name of the library that one imports."""
    install: str = ""
    """The command that installs what is missing."""
    overrides: dict[str, Callable[..., Any]] = {}  # noqa: RUF012
    """Operations that the adapter does itself, by operation name: raw arrays in, raw arrays out."""
    unsupported: dict[str, str] = {}  # noqa: RUF012
    """Operations that the library cannot do, with the reason. A case of an operation stands in parentheses behind its name, such as
    ``getitem(mask)``. A whole operation is refused by this table, a case by the adapter, which raises ``refusal``."""
    others: frozenset[str] = frozenset()
    """Names under which the library has a function with another meaning. The operation's agnostic default is used instead."""
    native_special: dict[str, Callable[..., Any]] = {}  # noqa: RUF012
    """The library's own functions of ``scipy.special``, by their names there."""
    complex_special: frozenset[str] = frozenset()
    """Functions of ``native_special`` that take complex numbers."""
    lazy = False
    """True for a library that computes no values while a graph is built, so that nobody may look at them."""
    mutable = True
    """True if arrays can be written, so that views of them may change."""
    compiles = False
    """True if ``jit`` compiles."""
    traces_numbers = False
    """True if a function that ``jit`` compiles may take Python numbers beside arrays. Else each number is compiled in."""
    traces = False
    """True if functions may run on stand-ins for arrays (tracers), which must not leave them; see ``leaks``."""

    def __init__(self, name: str | None = None, xp: Any = None) -> None:
        if name is not None:
            self.name = name
        if xp is not None:
            self.xp = xp
        self._ground: dict[bool, Frame] = {}
        self.calls: tuple[dict[str, Callable[..., Any]], ...] = ({}, {})
        """Functions by name, looked up once: of raw payloads, and of payloads that are Tensors."""
        self._loaded = False
        self.floating: set[Any] = set()
        """The dtypes that can carry a gradient: real floating and complex."""
        self.complex: set[Any] = set()
        numeric: set[Any] = set()
        self.weak: dict[type, set[Any]] = {float: self.floating, int: numeric, complex: self.complex}
        """The dtypes that stay what they are when they meet a Python scalar of this type."""
        self.raw: Any = Raw(self)

    # -- the library ------------------------------------------------------------------------------------------
    @functools.cached_property
    def xp(self) -> Any:
        """The namespace of the library that follows the standard, as array-api-compat gives it."""
        raise NotImplementedError

    def owns(self, kind: type) -> bool:
        """Return whether arrays of this type are the library's."""
        return (kind.__module__ or "").split(".")[0] == self.name

    def check(self, array: Array) -> None:
        """Raise if an array of the library cannot be the payload of a Tensor."""

    @property
    def version(self) -> str | None:
        """The version of the library."""
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version(self.name.replace("_", "-"))
        except PackageNotFoundError:
            return getattr(sys.modules.get(self.name), "__version__", None)

    def devices(self) -> tuple[str, ...]:
        """Return the names of the devices that the library sees."""
        info = getattr(self.xp, "__array_namespace_info__", None)
        return tuple(str(device) for device in info().devices() if device is not None) if info else ("cpu",)

    def missing(self) -> str | None:
        """Return why the backend cannot be used here, with the cure; None if it can."""
        if importlib.util.find_spec(self.name) is None:
            return f"{self.name} is not installed: {self.install or f'pip install {self.name}'}"
        return None

    def load(self) -> Backend:
        """Collect the dtypes of the library; called once, on first use."""
        if not self._loaded:
            for name in DTYPE_NAMES:
                dtype = getattr(self.xp, name, None)
                if dtype is None:
                    continue
                dtype = self.canonical(dtype)
                if name.startswith(("float", "bfloat", "complex")):
                    self.floating.add(dtype)
                if name.startswith("complex"):
                    self.complex.add(dtype)
                if name != "bool":
                    self.weak[int].add(dtype)
            self._loaded = True
        return self

    @functools.cached_property
    def namespace(self) -> Any:
        """The differentiable namespace bound to this backend; one object, compared by identity."""
        return NAMESPACE[0](self)

    def frame(self, level: Level = GROUND, lifted: bool = False) -> Frame:
        """Return the frame of this backend at a level."""
        if level is not GROUND:
            return level.frame(self, lifted)
        try:
            return self._ground[lifted]
        except KeyError:
            return self._ground.setdefault(lifted, Frame(self, GROUND, lifted))

    def lookup(self, name: str) -> Any:
        """Return the raw function (or constant, or dtype) of that name."""
        if name in self.unsupported:
            return self.refusing(name, self.unsupported[name])
        if name in self.overrides:
            return self.overrides[name]
        if name in ("linalg", "fft", "special", "nn"):
            return Raw(self, name + ".")
        target = self.xp
        extension, _, short = name.rpartition(".")
        if extension == "special":
            target = self.special(short)
        else:
            for part in name.split("."):
                target = getattr(target, part, None)
        if target is not None and name not in self.others:
            return target
        op = OPS.get(name)
        if extension == "special" and (op is None or op.default is None):
            return self.special_on_host(short)
        if op is None:
            raise AttributeError(f"{self.name} has no {name!r}, and polygrad has no operation of that name")
        return self.default(name)

    def default(self, name: str) -> Callable[..., Any]:
        """Return the agnostic default of an operation on the library's arrays, or a function that raises if it declares none."""
        function = OPS[name].default
        if function is None:
            return self.refusing(name, f"{self.name} {self.version} has no function {name!r}")
        return functools.partial(function, self.raw)

    def refusal(self, name: str, reason: str | None = None) -> UnsupportedError:
        """Return the error for something that the backend cannot do. The reason is that of the table ``unsupported`` unless given."""
        error = UnsupportedError(
            f"{name} is not supported on the backend {self.name!r}: {reason or self.unsupported[name]}"
        )
        error.op, error.backend = name, self.name
        return error

    def refusing(self, name: str, reason: str) -> Callable[..., Any]:
        """Return a function that takes the place of an operation that the backend cannot do, and raises when it is called."""

        def refused(*args: Any, **params: Any) -> Any:
            raise self.refusal(name, reason)

        return refused

    # -- special functions ------------------------------------------------------------------------------------
    def special(self, name: str) -> Callable[..., Any] | None:
        """Return the library's own implementation of a function of ``scipy.special``, from ``native_special``; None if it has none.

        Without one, the operation's agnostic default serves, if it declares one, else SciPy on the host. SciPy serves for complex numbers
        too, unless the function is in ``complex_special``.
        """
        native = self.native_special.get(name)
        if native is None or name in self.complex_special or scipy_special(name) is None:
            return native
        host, kinds = self.special_on_host(name), self.complex

        def run(*args: Any, **params: Any) -> Any:
            some_complex = any(getattr(arg, "dtype", None) in kinds for arg in args)
            return (host if some_complex else native)(*args, **params)

        return run

    def special_on_host(self, name: str) -> Callable[..., Any]:
        """Return the function of ``scipy.special`` computed by SciPy on the host, or one that raises if SciPy has none."""
        function = scipy_special(name)
        if function is not None:
            return self.on_host(function)
        missing = f"neither {self.name} nor the installed scipy has a function {name!r}"
        if importlib.util.find_spec("scipy") is None:
            missing = f"{self.name} does not have it, and scipy, which does, is not installed: pip install scipy"
        return self.refusing(f"special.{name}", missing)

    def on_host(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function of NumPy arrays as one of the library's arrays, which are moved to the host and back."""

        def run(*args: Any, **params: Any) -> Any:
            like = next(arg for arg in args if hasattr(arg, "dtype"))
            out = function(*[self.numpy(arg) if hasattr(arg, "dtype") else arg for arg in args], **params)
            device = self.device_of(like)
            dtypes = [arg.dtype for arg in args if hasattr(arg, "dtype")]
            if type(out) is tuple:
                return tuple([self.from_host(part, dtype=self._narrow(part, dtypes), device=device) for part in out])
            return self.from_host(out, dtype=self._narrow(out, dtypes), device=device)

        return run

    def _narrow(self, out: Any, dtypes: list[Any]) -> Any:
        """Return the dtype for a result of the host: of the precision that came in, where the host has widened it."""
        kind = getattr(out.dtype, "kind", "")
        floating = [dtype for dtype in dtypes if dtype in self.floating]
        if kind not in ("f", "c"):
            return None
        if not floating:
            return self.default_dtype("real floating" if kind == "f" else "complex floating")
        wide = floating[0] if len(floating) == 1 else self.xp.result_type(*floating)
        if (wide in self.complex) == (kind == "c"):
            return wide
        name = dtype_name(wide)
        if kind == "c":
            return self.dtype("complex128" if name == "float64" else "complex64")
        return self.dtype("float64" if name == "complex128" else "float32")

    # -- dtypes and devices -----------------------------------------------------------------------------------
    def canonical(self, dtype: Any) -> Any:
        """Return the object that ``array.dtype`` is for this dtype; the namespace may have another one."""
        return self.xp.empty((0,), dtype=dtype).dtype

    def dtype(self, spec: Any) -> Any:
        """Return the backend's dtype for its own object, another library's, a Python type, or a name."""
        if spec is bool or spec is int or spec is float or spec is complex:
            return self.default_dtype(
                {bool: "bool", int: "integral", float: "real floating"}.get(spec, "complex floating")
            )
        name = spec if isinstance(spec, str) else dtype_name(spec)
        dtype = getattr(self.xp, ALIASES.get(name, name), None)
        if dtype is None or (name not in DTYPE_NAMES and name not in ALIASES):
            have = ", ".join(n for n in DTYPE_NAMES if hasattr(self.xp, n))
            raise DtypeError(f"{self.name} has no dtype {spec!r}; it has {have}")
        return self.canonical(dtype)

    def default_dtype(self, kind: str, device: Any = None) -> Any:
        """Return the default dtype of a kind ("bool", "integral", "real floating" or "complex floating") on a device."""
        if kind == "bool":
            return self.dtype("bool")
        where = {} if device is None else {"device": self.device(device)}
        return self.canonical(self.xp.__array_namespace_info__().default_dtypes(**where)[kind])

    def device(self, spec: Any) -> Any:
        """Return the backend's device object for its own object or a name such as "cpu"."""
        if not isinstance(spec, str):
            return spec
        for device in self.xp.__array_namespace_info__().devices():
            if str(device).lower() in (spec.lower(), f"device('{spec.lower()}')") or device == spec:
                return device
        raise self.no_device(spec)

    def no_device(self, spec: Any) -> BackendError:
        """Return the error for a device that does not exist here."""
        return BackendError(f"{self.name} has no device {spec!r} here; it has {', '.join(map(repr, self.devices()))}")

    # -- tracing ----------------------------------------------------------------------------------------------
    def scope(self) -> Any:
        """Return the innermost trace of the library's that encloses the running code, to be compared with ``==``; None outside."""
        return None

    def is_number(self, array: Array) -> bool:
        """Return whether an array stands for a Python number, and has no dtype of its own."""
        return False

    def leaks(self, old: Array, new: Array, scope: Any, leaf: bool) -> bool:
        """Return whether ``new`` belongs to a trace, and would leave it if it were stored with a Tensor with the payload ``old``.

        ``scope`` is the trace in which the Tensor was made, as far as it is known, which it is for a ``leaf`` that requires grad.
        """
        return False

    # -- compiling ----------------------------------------------------------------------------------------------
    def jit(
        self, function: Callable[..., tuple[list[Array], Any]], **options: Any
    ) -> Callable[..., tuple[list[Array], Any]]:
        """Compile a function of arrays.

        It returns a list of arrays and a ``polygrad.compiler.program.Constant``, which is handed through.
        """
        return function

    def generator(self) -> Array:
        """Return the state of the generator of random numbers, as an array; inside a trace that of the trace."""
        raise NotImplementedError

    def set_generator(self, state: Array) -> None:
        """Set the state of the generator of random numbers; inside a trace for the rest of it."""
        raise NotImplementedError

    # -- what the standard lacks ------------------------------------------------------------------------------
    def add_at(self, buffer: Array, key: Any, value: Array) -> Array:
        """Return ``buffer`` with ``value`` added at ``key``, every duplicate counted.

        An adapter may write into ``buffer``, which the engine owns.
        """
        return buffer + self.raw.getitem_adjoint(value, key=key, shape=buffer.shape)

    def one_like(self, array: Array) -> Array:
        """Return ones of the shape and dtype of ``array``, on its device: what a backward pass starts from."""
        return self.raw.ones_like(array)

    def own(self, array: Array, alias: bool) -> Array:
        """Return ``array`` in memory of its own, for a leaf to keep. ``alias`` says that somebody else holds it for sure."""
        return self.xp.asarray(array, copy=True) if alias else array

    def present(self, array: Array) -> Array:
        """Return the payload as users see it."""
        return array

    def export(self, array: Array) -> Array:
        """Return the payload as another library can take it over by DLPack."""
        return self.present(array)

    def device_of(self, array: Array) -> Any:
        """Return the device that the array is on."""
        return array.device

    def concrete(self, array: Array) -> bool:
        """Return whether the array has values now. Under ``jax.jit`` it stands for values to come."""
        return True

    def to_host(self, array: Array) -> Any:
        """Return the array as nested Python lists or a Python scalar."""
        if array.ndim == 0:
            for kind, convert in (("bool", bool), ("integral", int), ("real floating", float)):
                if self.xp.isdtype(array.dtype, kind):
                    return convert(array)
            return complex(array)
        return [self.to_host(array[i, ...]) for i in range(array.shape[0])]

    def from_host(self, data: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None) -> Array:
        """Return numbers, nested lists or a NumPy array as an array of the library."""
        options = {
            name: value for name, value in (("dtype", dtype), ("device", device), ("copy", copy)) if value is not None
        }
        return self.xp.asarray(data, **options)

    def numpy(self, array: Array) -> Any:
        """Return the array as a NumPy array, without a copy where the library allows."""
        from .host import to_numpy

        return to_numpy(array)

    def contraction_path(self, equation: str, shapes: Any) -> Any:
        """Return the order in which to contract the operands of an ``einsum`` of three and more.

        It has steps of positions; each product comes last.
        """
        from .host import contraction_path

        return contraction_path(equation, tuple(map(tuple, shapes)))

    def synchronize(self, *arrays: Array) -> None:
        """Wait until the device has finished everything, or at least the work for these arrays."""

    def random(self, kind: str, shape: tuple[int, ...], dtype: Any, device: Any, **params: Any) -> Array:
        """Draw random numbers; ``kind`` is "normal", "uniform" or "integers". Here the host draws them."""
        from .host import draw

        return self.xp.asarray(draw(kind, shape, **params), dtype=dtype, device=device)

    def manual_seed(self, seed: int) -> None:
        """Seed the generator that ``random`` draws from."""
        from .host import seed as seed_host

        seed_host(seed)

    def random_state(self) -> Any:
        """Return the state of the generator that ``random`` draws from, for ``set_random_state``."""
        from .host import get_state

        return get_state()

    def set_random_state(self, state: Any) -> None:
        """Set the generator that ``random`` draws from to a state that ``random_state`` returned."""
        from .host import set_state

        set_state(state)
