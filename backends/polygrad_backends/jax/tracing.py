"""Functions that run under ``jax.jit``, ``jax.vmap`` and ``jax.grad``, where arrays are tracers, none of which may get out."""

from __future__ import annotations

from typing import Any

import jax
import jax.extend.core
import numpy as np
from jax.interpreters.partial_eval import DynamicJaxprTracer

from polygrad.backend import Backend
from polygrad.errors import ArgumentError

with jax.ensure_compile_time_eval():
    EAGER = jax.extend.core.get_opaque_trace_state()
"""The state in which JAX traces nothing."""

_BY_ARGUMENT = {
    **dict.fromkeys(
        ("in_shardings", "out_shardings"),
        "Place the arrays, jax.device_put(array, sharding), and computation follows them; inside, jax.lax.with_sharding_constraint",
    ),
    **dict.fromkeys(("donate_argnums", "donate_argnames"), "Use jax.jit itself, through which Tensors go as pytrees"),
}
"""Options of ``jax.jit`` that would mean something else here, with the way to do it instead."""


class Tracing(Backend):
    """The part of a backend that compiles and recognises tracers."""

    traces = True
    compiles = True
    traces_numbers = True

    def jit(self, function: Any, **options: Any) -> Any:
        for name in options:
            if name in _BY_ARGUMENT:
                raise ArgumentError(
                    f"jit: {name} goes by the arguments of the function that jax.jit gets, and polygrad.jit gives it one of flat arrays. "
                    + _BY_ARGUMENT[name]
                )
        return jax.jit(function, **options)

    def scope(self) -> Any:
        state = jax.extend.core.get_opaque_trace_state()
        return None if state == EAGER else state

    def concrete(self, array: Any) -> bool:
        return not isinstance(array, jax.core.Tracer)

    def is_number(self, array: Any) -> bool:
        return bool(getattr(array, "weak_type", False)) and array.ndim == 0

    def leaks(self, old: Any, new: Any, scope: Any, leaf: bool) -> bool:
        if not isinstance(new, jax.core.Tracer) or getattr(old, "_trace", None) is new._trace:
            return False
        # jax.vmap and jax.grad compute at once on arrays that are no tracers, so a Tensor from inside may have a plain array too.
        # The origin of a leaf is written down, so that it can be told apart.
        if not leaf and not isinstance(new, DynamicJaxprTracer):
            return False
        return bool(scope != self.scope())

    def on_host(self, function: Any) -> Any:
        """Run a function of NumPy arrays at once on concrete arrays, and as a callback under ``jax.jit`` and its kin."""
        at_once = super().on_host(function)

        def run(*args: Any, **params: Any) -> Any:
            if not any(isinstance(arg, jax.core.Tracer) for arg in args):
                return at_once(*args, **params)
            dtypes = [arg.dtype for arg in args if hasattr(arg, "dtype")]
            shape = np.broadcast_shapes(*[np.shape(arg) for arg in args])
            # A run on arrays without elements tells how many outputs the function has and of what dtype.
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
