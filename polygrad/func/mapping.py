"""``vmap``: a function of one example as a function of a batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import optree

from ..array_api.random import drawn
from ..backend.frame import Level
from ..backend.select import backend_of
from ..core import modes
from ..core.tensor import SCALAR_TYPES, Tensor, as_frame
from ..errors import ArgumentError, ShapeError, describe
from ..levels.batched import Batched, make_batched
from ..levels.level import (
    adopt,
    adopt_tree,
    alias,
    arguments_of,
    drawing,
    leaves_of,
    leaves_of_arguments,
    lower,
    new_level,
    tree_of,
)
from ..levels.trees import flatten
from .transforms import Transform

RANDOMNESS = ("error", "different", "same")


class Vmap(Transform):
    """Function made by ``vmap``."""

    def __init__(
        self, function: Callable[..., Any], in_dims: Any, out_dims: Any, randomness: str, chunk_size: int | None
    ) -> None:
        super().__init__(function)
        if randomness not in RANDOMNESS:
            raise ArgumentError(
                f"vmap: only the values 'error', 'different' and 'same' are allowed for randomness, got {randomness!r}"
            )
        if chunk_size is not None and (not isinstance(chunk_size, int) or chunk_size < 1):
            raise ArgumentError(f"vmap: chunk_size has to be None or greater than 0, got {chunk_size!r}")
        self.in_dims = in_dims
        self.out_dims = out_dims
        self.randomness = randomness
        self.chunk_size = chunk_size

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        leaves, dims, tree = _inputs(self.in_dims, args)
        raw = not any(isinstance(leaf, Tensor) for leaf, dim in zip(leaves, dims, strict=True) if dim is not None)
        values = [_in_front(leaf, dim) for leaf, dim in zip(leaves, dims, strict=True)]
        size = _size(values, dims)
        kwargs = {name: adopt_tree(value) for name, value in kwargs.items()}
        chunk = self.chunk_size
        if chunk is None or chunk >= size:
            outputs, out_tree = self._run(values, dims, tree, kwargs, size, None)
        else:
            same: list[Any] | None = [] if self.randomness == "same" else None
            parts = []
            for start in range(0, size, chunk):
                rows = slice(start, min(start + chunk, size))
                piece = [v if dim is None else v[rows, ...] for v, dim in zip(values, dims, strict=True)]
                outputs, out_tree = self._run(piece, dims, tree, kwargs, rows.stop - start, same)
                parts.append(outputs)
            outputs = [_rejoined(column) for column in zip(*parts, strict=True)]
        return self._returned(outputs, out_tree, size, raw)

    def _run(
        self, values: Sequence[Any], dims: Sequence[Any], tree: Any, kwargs: Any, size: int, same: list[Any] | None
    ) -> tuple[list[tuple[Any, bool]], Any]:
        """The outputs for a batch: each with the batch in front, or the same for all examples (False)."""
        with new_level(records=False) as level, _randomness(self.randomness, size, level, same):
            # No name is given to what the function gets and returns: whoever still has it at the end has let it escape.
            return self._taken(
                self.function(
                    *arguments_of(
                        tree,
                        [v if dim is None else make_batched(v, level) for v, dim in zip(values, dims, strict=True)],
                    ),
                    **kwargs,
                ),
                level,
            )

    def _taken(self, result: Any, level: Level) -> tuple[list[tuple[Any, bool]], Any]:
        """Return the leaves of a result without the level, and their structure."""
        outputs, out_tree = leaves_of(result)
        found = []
        for output in outputs:
            if not isinstance(output, Tensor) and type(output) not in SCALAR_TYPES and backend_of(output) is None:
                raise ArgumentError(
                    f"vmap({_name(self.function)}): the function must only return Tensors (in nested tuples, lists, dicts), got "
                    f"{describe(output)}"
                )
            own = isinstance(output, Batched) and output._frame.level is level
            found.append((output._data if own else output, own))
        return found, out_tree

    def _returned(self, outputs: list[tuple[Any, bool]], tree: Any, size: int, raw: bool) -> Any:
        where = f"vmap({_name(self.function)}, ..., out_dims={self.out_dims})"
        if type(self.out_dims) is int:
            out_dims = [self.out_dims] * len(outputs)
        else:
            out_dims = _broadcast_prefix(self.out_dims, tree_of(tree, [0] * len(outputs)), f"{where}: out_dims")
        finished = []
        for (value, own), dim in zip(outputs, out_dims, strict=True):
            value = as_frame(value)
            if dim is None:
                if own:
                    raise ArgumentError(
                        f"{where}: an output differs from example to example, so its out_dim cannot be None; give the axis"
                    )
            else:
                ndim = value.ndim + (not own)
                if not -ndim <= dim < ndim:
                    raise ArgumentError(
                        f"{where}: out_dim={dim} is out of range for an output of {ndim} axes, the batch included"
                    )
                xp = value._frame.namespace
                if not own:
                    value = xp.broadcast_to(value, (size, *value.shape))
                value = xp.moveaxis(value, 0, dim) if dim % ndim else value
            finished.append(lower(value) if raw else value)
        return tree_of(tree, finished)


def _rejoined(chunks: Sequence[tuple[Any, bool]]) -> tuple[Any, bool]:
    """One output of all chunks."""
    first, own = chunks[0]
    return (first._frame.namespace.concat([value for value, _ in chunks], axis=0), True) if own else (first, False)


def _name(function: Any) -> str:
    return getattr(function, "__name__", type(function).__name__)


def _broadcast_prefix(dims: Any, tree: Any, where: str) -> list[Any]:
    """One axis number (or None) for each leaf of ``tree``, of which ``dims`` is a prefix."""
    if dims is None or isinstance(dims, int):
        return [dims] * len(flatten(tree)[0])
    try:
        return list(optree.broadcast_prefix(dims, tree, is_leaf=lambda d: d is None or isinstance(d, int)))
    except ValueError:
        raise ArgumentError(f"{where} is not compatible with the structure: {dims!r} for {flatten(tree)[1]}") from None


def _inputs(in_dims: Any, args: tuple[Any, ...]) -> tuple[list[Any], list[Any], Any]:
    """The leaves of the arguments, the axis of each that is mapped over (None: none), and their structure."""
    if not isinstance(in_dims, (int, tuple, list)):
        raise ArgumentError(
            f"vmap(in_dims={in_dims!r}): expected in_dims to be an int or a (nested) tuple that matches the arguments, got "
            f"{describe(in_dims)}"
        )
    if not args:
        raise ArgumentError("vmap: got no inputs: there has to be at least one positional argument to map over")
    if isinstance(in_dims, list):
        in_dims = tuple(in_dims)
    if isinstance(in_dims, tuple) and len(in_dims) != len(args):
        raise ArgumentError(
            f"vmap: in_dims={in_dims!r} has {len(in_dims)} entries, the function got {len(args)} arguments"
        )
    leaves, tree = leaves_of_arguments(args)
    dims = [in_dims] * len(leaves) if isinstance(in_dims, int) else _broadcast_prefix(in_dims, args, "vmap: in_dims")
    for leaf, dim in zip(leaves, dims, strict=True):
        if dim is None:
            continue
        if not isinstance(dim, int):
            raise ArgumentError(f"vmap: got in_dim={dim!r} for an input; it has to be an int or None")
        if not isinstance(leaf, Tensor) and backend_of(leaf) is None:
            raise ArgumentError(
                f"vmap: got in_dim={dim} for an input of type {type(leaf).__name__}, which is no array; use None as its in_dim"
            )
        if not -leaf.ndim <= dim < leaf.ndim:
            raise ArgumentError(
                f"vmap: got in_dim={dim} for an input with {leaf.ndim} axes, {describe(leaf)}: expected in_dim to satisfy "
                f"-{leaf.ndim} <= in_dim < {leaf.ndim}"
            )
    return leaves, dims, tree


def _in_front(leaf: Any, dim: int | None) -> Any:
    """A mapped input as a Tensor with the batch in front; another as the function sees it."""
    if dim is None:
        return adopt(leaf)
    value = as_frame(leaf)
    if dim % value.ndim:
        return value._frame.namespace.moveaxis(value, dim, 0)
    # A snapshot: what happens to the caller's Tensor in place is not seen here.
    return alias(value) if type(value) is Tensor else value


def _size(values: Sequence[Any], dims: Sequence[Any]) -> int:
    sizes = [value.shape[0] for value, dim in zip(values, dims, strict=True) if dim is not None]
    if not sizes:
        raise ArgumentError("vmap: expected at least one Tensor to map over, and every in_dim is None")
    if len(set(sizes)) > 1:
        raise ShapeError(
            f"vmap: expected all inputs to have the same size along the mapped axis, got sizes {sizes} for the mapped axes"
        )
    return sizes[0]  # type: ignore[no-any-return]


def _randomness(mode: str, size: int, level: Level, same: list[Any] | None) -> drawing:
    """Say what creation functions that draw random numbers do inside: refuse, draw for each example, or once for all.

    ``same`` has the numbers that an earlier chunk of the batch drew, which the later ones get too.
    """
    outer = modes.current().draw
    turn = 0

    def draw(home: Any, kind: str, shape: tuple[int, ...], dtype: Any, device: Any, **params: Any) -> Any:
        nonlocal turn
        if mode == "error":
            raise ArgumentError(
                "vmap: the function draws random numbers, and randomness='error' does not say whether they should be the same for all "
                "examples; pass randomness='same' or randomness='different'"
            )
        if mode == "different":
            return make_batched(drawn(home, kind, (size, *shape), dtype, device, draw=outer, **params), level)
        if same is None or turn >= len(same):
            out = drawn(home, kind, shape, dtype, device, draw=outer, **params)
            if same is not None:
                same.append(out)
        else:
            out = same[turn]
        turn += 1
        return out

    draw.randomness = mode  # type: ignore[attr-defined]
    return drawing(draw)


def vmap(
    func: Callable[..., Any],
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """A function of one example as a function of a batch. It runs once, on all examples at a time.

    Inside ``func`` Tensors have the shape of one example. Every operation has a rule that runs it on the whole batch, so this is
    no loop. ``vmap`` nests, and goes with the other transforms in any order: ``vmap(grad(loss), in_dims=(None, 0, 0))`` gives
    the gradient for each sample.

    Args:
        func: takes and returns arrays or pytrees of them.
        in_dims: along which axis of each positional argument the examples lie; None: it is the same for all. An integer for all
            arguments, or a tuple with one entry for each: an integer, None, or a tree of these. Keyword arguments are the same for all.
        out_dims: along which axis of each result the examples shall lie.
        randomness: what random numbers drawn inside are: "error" (do not draw any), "same" for all examples, or "different".
        chunk_size: map over that many examples at a time, to save memory; None: over all.

    Returns:
        a function of the same arguments. Raw arrays come back where raw arrays went in. What does not depend on a mapped argument is
        repeated along the axis.

    Raises:
        ArgumentError, ShapeError: ``in_dims`` or ``out_dims`` do not fit, or the mapped axes have different lengths.
        ConversionError: the function asks for a value, as in ``if x > 0``.
    """
    return Vmap(func, in_dims, out_dims, randomness, chunk_size)
