"""Everything that is needed to add operations and array libraries to polygrad.

**An operation** is one declaration: its signature, its derivative, how to compute it where the array library lacks it (``default``), how
it runs on a batch (``batch``), and which methods of Tensor call it (``methods``). With that it is differentiable in both modes and to any
order, on every backend, works under ``vmap``, ``jit`` and the other transforms, and is there as ``polygrad.<name>`` and in the
namespaces. Derivatives are written against ``xp``, the namespace of the array library or, where the gradient is itself recorded,
polygrad's own (``RuleNamespace``). What a derivative names in its signature is what a node keeps for it.

An operation on each element takes its partial derivatives. The other forms are ``linear`` (a transpose), ``bilinear`` (two transposes),
``rule`` (both modes), ``constant`` (no derivative) and ``composite`` (made of other operations); ``Op`` lists their options.

    >>> import polygrad
    >>> from polygrad import extend
    >>> softsign = extend.elementwise(
    ...     "softsign",
    ...     lambda xp, x: 1 / (1 + xp.abs(x)) ** 2,
    ...     default=lambda xp, x: x / (1 + xp.abs(x)),
    ...     methods="softsign softsign_",
    ... )
    >>> x = polygrad.tensor([1.0, -3.0], requires_grad=True)
    >>> x.softsign().sum().backward()
    >>> x.grad
    tensor([0.2500, 0.0625])

This one works along an axis: the unit vectors of some vectors. Its Jacobian is symmetric, so one function serves both modes, and its
batching rule is that of all operations along one axis (``batching`` has those that many operations share).

    >>> def project(xp, t, x, out, *, axis):
    ...     along = xp.sum(t * out, axis=axis, keepdims=True)
    ...     return (t - out * along) / xp.linalg.vector_norm(x, axis=axis, keepdims=True)
    >>> unit = extend.rule(
    ...     "unit(x, /, *, axis=-1)",
    ...     vjp=project,
    ...     jvp=project,
    ...     default=lambda xp, x, *, axis: x / xp.linalg.vector_norm(x, axis=axis, keepdims=True),
    ...     batch=extend.batching.along,
    ...     methods="unit",
    ...     by_position=("axis",),
    ... )
    >>> rows = polygrad.tensor([[3.0, 4.0], [0.0, 2.0]])
    >>> polygrad.func.vmap(polygrad.unit)(rows)
    tensor([[0.6000, 0.8000],
            [0.0000, 1.0000]])
    >>> polygrad.func.jvp(polygrad.unit, (rows[0],), (polygrad.tensor([1.0, 0.0]),))[1]
    tensor([ 0.1280, -0.0960])

A function that polygrad should not see inside (a solver, a call of another program) is better a ``polygrad.autograd.Function``, or a
function with ``polygrad.func.custom_vjp`` or ``custom_jvp``.

**A batching rule** of your own is called as ``rule(run, arrays, mapped, params)``. It calls the operation once, with ``run``, on arrays
that have the batch as their first axis where ``mapped`` says so; ``rules/vmap/alignment.py`` describes it. ``align``, ``pad_rank``,
``shift_axes`` and the others bring arrays and axes into place. A rule returns ``NotImplemented`` for a call that has to run in a loop.

**An array library** that follows the Array API standard needs nothing. ``Backend`` is the place for what it does better than the defaults:
subclass it, fill in ``overrides``, ``owns`` and the like, and give an instance to ``register_backend``, or name it in the entry points
``polygrad.backends`` of a package. ``docs/backends.md`` has an example. An override of an operation takes and returns raw arrays:

    class ToyBackend(extend.Backend):
        overrides = {"softsign": toyarray.softsign}

        def owns(self, kind):
            return kind is toyarray.Array

    extend.register_backend(ToyBackend("toyarray", toyarray))

**A transform** that combines those of ``polygrad.func`` is a function like any other. One that gives operations a new meaning opens a
level (``with new_level() as level:``) and passes the function Tensors of a class of its own, whose payloads are the Tensors of the levels
below. The class says in ``_run_call(call, args, top)`` how its level runs a ``Call``, which is an operation or whatever else can be
differentiated. ``levels/dual.py``, forward mode, is the example to follow.
"""

from __future__ import annotations

from .backend.base import Backend
from .backend.frame import Level
from .backend.interface import RuleNamespace
from .backend.select import BackendInfo, backend_of, backends, get_backend, register_backend
from .core.graph import Node
from .core.tensor import Tensor
from .levels.call import Call
from .levels.level import adopt, new_level, unwrap, wrap
from .rules.declare import OPS, Op, applied, bilinear, composite, constant, elementwise, linear, rule
from .rules.helpers import (
    adjoint,
    broadcast_shapes,
    cast,
    conj,
    device_of,
    fit,
    front_axes,
    front_axis,
    is_complex,
    real,
    slice_axis,
)
from .rules.vmap import forms as batching
from .rules.vmap.alignment import (
    DECOMPOSE,
    Mapped,
    Run,
    add_batch,
    align,
    example_ndim,
    flatten_examples,
    pad_rank,
    shift_axes,
)

__all__ = [
    "DECOMPOSE",
    "OPS",
    "Backend",
    "BackendInfo",
    "Call",
    "Level",
    "Mapped",
    "Node",
    "Op",
    "RuleNamespace",
    "Run",
    "Tensor",
    "add_batch",
    "adjoint",
    "adopt",
    "align",
    "applied",
    "backend_of",
    "backends",
    "batching",
    "bilinear",
    "broadcast_shapes",
    "cast",
    "composite",
    "conj",
    "constant",
    "device_of",
    "elementwise",
    "example_ndim",
    "fit",
    "flatten_examples",
    "front_axes",
    "front_axis",
    "get_backend",
    "is_complex",
    "linear",
    "new_level",
    "pad_rank",
    "real",
    "register_backend",
    "rule",
    "shift_axes",
    "slice_axis",
    "unwrap",
    "wrap",
]
