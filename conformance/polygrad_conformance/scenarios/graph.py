"""``autograd.graph``: hooks on saved values and on several gradients, edges; and what ``autograd`` has beside ``backward`` and ``grad``."""

from __future__ import annotations

from typing import Any

from .registry import Observer, scenario


@scenario
def saved_values_are_packed_and_unpacked(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    log: list[str] = []

    def pack(value: Any) -> Any:
        log.append("pack")
        return value * 1.0

    def unpack(value: Any) -> Any:
        log.append("unpack")
        return value

    with torch.autograd.graph.saved_tensors_hooks(pack, unpack):
        y = x.exp()
    see(log)
    y.sum().backward()
    see(log, x.grad)


@scenario
def what_is_unpacked_is_what_counts(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(lambda value: 7, lambda packed: torch.ones(2) * float(packed)):
        y = x.exp()
    y.sum().backward()
    see(y, x.grad)


@scenario
def packing_costs_where_something_is_saved(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    packed: list[Any] = []

    def pack(value: Any) -> Any:
        packed.append(value.tolist())
        return value

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda value: value):
        y = x + 1.0
        z = x * torch.tensor([3.0, 4.0])
    see(packed)
    (y + z).sum().backward()
    see(x.grad)


@scenario
def the_innermost_hooks_on_saved_values_count(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    hooks = torch.autograd.graph.saved_tensors_hooks
    log: list[str] = []

    def noting(name: str) -> Any:
        def pack(value: Any) -> Any:
            log.append(name)
            return value

        return hooks(pack, lambda value: value)

    with noting("outer"):
        x.exp()
        with noting("inner"):
            x.exp()
        x.exp()
    x.exp()
    see(log)


@scenario
def unpacking_happens_at_each_pass(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    log: list[str] = []

    def unpack(value: Any) -> Any:
        log.append("unpack")
        return value

    with torch.autograd.graph.saved_tensors_hooks(lambda value: value * 1.0, unpack):
        y = x.exp().sum()
    y.backward(retain_graph=True)
    y.backward()
    see(len(log), x.grad)


@scenario
def hooks_on_saved_values_can_be_forbidden(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)

    def attempt() -> None:
        hooks = torch.autograd.graph.saved_tensors_hooks(lambda v: v, lambda v: v)
        with torch.autograd.graph.disable_saved_tensors_hooks("not here"), hooks:
            x.exp()

    see.error(attempt, "not here")


@scenario
def saving_on_the_host(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    with torch.autograd.graph.save_on_cpu():
        y = (x.exp() * x).sum()
    y.backward()
    see(x.grad)


@scenario
def second_derivatives_through_packed_values(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(lambda value: value, lambda value: value):
        y = (x**3).sum()
        (g,) = torch.autograd.grad(y, x, create_graph=True)
    see(torch.autograd.grad(g.sum(), x))


@scenario
def a_hook_for_all_of_several_gradients(torch: Any, see: Observer) -> None:
    x, y, z = (torch.tensor(float(i), requires_grad=True) for i in (1, 2, 3))
    handle = torch.autograd.graph.register_multi_grad_hook((x, y, z), lambda grads: see("all", grads))
    (x * y).backward()
    (x * y * z).backward()
    handle.remove()
    (x * y).backward()
    see(x.grad)


@scenario
def a_hook_for_any_of_several_gradients(torch: Any, see: Observer) -> None:
    x, y = torch.tensor(1.0, requires_grad=True), torch.tensor(2.0, requires_grad=True)
    torch.autograd.graph.register_multi_grad_hook((x, y), lambda grad: see("any"), mode="any")
    (x * y).backward()
    (x * 3.0).backward()


@scenario
def edges(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3.0
    edge, sink = torch.autograd.graph.get_gradient_edge(y), torch.autograd.graph.get_gradient_edge(x)
    see(edge.node is y.grad_fn, edge.output_nr, sink.node, sink.node.variable is x)
    see.error(lambda: torch.autograd.graph.get_gradient_edge(torch.ones(2)), "require")


@scenario
def an_edge_in_place_of_a_tensor(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    h = x * 3.0
    edge = torch.autograd.graph.get_gradient_edge(h)
    y = (h * h).sum()
    del h
    see(torch.autograd.grad(y, edge, retain_graph=True))
    see(torch.autograd.grad(y, [torch.autograd.graph.get_gradient_edge(x)], retain_graph=True))
    torch.autograd.backward(edge, torch.tensor([1.0, 10.0]))
    see(x.grad)


@scenario
def many_cotangents_at_once(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * x
    rows = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    see(torch.autograd.grad(y, x, rows, is_grads_batched=True))


@scenario
def anomaly_mode_finds_the_first_nan(torch: Any, see: Observer) -> None:
    x = torch.tensor([0.0, 1.0], requires_grad=True)
    with torch.autograd.detect_anomaly():
        y = (torch.sqrt(x) * 0.0).sum()
        see.error(y.backward, "Function 'SqrtBackward0' returned nan values in its 0th output")
    see(torch.is_anomaly_enabled())


@scenario
def anomaly_mode_as_a_call(torch: Any, see: Observer) -> None:
    with torch.autograd.set_detect_anomaly(True):
        see(torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled())
    with torch.autograd.detect_anomaly(check_nan=False):
        see(torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled())
    see(torch.is_anomaly_enabled())


@scenario
def products_with_a_jacobian(torch: Any, see: Observer) -> None:
    functional = torch.autograd.functional
    x, v = torch.tensor([1.0, 2.0]), torch.tensor([1.0, 10.0])
    see(functional.vjp(lambda x: x * x[0], x, v), functional.jvp(lambda x: x * x[0], x, v))
    see.error(lambda: functional.vjp(lambda x: x * x, x))


@scenario
def a_jacobian_and_a_hessian(torch: Any, see: Observer) -> None:
    functional = torch.autograd.functional
    x, y = torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0])
    see(functional.jacobian(lambda x: x * x[0], x), functional.jacobian(lambda x, y: x * y, (x, y)))
    see(
        functional.hessian(lambda x: (x**3).sum() * x[0], x), functional.hessian(lambda x, y: (x * y * y).sum(), (x, y))
    )
    jacobian = functional.jacobian(lambda x: x**2, x, create_graph=True)
    see(jacobian.requires_grad)


@scenario
def products_with_a_hessian(torch: Any, see: Observer) -> None:
    functional = torch.autograd.functional
    x, v = torch.tensor([1.0, 2.0]), torch.tensor([1.0, 10.0])
    see(functional.hvp(lambda x: (x**3).sum() * x[0], x, v), functional.vhp(lambda x: (x**3).sum() * x[0], x, v))


@scenario
def strict_functionals(torch: Any, see: Observer) -> None:
    functional = torch.autograd.functional
    x = torch.tensor([1.0, 2.0])
    see(functional.jacobian(lambda x: torch.ones(2), x))
    see.error(lambda: functional.jacobian(lambda x: torch.ones(2), x, strict=True), "independent of the input")


@scenario
def mutation_of_saved_values_is_allowed(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    with torch.autograd.graph.allow_mutation_on_saved_tensors():
        h = x * 1.0
        y = (h * h).sum()
        h.mul_(10.0)
        y.backward()
    see(x.grad, h)
