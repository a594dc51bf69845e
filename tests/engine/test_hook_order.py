"""The order of hooks: each row of the table in docs/hooks.md is a program here, and does what the row says on torch and on polygrad."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import polygrad

PROGRAMS: dict[str, Callable[[Any, Callable[[str], Callable[..., None]]], None]] = {}


def row(situation: str) -> Callable[[Any], Any]:
    """A program that shows the order in a situation: a function of the library and of what makes a hook that logs a word."""

    def add(program: Any) -> Any:
        PROGRAMS[situation] = program
        return program

    return add


def leaf(lib, *values: float):
    return lib.tensor(list(values) or [1.0, 2.0], requires_grad=True)


def everything(tensor, node, says, name: str) -> None:
    """One hook of each kind, registered in the opposite order."""

    def with_grad(word: str) -> Callable[..., None]:
        return lambda *args: says(f"{word} of {name}" + (" (grad is set)" if known() is not None else ""))()

    def known():
        return tensor.grad if tensor.is_leaf or tensor.retains_grad else None

    if tensor.is_leaf:
        tensor.register_post_accumulate_grad_hook(with_grad("post-accumulate hook"))
    node.register_hook(says(f"node hook of {name}"))
    node.register_prehook(with_grad("prehook"))
    tensor.register_hook(says(f"tensor hook of {name}"))


@row("A leaf")
def a_leaf(lib, says):
    x = leaf(lib)
    node = (x * 1).grad_fn.next_functions[0][0]
    everything(x, node, says, "x")
    (x * 2).sum().backward()


@row("A Tensor that is no leaf, with `retain_grad`")
def no_leaf(lib, says):
    h = leaf(lib) * 2
    h.retain_grad()
    everything(h, h.grad_fn, says, "h")
    h.sum().backward()


@row("Several hooks of one kind: in the order in which they were registered")
def registration(lib, says):
    x = leaf(lib)
    for name in "abc":
        x.register_hook(says(name))
    (x * 2).sum().backward()


@row("An operation on two leaves: each is finished, with its `grad`, before the next begins")
def two_leaves(lib, says):
    x, y = leaf(lib), leaf(lib)
    x.register_hook(says("tensor hook of x"))
    x.register_post_accumulate_grad_hook(says("post-accumulate hook of x"))
    y.register_hook(lambda g: says("tensor hook of y" + (" (x.grad is set)" if x.grad is not None else ""))())
    y.register_post_accumulate_grad_hook(says("post-accumulate hook of y"))
    (x * y).sum().backward()


@row("A leaf used late and one used early: a leaf is finished as soon as its gradient is complete")
def early_and_late(lib, says):
    x, w = leaf(lib), leaf(lib)
    h = x * 3
    k = lib.exp(h)
    out = k * w
    w.register_post_accumulate_grad_hook(says("post-accumulate hook of w"))
    x.register_post_accumulate_grad_hook(says("post-accumulate hook of x"))
    h.register_hook(lambda g: says("tensor hook of h" + (" (w.grad is set)" if w.grad is not None else ""))())
    k.register_hook(says("tensor hook of k"))
    out.sum().backward()


@row("A leaf used both early and late: finished after the last of its uses, which is the earliest operation")
def both(lib, says):
    x = leaf(lib)
    h = x * 3
    k = h * x
    x.register_post_accumulate_grad_hook(says("post-accumulate hook of x"))
    h.register_hook(says("tensor hook of h"))
    k.register_hook(says("tensor hook of k"))
    k.sum().backward()


@row("A hook of a Tensor sees `grad` of the leaves that are complete by then, whether these have hooks or not")
def sees_leaves(lib, says):
    x, w = leaf(lib), leaf(lib)
    h = x * 2
    h.register_hook(lambda g: says(f"tensor hook of h (w.grad is {'set' if w.grad is not None else 'None'})")())
    k = h * w
    k.register_hook(lambda g: says(f"tensor hook of k (w.grad is {'set' if w.grad is not None else 'None'})")())
    k.sum().backward()


@row("Branches: the operation recorded last goes first")
def branches(lib, says):
    x = leaf(lib)
    a, b = x * 2, x * 3
    c = a * 5
    for name, tensor in {"a": a, "b": b, "c": c, "x": x}.items():
        tensor.register_hook(says(f"tensor hook of {name}"))
    (b + c).sum().backward()


@row(
    "An operation with several outputs: one after the other, as their first hooks were registered, then those of the node"
)
def several_outputs(lib, says):
    x = lib.tensor([[2.0, 1.0], [1.0, 3.0]], requires_grad=True)
    values, vectors = lib.linalg.eigh(x)
    vectors.register_hook(says("tensor hook of vectors"))
    values.grad_fn.register_prehook(says("prehook"))
    values.register_hook(says("tensor hook of values"))
    vectors.register_hook(says("another of vectors"))
    values.grad_fn.register_hook(says("node hook"))
    (vectors.sum() + values.sum()).backward()


@row("`autograd.grad` with respect to one output of several: the hooks of the others see their gradients too")
def grad_of_output(lib, says):
    x = lib.tensor([[2.0, 1.0], [1.0, 3.0]], requires_grad=True)
    values, vectors = lib.linalg.eigh(x)
    values.register_hook(lambda g: says(f"hook of values (gradient {g.tolist()})")())
    vectors.register_hook(lambda g: says(f"hook of vectors (gradient {g.tolist()})")())
    lib.autograd.grad((2 * vectors).sum() + (3 * values).sum(), vectors)


@row("`autograd.grad` with respect to a leaf: only the hooks of the Tensor run")
def grad_of_leaf(lib, says):
    x = leaf(lib)
    everything(x, (x * 1).grad_fn.next_functions[0][0], says, "x")
    lib.autograd.grad((x * 2).sum(), x)


@row("`autograd.grad` with respect to a Tensor where the pass ends: its hooks, and none of the node's")
def grad_of_intermediate(lib, says):
    h = leaf(lib) * 2
    everything(h, h.grad_fn, says, "h")
    lib.autograd.grad((h * 3).sum(), h)


@row("`autograd.grad` with respect to a Tensor that the pass goes on from: all its hooks")
def grad_of_both(lib, says):
    x = leaf(lib)
    h = x * 2
    everything(h, h.grad_fn, says, "h")
    x.register_hook(says("tensor hook of x"))
    lib.autograd.grad((h * 3).sum(), [h, x])


@row("`backward(inputs=[x])`: nothing of the other leaves runs")
def inputs(lib, says):
    x, y = leaf(lib), leaf(lib)
    x.register_post_accumulate_grad_hook(says("post-accumulate hook of x"))
    y.register_post_accumulate_grad_hook(says("post-accumulate hook of y"))
    y.register_hook(says("tensor hook of y"))
    (x * y).sum().backward(inputs=[x])


@row("An in-place operation: earlier hooks stay with the old value, later ones and `retain_grad` are with the new")
def inplace(lib, says):
    h = leaf(lib) * 2
    h.retain_grad()
    h.register_hook(lambda g: says(f"hook before (gradient {g.tolist()[0]:g})")())
    h *= 5
    h.register_hook(lambda g: says(f"hook after (gradient {g.tolist()[0]:g})")())
    h.sum().backward()
    says(f"h.grad is {h.grad.tolist()[0]:g}")()


@row("A hook that returns a gradient: the next hook, `retain_grad` and what is behind get that one")
def replaced(lib, says):
    x = leaf(lib)
    h = x * 2
    h.retain_grad()
    h.register_hook(lambda g: g * 10)
    h.register_hook(lambda g: says(f"second hook gets {g.tolist()[0]:g}")())
    h.sum().backward()
    says(f"h.grad is {h.grad.tolist()[0]:g}")()
    says(f"x.grad is {x.grad.tolist()[0]:g}")()


@row("A backward pass inside a hook: it is run whole before the outer one goes on")
def nested(lib, says):
    x, w = leaf(lib), leaf(lib)
    w.register_hook(says("tensor hook of w (inner pass)"))

    def hook(g):
        says("tensor hook of h begins")()
        with lib.enable_grad():
            (w * 2).sum().backward()
        says("tensor hook of h ends")()

    h = x * 2
    h.register_hook(hook)
    x.register_hook(says("tensor hook of x (outer pass)"))
    h.sum().backward()


@row("A hook that is taken off, or that is registered while the pass runs: what is there when its turn comes counts")
def changed_meanwhile(lib, says):
    x = leaf(lib)
    h = x * 2
    k = h * 3
    handle = h.register_hook(says("removed hook of h"))

    def hook(g):
        says("hook of k")()
        handle.remove()
        h.register_hook(says("new hook of h"))

    k.register_hook(hook)
    k.sum().backward()


@row("`create_graph=True`: the same order, with recording on inside the hooks")
def create_graph(lib, says):
    x = leaf(lib)
    h = x * x
    x.register_hook(
        lambda g: says(f"tensor hook of x (recording: {lib.is_grad_enabled()}, requires_grad: {g.requires_grad})")()
    )
    h.register_hook(lambda g: says(f"tensor hook of h (recording: {lib.is_grad_enabled()})")())
    h.sum().backward(create_graph=True)
    h = x * x
    h.register_hook(lambda g: says(f"without: tensor hook of h (recording: {lib.is_grad_enabled()})")())
    h.sum().backward()


@row('`register_multi_grad_hook`, mode "all": with the last of the gradients that the pass comes to')
def multi_all(lib, says):
    x, y, unused = leaf(lib), leaf(lib), leaf(lib)

    def hook(gradients):
        says(f"multi-grad hook ({', '.join('None' if g is None else 'gradient' for g in gradients)})")()

    lib.autograd.graph.register_multi_grad_hook([x, y, unused], hook)
    x.register_hook(says("tensor hook of x"))
    y.register_post_accumulate_grad_hook(says("post-accumulate hook of y"))
    h = x * 2
    (h * y).sum().backward()


@row('`register_multi_grad_hook`, mode "any": with the first gradient')
def multi_any(lib, says):
    x, y = leaf(lib), leaf(lib)
    lib.autograd.graph.register_multi_grad_hook([x, y], lambda g: says("multi-grad hook")(), mode="any")
    x.register_hook(says("tensor hook of x"))
    y.register_post_accumulate_grad_hook(says("post-accumulate hook of y"))
    h = x * 2
    (h * y).sum().backward()


@row("An exception in a hook: leaves that were complete keep their `grad`, the others are untouched")
def exception(lib, says):
    x, w = leaf(lib), leaf(lib)

    def hook(g):
        raise ZeroDivisionError

    h = x * 2
    h.register_hook(hook)
    with pytest.raises(ZeroDivisionError):
        (h * w).sum().backward()
    says(f"w.grad is {'None' if w.grad is None else 'set'}")()
    says(f"x.grad is {'None' if x.grad is None else 'set'}")()


def observed(situation: str, lib: Any) -> list[str]:
    log: list[str] = []

    def says(word: str) -> Callable[..., None]:
        def hook(*args: Any) -> None:
            log.append(word)

        return hook

    PROGRAMS[situation](lib, says)
    return log


def table() -> dict[str, list[str]]:
    """The rows of the table: each situation with what happens in it, in order."""
    text = (Path(__file__).parents[2] / "docs" / "hooks.md").read_text()
    lines = text.partition("<!-- order -->")[2].strip().splitlines()[2:]
    rows = {}
    for line in lines:
        if not line.startswith("|"):
            break
        situation, order = [cell.strip() for cell in line.strip("|").split(" | ")]
        rows[situation] = [part.strip() for part in order.split(" → ")]
    return rows


def test_the_table_has_all_rows() -> None:
    assert list(table()) == list(PROGRAMS)


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("situation", PROGRAMS)
def test_row(situation: str) -> None:
    assert observed(situation, polygrad) == table()[situation]


@pytest.mark.parametrize("situation", PROGRAMS)
@pytest.mark.filterwarnings("ignore:Using backward\\(\\) with create_graph=True:UserWarning")
def test_row_on_torch(situation: str) -> None:
    torch = pytest.importorskip("torch")
    assert observed(situation, torch) == table()[situation]
