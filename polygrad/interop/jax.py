"""Bridges between polygrad's graph and JAX's transformations: each one's functions inside the other's, with the right gradients.

``to_jax(f)`` is a polygrad function as a JAX function: ``jax.grad`` and its kin use polygrad's derivatives, also under ``jax.jit``.
``from_jax(f)`` is a JAX function as an operation on Tensors.

JAX's cotangents of complex numbers are the conjugates of polygrad's (and torch's); the bridges convert.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..array_api.moving import to_backend
from ..backend.base import Backend
from ..backend.select import backend_of, get_backend
from ..compiler.program import Traced
from ..core.tensor import Tensor
from ..errors import ArgumentError, ShapeError, describe
from ..levels.foreign import Foreign, call
from ..levels.trees import flatten, unflatten

__all__ = ["from_jax", "to_jax"]


def _floating(array: Any) -> bool:
    return bool(jnp.issubdtype(array.dtype, jnp.inexact))


# -- JAX inside polygrad ------------------------------------------------------------------------------------------
class _Function(Foreign):
    """Function of a list of JAX arrays that returns a list of them."""

    name = "Jax"

    def __init__(self, function: Callable[[list[Any]], list[Any]]) -> None:
        self.function = function
        self.backend = get_backend("jax")

    def run(self, arrays: Sequence[Any], tracked: bool) -> tuple[Sequence[Any], Foreign]:
        if not tracked:
            return self.function(list(arrays)), self
        chosen = [i for i, array in enumerate(arrays) if _floating(array)]
        outs, pull = jax.vjp(
            lambda values: self.function(_replace(arrays, chosen, values)), [arrays[i] for i in chosen]
        )
        return outs, _Called(self, chosen, outs, pull[0] if isinstance(pull, tuple) else pull)

    def vjp(self, wanted: tuple[bool, ...], given: tuple[bool, ...]) -> Foreign:
        number = len(wanted)
        chosen = [i for i, want in enumerate(wanted) if want]

        def pullback(arrays: list[Any]) -> list[Any]:
            inputs = arrays[:number]
            outs, pull = jax.vjp(
                lambda values: self.function(_replace(inputs, chosen, values)), [inputs[i] for i in chosen]
            )
            return _pull(pull, outs, given, arrays[number:])

        return _Function(pullback)

    def jvp(self, moving: tuple[bool, ...]) -> Foreign:
        number = len(moving)
        chosen = [i for i, moves in enumerate(moving) if moves]

        def pushforward(arrays: list[Any]) -> list[Any]:
            inputs = arrays[:number]
            outs, tangents = jax.jvp(
                lambda *values: self.function(_replace(inputs, chosen, values)),
                [inputs[i] for i in chosen],
                arrays[number:],
            )
            return [tangent for out, tangent in zip(outs, tangents, strict=True) if _floating(out)]

        return _Function(pushforward)


class _Called(Foreign):
    """Call that has been made, with the pullback that JAX has kept of it."""

    name = _Function.name

    def __init__(self, function: _Function, chosen: list[int], outs: Sequence[Any], pull: Callable[..., Any]) -> None:
        self.function = function
        self.chosen = chosen
        self.outs = [jax.ShapeDtypeStruct(out.shape, out.dtype) for out in outs]
        self.pull = pull
        self.backend = function.backend

    def vjp(self, wanted: tuple[bool, ...], given: tuple[bool, ...]) -> Foreign:
        return _Back(self, wanted, given)

    def jvp(self, moving: tuple[bool, ...]) -> Foreign:
        return self.function.jvp(moving)


class _Back(Foreign):
    """The vjp of a call. In a first-order pass it uses JAX's pullback; differentiated further, it starts from the inputs."""

    name = _Function.name

    def __init__(self, called: _Called, wanted: tuple[bool, ...], given: tuple[bool, ...]) -> None:
        self.called = called
        self.wanted = wanted
        self.given = given
        self.backend = called.backend

    def run(self, arrays: Sequence[Any], tracked: bool) -> tuple[Sequence[Any], Foreign]:
        if tracked:
            return self._anew().run(arrays, tracked)
        found = _pull(self.called.pull, self.called.outs, self.given, arrays[len(self.wanted) :])
        by_place = dict(zip(self.called.chosen, found, strict=True))
        return [by_place[i] for i, want in enumerate(self.wanted) if want], self

    def vjp(self, wanted: tuple[bool, ...], given: tuple[bool, ...]) -> Foreign:
        return self._anew().vjp(wanted, given)

    def jvp(self, moving: tuple[bool, ...]) -> Foreign:
        return self._anew().jvp(moving)

    def _anew(self) -> Foreign:
        return self.called.function.vjp(self.wanted, self.given)


def _pull(pull: Callable[..., Any], outs: Sequence[Any], given: Sequence[bool], cotangents: Sequence[Any]) -> list[Any]:
    """Return the cotangents of the inputs by JAX's pullback, given polygrad's cotangents."""
    rest = iter(cotangents)
    full = []
    for out, carries in zip(outs, given, strict=True):
        if carries:
            full.append(jnp.conj(next(rest)))
        else:
            full.append(jnp.zeros(out.shape, out.dtype) if _floating(out) else np.zeros(out.shape, jax.dtypes.float0))
    (found,) = pull(full)
    return [jnp.conj(g) for g in found]


def _replace(values: Sequence[Any], positions: Sequence[int], others: Sequence[Any]) -> list[Any]:
    values = list(values)
    for position, other in zip(positions, others, strict=True):
        values[position] = other
    return values


def from_jax(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a differentiable operation on Tensors of a JAX function.

    Parameters
    ----------
    function
        A pure function of JAX arrays, in trees (a ``jax.jit`` function, say). Other arguments are passed as they are.

    Returns
    -------
    callable
        A function that takes Tensors of any backend and gives Tensors on the backend of the first one. They are moved to JAX and back
        without a copy if possible. It has derivatives of every order, in both modes, as far as JAX has them for ``function``.

    Raises
    ------
    ArgumentError
        ``function`` is not callable.
    """
    if not callable(function):
        raise ArgumentError(f"from_jax: expected a function, got {describe(function)}")
    here = get_backend("jax")

    def bridged(*args: Any, **kwargs: Any) -> Any:
        leaves, tree = flatten((args, kwargs))
        home = next((leaf._frame.backend for leaf in leaves if isinstance(leaf, Tensor)), here)
        places = [i for i, leaf in enumerate(leaves) if isinstance(leaf, Tensor) or backend_of(leaf) is not None]
        tensors = [
            to_backend(leaf if isinstance(leaf, Tensor) else Tensor(leaf), here) for leaf in (leaves[i] for i in places)
        ]
        returned: list[Any] = []

        def run(arrays: list[Any]) -> list[Any]:
            full, named = unflatten(tree, _replace(leaves, places, arrays))
            results, structure = flatten(function(*full, **named))
            returned[:] = [structure, results]
            return [value for value in results if isinstance(value, jax.Array)]

        outs = iter(call(_Function(run), tensors))
        structure, results = returned
        return unflatten(structure, [to_backend(next(outs), home) if isinstance(v, jax.Array) else v for v in results])

    return bridged


# -- polygrad inside JAX ------------------------------------------------------------------------------------------
def to_jax(function: Callable[..., Any], *, backend: str | Backend = "jax", result: Any = None) -> Callable[..., Any]:
    """Make a JAX function with polygrad's derivatives (``jax.custom_vjp``), of every order in reverse mode, of a function of Tensors.

    On JAX's own arrays polygrad functions work inside ``jax.grad`` and its kin as they are, forward mode included; there this bridge is
    for polygrad's conventions (at kinks and ties). With another backend the function computes there, by ``jax.pure_callback``, so that it
    also works under ``jax.jit`` and ``jax.vmap`` (one example after the other).

    Parameters
    ----------
    function
        A pure function of Tensors (no random numbers, no effects), in trees. Arguments that are no arrays are passed as they are.
    backend
        The backend that computes.
    result
        For another backend under ``jax.jit``: the shapes and dtypes of the function's results, as a tree of arrays or
        ``jax.ShapeDtypeStruct``. Without it the function is called once with ones to find out, for each set of shapes.

    Returns
    -------
    callable
        The JAX function.

    Raises
    ------
    ArgumentError
        ``function`` is not callable.
    ShapeError
        A result has another shape than ``result`` has.
    """
    if not callable(function):
        raise ArgumentError(f"to_jax: expected a function, got {describe(function)}")
    home = get_backend(backend)
    known: dict[Any, Any] = {}

    def bridged(*args: Any, **kwargs: Any) -> Any:
        leaves, tree = flatten((args, kwargs))
        places = [i for i, leaf in enumerate(leaves) if isinstance(leaf, (jax.Array, np.ndarray))]
        returned: list[Any] = []
        noted = returned

        def run(tensors: list[Any]) -> list[Any]:
            full, named = unflatten(tree, _replace(leaves, places, tensors))
            results, structure = flatten(function(*full, **named))
            noted[:] = [structure, results]
            return [value for value in results if isinstance(value, Tensor)]

        arrays = [jnp.asarray(leaves[place]) for place in places]
        program = Traced(home, run)
        structs = None
        if home.name != "jax":
            key = (tree, tuple([(a.shape, a.dtype) for a in arrays])) if len(places) == len(leaves) else None
            if result is not None:
                wanted, structure = flatten(result)
                structs, returned[:] = [_struct(leaf) for leaf in wanted], [structure, [Tensor] * len(wanted)]
            elif key in known:
                structs, returned[:] = known[key]
            else:
                structs = [_struct(out) for out in _on_host(program, [np.ones(a.shape, a.dtype) for a in arrays])]
                returned[1] = [Tensor if isinstance(value, Tensor) else value for value in returned[1]]
                if key is not None:
                    known[key] = structs, list(returned)
            returned = list(returned)  # the callback, which may run much later, has a list of its own
        outs = iter(_bridge(program, structs)(*arrays))
        structure, results = returned
        return unflatten(structure, [next(outs) if isinstance(v, Tensor) or v is Tensor else v for v in results])

    return bridged


def _struct(array: Any) -> Any:
    return jax.ShapeDtypeStruct(tuple(array.shape), jax.dtypes.canonicalize_dtype(array.dtype))


def _on_host(program: Foreign, arrays: Sequence[Any]) -> list[Any]:
    """Run a program of another backend on NumPy arrays, and return NumPy arrays."""
    home = program.backend
    outs, _ = program.run([home.from_host(np.array(array)) for array in arrays], False)
    return [np.asarray(home.numpy(home.present(out))) for out in outs]


def _bridge(program: Foreign, structs: list[Any] | None) -> Callable[..., Any]:
    """Return a program as a function of JAX arrays.

    On JAX it runs at once (``structs`` is None); otherwise by a callback with results like ``structs``.
    """

    @jax.custom_vjp  # type: ignore[untyped-decorator]
    def primal(*arrays: Any) -> tuple[Any, ...]:
        if structs is None:
            return tuple(program.run(arrays, False)[0])

        def compute(*values: Any) -> tuple[Any, ...]:
            outs = _on_host(program, values)
            for out, struct in zip(outs, structs, strict=True):
                if out.shape != struct.shape:
                    raise ShapeError(
                        f"to_jax: the function has returned an array of shape {out.shape}, expected {struct.shape}. If its shapes depend "
                        f"on values, it cannot be used under jax.jit; otherwise give them by result="
                    )
            return tuple([out.astype(struct.dtype) for out, struct in zip(outs, structs, strict=True)])

        return tuple(jax.pure_callback(compute, tuple(structs), *arrays, vmap_method="sequential"))

    def forward(*arrays: Any) -> tuple[Any, Any]:
        outs = primal(*arrays)
        return outs, (arrays, tuple([_floating(out) for out in outs]))

    def backward(kept: Any, cotangents: Any) -> tuple[Any, ...]:
        arrays, _ = kept
        given = tuple([g.dtype != jax.dtypes.float0 for g in cotangents])
        wanted = tuple([_floating(array) for array in arrays])
        chosen = [array for array, want in zip(arrays, wanted, strict=True) if want]
        back = _bridge(program.vjp(wanted, given), None if structs is None else [_struct(array) for array in chosen])
        tracked = [jnp.conj(g) for g, carries in zip(cotangents, given, strict=True) if carries]
        found = iter(back(*arrays, *tracked))
        return tuple(
            [
                jnp.conj(next(found)) if want else np.zeros(array.shape, jax.dtypes.float0)
                for array, want in zip(arrays, wanted, strict=True)
            ]
        )

    primal.defvjp(forward, backward)
    return primal  # type: ignore[no-any-return]
