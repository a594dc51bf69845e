"""Functions with derivatives of the user's own, in JAX's manner: ``custom_vjp`` and ``custom_jvp``."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Sequence
from typing import Any

from ..backend.frame import Level
from ..core.tensor import Tensor, as_frame
from ..errors import ArgumentError, DtypeError, NoDerivativeError, ShapeError, describe
from ..levels.batched import stacked
from ..levels.call import run
from ..levels.custom import CustomCall, Inner, Leaves, in_front, over_batch
from ..levels.level import adopt
from ..levels.trees import flatten, map_leaves, unflatten
from .transforms import Pullback


# -- functions of the user's --------------------------------------------------------------------------------------------
class Custom:
    """A function with a derivative of its own; what ``custom_jvp`` and ``custom_vjp`` have in common."""

    one_by_one = False
    """True if the function has to run example by example under ``vmap``, because it looks at values."""

    def __init__(self, fun: Callable[..., Any], nondiff_argnums: Sequence[int] = ()) -> None:
        if not callable(fun):
            raise ArgumentError(f"{type(self).__name__}: expected a function, got {describe(fun)}")
        self.fun = fun
        self.nondiff_argnums = tuple(nondiff_argnums)
        functools.update_wrapper(self, fun)

    def __reduce__(self) -> Any:
        """By reference, like the function that it stands for."""
        found: Any = sys.modules.get(self.__module__)
        for part in self.__qualname__.split("."):  # type: ignore[attr-defined]
            found = getattr(found, part, None)
        return self.__qualname__ if found is self else super().__reduce__()

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        args = self._positional(args, kwargs)
        held = {number % len(args): args[number] for number in self.nondiff_argnums if -len(args) <= number < len(args)}
        leaves, tree = flatten([arg for i, arg in enumerate(args) if i not in held])
        call = self._call(Call(self, held, tree))
        outs = run(call, [adopt(leaf) for leaf in leaves])
        return unflatten(call.call.out_tree, outs)

    def _positional(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        if not kwargs and not self._defaults:
            return args
        bound = inspect.signature(self.fun).bind(*args, **kwargs)
        bound.apply_defaults()
        if bound.kwargs:
            raise ArgumentError(
                f"{self.__name__}: keyword-only arguments ({', '.join(bound.kwargs)}) have no place in a derivative rule; "  # type: ignore[attr-defined]
                f"make them positional"
            )
        return bound.args

    @functools.cached_property
    def _defaults(self) -> bool:
        return any(p.default is not p.empty for p in inspect.signature(self.fun).parameters.values())

    def _call(self, call: Call) -> Any:
        raise NotImplementedError


class Call:
    """The fixed part of one call of a ``Custom``: what is not differentiated, and the structure of arguments and output."""

    def __init__(self, custom: Any, held: dict[int, Any], tree: Any) -> None:
        self.custom = custom
        self.name: str = custom.__name__
        self.held = held
        self.tree = tree
        self.out_tree: Any = None

    def arguments(self, leaves: Leaves) -> list[Any]:
        """The differentiable arguments."""
        return list(unflatten(self.tree, leaves))

    def full(self, leaves: Leaves) -> list[Any]:
        """All arguments, in their order."""
        rest = iter(self.arguments(leaves))
        number = len(self.held) + self.tree.num_children
        return [self.held[i] if i in self.held else next(rest) for i in range(number)]

    def first(self) -> list[Any]:
        """Return the arguments that are not differentiated, which a rule gets in front of the others."""
        return [self.held[i] for i in sorted(self.held)]

    def outputs(self, result: Any) -> list[Any]:
        """The leaves of an output, as Tensors where they are arrays or numbers."""
        outs, self.out_tree = flatten(result)
        return [as_frame(out) if not isinstance(out, str) else out for out in outs]

    def like_output(self, what: str, value: Any) -> list[Any]:
        """The leaves of what has to have the structure of the output."""
        leaves, tree = flatten(value)
        if tree != self.out_tree:
            raise ArgumentError(f"{self.name}: {what} has the structure {tree}, the output {self.out_tree}")
        return [as_frame(leaf) for leaf in leaves]


class JvpCall(CustomCall):
    """A call of a ``custom_jvp``."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.name = call.name

    def primal(self, leaves: Leaves) -> list[Any]:
        return self.call.outputs(self.call.custom.fun(*self.call.full(leaves)))

    def jvp(self, leaves: Leaves, directions: Leaves) -> tuple[list[Any], list[Any]]:
        rule = self.call.custom.rule
        if rule is None:
            raise NoDerivativeError(
                f"{self.name}: no derivative has been given: define one with {self.name}.defjvp(rule)"
            )
        filled = [_zeros(leaf) if d is None else d for leaf, d in zip(leaves, directions, strict=True)]
        primals, moving = tuple(self.call.arguments(leaves)), tuple(self.call.arguments(filled))
        result = rule(*self.call.first(), primals, moving)
        if not (isinstance(result, tuple) and len(result) == 2):
            raise ArgumentError(
                f"{self.name}: the rule given to defjvp has to return a pair (output, tangent), got {describe(result)}"
            )
        outs = self.call.outputs(result[0])
        slopes = self.call.like_output("the tangent that the rule given to defjvp returned", result[1])
        for out, slope in zip(outs, slopes, strict=True):
            _fits(f"{self.name}: the rule given to defjvp returned a tangent", slope, out)
        return outs, slopes

    def forward(self, leaves: Leaves) -> tuple[Leaves, Any]:
        return run(self, leaves), None

    def pull(self, leaves: Leaves, kept: Any, cotangents: Leaves, wanted: Sequence[bool]) -> list[Any]:
        return _transposed(self, leaves, cotangents, wanted)

    def batched(self, mapped: Sequence[bool], size: int, level: Level) -> CustomCall:
        return BatchedJvp(self, mapped, size, level)


def _transposed(spec: CustomCall, leaves: Leaves, cotangents: Leaves, wanted: Sequence[bool]) -> list[Any]:
    """The pullback of a rule that gives tangents: these are linear in the tangents of the leaves, so it is the reverse pass of that."""
    moving = [i for i, want in enumerate(wanted) if want]

    def slopes(*directions: Any) -> Leaves:
        given = dict(zip(moving, directions, strict=True))
        return spec.jvp(leaves, [given.get(i) for i in range(len(leaves))])[1]

    zeros = [_zeros(leaves[i]) for i in moving]
    found = Pullback(slopes, zeros, None, spec.name, False)(cotangents)
    result: list[Any] = [None] * len(leaves)
    for i, g in zip(moving, found, strict=True):
        result[i] = as_frame(g)
    return result


def _zeros(leaf: Any) -> Any:
    return (
        leaf._frame.namespace.zeros_like(leaf)
        if isinstance(leaf, Tensor)
        else 0
        if type(leaf) in (int, float)
        else leaf
    )


def _fits(what: str, value: Any, like: Any) -> None:
    if tuple(value.shape) != tuple(like.shape):
        raise ShapeError(f"{what} of shape {tuple(value.shape)} where {tuple(like.shape)} belongs")
    if value.dtype != like.dtype:
        raise DtypeError(f"{what} of dtype {value.dtype} where {like.dtype} belongs")


class VjpCall(CustomCall):
    """A call of a ``custom_vjp``."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.name = call.name

    def primal(self, leaves: Leaves) -> list[Any]:
        return self.call.outputs(self.call.custom.fun(*self.call.full(leaves)))

    def jvp(self, leaves: Leaves, directions: Leaves) -> tuple[list[Any], list[Any]]:
        raise NoDerivativeError(
            f"{self.name}: forward-mode differentiation (jvp, jacfwd, hvp) cannot be applied to a custom_vjp function, which has a rule "
            f"for reverse mode only; use custom_jvp, whose rule serves both modes"
        )

    def forward(self, leaves: Leaves) -> tuple[Leaves, Any]:
        custom = self.call.custom
        if custom.fwd is None:
            raise NoDerivativeError(
                f"{self.name}: no derivative has been given: define one with {self.name}.defvjp(fwd, bwd)"
            )
        result = custom.fwd(*self.call.full(leaves))
        if not (isinstance(result, tuple) and len(result) == 2):
            raise ArgumentError(
                f"{self.name}: the function fwd given to defvjp has to return a pair (output, residuals), got {describe(result)}"
            )
        return self.call.outputs(result[0]), result[1]

    def pull(self, leaves: Leaves, kept: Any, cotangents: Leaves, wanted: Sequence[bool]) -> list[Any]:
        result = self.call.custom.bwd(*self.call.first(), kept, unflatten(self.call.out_tree, cotangents))
        arguments = self.call.arguments(range(len(leaves)))
        if not isinstance(result, (tuple, list)) or len(result) != len(arguments):
            got = f"{len(result)} of them" if isinstance(result, (tuple, list)) else describe(result)
            raise ArgumentError(
                f"{self.name}: the function bwd given to defvjp has to return a tuple with one cotangent (or None) for each of "
                f"the {len(arguments)} differentiable arguments, got {got}"
            )
        found: list[Any] = [None] * len(leaves)
        for argument, given in zip(arguments, result, strict=True):
            places, tree = flatten(argument)
            if given is None:
                continue
            parts, given_tree = flatten(given)
            if given_tree != tree:
                raise ArgumentError(
                    f"{self.name}: the function bwd given to defvjp returned a cotangent of structure {given_tree} for an argument of "
                    f"structure {tree}"
                )
            for place, part in zip(places, parts, strict=True):
                if wanted[place]:
                    part = as_frame(part)
                    _fits(f"{self.name}: the function bwd given to defvjp returned a cotangent", part, leaves[place])
                    found[place] = part
        return found

    def batched(self, mapped: Sequence[bool], size: int, level: Level) -> CustomCall:
        return BatchedVjp(self, mapped, size, level)


# -- on a batch ---------------------------------------------------------------------------------------------------------
class BatchedJvp(CustomCall):
    """The same on a batch: another call of its kind, whose leaves and outputs have a batch axis."""

    def __init__(self, inner: Any, mapped: Sequence[bool], size: int, level: Level) -> None:
        self.inner = inner
        self.mapped = list(mapped)
        self.size = size
        self.level = level
        self.name = inner.name

    @property
    def call(self) -> Call:
        return self.inner.call  # type: ignore[no-any-return]

    def _front(self, values: Sequence[Any]) -> list[Any]:
        return [in_front(value, self.size) for value in values]

    def primal(self, leaves: Leaves) -> list[Any]:
        if self.call.custom.one_by_one:
            return self._one_by_one(leaves)
        return self._front(over_batch(self.inner.primal, [(leaves, self.mapped)], self.level))

    def _one_by_one(self, leaves: Leaves) -> list[Any]:
        outs = [
            tuple(
                self.inner.primal(
                    [leaf[i, ...] if own else leaf for leaf, own in zip(leaves, self.mapped, strict=True)]
                )
            )
            for i in range(self.size)
        ]
        return list(stacked(outs, self.name))

    def jvp(self, leaves: Leaves, directions: Leaves) -> tuple[list[Any], list[Any]]:
        moving = [_zeros(leaf) if d is None else d for leaf, d in zip(leaves, directions, strict=True)]
        outs, slopes = over_batch(self.inner.jvp, [(leaves, self.mapped), (moving, self.mapped)], self.level)
        return self._front(outs), self._front(slopes)

    def forward(self, leaves: Leaves) -> tuple[Leaves, Any]:
        return run(self, leaves), None

    def pull(self, leaves: Leaves, kept: Any, cotangents: Leaves, wanted: Sequence[bool]) -> list[Any]:
        return _transposed(self, leaves, cotangents, wanted)

    def batched(self, mapped: Sequence[bool], size: int, level: Level) -> CustomCall:
        return type(self)(self, mapped, size, level)


class BatchedVjp(BatchedJvp):
    """Of a ``custom_vjp``."""

    def jvp(self, leaves: Leaves, directions: Leaves) -> tuple[list[Any], list[Any]]:
        return self.inner.jvp(leaves, directions)  # type: ignore[no-any-return]

    def forward(self, leaves: Leaves) -> tuple[Leaves, Any]:
        outs, kept = over_batch(self.inner.forward, [(leaves, self.mapped)], self.level)
        parts, tree = flatten(kept)
        own = [isinstance(part, Inner) for part in parts]
        return self._front(outs), ([part.data if isinstance(part, Inner) else part for part in parts], own, tree)

    def pull(self, leaves: Leaves, kept: Any, cotangents: Leaves, wanted: Sequence[bool]) -> list[Any]:
        parts, own, tree = kept

        def inner(leaves: Leaves, kept: Leaves, cotangents: Leaves) -> list[Any]:
            return self.inner.pull(leaves, unflatten(tree, kept), cotangents, wanted)  # type: ignore[no-any-return]

        groups = [(leaves, self.mapped), (parts, own), (cotangents, [c is not None for c in cotangents])]
        found = over_batch(inner, groups, self.level)
        result: list[Any] = []
        for g, mapped in zip(found, self.mapped, strict=True):
            g = None if g is None else in_front(g, self.size)
            # An argument that all examples share gets the sum of what they give it.
            result.append(g if g is None or mapped else g._frame.namespace.sum(g, axis=0))
        return result


# -- the decorators -----------------------------------------------------------------------------------------------------
class custom_jvp(Custom):
    """A function whose derivative is given by a rule for tangents, in both modes and of any order.

        @custom_jvp
        def log1pexp(x):
            return polygrad.log(1 + polygrad.exp(x))

        @log1pexp.defjvp
        def rule(primals, tangents):
            (x,), (t,) = primals, tangents
            return log1pexp(x), (1 - 1 / (1 + polygrad.exp(x))) * t

    The tangent has to be linear in the tangents: reverse mode is its transpose. It takes and returns arrays or pytrees of them.

    Args:
        fun: the function.
        nondiff_argnums: positions of arguments that are not differentiated, and may be anything; the rule gets them in front.
    """

    rule: Callable[..., Any] | None = None

    def defjvp(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """Give the rule: ``rule(primals, tangents)`` returns (output, tangent of the output). Returns it, so it decorates."""
        self.rule = rule
        return rule

    def defjvps(self, *rules: Callable[..., Any] | None) -> None:
        """Give a rule for each argument: ``rule(tangent, output, *primals)`` returns its part of the tangent; None: there is none."""

        def rule(*given: Any) -> tuple[Any, Any]:
            *first, primals, tangents = given
            out = self(*_interleaved(self.nondiff_argnums, first, primals))
            parts = [r(t, out, *primals) for r, t in zip(rules, tangents, strict=True) if r is not None]
            if not parts:
                return out, map_leaves(_zeros, out)
            total = parts[0]
            for part in parts[1:]:
                leaves, tree = flatten(part)
                total = unflatten(tree, [a + b for a, b in zip(flatten(total)[0], leaves, strict=True)])
            return out, total

        self.rule = rule

    def _call(self, call: Call) -> Any:
        return JvpCall(call)


def _interleaved(numbers: Sequence[int], held: Sequence[Any], rest: Sequence[Any]) -> list[Any]:
    """The arguments in their order."""
    total = len(held) + len(rest)
    at = dict(zip(sorted([number % total for number in numbers]), held, strict=True))
    others = iter(rest)
    return [at[i] if i in at else next(others) for i in range(total)]


class custom_vjp(Custom):
    """A function whose derivative in reverse mode is given by a pair of functions.

        @custom_vjp
        def clip_gradient(x):
            return x

        clip_gradient.defvjp(lambda x: (x, None), lambda residuals, g: (polygrad.clip(g, -1, 1),))

    ``fwd`` takes the arguments and returns (output, residuals); ``bwd(residuals, g)`` returns one cotangent for each argument.
    Derivatives of higher order differentiate ``fwd`` and ``bwd`` themselves. There is no forward mode: it raises.

    Args:
        fun: the function.
        nondiff_argnums: positions of arguments that are not differentiated, and may be anything; ``bwd`` gets them in front.
    """

    fwd: Callable[..., Any] | None = None
    bwd: Callable[..., Any] | None = None

    def defvjp(self, fwd: Callable[..., Any], bwd: Callable[..., Any]) -> None:
        """Give the two functions."""
        if not callable(fwd) or not callable(bwd):
            raise ArgumentError(
                f"{self.__name__}.defvjp: expected two functions, got {describe(fwd)} and {describe(bwd)}"
            )
        self.fwd, self.bwd = fwd, bwd

    def _call(self, call: Call) -> Any:
        return VjpCall(call)
