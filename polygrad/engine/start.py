"""``backward`` and ``grad``: the two ways to start a backward pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..core import modes
from ..core.graph import LEAF, Node, OutputNode
from ..core.sites import located
from ..core.tensor import Tensor, constant, edge_of
from ..errors import ArgumentError, GraphError, ShapeError, describe
from . import loop as engine
from .edges import GradientEdge, Metadata
from .hooks import as_tensor


def as_list(value: Any, what: str) -> list[Any]:
    """Return a Tensor, an edge, or a sequence of them as a list."""
    if isinstance(value, (Tensor, GradientEdge)) or value is None:
        return [value]
    if not isinstance(value, (list, tuple)):
        raise ArgumentError(f"{what}: expected a Tensor or a sequence of Tensors, got {describe(value)}")
    return list(value)


def _edge(value: Any) -> Any:
    return value.edge if isinstance(value, GradientEdge) else edge_of(value)


def _known(value: Any) -> Metadata | None:
    """Return what is known of a Tensor, or of the value at an edge; None for an edge that was made by hand."""
    if isinstance(value, Tensor):
        return Metadata(value._frame, tuple(value.shape), value.dtype, value.device)
    if isinstance(value.edge, Tensor):
        return _known(value.edge)
    return value.ownership_token if isinstance(value.ownership_token, Metadata) else None


def _seed(output: Any, gradient: Any, where: str, create_graph: bool) -> Any:
    """Return the cotangent that the pass starts from: a payload, or a Tensor with ``create_graph``."""
    if not isinstance(output, (Tensor, GradientEdge)):
        raise ArgumentError(f"{where}: expected Tensors, got {describe(output)}")
    if _edge(output) is None:
        raise GraphError(
            f"{where}: element 0 of tensors does not require grad and does not have a grad_fn: {describe(output)}. Nothing that it was "
            f"computed from requires grad (or recording was off, or it was detached)"
        )
    known = _known(output)
    if gradient is None:
        if known is None:
            raise GraphError(
                f"{where}: the shape at a GradientEdge that was made by hand is not known, so its gradient cannot be created "
                f"implicitly; pass it, or make the edge with get_gradient_edge"
            )
        frame, shape, dtype, device = known
        if any(n != 1 for n in shape):
            raise located(
                GraphError(
                    f"{where}: grad can be implicitly created only for scalar outputs, and this one has shape {shape}; pass the "
                    f"cotangent, y.backward(gradient), or reduce first, y.sum().backward()"
                ),
                _edge(output),
            )
        if dtype in frame.complex:
            raise located(
                GraphError(
                    f"{where}: grad can be implicitly created only for real scalar outputs but got {dtype}; pass the cotangent, "
                    f"y.backward(gradient), or differentiate a real number, such as its real part or its absolute value"
                ),
                _edge(output),
            )
        if isinstance(output, Tensor):
            seed = frame.backend.one_like(output._data) if not frame.lifted else frame.raw.ones_like(output._data)
        else:
            seed = frame.raw.ones(shape, dtype=dtype, device=device)
        return constant(seed, frame) if create_graph else seed
    if not isinstance(gradient, Tensor):
        raise located(
            ArgumentError(
                f"{where}: gradient has to be a Tensor or None, got {describe(gradient)}; wrap it: polygrad.asarray(g)"
            ),
            _edge(output),
        )
    if known is not None and gradient._frame.backend is known.frame.backend and gradient.dtype != known.dtype:
        frame = known.frame
        if gradient.dtype in frame.floating and (gradient.dtype in frame.complex) == (known.dtype in frame.complex):
            gradient = gradient._frame.namespace.astype(gradient, known.dtype)  # of another precision
    if isinstance(output, Tensor):
        output._fits(where, "the gradient", gradient)
    elif known is not None and (tuple(gradient.shape) != known.shape or gradient.dtype != known.dtype):
        raise located(
            ShapeError(
                f"{where}: the gradient {describe(gradient)} does not fit the value at the GradientEdge, which has shape {known.shape} and "
                f"dtype {known.dtype}"
            ),
            _edge(output),
        )
    if create_graph:
        return gradient
    level = output._frame.level if isinstance(output, Tensor) else output.node.frame.level
    return gradient._data if gradient._frame.level == level else gradient


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Sequence[Tensor] | Tensor | None = None,
) -> None:
    """Add the gradients of ``tensors`` with respect to the leaves to ``grad`` of the leaves.

    Parameters
    ----------
    tensors
        A Tensor or several.
    grad_tensors
        The cotangent of each, of its shape and dtype; None for scalars.
    retain_graph
        Keep what the graph has saved. The default is ``create_graph``.
    create_graph
        Record the gradient computation itself.
    inputs
        Accumulate into these alone; they may be Tensors that are no leaves.

    Raises
    ------
    GraphError
        A Tensor does not require grad, a cotangent is missing, or the graph has been freed.
    ShapeError, DtypeError, BackendError
        A cotangent does not fit its Tensor.
    """
    if type(tensors) is Tensor and grad_tensors is None and inputs is None and not create_graph:
        node, data, frame = tensors._node, tensors._data, tensors._frame
        if node is not None and not frame.lifted and data.ndim == 0 and data.dtype not in frame.complex:
            edge = tensors if node is LEAF else node
            engine.run_pass(
                [(edge, frame.backend.one_like(data))], retain=bool(retain_graph), create_graph=False, accumulate=True
            )
            return
    outputs = as_list(tensors, "backward")
    gradients = [None] * len(outputs) if grad_tensors is None else as_list(grad_tensors, "backward")
    if len(gradients) != len(outputs):
        raise ArgumentError(
            f"backward: got {len(outputs)} tensors and {len(gradients)} gradients; give one gradient for each"
        )
    roots = [(_edge(y), _seed(y, g, "backward", create_graph)) for y, g in zip(outputs, gradients, strict=True)]
    targets = None
    if inputs is not None:
        chosen = as_list(inputs, "backward")
        if not chosen:
            raise GraphError(
                "backward: `inputs` argument to `backward()` cannot be empty; leave it out to reach all leaves"
            )
        for x in chosen:
            _check_input(x, "backward")
            if isinstance(x, GradientEdge) and not isinstance(x.edge, Tensor):
                raise GraphError(
                    f"backward: there is no Tensor to hold the gradient at the GradientEdge of {x.node.name()}, which is no leaf; pass the "
                    f"Tensor itself, or use autograd.grad, which returns it"
                )
        for x in chosen:
            if isinstance(x, Tensor):
                x.retain_grad()
        targets = [_edge(x) for x in chosen]
    _pass(roots, targets, retain_graph, create_graph, accumulate=True)


def _check_input(x: Any, where: str) -> None:
    if not isinstance(x, (Tensor, GradientEdge)):
        raise ArgumentError(f"{where}: inputs have to be Tensors, got {describe(x)}")
    if _edge(x) is None:
        raise GraphError(
            f"{where}: One of the differentiated Tensors does not require grad: {describe(x)}; call x.requires_grad_() first"
        )


def _pass(
    roots: Any, targets: Any, retain_graph: bool | None, create_graph: bool, accumulate: bool
) -> tuple[dict[Any, Any], dict[Any, Any]]:
    retain = create_graph if retain_graph is None else retain_graph
    needed = None
    if targets is not None:
        needed = engine.restrict([edge for edge, _ in roots], targets)
        # Hooks of what leads to none of the targets do not run.
        wanted = set(targets)
        roots = [(edge, g) for edge, g in roots if edge in needed or edge in wanted]
    captures = []
    for edge in targets or ():
        if isinstance(edge, OutputNode):  # the gradients of all outputs are captured together
            assert needed is not None
            needed.setdefault(edge, edge.edges)
            captures.append(edge.edges[0])
        elif isinstance(edge, Node):
            captures.append(edge)
    options: dict[str, Any] = {"retain": retain, "create_graph": create_graph, "captures": captures, "needed": needed}
    if accumulate:
        options |= {"accumulate": True, "foreign": tuple([g for _, g in roots])}
    if create_graph:
        with modes.enable_grad():
            return engine.run_pass(roots, **options)
    return engine.run_pass(roots, **options)


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool | None = None,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """Return the gradients of ``outputs``; as ``autograd.grad``, which describes the arguments, without batches of cotangents."""
    if materialize_grads and allow_unused is False:
        raise ArgumentError(
            "grad: expected allow_unused to be True or not passed when materialize_grads=True, but got allow_unused=False"
        )
    ys, xs = as_list(outputs, "grad"), as_list(inputs, "grad")
    gradients = [None] * len(ys) if grad_outputs is None else as_list(grad_outputs, "grad")
    if len(gradients) != len(ys):
        raise ArgumentError(f"grad: got {len(ys)} outputs and {len(gradients)} grad_outputs; give one for each")
    if not xs:
        raise GraphError("grad: `inputs` argument to `grad()` cannot be empty")
    for x in xs:
        _check_input(x, "grad")
    roots = [(_edge(y), _seed(y, g, "grad", create_graph)) for y, g in zip(ys, gradients, strict=True)]
    edges = [_edge(x) for x in xs]
    leaves, captured = _pass(roots, edges, retain_graph, create_graph, accumulate=False)
    results: list[Tensor | None] = []
    for i, (x, edge) in enumerate(zip(xs, edges, strict=True)):
        if isinstance(edge, OutputNode):
            found = captured.get(edge.edges[0])
            g = None if found is None else found[edge.index]
        else:
            g = captured.get(edge) if isinstance(edge, Node) else leaves.get(edge)
        known = _known(x)
        if g is None and not (allow_unused or materialize_grads):
            raise located(
                GraphError(
                    f"grad: One of the differentiated Tensors appears to not have been used in the graph: inputs[{i}], {describe(x)}. Set "
                    f"allow_unused=True to get None for it, or materialize_grads=True to get zeros"
                ),
                _edge(ys[0]) if ys else None,
            )
        if g is None and materialize_grads:
            if known is None:
                raise GraphError(
                    f"grad: the shape at a GradientEdge that was made by hand (inputs[{i}]) is not known, so there are no zeros for "
                    f"it; make the edge with get_gradient_edge"
                )
            frame, shape, dtype, device = known
            g = frame.raw.zeros(shape, dtype=dtype, device=device)
        results.append(as_tensor(g, x.node.frame if isinstance(x, GradientEdge) else x._frame))
    return tuple(results)
