"""Implicit differentiation: the derivative of a solution from the equation that it solves, whatever solver found it.

Of ``f(x, a) = 0`` the total derivative vanishes, so ``dx = -(df/dx)^-1 (df/da) da`` (the implicit function theorem). That is a rule for
tangents, and holds for the solution as a function of ``a`` again, so it serves both modes and every order. The solver itself is never
differentiated: it gets raw arrays, and may be SciPy's.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from ..core.tensor import Tensor, as_frame
from ..errors import ArgumentError, ShapeError, describe
from ..levels.level import lower
from ..levels.trees import flatten, map_leaves, unflatten
from .custom import custom_jvp
from .jacobians import jacfwd
from .transforms import Transform, jvp

Linear = Callable[[Any], Any]


class Implicit(Transform):
    """Function made by ``custom_root`` or ``custom_fixed_point``."""

    def __init__(
        self,
        function: Callable[..., Any],
        solve: Callable[..., Any],
        tangent_solve: Callable[[Linear, Any], Any] | None,
        fixed: bool,
    ) -> None:
        super().__init__(function)
        if not callable(solve):
            raise ArgumentError(
                f"{'custom_fixed_point' if fixed else 'custom_root'}: solve is no function: {describe(solve)}"
            )
        self.solve = solve
        self.tangent_solve = tangent_solve
        self.fixed = fixed

    @property
    def where(self) -> str:
        return "func.custom_fixed_point" if self.fixed else "func.custom_root"

    def __call__(self, x0: Any, *args: Any) -> Any:
        solution = custom_jvp(self._solution)
        solution.one_by_one = True
        solution.defjvp(lambda primals, tangents: self._rule(solution, primals, tangents))
        out = solution(x0, *args)
        raw = not any(isinstance(leaf, Tensor) for leaf in flatten((x0, args))[0])
        return map_leaves(lower, out) if raw else out

    def _solution(self, x0: Any, *args: Any) -> Any:
        leaves, tree = flatten(x0)
        raw = [lower(as_frame(leaf)) for leaf in leaves]

        def function(x: Any) -> Any:
            """Raw arrays in, raw arrays out; Tensors in, Tensors out."""
            given, structure = flatten(x)
            out = self.function(unflatten(structure, [as_frame(g) for g in given]), *args)
            return out if any(isinstance(g, Tensor) for g in given) else map_leaves(lower, out)

        found, found_tree = flatten(self.solve(function, unflatten(tree, raw)))
        if found_tree != tree:
            raise ArgumentError(f"{self.where}: solve returned the structure {found_tree}, the first guess has {tree}")
        out = []
        for value, start in zip(found, leaves, strict=True):
            start = as_frame(start)
            xp = start._frame.namespace
            try:
                value = xp.asarray(value)
            except (TypeError, ValueError) as error:
                raise ArgumentError(f"{self.where}: solve has to return the solution, got {describe(value)}") from error
            if tuple(value.shape) != tuple(start.shape):
                raise ShapeError(
                    f"{self.where}: solve returned a solution of shape {tuple(value.shape)}, the first guess has {tuple(start.shape)}"
                )
            out.append(xp.astype(value, start.dtype))
        return unflatten(tree, out)

    def _residual(self, x: Any, *args: Any) -> Any:
        """Return the residual, which is zero at the solution."""
        leaves, tree = flatten(x)
        values, other = flatten(self.function(x, *args))
        shapes = [[tuple(as_frame(v).shape) for v in part] for part in (leaves, values)]
        if tree != other or shapes[0] != shapes[1]:
            raise ShapeError(
                f"{self.where}: the function has to return something of the structure and shapes of the unknown, got {other} "
                f"{shapes[1]} for {tree} {shapes[0]}"
            )
        return (
            unflatten(tree, [v - leaf for v, leaf in zip(values, leaves, strict=True)])
            if self.fixed
            else unflatten(tree, values)
        )

    def _rule(self, solution: Callable[..., Any], primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        x = solution(*primals)
        leaves, tree = flatten(primals[1:])
        directions, _ = flatten(tangents[1:])
        moving = [i for i, leaf in enumerate(leaves) if isinstance(leaf, Tensor) and leaf.dtype in leaf._frame.floating]

        def of_arguments(*moved: Any) -> Any:
            full = list(leaves)
            for i, value in zip(moving, moved, strict=True):
                full[i] = value
            return self._residual(x, *unflatten(tree, full))

        if not moving:
            return x, map_leaves(lambda leaf: leaf._frame.namespace.zeros_like(leaf), x)
        _, change = jvp(of_arguments, tuple([leaves[i] for i in moving]), tuple([directions[i] for i in moving]))
        wanted = map_leaves(lambda leaf: -leaf, change)

        def of_unknown(x: Any) -> Any:
            return self._residual(x, *primals[1:])

        if self.tangent_solve is None:
            return x, _dense_solve(of_unknown, x, wanted)
        return x, self.tangent_solve(lambda v: jvp(of_unknown, (x,), (v,))[1], wanted)


def _dense_solve(function: Callable[..., Any], x: Any, wanted: Any) -> Any:
    """The v with ``J v = wanted``, by way of the whole Jacobian of the function at x."""
    leaves, tree = flatten(x)
    xp = leaves[0]._frame.namespace
    shapes = [tuple(leaf.shape) for leaf in leaves]
    sizes = [prod(shape) for shape in shapes]

    def vector(parts: Any) -> Any:
        return xp.concat([xp.reshape(part, (-1,)) for part in flatten(parts)[0]], axis=0)

    def parted(v: Any) -> Any:
        ends = [sum(sizes[: i + 1]) for i in range(len(sizes))]
        return unflatten(
            tree, [xp.reshape(v[end - n : end], shape) for end, n, shape in zip(ends, sizes, shapes, strict=True)]
        )

    jacobian = jacfwd(lambda v: vector(function(parted(v))))(vector(x))
    return parted(xp.linalg.solve(jacobian, vector(wanted)))


def custom_root(
    f: Callable[..., Any],
    solve: Callable[[Callable[[Any], Any], Any], Any],
    tangent_solve: Callable[[Linear, Any], Any] | None = None,
) -> Callable[..., Any]:
    """The root of a function, differentiable with respect to what the function depends on.

        root = custom_root(lambda x, a: x**3 - a, lambda f, x0: scipy.optimize.root(f, x0).x)
        grad(lambda a: root(numpy.ones(1), a).sum())(a)

    Args:
        f: ``f(x, *args)``, zero at the root, of the shape (and structure) of ``x``.
        solve: ``solve(g, x0)`` returns the root of ``g(x) = f(x, *args)`` near ``x0``. It works on raw arrays, of which g gives raw
            arrays, and may do what it likes: it is not differentiated.
        tangent_solve: ``tangent_solve(linear, b)`` returns the v with ``linear(v) = b``, made of operations that can be
            differentiated; for large problems, where the default, which makes the whole Jacobian and calls ``linalg.solve``, is
            too much.

    Returns:
        a function ``root(x0, *args)``. Its derivative with respect to the first guess is zero, that with respect to the other arguments
        (arrays or pytrees) follows from the implicit function theorem, in both modes and of any order. Under ``vmap`` the solver runs
        example by example. Raw arrays come back where raw arrays went in.

    Raises:
        ArgumentError, ShapeError: the solution or the value of f does not have the structure and shapes of the first guess.
    """
    return Implicit(f, solve, tangent_solve, False)


def custom_fixed_point(
    f: Callable[..., Any],
    solve: Callable[[Callable[[Any], Any], Any], Any],
    tangent_solve: Callable[[Linear, Any], Any] | None = None,
) -> Callable[..., Any]:
    """The fixed point of a function, ``x = f(x, *args)``, differentiable with respect to what the function depends on.

        point = custom_fixed_point(lambda x, a: polygrad.cos(a * x), scipy.optimize.fixed_point)
        grad(lambda a: point(numpy.array(0.5), a))(a)

    Args:
        as ``custom_root``; ``solve(g, x0)`` returns the x with ``x = g(x)``.
    """
    return Implicit(f, solve, tangent_solve, True)
