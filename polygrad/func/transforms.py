"""``grad``, ``value_and_grad``, ``vjp``, ``jvp`` and ``linearize``.

Each call opens a level: its arguments are wrapped in Tensors of that level, whose payloads are what the caller passed (raw arrays or
Tensors of lower levels). So transforms nest, and a derivative inside never sees the one outside.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from ..backend.select import backend_of
from ..core.tensor import Tensor, as_frame, edge_of, level_of
from ..engine import loop as engine
from ..errors import ArgumentError, DtypeError, GraphError, ShapeError, describe
from ..levels.dual import Dual, make_dual
from ..levels.level import adopt, below, lower, new_level, unwrap, wrap
from ..levels.trees import flatten, map_leaves, unflatten


def with_aux(result: Any, where: str) -> tuple[Any, Any]:
    """What a function with ``has_aux`` has returned, in its two parts."""
    if not (isinstance(result, tuple) and len(result) == 2):
        raise ArgumentError(
            f"{where}: with has_aux=True the function has to return a pair (output, aux), got {describe(result)}"
        )
    return result


def _finisher(leaves: Sequence[Tensor], level: int) -> Callable[[Any], Any]:
    """What makes a result into what the caller sees: raw arrays if he passed nothing but raw arrays."""
    raw = not any(leaf._frame.lifted for leaf in leaves)

    def finish(value: Any) -> Any:
        value = unwrap(value, level)
        return lower(value) if raw else value

    return finish


def _selected(args: Sequence[Any], argnums: int | Sequence[int], where: str) -> tuple[list[int], bool]:
    single = isinstance(argnums, int)
    numbers: list[int] = [argnums] if isinstance(argnums, int) else list(argnums)
    for number in numbers:
        if not -len(args) <= number < len(args):
            raise ArgumentError(
                f"{where}: argnums={argnums} but the function was called with {len(args)} positional arguments"
            )
    return [number % len(args) for number in numbers], single


class _Transform:
    """A transformed function; an object of a class, so that it pickles if the function does."""

    def __init__(self, function: Callable[..., Any]) -> None:
        if not callable(function):
            raise ArgumentError(f"{type(self).__name__}: expected a function, got {describe(function)}")
        self.function = function
        functools.update_wrapper(self, function, updated=())  # type: ignore[arg-type]  # a transform has attributes of its own

    def __reduce__(self) -> Any:
        return (_rebuild, (type(self), {k: v for k, v in self.__dict__.items() if k != "__wrapped__"}))


def _rebuild(kind: type[_Transform], state: dict[str, Any]) -> _Transform:
    out = kind.__new__(kind)
    out.__dict__.update(state, __wrapped__=state["function"])
    return out


class GradAndValue(_Transform):
    """What ``grad``, ``grad_and_value`` and ``value_and_grad`` return; ``order`` says what comes out."""

    def __init__(
        self,
        function: Callable[..., Any],
        argnums: int | Sequence[int] | None,
        has_aux: bool,
        argnames: str | Sequence[str] | None,
        order: str,
    ) -> None:
        super().__init__(function)
        if argnums is None and argnames is None:
            argnums = 0
        self.argnums = argnums if argnums is None or isinstance(argnums, int) else tuple(argnums)
        self.argnames = argnames if argnames is None or isinstance(argnames, str) else tuple(argnames)
        self.has_aux = has_aux
        self.order = order

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        where = f"func.{self.order}"
        numbers, single = ([], False) if self.argnums is None else _selected(args, self.argnums, where)
        names = (self.argnames,) if isinstance(self.argnames, str) else self.argnames or ()
        for name in names:
            if name not in kwargs:
                raise ArgumentError(
                    f"{where}: argnames={self.argnames!r}, but the function was not called with the keyword argument {name!r}"
                )
        with new_level() as level:
            leaves, tree = flatten(([args[number] for number in numbers], [kwargs[name] for name in names]))
            wrapped = [wrap(leaf, level, where) for leaf in leaves]
            chosen, named = unflatten(tree, wrapped)
            full, given = map_leaves(adopt, (list(args), kwargs))
            for number, value in zip(numbers, chosen, strict=True):
                full[number] = value
            result = self.function(*full, **{**given, **dict(zip(names, named, strict=True))})
            aux = None
            if self.has_aux:
                result, aux = with_aux(result, where)
            if not isinstance(result, Tensor) or result.size != 1 or result.ndim != 0:
                got = f"a Tensor of shape {tuple(result.shape)}" if isinstance(result, Tensor) else describe(result)
                raise GraphError(
                    f"{where}: the function has to return a scalar (a 0-d Tensor), got {got}; reduce it, for example with sum(), or use "
                    f"func.vjp"
                )
            if level_of(result) == level and result._frame.backend.xp.isdtype(result.dtype, "complex floating"):
                raise DtypeError(
                    f"{where}: the function has to return a real scalar, got dtype {result.dtype}; take its real part, or abs"
                )
            found: dict[Any, Any] = {}
            if level_of(result) == level and result._node is not None:
                frame = result._frame
                seed = frame.raw.ones((), dtype=result.dtype, device=result.device)
                found = _pull(result, seed, wrapped, level)
            grads = [_gradient(leaf, found) for leaf in wrapped]
        by_number, by_name = unflatten(tree, grads)
        finish = _finisher(wrapped, level)
        value = finish(result)
        if self.has_aux:
            aux = map_leaves(finish, aux)
        out = by_number[0] if single else tuple(by_number)
        if self.argnames is not None:
            of_names = by_name[0] if isinstance(self.argnames, str) else dict(zip(names, by_name, strict=True))
            out = of_names if self.argnums is None else (out, of_names)
        if self.order == "grad":
            return (out, aux) if self.has_aux else out
        if self.order == "grad_and_value":
            return (out, (value, aux)) if self.has_aux else (out, value)
        return ((value, aux), out) if self.has_aux else (value, out)


def _pull(result: Tensor, seed: Any, leaves: Sequence[Tensor], level: int) -> dict[Any, Any]:
    edge = edge_of(result)
    needed = engine.restrict([edge], leaves)
    # The pass runs on payloads, so grad mode is that of the levels below.
    with below(level):
        found, _ = engine.run([(edge, seed)], retain=True, create_graph=False, needed=needed)
        return found


def _gradient(leaf: Tensor, found: dict[Any, Any]) -> Any:
    g = found.get(leaf)
    frame = leaf._frame
    if g is None:
        return frame.raw.zeros_like(leaf._data)
    if isinstance(g, Tensor):
        return g if frame.lifted else lower(g)
    return frame.backend.own(g, False)


Numbers = int | Sequence[int] | None
Names = str | Sequence[str] | None


def grad(
    function: Callable[..., Any], argnums: Numbers = None, has_aux: bool = False, *, argnames: Names = None
) -> Callable[..., Any]:
    """The gradient of a scalar function as a function of the same arguments.

    Args:
        function: takes arrays or pytrees of them, returns a 0-d result; with ``has_aux`` a pair (result, anything).
        argnums: with respect to which positional arguments; an integer gives one gradient, a sequence a tuple. Default: the first
            one, unless there are ``argnames``.
        argnames: with respect to which keyword arguments; a name gives one gradient, a sequence a dictionary. With ``argnums`` as well
            a pair.

    Returns:
        a function returning the gradient, in the structure of the argument; with ``has_aux`` a pair (gradient, aux). Raw arrays
        come back where raw arrays went in. An argument that the result does not depend on has a gradient of zeros.

    Raises:
        GraphError: the result is not a scalar. DtypeError: an argument is not floating, or the result is complex.
    """
    return GradAndValue(function, argnums, has_aux, argnames, "grad")


def value_and_grad(
    function: Callable[..., Any], argnums: Numbers = None, has_aux: bool = False, *, argnames: Names = None
) -> Callable[..., Any]:
    """As ``grad``, returning (value, gradient), as in JAX; with ``has_aux`` ((value, aux), gradient)."""
    return GradAndValue(function, argnums, has_aux, argnames, "value_and_grad")


def grad_and_value(
    function: Callable[..., Any], argnums: Numbers = None, has_aux: bool = False, *, argnames: Names = None
) -> Callable[..., Any]:
    """As ``grad``, returning (gradient, value), as in torch.func; with ``has_aux`` (gradient, (value, aux))."""
    return GradAndValue(function, argnums, has_aux, argnames, "grad_and_value")


ROOM = 8
"""How deep transforms may be nested around a pullback before their levels reach its own."""


class Pullback:
    """A function that has run at a level of its own, and its reverse pass: cotangents in, cotangents out, as often as one likes."""

    def __init__(
        self, function: Callable[..., Any], leaves: Sequence[Any], tree: Any, where: str, has_aux: bool
    ) -> None:
        with new_level(room=ROOM) as self.level:
            self.leaves = [wrap(leaf, self.level, where) for leaf in leaves]
            result = function(*unflatten(tree, self.leaves))
            aux = None
            if has_aux:
                result, aux = with_aux(result, where)
            self.outputs, self.tree = flatten(result)
        self.finish = _finisher(self.leaves, self.level)
        self.aux = map_leaves(self.finish, aux) if has_aux else None

    def values(self) -> list[Any]:
        """The outputs as the caller sees them."""
        return [self.finish(output) for output in self.outputs]

    def __call__(self, cotangents: Sequence[Any]) -> list[Any]:
        """The cotangents of the leaves, given one (or None) for each output."""
        roots = []
        for output, g in zip(self.outputs, cotangents, strict=True):
            if g is not None and level_of(output) == self.level and output._node is not None:
                roots.append((edge_of(output), g if output._frame.lifted else lower(g)))
        found: dict[Any, Any] = {}
        if roots:
            needed = engine.restrict([edge for edge, _ in roots], self.leaves)
            found, _ = engine.run(roots, retain=True, create_graph=False, needed=needed)
        return [_gradient(leaf, found) for leaf in self.leaves]


def vjp(function: Callable[..., Any], *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """The value of a function and the map from cotangents of its output to those of its inputs.

    Args:
        function: takes ``primals`` (arrays or pytrees), returns an array or a pytree.
        has_aux: the function returns a pair (output, aux).

    Returns:
        (output, pullback), or (output, pullback, aux). ``pullback(cotangents)`` takes the structure of the output and returns a tuple
        with one entry for each primal; it can be called any number of times, also under ``vmap``.
    """
    leaves, tree = flatten(primals)
    pull = Pullback(function, leaves, tree, "func.vjp", has_aux)

    def pullback(cotangents: Any) -> tuple[Any, ...]:
        given, given_tree = flatten(cotangents)
        if given_tree != pull.tree:
            raise ArgumentError(f"func.vjp: the cotangents have the structure {given_tree}, the output {pull.tree}")
        for output, g in zip(pull.outputs, given, strict=True):
            if tuple(g.shape) != tuple(output.shape):
                raise ShapeError(f"func.vjp: a cotangent has shape {tuple(g.shape)}, its output {tuple(output.shape)}")
        return tuple(unflatten(tree, pull(given)))

    value = unflatten(pull.tree, pull.values())
    return (value, pullback, pull.aux) if has_aux else (value, pullback)


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
        result = function(*unflatten(tree, duals))
        aux = None
        if has_aux:
            result, aux = with_aux(result, where)
        outputs, out_tree = flatten(result)
    primals: list[Tensor] = []
    found: list[Tensor | None] = []
    for output in outputs:
        own = isinstance(output, Dual) and output._frame.level == level
        primals.append(output.primal if own else as_frame(output))
        found.append(output.tangent if own else None)
    return primals, found, out_tree, map_leaves(lambda leaf: unwrap(leaf, level), aux)


def _directions(primals: Any, tangents: Any, where: str) -> tuple[list[Tensor], list[Tensor], Any]:
    """Points and tangents as Tensors, leaf by leaf, once it is clear that they fit each other."""
    if not isinstance(primals, tuple) or not isinstance(tangents, tuple):
        raise ArgumentError(f"{where}: primals and tangents have to be tuples, one entry for each argument")
    leaves, tree = flatten(primals)
    directions, other = flatten(tangents)
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
    raw = not any(isinstance(leaf, Tensor) for leaf in flatten(primals)[0])
    values, found, out_tree, aux = push(function, leaves, directions, tree, "func.jvp", has_aux)
    slopes = [v._frame.namespace.zeros_like(v) if t is None else t for v, t in zip(values, found, strict=True)]
    if raw:
        values, slopes = [lower(v) for v in values], [lower(t) for t in slopes]
    value, slope = unflatten(out_tree, values), unflatten(out_tree, slopes)
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
    leaves, tree = flatten(primals)
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
            if level_of(g) == level and g._node is not None
        ]
        found: dict[Any, Any] = {}
        if roots:
            needed = engine.restrict([edge for edge, _ in roots], wanted)
            found, _ = engine.run(roots, retain=True, create_graph=False, needed=needed)
        slopes = [
            zero if c is None or c not in found else as_frame(found[c])
            for zero, c in zip(zeros, cotangents, strict=True)
        ]
        return unflatten(pull.tree, [lower(t) for t in slopes] if raw else slopes)

    value = unflatten(pull.tree, values)
    return (value, derivative, pull.aux) if has_aux else (value, derivative)
