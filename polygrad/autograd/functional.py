"""torch.autograd.functional: Jacobians, Hessians and products with them, of functions of Tensors.

Each takes a function and its arguments and differentiates once. ``polygrad.func`` has the same as transforms of functions, over pytrees.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..core.modes import enable_grad
from ..core.tensor import Tensor
from ..errors import ArgumentError, GraphError, ShapeError
from ..func.gradients import grad as transform
from ..func.jacobians import _basis as basis
from ..func.jacobians import jacfwd
from .gradients import grad

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]


def _as_tuple(value: Any, where: str, what: str) -> tuple[tuple[Any, ...], bool]:
    """Return the Tensors as a tuple, and whether they came in one."""
    several = isinstance(value, (tuple, list))
    values = tuple(value) if several else (value,)
    for i, part in enumerate(values):
        if not isinstance(part, Tensor):
            given = (
                f"the value at index {i} has type {type(part)}"
                if several
                else f"the given {what} has type {type(part)}"
            )
            raise ArgumentError(
                f"The {what} given to {where} must be either a Tensor or a tuple of Tensors but {given}."
            )
    return values, several


def _take_inputs(inputs: Any, where: str, create_graph: bool) -> tuple[tuple[Tensor, ...], bool]:
    """Return the arguments as new leaves or, to go on from the caller's graph, as aliases."""
    values, several = _as_tuple(inputs, where, "inputs")
    fresh = []
    for value in values:
        if create_graph and value.requires_grad:
            fresh.append(value._frame.namespace.clone(value))
        else:
            fresh.append(value.detach().requires_grad_())
    return tuple(fresh), several


def _call(func: Callable[..., Any], inputs: Sequence[Tensor], where: str) -> tuple[tuple[Tensor, ...], bool]:
    result = func(*inputs)
    several = isinstance(result, (tuple, list))
    values = tuple(result) if several else (result,)
    for part in values:
        if not isinstance(part, Tensor):
            raise ArgumentError(
                f"The outputs of the user-provided function given to {where} must be either a Tensor or a tuple of Tensors but the given "
                f"outputs of the user-provided function has type {type(result if not several else part)}."
            )
    return values, several


def _take_vector(v: Any, like: Sequence[Tensor], several: bool, where: str, missing: str) -> tuple[Tensor, ...]:
    """Return the vector of a product, in the form of the Tensors that it is multiplied with; without one, 1 for a single number."""
    if v is None:
        if len(like) != 1 or several or like[0].size != 1:
            raise GraphError(f"The vector v can only be None if {missing}.")
        return (like[0]._frame.namespace.ones_like(like[0].detach()),)
    given, _ = _as_tuple(v, where, "vector v")
    if len(given) != len(like):
        raise GraphError(f"{where}: v has {len(given)} Tensors, expected {len(like)}")
    for one, other in zip(given, like, strict=True):
        if tuple(one.shape) != tuple(other.shape):
            raise ShapeError(f"{where}: v has invalid size: should be {list(other.shape)} but got {list(one.shape)}.")
    return given


def _require_differentiable(outputs: Sequence[Tensor], strict: bool) -> None:
    for i, output in enumerate(outputs):
        if strict and not output.requires_grad:
            raise GraphError(
                f"Output {i} of the user-provided function does not require gradients. The outputs must be computed in a differentiable "
                f"manner from the input when running in strict mode."
            )


def _require_used(found: Sequence[Tensor | None], strict: bool, message: str) -> None:
    for i, g in enumerate(found):
        if strict and g is None:
            raise GraphError(f"{message.format(i)} This is not allowed in strict mode.")


OUTPUT = "The output of the user-provided function is independent of input {}."
JACOBIAN = "The jacobian of the user-provided function is independent of input {}."


def _gradients(
    outputs: Sequence[Tensor],
    inputs: Sequence[Tensor],
    vectors: Sequence[Any],
    create_graph: bool,
    batched: bool = False,
) -> tuple[Tensor | None, ...]:
    """Return the gradients of those outputs that have one; None where an input is not used."""
    pairs = [(output, g) for output, g in zip(outputs, vectors, strict=True) if output.requires_grad]
    if not pairs:
        return (None,) * len(inputs)
    ys, gs = [y for y, _ in pairs], [g for _, g in pairs]
    return grad(ys, inputs, gs, True, create_graph, allow_unused=True, is_grads_batched=batched)


def _fill(found: Sequence[Tensor | None], inputs: Sequence[Tensor]) -> list[Tensor]:
    return [x._frame.namespace.zeros_like(x.detach()) if g is None else g for g, x in zip(found, inputs, strict=True)]


def _finish(values: Sequence[Tensor], several: bool, create_graph: bool) -> Any:
    out = tuple([value if create_graph else value.detach() for value in values])
    return out if several else out[0]


@enable_grad()
def vjp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """Return the value of a function, and the product of a vector with its Jacobian.

    Parameters
    ----------
    func
        Takes the inputs, returns a Tensor or a tuple of Tensors.
    inputs
        A Tensor or a tuple of Tensors.
    v
        Vector in the shapes of the outputs; None where there is a single output of one element.
    create_graph
        Go on from the graph of the inputs, and make the result differentiable.
    strict
        Raise where an output does not depend on an input, instead of giving zeros.

    Returns
    -------
    outputs
        As ``func`` returns them.
    vjp
        vᵀJ, in the form of the inputs.

    Raises
    ------
    ArgumentError
        An input or output is no Tensor.
    ShapeError
        ``v`` does not fit.
    GraphError
        ``v`` is missing, or ``strict`` finds an output that does not depend on an input.
    """
    xs, several = _take_inputs(inputs, "vjp", create_graph)
    ys, many = _call(func, xs, "vjp")
    _require_differentiable(ys, strict)
    missing = "the user-provided function returns a single Tensor with a single element"
    found = _gradients(ys, xs, _take_vector(v, ys, many, "vjp", missing), create_graph)
    _require_used(found, strict, OUTPUT)
    return _finish(ys, many, create_graph), _finish(_fill(found, xs), several, create_graph)


INPUT = "the input to the user-provided function is a single Tensor with a single element"


@enable_grad()
def jvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """Return the value of a function, and the product of its Jacobian with a vector.

    The pass runs backward twice, so that this works wherever ``vjp`` does. ``polygrad.func.jvp`` does the same in one pass of forward
    mode.

    Parameters
    ----------
    func, inputs, create_graph, strict
        As for ``vjp``.
    v
        Vector in the shapes of the inputs; None where there is a single input of one element.

    Returns
    -------
    outputs
        As ``func`` returns them.
    jvp
        Jv, in the form of the outputs.

    Raises
    ------
    ArgumentError, ShapeError, GraphError
        As ``vjp``.
    """
    xs, several = _take_inputs(inputs, "jvp", create_graph)
    vectors = _take_vector(v, xs, several, "jvp", INPUT)
    ys, many = _call(func, xs, "jvp")
    _require_differentiable(ys, strict)
    # The gradient is linear in the cotangents u, and its derivative with respect to them is the Jacobian itself.
    us = [y._frame.namespace.zeros_like(y.detach()).requires_grad_() for y in ys]
    pulled = _gradients(ys, xs, us, True)
    _require_used(pulled, strict, OUTPUT)
    pairs = [(g, w) for g, w in zip(pulled, vectors, strict=True) if g is not None]
    found = _gradients([g for g, _ in pairs], us, [w for _, w in pairs], create_graph)
    return _finish(ys, many, create_graph), _finish(_fill(found, ys), many, create_graph)


@enable_grad()
def jacobian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """Return the Jacobian of a function.

    Parameters
    ----------
    func, inputs, create_graph, strict
        As for ``vjp``.
    vectorize
        Run one batched pass (``vmap``) instead of one for each element.
    strategy
        "reverse-mode", a pass for each element of the output, or "forward-mode", one for each element of the input.

    Returns
    -------
    Tensor or tuple
        A Tensor of shape ``output.shape + input.shape``; in a tuple over the inputs if they are a tuple, in a tuple over the outputs if
        these are one.

    Raises
    ------
    ArgumentError, ShapeError, GraphError
        As ``vjp``.
    """
    if strategy not in ("forward-mode", "reverse-mode"):
        raise ArgumentError(
            f'jacobian: Expected strategy to be either "forward-mode" or "reverse-mode", got {strategy!r}. Hint: If your function has more '
            f'outputs than inputs, "forward-mode" tends to be more performant. Otherwise, prefer to use "reverse-mode".'
        )
    if strict and (vectorize or strategy == "forward-mode"):
        raise ArgumentError(
            "jacobian: `strict=True` is not supported together with `vectorize=True` or forward mode, which do not show what depends on "
            "what. Please set `strict=False`, or `vectorize=False` and `strategy='reverse-mode'`."
        )
    xs, several = _take_inputs(inputs, "jacobian", create_graph)
    if strategy == "forward-mode":
        many = False

        def checked(*args: Any) -> tuple[Tensor, ...]:
            nonlocal many
            ys, many = _call(func, args, "jacobian")
            return ys

        blocks = jacfwd(checked, argnums=tuple(range(len(xs))))(*xs)
        return _nest(blocks, several, many, create_graph)
    ys, many = _call(func, xs, "jacobian")
    _require_differentiable(ys, strict)
    rows = []
    for i, y in enumerate(ys):
        found = _rows(y, xs, create_graph, vectorize)
        for k, block in enumerate(found):
            where = f"Output {i} of the user-provided function is independent of input {k}."
            _require_used([block], strict, where)
            if strict and create_graph and block is not None and not block.requires_grad:
                raise GraphError(f"{JACOBIAN.format(k)} This is not allowed in strict mode when create_graph=True.")
        row = []
        for x, block in zip(xs, found, strict=True):
            shape, xp = (*y.shape, *x.shape), x._frame.namespace
            zeros = xp.zeros(shape, dtype=x.dtype, device=x.device) if block is None else block
            row.append(xp.reshape(zeros, shape))
        rows.append(row)
    return _nest(rows, several, many, create_graph)


def _rows(y: Tensor, xs: Sequence[Tensor], create_graph: bool, vectorize: bool) -> Sequence[Tensor | None]:
    """Return for each input the gradients of all elements of an output, along the first axis; None where none depends on it."""
    if not y.requires_grad or y.size == 0:
        return [None] * len(xs)
    units, xp = basis(y.detach()), y._frame.namespace
    if vectorize:
        return _gradients([y], xs, [units], create_graph, batched=True)
    found = [_gradients([y], xs, [unit], create_graph) for unit in units]
    columns: list[Tensor | None] = []
    for x, column in zip(xs, zip(*found, strict=True), strict=True):
        unused = all(g is None for g in column)
        columns.append(None if unused else xp.stack([_fill([g], [x])[0] for g in column]))
    return columns


def _nest(rows: Sequence[Sequence[Tensor]], several: bool, many: bool, create_graph: bool) -> Any:
    out = tuple([_finish(row, several, create_graph) for row in rows])
    return out if many else out[0]


def _make_single(func: Callable[..., Any], where: str) -> Callable[..., Tensor]:
    """Return the function with a check that it gives one element, as a 0-d Tensor."""

    def single(*args: Any) -> Tensor:
        ys, many = _call(func, args, where)
        if many:
            raise ArgumentError(f"The function given to {where} should return a single Tensor")
        if ys[0].size != 1:
            raise ShapeError(f"The Tensor returned by the function given to {where} should contain a single element")
        return ys[0]._frame.namespace.reshape(ys[0], ())  # type: ignore[no-any-return]

    return single


def hessian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """Return the Hessian of a function that gives a single element.

    Parameters
    ----------
    func, inputs, create_graph, strict, vectorize
        As for ``jacobian``.
    outer_jacobian_strategy
        The mode in which the gradient is differentiated; "forward-mode" is forward over reverse.

    Returns
    -------
    Tensor or tuple of tuple
        A Tensor of shape ``input.shape + input.shape``, or, if the inputs are a tuple, a tuple of tuples, of which [i][j] has the shape
        ``inputs[i].shape + inputs[j].shape``.

    Raises
    ------
    ArgumentError, GraphError
        As ``jacobian``.
    ShapeError
        The function gives more than one element.
    """
    single = _make_single(func, "hessian")
    xs, several = _as_tuple(inputs, "hessian", "inputs")

    def gradient(*args: Tensor) -> Any:
        if outer_jacobian_strategy == "forward-mode":
            found = transform(single, argnums=tuple(range(len(args))))(*args)
        else:
            found = jacobian(single, args, create_graph=True)
            _require_differentiable_twice(found, strict)
        return found if several else found[0]

    return jacobian(gradient, xs if several else inputs, create_graph, strict, vectorize, outer_jacobian_strategy)


def _require_differentiable_twice(gradients: Sequence[Tensor], strict: bool) -> None:
    for i, g in enumerate(gradients):
        if strict and not g.requires_grad:
            raise GraphError(
                f"While computing the hessian, found that the jacobian of the user-provided function with respect to input {i} is "
                f"independent of the input. This is not allowed in strict mode. You should ensure that your function is twice "
                f"differentiable and that the jacobian depends on the inputs (this would be violated by a linear function for example)."
            )


def _hessian_product(
    func: Callable[..., Any], inputs: Any, v: Any, create_graph: bool, strict: bool, where: str
) -> tuple[Any, Any]:
    xs, several = _take_inputs(inputs, where, create_graph)
    vectors = _take_vector(v, xs, several, where, INPUT)
    y = _make_single(func, where)(*xs)
    _require_differentiable([y], strict)
    gradients = _gradients([y], xs, [y._frame.namespace.ones_like(y.detach())], True)
    _require_used(gradients, strict, OUTPUT)
    pairs = [(g, w) for g, w in zip(gradients, vectors, strict=True) if g is not None]
    _require_differentiable_twice([g for g, _ in pairs], strict)
    found = _gradients([g for g, _ in pairs], xs, [w for _, w in pairs], create_graph)
    _require_used(found, strict, JACOBIAN)
    return _finish([y], False, create_graph), _finish(_fill(found, xs), several, create_graph)


@enable_grad()
def vhp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """Return the value of a function that gives a single element, and the product of a vector with its Hessian.

    Parameters
    ----------
    func, inputs, create_graph, strict
        As for ``vjp``.
    v
        Vector in the shapes of the inputs; None where there is a single input of one element.

    Returns
    -------
    output
        As ``func`` returns it.
    vhp
        vᵀH, in the form of the inputs.

    Raises
    ------
    ArgumentError, GraphError
        As ``vjp``.
    ShapeError
        The function gives more than one element, or ``v`` does not fit.
    """
    return _hessian_product(func, inputs, v, create_graph, strict, "vhp")


@enable_grad()
def hvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """Return the value of a function that gives a single element, and the product of its Hessian with a vector.

    The Hessian of a real function is symmetric, so this is ``vhp``, with the same parameters, results and errors. (torch takes a third
    backward pass for it.)
    """
    return _hessian_product(func, inputs, v, create_graph, strict, "hvp")
