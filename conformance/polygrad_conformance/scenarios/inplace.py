"""In-place operations on Tensors that are no views: rebinding, leaves, casts, assignment."""

from __future__ import annotations

from typing import Any

from .registry import Observer, scenario


@scenario
def an_in_place_operation_returns_its_target(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 4.0])
    y = x
    see(x.mul_(2.0) is x, y, x.sqrt_() is x, y)
    y += 1.0
    see(y is x, x)


@scenario
def a_constant_becomes_tracked(torch: Any, see: Observer) -> None:
    w = torch.tensor([2.0, 3.0], requires_grad=True)
    y = torch.ones(2)
    y *= w
    see(y.requires_grad, y.is_leaf, y.grad_fn)
    y.sum().backward()
    see(w.grad, y.grad)


@scenario
def a_result_goes_on(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2.0
    y += x
    y.mul_(3.0).sub_(1.0)
    see(y, y.grad_fn)
    y.sum().backward()
    see(x.grad)


@scenario
def leaves_that_require_grad_refuse(torch: Any, see: Observer) -> None:
    x = torch.ones(2, requires_grad=True)

    def assign() -> None:
        x[0] = 5.0

    words = "a leaf Variable that requires grad is being used in an in-place operation"
    see.error(lambda: x.add_(1.0), words)
    see.error(x.zero_, words)
    see.error(lambda: x.copy_(torch.zeros(2)), words)
    see.error(assign, "leaf Variable that requires grad")
    see(x)


@scenario
def leaves_without_recording(torch: Any, see: Observer) -> None:
    x = torch.ones(2, requires_grad=True)
    with torch.no_grad():
        x += 1.0
        x.mul_(2.0)
        x[0] = 7.0
    see(x, x.is_leaf, x.requires_grad, x.grad_fn)


@scenario
def without_recording_the_history_stays(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3.0
    node = y.grad_fn
    with torch.no_grad():
        y.zero_()
    see(y, y.requires_grad, y.grad_fn is node)
    y.sum().backward()
    see(x.grad)


@scenario(
    differs="what a graph has saved is a snapshot: nothing that is done to a Tensor afterwards can spoil the gradient"
)
def a_saved_value_that_is_changed(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    h = x * 1.0
    y = (h * h).sum()
    h += 1.0
    see.error(y.backward)


@scenario
def a_changed_value_that_was_not_saved(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    h = x * 1.0
    y = (h + 5.0).sum()
    h.mul_(10.0)
    y.backward()
    see(x.grad)


@scenario
def assignment_of_a_tracked_value(torch: Any, see: Observer) -> None:
    w = torch.tensor([2.0, 3.0], requires_grad=True)
    y = torch.zeros(3)
    y[1:] = w * w
    see(y, y.requires_grad, y.is_leaf)
    (y * torch.tensor([1.0, 2.0, 3.0])).sum().backward()
    see(w.grad)


@scenario
def assignment_cuts_the_old_value(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x * 2.0
    y[0] = 10.0
    (y * y).sum().backward()
    see(y, x.grad)


@scenario
def assignment_broadcasts(torch: Any, see: Observer) -> None:
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    y = torch.zeros((3, 2))
    y[1:] = w
    y[0, :] = 4.0
    see(y)
    y.sum().backward()
    see(w.grad)


@scenario
def assignment_by_masks_and_indices(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, -2.0, 3.0, -4.0], requires_grad=True)
    y = x * 1.0
    y[y < 0] = 0.0
    y[torch.tensor([0, 2])] = torch.tensor([7.0, 8.0])
    see(y)
    y.sum().backward()
    see(x.grad)


@scenario
def assignment_of_what_does_not_fit(torch: Any, see: Observer) -> None:
    x = torch.zeros(3)

    def wrong_shape() -> None:
        x[:2] = torch.ones(3)

    def out_of_range() -> None:
        x[5] = 1.0

    see.error(wrong_shape)
    see.error(out_of_range, "out of")
    see(x)


@scenario
def an_in_place_operation_keeps_the_shape(torch: Any, see: Observer) -> None:
    x = torch.ones(3)
    see.error(lambda: x.add_(torch.ones((2, 3))), "doesn't match the broadcast shape")
    y = torch.ones((2, 3))
    y += torch.ones(3)
    see(x, y)


@scenario
def an_in_place_operation_keeps_the_dtype(torch: Any, see: Observer) -> None:
    x = torch.ones(2, dtype=torch.float32)
    x += torch.ones(2, dtype=torch.float64)
    see(x.dtype, x)
    n = torch.tensor([1, 2])
    see.error(lambda: n.add_(torch.tensor([0.5, 0.5])), "can't be cast to the desired output type")
    see(n)


@scenario
def copy_in_place(torch: Any, see: Observer) -> None:
    w = torch.tensor([2.0, 3.0], requires_grad=True)
    y = torch.zeros((2, 2))
    y.copy_(w)
    see(y, y.requires_grad)
    y.sum().backward()
    see(w.grad)


@scenario
def fill_and_zero(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2.0
    y.zero_()
    see(y, y.requires_grad)
    y.sum().backward()
    see(x.grad)
    z = x * 2.0
    z.fill_(7.0)
    see(z, z.requires_grad)


@scenario
def the_same_tensor_on_both_sides(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x + 1.0
    y += y
    see(y)
    y.sum().backward()
    see(x.grad)


@scenario
def a_clone_is_a_copy(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2.0
    z = y.clone()
    y *= 10.0
    see(y, z)
    z.sum().backward()
    see(x.grad)


@scenario
def accumulation_in_a_loop(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    total = torch.zeros(())
    buffer = torch.zeros(3)
    for i in range(3):
        total += x[i] * float(i)
        buffer[i] = total
    see(total, buffer)
    (buffer * buffer).sum().backward()
    see(x.grad)


@scenario
def second_derivatives_through_in_place_operations(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x**2
    y *= x
    (g,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    (h,) = torch.autograd.grad(g.sum(), x)
    see(g, h)


@scenario
def requires_grad_after_an_in_place_operation(torch: Any, see: Observer) -> None:
    y = torch.ones(2)
    y += 1.0
    see(y.requires_grad_().is_leaf)
    (y * y).sum().backward()
    see(y.grad)
