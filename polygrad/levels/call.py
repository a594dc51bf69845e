"""One way through the levels, for everything that can be differentiated.

An operation, a user's ``Function``, ``custom_vjp`` and ``custom_jvp``, a foreign function and a move to another backend are each a
``Call``: a primal, and a vjp, a jvp and a batching rule, given or derived. ``run`` peels the levels off the arguments one by one (each
transform opens one) and hands the call to the kind of level that it meets. Each kind handles every call in one place: reverse mode in
``run_recorded`` below, forward mode in ``dual.run_dual``, batches in ``batched.run_batched``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..backend.frame import GROUND, Level
from ..core import modes
from ..core.dispatch import mark_inference
from ..core.graph import Node
from ..core.record import attach
from ..core.tensor import Tensor, constant, edge_of, level_of, live_tree
from .level import lifted, lowered

Values = Sequence[Any]
"""Tensors, and whatever else stands among arguments or outputs."""


class Call:
    """Something to run on arguments of any levels, with its derivatives.

    The methods get and return values of the levels below the one at which they are asked, so a derivative of any order and mixture
    follows as far as they are differentiable themselves.
    """

    __slots__ = ()
    name: str
    """The name that errors give it."""
    returns_own = True
    """True if the outputs of ``primal`` are returned as they are where nothing is recorded; else new Tensors are."""

    def __call__(self, args: Values) -> Values:
        """Return the outputs for arguments of any levels."""
        return run(self, args)

    def primal(self, args: Values) -> Values:
        """Return the outputs for arguments of level 0, recording nothing."""
        raise NotImplementedError

    def jvp(self, primals: Values, tangents: Values) -> tuple[Values, Values]:
        """Return the outputs and their tangents, given those of the arguments (None: zero)."""
        raise NotImplementedError

    def recorded(self, args: Values, level: Level) -> tuple[Values, Any]:
        """Return the outputs, and what ``node`` needs besides the arguments."""
        return self(args), None

    def node(
        self, args: Values, below: Values, edges: Values, results: Values, carries: Sequence[bool], kept: Any
    ) -> Node:
        """Return the node of a call with these arguments, ``below`` the level, and results."""
        raise NotImplementedError

    def batch(self, args: Values, mapped: Sequence[bool], size: int, level: Level) -> Values:
        """Return the outputs for a whole batch, all with its axis in front; so have the arguments that are ``mapped``."""
        raise NotImplementedError

    def lower(self, arg: Tensor, level: Level) -> Tensor:
        """Return an argument of the level without it; of level 0, without its history."""
        return lowered(arg, level) if level else constant(arg._data, arg._frame)

    def carries(self, results: Values, level: Level) -> list[bool]:
        """Return which results have a gradient at the level."""
        return [level_of(result) == level and result.dtype in result._frame.floating for result in results]

    def finish(self, args: Values, results: list[Any], level: Level) -> list[Any]:
        """Return the results of a level as its caller gets them."""
        return results


def run(call: Call, args: Values) -> Values:
    """Run a call on arguments of any levels."""
    top: Any = None
    for arg in args:
        if isinstance(arg, Tensor):
            if not arg._frame.level.open:
                return run(call, [live_tree(arg, call.name) for arg in args])
            if top is None or arg._frame.level > top._frame.level:
                top = arg
    if top is None:
        return call.finish(args, list(call.primal(args)), GROUND)
    level = top._frame.level
    handler = top._run_call
    results = run_recorded(call, args, level) if handler is None else handler(call, args, top)
    return call.finish(args, results, level)


def run_recorded(call: Call, args: Values, level: Level) -> list[Any]:
    """Run a call at a level of reverse mode: its outputs are constants there, or have a node."""
    mine = [level_of(arg) == level for arg in args]
    edges = [edge_of(arg) if own else None for arg, own in zip(args, mine, strict=True)]
    state = modes.current()
    tracked = state.records(level) and any(edge is not None for edge in edges)
    if not tracked and level == 0 and call.returns_own:
        return list(call.primal(args))
    below = [call.lower(arg, level) if own else arg for arg, own in zip(args, mine, strict=True)]
    if tracked:
        outs, kept = call.recorded(below, level)
    else:
        outs, kept = call(below) if level else call.primal(below), None
    raw = not any(own and arg._frame.lifted for arg, own in zip(args, mine, strict=True))
    results = [lifted(out, level, raw) for out in outs]
    carries = call.carries(results, level)
    if tracked and any(carries):
        attach(call.node(args, below, edges, results, carries, kept), results, carries)
    if state.inference:
        mark_inference([result for result in results if isinstance(result, Tensor)])
    return results
