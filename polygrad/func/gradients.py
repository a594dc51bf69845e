"""``grad``, ``value_and_grad`` and ``grad_and_value``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..backend.frame import Level, open_level
from ..core import modes
from ..core.inplace import end_level
from ..core.tensor import SCALAR_TYPES, Tensor, edge_of
from ..engine import loop as engine
from ..errors import ArgumentError, DtypeError, GraphError, describe
from ..levels.level import adopt_tree, leaves_of, wrap
from ..levels.trees import flatten, map_leaves, unflatten
from .transforms import Transform, all_raw, gradient_of, returned, selected_arguments, with_aux


class GradAndValue(Transform):
    """Function made by ``grad``, ``grad_and_value`` or ``value_and_grad``; ``order`` is the name of the one."""

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
        argnums = self.argnums
        if type(argnums) is int and self.argnames is None and -len(args) <= argnums < len(args):
            given, structure = leaves_of(args[argnums])
        else:
            given, structure = self._chosen(args, kwargs, where)
        before = modes.current()
        state = before.inside()
        level = open_level(state.level)
        modes.MODE.set(state)
        try:
            leaves = [wrap(leaf, level, where) for leaf in given]
            chosen = leaves[0] if structure is None else unflatten(structure, leaves)
            alone = len(args) == 1 and not kwargs and type(argnums) is int
            result = self.function(chosen) if alone else self._run(args, kwargs, chosen)
            aux = None
            if self.has_aux:
                result, aux = with_aux(result, where)
            found: dict[Any, Any] = {}
            if self._is_own(result, level, where):
                frame, data = result._frame, result._data
                seed = frame.raw.ones_like(data) if frame.lifted else frame.backend.one_like(data)
                # The pass runs on payloads, so the modes are those of the levels below.
                modes.MODE.set(state.below_level(level))
                # What is recorded at a level leads to its own leaves alone.
                found, _ = engine.run_pass([(edge_of(result), seed)], retain=False, create_graph=False)
        finally:
            modes.MODE.set(before)
            end_level(level)
        if structure is None:
            grads = gradient_of(leaves[0], found)
        else:
            grads = unflatten(structure, [gradient_of(leaf, found) for leaf in leaves])
            if self.argnames is not None:
                grads = self._by_name(grads)
        if self.order == "grad" and not self.has_aux:
            return grads
        raw = all_raw(leaves)
        value = returned(result, level, raw)
        if not self.has_aux:
            return (value, grads) if self.order == "value_and_grad" else (grads, value)
        aux = map_leaves(lambda leaf: returned(leaf, level, raw), aux)
        if self.order == "grad":
            return grads, aux
        return ((value, aux), grads) if self.order == "value_and_grad" else (grads, (value, aux))

    def _chosen(self, args: tuple[Any, ...], kwargs: dict[str, Any], where: str) -> tuple[list[Any], Any]:
        """Return the leaves of all arguments to differentiate, and the structure of these."""
        numbers, single = ([], False) if self.argnums is None else selected_arguments(args, self.argnums, where)
        for name in self._names:
            if name not in kwargs:
                raise ArgumentError(
                    f"{where}: argnames={self.argnames!r}, but the function was not called with the keyword argument {name!r}"
                )
        by_number: Any = args[numbers[0]] if single else tuple([args[number] for number in numbers])
        return flatten(by_number if self.argnames is None else (by_number, [kwargs[name] for name in self._names]))

    @property
    def _names(self) -> tuple[str, ...]:
        return (self.argnames,) if isinstance(self.argnames, str) else self.argnames or ()

    def _run(self, args: tuple[Any, ...], kwargs: dict[str, Any], chosen: Any) -> Any:
        """Call the function with the arguments to differentiate in their places, the other arrays as Tensors."""
        named: Sequence[Any] = ()
        if self.argnames is not None:
            chosen, named = chosen
        argnums = self.argnums
        places = [argnums] if isinstance(argnums, int) else argnums or ()
        full: list[Any] = list(args)
        for place, value in zip(places, [chosen] if isinstance(argnums, int) else chosen, strict=True):
            full[place] = value
        differentiated = {place % len(args) for place in places}
        for i, arg in enumerate(args):
            if i not in differentiated:
                full[i] = adopt_tree(arg)
        if not kwargs:
            return self.function(*full)
        rest = {name: adopt_tree(value) for name, value in kwargs.items() if name not in self._names}
        return self.function(*full, **rest, **dict(zip(self._names, named, strict=True)))

    def _is_own(self, result: Any, level: Level, where: str) -> bool:
        """Return whether the result was recorded at the level.

        Raises
        ------
        GraphError
            The result is not a scalar.
        DtypeError
            The result is complex.
        """
        if type(result) in SCALAR_TYPES and type(result) is not complex:
            return False
        if not isinstance(result, Tensor) or len(result.shape):
            got = f"a Tensor of shape {tuple(result.shape)}" if isinstance(result, Tensor) else describe(result)
            raise GraphError(
                f"{where}: the function has to return a scalar (a 0-d Tensor), got {got}; reduce it, for example with sum(), or use "
                f"func.vjp"
            )
        frame = result._frame
        if frame.level is not level:
            return False
        if result.dtype in frame.complex:
            raise DtypeError(
                f"{where}: the function has to return a real scalar, got dtype {result.dtype}; take its real part, or abs"
            )
        return result._node is not None

    def _by_name(self, grads: tuple[Any, list[Any]]) -> Any:
        by_number, by_name = grads
        of_names = by_name[0] if isinstance(self.argnames, str) else dict(zip(self._names, by_name, strict=True))
        return of_names if self.argnums is None else (by_number, of_names)


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
