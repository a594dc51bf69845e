"""Views: what is one, and that writing to one shows in the other, with the right gradients."""

from __future__ import annotations

from typing import Any

from .registry import Observer, scenario


def _base(torch: Any) -> tuple[Any, Any]:
    """A leaf and a result with its values that may be written to."""
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    return x, x * 1.0


def _weighted(x: Any) -> Any:
    """A loss in which every element counts differently."""
    total = x.reshape(-1)[0] * 0.0
    for i, part in enumerate(x.reshape(-1)):
        total = total + part * part * float(i + 1)
    return total


@scenario
def what_is_a_view(torch: Any, see: Observer) -> None:
    x = torch.ones((2, 3))
    for y in (
        x[0], x[:, 1:], x[..., None], x.T, x.reshape(6), x.permute(1, 0), x.unsqueeze(0), x.unsqueeze(0).squeeze(0), x.expand(4, 2, 3),
        x.unbind(0)[0], x.split(1)[0], x.flatten(), x.mT, x.swapaxes(0, 1), x[0][1:], x.narrow(1, 0, 2),
    ):  # fmt: skip
        see(y._is_view(), y._base is x or y._base._base is x)


@scenario
def what_is_no_view(torch: Any, see: Observer) -> None:
    x = torch.ones((2, 3))
    for y in (x, x + 0.0, x.clone(), x[[0, 1]], x * 1.0, x.sum(), x.roll(1), x.detach(), torch.stack([x, x])):
        see(y._is_view(), y._base)


@scenario(differs="flip is a view here, as in NumPy")
def flip_copies(torch: Any, see: Observer) -> None:
    see(torch.ones(2).flip(0)._is_view())


@scenario
def writing_to_a_slice(torch: Any, see: Observer) -> None:
    x, h = _base(torch)
    y = h[1:]
    y *= 2.0
    see(h, y, x)
    _weighted(h).backward()
    see(x.grad)


@scenario
def writing_to_a_view_of_a_constant(torch: Any, see: Observer) -> None:
    x = torch.zeros((2, 3))
    row, column = x[0], x[:, 1]
    row += 1.0
    column *= 5.0
    see(x, row, column)


@scenario
def assigning_to_the_base_shows_in_its_views(torch: Any, see: Observer) -> None:
    x, h = _base(torch)
    y = h[1:]
    z = y[1:]
    h[2] = 7.0
    h *= 3.0
    see(h, y, z)
    _weighted(y).backward()
    see(x.grad)


@scenario
def a_gradient_through_the_view_and_the_base(torch: Any, see: Observer) -> None:
    x, h = _base(torch)
    y = h[:2]
    y *= x[2:]
    (_weighted(h) + _weighted(y)).backward()
    see(h, y, x.grad)


@scenario
def a_chain_of_views(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], requires_grad=True)
    h = x * 1.0
    a = h.reshape(2, 3)
    b = a.T
    c = b[1:]
    c *= 10.0
    see(h, a, b, c)
    _weighted(h).backward()
    see(x.grad)


@scenario
def siblings_see_each_other(torch: Any, see: Observer) -> None:
    x, h = _base(torch)
    a, b = h[:2], h[1:]
    a *= 10.0
    b += 1.0
    see(h, a, b)
    (_weighted(a) + _weighted(b)).backward()
    see(x.grad)


@scenario
def every_kind_of_view_can_be_written(torch: Any, see: Observer) -> None:
    def attempt(view: Any) -> None:
        x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
        h = x * 1.0
        y = view(h)
        y *= 10.0
        y += x[0, 0]
        see(h)
        _weighted(h).backward()
        see(x.grad)

    for view in (
        lambda h: h[0], lambda h: h[:, 1], lambda h: h[::2], lambda h: h.T, lambda h: h.reshape(4), lambda h: h.permute(1, 0),
        lambda h: h.unsqueeze(1), lambda h: h.unsqueeze(0).squeeze(0), lambda h: h.mT, lambda h: h.swapaxes(0, 1), lambda h: h.flatten(),
        lambda h: h[..., None], lambda h: h[0, 1], lambda h: h.narrow(0, 1, 1), lambda h: h.expand(2, 2), lambda h: h[...],
    ):  # fmt: skip
        attempt(view)


@scenario
def a_view_of_a_leaf_cannot_be_written(torch: Any, see: Observer) -> None:
    x = torch.ones(3, requires_grad=True)
    y = x[1:]

    def scale() -> None:
        y.mul_(2.0)

    def assign() -> None:
        y[0] = 5.0

    see.error(scale, "a view of a leaf Variable that requires grad is being used in an in-place operation")
    see.error(assign, "a view of a leaf Variable")
    see.error(lambda: x[1:][1:].mul_(2.0), "a view of a leaf Variable")
    see(x, y)


@scenario
def a_view_of_a_leaf_without_recording(torch: Any, see: Observer) -> None:
    x = torch.ones(3, requires_grad=True)
    with torch.no_grad():
        x[1:] *= 2.0
        x[0].fill_(9.0)
        x.reshape(3)[2] = 4.0
    see(x, x.is_leaf, x.requires_grad)
    _weighted(x).backward()
    see(x.grad)


@scenario
def an_expanded_tensor_cannot_be_written(torch: Any, see: Observer) -> None:
    x = torch.ones(3)
    y = x.expand(2, 3)
    see.error(lambda: y.mul_(2.0), "more than one element of the written-to tensor refers to a single memory location")
    see(x, y)
    x *= 2.0
    see(y)


@scenario
def detach_shares(torch: Any, see: Observer) -> None:
    _, h = _base(torch)
    d = h.detach()
    d *= 2.0
    see(h, d, h.requires_grad, d.requires_grad)
    h[0] = 9.0
    see(d, d.requires_grad)
    e = d.detach()[1:]
    e += 100.0
    see(h, d)


@scenario
def detached_views_share(torch: Any, see: Observer) -> None:
    x = torch.zeros(4)
    d = x[1:].detach()
    d[0] = 5.0
    see(x)
    x[2] = 6.0
    see(d)


@scenario
def a_detached_tensor_that_requires_grad(torch: Any, see: Observer) -> None:
    x = torch.ones(2)
    w = x.detach().requires_grad_()
    x *= 3.0
    see(w, w.is_leaf, w.requires_grad)
    (w * w).sum().backward()
    see(w.grad)


@scenario
def data_of_a_view_reaches_the_base(torch: Any, see: Observer) -> None:
    x = torch.ones(3, requires_grad=True)
    x[1:].data.fill_(5.0)
    x.data[0] = 7.0
    see(x, x.is_leaf)


@scenario
def new_data_parts_from_the_views(torch: Any, see: Observer) -> None:
    x = torch.zeros(3)
    y = x[1:]
    t = torch.ones(3)
    x.data = t
    x[2] = 5.0
    see(x, y, t)
    y[0] = 9.0
    see(x, y)


@scenario
def gradients_shared_with_views(torch: Any, see: Observer) -> None:
    x = torch.ones(3, requires_grad=True)
    x.sum().backward()
    first = x.grad[:1]
    x.sum().backward()
    see(first, x.grad)
    first.zero_()
    see(x.grad)


@scenario
def a_view_made_without_recording(torch: Any, see: Observer) -> None:
    x, h = _base(torch)
    with torch.no_grad():
        y = h[1:]
        y *= 2.0
    see(h, y, h.requires_grad)
    _weighted(h).backward()
    see(x.grad)


@scenario(differs="a view may be written whatever mode it was made in, as nothing that a graph has saved can change")
def a_view_made_without_recording_and_written_with(torch: Any, see: Observer) -> None:
    _, h = _base(torch)
    with torch.no_grad():
        y = h[1:]
    see.error(lambda: y.mul_(2.0))


@scenario(differs="the parts of unbind and split are views like others")
def parts_can_be_written(torch: Any, see: Observer) -> None:
    _, h = _base(torch)
    see.error(lambda: h.unbind(0)[0].mul_(2.0))


@scenario
def parts_of_a_constant_can_be_written(torch: Any, see: Observer) -> None:
    x = torch.zeros((2, 2))
    for part in x:
        part += 1.0
    first, second = x.split(1)
    second *= 3.0
    see(x, first)


@scenario
def an_augmented_assignment_to_an_item(torch: Any, see: Observer) -> None:
    x, h = _base(torch)
    h[1:] *= 2.0
    h[0] += x[2]
    see(h)
    _weighted(h).backward()
    see(x.grad)


@scenario
def a_view_keeps_its_values_alive(torch: Any, see: Observer) -> None:
    x, h = _base(torch)
    y = h[1:]
    del h
    y *= 2.0
    _weighted(y).backward()
    see(y, x.grad)


@scenario
def a_view_of_a_view_reaches_the_base(torch: Any, see: Observer) -> None:
    x = torch.zeros((2, 2, 2))
    x[0][1][0] = 5.0
    x[1].reshape(4)[3] = 6.0
    x.permute(2, 1, 0)[0, 0, 1] = 7.0
    see(x)


@scenario
def copying_between_overlapping_views(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0, 3.0, 4.0])
    x[:2].copy_(x[2:])
    see(x)


@scenario
def a_tracked_value_in_a_view_of_a_constant(torch: Any, see: Observer) -> None:
    w = torch.tensor(3.0, requires_grad=True)
    buffer = torch.zeros(3)
    part = buffer[1:]
    part[0] = w * 2.0
    see(buffer, buffer.requires_grad, part.requires_grad)
    _weighted(buffer).backward()
    see(w.grad)


@scenario
def the_diagonal_is_a_view(torch: Any, see: Observer) -> None:
    x = torch.zeros((3, 3))
    torch.linalg.diagonal(x).fill_(5.0)
    see(x)


@scenario
def real_and_imaginary_parts_are_views(torch: Any, see: Observer) -> None:
    z = torch.tensor([1.0 + 2.0j, 3.0 - 1.0j])
    z.real[0] = 7.0
    z.imag.mul_(10.0)
    see(z)
