"""Bridges between polygrad's graph and torch's: each engine's functions inside the other's, differentiable to any order.

``to_torch(f)`` is a polygrad function as a torch function, whose gradients ``torch.autograd`` finds. ``from_torch(f)`` is a torch function
or module as an operation on Tensors. Both run forward once and keep the other engine's graph for the way back, so random numbers (of
dropout, say) are the same in both passes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from ..array_api.moving import to_backend
from ..autograd import grad
from ..backend.base import Backend
from ..backend.select import backend_of, get_backend
from ..core import modes
from ..core.tensor import Tensor, constant
from ..errors import ArgumentError, describe
from ..levels.foreign import Foreign, call
from ..levels.trees import flatten, unflatten

__all__ = ["FromTorch", "from_torch", "to_torch"]


# -- polygrad inside torch ----------------------------------------------------------------------------------------
def to_torch(function: Callable[..., Any], *, backend: str | Backend = "torch") -> Callable[..., Any]:
    """Make a function of torch tensors, inside torch's graph, of a function of Tensors.

    Parameters
    ----------
    function
        Takes and returns Tensors, in trees. Arguments that are no torch tensors are passed as they are.
    backend
        The backend that computes. On another one than torch, tensors are moved there and results back, without a copy if possible.

    Returns
    -------
    callable
        A function that returns torch tensors where ``function`` returns Tensors. ``torch.autograd`` differentiates it to any order, by
        polygrad's derivatives.

    Raises
    ------
    ArgumentError
        ``function`` is not callable.
    """
    if not callable(function):
        raise ArgumentError(f"to_torch: expected a function, got {describe(function)}")
    home, here = get_backend(backend), get_backend("torch")

    def bridged(*args: Any, **kwargs: Any) -> Any:
        leaves, tree = flatten((args, kwargs))
        places = [i for i, leaf in enumerate(leaves) if isinstance(leaf, torch.Tensor)]
        returned: list[Any] = []

        def run(inputs: list[Tensor]) -> list[Tensor]:
            values = list(leaves)
            for place, tensor in zip(places, inputs, strict=True):
                values[place] = to_backend(tensor, home)
            full, named = unflatten(tree, values)
            results, structure = flatten(function(*full, **named))
            returned[:] = [structure, results]
            return [to_backend(result, here) for result in results if isinstance(result, Tensor)]

        outs = iter(_call(run, [leaves[place] for place in places]))
        structure, results = returned
        return unflatten(structure, [next(outs) if isinstance(result, Tensor) else result for result in results])

    return bridged


class _Taped(torch.autograd.Function):  # type: ignore[misc]
    """Function of Tensors as a node of torch's graph. ``tape`` holds the leaves and the results in polygrad's graph."""

    @staticmethod
    def forward(ctx: Any, run: Callable[[list[Tensor]], list[Tensor]], *tensors: Any) -> Any:
        needed = ctx.needs_input_grad[1:]
        with modes.set_grad_enabled(any(needed)):
            leaves = [constant(t.detach(), get_backend("torch").frame()) for t in tensors]
            for leaf, need in zip(leaves, needed, strict=True):
                if need:
                    leaf.requires_grad_()
            outs = run(leaves)
        ctx.tape = leaves, outs, needed
        ctx.save_for_backward(*tensors)
        # A result may be an argument itself, or share memory with what the graph has saved.
        arrays = tuple(
            [out._data.clone() if any(out._data is t for t in tensors) else out._data.detach() for out in outs]
        )
        ctx.mark_non_differentiable(*[array for array, out in zip(arrays, outs, strict=True) if not out.requires_grad])
        return arrays

    @staticmethod
    def backward(ctx: Any, *cotangents: Any) -> Any:
        leaves, outs, needed = ctx.tape
        tracked = [(out, g) for out, g in zip(outs, cotangents, strict=True) if out.requires_grad and g is not None]
        chosen = [leaf for leaf, need in zip(leaves, needed, strict=True) if need]
        again = torch.is_grad_enabled()
        inputs = [*ctx.saved_tensors, *[g for _, g in tracked]]

        def run(given: list[Tensor]) -> list[Tensor]:
            # The inputs are in the graph already, as the leaves, so that their derivatives are those of the leaves.
            for leaf, twin in zip(leaves, given, strict=False):
                twin._node = leaf if leaf.requires_grad else None
            found = grad(
                [out for out, _ in tracked],
                chosen,
                given[len(leaves) :],
                retain_graph=True,
                create_graph=again,
                materialize_grads=True,
            )
            return list(found)  # type: ignore[arg-type]

        found = iter(_call(run, inputs) if tracked else [torch.zeros_like(leaf._data) for leaf in chosen])
        return (None, *[next(found) if need else None for need in needed])


def _call(run: Callable[[list[Tensor]], list[Tensor]], tensors: Sequence[Any]) -> Any:
    return _Taped.apply(run, *tensors)


# -- torch inside polygrad ----------------------------------------------------------------------------------------
class _Function(Foreign):
    """Function of a list of torch tensors that returns a list of them."""

    name = "Torch"

    def __init__(self, function: Callable[[list[Any]], list[Any]]) -> None:
        self.function = function
        self.backend = get_backend("torch")

    def run(self, arrays: Sequence[Any], tracked: bool) -> tuple[Sequence[Any], Foreign]:
        with torch.set_grad_enabled(tracked):
            inputs = [a.detach().requires_grad_(tracked and _floating(a)) for a in arrays]
            outs = self.function(inputs)
        return [out.detach() for out in outs], _Taped_(inputs, outs)


class _Taped_(Foreign):
    """Call that has been made: its inputs and outputs in torch's graph, through which the derivatives go back."""

    name = _Function.name

    def __init__(self, inputs: list[Any], outs: list[Any]) -> None:
        self.inputs = inputs
        self.outs = outs
        self.backend = get_backend("torch")

    def vjp(self, wanted: tuple[bool, ...], given: tuple[bool, ...]) -> Foreign:
        chosen = [tensor for tensor, want in zip(self.inputs, wanted, strict=True) if want]
        outs = [out for out, carries in zip(self.outs, given, strict=True) if carries]

        def pullback(again: bool, cotangents: list[Any]) -> list[Any]:
            pairs = [(out, g) for out, g in zip(outs, cotangents, strict=True) if out.requires_grad]
            if not pairs:
                return [torch.zeros_like(tensor) for tensor in chosen]
            return list(
                torch.autograd.grad(
                    [out for out, _ in pairs],
                    chosen,
                    [g for _, g in pairs],
                    retain_graph=True,
                    create_graph=again,
                    materialize_grads=True,
                )
            )

        return _Onward(self.inputs, pullback)

    def jvp(self, moving: tuple[bool, ...]) -> Foreign:
        chosen = [tensor for tensor, moves in zip(self.inputs, moving, strict=True) if moves]
        outs = [out for out in self.outs if _floating(out)]

        def pushforward(again: bool, tangents: list[Any]) -> list[Any]:
            # The transpose of the transpose: the vjp is linear in its cotangents, and its vjp is the jvp.
            moved: list[Any] = []
            for out in outs:
                if not out.requires_grad:
                    moved.append(torch.zeros_like(out))
                    continue
                with torch.enable_grad():
                    dummy = torch.zeros_like(out, requires_grad=True)
                    back = torch.autograd.grad(
                        out, chosen, dummy, retain_graph=True, create_graph=True, materialize_grads=True
                    )
                    pairs = [(g, t) for g, t in zip(back, tangents, strict=True) if g.requires_grad]
                    if not pairs:
                        moved.append(torch.zeros_like(out))
                        continue
                    (found,) = torch.autograd.grad(
                        [g for g, _ in pairs], dummy, [t for _, t in pairs], create_graph=again, materialize_grads=True
                    )
                moved.append(found)
            return moved

        return _Onward(self.inputs, pushforward)


class _Onward(Foreign):
    """Derivative of a call: a function of its inputs, which are in torch's graph already, and of cotangents or tangents."""

    name = _Function.name

    def __init__(self, inputs: list[Any], function: Callable[[bool, list[Any]], list[Any]]) -> None:
        self.inputs = inputs
        self.function = function
        self.backend = get_backend("torch")

    def run(self, arrays: Sequence[Any], tracked: bool) -> tuple[Sequence[Any], Foreign]:
        with torch.set_grad_enabled(tracked):
            directions = [a.detach().requires_grad_(tracked) for a in arrays[len(self.inputs) :]]
            outs = self.function(tracked, directions)
        return [out.detach() for out in outs], _Taped_([*self.inputs, *directions], outs)


def _floating(tensor: Any) -> bool:
    return bool(tensor.is_floating_point() or tensor.is_complex())


class FromTorch:
    """Operation on Tensors that ``from_torch`` has made of a torch function or module."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self._names: list[str] = []
        self._parameters: list[Tensor] = []
        if isinstance(function, torch.nn.Module):
            frame = get_backend("torch").frame()
            for name, parameter in function.named_parameters():
                tensor = constant(parameter.detach(), frame)
                self._names.append(name)
                self._parameters.append(tensor.requires_grad_() if parameter.requires_grad else tensor)

    def parameters(self) -> list[Tensor]:
        """Return the parameters of the module as leaves that share their memory with it; gradients arrive here. Empty for a function."""
        return list(self._parameters)

    def named_parameters(self) -> dict[str, Tensor]:
        """Return the parameters by name."""
        return dict(zip(self._names, self._parameters, strict=True))

    def update_module(self) -> None:
        """Give the module the values that its parameters have here; a Tensor written in place has memory of its own."""
        with torch.no_grad():
            for name, parameter in zip(self._names, self._parameters, strict=True):
                self.function.get_parameter(name).copy_(parameter._data)  # type: ignore[attr-defined]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the torch function on Tensors."""
        leaves, tree = flatten((args, kwargs))
        here = get_backend("torch")
        home = next((leaf._frame.backend for leaf in leaves if isinstance(leaf, Tensor)), here)
        places = [i for i, leaf in enumerate(leaves) if isinstance(leaf, Tensor) or backend_of(leaf) is not None]
        tensors = [_to_backend(leaves[place], here) for place in places]
        number = len(self._parameters)
        returned: list[Any] = []

        def run(inputs: list[Any]) -> list[Any]:
            values = list(leaves)
            for place, tensor in zip(places, inputs[number:], strict=True):
                values[place] = tensor
            full, named = unflatten(tree, values)
            if number:
                state = dict(zip(self._names, inputs[:number], strict=True))
                result = torch.func.functional_call(self.function, state, full, named)
            else:
                result = self.function(*full, **named)
            results, structure = flatten(result)
            returned[:] = [structure, results]
            return [value for value in results if isinstance(value, torch.Tensor)]

        outs = iter(call(_Function(run), [*self._parameters, *tensors]))
        structure, results = returned
        return unflatten(
            structure, [to_backend(next(outs), home) if isinstance(v, torch.Tensor) else v for v in results]
        )


def _to_backend(value: Any, here: Backend) -> Tensor:
    tensor = value if isinstance(value, Tensor) else Tensor(value)
    return to_backend(tensor, here)


def from_torch(function: Callable[..., Any]) -> FromTorch:
    """Make a differentiable operation on Tensors of a torch function or ``torch.nn.Module``.

    Parameters
    ----------
    function
        Takes and returns torch tensors, in trees. The parameters of a module are inputs too: ``parameters()`` of the result gives them as
        Tensors, whose ``grad`` is filled.

    Returns
    -------
    FromTorch
        A callable that takes Tensors of any backend and gives Tensors on the backend of the first one. They are moved to torch and back
        without a copy if possible. It has derivatives of every order, in both modes, as far as torch has them for ``function``.

    Raises
    ------
    ArgumentError
        ``function`` is not callable.
    """
    if not callable(function):
        raise ArgumentError(f"from_torch: expected a function or a module, got {describe(function)}")
    return FromTorch(function)
