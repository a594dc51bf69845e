"""In-place operations and views.

In-place operations rebind: they give the Tensor a new payload and a new history, and what the graph has saved is never touched.
A view remembers its base and how it looks at it, so that writing to one shows in the other, on every backend. Plain Tensors pay
nothing for it.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from . import modes
from .errors import GraphError, ShapeError, describe
from .graph import LEAF, Node
from .tensor import Tensor, constant, edge_of


class View:
    """How a Tensor looks at another: through a view operation with these parameters, or, without one, as ``detach()`` does."""

    __slots__ = ("base", "op", "params")

    def __init__(self, base: Tensor, op: Any, params: dict[str, Any]) -> None:
        self.base = base
        self.op = op
        self.params = params

    @property
    def detached(self) -> bool:
        return self.op is None

    def replay(self) -> Tensor:
        """The view, made anew from the base as it is now."""
        from .apply import call_public

        base = self.base
        if self.op is None:
            return constant(base._data, base._frame)
        return call_public(self.op, (base,), self.params)  # type: ignore[no-any-return]

    def write(self, value: Tensor) -> Tensor:
        """The base with ``value`` in the place of the view."""
        from .apply import write_back

        return value if self.op is None else write_back(self.op, self.base, value, self.params)


def link(view: Tensor, base: Tensor, op: Any, params: dict[str, Any]) -> None:
    """Make ``view`` a view of ``base``, through a view operation (None: ``detach``)."""
    view._own_extra().view = View(base, op, params)
    extra = base._own_extra()
    if extra.views is None:
        extra.views = []
    views = extra.views
    if len(views) >= 8 and len(views) & (len(views) - 1) == 0:  # now and then, forget the views that are gone
        views[:] = [reference for reference in views if reference() is not None]
    views.append(weakref.ref(view))


def inplace(target: Tensor, name: str, compute: Callable[[], Any]) -> Tensor:
    """Replace the value of ``target`` by what ``compute`` returns, as an in-place operation would.

    Raises before anything has changed if the target is a leaf that requires grad (or a view of one), or if the result does
    not fit its shape or dtype.
    """
    _refuse_leaf(target, name)
    out = compute()
    if out.shape != target.shape:
        raise ShapeError(
            f"{name}: output with shape {list(target.shape)} doesn't match the broadcast shape {list(out.shape)}; an in-place "
            f"operation cannot change the shape of its target, write x = x {name} y instead"
        )
    return rebind(target, target._in_own_dtype(out, name))


def _refuse_leaf(target: Tensor, name: str) -> None:
    state = modes.current()
    if not state.records(target._frame.level):
        return
    if target._node is LEAF:
        raise GraphError(
            f"{name}: a leaf Variable that requires grad is being used in an in-place operation ({describe(target)}). Update it under "
            f"polygrad.no_grad(), or work on x.clone()."
        )
    view = target._extra.view if target._extra is not None else None
    while view is not None and not view.detached:
        if view.base._node is LEAF:
            raise GraphError(
                f"{name}: a view of a leaf Variable that requires grad is being used in an in-place operation "
                f"({describe(target)} of {describe(view.base)}). Update it under polygrad.no_grad(), or work on x.clone()."
            )
        view = view.base._extra.view if view.base._extra is not None else None


def rebind(target: Tensor, out: Tensor) -> Tensor:
    """Give ``target`` the payload and, while recording, the history of ``out``; bases and views follow."""
    recording = modes.current().records(target._frame.level)
    extra = target._extra
    if extra is None or (extra.view is None and extra.views is None):
        _assign(target, out, recording)
        return target
    steps = [(target, out, recording)]
    current, value = target, out
    with_graph = recording
    while current._extra is not None and current._extra.view is not None:
        view = current._extra.view
        if view.detached:
            with_graph = False
            value = constant(value._data, value._frame)
        value = view.write(value)
        steps.append((view.base, value, with_graph))
        current = view.base
    for tensor, new, graph in steps:
        _assign(tensor, new, graph)
    done = {id(tensor) for tensor, _, _ in steps}
    stack = [tensor for tensor, _, _ in steps]
    while stack:
        base = stack.pop()
        references = base._extra.views if base._extra is not None else None
        for reference in references or ():
            child = reference()
            if child is None or id(child) in done:
                continue
            done.add(id(child))
            _assign(child, child._extra.view.replay(), recording)  # type: ignore[union-attr]
            stack.append(child)
    return target


def _assign(tensor: Tensor, out: Tensor, graph: bool) -> None:
    if tensor.__class__ is not out.__class__ or tensor.__class__ is not Tensor:
        _assign_level(tensor, out)
        return
    tensor._data = out._data
    tensor._frame = out._frame
    if graph:
        tensor._node = edge_of(out)
        if tensor._extra is not None and tensor._extra.retains and isinstance(tensor._node, Node):
            tensor._node._extra().retain = weakref.ref(tensor)


def _assign_level(tensor: Tensor, out: Tensor) -> None:
    """A value of another level (a dual number, say) takes its meaning along."""
    tensor.__class__ = out.__class__
    tensor._data, tensor._frame, tensor._node = out._data, out._frame, out._node
