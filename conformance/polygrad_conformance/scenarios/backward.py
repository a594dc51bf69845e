"""``backward`` and ``grad``: what is accumulated where, what may be asked, and what is refused."""

from __future__ import annotations

from typing import Any

from .registry import Observer, scenario


@scenario
def the_gradient_of_a_square(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = (x * x).sum()
    see(y.backward(), x.grad, x.grad.requires_grad, x.grad.is_leaf, x.grad.grad_fn)


@scenario
def gradients_accumulate(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    (x * 2.0).sum().backward()
    g = x.grad
    (x * 3.0).sum().backward()
    see(x.grad, x.grad is g, g)


@scenario
def with_create_graph_grad_is_replaced(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    (x**3).sum().backward(create_graph=True)
    g = x.grad
    see(g, g.requires_grad, g.is_leaf)
    (x**3).sum().backward(create_graph=True)
    see(x.grad, x.grad is g, g)
    x.grad = None


@scenario
def a_second_backward_is_refused(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = (x * x).sum()
    y.backward()
    see.error(y.backward, "Trying to backward through the graph a second time")
    see(x.grad)


@scenario
def a_second_backward_where_nothing_was_saved(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = (x + 1.0).sum()
    y.backward()
    y.backward()
    see(x.grad)


@scenario
def a_second_backward_through_a_multiple(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = (x * 2.0 + 1.0).sum()
    y.backward()
    see.error(y.backward, "second time")


@scenario
def with_create_graph_each_leaf_has_a_gradient_of_its_own(torch: Any, see: Observer) -> None:
    x, y = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    v = torch.ones(2)
    (x + y).backward(v, create_graph=True)
    see(x.grad is y.grad, x.grad is v)
    with torch.no_grad():
        x.grad.zero_()
    see(x.grad, y.grad, v)


@scenario
def a_shared_part_is_freed(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    a = x.exp()
    y, z = a.sum(), (a * 2.0).sum()
    y.backward()
    see.error(z.backward, "second time")


@scenario
def retain_graph_allows_a_second_pass(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward(retain_graph=False)
    see(x.grad)
    see.error(y.backward, "second time")


@scenario
def only_scalars_start_by_themselves(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * x
    see.error(y.backward, "grad can be implicitly created only for scalar outputs")
    y.backward(torch.tensor([1.0, 10.0]))
    see(x.grad)
    z = (x * 2.0).reshape(1, 2)[:, :1]  # one element, though two axes
    z.backward()
    see(x.grad)


@scenario
def a_cotangent_has_to_fit(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * x
    see.error(lambda: y.backward(torch.ones(3)), "shape")
    see.error(lambda: y.backward(1.0))
    see(x.grad)


@scenario
def nothing_requires_grad(torch: Any, see: Observer) -> None:
    see.error(lambda: torch.ones(2).sum().backward(), "does not require grad and does not have a grad_fn")
    with torch.no_grad():
        y = torch.ones(2, requires_grad=True).sum()
    see.error(y.backward, "does not require grad")


@scenario
def backward_of_a_leaf(torch: Any, see: Observer) -> None:
    x = torch.tensor(3.0, requires_grad=True)
    x.backward()
    x.backward()
    see(x.grad)


@scenario
def backward_of_several(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y, z = x.sum(), x * 3.0
    torch.autograd.backward([y, z], [None, torch.tensor([1.0, 10.0])])
    see(x.grad)
    see.error(lambda: torch.autograd.backward([x.sum(), x * 3.0]), "scalar outputs")


@scenario
def the_same_output_twice(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = (x * x).sum()
    torch.autograd.backward([y, y])
    see(x.grad)


@scenario
def backward_into_chosen_inputs(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    w = torch.tensor([3.0, 4.0], requires_grad=True)
    h = x * w
    (h * h).sum().backward(inputs=[w])
    see(x.grad, w.grad)
    see.error(lambda: (x * w).sum().backward(inputs=[]), "empty")


@scenario
def backward_into_an_intermediate(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    h = x * 2.0
    (h * h).sum().backward(inputs=[h])
    see(x.grad, h.grad)


@scenario
def an_unreachable_input_keeps_its_grad(torch: Any, see: Observer) -> None:
    x, z = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    (x * 2.0).sum().backward()
    see(x.grad, z.grad)


@scenario
def grad_leaves_the_leaves_alone(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    result = torch.autograd.grad((x * x).sum(), x)
    see(type(result).__name__, result, x.grad, result[0].requires_grad)


@scenario
def grad_of_an_unused_input(torch: Any, see: Observer) -> None:
    x, z = torch.ones(2, requires_grad=True), torch.ones(3, requires_grad=True)
    see.error(lambda: torch.autograd.grad((x * x).sum(), [x, z]), "appears to not have been used in the graph")
    see(torch.autograd.grad((x * x).sum(), [x, z], allow_unused=True))
    see(torch.autograd.grad((x * x).sum(), [x, z], materialize_grads=True))
    see.error(lambda: torch.autograd.grad(x.sum(), [z], allow_unused=False, materialize_grads=True))


@scenario
def grad_wants_inputs_that_require_it(torch: Any, see: Observer) -> None:
    x, c = torch.ones(2, requires_grad=True), torch.ones(2)
    see.error(lambda: torch.autograd.grad((x * c).sum(), [c]), "does not require grad")
    see.error(lambda: torch.autograd.grad(c.sum(), [x]), "does not require grad")
    see.error(lambda: torch.autograd.grad(x * c, [x]), "scalar outputs")


@scenario
def grad_of_an_intermediate(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    h = x * 2.0
    y = (h * h).sum()
    see(torch.autograd.grad(y, [h, x]))


@scenario
def grad_of_a_tensor_with_respect_to_itself(torch: Any, see: Observer) -> None:
    x = torch.tensor(2.0, requires_grad=True)
    h = x * 3.0
    see(torch.autograd.grad(x, x), torch.autograd.grad(h, h), torch.autograd.grad(h, [h, x]))


@scenario
def grad_with_the_same_input_twice(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    see(torch.autograd.grad((x * x).sum(), [x, x]))


@scenario
def grad_of_several_outputs_is_their_sum(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y, z = (x * x).sum(), x * 3.0
    see(torch.autograd.grad([y, z], [x], [torch.tensor(2.0), torch.tensor([1.0, 10.0])]))
    see.error(lambda: torch.autograd.grad([x.sum(), x.sum()], [x], [torch.tensor(1.0)]))


@scenario
def grad_frees_the_graph_too(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = (x * x).sum()
    torch.autograd.grad(y, x)
    see.error(lambda: torch.autograd.grad(y, x), "second time")


@scenario
def grad_to_an_intermediate_frees_only_what_ran(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    h = x * x
    y = (h * h).sum()
    torch.autograd.grad(y, h)
    see.error(y.backward, "second time")
    h.sum().backward()
    see(x.grad)


@scenario
def second_derivatives(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    (g,) = torch.autograd.grad((x**3).sum(), x, create_graph=True)
    see(g, g.requires_grad, g.is_leaf)
    (h,) = torch.autograd.grad(g.sum(), x)
    see(h, h.requires_grad)


@scenario
def third_derivatives(torch: Any, see: Observer) -> None:
    x = torch.tensor(2.0, requires_grad=True)
    y = x**4
    for _ in range(3):
        (y,) = torch.autograd.grad(y, x, create_graph=True)
        see(y)


@scenario
def without_create_graph_a_gradient_is_constant(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    (g,) = torch.autograd.grad((x**3).sum(), x)
    see(g.requires_grad, g.grad_fn)
    see.error(lambda: torch.autograd.grad(g.sum(), x), "does not require grad")


@scenario
def the_gradient_of_something_linear_is_constant(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    (g,) = torch.autograd.grad((x * 3.0).sum(), x, create_graph=True)
    see(g, g.requires_grad)


@scenario
def create_graph_keeps_the_graph(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = (x**3).sum()
    torch.autograd.grad(y, x, create_graph=True)
    y.backward()
    see(x.grad)
    z = (x**3).sum()
    torch.autograd.grad(z, x, create_graph=True, retain_graph=False)
    see.error(z.backward, "second time")


@scenario
def a_gradient_penalty(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    w = torch.tensor([3.0, 4.0], requires_grad=True)
    (g,) = torch.autograd.grad((w * x * x).sum(), x, create_graph=True)
    (g * g).sum().backward()
    see(x.grad, w.grad)


@scenario
def gradients_of_cotangents(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    v = torch.tensor([1.0, 1.0], requires_grad=True)
    (g,) = torch.autograd.grad(x**2, x, v, create_graph=True)
    see(torch.autograd.grad(g, [x, v], torch.tensor([1.0, 10.0])))


@scenario
def broadcasting_is_summed(torch: Any, see: Observer) -> None:
    x = torch.tensor([[1.0], [2.0]], requires_grad=True)
    y = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    s = torch.tensor(2.0, requires_grad=True)
    (x * y * s).sum().backward()
    see(x.grad, y.grad, s.grad)


@scenario
def dtypes_meet(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    y = torch.tensor([3.0, 4.0], dtype=torch.float32, requires_grad=True)
    n = torch.tensor([1, 2])
    z = x * y * n
    see(z.dtype, z)
    z.sum().backward()
    see(x.grad, x.grad.dtype, y.grad, y.grad.dtype)


@scenario
def complex_gradients_are_conjugate(torch: Any, see: Observer) -> None:
    z = torch.tensor([1.0 + 2.0j, 3.0 - 1.0j], requires_grad=True)
    loss = (torch.abs(z) ** 2).sum()
    loss.backward()
    see(z.grad)
    see.error(lambda: (z * z).sum().backward(), "real")


@scenario
def a_diamond(torch: Any, see: Observer) -> None:
    x = torch.tensor(2.0, requires_grad=True)
    a = x * x
    (a * a + a * x).backward()
    see(x.grad)


@scenario
def a_long_chain(torch: Any, see: Observer) -> None:
    x = torch.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(3000):
        y = y + x
    y.backward()
    see(y, x.grad)


@scenario
def selecting_by_index(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    i = torch.tensor([0, 0, 2])
    (x[i] * torch.tensor([1.0, 10.0, 100.0])).sum().backward()
    see(x.grad)


@scenario
def ties_share(torch: Any, see: Observer) -> None:
    x = torch.tensor([2.0, 2.0, 1.0], requires_grad=True)
    x.max().backward()
    see(x.grad)
    x.grad = None
    torch.maximum(x, torch.tensor([2.0, 1.0, 1.0])).sum().backward()
    see(x.grad)


@scenario
def kinks(torch: Any, see: Observer) -> None:
    x = torch.tensor([0.0, -1.0, 1.0], requires_grad=True)
    for name in ("abs", "relu", "sign"):
        x.grad = None
        y = getattr(torch, name)(x)
        if y.requires_grad and name != "sign":
            y.sum().backward()
            see(name, x.grad)


@scenario
def a_branch_that_does_not_take_part(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x.exp()
    y.sum()  # recorded, never asked
    z = (x * 2.0).sum()
    z.backward()
    see(x.grad)
    y.sum().backward()
    see(x.grad)


@scenario
def tensors_and_text_are_told_apart(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    see.error(lambda: torch.autograd.grad((x * x).sum(), "x"))
    see.error(lambda: torch.autograd.grad((x * x).sum(), [1.0]))
