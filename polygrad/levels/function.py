"""User-defined nodes: ``Function``, with the context that its methods share. How one is run, level by level, is in ``user_function``."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from ..core import modes
from ..core.graph import Node
from ..core.record import new_node
from ..core.tensor import Tensor, constant, continued, edge_of
from ..errors import ArgumentError, GraphError, NoDerivativeError

F = TypeVar("F", bound=Callable[..., Any])


class FunctionCtx:
    """Context that ``forward`` fills for ``backward`` and ``jvp``; any attribute may be set on it."""

    needs_input_grad: tuple[bool, ...] = ()
    """One for each argument of ``forward``: whether its gradient is wanted."""
    to_save: tuple[Tensor | None, ...] = ()
    saved_for_forward: tuple[Tensor | None, ...] = ()
    non_differentiable: tuple[Tensor, ...] = ()
    dirty_tensors: tuple[Tensor, ...] = ()
    materialize_grads = True
    _saved: Callable[[], tuple[Tensor | None, ...]] | None = None

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep Tensors (or None) for ``backward``, which finds them in ``saved_tensors``; they are freed with the graph."""
        self.to_save = _savable("save_for_backward", tensors)

    def save_for_forward(self, *tensors: Tensor | None) -> None:
        """Keep Tensors (or None) for ``jvp``, which finds them in ``saved_tensors``."""
        self.saved_for_forward = _savable("save_for_forward", tensors)

    def mark_dirty(self, *args: Tensor) -> None:
        """Say which arguments ``forward`` has changed in place; each has to be returned as an output."""
        self.dirty_tensors = args

    def mark_non_differentiable(self, *args: Tensor) -> None:
        """Say which outputs have no gradient; ``backward`` receives zeros for them."""
        self.non_differentiable = args

    def set_materialize_grads(self, value: bool) -> None:
        """Set whether ``backward`` and ``jvp`` receive zeros (default) or None where there is no gradient or tangent."""
        self.materialize_grads = bool(value)

    @property
    def saved_tensors(self) -> tuple[Tensor | None, ...]:
        """The saved Tensors, with their history.

        Raises:
            GraphError: they have been freed by a backward pass without ``retain_graph``.
        """
        return () if self._saved is None else self._saved()


def _savable(where: str, tensors: tuple[Any, ...]) -> tuple[Tensor | None, ...]:
    for i, tensor in enumerate(tensors):
        if tensor is not None and not isinstance(tensor, Tensor):
            raise ArgumentError(
                f"{where} can only save variables, but argument {i} is of type {type(tensor).__name__}; keep anything else as an "
                f"attribute, ctx.name = value"
            )
    return tensors


class Function:
    """Base of operations with a derivative of the user's own.

    A subclass has static methods: ``forward(ctx, *args)``, or ``forward(*args)`` with ``setup_context(ctx, inputs, output)``;
    ``backward(ctx, *grad_outputs)`` (or ``vjp``, the same by another name), returning one gradient or None for each argument of
    ``forward``; and for forward mode ``jvp(ctx, *tangents)``, returning one tangent or None for each output. It is called as
    ``MyFunction.apply(*args)``.

        class Cube(Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x**3

            @staticmethod
            def backward(ctx, g):
                (x,) = ctx.saved_tensors
                return g * 3 * x**2

    ``forward`` receives Tensors, records nothing, and runs once, whatever transforms its arguments are in. What ``backward`` does
    is recorded when the gradient is itself to be differentiated.
    """

    generate_vmap_rule = False
    """True if ``func.vmap`` may run ``forward``, ``backward`` and ``jvp`` as they are on a batch: that is so if they consist of
    operations of polygrad. Otherwise it needs ``vmap``."""

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Compute the output: a Tensor, or a tuple of Tensors and whatever else."""
        raise _not_implemented("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """Fill the context after ``forward``, where that does not take it itself."""
        raise _not_implemented("setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """The gradients of the arguments, given those of the outputs."""
        raise _not_implemented(
            "You must implement either the backward or vjp method for your custom autograd.Function to use it with backward mode AD."
        )

    vjp = backward
    """Another name for ``backward``."""

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:
        """The tangents of the outputs, given those of the arguments."""
        raise _not_implemented(
            "You must implement the jvp function for custom autograd.Function to use it with forward mode AD."
        )

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], *args: Any) -> Any:
        """The outputs for batched arguments, and the axes that are the batch in each: see ``polygrad.func.vmap``."""
        raise _not_implemented(
            "You must implement the vmap function (or set generate_vmap_rule) to use it with func.vmap."
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise GraphError(
            f"{type(self).__name__}: Legacy autograd function with non-static forward method is deprecated. Please use new-style "
            f"autograd function with static forward method: call {type(self).__name__}.apply(...)"
        )

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run ``forward`` and record the operation. Arguments that are no Tensors are passed on as they are."""
        raise NotImplementedError  # ``user_function`` puts its own here


def _not_implemented(text: str) -> NoDerivativeError:
    return NoDerivativeError(text)


def positional(function: type[Function], args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """The arguments of a call by position, defaults included, as ``setup_context`` and ``backward`` count them."""
    combined = function.setup_context is Function.setup_context
    signature = inspect.signature(function.forward)
    bound = signature.bind(None, *args, **kwargs) if combined else signature.bind(*args, **kwargs)
    bound.apply_defaults()
    if bound.kwargs:
        raise ArgumentError(
            f"{function.__name__}.apply: forward has keyword-only parameters ({', '.join(bound.kwargs)}), which have no place among the "
            f"gradients that backward returns; make them positional"
        )
    return bound.args[1:] if combined else bound.args


# -- derivatives that cannot be differentiated -------------------------------------------------------------------------
class DelayedError(Node):
    """Stands behind a result that may be used, but not differentiated: ``static`` is the text of the error."""

    __slots__ = ()

    def pull(self, xp: Any, g: Any, edges: tuple[Any, ...], saved: tuple[Any, ...]) -> Sequence[Any]:
        raise GraphError(self.static)


def once_differentiable(function: F) -> F:
    """Decorates a ``backward`` whose result must not be differentiated: it records nothing, and asking for a second derivative raises.

    It raises also where the gradient that came in is a constant, so that no second derivative is silently incomplete.
    """

    @functools.wraps(function)
    def wrapper(ctx: Any, *args: Any) -> Any:
        recording = modes.is_grad_enabled()
        with modes.no_grad():
            result = function(ctx, *args)
        if not recording:
            return result
        several = isinstance(result, (tuple, list))
        out: list[Any] = []
        for part in result if several else [result]:
            if isinstance(part, Tensor):
                edges = [edge_of(arg) for arg in (*args, *ctx.saved_tensors) if isinstance(arg, Tensor)]
                text = f"trying to differentiate twice a function that was marked with @once_differentiable: {function.__qualname__}"
                node = new_node(DelayedError, part._frame, edges, (), text)
                part = constant(part._data, part._frame) if not node.edges else continued(part._data, part._frame, node)
            out.append(part)
        return tuple(out) if several else out[0]

    return wrapper  # type: ignore[return-value]
