"""Checkpoints: what a function saves for the backward pass is thrown away, and computed again when it is needed.

The graph is recorded as ever. Only the saved values are left out of it, through the hooks on saved values. So gradients of gradients,
``autograd.grad`` with any inputs, hooks, forward mode and transforms work through a checkpoint as they do without.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from contextvars import copy_context
from typing import Any

from ..backend.base import Backend
from ..backend.frame import Level
from ..backend.select import get_backend
from ..core.modes import enable_grad, is_grad_enabled
from ..core.tensor import Tensor, constant, edge_of
from ..engine.edges import saved_tensors_hooks
from ..errors import ArgumentError, CheckpointError, describe
from ..levels.dual import Dual
from ..levels.trees import flatten, map_leaves

__all__ = ["CheckpointError", "checkpoint", "checkpoint_sequential", "noop_context_fn"]


def noop_context_fn() -> tuple[AbstractContextManager[Any], AbstractContextManager[Any]]:
    """Return the contexts in which a function runs the first time and again: none."""
    return nullcontext(), nullcontext()


class _Stop(BaseException):
    """Exception that ends a recomputation as soon as every value has been found."""


class _Region:
    """One call under ``checkpoint``: what a second run needs, and the recomputed values that have not been used yet."""

    def __init__(
        self,
        function: Callable[..., Any],
        args: Any,
        kwargs: Any,
        again: AbstractContextManager[Any],
        preserve: bool,
        check: bool,
    ) -> None:
        self.function = function
        # The arguments as they are now. In-place changes by the function or the caller are not seen later.
        self.args, self.kwargs = map_leaves(_snapshot, (args, kwargs))
        # A second run goes on at the levels of the arguments, also when their transforms have ended.
        self.levels = {level for leaf in flatten((args, kwargs))[0] for level in _levels(leaf)}
        self.again = again
        self.context = copy_context()  # modes, levels and the selected backend
        self.states = [(backend, backend.random_state()) for backend in _backends(args, kwargs)] if preserve else []
        self.check = check
        self.known: list[tuple[Any, ...]] = []
        """Shape, dtype and device of each value that was saved the first time."""
        self.recomputed: dict[int, Tensor] = {}

    def pack(self, tensor: Tensor) -> tuple[int, Any]:
        """Throw a saved value away; keep its number and its place in the graphs."""
        self.known.append(_metadata(tensor))
        return len(self.known) - 1, _history(tensor._data)

    def unpack(self, packed: tuple[int, Any]) -> Tensor:
        """Return a saved value, recomputed together with those that have not been used yet."""
        number, history = packed
        if number not in self.recomputed:
            self.recomputed = {}
            self.context.copy().run(self.recompute)
            if number not in self.recomputed:
                raise CheckpointError(
                    f"checkpoint: A different number of tensors was saved during the original forward and recomputation: "
                    f"{len(self.known)} and {len(self.recomputed)}. The function has to do the same each time that it is called"
                )
        tensor = self.recomputed.pop(number)
        return constant(_with_history(tensor._data, history), tensor._frame)

    def recompute(self) -> None:
        """Run the function again, and collect what it saves."""
        found = self.recomputed

        def pack(tensor: Tensor) -> None:
            number = len(found)
            if number >= len(self.known):
                raise CheckpointError(
                    f"checkpoint: trying to save more tensors during recomputation than during the original forward pass, which saved "
                    f"{len(self.known)}. The function has to do the same each time that it is called"
                )
            if self.check and _metadata(tensor) != self.known[number]:
                raise CheckpointError(
                    f"checkpoint: Recomputed values have different metadata than during the forward pass. Saved value number "
                    f"{number} was {_format(self.known[number])}, recomputed it is {_format(_metadata(tensor))}. "
                    f"The function has to do the same each time that it is called"
                )
            found[number] = tensor
            if len(found) == len(self.known):
                raise _Stop

        current = [(backend, backend.random_state()) for backend, _ in self.states]
        closed = [level for level in self.levels if not level.open]
        try:
            for level in closed:
                level.open = True
            for backend, state in self.states:
                backend.set_random_state(state)
            with self.again, enable_grad(), saved_tensors_hooks(pack, _refuse_backward):
                self.function(*self.args, **self.kwargs)
        except _Stop:
            pass
        finally:
            for level in closed:
                level.pause()
            for backend, state in current:
                backend.set_random_state(state)


def _refuse_backward(packed: Any) -> Any:
    raise CheckpointError(
        "checkpoint: no backward pass can run through a recomputation, which is for its saved values alone"
    )


def _levels(value: Any) -> Iterator[Level]:
    """Yield the levels of a Tensor, of its payload and of its tangent."""
    while isinstance(value, Tensor) and value._frame.level:
        yield value._frame.level
        if isinstance(value, Dual):
            yield from _levels(value.tangent)
        value = value._data


def _snapshot(value: Any) -> Any:
    return copy.copy(value) if isinstance(value, Tensor) else value


def _history(value: Any) -> Any:
    """Return the place of a payload in the graphs of the outer transforms, without its values; None for a raw array."""
    if not isinstance(value, Tensor):
        return None
    tangent = value._node if isinstance(value, Dual) else None
    return edge_of(value) if tangent is None else None, _history(tangent), _history(value._data)


def _with_history(value: Any, history: Any) -> Any:
    """Return a recomputed payload at the place of the one that was thrown away."""
    if history is None:
        return value
    edge, tangent, below = history
    out = copy.copy(value)
    out._data = _with_history(value._data, below)
    out._node = _with_history(value._node, tangent) if isinstance(value, Dual) else edge
    return out


def _metadata(tensor: Tensor) -> tuple[Any, ...]:
    return tuple(tensor.shape), tensor.dtype, tensor.device


def _format(metadata: tuple[Any, ...]) -> str:
    shape, dtype, device = metadata
    return f"{dtype}{list(shape)} on {device}"


def _backends(*trees: Any) -> list[Backend]:
    """Return the backends that may be drawing random numbers: those of the arguments, and the selected one."""
    found = [leaf._frame.backend for leaf in flatten(trees)[0] if isinstance(leaf, Tensor)]
    return list(dict.fromkeys([*found, get_backend()]))


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    context_fn: Callable[[], tuple[AbstractContextManager[Any], AbstractContextManager[Any]]] = noop_context_fn,
    determinism_check: str = "default",
    preserve_rng_state: bool = True,
    **kwargs: Any,
) -> Any:
    """Call ``function(*args, **kwargs)``, keep nothing for the backward pass, and run the function again in it.

    Parameters
    ----------
    function
        A function that does the same each time that it is called.
    args, kwargs
        Tensors, pytrees of them, and other arguments.
    use_reentrant
        torch's choice between two implementations. There is one here, with all that torch's two can do.
    context_fn
        Function that gives two context managers, one for the first run and one for the runs in a backward pass.
    determinism_check
        "default": the shapes, dtypes and devices of recomputed values have to be those of the first run; "none": no check.
    preserve_rng_state
        Draw the same random numbers again, on the backends of the arguments and the selected one, and leave their generators where they
        were.

    Returns
    -------
    object
        The result of ``function``.

    Raises
    ------
    CheckpointError
        In the backward pass: the function did something else when it ran again.
    ArgumentError
        An option has an unknown value.
    """
    if determinism_check not in ("default", "none"):
        raise ArgumentError(f"checkpoint: determinism_check has to be 'default' or 'none', got {determinism_check!r}")
    if not callable(function):
        raise ArgumentError(f"checkpoint: expected a function, got {describe(function)}")
    first, again = context_fn()
    if not is_grad_enabled():
        with first:
            return function(*args, **kwargs)
    region = _Region(function, args, kwargs, again, preserve_rng_state, determinism_check == "default")
    with first, saved_tensors_hooks(region.pack, region.unpack):
        return function(*args, **kwargs)


def checkpoint_sequential(
    functions: Sequence[Callable[..., Any]],
    segments: int,
    input: Any,
    use_reentrant: bool | None = None,
    preserve_rng_state: bool = True,
) -> Any:
    """Apply functions one after the other, in groups, of which all but the last are checkpointed.

    Parameters
    ----------
    functions
        Functions, each of which takes the result of the one before.
    segments
        The number of groups, at least 1 and at most the number of functions.
    input
        The argument of the first function.
    use_reentrant, preserve_rng_state
        As for ``checkpoint``.

    Returns
    -------
    object
        The result of the last function.

    Raises
    ------
    ArgumentError
        ``segments`` is out of range.
    """
    chain = list(functions)
    if not 1 <= segments <= len(chain):
        raise ArgumentError(
            f"checkpoint_sequential: segments has to be from 1 to the number of functions, {len(chain)}, got {segments}"
        )

    def make_group(start: int, end: int) -> Callable[[Any], Any]:
        def forward(value: Any) -> Any:
            for function in chain[start:end]:
                value = function(value)
            return value

        return forward

    size = len(chain) // segments
    end = 0
    for start in range(0, size * (segments - 1), size):
        end = start + size
        input = checkpoint(
            make_group(start, end), input, use_reentrant=use_reentrant, preserve_rng_state=preserve_rng_state
        )
    return make_group(end, len(chain))(input)
