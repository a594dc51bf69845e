"""``vjp``, ``jvp`` and ``linearize``, and what the transforms have in common.

Each call opens a level: its arguments are wrapped in Tensors of that level, whose payloads are what the caller passed (raw arrays or
Tensors of lower levels). So transforms nest, and a derivative inside never sees the one outside.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from ..backend.frame import Level, open_level
from ..backend.select import backend_of
from ..core import modes
from ..core.graph import LEAF
from ..core.inplace import end_level
from ..core.tensor import Tensor, as_frame, edge_of, live
from ..engine import loop as engine
from ..errors import ArgumentError, DtypeError, ShapeError, describe
from ..levels.dual import Dual, make_dual
from ..levels.level import (
    alias,
    arguments_of,
    leaves_of,
    leaves_of_arguments,
    lower,
    new_level,
    tree_of,
    unwrap,
    wrap,
)
from ..levels.trees import map_leaves


def with_aux(result: Any, where: str) -> tuple[Any, Any]:
    """Return the two parts of what a function with ``has_aux`` returned."""
    if not (isinstance(result, tuple) and len(result) == 2):
        raise ArgumentError(
            f"{where}: with has_aux=True the function has to return a pair (output, aux), got {describe(result)}"
        )
    return result


def returned(value: Any, level: Level, raw: bool) -> Any:
    """Return a result as the caller of a transform sees it: without its level; a raw array if the caller passed only ``raw`` arrays."""
    if not isinstance(value, Tensor):
        return value
    value = value._data if value._frame.level is level else live(value, "func")
    return lower(value) if raw else value


def all_raw(leaves: Sequence[Tensor]) -> bool:
    """Return whether the payloads of the leaves of a level are raw arrays."""
    for leaf in leaves:  # noqa: SIM110 - a generator takes longer
        if leaf._frame.lifted:
            return False
    return True


def selected_arguments(args: Sequence[Any], argnums: int | Sequence[int], where: str) -> tuple[list[int], bool]:
    single = isinstance(argnums, int)
    numbers: list[int] = [argnums] if isinstance(argnums, int) else list(argnums)
    for number in numbers:
        if not -len(args) <= number < len(args):
            raise ArgumentError(
                f"{where}: argnums={argnums} but the function was called with {len(args)} positional arguments"
            )
    return [number % len(args) for number in numbers], single


class Transform:
    """A transformed function; an object of a class, so that it pickles if the function does."""

    def __init__(self, function: Callable[..., Any]) -> None:
        if not callable(function):
            raise ArgumentError(f"{type(self).__name__}: expected a function, got {describe(function)}")
        self.function = function
        functools.update_wrapper(self, function, updated=())  # type: ignore[arg-type]  # a transform has attributes of its own

    def __reduce__(self) -> Any:
        return (_rebuild, (type(self), {k: v for k, v in self.__dict__.items() if k != "__wrapped__"}))


def _rebuild(kind: type[Transform], state: dict[str, Any]) -> Transform:
    out = kind.__new__(kind)
    out.__dict__.update(state, __wrapped__=state["function"])
    return out


def gradient_of(leaf: Tensor, found: dict[Any, Any]) -> Any:
    g = found.get(leaf)
    frame = leaf._frame
    if g is None:
        return frame.raw.zeros_like(leaf._data)
    if isinstance(g, Tensor):
        return g if frame.lifted else lower(g)
    return frame.backend.own(g, False)


ROOM = 8
"""The depth to which transforms may be nested around a pullback before their levels reach its own."""


class Pullback:
    """A function that has run at a level of its own, and its reverse pass: cotangents in, cotangents out, as often as one likes."""

    __slots__ = ("aux", "leaves", "level", "outputs", "raw", "tree")

    def __init__(
        self, function: Callable[..., Any], leaves: Sequence[Any], tree: Any, where: str, has_aux: bool
    ) -> None:
        before = modes.current()
        state = before.inside(True, ROOM)
        self.level = open_level(state.level)
        modes.MODE.set(state)
        try:
            self.leaves = [wrap(leaf, self.level, where) for leaf in leaves]
            result = function(*arguments_of(tree, self.leaves))
            aux = None
            if has_aux:
                result, aux = with_aux(result, where)
            self.outputs, self.tree = leaves_of(result)
            if self.level.written:  # what was written to loses the level at its end
                self.outputs = [alias(out) if type(out) is Tensor else out for out in self.outputs]
        finally:
            modes.MODE.set(before)
            end_level(self.level)
        self.raw = all_raw(self.leaves)
        self.aux = map_leaves(lambda leaf: returned(leaf, self.level, self.raw), aux) if has_aux else None

    def value(self) -> Any:
        """Return the output as the caller sees it."""
        return tree_of(self.tree, self.values())

    def values(self) -> list[Any]:
        """Return the leaves of the output as the caller sees them."""
        return [returned(output, self.level, self.raw) for output in self.outputs]

    def __call__(self, cotangents: Sequence[Any]) -> list[Any]:
        """Return the cotangents of the leaves, given one (or None) for each output."""
        level = self.level
        roots = []
        for output, g in zip(self.outputs, cotangents):  # noqa: B905 - one for each
            if g is None or not isinstance(output, Tensor):
                continue
            frame, node = output._frame, output._node
            if node is not None and frame.level is level:
                edge = output if node is LEAF else node
                roots.append((edge, lower(g) if isinstance(g, Tensor) and not frame.lifted else g))
        if not roots:
            return [gradient_of(leaf, {}) for leaf in self.leaves]
        level.open = True
        try:
            found, _ = engine.run_pass(roots, retain=True, create_graph=False)
        finally:
            level.pause()
        return [gradient_of(leaf, found) for leaf in self.leaves]


def vjp(function: Callable[..., Any], *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """The value of a function and the map from cotangents of its output to those of its inputs.

    Args:
        function: takes ``primals`` (arrays or pytrees), returns an array or a pytree.
        has_aux: the function returns a pair (output, aux).

    Returns:
        (output, pullback), or (output, pullback, aux). ``pullback(cotangents)`` takes the structure of the output and returns a tuple
        with one entry for each primal; it can be called any number of times, also under ``vmap``.
    """
    leaves, tree = leaves_of_arguments(primals)
    pull = Pullback(function, leaves, tree, "func.vjp", has_aux)

    def pullback(cotangents: Any) -> tuple[Any, ...]:
        given, given_tree = leaves_of(cotangents)
        if given_tree != pull.tree:
            raise ArgumentError(
                f"func.vjp: the cotangents have the structure {given_tree or '*'}, the output {pull.tree or '*'}"
            )
        for i, output in enumerate(pull.outputs):
            given[i] = _cotangent(given[i], output)
        return arguments_of(tree, pull(given))

    value = pull.value()
    return (value, pullback, pull.aux) if has_aux else (value, pullback)


def _cotangent(g: Any, output: Any) -> Any:
    """Return a cotangent as it fits an output: another precision is converted.

    Raises
    ------
    ShapeError, DtypeError
        It does not fit.
    """
    if not isinstance(output, Tensor):
        return None
    dtype = output.dtype
    if hasattr(g, "dtype") and g.dtype == dtype and g.shape == output.shape:
        return g
    frame, tensor = output._frame, as_frame(g, output._frame)
    if tuple(tensor.shape) != tuple(output.shape):
        raise ShapeError(f"func.vjp: a cotangent has shape {tuple(tensor.shape)}, its output {tuple(output.shape)}")
    number = type(g) in (int, float) or (type(g) is complex and dtype in frame.complex)
    same_kind = tensor.dtype in frame.floating and (tensor.dtype in frame.complex) == (dtype in frame.complex)
    if not number and not same_kind and dtype in frame.floating:
        raise DtypeError(
            f"func.vjp: a cotangent has dtype {tensor.dtype}, its output {dtype}; a cotangent is of the kind of its output, convert it"
        )
    if dtype not in frame.floating:
        return g
    cast = frame.namespace.astype(tensor, dtype)
    return cast if isinstance(g, Tensor) else cast._data


def push(
    function: Callable[..., Any],
    leaves: Sequence[Tensor],
    tangents: Sequence[Any],
    tree: Any,
    where: str,
    has_aux: bool,
) -> tuple[list[Tensor], list[Tensor | None], Any, Any]:
    """The outputs of a function, their tangents, their structure and what comes with them, given a tangent (or None) for each leaf."""
    with new_level() as level:
        duals = [make_dual(leaf, tangent, level) for leaf, tangent in zip(leaves, tangents, strict=True)]
        result = function(*arguments_of(tree, duals))
        aux = None
        if has_aux:
            result, aux = with_aux(result, where)
        outputs, out_tree = leaves_of(result)
        primals: list[Tensor] = []
        found: list[Tensor | None] = []
        for output in outputs:
            own = isinstance(output, Dual) and output._frame.level is level
            primals.append(output.primal if own else as_frame(output))
            found.append(output.tangent if own else None)
        aux = map_leaves(lambda leaf: unwrap(leaf, level), aux) if has_aux else None
    return primals, found, out_tree, aux


def _directions(primals: Any, tangents: Any, where: str) -> tuple[list[Tensor], list[Tensor], Any]:
    """Points and tangents as Tensors, leaf by leaf, once it is clear that they fit each other."""
    if not isinstance(primals, tuple) or not isinstance(tangents, tuple):
        raise ArgumentError(f"{where}: primals and tangents have to be tuples, one entry for each argument")
    leaves, tree = leaves_of_arguments(primals)
    directions, other = leaves_of_arguments(tangents)
    if tree != other:
        raise ArgumentError(f"{where}: the tangents have the structure {other}, the primals {tree}")
    return differentiable(leaves, where), [fitting(p, t, where) for p, t in zip(leaves, directions, strict=True)], tree


def differentiable(leaves: Sequence[Any], where: str) -> list[Tensor]:
    """The arguments to differentiate as Tensors.

    Raises:
        ArgumentError: one is no array. DtypeError: one is not floating.
    """
    found = []
    for leaf in leaves:
        if not isinstance(leaf, Tensor) and backend_of(leaf) is None:
            raise ArgumentError(f"{where}: the primals have to be arrays or Tensors, got {describe(leaf)}")
        tensor = as_frame(leaf)
        if tensor.dtype not in tensor._frame.floating:
            raise DtypeError(
                f"{where}: can only differentiate with respect to floating or complex arrays, got {tensor.dtype}"
            )
        found.append(tensor)
    return found


def fitting(primal: Any, tangent: Any, where: str) -> Tensor:
    """A tangent as a Tensor, which has to have the shape and dtype of its primal."""
    tensor = as_frame(tangent)
    if tuple(primal.shape) != tuple(tensor.shape) or as_frame(primal).dtype != tensor.dtype:
        raise ShapeError(f"{where}: the tangent {describe(tangent)} does not fit its primal {describe(primal)}")
    return tensor


def jvp(
    function: Callable[..., Any], primals: tuple[Any, ...], tangents: tuple[Any, ...], *, has_aux: bool = False
) -> tuple[Any, ...]:
    """The value of a function and its directional derivative, in one forward pass.

    Args:
        function: takes ``primals``, returns an array or a pytree.
        primals, tangents: tuples of the same structure; each tangent has the shape and dtype of its primal.
        has_aux: the function returns a pair (output, aux).

    Returns:
        (output, tangent), or (output, tangent, aux).
    """
    leaves, directions, tree = _directions(primals, tangents, "func.jvp")
    raw = not any(isinstance(leaf, Tensor) for leaf in leaves_of_arguments(primals)[0])
    values, found, out_tree, aux = push(function, leaves, directions, tree, "func.jvp", has_aux)
    slopes = [v._frame.namespace.zeros_like(v) if t is None else t for v, t in zip(values, found, strict=True)]
    if raw:
        values, slopes = [lower(v) for v in values], [lower(t) for t in slopes]
    value, slope = tree_of(out_tree, values), tree_of(out_tree, slopes)
    return (value, slope, aux) if has_aux else (value, slope)


def linearize(function: Callable[..., Any], *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """The value of a function and its derivative at a point, as a function of the tangents.

    The function runs once. Each call of the derivative is a pass over what that has recorded: the pullback is linear in the
    cotangents, and its own pullback is the derivative.

    Args:
        function: takes ``primals`` (arrays or pytrees), returns an array or a pytree.
        has_aux: the function returns a pair (output, aux).

    Returns:
        (output, derivative), or (output, derivative, aux). ``derivative(*tangents)`` takes one tangent for each primal and returns a
        tangent in the structure of the output; it can be called any number of times, also under ``vmap``.
    """
    where = "func.linearize"
    leaves, tree = leaves_of_arguments(primals)
    with new_level() as level:
        pull = Pullback(function, leaves, tree, where, has_aux)
        values = pull.values()
        zeros = [as_frame(v)._frame.namespace.zeros_like(as_frame(v)) for v in values]
        floating = [zero.dtype in zero._frame.floating for zero in zeros]
        cotangents = [wrap(zero, level, where) if own else None for zero, own in zip(zeros, floating, strict=True)]
        gradients = pull(cotangents)
    raw = not any(isinstance(leaf, Tensor) for leaf in leaves)

    def derivative(*tangents: Any) -> Any:
        _, directions, _ = _directions(primals, tangents, where)
        wanted = [cotangent for cotangent in cotangents if cotangent is not None]
        roots = [
            (edge_of(g), t)
            for g, t in zip(gradients, directions, strict=True)
            if isinstance(g, Tensor) and g._frame.level is level and g._node is not None
        ]
        found: dict[Any, Any] = {}
        if roots:
            needed = engine.restrict([edge for edge, _ in roots], wanted)
            found, _ = engine.run_pass(roots, retain=True, create_graph=False, needed=needed)
        slopes = [
            zero if c is None or c not in found else as_frame(found[c])
            for zero, c in zip(zeros, cotangents, strict=True)
        ]
        return tree_of(pull.tree, [lower(t) for t in slopes] if raw else slopes)

    value = tree_of(pull.tree, values)
    return (value, derivative, pull.aux) if has_aux else (value, derivative)
