"""torch as an array library: its own autograd stays out of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import array_api_compat.torch as xp
import torch
from torch._subclasses.fake_tensor import FakeTensor
from torch.fx.experimental.proxy_tensor import make_fx

from polygrad.backend import Backend, scipy_special
from polygrad.errors import ArgumentError, PolygradError, Untraceable, describe
from polygrad.rules.indexing import basic


def _forward_slices(x: Any, key: Any) -> tuple[Any, Any]:
    """A key without negative steps, which torch lacks, and the axes of the selection to flip afterwards."""
    keys = key if isinstance(key, tuple) else (key,)
    arrays = [torch.as_tensor(part) for part in keys if isinstance(part, (torch.Tensor, list))]
    if arrays and int in map(type, keys):
        # Beside an array NumPy takes an integer for an array too, which decides where the new axes go.
        shape = (1,) if arrays[0].dtype == torch.bool else arrays[0].shape
        key = keys = tuple([torch.full(shape, part, device=x.device) if type(part) is int else part for part in keys])
    if not any(type(part) is slice and part.step is not None and part.step < 0 for part in keys):
        return key, ()
    consumed = sum(_consumes(part) for part in keys)
    new: list[Any] = []
    flips: list[int] = []
    axis, position = 0, 0
    for part in keys:
        if part is Ellipsis:
            axis += x.ndim - consumed
            position += x.ndim - consumed
            new.append(part)
            continue
        if type(part) is slice and part.step is not None and part.step < 0:
            indices = range(*part.indices(x.shape[axis]))
            if indices:
                part = slice(indices[-1], indices[0] + 1, -part.step)
                flips.append(position)
            else:
                part = slice(0, 0)
        new.append(part)
        axis += _consumes(part)
        position += 0 if isinstance(part, int) else 1
    return tuple(new), tuple(flips)


def _consumes(part: Any) -> int:
    if part is None or part is Ellipsis:
        return 0
    dtype = getattr(part, "dtype", None)
    return part.ndim if dtype == torch.bool else 1


def getitem(x: Any, *, key: Any) -> Any:
    """``x[key]``, negative steps included."""
    key, flips = _forward_slices(x, key)
    out = x[key]
    return torch.flip(out, flips) if flips else out


def _add(out: Any, key: Any, value: Any) -> Any:
    value = torch.as_tensor(value, dtype=out.dtype, device=out.device)
    key, flips = _forward_slices(out, key)
    if flips:
        value = torch.flip(value.expand(out[key].shape), flips)
    if basic(key):
        out[key] += value
        return out
    # index_put_ with accumulate counts duplicates, but takes index tensors only: number the elements, then select.
    ids = torch.arange(out.numel(), device=out.device).reshape(out.shape)[key]
    flat = out.reshape(-1).index_add_(0, ids.reshape(-1), value.expand(ids.shape).reshape(-1))
    return flat.reshape(out.shape)


def getitem_adjoint(x: Any, *, key: Any, shape: tuple[int, ...]) -> Any:
    """Zeros of ``shape`` with ``x`` added at ``key``."""
    return _add(torch.zeros(shape, dtype=x.dtype, device=x.device), key, x)


def set_at(x: Any, value: Any, /, *, key: Any) -> Any:
    """A copy of ``x`` with ``value`` at ``key``."""
    out = x.clone()
    key, flips = _forward_slices(out, key)
    if flips and hasattr(value, "expand"):
        value = torch.flip(value.expand(out[key].shape), flips)
    out[key] = value
    return out


def logsumexp(x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
    """torch wants to be told the axes."""
    return torch.logsumexp(x, tuple(range(x.ndim)) if axis is None else axis, keepdims)


def trapezoid(y: Any, x: Any = None, *, dx: float | None = None, axis: int = -1) -> Any:
    """torch takes either the points or their distance."""
    return torch.trapezoid(y, dx=1.0 if dx is None else dx, dim=axis) if x is None else torch.trapezoid(y, x, dim=axis)


def _with_numbers(function: Any) -> Any:
    """A function of torch that takes Tensors only, for Python numbers too."""

    def run(*args: Any, **params: Any) -> Any:
        like = next(arg for arg in args if isinstance(arg, torch.Tensor))
        if not all(isinstance(arg, torch.Tensor) for arg in args):
            args = tuple([torch.as_tensor(arg, dtype=like.dtype, device=like.device) for arg in args])
        return function(*args, **params)

    return run


def median_along(x: Any, *, ignore_nan: bool, axis: int, keepdims: bool) -> Any:
    """Two functions of torch in one operation."""
    return (torch.nanmedian if ignore_nan else torch.median)(x, axis, keepdims)


def median_value(x: Any, *, ignore_nan: bool) -> Any:
    """As ``median_along``, over everything."""
    return torch.nanmedian(x) if ignore_nan else torch.median(x)


class UniqueAllResult(NamedTuple):
    """What the standard's ``unique_all`` returns."""

    values: Any
    indices: Any
    inverse_indices: Any
    counts: Any


def unique_all(x: Any, /) -> UniqueAllResult:
    """The different elements, where each comes first, which one each element is, and how often each comes."""
    values, inverse, counts = torch.unique(x, return_inverse=True, return_counts=True)
    positions = torch.arange(x.numel(), device=x.device)
    first = torch.full(values.shape, x.numel(), device=x.device)
    first = first.scatter_reduce(0, inverse.reshape(-1), positions, "amin")
    return UniqueAllResult(values, first, inverse, counts)


_SPECIAL = {
    "k0": "modified_bessel_k0", "k1": "modified_bessel_k1", "k0e": "scaled_modified_bessel_k0",
    "k1e": "scaled_modified_bessel_k1", "log_expit": "logsigmoid",
    **{name: name for name in (
        "digamma", "entr", "erf", "erfc", "erfcx", "erfinv", "exp2", "expit", "gammainc", "gammaincc", "gammaln", "i0", "i0e", "i1",
        "i1e", "log_ndtr", "logit", "multigammaln", "ndtri", "polygamma", "psi", "sinc", "xlog1py", "xlogy", "zeta",
    )},
}  # fmt: skip
"""Functions of ``scipy.special`` that torch has, and their names there. Left out are those with far fewer digits than SciPy's in double
precision: the Bessel functions of the first and second kind (errors of 1e-7 and 1e-9), and ``ndtr``, which is 0 far to the left."""


def _special(function: Any, host: Any) -> Any:
    """A function of ``torch.special``, which takes tensors only and mostly real ones; ``host`` does the others."""

    def run(*args: Any, **params: Any) -> Any:
        like = next(arg for arg in args if isinstance(arg, torch.Tensor))
        if like.is_complex() and host is not None:
            return host(*args, **params)
        dtype = like.dtype if like.is_floating_point() else torch.get_default_dtype()
        args = tuple(
            [
                torch.as_tensor(arg, dtype=dtype, device=like.device) if type(arg) in (int, float) else arg
                for arg in args
            ]
        )
        return function(*args, **params)

    return run


def _polygamma(host: Any) -> Any:
    """By the zeta function (DLMF 5.15.1): torch's own has no more than ten digits for the first order, and one order for all elements."""

    def run(n: Any, x: Any) -> Any:
        if type(n) is not int or x.is_complex():
            return host(n, x)
        if n == 0:
            return torch.special.digamma(x)
        return torch.special.zeta(torch.tensor(n + 1.0, dtype=x.dtype, device=x.device), x) * (
            (-1) ** (n + 1) * math.factorial(n)
        )

    return run


def _fake_mode() -> Any:
    """What makes torch compute on fake tensors, while it does."""
    return torch._C._get_dispatch_mode(torch._C._TorchDispatchModeKey.FAKE)


def _compiled(function: Any, arrays: Sequence[Any], options: dict[str, Any]) -> tuple[Any, Any]:
    """The function compiled for arrays like these, and what it returns besides arrays."""
    notes: list[Any] = []

    def traced(*fakes: Any) -> Any:
        outs, note = function(*fakes)
        notes.append(note)
        return outs

    try:
        graph = make_fx(traced, tracing_mode="fake", _allow_non_fake_inputs=True)(*arrays)
    except PolygradError:
        raise
    except Exception as error:
        raise Untraceable(f"while tracing, {type(error).__name__}: {str(error).splitlines()[0]}") from error
    try:
        compiled = torch.compile(graph, **options)
        compiled(*arrays)
    except Exception as error:  # no compiler for C++, say
        raise Untraceable(f"torch.compile, {type(error).__name__}: {str(error).splitlines()[0]}") from error
    return compiled, notes[-1]


class TorchBackend(Backend):
    """torch tensors on any device."""

    name = "torch"
    install = "pip install torch"
    xp = xp
    overrides = {  # noqa: RUF012
        # array-api-compat passes these on to torch as they are, which calls the axes "dim"
        "fft.hfftn": lambda x, /, *, s=None, axes=None, norm="backward": torch.fft.hfftn(x, s, axes, norm),
        "fft.ihfftn": lambda x, /, *, s=None, axes=None, norm="backward": torch.fft.ihfftn(x, s, axes, norm),
        **{
            name: _with_numbers(getattr(torch, name))
            for name in ("addcdiv", "addcmul", "fmax", "fmin", "fmod", "heaviside", "isclose", "lerp", "logaddexp2")
        },
        "contract_pair": lambda x1, x2, *, equation: torch.einsum(equation, x1, x2),
        "getitem": getitem,
        "logsumexp": logsumexp,
        "median_along": median_along,
        "median_value": median_value,
        "getitem_adjoint": getitem_adjoint,
        "set_at": set_at,
        "trapezoid": trapezoid,
        "unique_all": unique_all,  # array-api-compat has none for torch
        "to_device": lambda x, device: x.to(device),
    }

    def owns(self, kind: type) -> bool:
        return issubclass(kind, torch.Tensor)

    traces = True
    compiles = True

    # -- compiling and tracing ----------------------------------------------------------------------------------
    def jit(self, function: Any, **options: Any) -> Any:
        """Traced by make_fx on fake tensors, once for each set of shapes, dtypes, devices and strides; then ``torch.compile``."""
        programs: dict[Any, Any] = {}

        def run(*arrays: Any) -> Any:
            if _fake_mode() is not None:  # inside of another function that is being traced
                return function(*arrays)
            key = tuple([(a.shape, a.dtype, a.device, a.stride()) for a in arrays])
            if key not in programs:
                programs[key] = _compiled(function, arrays, options)
            compiled, note = programs[key]
            return list(compiled(*arrays)), note

        return run

    def scope(self) -> Any:
        return _fake_mode()

    def concrete(self, array: Any) -> bool:
        return not isinstance(array, FakeTensor)

    def leaks(self, old: Any, new: Any, scope: Any, leaf: bool) -> bool:
        return isinstance(new, FakeTensor) and not isinstance(old, FakeTensor) and scope is not _fake_mode()

    def check(self, array: Any) -> None:
        if array.requires_grad:
            raise ArgumentError(
                f"a torch tensor that requires grad ({describe(array)}) cannot be the payload of a Tensor: two graphs would be built, "
                f"torch's and polygrad's. Give t.detach() and ask polygrad for gradients; or, to have a polygrad function inside torch's "
                f"graph, wrap it: polygrad.interop.torch.to_torch(f)"
            )

    def devices(self) -> tuple[str, ...]:
        gpus = tuple(f"cuda:{i}" for i in range(torch.cuda.device_count())) if torch.cuda.is_available() else ()
        return ("cpu", *gpus)

    def device(self, spec: Any) -> Any:
        try:
            return torch.empty(0, device=spec).device  # which fails for what torch can name and has not
        except (RuntimeError, AssertionError) as error:
            raise self.no_device(spec) from error

    def add_at(self, buffer: Any, key: Any, value: Any) -> Any:
        return _add(buffer, key, value)

    def own(self, array: Any, alias: bool) -> Any:
        storage = array.untyped_storage()
        # A storage that cannot be resized belongs to another library, from where it came by DLPack or as a buffer.
        shared = alias or array._base is not None or storage.nbytes() != array.nbytes or not storage.resizable()
        return array.clone(memory_format=torch.contiguous_format) if shared else array

    def special(self, name: str) -> Any:
        if name not in _SPECIAL:
            return None
        function = scipy_special(name)
        host = None if function is None else self.on_host(function)
        if name == "polygamma":
            return _polygamma(host)
        if name == "log_expit":
            return torch.nn.functional.logsigmoid
        if name == "multigammaln":
            return lambda a, *, d: torch.special.multigammaln(a, d)  # which calls it p
        if name == "zeta":
            return lambda x, q=None: _special(torch.special.zeta, host)(x, 1.0 if q is None else q)
        native_for_complex = name in ("exp2", "expit", "sinc")
        return _special(getattr(torch.special, _SPECIAL[name]), None if native_for_complex else host)

    def to_host(self, array: Any) -> Any:
        return array.tolist()

    def numpy(self, array: Any) -> Any:
        return array.detach().cpu().resolve_conj().resolve_neg().numpy()

    def from_host(self, data: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None) -> Any:
        if copy or not hasattr(data, "__array_interface__"):
            return xp.asarray(data, dtype=dtype, device=device, copy=copy)
        if any(stride < 0 for stride in getattr(data, "strides", ())):
            data = data.copy()  # torch knows no negative strides
        return torch.as_tensor(data, dtype=dtype, device=device)

    def random(self, kind: str, shape: tuple[int, ...], dtype: Any, device: Any, **params: Any) -> Any:
        if _fake_mode() is not None:
            raise Untraceable("it draws random numbers, which would be others in the forward and in the backward pass")
        if kind == "integers":
            return torch.randint(params["low"], params["high"], shape, dtype=dtype, device=device)
        return (torch.randn if kind == "normal" else torch.rand)(shape, dtype=dtype, device=device)

    def manual_seed(self, seed: int) -> None:
        torch.manual_seed(seed)

    def random_state(self) -> Any:
        return torch.get_rng_state(), torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []

    def set_random_state(self, state: Any) -> None:
        host, devices = state
        torch.set_rng_state(host)
        if devices:
            torch.cuda.set_rng_state_all(devices)

    def synchronize(self, *arrays: Any) -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()


BACKEND = TorchBackend()
