"""Hooks: what they are given, what they may change, and in which order they run."""

from __future__ import annotations

import weakref
from typing import Any

from .registry import Observer, scenario


@scenario
def a_hook_sees_the_gradient(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    h = x * 3.0
    h.register_hook(lambda grad: see("h", grad, grad.requires_grad, torch.is_grad_enabled()))
    x.register_hook(lambda grad: see("x", grad))
    (h * h).sum().backward()
    see(x.grad)


@scenario
def a_hook_replaces_the_gradient(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    h = x * 3.0
    h.register_hook(lambda grad: grad * 10.0)
    x.register_hook(lambda grad: grad + 1.0)
    h.sum().backward()
    see(x.grad)


@scenario
def hooks_run_in_the_order_of_registration(torch: Any, see: Observer) -> None:
    x = torch.tensor(1.0, requires_grad=True)
    h = x * 2.0
    h.register_hook(lambda grad: grad + 1.0)
    h.register_hook(see)
    h.register_hook(lambda grad: grad * 10.0)
    h.register_hook(see)
    h.backward()
    see(x.grad)


@scenario
def a_removed_hook_is_silent(torch: Any, see: Observer) -> None:
    x = torch.tensor(1.0, requires_grad=True)
    first = x.register_hook(lambda grad: see("first"))
    x.register_hook(lambda grad: see("second"))
    first.remove()
    first.remove()
    (x * 2.0).backward()


@scenario
def a_handle_is_a_context(torch: Any, see: Observer) -> None:
    x = torch.tensor(1.0, requires_grad=True)
    with x.register_hook(lambda grad: see("inside")):
        (x * 2.0).backward()
    (x * 2.0).backward()
    see(x.grad)


@scenario
def a_hook_removes_itself(torch: Any, see: Observer) -> None:
    x = torch.tensor(1.0, requires_grad=True)

    def once(grad: Any) -> None:
        see("once")
        handle.remove()

    handle = x.register_hook(once)
    x.register_hook(lambda grad: see("always"))
    (x * 2.0).backward()
    (x * 2.0).backward()


@scenario
def what_a_hook_may_not_return(torch: Any, see: Observer) -> None:
    def attempt(value: Any) -> None:
        x = torch.tensor([1.0, 2.0], requires_grad=True)
        x.register_hook(lambda grad: value)
        (x * 2.0).sum().backward()

    see.error(lambda: attempt(torch.ones(3)), "size")
    see.error(lambda: attempt(1.0))


@scenario
def hooks_want_a_tensor_that_requires_grad(torch: Any, see: Observer) -> None:
    see.error(lambda: torch.ones(2).register_hook(print), "doesn't require gradient")
    see.error(torch.ones(2).retain_grad, "requires_grad=False")
    see.error(lambda: torch.ones(2).register_post_accumulate_grad_hook(print))
    x = torch.ones(2, requires_grad=True)
    see.error(lambda: (x * 2.0).register_post_accumulate_grad_hook(print), "non-leaf")


@scenario
def an_error_in_a_hook_comes_through(torch: Any, see: Observer) -> None:
    x = torch.tensor(1.0, requires_grad=True)

    def fail(grad: Any) -> None:
        raise KeyError("mine")

    (x * 1.0).register_hook(fail)
    h = x * 2.0
    h.register_hook(fail)
    see.error(h.backward, "mine")
    see(x.grad)


@scenario
def a_shared_result_is_hooked_once_with_the_sum(torch: Any, see: Observer) -> None:
    x = torch.tensor(2.0, requires_grad=True)
    h = x * 3.0
    h.register_hook(lambda grad: see("h", grad))
    (h * h + h).backward()
    see(x.grad)


@scenario
def a_leaf_is_hooked_once_in_a_pass(torch: Any, see: Observer) -> None:
    x = torch.tensor(2.0, requires_grad=True)
    x.register_hook(lambda grad: see("x", grad))
    (x * x + x * 5.0).backward()


@scenario
def hooks_run_for_grad_too(torch: Any, see: Observer) -> None:
    x = torch.tensor(2.0, requires_grad=True)
    h = x * 3.0
    h.register_hook(lambda grad: grad * 10.0)
    x.register_hook(lambda grad: grad + 1.0)
    see(torch.autograd.grad(h * 1.0, [x]))
    see(torch.autograd.grad((x * 3.0), [x]))
    k = x * 3.0
    k.register_hook(lambda grad: grad * 10.0)
    see(torch.autograd.grad(k * 1.0, [k]))


@scenario
def post_accumulate_hooks_do_not_run_for_grad(torch: Any, see: Observer) -> None:
    x = torch.tensor(2.0, requires_grad=True)
    x.register_post_accumulate_grad_hook(lambda leaf: see("ran"))
    torch.autograd.grad(x * 3.0, [x])
    (x * 3.0).backward()


@scenario
def after_accumulation(torch: Any, see: Observer) -> None:
    x = torch.tensor(2.0, requires_grad=True)
    x.register_post_accumulate_grad_hook(lambda leaf: see(leaf is x, leaf.grad))
    (x * 3.0).backward()
    (x * 3.0).backward()


@scenario
def an_optimizer_in_the_backward_pass(torch: Any, see: Observer) -> None:
    w = torch.tensor([1.0, 2.0], requires_grad=True)

    def step(leaf: Any) -> None:
        with torch.no_grad():
            leaf -= 0.5 * leaf.grad
        leaf.grad = None

    w.register_post_accumulate_grad_hook(step)
    (w * w).sum().backward()
    see(w, w.grad, w.is_leaf)


@scenario
def retained_gradients(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    h = x * 3.0
    see(h.retains_grad)
    h.retain_grad()
    h.retain_grad()
    see(h.retains_grad, h.grad)
    (h * h).sum().backward()
    see(h.grad, h.grad.requires_grad, x.grad)
    x.retain_grad()
    see(x.retains_grad)


@scenario
def retained_gradients_accumulate(torch: Any, see: Observer) -> None:
    x = torch.tensor(1.0, requires_grad=True)
    h = x * 3.0
    h.retain_grad()
    (h * 2.0).backward(retain_graph=True)
    (h * 2.0).backward()
    see(h.grad)


@scenario
def a_retained_gradient_is_what_the_hooks_leave(torch: Any, see: Observer) -> None:
    x = torch.tensor(1.0, requires_grad=True)
    h = x * 3.0
    h.register_hook(lambda grad: grad * 10.0)
    h.retain_grad()
    h.register_hook(lambda grad: grad + 1.0)
    h.backward()
    see(h.grad, x.grad)


@scenario
def intermediates_have_no_grad_unless_retained(torch: Any, see: Observer) -> None:
    x = torch.tensor(1.0, requires_grad=True)
    h = x * 3.0
    (h * 2.0).backward()
    see(h.grad, x.grad)


@scenario
def hooks_of_a_node(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    h = x * 3.0
    h.grad_fn.register_prehook(lambda outputs: see("pre", outputs))
    h.grad_fn.register_hook(lambda inputs, outputs: see("post", inputs[0], outputs))
    h.sum().backward()


@scenario
def a_prehook_replaces(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    h = x * 3.0
    h.grad_fn.register_prehook(lambda outputs: (outputs[0] * 10.0,))
    h.sum().backward()
    see(x.grad)


@scenario
def a_posthook_replaces(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    h = x.exp()
    h.grad_fn.register_hook(lambda inputs, outputs: (outputs[0] * 7.0,))
    h.sum().backward()
    see(x.grad)


@scenario
def the_order_at_a_node(torch: Any, see: Observer) -> None:
    x = torch.tensor(1.0, requires_grad=True)
    h = x * 3.0
    order: list[str] = []
    h.grad_fn.register_hook(lambda inputs, outputs: order.append("node post"))
    h.grad_fn.register_prehook(lambda outputs: order.append("node pre"))
    h.register_hook(lambda grad: order.append("tensor"))
    h.backward()
    see(order)


@scenario
def the_order_at_a_leaf(torch: Any, see: Observer) -> None:
    x = torch.tensor(1.0, requires_grad=True)
    order: list[str] = []
    sink = (x * 2.0).grad_fn.next_functions[0][0]
    x.register_post_accumulate_grad_hook(lambda leaf: order.append("after accumulation"))
    sink.register_hook(lambda inputs, outputs: order.append("sink post"))
    sink.register_prehook(lambda outputs: order.append("sink pre"))
    x.register_hook(lambda grad: order.append("tensor"))
    (x * 3.0).backward()
    see(order)


@scenario
def the_order_in_a_graph(torch: Any, see: Observer) -> None:
    x = torch.tensor(1.0, requires_grad=True)
    order: list[str] = []
    a = x * 2.0
    b = a * 3.0
    c = a * 5.0
    y = b + c
    for name, tensor in (("x", x), ("a", a), ("b", b), ("c", c), ("y", y)):
        tensor.register_hook(lambda grad, name=name: order.append(name))
    y.backward()
    see(order)


@scenario
def newer_nodes_run_first(torch: Any, see: Observer) -> None:
    x = torch.tensor(1.0, requires_grad=True)
    order: list[str] = []
    nodes = {name: x * factor for name, factor in (("first", 1.0), ("second", 2.0), ("third", 3.0))}
    for name, tensor in nodes.items():
        tensor.register_hook(lambda grad, name=name: order.append(name))
    (nodes["third"] * nodes["first"] * nodes["second"]).backward()
    see(order)


@scenario
def hooks_under_create_graph(torch: Any, see: Observer) -> None:
    x = torch.tensor(2.0, requires_grad=True)
    h = x**3
    h.register_hook(lambda grad: see(torch.is_grad_enabled(), grad.requires_grad))
    h.register_hook(lambda grad: grad * x)
    (g,) = torch.autograd.grad(h, x, create_graph=True)
    see(g, g.requires_grad)
    see(torch.autograd.grad(g, x))


@scenario
def hooks_run_at_each_pass(torch: Any, see: Observer) -> None:
    x = torch.tensor(2.0, requires_grad=True)
    h = x * 3.0
    h.register_hook(lambda grad: see("h", grad))
    (h * 2.0).backward(retain_graph=True)
    (h * 4.0).backward()
    see(x.grad)


@scenario
def a_hook_that_is_not_reached(torch: Any, see: Observer) -> None:
    x = torch.tensor(2.0, requires_grad=True)
    h, k = x * 3.0, x * 4.0
    k.register_hook(lambda grad: see("k"))
    h.backward()
    see(x.grad)


@scenario
def backward_inside_a_hook(torch: Any, see: Observer) -> None:
    x, z = torch.tensor(2.0, requires_grad=True), torch.tensor(3.0, requires_grad=True)
    h, other = x * 3.0, z * z
    h.register_hook(lambda grad: other.backward())
    h.backward()
    see(x.grad, z.grad)


@scenario
def hooks_follow_the_tensor_through_in_place_operations(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    h = x * 3.0
    h.register_hook(lambda grad: see("before", grad))
    h *= 2.0
    h.register_hook(lambda grad: see("after", grad))
    h.sum().backward()
    see(x.grad)


@scenario
def retain_grad_follows_the_tensor_through_in_place_operations(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    h = x * 3.0
    h.retain_grad()
    h *= 2.0
    h.sum().backward()
    see(h.grad, x.grad)


@scenario
def hooks_of_a_node_with_several_outputs(torch: Any, see: Observer) -> None:
    x = torch.tensor([[2.0, 0.0], [0.0, 3.0]], requires_grad=True)
    q, r = torch.linalg.qr(x)
    r.register_hook(lambda grad: grad * 10.0)
    see(q.grad_fn is r.grad_fn)
    r.grad_fn.register_prehook(lambda outputs: see([output is None for output in outputs]))
    abs(r).sum().backward()
    see(x.grad)


@scenario
def hooks_do_not_keep_their_tensor(torch: Any, see: Observer) -> None:
    x = torch.tensor(2.0, requires_grad=True)
    h = x * 3.0
    ref = weakref.ref(h)
    h.register_hook(lambda grad: None)
    h.retain_grad()
    y = h + 1.0
    del h
    see(ref() is None)
    y.backward()
    see(x.grad)


@scenario
def with_inputs_only_the_hooks_on_the_way_run(torch: Any, see: Observer) -> None:
    x, w = torch.tensor(2.0, requires_grad=True), torch.tensor(3.0, requires_grad=True)
    x.register_hook(lambda grad: see("x"))
    w.register_hook(lambda grad: see("w"))
    (x * w).backward(inputs=[w])
    see(x.grad, w.grad)


@scenario
def a_hook_on_the_root(torch: Any, see: Observer) -> None:
    x = torch.tensor(2.0, requires_grad=True)
    y = x * 3.0
    y.register_hook(lambda grad: grad * 2.0)
    y.backward(torch.tensor(5.0))
    see(x.grad)


@scenario
def clipping_a_gradient_by_a_hook(torch: Any, see: Observer) -> None:
    x = torch.tensor([-5.0, 0.5, 5.0], requires_grad=True)
    x.register_hook(lambda grad: grad.clip(-1.0, 1.0))
    (x * x).sum().backward()
    see(x.grad)
