"""Add the gradients of a pass to ``grad``: to all leaves or to none, and without loss where several threads add to one leaf."""

from __future__ import annotations

from typing import Any

from ..core.locks import fork_safe_lock
from ..core.tensor import Tensor, level_of, refuse_leak, same_if_unknown
from ..errors import ShapeError
from .hooks import as_tensor

_commit = fork_safe_lock()
"""Lock of the assignment of sums that have been computed. No operation runs while it is held."""


class Ownership:
    """Arrays that a leaf may not keep without a copy, because somebody else has them already.

    Only their identities are stored, so that a gradient can go as soon as its leaf lets go of it. An identity that is used again
    after that costs a copy and nothing else.
    """

    __slots__ = ("taken",)

    def __init__(self, foreign: tuple[Any, ...] = ()) -> None:
        self.taken = {id(array) for array in foreign}

    def own(self, leaf: Any, g: Any, create_graph: bool) -> Any:
        """Return a cotangent as the leaf may keep it: itself, or a copy."""
        frame = leaf._frame
        if g.shape != leaf._data.shape:
            refuse_shape(leaf, g)
        backend = frame.backend
        if backend.traces:
            refuse_leak(leaf, g._data if level_of(g) == frame.level else g, "backward")
        alias = id(g) in self.taken
        self.taken.add(id(g))
        if not create_graph and not frame.lifted:
            return backend.own(g, alias)
        if isinstance(g, Tensor) and (alias or g._is_view()):  # a change of one grad may not show in another
            return frame.namespace.clone(g)
        return g


def refuse_shape(leaf: Any, g: Any) -> None:
    """Raise for a cotangent of another shape than its leaf, unless lengths are unknown: no derivative may get that far.

    Raises
    ------
    ShapeError
        The shapes differ.
    """
    if not same_if_unknown(g.shape, leaf.shape):
        raise ShapeError(
            f"backward: a leaf of shape {tuple(leaf.shape)} got a gradient of shape {tuple(g.shape)}: an operation that used it was called "
            f"in a way for which its derivative is not defined"
        )


def add_to_grad(settled: list[tuple[Any, Any]], create_graph: bool) -> None:
    """Add to ``grad`` of each Tensor its cotangent: to all of them or, if anything fails, to none."""
    while True:
        steps = []
        for tensor, g in settled:
            extra = tensor._extra or tensor._own_extra()
            old = extra.grad
            if old is None:
                steps.append((extra, None, None, as_tensor(g, tensor._frame), None))
            else:
                steps.append((extra, old, old._data, *_sum(old, g, tensor._frame, create_graph)))
        with _commit:
            # If another thread has added in the meantime, the sums are stale and are made anew.
            for extra, old, before, _, _ in steps:
                if extra.grad is not old or (old is not None and old._data is not before):
                    break
            else:
                for extra, _, _, grad, data in steps:
                    if data is not None:
                        grad._set_data(data)
                    extra.grad = grad
                return


def _sum(old: Any, g: Any, frame: Any, create_graph: bool) -> tuple[Any, Any]:
    """Return the Tensor that becomes ``grad``, and the payload that it must then be given (None: it has its own).

    Without ``create_graph`` an existing ``grad`` stays the same object and changes its value, as in torch.
    """
    if create_graph:
        return old + as_tensor(g, frame), None
    return old, old._data + g


def retain(tensor: Any, g: Any, create_graph: bool) -> None:
    """Add a cotangent to ``grad`` of a Tensor that retains it."""
    # The pass goes on with the gradient, so it is never the Tensor's alone.
    add_to_grad([(tensor, Ownership((g,)).own(tensor, g, create_graph))], create_graph)
