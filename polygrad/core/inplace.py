"""In-place operations: rebind a Tensor, its base and its views to new values.

An in-place operation gives the Tensor a new payload and a new history; what the graph has saved is never touched. Writing to a view
shows in its base, and writing to a base in its views, on every backend.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from ..backend.frame import Level
from ..errors import DtypeError, GraphError, ShapeError, describe
from . import modes
from .dispatch import call_public, write_back
from .graph import LEAF, Node
from .sites import located
from .tensor import Tensor, constant, edge_of, live, refuse_leak
from .views import Shared, View, _enlist, _views_of


def share(out: Tensor, source: Tensor) -> None:
    """Make ``out``, which has the values of ``source``, share them with it, as ``detach`` does."""
    view = None if source._extra is None else source._extra.view
    if view is None:
        siblings = _views_of(source)
        out._own_extra().view = Shared(weakref.ref(source), siblings)
        _enlist(siblings, out)
    elif isinstance(view, Shared):  # with something that may be gone already
        out._own_extra().view = Shared(view._base, view.siblings)
        _enlist(view.siblings, out)
    else:  # the same view, of the detached base
        base = view.base.detach()
        out._own_extra().view = View(base, view.op, view.params, detached=True)
        _enlist(_views_of(base), out)


def replay(view: View, base: Tensor) -> Any:
    """The Tensor that ``view`` shows of this value of its base."""
    if isinstance(view, Shared):
        return base._constant()
    return call_public(view.op, (base,), view.params)


def write_through(view: View, value: Tensor) -> Tensor:
    """The base of ``view`` with ``value`` in the place of the view."""
    base = view.base
    if isinstance(view, Shared):
        return value._constant() if base is None else base._continue(value, True)
    assert base is not None
    return write_back(view.op, base, value, view.params)


def part(tensor: Tensor) -> None:
    """End the sharing of a Tensor that is about to get another payload; its views go on sharing the old one."""
    extra = tensor._extra
    if extra is None:
        return
    if extra.views:
        former = tensor.detach() if extra.view is not None else constant(tensor._data, tensor._frame)
        former._node = edge_of(tensor)
        views = former._own_extra().views = extra.views
        for child in _alive(views):
            look = child._extra.view  # type: ignore[union-attr]
            look._base = weakref.ref(former) if isinstance(look, Shared) else former
    extra.view = extra.views = None


def _alive(views: list[weakref.ref[Tensor]] | None) -> list[Tensor]:
    """Those that are still there and still look here."""
    found = [reference() for reference in views or ()]
    return [
        child for child in found if child is not None and child._extra is not None and child._extra.view is not None
    ]


def inplace(target: Tensor, name: str, compute: Callable[[], Any]) -> Tensor:
    """Replace the value of ``target`` by what ``compute`` returns, as an in-place operation would.

    Raises before anything has changed if the target is a leaf that requires grad (or a view of one), or if the result does
    not fit its shape or dtype.
    """
    _refuse_leaf(target, name)
    out: Tensor = compute()
    if out is target:
        return target
    if out.shape != target.shape:
        raise located(
            ShapeError(
                f"{name}: output with shape {list(target.shape)} doesn't match the broadcast shape {list(out.shape)}; an in-place "
                f"operation cannot change the shape of its target, write x = x {name} y instead"
            ),
            target._node,
        )
    return rebind(target, in_own_dtype(target, out, name))


def in_own_dtype(target: Tensor, value: Tensor, where: str) -> Tensor:
    """``value`` cast to the dtype of ``target``, unless that would lose its kind."""
    if value._frame.backend is not target._frame.backend or value.dtype == target.dtype:
        return value  # what is of another library is refused by the operation
    kinds = ("bool", "int", "float", "complex")
    if kinds.index(value._kind()) > kinds.index(target._kind()):
        raise DtypeError(
            f"{where}: result type {value.dtype} can't be cast to the desired output type {target.dtype}; an in-place operation "
            f"keeps the dtype of its target, convert it first: x = x.to({str(value.dtype)!r})"
        )
    return value._frame.namespace.astype(value, target.dtype)  # type: ignore[no-any-return]


def is_there(target: Tensor, key: Any, value: Any) -> bool:
    """Return whether ``value`` is the view ``target[key]``: what ``x[key] += 1`` assigns once the base has been written."""
    view = value._extra.view if isinstance(value, Tensor) and value._extra is not None else None
    return (
        view is not None
        and view.base is target
        and not view.detached
        and view.op.name == "getitem"
        and view.op.view({"key": key})
        and view.params["key"] == key
    )


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
            raise located(
                GraphError(
                    f"{name}: a view of a leaf Variable that requires grad is being used in an in-place operation "
                    f"({describe(target)} of {describe(view.base)}). Update it under polygrad.no_grad(), or work on x.clone()."
                ),
                target._node,
            )
        view = view.base._extra.view if view.base._extra is not None else None


def rebind(target: Tensor, out: Tensor) -> Tensor:
    """Give ``target`` the payload and, while recording, the history of ``out``; bases and views follow."""
    recording = modes.current().records(target._frame.level)
    if target._frame.backend.traces:
        refuse_leak(target, out._data, "in-place operation")
    extra = target._extra
    if extra is None or (extra.view is None and extra.views is None):
        _assign(target, out, recording)
        return target
    steps = [(target, out, recording)]
    followers: list[tuple[Tensor, list[weakref.ref[Tensor]] | None]] = []
    current, value = target, out
    with_graph = recording
    while current._extra is not None and current._extra.view is not None:
        view = current._extra.view
        with_graph = with_graph and not view.detached
        try:
            value = write_through(view, value)
        except GraphError as error:  # what is expanded cannot be written
            raise located(error, current._node) from None
        base = view.base
        if base is None:
            followers.append((value, view.siblings))
            break
        steps.append((base, value, with_graph))
        current = base
    for tensor, new, _ in steps[1:]:
        refuse_leak(tensor, new._data, "in-place operation on a view")
    for tensor, new, graph in steps:
        _assign(tensor, new, graph)
    followers += [(tensor, tensor._extra.views) for tensor, _, _ in steps if tensor._extra is not None]
    done = {id(tensor) for tensor, _, _ in steps}
    while followers:
        value, references = followers.pop()
        for child in _alive(references):
            if id(child) not in done:
                done.add(id(child))
                view = child._extra.view  # type: ignore[union-attr]
                _assign(child, replay(view, value), recording and not view.detached)
                followers.append((child, child._extra.views))  # type: ignore[union-attr]
    return target


def _assign(tensor: Tensor, out: Tensor, graph: bool) -> None:
    """Give a Tensor the value of ``out``, and its history with ``graph``."""
    if not graph and (tensor._frame.lifted or out._frame.lifted) and tensor._frame.level == out._frame.level:
        out = tensor._continue(out, False)
    if out._frame.level > tensor._frame.level:
        before = (tensor.__class__, tensor._data, tensor._frame, tensor._node)
        out._frame.level.written.append((weakref.ref(tensor), before))
    if tensor.__class__ is not out.__class__ or tensor.__class__ is not Tensor:
        _assign_level(tensor, out)
        return
    tensor._data = out._data
    tensor._frame = out._frame
    if graph:
        former, tensor._node = tensor._node, edge_of(out)
        if tensor._extra is not None and tensor._extra.retains:
            if isinstance(former, Node):
                former._retain(None)
            if isinstance(tensor._node, Node):
                tensor._node._retain(tensor)


def _assign_level(tensor: Tensor, out: Tensor) -> None:
    """A value of another level (a dual number, say) takes its meaning along."""
    tensor.__class__ = out.__class__
    tensor._data, tensor._frame, tensor._node = out._data, out._frame, out._node


def end_level(level: Level, failing: bool = False) -> None:
    """Close a level. Tensors from outside that were written to in it keep the values, without what the level knew of them.

    Raises
    ------
    GraphError
        Such a value is one for each example of a batch. The Tensors are as they were before.
    """
    level.close()
    if not level.written:
        return
    refused: Tensor | None = None
    for reference, before in reversed(level.written):
        tensor = reference()
        if tensor is None or tensor._frame.level is not level:
            continue
        if type(tensor)._is_batch:
            tensor.__class__, tensor._data, tensor._frame, tensor._node = before
            refused = tensor
        else:
            _assign_level(tensor, live(tensor, "in-place operation"))
            if tensor._frame.level > before[2].level:  # it belongs to another transform around this one
                tensor._frame.level.written.append((reference, before))
    level.written.clear()
    if refused is not None and not failing:
        raise GraphError(
            f"vmap: a Tensor from outside of the mapped function ({describe(refused)}) was written to with values that differ from example "
            f"to example, so there is no single one that it could keep. It is as it was before. Write into a Tensor that is made inside, "
            f"or return the values"
        )
