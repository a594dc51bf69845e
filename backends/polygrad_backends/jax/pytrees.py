"""Register Tensor as a pytree, so that it goes through JAX's transformations."""

from __future__ import annotations

import functools
from typing import Any

import jax

from polygrad.backend import Backend
from polygrad.compiler.program import Constant
from polygrad.core.graph import LEAF
from polygrad.core.tensor import Tensor, constant
from polygrad.errors import BackendError, GraphError, describe
from polygrad.levels.batched import Batched
from polygrad.levels.dual import Dual


def _flatten(tensor: Tensor) -> tuple[tuple[Any], bool]:
    """Return the payload, and whether the Tensor requires grad."""
    frame = tensor._frame
    if frame.backend.name != "jax":
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


def _unflatten(backend: Backend, requires_grad: bool, leaves: Any) -> Tensor:
    out = constant(leaves[0], backend.frame())  # it may be anything, since JAX puts placeholders in
    if requires_grad:
        out._node = LEAF
        scope = backend.scope()
        if scope is not None:
            out._own_extra().scope = scope
    return out


def register(backend: Backend) -> None:
    """Tell JAX, once, how to take Tensors apart and put them together."""
    jax.tree_util.register_pytree_node(Constant, lambda box: ((), box.value), lambda value, _: Constant(value))
    for kind in (Tensor, Dual, Batched):
        jax.tree_util.register_pytree_node(kind, _flatten, functools.partial(_unflatten, backend))
