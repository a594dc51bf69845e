"""JAX. Its arrays cannot be written, so assignment and accumulation are functional; float64 needs JAX's own x64 flag."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

import jax
import jax.extend.core
import jax.numpy as xp
import jax.scipy.special
import numpy as np
from jax.interpreters.partial_eval import DynamicJaxprTracer

from polygrad.backend import DTYPE_NAMES, Backend, scipy_special
from polygrad.batching import Batched
from polygrad.errors import (
    ArgumentError,
    BackendError,
    DtypeError,
    GeneratorNeeded,
    GraphError,
    UnsupportedError,
    describe,
)
from polygrad.forward import Dual
from polygrad.graph import LEAF
from polygrad.program import Constant
from polygrad.rules.declare import OPS, front_axes
from polygrad.tensor import Tensor, constant


def getitem_adjoint(x: Any, *, key: Any, shape: tuple[int, ...]) -> Any:
    """Zeros of ``shape`` with ``x`` added at ``key``, every duplicate counted."""
    return xp.zeros(shape, dtype=x.dtype).at[_key(key)].add(x)


def set_at(x: Any, value: Any, /, *, key: Any) -> Any:
    """``x`` with ``value`` at ``key``."""
    _in_range(x, key)
    if _is_mask(key) and getattr(value, "ndim", 0) == 0:
        mask = xp.reshape(key, key.shape + (1,) * (x.ndim - key.ndim))
        return xp.where(mask, xp.asarray(value, dtype=x.dtype), x)  # also under jit, where a mask cannot select
    return x.at[_key(key)].set(value)


def getitem(x: Any, *, key: Any) -> Any:
    """``x[key]``."""
    _in_range(x, key)
    for part in key if isinstance(key, tuple) else (key,):
        if isinstance(part, jax.core.Tracer) and _is_mask(part) and part.ndim:
            raise UnsupportedError(
                "x[mask] inside jax.jit (or vmap, ...): the shape of the result depends on values, which JAX does not know while it "
                "traces. Keep the shape: polygrad.where(mask, x, 0), or y[mask] = number, which becomes a where"
            )
    return x[_key(key)]


def logcumsumexp(x: Any, *, axis: int) -> Any:
    """The running sum of exponentials, as a logarithm; JAX has it for real numbers only."""
    if x.ndim == 0 or xp.iscomplexobj(x):
        return OPS["logcumsumexp"].default(BACKEND.raw, x, axis=axis)  # type: ignore[misc]
    return jax.lax.cumlogsumexp(x, axis=axis % x.ndim)


def permute_dims(x: Any, /, axes: tuple[int, ...]) -> Any:
    """The axes in that order; JAX's function of the standard's name takes none that counts from the end."""
    return xp.transpose(x, front_axes(axes, x.shape))


def _in_range(x: Any, key: Any) -> None:
    """Raise for an integer out of range, which JAX would move into the range."""
    keys = key if isinstance(key, tuple) else (key,)
    axis = 0
    for i, part in enumerate(keys):
        if part is Ellipsis:
            axis = x.ndim - sum(_axes(later) for later in keys[i + 1 :])
            continue
        if type(part) is int and axis < x.ndim and not -x.shape[axis] <= part < x.shape[axis]:
            raise IndexError(f"index {part} is out of bounds for axis {axis} with size {x.shape[axis]}")
        axis += _axes(part)


def _axes(part: Any) -> int:
    return 0 if part is None else part.ndim if _is_mask(part) else 1


def _is_mask(key: Any) -> bool:
    return bool(getattr(key, "dtype", None) == xp.bool_)


def _key(key: Any) -> Any:
    """A key as JAX takes it: lists have to be arrays."""
    if isinstance(key, tuple):
        return tuple(_key(part) for part in key)
    return xp.asarray(key) if isinstance(key, list) else key


def _is_complex(x: Any) -> bool:
    return getattr(getattr(x, "dtype", None), "kind", "") == "c"


_SPECIAL = {
    name: name for name in (
        "betainc", "boxcox", "boxcox1p", "dawsn", "digamma", "entr", "erf", "erfc", "erfinv", "exp1",
        "expi", "expit", "expn", "fresnel", "gamma", "gammainc", "gammaincc", "gammaln", "gammasgn", "hyp1f1", "hyp2f1", "i0",
        "i0e", "i1", "i1e", "kl_div", "log_ndtr", "loggamma", "logit", "multigammaln", "ndtr", "ndtri", "owens_t", "poch",
        "polygamma", "rel_entr", "sici", "spence", "wofz", "xlog1py", "xlogy", "zeta",
    )
}  # fmt: skip
"""Functions of ``scipy.special`` that JAX has, and their names there. Left out are ``beta`` and ``betaln``, with errors of 1e-7 in double
precision, and ``erfcx``, which is 0 for large arguments."""
_SPECIAL["psi"] = "digamma"


def _incomplete_gamma(function: Any, at_zero: float, at_infinity: float) -> Any:
    """``gammainc`` or ``gammaincc`` with SciPy's limits for a = 0 and a = ∞, where JAX has nan, or a number for what is undefined."""

    def run(a: Any, x: Any) -> Any:
        zero, infinite = a == 0, a == xp.inf
        inside = function(xp.where(zero | infinite, 1, a), x)
        out = xp.where(zero, xp.where(x > 0, at_zero, xp.nan), inside)
        return xp.where(infinite, xp.where((x >= 0) & (x < xp.inf), at_infinity, xp.nan), out)

    return jax.jit(run)


def _owens_t(h: Any, a: Any) -> Any:
    """In the precision of the arguments, where JAX returns float64."""
    return jax.scipy.special.owens_t(h, a).astype(xp.result_type(h, a, 1.0))


_NATIVE = {
    **{name: getattr(jax.scipy.special, target) for name, target in _SPECIAL.items()},
    "gammainc": _incomplete_gamma(jax.scipy.special.gammainc, 1.0, 0.0),
    "gammaincc": _incomplete_gamma(jax.scipy.special.gammaincc, 0.0, 1.0),
    "owens_t": _owens_t,
}

with jax.ensure_compile_time_eval():
    EAGER = jax.extend.core.get_opaque_trace_state()
"""The state in which JAX traces nothing."""
_PLAIN = frozenset(map(np.dtype, DTYPE_NAMES))
"""The dtypes of NumPy arrays that JAX takes over as they are."""
_TRACED_KEY: ContextVar[Any] = ContextVar("polygrad_jax_key", default=(None, None))
"""The random key inside a trace, and the trace that it belongs to."""


_BY_ARGUMENT = {
    **dict.fromkeys(
        ("in_shardings", "out_shardings"),
        "Place the arrays, jax.device_put(array, sharding), and computation follows them; inside, jax.lax.with_sharding_constraint",
    ),
    **dict.fromkeys(("donate_argnums", "donate_argnames"), "Use jax.jit itself, through which Tensors go as pytrees"),
}
"""Options of ``jax.jit`` that would mean something else here, and what to do instead."""
_OUTSIDE = (
    "random numbers inside jax.jit: polygrad's generator is outside of the traced function, so that every call would give the same "
    "numbers. Call polygrad.manual_seed(seed) inside, with a seed that is an argument of the function; or use polygrad.jit, which hands "
    "the generator in and out; or draw the numbers outside"
)


class JaxBackend(Backend):
    """JAX arrays and, under ``jax.jit`` and its kin, tracers."""

    name = "jax"
    traces = True
    mutable = False
    compiles = True
    traces_numbers = True
    install = "pip install jax"
    xp = xp
    overrides = {  # noqa: RUF012
        "contract_pair": lambda x1, x2, *, equation: xp.einsum(equation, x1, x2),
        "getitem": getitem,
        "getitem_adjoint": getitem_adjoint,
        "logcumsumexp": logcumsumexp,
        "permute_dims": permute_dims,
        "set_at": set_at,
        "to_device": jax.device_put,
    }

    others = frozenset({"trapezoid"})  # JAX's wants at least one point

    def __init__(self) -> None:
        super().__init__()
        self._key: Any = None

    def owns(self, kind: type) -> bool:
        return issubclass(kind, jax.Array) or issubclass(kind, jax.core.Tracer)

    def canonical(self, dtype: Any) -> Any:
        return np.dtype(dtype)

    def dtype(self, spec: Any) -> Any:
        dtype = super().dtype(spec)
        if dtype in (np.float64, np.complex128) and not jax.config.jax_enable_x64:
            raise DtypeError(
                f"jax has no {dtype} while its x64 mode is off; switch it on before the first array is made: "
                f"jax.config.update('jax_enable_x64', True), or set JAX_ENABLE_X64=1"
            )
        return dtype

    def default_dtype(self, kind: str, device: Any = None) -> Any:
        wide = {"bool": "bool", "integral": "int64", "real floating": "float64", "complex floating": "complex128"}
        return np.dtype(jax.dtypes.canonicalize_dtype(wide[kind]))

    def devices(self) -> tuple[str, ...]:
        return tuple(str(device) for device in jax.devices())

    def device(self, spec: Any) -> Any:
        if not isinstance(spec, str):
            return spec
        platform, _, index = spec.partition(":")
        try:
            return jax.devices(platform)[int(index or 0)]
        except (RuntimeError, IndexError, ValueError) as error:
            raise self.no_device(spec) from error

    def device_of(self, array: Any) -> Any:
        try:
            return array.device
        except Exception:  # a tracer is on no device yet
            return None

    def add_at(self, buffer: Any, key: Any, value: Any) -> Any:
        return buffer.at[_key(key)].add(value)

    def own(self, array: Any, alias: bool) -> Any:
        return array

    def special(self, name: str) -> Any:
        if name not in _NATIVE:
            return None
        native = _NATIVE[name]
        function = scipy_special(name)
        if name == "zeta" and function is None:
            return lambda x, q=None: native(x, 1.0 if q is None else q)
        if function is None or name in ("expit", "wofz"):
            return native
        host = self.on_host(function)
        if name == "zeta":  # of one argument it goes on to the left of 1, and JAX has the sum over q + n alone
            return lambda x, q=None: host(x) if q is None else (host if _is_complex(x) else native)(x, q)
        # JAX has most of them for real arguments only
        return lambda *args, **params: (host if any(map(_is_complex, args)) else native)(*args, **params)

    def on_host(self, function: Any) -> Any:
        """At once for concrete arrays; as a callback under ``jax.jit`` and its kin."""
        at_once = super().on_host(function)

        def run(*args: Any, **params: Any) -> Any:
            if not any(isinstance(arg, jax.core.Tracer) for arg in args):
                return at_once(*args, **params)
            dtypes = [arg.dtype for arg in args if hasattr(arg, "dtype")]
            shape = np.broadcast_shapes(*[np.shape(arg) for arg in args])
            # The function itself says, on arrays without elements, how many outputs it has and of what dtype.
            empty = function(*[np.empty(0, arg.dtype) if hasattr(arg, "dtype") else arg for arg in args], **params)
            several = type(empty) is tuple
            parts = empty if several else (empty,)
            kinds = [self._narrow(part, dtypes) or part.dtype for part in parts]

            def compute(*values: Any) -> Any:
                out = function(*[np.asarray(v) if hasattr(v, "dtype") else v for v in values], **params)
                return tuple([np.asarray(o, kind) for o, kind in zip(out if several else (out,), kinds, strict=True)])

            structs = tuple([jax.ShapeDtypeStruct(shape, kind) for kind in kinds])
            out = jax.pure_callback(compute, structs, *args, vmap_method="broadcast_all")
            return tuple(out) if several else out[0]

        return run

    def concrete(self, array: Any) -> bool:
        return not isinstance(array, jax.core.Tracer)

    def from_host(self, data: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None) -> Any:
        if dtype is None and getattr(data, "dtype", None) in (np.float64, np.complex128):
            dtype = self.dtype(data.dtype)  # which raises where JAX would make it float32
        plain = isinstance(data, np.ndarray) and data.dtype in _PLAIN and dtype in (None, data.dtype)
        if (
            plain
            and copy is not False
            and jax.dtypes.canonicalize_dtype(data.dtype) == data.dtype
            and self.scope() is None
        ):
            # asarray would compile a function that copies, for each shape. JAX may keep the memory that it gets here.
            return jax.device_put(np.array(data, order="C"), device)
        return super().from_host(data, dtype=dtype, device=device, copy=copy)

    def to_host(self, array: Any) -> Any:
        return array.tolist()

    def numpy(self, array: Any) -> Any:
        return np.asarray(array)

    def random(self, kind: str, shape: tuple[int, ...], dtype: Any, device: Any, **params: Any) -> Any:
        key = self._next_key()
        if kind == "integers":
            out = jax.random.randint(key, shape, params["low"], params["high"], dtype=dtype)
        else:
            out = (jax.random.normal if kind == "normal" else jax.random.uniform)(key, shape, dtype=dtype)
        return jax.device_put(out, device) if device is not None else out

    def _next_key(self) -> Any:
        key, scope = _TRACED_KEY.get()
        if scope is not None and scope == self.scope():
            following, key = jax.random.split(key)
            _TRACED_KEY.set((following, scope))
            return key
        following, key = jax.random.split(self._eager_key())
        if isinstance(following, jax.core.Tracer):
            raise GeneratorNeeded(_OUTSIDE)
        self._key = following
        return key

    def _eager_key(self) -> Any:
        if self._key is None:
            with jax.ensure_compile_time_eval():
                self._key = jax.random.key(int(np.random.default_rng().integers(2**31)))
        return self._key

    def manual_seed(self, seed: int) -> None:
        self._seed(jax.random.key(seed))

    def _seed(self, key: Any) -> None:
        scope = self.scope()
        if scope is None:
            self._key = key
        else:  # inside a trace, for the rest of it
            _TRACED_KEY.set((key, scope))

    # -- compiling and tracing ----------------------------------------------------------------------------------------------
    def jit(self, function: Any, **options: Any) -> Any:
        for name in options:
            if name in _BY_ARGUMENT:
                raise ArgumentError(
                    f"jit: {name} goes by the arguments of the function that jax.jit gets, and polygrad.jit gives it one of flat arrays. "
                    + _BY_ARGUMENT[name]
                )
        return jax.jit(function, **options)

    def generator(self) -> Any:
        key, scope = _TRACED_KEY.get()
        if scope is None or scope != self.scope():
            if self.scope() is not None:
                raise GeneratorNeeded(_OUTSIDE)
            key = self._eager_key()
        return jax.random.key_data(key)

    def set_generator(self, state: Any) -> None:
        self._seed(jax.random.wrap_key_data(state))

    def random_state(self) -> Any:
        return self._key, _TRACED_KEY.get()

    def set_random_state(self, state: Any) -> None:
        self._key, traced = state
        _TRACED_KEY.set(traced)

    def scope(self) -> Any:
        state = jax.extend.core.get_opaque_trace_state()
        return None if state == EAGER else state

    def is_number(self, array: Any) -> bool:
        return bool(getattr(array, "weak_type", False)) and array.ndim == 0

    def leaks(self, old: Any, new: Any, scope: Any, leaf: bool) -> bool:
        if not isinstance(new, jax.core.Tracer) or getattr(old, "_trace", None) is new._trace:
            return False
        # jax.vmap and jax.grad compute on what is no tracer at once, so there a Tensor from inside may have a plain array too;
        # where a leaf comes from is written down, so that it can be told apart.
        if not leaf and not isinstance(new, DynamicJaxprTracer):
            return False
        return bool(scope != self.scope())

    def synchronize(self, *arrays: Any) -> None:
        jax.block_until_ready(arrays if arrays else xp.zeros(()))


BACKEND = JaxBackend()


# -- a Tensor is a pytree -----------------------------------------------------------------------------------------
def _flatten(tensor: Tensor) -> tuple[tuple[Any], bool]:
    """The payload, and whether the Tensor requires grad."""
    frame = tensor._frame
    if frame.backend is not BACKEND:
        raise BackendError(
            f"a Tensor on the backend {tensor.backend!r} ({describe(tensor)}) cannot go through a JAX transformation; move it first: "
            f"x.to_backend('jax')"
        )
    if frame.level or type(tensor) is not Tensor or not tensor.is_leaf:
        raise GraphError(
            f"a Tensor with a history ({describe(tensor)}) cannot go through a JAX transformation, which would cut it from its graph "
            f"silently. Use x.detach() for its values alone, or polygrad.jit, which keeps the graph"
        )
    return (tensor._data,), tensor._node is LEAF


def _unflatten(requires_grad: bool, leaves: Any) -> Tensor:
    out = constant(leaves[0], BACKEND.frame())  # which may be anything: JAX puts placeholders in
    if requires_grad:
        out._node = LEAF
        scope = BACKEND.scope()
        if scope is not None:
            out._own_extra().scope = scope
    return out


jax.tree_util.register_pytree_node(Constant, lambda box: ((), box.value), lambda value, _: Constant(value))
for _kind in (Tensor, Dual, Batched):
    jax.tree_util.register_pytree_node(_kind, _flatten, _unflatten)
