"""The graph as it shows itself: names of nodes, next_functions, output numbers."""

from __future__ import annotations

from typing import Any

from .registry import Observer, scenario


def _walk(node: Any, seen: list[str], deepest: int = 30) -> list[str]:
    """The names of the nodes, depth first."""
    seen.append(type(node).__name__)
    for successor, _ in node.next_functions:
        if successor is not None and len(seen) < deepest:
            _walk(successor, seen, deepest)
    return seen


@scenario
def names_of_arithmetic(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = torch.tensor([3.0, 4.0], requires_grad=True)
    for z in (x + y, x - y, x * y, x / y, x**2.0, x**y, -x, x + 1.0, 1.0 - x, x * 2.0, x / 2.0, 2.0**x):
        see(z.grad_fn)


@scenario
def names_of_functions(torch: Any, see: Observer) -> None:
    x = torch.tensor([0.25, 0.5], requires_grad=True)
    for name in (
        "exp", "log", "sin", "cos", "tan", "tanh", "sqrt", "abs", "sigmoid", "relu", "sign", "asin", "acos",
        "atan", "sinh", "cosh", "log1p", "expm1", "log2", "log10", "reciprocal", "square", "erf", "rsqrt",
    ):  # fmt: skip
        see(name, getattr(torch, name)(x).grad_fn)


@scenario
def names_of_shapes(torch: Any, see: Observer) -> None:
    x = torch.ones((2, 3), requires_grad=True)
    for z in (
        x.reshape(6), x.reshape(3, 2), x.T, x.permute(1, 0), x.unsqueeze(0), x.unsqueeze(0).squeeze(0), x[0], x[:, 1:], x.expand(4, 2, 3),
        x.flip(0), x.clone(), x.roll(1, 0), torch.where(x > 0, x, 2.0 * x), x.flatten(), x.tril(), x[[0, 1]],
    ):  # fmt: skip
        see(z.grad_fn)


@scenario
def name_of_a_selection_by_mask(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, -2.0, 3.0], requires_grad=True)
    y = x[x > 0]
    see(y, y.grad_fn)


@scenario
def names_of_reductions(torch: Any, see: Observer) -> None:
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    for z in (
        x.sum(),
        x.sum(0),
        x.mean(),
        x.mean(0),
        x.prod(),
        x.std(correction=0),
        x.var(correction=0),
        x.max(),
        x.min(),
        x.logsumexp(0),
    ):
        see(z, z.grad_fn)


@scenario
def names_of_products(torch: Any, see: Observer) -> None:
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    v = torch.tensor([1.0, 2.0], requires_grad=True)
    for z in (x @ x, x @ v, v @ v, torch.stack([x, x]), torch.maximum(x, x * 2.0), torch.minimum(x, x * 2.0)):
        see(z, z.grad_fn)


@scenario
def a_sink_at_each_leaf(torch: Any, see: Observer) -> None:
    x = torch.ones(2, requires_grad=True)
    y = x * x
    (first, second) = y.grad_fn.next_functions
    see(first, second, first[0] is second[0], first[0].variable is x, first[0].next_functions)


@scenario
def the_sink_of_a_leaf_is_one_object(torch: Any, see: Observer) -> None:
    x = torch.ones(2, requires_grad=True)
    y, z = x * 2.0, x.exp()
    see(y.grad_fn.next_functions[0][0] is z.grad_fn.next_functions[0][0])


@scenario
def a_constant_input_has_no_successor(torch: Any, see: Observer) -> None:
    x = torch.ones(2, requires_grad=True)
    c = torch.ones(2)
    see((x * c).grad_fn.next_functions[1], (c - x).grad_fn.next_functions[0], (x + 1.0).grad_fn.next_functions[0])
    see(len((x * c).grad_fn.next_functions))


@scenario
def walking_a_chain(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = ((x * 2.0).exp().sin() + x).sum()
    see(_walk(y.grad_fn, []))


@scenario
def walking_a_diamond(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    a = x.sin()
    y = a * a + a
    see(_walk(y.grad_fn, []))
    left = y.grad_fn.next_functions[0][0].next_functions[0][0]
    see(left is y.grad_fn.next_functions[1][0], left is a.grad_fn)


@scenario
def outputs_are_numbered(torch: Any, see: Observer) -> None:
    x = torch.tensor([[2.0, 1.0], [1.0, 2.0]], requires_grad=True)
    values, vectors = torch.linalg.eigh(x)
    see(values.output_nr, vectors.output_nr, values.grad_fn is vectors.grad_fn, values.grad_fn)
    y = abs(vectors)
    see(y.grad_fn.next_functions[0])


@scenario(
    differs="each part is a selection of its own, so that it can be written to, and a pass touches no more than the parts in use"
)
def parts_are_selections(torch: Any, see: Observer) -> None:
    parts = torch.ones((3, 2), requires_grad=True).unbind(0)
    see([part.output_nr for part in parts], [part.grad_fn is parts[0].grad_fn for part in parts])


@scenario
def the_node_of_a_result_is_one_object(torch: Any, see: Observer) -> None:
    x = torch.ones(2, requires_grad=True)
    y = x * 2.0
    z = x * 2.0
    see(y.grad_fn is y.grad_fn, y.grad_fn == z.grad_fn)


@scenario
def nodes_have_room_for_metadata(torch: Any, see: Observer) -> None:
    y = torch.ones(2, requires_grad=True) * 2.0
    see(y.grad_fn.metadata)
    y.grad_fn.metadata["who"] = "me"
    see(y.grad_fn.metadata)


@scenario
def a_loop_of_recurrences(torch: Any, see: Observer) -> None:
    h = w = torch.tensor(0.5, requires_grad=True)
    for _ in range(4):
        h = (h * w).tanh()
    see(_walk(h.grad_fn, []))
    h.backward()
    see(w.grad)
