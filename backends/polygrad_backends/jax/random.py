"""Random numbers by JAX's keys: one key for everything computed at once, and one inside each trace that has been given a seed."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

import jax
import numpy as np

from polygrad.errors import GeneratorNeeded

from .tracing import Tracing

_TRACED_KEY: ContextVar[Any] = ContextVar("polygrad_jax_key", default=(None, None))
"""The random key inside a trace, and the trace that it belongs to."""

_OUTSIDE = (
    "random numbers inside jax.jit: polygrad's generator is outside of the traced function, so that every call would give the same "
    "numbers. Call polygrad.manual_seed(seed) inside, with a seed that is an argument of the function; or use polygrad.jit, which hands "
    "the generator in and out; or draw the numbers outside"
)


class Random(Tracing):
    """The part of a backend that draws random numbers."""

    def __init__(self) -> None:
        super().__init__()
        self._key: Any = None

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
