"""Jacobians, Hessians and their products, in one pass for all rows or columns: ``vmap`` of ``vjp`` or ``jvp``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from ..core.tensor import Tensor, as_frame
from ..levels.level import adopt_tree, arguments_of, leaves_of_arguments, lower, tree_of
from .gradients import grad
from .mapping import vmap
from .transforms import Pullback, Transform, differentiable, jvp, push, selected_arguments


class Jacobian(Transform):
    """Function made by ``jacfwd`` or ``jacrev``."""

    def __init__(
        self,
        function: Callable[..., Any],
        argnums: int | Sequence[int],
        has_aux: bool,
        forward: bool,
        chunk_size: int | None,
        randomness: str,
    ) -> None:
        super().__init__(function)
        self.argnums = argnums if isinstance(argnums, int) else tuple(argnums)
        self.has_aux = has_aux
        self.forward = forward
        self.options = {"chunk_size": chunk_size, "randomness": randomness}
        vmap(function, **self.options)  # type: ignore[arg-type]  # so that a wrong option is an error here

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        where = "func.jacfwd" if self.forward else "func.jacrev"
        numbers, single = selected_arguments(args, self.argnums, where)
        given, tree = leaves_of_arguments(tuple([args[number] for number in numbers]))
        inputs = differentiable(given, where)
        raw = not any(isinstance(leaf, Tensor) for leaf in given)
        rest = [adopt_tree(arg) for arg in args]
        kwargs = {name: adopt_tree(value) for name, value in kwargs.items()}

        def partial(*chosen: Any) -> Any:
            full = list(rest)
            for number, value in zip(numbers, chosen, strict=True):
                full[number] = value
            return self.function(*full, **kwargs)

        run = _by_columns if self.forward else _by_rows
        blocks, out_tree, aux = run(partial, inputs, tree, where, self.has_aux, self.options)
        rows = []
        for row in blocks:
            per_input = arguments_of(tree, [lower(block) for block in row] if raw else row)
            rows.append(per_input[0] if single else per_input)
        jacobian = tree_of(out_tree, rows)
        return (jacobian, aux) if self.has_aux else jacobian


def _basis(like: Tensor) -> Tensor:
    """The unit vectors of the space of ``like`` along a first axis, in row-major order."""
    xp, shape = like._frame.namespace, tuple(like.shape)
    size = prod(shape)
    return xp.reshape(xp.eye(size, dtype=like.dtype, device=like.device), (size, *shape))  # type: ignore[no-any-return]


Blocks = tuple[list[list[Any]], Any, Any]
"""For each output and input a block of the Jacobian; the structure of the output; what came with it."""


def _by_columns(
    partial: Callable[..., Any], inputs: list[Tensor], tree: Any, where: str, has_aux: bool, options: Any
) -> Blocks:
    columns = []
    shapes: list[tuple[int, ...]] = []
    out_tree = aux = None
    for i, leaf in enumerate(inputs):

        def column(unit: Any, i: int = i) -> list[Any]:
            nonlocal shapes, out_tree, aux
            tangents = [unit if j == i else None for j in range(len(inputs))]
            values, slopes, out_tree, aux = push(partial, inputs, tangents, tree, where, has_aux)
            shapes = [tuple(value.shape) for value in values]
            return [v._frame.namespace.zeros_like(v) if t is None else t for v, t in zip(values, slopes, strict=True)]

        columns.append(vmap(column, out_dims=-1, **options)(_basis(leaf)))
    blocks = [
        [
            of_input[o]._frame.namespace.reshape(of_input[o], (*shape, *leaf.shape))
            for leaf, of_input in zip(inputs, columns, strict=True)
        ]
        for o, shape in enumerate(shapes)
    ]
    return blocks, out_tree, aux


def _by_rows(
    partial: Callable[..., Any], inputs: list[Tensor], tree: Any, where: str, has_aux: bool, options: Any
) -> Blocks:
    pull = Pullback(partial, inputs, tree, where, has_aux)
    outputs = [as_frame(output) for output in pull.values()]
    blocks = []
    for o, output in enumerate(outputs):

        def row(unit: Any, o: int = o) -> list[Any]:
            return [as_frame(g) for g in pull([unit if k == o else None for k in range(len(outputs))])]

        if output.ndim == 0:
            of_output = row(output._frame.namespace.ones_like(output))
        else:
            rows = vmap(row, **options)(_basis(output))
            of_output = [
                rows[i]._frame.namespace.reshape(rows[i], (*output.shape, *leaf.shape)) for i, leaf in enumerate(inputs)
            ]
        blocks.append(of_output)
    return blocks, pull.tree, pull.aux


def jacfwd(
    function: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    *,
    chunk_size: int | None = None,
    randomness: str = "error",
) -> Callable[..., Any]:
    """The Jacobian of a function by forward mode, all columns in one pass: for few inputs and many outputs.

    Args:
        function: takes and returns arrays or pytrees of them; with ``has_aux`` it returns a pair (output, anything).
        argnums: with respect to which positional arguments; a sequence gives a tuple.
        chunk_size: so many columns at a time, to save memory; None: all.
        randomness: of random numbers that the function draws, as in ``vmap``.

    Returns:
        a function giving arrays of shape ``output.shape + input.shape``, in the structure of the output and within that of the input;
        with ``has_aux`` a pair (Jacobian, aux). Raw arrays come back where raw arrays went in.
    """
    return Jacobian(function, argnums, has_aux, True, chunk_size, randomness)


def jacrev(
    function: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    *,
    chunk_size: int | None = None,
    randomness: str = "error",
) -> Callable[..., Any]:
    """The Jacobian of a function by reverse mode, all rows in one pass: for many inputs and few outputs.

    Args, returns:
        as ``jacfwd``, with rows in place of columns.
    """
    return Jacobian(function, argnums, has_aux, False, chunk_size, randomness)


def hessian(
    function: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    *,
    chunk_size: int | None = None,
    randomness: str = "error",
) -> Callable[..., Any]:
    """The second derivatives of a function: ``jacfwd(jacrev(function))``, forward over reverse mode.

    Args:
        as ``jacfwd``.

    Returns:
        a function giving arrays of shape ``output.shape + input.shape + input.shape``, in the structure of the output, within that of the
        input, within that of the input again.
    """
    inner = jacrev(function, argnums, has_aux, chunk_size=chunk_size, randomness=randomness)
    return jacfwd(inner, argnums, has_aux, chunk_size=chunk_size, randomness=randomness)


def hvp(
    function: Callable[..., Any], primals: tuple[Any, ...], tangents: tuple[Any, ...], *, has_aux: bool = False
) -> Any:
    """The Hessian of a scalar function times a vector, without the Hessian: the derivative of the gradient in that direction.

    Args:
        function: takes ``primals``, returns a scalar; with ``has_aux`` a pair (scalar, anything).
        primals, tangents: tuples of the same structure, as for ``jvp``.

    Returns:
        the product, in the structure of the argument: a tuple if there are several. With ``has_aux`` a pair (product, aux).
    """
    argnums = 0 if isinstance(primals, tuple) and len(primals) == 1 else tuple(range(len(primals)))
    _, *out = jvp(grad(function, argnums, has_aux), primals, tangents, has_aux=has_aux)
    return tuple(out) if has_aux else out[0]
