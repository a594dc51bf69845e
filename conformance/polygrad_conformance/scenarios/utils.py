"""Checkpoints, and the checks of a gradient against finite differences."""

from __future__ import annotations

from typing import Any

from .registry import Observer, scenario


@scenario
def a_checkpoint_computes_twice(torch: Any, see: Observer) -> None:
    calls: list[bool] = []

    def f(x: Any) -> Any:
        calls.append(torch.is_grad_enabled())
        return x.exp().sin()

    for reentrant in (False, True):
        x = torch.tensor([1.0, 2.0], requires_grad=True)
        y = torch.utils.checkpoint.checkpoint(f, x, use_reentrant=reentrant)
        see(len(calls), y, y.requires_grad)
        y.sum().backward()
        see(len(calls), x.grad)


@scenario
def a_checkpoint_inside_a_graph(torch: Any, see: Observer) -> None:
    w, x = torch.tensor([3.0, 4.0], requires_grad=True), torch.tensor([1.0, 2.0], requires_grad=True)
    y = torch.utils.checkpoint.checkpoint(lambda a, b: (a * b).sin(), x * 2.0, w, use_reentrant=False)
    (y * x).sum().backward()
    see(x.grad, w.grad)


@scenario
def second_derivatives_through_a_checkpoint(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = torch.utils.checkpoint.checkpoint(lambda x: x**3, x, use_reentrant=False)
    (g,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    see(g, torch.autograd.grad(g.sum(), x))


@scenario
def a_checkpoint_with_several_outputs_and_arguments(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    a, b = torch.utils.checkpoint.checkpoint(lambda x, n, c=1.0: (x * n, x**2 * c), x, 3.0, c=5.0, use_reentrant=False)
    (a + b).sum().backward()
    see(a, b, x.grad)


@scenario
def a_checkpoint_of_nothing_that_requires_grad(torch: Any, see: Observer) -> None:
    y = torch.utils.checkpoint.checkpoint(lambda x: x * 2.0, torch.ones(2), use_reentrant=False)
    see(y, y.requires_grad)


@scenario
def a_checkpoint_finds_what_it_closes_over(torch: Any, see: Observer) -> None:
    w, x = torch.tensor(3.0, requires_grad=True), torch.tensor([1.0, 2.0], requires_grad=True)
    torch.utils.checkpoint.checkpoint(lambda x: x * x * w, x, use_reentrant=False).sum().backward()
    see(x.grad, w.grad)


@scenario
def a_sequence_in_segments(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    steps = [torch.exp, torch.sin, lambda v: v * 2.0, torch.tanh]
    y = torch.utils.checkpoint.checkpoint_sequential(steps, 2, x, use_reentrant=False)
    y.sum().backward()
    see(y, x.grad)


@scenario
def a_gradient_that_is_right_passes(torch: Any, see: Observer) -> None:
    x = torch.tensor([0.25, 0.5], dtype=torch.float64, requires_grad=True)
    see(torch.autograd.gradcheck(torch.sin, (x,)), torch.autograd.gradgradcheck(torch.sin, (x,)))


@scenario
def a_gradient_that_is_wrong_is_found(torch: Any, see: Observer) -> None:
    class Wrong(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2.0

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 3.0

    x = torch.tensor([0.25, 0.5], dtype=torch.float64, requires_grad=True)
    see.error(lambda: torch.autograd.gradcheck(Wrong.apply, (x,)), "Jacobian mismatch")
    see(torch.autograd.gradcheck(Wrong.apply, (x,), raise_exception=False))


@scenario
def a_check_wants_inputs_that_require_grad(torch: Any, see: Observer) -> None:
    see.error(lambda: torch.autograd.gradcheck(torch.sin, (torch.ones(2, dtype=torch.float64),)), "requires_grad")
