"""Creation functions: the standard's, with ``requires_grad=`` and ``backend=``, plus torch's.

Sizes may be given as in torch (``ones(2, 2)``) or as in the standard (``ones((2, 2))``). Without ``dtype`` the default floating dtype
is used: what ``set_default_dtype`` says, else the backend's own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

from ..backend.base import Backend
from ..backend.dtypes import dtype_name
from ..backend.select import backend_of, get_backend
from ..core.modes import current
from ..core.record import no_derivative
from ..core.tensor import SCALARS, Tensor, constant, note_scope
from ..errors import ArgumentError, BackendError, DtypeError, describe
from .conversions import warn_detached

__all__ = [
    "arange", "asarray", "empty", "empty_like", "eye", "from_dlpack", "from_numpy", "full", "full_like", "linspace", "ones", "ones_like",
    "tensor", "tril_indices", "triu_indices", "zeros", "zeros_like",
]  # fmt: skip

DEFAULT_DTYPE: ContextVar[str | None] = ContextVar("polygrad_default_dtype", default=None)


def set_default_dtype(dtype: Any) -> None:
    """The floating dtype of new Tensors, on every backend; None: each backend's own."""
    if dtype is None:
        DEFAULT_DTYPE.set(None)
        return
    dtype = get_backend().dtype(dtype)
    if not get_backend().xp.isdtype(dtype, "real floating"):
        raise DtypeError(f"set_default_dtype: only floating-point dtypes can be the default, got {dtype}")
    DEFAULT_DTYPE.set(dtype_name(dtype))


def get_default_dtype(backend: Any = None) -> Any:
    """The floating dtype of new Tensors on a backend (default: the selected one)."""
    return default_floating(get_backend(backend))


def default_floating(backend: Backend, device: Any = None) -> Any:
    """Return the dtype that ``set_default_dtype`` set, else the backend's own default, which can depend on the device."""
    name = DEFAULT_DTYPE.get()
    return backend.dtype(name) if name is not None else backend.default_dtype("real floating", device)


def _owner(like: Any) -> Backend | None:
    return like._frame.backend if isinstance(like, Tensor) else backend_of(like)


def _place(backend: Any, like: Any) -> Backend:
    """The backend that is named, else that of ``like``, else the selected one."""
    return (_owner(like) if backend is None else None) or get_backend(backend)


def home_of(name: str, backend: Any, like: Any) -> Backend:
    """The backend of ``like``, which one that is named must not contradict."""
    home = _owner(like)
    if home is None:
        return get_backend(backend)
    if backend is not None and get_backend(backend) is not home:
        wanted = get_backend(backend).name
        raise BackendError(
            f"{name}: {describe(like)} is on the backend {home.name!r}, and backend={wanted!r} asks for another; leave backend out, or "
            f"move it first: x.to_backend({wanted!r})"
        )
    return home


def options_of(home: Backend, dtype: Any, device: Any, default: Any = None) -> dict[str, Any]:
    options: dict[str, Any] = {"dtype": home.dtype(dtype) if dtype is not None else default}
    if device is not None:
        options["device"] = home.device(device)
    return {name: value for name, value in options.items() if value is not None}


def _made(array: Any, home: Backend, requires_grad: bool) -> Tensor:
    out = constant(array, home.frame())
    if current().inference:
        out._own_extra().inference = True
    if requires_grad:
        return out.requires_grad_()
    if home.traces:
        note_scope(out)
    return out


def shape_of(sizes: tuple[Any, ...], shape: Any, where: str) -> tuple[int, ...]:
    if shape is not None:
        if sizes:
            raise ArgumentError(f"{where}: the shape is given twice, as {sizes} and as shape={shape}")
        sizes = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
    try:
        if len(sizes) == 1 and not hasattr(sizes[0], "__index__"):
            sizes = tuple(sizes[0])
        result = tuple([n.__index__() for n in sizes])
    except (AttributeError, TypeError):
        raise ArgumentError(f"{where}: sizes have to be integers, got {sizes}") from None
    if any(n < 0 for n in result):
        raise ArgumentError(f"{where}: sizes cannot be negative, got {result}")
    return result


def standard_signature(
    shape: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, backend: Any = None
) -> Tensor:
    """The signature that is shown of the functions below: the standard's ``shape``. Separate sizes, as in torch, are taken besides."""
    raise NotImplementedError


def _filler(name: str) -> Any:
    def create(
        *size: Any,
        shape: Any = None,
        dtype: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        backend: Any = None,
    ) -> Tensor:
        home = get_backend(backend)
        options = options_of(home, dtype, device, default_floating(home, device))
        return _made(getattr(home.raw, name)(shape_of(size, shape, name), **options), home, requires_grad)

    create.__wrapped__ = standard_signature  # type: ignore[attr-defined]
    create.__name__ = create.__qualname__ = name
    create.__doc__ = (
        f"A Tensor of {'arbitrary values' if name == 'empty' else name}: ``{name}(2, 3)`` or ``{name}((2, 3))``."
    )
    return create


ones, zeros, empty = _filler("ones"), _filler("zeros"), _filler("empty")


def _like(name: str) -> Any:
    def create(
        x: Any, /, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, backend: Any = None
    ) -> Tensor:
        home = home_of(name, backend, x)
        array = x._data if isinstance(x, Tensor) else x
        if isinstance(array, Tensor):  # inside a transform: a constant, of level 0
            options = options_of(home, x.dtype if dtype is None else dtype, x.device if device is None else device)
            made = getattr(home.raw, name.removesuffix("_like"))(tuple(x.shape), **options)
            return _made(made, home, requires_grad)
        return _made(getattr(home.raw, name)(array, **options_of(home, dtype, device)), home, requires_grad)

    create.__name__ = create.__qualname__ = name
    create.__doc__ = f"As ``{name.removesuffix('_like')}``, with the shape, dtype and device of ``x``."
    return create


ones_like, zeros_like, empty_like = _like("ones_like"), _like("zeros_like"), _like("empty_like")


def _between(
    home: Backend, start: Any, stop: Any, weights: Callable[[Any], Any], dtype: Any, device: Any, requires_grad: bool
) -> Tensor:
    """A Tensor between two ends, with their history. ``weights`` gives those of the second end, in a dtype."""
    xp = home.namespace
    ends = [asarray(end, backend=home) for end in (start, stop)]
    ends = [x if x.dtype in home.floating else xp.astype(x, default_floating(home, device)) for x in ends]
    t = constant(weights(xp.real(xp.add(*ends)).dtype), home.frame())
    out = xp.add(xp.multiply(ends[0], xp.subtract(1, t)), xp.multiply(ends[1], t)).to(dtype=dtype, device=device)
    return out.requires_grad_() if requires_grad else out  # type: ignore[no-any-return]


def _number(function: str, name: str, value: Any) -> Any:
    """A number; a Tensor of one element may stand for it, unless that would lose its history."""
    if not isinstance(value, Tensor):
        return value
    if value.requires_grad and current().records(value._frame.level):
        raise no_derivative(function, name)
    return value.item()


def _filled(shape: tuple[int, ...], value: Tensor, device: Any, requires_grad: bool) -> Tensor:
    """A Tensor in memory of its own that is ``value`` everywhere, with its history."""
    xp = value._frame.namespace
    out = xp.clone(xp.broadcast_to(value if device is None else value.to(device=device), shape))
    return out.requires_grad_() if requires_grad else out  # type: ignore[no-any-return]


def full(
    shape: Any,
    fill_value: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    backend: Any = None,
) -> Tensor:
    """A Tensor of that shape filled with one value, whose kind decides the dtype if none is given."""
    home = get_backend(backend)
    if isinstance(fill_value, Tensor):
        return _filled(
            shape_of((shape,), None, "full"), asarray(fill_value, dtype=dtype, backend=home), device, requires_grad
        )
    default = default_floating(home, device) if type(fill_value) is float else None
    array = home.raw.full(shape_of((shape,), None, "full"), fill_value, **options_of(home, dtype, device, default))
    return _made(array, home, requires_grad)


def full_like(
    x: Any,
    /,
    fill_value: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    backend: Any = None,
) -> Tensor:
    """As ``full``, with the shape, dtype and device of ``x``."""
    home = home_of("full_like", backend, x)
    array = x._data if isinstance(x, Tensor) else x
    if isinstance(fill_value, Tensor):
        fill_value = asarray(fill_value, dtype=x.dtype if dtype is None else dtype, backend=home)
        return _filled(tuple(x.shape), fill_value, x.device if device is None else device, requires_grad)
    if isinstance(array, Tensor):
        options = options_of(home, x.dtype if dtype is None else dtype, x.device if device is None else device)
        return _made(home.raw.full(tuple(x.shape), fill_value, **options), home, requires_grad)
    return _made(home.raw.full_like(array, fill_value, **options_of(home, dtype, device)), home, requires_grad)


def arange(
    start: Any,
    /,
    stop: Any = None,
    step: Any = 1,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    backend: Any = None,
) -> Tensor:
    """Evenly spaced values in ``[start, stop)``, or in ``[0, start)``."""
    home = get_backend(backend)
    if any(_has_history(end) for end in (start, stop, step)):
        first, last = (0, start) if stop is None else (start, stop)
        begin, end, gap = (x.item() if isinstance(x, Tensor) else x for x in (first, last, step))
        count = max(0, math.ceil((end - begin) / gap))  # the end says how many there are, and has no derivative
        second = home.namespace.add(asarray(first, backend=home), asarray(step, backend=home))
        return _between(
            home, first, second, lambda kind: home.raw.arange(count, dtype=kind), dtype, device, requires_grad
        )
    start, stop, step = (
        _number("arange", "start", start),
        _number("arange", "stop", stop),
        _number("arange", "step", step),
    )
    default = default_floating(home, device) if float in map(type, (start, stop, step)) else None
    return _made(home.raw.arange(start, stop, step, **options_of(home, dtype, device, default)), home, requires_grad)


def linspace(
    start: Any,
    stop: Any,
    /,
    num: int,
    *,
    dtype: Any = None,
    device: Any = None,
    endpoint: bool = True,
    requires_grad: bool = False,
    backend: Any = None,
) -> Tensor:
    """``num`` evenly spaced values from ``start`` to ``stop``, which is included unless ``endpoint`` is False."""
    home = get_backend(backend)
    if _has_history(start) or _has_history(stop):

        def weights(kind: Any) -> Any:
            return home.raw.linspace(0.0, 1.0, num, endpoint=endpoint, dtype=kind)

        return _between(home, start, stop, weights, dtype, device, requires_grad)
    start, stop = _number("linspace", "start", start), _number("linspace", "stop", stop)
    default = None if complex in map(type, (start, stop)) else default_floating(home, device)
    array = home.raw.linspace(start, stop, num, endpoint=endpoint, **options_of(home, dtype, device, default))
    return _made(array, home, requires_grad)


def eye(
    n_rows: int,
    n_cols: int | None = None,
    /,
    *,
    k: int = 0,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    backend: Any = None,
) -> Tensor:
    """Ones on the k-th diagonal, zeros elsewhere."""
    home = get_backend(backend)
    options = options_of(home, dtype, device, default_floating(home, device))
    return _made(home.raw.eye(n_rows, n_cols, k=k, **options), home, requires_grad)


def _triangle(name: str) -> Any:
    def create(
        row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None, backend: Any = None
    ) -> Tensor:
        home = get_backend(backend)
        host = get_backend("numpy").raw  # how many they are depends on values, which a lazy library does not look at
        found = host.stack(host.nonzero(getattr(host, name)(host.ones((row, col)), k=offset)))
        options = options_of(home, dtype, device, home.default_dtype("integral", device))
        return _made(home.from_host(found, **options), home, False)

    create.__name__ = create.__qualname__ = f"{name}_indices"
    side = "below" if name == "tril" else "above"
    create.__doc__ = (
        f"The positions on and {side} a diagonal of a matrix: a row of row numbers and one of column numbers."
    )
    return create


tril_indices, triu_indices = _triangle("tril"), _triangle("triu")


# -- from data --------------------------------------------------------------------------------------------------
def tensor(
    data: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False, *, backend: Any = None
) -> Tensor:
    """A new leaf with a copy of ``data``: numbers, nested lists, an array of any library, or a Tensor.

    Floating numbers get the default floating dtype, integers and booleans the backend's own; arrays keep theirs. A sequence in which
    there are Tensors with a history is stacked as by ``asarray``, and keeps it. Of one such Tensor the copy has none, with a warning.
    """
    if isinstance(data, Tensor):
        if _has_history(data):
            warn_detached(
                "tensor(x): the copy of a tracked Tensor is a new leaf, which has no history. If that is meant, say so with "
                "x.detach().clone(); x.clone() and polygrad.asarray(x) keep the gradient."
            )
        data = data.detach()._untracked("tensor")
    elif isinstance(data, (list, tuple)) and _has_history(data):
        made = asarray(data, dtype=dtype, backend=backend).to(device=device)
        return made.requires_grad_() if requires_grad else made  # type: ignore[no-any-return]
    home = _place(backend, data)
    source = backend_of(data)
    if source is not None:
        source.check(data)
    if source is not None and source is not home:
        data = source.numpy(data)
    array = _converted(data, home, dtype, device, copy=True)
    return _made(array, home, requires_grad)


def _converted(data: Any, home: Backend, dtype: Any, device: Any, copy: bool | None) -> Any:
    if backend_of(data) is None:
        kinds = _kinds(data)
        if any(isinstance(kind, type) and issubclass(kind, Tensor) for kind in kinds):
            data = _plain(data)
            kinds = _kinds(data)
        unknown = [kind for kind in kinds if kind not in SCALARS and backend_of_type(kind) is None]
        if unknown:
            raise ArgumentError(f"tensor: cannot make a Tensor of {unknown[0].__name__} values: {describe(data)}")
        if (dtype is None and kinds and complex not in kinds and any(kind is float for kind in kinds)) or (
            dtype is None and not kinds
        ):
            dtype = default_floating(home, device)
    array = home.from_host(data, **options_of(home, dtype, device), copy=copy)
    home.check(array)
    return array


def backend_of_type(kind: type) -> str | None:
    """The library of a scalar type such as ``numpy.float64``; None if it is none."""
    module = (kind.__module__ or "").split(".")[0]
    return module if module != "builtins" else None


def _kinds(data: Any) -> set[type]:
    if isinstance(data, (list, tuple)):
        found: set[type] = set()
        for part in data:
            found |= _kinds(part)
        return found
    return {type(data)}


def _plain(data: Any) -> Any:
    if isinstance(data, Tensor):
        return data.tolist()
    return [_plain(part) for part in data] if isinstance(data, (list, tuple)) else data


def asarray(
    obj: Any,
    /,
    *,
    dtype: Any = None,
    device: Any = None,
    copy: bool | None = None,
    requires_grad: bool = False,
    backend: Any = None,
) -> Tensor:
    """``obj`` as a Tensor, without a copy where that is possible.

    A Tensor stays what it is, with its history; a sequence of Tensors is stacked, differentiably; an array is adopted.

    Raises:
        BackendError: the array belongs to another backend than the one asked for.
        ArgumentError: ``copy=False``, and it takes a copy.
    """
    if isinstance(obj, Tensor):
        home = obj._frame.backend
        if backend is not None and get_backend(backend) is not home:
            raise BackendError(
                f"asarray: the Tensor is on the backend {home.name!r}, not {get_backend(backend).name!r}; use x.to_backend(...) to move it"
            )
        out = obj.to(dtype=dtype, device=device, copy=bool(copy))
        if copy is False and out is not obj:
            raise ArgumentError(
                f"asarray: {describe(obj)} takes a copy with dtype={dtype}, device={device}, and copy=False forbids one"
            )
        return out.requires_grad_() if requires_grad else out  # type: ignore[no-any-return]
    if isinstance(obj, (list, tuple)) and any(has_tensor(part) for part in obj):
        home = get_backend(backend) if backend is not None else next(_tensors(obj))._frame.backend
        if copy is False:
            raise ArgumentError("asarray: stacking a sequence of Tensors takes a copy, and copy=False forbids one")
        parts = [asarray(part, backend=home) for part in obj]
        out = home.namespace.stack(parts)
        return out if dtype is None else home.namespace.astype(out, home.dtype(dtype))  # type: ignore[no-any-return]
    home = _place(backend, obj)
    source = backend_of(obj)
    if source is not None:
        source.check(obj)
    if source is not None and source is not home:
        obj = source.numpy(obj) if source.name != "numpy" else obj
    if source is home and copy is not True and dtype is None and device is None:
        return _made(obj, home, requires_grad)
    return _made(_converted(obj, home, dtype, device, copy), home, requires_grad)


def _tensors(value: Any) -> Iterator[Tensor]:
    """Yield a Tensor, or those in a sequence."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _tensors(part)


def has_tensor(value: Any) -> bool:
    """Return whether a value is a Tensor, or a sequence in which there is one."""
    return next(_tensors(value), None) is not None


def _has_history(value: Any) -> bool:
    """Return whether there is a Tensor that is tracked, or inside a transform."""
    return any(tensor._node is not None or tensor._frame.level > 0 for tensor in _tensors(value))


def from_numpy(array: Any, *, backend: Any = None) -> Tensor:
    """A Tensor that shares memory with a NumPy array, where the backend can."""
    return asarray(array, backend=backend)


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None, backend: Any = None) -> Tensor:
    """A Tensor from any object that exports DLPack."""
    home = get_backend(backend)
    options = options_of(home, None, device) | ({"copy": copy} if copy is not None else {})
    return constant(home.xp.from_dlpack(x, **options), home.frame())


# -- of the extension fft -----------------------------------------------------------------------------------------
FFT = ("fftfreq", "rfftfreq")
"""Creation functions that a namespace has under ``fft``."""


def _frequencies(name: str) -> Any:
    def create(
        n: int,
        /,
        *,
        d: float = 1.0,
        dtype: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        backend: Any = None,
    ) -> Tensor:
        home = get_backend(backend)
        options, d = options_of(home, None, device), _number(name, "d", d)
        wanted = home.dtype(dtype) if dtype is not None else default_floating(home, device)
        array = getattr(home.raw.fft, name)(n, d=d, **options)  # not every library takes the dtype here
        array = array if array.dtype == wanted else home.raw.astype(array, wanted)
        return _made(array, home, requires_grad)

    create.__name__ = create.__qualname__ = name
    create.__doc__ = f"The frequencies of the elements of ``{name.removesuffix('freq')}`` of n samples, ``d`` apart."
    return create


fftfreq, rfftfreq = _frequencies("fftfreq"), _frequencies("rfftfreq")
