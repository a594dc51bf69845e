"""torch.autograd.functional: products with Jacobians and Hessians, and these themselves, of functions of Tensors.

Each takes a function and its arguments and differentiates once; ``polygrad.func`` has the same as transforms of functions, over pytrees.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..core.modes import enable_grad
from ..core.tensor import Tensor
from ..errors import ArgumentError, GraphError, ShapeError
from ..func.jacobians import _basis as basis
from ..func.jacobians import jacfwd
from ..func.transforms import grad as transform
from .gradients import grad

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]


def _tuple(value: Any, where: str, what: str) -> tuple[tuple[Any, ...], bool]:
    """The Tensors as a tuple, and whether they came in one."""
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


def _inputs(inputs: Any, where: str, create_graph: bool) -> tuple[tuple[Tensor, ...], bool]:
    """The arguments as what to differentiate with respect to: new leaves, or, to go on from the caller's graph, aliases."""
    values, several = _tuple(inputs, where, "inputs")
    fresh = []
    for value in values:
        if create_graph and value.requires_grad:
            fresh.append(value._frame.namespace.clone(value))
        else:
            fresh.append(value.detach().requires_grad_())
    return tuple(fresh), several


def _outputs(func: Callable[..., Any], inputs: Sequence[Tensor], where: str) -> tuple[tuple[Tensor, ...], bool]:
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


def _vector(v: Any, like: Sequence[Tensor], several: bool, where: str, missing: str) -> tuple[Tensor, ...]:
    """The vector of a product, in the form of what it is multiplied with; without one, 1 for a single number."""
    if v is None:
        if len(like) != 1 or several or like[0].size != 1:
            raise GraphError(f"The vector v can only be None if {missing}.")
        return (like[0]._frame.namespace.ones_like(like[0].detach()),)
    given, _ = _tuple(v, where, "vector v")
    if len(given) != len(like):
        raise GraphError(
            f"{where}: v has {len(given)} Tensors, where there are {len(like)}; there has to be one for each"
        )
    for one, other in zip(given, like, strict=True):
        if tuple(one.shape) != tuple(other.shape):
            raise ShapeError(f"{where}: v has invalid size: should be {list(other.shape)} but got {list(one.shape)}.")
    return given


def _differentiable(outputs: Sequence[Tensor], strict: bool) -> None:
    for i, output in enumerate(outputs):
        if strict and not output.requires_grad:
            raise GraphError(
                f"Output {i} of the user-provided function does not require gradients. The outputs must be computed in a differentiable "
                f"manner from the input when running in strict mode."
            )


def _used(found: Sequence[Tensor | None], strict: bool, message: str) -> None:
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
    """The gradients of those outputs that have one; None where an input is not used."""
    pairs = [(output, g) for output, g in zip(outputs, vectors, strict=True) if output.requires_grad]
    if not pairs:
        return (None,) * len(inputs)
    ys, gs = [y for y, _ in pairs], [g for _, g in pairs]
    return grad(ys, inputs, gs, True, create_graph, allow_unused=True, is_grads_batched=batched)


def _filled(found: Sequence[Tensor | None], inputs: Sequence[Tensor]) -> list[Tensor]:
    return [x._frame.namespace.zeros_like(x.detach()) if g is None else g for g, x in zip(found, inputs, strict=True)]


def _returned(values: Sequence[Tensor], several: bool, create_graph: bool) -> Any:
    out = tuple([value if create_graph else value.detach() for value in values])
    return out if several else out[0]


@enable_grad()
def vjp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The value of a function and the product of a vector with its Jacobian.

    Args:
        func: takes the inputs, returns a Tensor or a tuple of Tensors.
        inputs: a Tensor or a tuple of Tensors.
        v: of the shapes of the outputs; None where there is a single output of one element.
        create_graph: go on from the graph of the inputs, and make the result differentiable.
        strict: raise where an output does not depend on an input, instead of giving zeros.

    Returns:
        (outputs, vᵀJ), the latter in the form of the inputs.

    Raises:
        ArgumentError: an input or output is no Tensor. ShapeError: ``v`` does not fit. GraphError: ``v`` is missing, or ``strict``.
    """
    xs, several = _inputs(inputs, "vjp", create_graph)
    ys, many = _outputs(func, xs, "vjp")
    _differentiable(ys, strict)
    missing = "the user-provided function returns a single Tensor with a single element"
    found = _gradients(ys, xs, _vector(v, ys, many, "vjp", missing), create_graph)
    _used(found, strict, OUTPUT)
    return _returned(ys, many, create_graph), _returned(_filled(found, xs), several, create_graph)


INPUT = "the input to the user-provided function is a single Tensor with a single element"


@enable_grad()
def jvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The value of a function and the product of its Jacobian with a vector.

    It runs backward twice, so that it works wherever ``vjp`` does; ``polygrad.func.jvp`` does the same in one pass of forward mode.

    Args:
        func, inputs, create_graph, strict: as for ``vjp``.
        v: of the shapes of the inputs; None where there is a single input of one element.

    Returns:
        (outputs, Jv), both in the form of the outputs.

    Raises:
        as ``vjp``.
    """
    xs, several = _inputs(inputs, "jvp", create_graph)
    vectors = _vector(v, xs, several, "jvp", INPUT)
    ys, many = _outputs(func, xs, "jvp")
    _differentiable(ys, strict)
    # The gradient is linear in the cotangents u, and its derivative with respect to them is the Jacobian itself.
    us = [y._frame.namespace.zeros_like(y.detach()).requires_grad_() for y in ys]
    pulled = _gradients(ys, xs, us, True)
    _used(pulled, strict, OUTPUT)
    pairs = [(g, w) for g, w in zip(pulled, vectors, strict=True) if g is not None]
    found = _gradients([g for g, _ in pairs], us, [w for _, w in pairs], create_graph)
    return _returned(ys, many, create_graph), _returned(_filled(found, ys), many, create_graph)


@enable_grad()
def jacobian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The Jacobian of a function.

    Args:
        func, inputs, create_graph, strict: as for ``vjp``.
        vectorize: one batched pass (``vmap``) instead of one for each element.
        strategy: "reverse-mode", a pass for each element of the output, or "forward-mode", one for each element of the input.

    Returns:
        a Tensor of shape ``output.shape + input.shape``; in a tuple over the inputs if they are a tuple, in a tuple over the outputs if
        these are one.

    Raises:
        as ``vjp``.
    """
    if strategy not in ("forward-mode", "reverse-mode"):
        raise ArgumentError(
            f'jacobian: Expected strategy to be either "forward-mode" or "reverse-mode", got {strategy!r}. Hint: If your function has more '
            f'outputs than inputs, "forward-mode" tends to be more performant. Otherwise, prefer to use "reverse-mode".'
        )
    if strict and (vectorize or strategy == "forward-mode"):
        raise ArgumentError(
            "jacobian: `strict=True` is not supported together with `vectorize=True` or forward mode, where it is not seen what depends on "
            "what. Please set `strict=False`, or `vectorize=False` and `strategy='reverse-mode'`."
        )
    xs, several = _inputs(inputs, "jacobian", create_graph)
    if strategy == "forward-mode":
        many = False

        def checked(*args: Any) -> tuple[Tensor, ...]:
            nonlocal many
            ys, many = _outputs(func, args, "jacobian")
            return ys

        blocks = jacfwd(checked, argnums=tuple(range(len(xs))))(*xs)
        return _nested(blocks, several, many, create_graph)
    ys, many = _outputs(func, xs, "jacobian")
    _differentiable(ys, strict)
    rows = []
    for i, y in enumerate(ys):
        found = _rows(y, xs, create_graph, vectorize)
        for k, block in enumerate(found):
            where = f"Output {i} of the user-provided function is independent of input {k}."
            _used([block], strict, where)
            if strict and create_graph and block is not None and not block.requires_grad:
                raise GraphError(f"{JACOBIAN.format(k)} This is not allowed in strict mode when create_graph=True.")
        row = []
        for x, block in zip(xs, found, strict=True):
            shape, xp = (*y.shape, *x.shape), x._frame.namespace
            zeros = xp.zeros(shape, dtype=x.dtype, device=x.device) if block is None else block
            row.append(xp.reshape(zeros, shape))
        rows.append(row)
    return _nested(rows, several, many, create_graph)


def _rows(y: Tensor, xs: Sequence[Tensor], create_graph: bool, vectorize: bool) -> Sequence[Tensor | None]:
    """For each input the gradients of all elements of an output, along the first axis; None where none depends on it."""
    if not y.requires_grad or y.size == 0:
        return [None] * len(xs)
    units, xp = basis(y.detach()), y._frame.namespace
    if vectorize:
        return _gradients([y], xs, [units], create_graph, batched=True)
    found = [_gradients([y], xs, [unit], create_graph) for unit in units]
    columns: list[Tensor | None] = []
    for x, column in zip(xs, zip(*found, strict=True), strict=True):
        unused = all(g is None for g in column)
        columns.append(None if unused else xp.stack([_filled([g], [x])[0] for g in column]))
    return columns


def _nested(rows: Sequence[Sequence[Tensor]], several: bool, many: bool, create_graph: bool) -> Any:
    out = tuple([_returned(row, several, create_graph) for row in rows])
    return out if many else out[0]


def _single(func: Callable[..., Any], where: str) -> Callable[..., Tensor]:
    """The function, made sure to return a Tensor of one element, as a 0-d one."""

    def single(*args: Any) -> Tensor:
        ys, many = _outputs(func, args, where)
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
    """The Hessian of a function that returns a single element.

    Args:
        func, inputs, create_graph, strict, vectorize: as for ``jacobian``.
        outer_jacobian_strategy: how the gradient is differentiated; "forward-mode" is forward over reverse.

    Returns:
        a Tensor of shape ``input.shape + input.shape``, or, if the inputs are a tuple, a tuple of tuples, of which [i][j] has
        the shape ``inputs[i].shape + inputs[j].shape``.

    Raises:
        as ``jacobian``; ShapeError: the function returns more than one element.
    """
    single = _single(func, "hessian")
    xs, several = _tuple(inputs, "hessian", "inputs")

    def gradient(*args: Tensor) -> Any:
        if outer_jacobian_strategy == "forward-mode":
            found = transform(single, argnums=tuple(range(len(args))))(*args)
        else:
            found = jacobian(single, args, create_graph=True)
            _differentiable_twice(found, strict)
        return found if several else found[0]

    return jacobian(gradient, xs if several else inputs, create_graph, strict, vectorize, outer_jacobian_strategy)


def _differentiable_twice(gradients: Sequence[Tensor], strict: bool) -> None:
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
    xs, several = _inputs(inputs, where, create_graph)
    vectors = _vector(v, xs, several, where, INPUT)
    y = _single(func, where)(*xs)
    _differentiable([y], strict)
    gradients = _gradients([y], xs, [y._frame.namespace.ones_like(y.detach())], True)
    _used(gradients, strict, OUTPUT)
    pairs = [(g, w) for g, w in zip(gradients, vectors, strict=True) if g is not None]
    _differentiable_twice([g for g, _ in pairs], strict)
    found = _gradients([g for g, _ in pairs], xs, [w for _, w in pairs], create_graph)
    _used(found, strict, JACOBIAN)
    return _returned([y], False, create_graph), _returned(_filled(found, xs), several, create_graph)


@enable_grad()
def vhp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The value of a function that returns a single element and the product of a vector with its Hessian.

    Args:
        func, inputs, create_graph, strict: as for ``vjp``.
        v: of the shapes of the inputs; None where there is a single input of one element.

    Returns:
        (output, vᵀH), the latter in the form of the inputs.

    Raises:
        as ``vjp``; ShapeError: the function returns more than one element.
    """
    return _hessian_product(func, inputs, v, create_graph, strict, "vhp")


@enable_grad()
def hvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The value of a function that returns a single element and the product of its Hessian with a vector.

    The Hessian of a real function is symmetric, so this is ``vhp`` (torch takes a third backward pass for it).

    Args, Returns, Raises:
        as ``vhp``.
    """
    return _hessian_product(func, inputs, v, create_graph, strict, "hvp")
