"""``grad``, with one cotangent or a batch of them."""

from __future__ import annotations

from typing import Any

from ..core.tensor import Tensor
from ..engine import start
from ..errors import ArgumentError
from ..func.mapping import vmap


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """Return the gradients of ``outputs`` with respect to ``inputs``; no ``grad`` is touched.

    Parameters
    ----------
    outputs
        A Tensor or several.
    inputs
        A Tensor or several, leaves or not.
    grad_outputs
        The cotangent of each output; None for scalars.
    retain_graph
        Keep what the graph has saved. The default is ``create_graph``.
    create_graph
        Record the gradient computation itself, for derivatives of higher order.
    allow_unused
        Give None for an input that the outputs do not depend on, instead of an error.
    is_grads_batched
        The cotangents have one more axis in front, and so have the gradients: one for each entry along it, computed together by
        ``func.vmap``.
    materialize_grads
        Give zeros for an input that the outputs do not depend on.

    Returns
    -------
    tuple of Tensor
        One for each input, of its shape and dtype.

    Raises
    ------
    GraphError
        An input or output does not require grad, an input is unused, or the graph has been freed.
    """
    options: dict[str, Any] = {
        "retain_graph": retain_graph,
        "create_graph": create_graph,
        "allow_unused": allow_unused,
        "materialize_grads": materialize_grads,
    }
    if not is_grads_batched:
        return start.grad(outputs, inputs, grad_outputs, **options)
    gradients = [] if grad_outputs is None else start.as_list(grad_outputs, "grad")
    given = [i for i, g in enumerate(gradients) if g is not None]
    if not given:
        raise ArgumentError("grad: is_grads_batched=True needs grad_outputs, with the batch along their first axis")

    def one(*cotangents: Any) -> tuple[Tensor | None, ...]:
        full = list(gradients)
        for i, g in zip(given, cotangents, strict=True):
            full[i] = g
        return start.grad(outputs, inputs, full, **options)

    found: tuple[Tensor | None, ...] = vmap(one)(*[gradients[i] for i in given])
    return found
