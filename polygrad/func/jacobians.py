"""Jacobians, column by column (``jacfwd``) or row by row (``jacrev``)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..tensor import Tensor, as_frame
from .transforms import _selected, _Transform, jvp, vjp, with_aux
from .trees import flatten, unflatten


class _Jacobian(_Transform):
    """What ``jacfwd`` and ``jacrev`` return."""

    forward: bool

    def __init__(
        self, function: Callable[..., Any], argnums: int | Sequence[int], has_aux: bool, forward: bool
    ) -> None:
        super().__init__(function)
        self.argnums = argnums if isinstance(argnums, int) else tuple(argnums)
        self.has_aux = has_aux
        self.forward = forward

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        numbers, single = _selected(args, self.argnums, "func.jacfwd" if self.forward else "func.jacrev")
        chosen = tuple([args[number] for number in numbers])
        raw = not any(isinstance(leaf, Tensor) for leaf in flatten(chosen)[0])
        inputs, tree = flatten(chosen)
        inputs = [as_frame(leaf) for leaf in inputs]
        structure: list[Any] = []

        def partial(*leaves: Any) -> Any:
            full = list(args)
            for number, value in zip(numbers, unflatten(tree, leaves), strict=True):
                full[number] = value
            result = self.function(*full, **kwargs)
            aux = None
            if self.has_aux:
                result, aux = with_aux(result, "func.jacfwd" if self.forward else "func.jacrev")
            outputs, out_tree = flatten(result)
            structure[:] = [out_tree]
            return ([as_frame(output) for output in outputs], aux)

        blocks, aux = (_by_columns if self.forward else _by_rows)(partial, inputs)
        (out_tree,) = structure
        rows = []
        for row in blocks:
            values = [
                block.array if raw and not block.requires_grad and block._frame.level == 0 else block for block in row
            ]
            per_input = unflatten(tree, values)
            rows.append(per_input[0] if single else per_input)
        jacobian = unflatten(out_tree, rows)
        return (jacobian, aux) if self.has_aux else jacobian


def _basis(like: Tensor) -> list[Tensor]:
    """The unit vectors of the space of ``like``, in row-major order."""
    xp = like._frame.namespace
    size = like.size
    eye = xp.eye(size, dtype=like.dtype, device=like.device)
    return [xp.reshape(eye[i, ...], tuple(like.shape)) for i in range(size)]


def _by_columns(partial: Callable[..., Any], inputs: list[Tensor]) -> tuple[list[list[Tensor]], Any]:
    columns: list[list[list[Tensor]]] = []
    aux = None
    outputs: Any = None
    for i, leaf in enumerate(inputs):
        of_input = []
        for unit in _basis(leaf):
            directions = [
                unit if j == i else other._frame.namespace.zeros_like(other) for j, other in enumerate(inputs)
            ]
            outputs, tangents, aux = jvp(partial, tuple(inputs), tuple(directions), has_aux=True)
            of_input.append(tangents)
        columns.append(of_input)
    if outputs is None or any(not of_input for of_input in columns):
        outputs, aux = partial(*inputs)
    blocks = []
    for o, output in enumerate(outputs):
        row = []
        for leaf, of_input in zip(inputs, columns, strict=True):
            xp = leaf._frame.namespace
            shape = (*output.shape, *leaf.shape)
            parts = [tangents[o] for tangents in of_input]
            row.append(xp.reshape(xp.stack(parts, axis=-1), shape) if parts else xp.zeros(shape, dtype=output.dtype))
        blocks.append(row)
    return blocks, aux


def _by_rows(partial: Callable[..., Any], inputs: list[Tensor]) -> tuple[list[list[Tensor]], Any]:
    outputs, pullback, aux = vjp(partial, *inputs, has_aux=True)
    blocks = []
    for o, output in enumerate(outputs):
        rows: list[Any] = []
        for unit in _basis(output):
            cotangents = [
                unit if k == o else other._frame.namespace.zeros_like(other) for k, other in enumerate(outputs)
            ]
            rows.append(pullback(cotangents))
        row = []
        for i, leaf in enumerate(inputs):
            xp = leaf._frame.namespace
            shape = (*output.shape, *leaf.shape)
            parts = [as_frame(gradients[i]) for gradients in rows]
            row.append(xp.reshape(xp.stack(parts, axis=0), shape) if parts else xp.zeros(shape, dtype=leaf.dtype))
        blocks.append(row)
    return blocks, aux


def jacfwd(function: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Callable[..., Any]:
    """The Jacobian of a function by forward mode, one pass for each element of the input: for few inputs and many outputs.

    Returns:
        a function giving arrays of shape ``output.shape + input.shape``, in the structure of the output and within that of the input;
        with ``has_aux`` a pair (Jacobian, aux).
    """
    return _Jacobian(function, argnums, has_aux, forward=True)


def jacrev(function: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Callable[..., Any]:
    """The Jacobian of a function by reverse mode, one pass for each element of the output: for many inputs and few outputs.

    Returns:
        as ``jacfwd``.
    """
    return _Jacobian(function, argnums, has_aux, forward=False)
