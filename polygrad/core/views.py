"""The record of a view: its base, and the operation that made it from there.

Views write through to their base on every backend, by what is recorded here (``inplace``). Plain Tensors pay nothing for it.
"""

from __future__ import annotations

import weakref
from typing import Any

from .tensor import Tensor, TensorExtra


class View:
    """Record of a view: its base, the view operation and its parameters. ``detached``: without its graph."""

    __slots__ = ("_base", "detached", "op", "params")

    def __init__(self, base: Tensor, op: Any, params: dict[str, Any], detached: bool = False) -> None:
        self._base: Any = base
        self.op = op
        self.params = params
        self.detached = detached

    @property
    def base(self) -> Tensor | None:
        """The Tensor looked at; None once it is gone, which only the base of a ``Shared`` can be."""
        return self._base  # type: ignore[no-any-return]


class Shared(View):
    """Record of a detached Tensor: it has the values of the one that it was detached from, without its graph.

    It does not keep that one alive, for then it would keep the graph. What it keeps is the list of all that look there, so that two of
    them go on sharing when their base is gone.
    """

    __slots__ = ("siblings",)

    def __init__(self, base: weakref.ref[Tensor], siblings: list[weakref.ref[Tensor]]) -> None:
        self._base = base
        self.detached = True
        self.siblings = siblings

    @property
    def base(self) -> Tensor | None:
        return self._base()  # type: ignore[no-any-return]


def link(view: Tensor, base: Tensor, op: Any, params: dict[str, Any]) -> None:
    """Make ``view``, which has just been made, a view of ``base``, through a view operation."""
    extra = view._extra
    if extra is None:
        extra = view._extra = TensorExtra()
    extra.view = View(base, op, params)
    _enlist(_views_of(base), view)


def _views_of(base: Tensor) -> list[weakref.ref[Tensor]]:
    extra = base._extra or base._own_extra()
    views = extra.views
    if views is None:
        views = extra.views = []
    return views


def _enlist(views: list[weakref.ref[Tensor]], view: Tensor) -> None:
    if len(views) >= 8 and len(views) & (len(views) - 1) == 0:  # now and then, forget the views that are gone
        views[:] = [reference for reference in views if reference() is not None]
    views.append(weakref.ref(view))
