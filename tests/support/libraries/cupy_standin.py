"""This is no CuPy: NumPy's arrays under CuPy's names, with its refusals. It proves that the adapter's own Python runs; nothing of a GPU.

``python -m pytest -p cupy_standin``, with this folder on the path, puts it in the place of ``cupy`` and ``cupyx``. What it has of CuPy 14:
the names, and no others; arrays that are never converted to NumPy's unasked, nor computed with beside NumPy's; arrays without axes where
NumPy gives scalars; two devices, of which the current one computes, and on arrays of its own; ``add.at`` in the dtypes that are added
atomically; ``linalg.solve`` without broadcasting. ``tests/backends/test_cupy_names.py`` holds the names against the package itself.
"""

from __future__ import annotations

import operator
import sys
import threading
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import numpy as np
import scipy.special

MISSING = {
    "False_", "ScalarType", "True_", "asmatrix", "block", "bmat", "busday_count", "busday_offset", "busdaycalendar", "bytes_",
    "character", "clongdouble", "complex256", "datetime64", "datetime_as_string", "datetime_data", "einsum_path", "errstate", "fft.test",
    "flexible", "float128", "frompyfunc", "fromregex", "geomspace", "get_include", "getbufsize", "geterr", "geterrcall",
    "histogram_bin_edges", "info", "insert", "is_busday", "isnat", "linalg.diagonal", "linalg.matrix_norm", "linalg.multi_dot",
    "linalg.outer", "linalg.svdvals", "linalg.tensordot", "linalg.test", "linalg.trace", "linalg.vecdot", "linalg.vector_norm",
    "little_endian", "longdouble", "matrix", "matvec", "memmap", "nanpercentile", "nanquantile", "ndenumerate", "nditer", "nested_iters",
    "object_", "polyder", "polydiv", "polyint", "recarray", "record", "sctypeDict", "setbufsize", "seterr", "seterrcall", "show_runtime",
    "spacing", "str_", "test", "timedelta64", "typecodes", "unstack", "vecdot", "vecmat", "void",
}  # fmt: skip
"""Names of NumPy's that CuPy does not have."""
PLAIN = {"broadcast_shapes", "can_cast", "finfo", "iinfo", "isdtype", "isscalar", "issubdtype"}
"""Functions of no arrays."""
SPECIAL = (
    "betainc", "betaln", "digamma", "entr", "erf", "erfc", "erfinv", "expit", "expn", "exprel", "gamma", "gammainc", "gammaincc",
    "gammaln", "i0", "i0e", "i1", "i1e", "j0", "j1", "k0", "k1", "lambertw", "log1p", "log_ndtr", "loggamma", "logit", "ndtr", "ndtri",
    "poch", "polygamma", "pseudo_huber", "psi", "rgamma", "sinc", "xlog1py", "xlogy", "y0", "y1", "zeta", "zetac",
)  # fmt: skip
"""Some of the functions of SciPy's that CuPy has."""
ATOMIC = ("int32", "int64", "uint32", "uint64", "float16", "float32", "float64")


class Device:
    """One of two; ``with device:`` makes it the current one of the thread."""

    __hash__ = None
    stack = threading.local()

    def __init__(self, device: int | Device | None = None) -> None:
        given = self._current() if device is None else device
        self.id = given.id if isinstance(given, Device) else given
        if self.id not in (0, 1):
            raise RuntimeError("cudaErrorInvalidDevice: invalid device ordinal")

    @classmethod
    def _current(cls) -> int:
        return cls.stack.__dict__.setdefault("ids", [0])[-1]

    def __enter__(self) -> Device:
        self._current()
        self.stack.ids.append(self.id)
        return self

    def __exit__(self, *error: object) -> None:
        self.stack.ids.pop()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Device) and self.id == other.id

    def __repr__(self) -> str:
        return f"<CUDA Device {self.id}>"

    def synchronize(self) -> None:
        """Nothing runs here."""


class Stream:
    """Everything is done at once, on any of them."""

    def __init__(self, **params: Any) -> None:
        self.synchronize = lambda: None

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *error: object) -> None:
        """The one before is the current one."""


def unwrap(value: Any) -> Any:
    """What NumPy is to compute with."""
    if isinstance(value, ndarray):
        if value.device != Device():  # CuPy warns, and gives a result on the current device
            raise ValueError(f"the array is on {value.device}, and {Device()} is the current device")
        return value.data
    if type(value) is np.ndarray:
        raise TypeError(f"Unsupported type {type(value)}")
    return type(value)(map(unwrap, value)) if type(value) in (tuple, list) else value


def wrap(value: Any) -> Any:
    """A result of NumPy's as an array of the current device."""
    if isinstance(value, (np.ndarray, np.generic)):
        return ndarray(np.asarray(value), Device())
    if isinstance(value, (tuple, list)):
        return value._make(map(wrap, value)) if hasattr(value, "_make") else type(value)(map(wrap, value))
    return value


class lifted:
    """A function of NumPy's for these arrays; what a ufunc has, too."""

    def __init__(self, function: Any) -> None:
        self.function, self.types, self.__name__ = function, getattr(function, "types", ()), function.__name__

    def __call__(self, *args: Any, **params: Any) -> Any:
        return wrap(self.function(*map(unwrap, args), **{name: unwrap(value) for name, value in params.items()}))

    def at(self, array: ndarray, key: Any, value: Any) -> None:
        """In the dtypes that CUDA adds atomically."""
        if array.dtype.name not in ATOMIC:
            raise TypeError(f"cupy.add.at only supports {', '.join(ATOMIC)} as data type")
        self.function.at(unwrap(array), unwrap(key), unwrap(value))


class ndarray:
    """An array on a device."""

    __array_ufunc__ = __hash__ = None

    def __init__(self, data: np.ndarray, device: Device) -> None:
        self.data, self.device = data, device

    def __array__(self, *args: Any, **params: Any) -> Any:
        raise TypeError("Implicit conversion to a NumPy array is not allowed.")

    def __setitem__(self, key: Any, value: Any) -> None:
        self.data[unwrap(key)] = unwrap(value)

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def get(self) -> np.ndarray:
        """A copy on the host, wherever it is."""
        return self.data.copy()


def _equip(kind: Any) -> None:
    for name in ("base", "dtype", "flags", "itemsize", "nbytes", "ndim", "shape", "size", "strides"):
        setattr(kind, name, property(lambda self, name=name: getattr(self.data, name)))
    for name in ("T", "mT", "imag", "real"):
        setattr(kind, name, property(lambda self, name=name: ndarray(getattr(self.data, name), self.device)))
    for name in ("__bool__", "__complex__", "__float__", "__int__", "__len__", "__repr__", "item", "tolist"):
        setattr(kind, name, lambda self, name=name: getattr(self.data, name)())
    for name in ("all", "any", "astype", "copy", "max", "min", "ravel", "reshape", "sum", "transpose", "view"):
        of = lifted(getattr(np.ndarray, name))
        setattr(kind, name, lambda self, *args, of=of, **params: of(self, *args, **params))
    for name in ("abs", "eq", "ge", "getitem", "gt", "invert", "le", "lt", "ne", "neg", "pos"):
        of = lifted(getattr(operator, f"__{name}__"))
        setattr(kind, f"__{name}__", lambda *args, of=of: of(*args))
    for name in ("add", "and", "floordiv", "lshift", "matmul", "mod", "mul", "or", "pow", "rshift", "sub", "truediv", "xor"):  # fmt: skip
        of = lifted(getattr(operator, f"__{name}__"))
        setattr(kind, f"__{name}__", lambda a, b, of=of: of(a, b))
        setattr(kind, f"__r{name}__", lambda a, b, of=of: of(b, a))
        setattr(kind, f"__i{name}__", lambda a, b, of=of: a.__setitem__(..., of(a, b)) or a)


def array(obj: Any, dtype: Any = None, copy: bool | None = True, **params: Any) -> ndarray:
    """An array of the current device, to which another's is copied; of numbers, of a NumPy array, or of these arrays in lists."""
    if isinstance(obj, ndarray):
        if not copy and obj.device == Device() and dtype in (None, obj.dtype):
            return obj
        obj = obj.data
    elif isinstance(obj, (list, tuple)):
        obj = [array(part).data for part in obj]
    return ndarray(np.array(obj, dtype=dtype), Device())


def solve(a: ndarray, b: ndarray) -> ndarray:
    """CuPy's does not broadcast."""
    if b.ndim > 1 and a.shape[:-1] != b.shape[:-1]:
        raise ValueError("a must have (..., M, M) shape and b must have (..., M, K) for multidimensional b")
    return lifted(np.linalg.solve)(a, b)


def module(name: str, source: Any = None, **own: Any) -> ModuleType:
    """A module with those of NumPy's names that CuPy has."""
    made = sys.modules[name] = ModuleType(name)
    made.__spec__, made.__dict__["__version__"] = ModuleSpec(name, None), "14"
    for key, value in vars(source).items() if source is not None else ():
        full = f"{name}.{key}".removeprefix("cupy.")
        if not key.startswith("_") and not isinstance(value, ModuleType) and full not in MISSING:
            computes = callable(value) and not isinstance(value, type) and key not in PLAIN
            setattr(made, key, lifted(value) if computes else value)
    made.__dict__.update(own)
    return made


def install() -> None:
    """Put it in the place of CuPy."""
    _equip(ndarray)
    runtime = module(
        "cupy.cuda.runtime", getDeviceCount=lambda: 2, driverGetVersion=lambda: 1, CUDARuntimeError=OSError
    )
    nvrtc = module("cupy.cuda.nvrtc", getVersion=lambda: (13, 0))
    module("cupy.cuda.device", Device=Device)
    generator = np.random.RandomState()
    random = module(
        "cupy.random", seed=generator.seed, randint=lifted(generator.randint),
        random_sample=lambda size, dtype: wrap(np.asarray(generator.random_sample(size), dtype)),
        standard_normal=lambda size, dtype: wrap(np.asarray(generator.standard_normal(size), dtype)),
    )  # fmt: skip
    module(
        "cupy", np, array=array, asarray=lambda obj, dtype=None: array(obj, dtype, copy=None), ndarray=ndarray, ufunc=lifted,
        asnumpy=lambda x: x.get() if isinstance(x, ndarray) else np.asarray(x), random=random, fft=module("cupy.fft", np.fft),
        linalg=module("cupy.linalg", np.linalg, solve=solve),
        cuda=module("cupy.cuda", Device=Device, Stream=Stream, nvrtc=nvrtc, runtime=runtime),
    )  # fmt: skip
    functions = {name: getattr(scipy.special, name) for name in SPECIAL}
    functions = {name: lifted(getattr(function, "__wrapped__", function)) for name, function in functions.items()}
    module("cupyx", scipy=module("cupyx.scipy", special=module("cupyx.scipy.special", **functions)))


install()
