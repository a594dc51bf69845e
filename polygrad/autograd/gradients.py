"""``backward`` and ``grad``: the two ways to start a backward pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import engine, modes
from ..errors import ArgumentError, GraphError, describe
from ..graph import Node
from ..tensor import Tensor, constant, edge_of


def _listed(value: Any, what: str) -> list[Any]:
    if isinstance(value, Tensor) or value is None:
        return [value]
    if not isinstance(value, (list, tuple)):
        raise ArgumentError(f"{what}: expected a Tensor or a sequence of Tensors, got {describe(value)}")
    return list(value)


def _seed(output: Any, gradient: Any, where: str, create_graph: bool) -> Any:
    """The cotangent that the pass starts from: a payload, or a Tensor with ``create_graph``."""
    if not isinstance(output, Tensor):
        raise ArgumentError(f"{where}: expected Tensors, got {describe(output)}")
    if output._node is None:
        raise GraphError(
            f"{where}: element 0 of tensors does not require grad and does not have a grad_fn: {describe(output)}. Nothing that it was "
            f"computed from requires grad (or recording was off, or it was detached)"
        )
    frame = output._frame
    if gradient is None:
        if output.size != 1:
            raise GraphError(
                f"{where}: grad can be implicitly created only for scalar outputs, and this one has shape {tuple(output.shape)}; pass the "
                f"cotangent, y.backward(gradient), or reduce first, y.sum().backward()"
            )
        if output.is_complex():
            raise GraphError(
                f"{where}: grad can be implicitly created only for real scalar outputs but got {output.dtype}; pass the cotangent, "
                f"y.backward(gradient), or differentiate a real number, such as its real part or its absolute value"
            )
        seed = frame.raw.ones(output.shape, dtype=output.dtype, device=output.device)
        return constant(seed, frame) if create_graph else seed
    if not isinstance(gradient, Tensor):
        raise ArgumentError(
            f"{where}: gradient has to be a Tensor or None, got {describe(gradient)}; wrap it: polygrad.asarray(g)"
        )
    output._fits(where, "the gradient", gradient)
    if create_graph:
        return gradient
    return gradient._data if gradient._frame.level == frame.level else gradient


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Sequence[Tensor] | Tensor | None = None,
) -> None:
    """Add the gradients of ``tensors`` with respect to the leaves to ``grad`` of the leaves.

    Args:
        tensors: a Tensor or several.
        grad_tensors: their cotangents, each of the shape and dtype of its Tensor; None for scalars.
        retain_graph: keep what the graph has saved; default ``create_graph``.
        create_graph: record the gradient computation itself.
        inputs: accumulate into these alone (also Tensors that are no leaves).

    Raises:
        GraphError: a Tensor does not require grad, a cotangent is missing, or the graph has been freed.
        ShapeError, DtypeError, BackendError: a cotangent does not fit its Tensor.
    """
    outputs = _listed(tensors, "backward")
    gradients = [None] * len(outputs) if grad_tensors is None else _listed(grad_tensors, "backward")
    if len(gradients) != len(outputs):
        raise ArgumentError(
            f"backward: got {len(outputs)} tensors and {len(gradients)} gradients; there has to be one for each"
        )
    roots = [(edge_of(y), _seed(y, g, "backward", create_graph)) for y, g in zip(outputs, gradients, strict=True)]
    foreign = [g for _, g in roots]
    targets = None
    if inputs is not None:
        chosen = _listed(inputs, "backward")
        if not chosen:
            raise ArgumentError("backward: inputs is empty; leave it out to reach all leaves")
        for x in chosen:
            _wanted(x, "backward")
        targets = {edge_of(x): x for x in chosen}
    leaves, captured = _pass(roots, targets, retain_graph, create_graph)
    engine.finish_leaves(leaves, create_graph)
    if targets is not None:
        leaves = {leaf: g for leaf, g in leaves.items() if leaf in targets}
    engine.accumulate(leaves, create_graph, foreign)
    for edge, g in captured.items():
        engine.store(targets[edge], g, create_graph)  # type: ignore[index]


def _wanted(x: Any, where: str) -> None:
    if not isinstance(x, Tensor):
        raise ArgumentError(f"{where}: inputs have to be Tensors, got {describe(x)}")
    if x._node is None:
        raise GraphError(
            f"{where}: One of the differentiated Tensors does not require grad: {describe(x)}; call x.requires_grad_() first"
        )


def _pass(
    roots: Any, targets: Any, retain_graph: bool | None, create_graph: bool
) -> tuple[dict[Any, Any], dict[Any, Any]]:
    retain = create_graph if retain_graph is None else retain_graph
    needed = None if targets is None else engine.restrict([edge for edge, _ in roots], targets)
    captures = () if targets is None else [edge for edge in targets if isinstance(edge, Node)]
    options: dict[str, Any] = {"retain": retain, "create_graph": create_graph, "captures": captures, "needed": needed}
    if create_graph:
        with modes.enable_grad():
            return engine.run(roots, **options)
    return engine.run(roots, **options)


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool | None = None,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """The gradients of ``outputs`` with respect to ``inputs``; no ``grad`` is touched.

    Args:
        outputs: a Tensor or several.
        inputs: a Tensor or several, leaves or not.
        grad_outputs: cotangents of the outputs; None for scalars.
        retain_graph: keep what the graph has saved; default ``create_graph``.
        create_graph: record the gradient computation itself, for derivatives of higher order.
        allow_unused: an input that the outputs do not depend on gives None instead of an error.
        materialize_grads: such an input gives zeros.

    Returns:
        one Tensor for each input, of its shape and dtype.

    Raises:
        GraphError: an input or output does not require grad, an input is unused, or the graph has been freed.
    """
    if materialize_grads and allow_unused is False:
        raise ArgumentError(
            "grad: expected allow_unused to be True or not passed when materialize_grads=True, but got allow_unused=False"
        )
    ys, xs = _listed(outputs, "grad"), _listed(inputs, "grad")
    gradients = [None] * len(ys) if grad_outputs is None else _listed(grad_outputs, "grad")
    if len(gradients) != len(ys):
        raise ArgumentError(
            f"grad: got {len(ys)} outputs and {len(gradients)} grad_outputs; there has to be one for each"
        )
    for x in xs:
        _wanted(x, "grad")
    roots = [(edge_of(y), _seed(y, g, "grad", create_graph)) for y, g in zip(ys, gradients, strict=True)]
    targets = {edge_of(x): x for x in xs}
    leaves, captured = _pass(roots, targets, retain_graph, create_graph)
    engine.finish_leaves(leaves, create_graph)
    found = {**leaves, **captured}
    results: list[Tensor | None] = []
    for i, x in enumerate(xs):
        g = found.get(edge_of(x))
        if g is None and not (allow_unused or materialize_grads):
            raise GraphError(
                f"grad: One of the differentiated Tensors appears to not have been used in the graph: inputs[{i}], {describe(x)}. Set "
                f"allow_unused=True to get None for it, or materialize_grads=True to get zeros"
            )
        if g is None and materialize_grads:
            g = x._frame.raw.zeros(x.shape, dtype=x.dtype, device=x.device)
        results.append(engine.as_tensor(g, x._frame))
    return tuple(results)
