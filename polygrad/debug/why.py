"""Explain why a Tensor has no gradient."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ..core.graph import Node, OutputNode, nodes_below
from ..core.sites import site_of
from ..core.tensor import Tensor, edge_of
from ..errors import ArgumentError, describe


class Reason(Enum):
    """Reasons for a gradient that is None, in the order in which they are looked for."""

    HAS_GRAD = "it has one"
    DTYPE = "its dtype has no gradient"
    DETACHED = "it was detached"
    INFERENCE = "it was made in inference mode"
    NOT_REQUIRED = "it does not require grad"
    NOT_RETAINED = "it is not a leaf and does not retain its gradient"
    OUTPUT_WITHOUT_GRAPH = "the output does not require grad"
    CUT = "there is no recorded path from it to the output"
    UNUSED = "no recorded operation uses it"
    NOT_RUN = "backward has not been called"
    RUN_WITHOUT_IT = "a backward pass has run, and did not leave the gradient here"


@dataclass(frozen=True)
class Why:
    """Answer of ``why_no_grad``: the reason, and a text that says what to do."""

    reason: Reason
    text: str

    def __str__(self) -> str:
        return self.text


def why_no_grad(t: Tensor, output: Tensor | None = None) -> Why:
    """Explain why ``t.grad`` is None.

    The nodes that are alive are searched, which takes a while in a big program. An operation that left no node (one inside ``no_grad``,
    one whose derivative is zero, a conversion to integers, ``detach``) leaves no trace: then the last node on the way is named.

    Parameters
    ----------
    t
        The Tensor in question.
    output
        The Tensor on which ``backward`` was, or is to be, called. With it a missing path can be told.

    Returns
    -------
    Why
        The reason, and a text.

    Raises
    ------
    ArgumentError
        An argument is no Tensor.
    """
    for value in (t, output):
        if not isinstance(value, Tensor) and (value is not None or t is None):
            raise ArgumentError(f"why_no_grad: expected a Tensor, got {describe(value)}")
    what = f"This Tensor ({describe(t)})"
    if t.grad is not None:
        return Why(Reason.HAS_GRAD, f"{what} has a gradient: .grad is not None.")
    if t._node is None:
        return _explain_untracked(t, what)
    if not t.is_leaf and not t.retains_grad:
        return Why(
            Reason.NOT_RETAINED,
            f"{what} is not a leaf: {_name_of(t.grad_fn)} made it, and a backward pass fills .grad of leaves only. Call retain_grad() on "
            f"it before backward(), or ask for the gradient: polygrad.autograd.grad(loss, t).",
        )
    if output is not None and output._node is None:
        return Why(
            Reason.OUTPUT_WITHOUT_GRAPH,
            f"The output ({describe(output)}) does not require grad: nothing that it was computed from is recorded. It was computed under "
            f"no_grad or inference_mode, from detached values, or by an operation without derivative; backward() on it raises.",
        )
    return _explain_unreached(t, output, what)


def _explain_untracked(t: Tensor, what: str) -> Why:
    if t.dtype not in t._frame.floating:
        return Why(
            Reason.DTYPE,
            f"{what} has the dtype {t.dtype}, and only floating-point and complex Tensors have gradients. Convert it first, "
            f"t.to('float64').requires_grad_(); a conversion to integers cuts the path in any case.",
        )
    if t.is_inference():
        return Why(
            Reason.INFERENCE,
            f"{what} was made in inference mode, where nothing is recorded. Compute it outside, or call requires_grad_() on it.",
        )
    if t._extra is not None and t._extra.view is not None and t._extra.view.detached:
        return Why(
            Reason.DETACHED,
            f"{what} was detached (detach() or .data): it shares its values with another Tensor, not its history. Use that one.",
        )
    return Why(
        Reason.NOT_REQUIRED,
        f"{what} does not require grad. If it is an input, call requires_grad_() before it is used; if it is a result, then nothing that "
        f"it was computed from requires grad, or recording was off (no_grad), or the operation has no derivative.",
    )


def _explain_unreached(t: Tensor, output: Tensor | None, what: str) -> Why:
    edge = edge_of(t)
    users = _users_of([found for found in gc.get_objects() if issubclass(type(found), Node)])
    direct, onwards = users.get(edge, []), _descendants(edge, users)
    if output is not None:
        below = set(nodes_below([edge_of(output)]))
        made_by = edge.edges[0] if type(edge) is OutputNode else edge
        if output is not t and not (made_by in below if t.grad_fn is not None else below.intersection(direct)):
            ends = [_name_of(node) for node in onwards if node not in users]
            where = (
                f"The recorded path from it ends at {' and '.join(ends[:3])}"
                if ends
                else "No recorded operation uses it"
            )
            return Why(
                Reason.CUT,
                f"{what} does not lead to the output ({describe(output)}). {where}: what comes next was computed from detach() or .data, "
                f"under no_grad, through integers, through NumPy, or by an operation without derivative; or it has nothing to do with the "
                f"output.",
            )
        onwards = [node for node in onwards if node in below]
    if not direct and t.is_leaf and output is None:
        return Why(
            Reason.UNUSED,
            f"No recorded operation that is still there uses this Tensor ({describe(t)}): either none was recorded (no_grad, detach(), an "
            f"operation without derivative, another Tensor of the same values), or the graph is gone.",
        )
    if any(node.saved is None for node in onwards):
        return Why(
            Reason.RUN_WITHOUT_IT,
            f"A backward pass has come to this Tensor ({describe(t)}), and .grad is None all the same: it was set to None since, or the "
            f"pass was autograd.grad(), which fills no .grad, or backward(inputs=...) without it, or it failed.",
        )
    return Why(
        Reason.NOT_RUN,
        f"{what} is used by {_name_of(direct[0]) if direct else 'nothing yet'}, and the graph shows no backward pass that went through it: "
        f"call backward() on a result that was computed from it.",
    )


def _users_of(nodes: list[Node]) -> dict[Any, list[Node]]:
    """Return for each edge the nodes that have it; operations with several outputs count as one."""
    users: dict[Any, list[Node]] = {}
    for node in nodes:
        if type(node) is OutputNode:
            continue
        for edge in node.edges:
            if edge is not None:
                users.setdefault(edge, []).append(node)
                if type(edge) is OutputNode:
                    users.setdefault(edge.edges[0], []).append(node)
    return users


def _descendants(edge: Any, users: dict[Any, list[Node]]) -> list[Node]:
    """Return every node that was computed from the value at ``edge``."""
    seen: dict[Node, None] = {}
    stack = list(users.get(edge, []))
    while stack:
        node = stack.pop()
        if node not in seen:
            seen[node] = None
            stack.extend(users.get(node, []))
    return list(seen)


def _name_of(node: Any) -> str:
    site = site_of(node)
    return node.name() + (f" ({site.file}:{site.line})" if site is not None else "")  # type: ignore[no-any-return]
