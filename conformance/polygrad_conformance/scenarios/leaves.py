"""What a Tensor says of itself: flags, leaves, grad, copies."""

from __future__ import annotations

import copy
import pickle
from typing import Any

from .registry import Observer, scenario


@scenario
def flags_of_a_leaf(torch: Any, see: Observer) -> None:
    x = torch.ones(3, requires_grad=True)
    see(x.requires_grad, x.is_leaf, x.grad_fn, x.grad, x.retains_grad, x.output_nr, x.is_inference())


@scenario
def flags_of_a_constant(torch: Any, see: Observer) -> None:
    x = torch.ones(3)
    see(x.requires_grad, x.is_leaf, x.grad_fn, x.grad, x.retains_grad, x.output_nr)


@scenario
def flags_of_a_result(torch: Any, see: Observer) -> None:
    y = torch.ones(3, requires_grad=True) * 2.0
    see(y.requires_grad, y.is_leaf, y.grad_fn, y.grad, y.retains_grad, y.output_nr)


@scenario
def constants_make_constants(torch: Any, see: Observer) -> None:
    y = torch.ones(3) * 2.0
    see(y.requires_grad, y.is_leaf, y.grad_fn)


@scenario
def what_is_not_differentiable(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, -2.0, 3.0], requires_grad=True)
    for y in (
        x > 0,
        x == 1.0,
        x.argmax(),
        torch.isfinite(x),
        torch.argsort(x),
        torch.ones_like(x),
        torch.zeros_like(x),
    ):
        see(y.requires_grad, y.is_leaf, y.grad_fn)
    for y in (torch.sign(x), torch.floor(x), torch.round(x)):  # torch gives these a gradient of zeros
        see(y)


@scenario
def integers_cannot_require_grad(torch: Any, see: Observer) -> None:
    see.error(lambda: torch.tensor([1, 2], requires_grad=True), "floating point and complex")
    see.error(lambda: torch.tensor([1, 2]).requires_grad_(), "floating point")
    see.error(lambda: torch.tensor([True]).requires_grad_(), "floating point")


@scenario
def switching_a_leaf_on_and_off(torch: Any, see: Observer) -> None:
    x = torch.ones(2)
    see(x.requires_grad_() is x, x.requires_grad)
    x.requires_grad = False
    see(x.requires_grad)
    x.requires_grad_(True)
    y = x * 2.0
    x.requires_grad_(False)  # what is recorded stays recorded
    see(x.requires_grad, y.requires_grad)


@scenario
def a_result_cannot_be_switched_off(torch: Any, see: Observer) -> None:
    y = torch.ones(2, requires_grad=True) * 2.0
    see.error(lambda: y.requires_grad_(False), "you can only change requires_grad flags of leaf variables")
    see(y.requires_grad_() is y, y.requires_grad)


@scenario
def setting_the_flag_of_a_result(torch: Any, see: Observer) -> None:
    y = torch.ones(2, requires_grad=True) * 2.0

    def off() -> None:
        y.requires_grad = False

    def on() -> None:
        y.requires_grad = True

    see.error(off, "leaf variables")
    see.error(on, "leaf variables")
    see(y.requires_grad, y.is_leaf)


@scenario
def detach_shares_values_and_leaves_the_graph(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3.0
    z = y.detach()
    see(z.requires_grad, z.is_leaf, z.grad_fn, z)
    z[0] = 9.0
    see(y, y.requires_grad, y.grad_fn, x)


@scenario
def detach_in_place(torch: Any, see: Observer) -> None:
    x = torch.ones(2, requires_grad=True)
    y = x * 2.0
    see(y.detach_() is y, y.requires_grad, y.is_leaf, y.grad_fn)
    z = (x * 2.0)[0]
    see.error(z.detach_, "Can't detach views in-place")


@scenario
def detach_of_a_leaf(torch: Any, see: Observer) -> None:
    x = torch.ones(2, requires_grad=True)
    y = x.detach()
    see(y.requires_grad, x.requires_grad, y is x)
    y.requires_grad_()
    (y * 3.0).sum().backward()
    see(y.grad, x.grad)


@scenario
def data_is_the_value_behind_the_graphs_back(torch: Any, see: Observer) -> None:
    x = torch.ones(2, requires_grad=True)
    y = (x * x).sum()
    x.data = torch.tensor([5.0, 6.0])
    see(x.requires_grad, x.is_leaf, x, x.data.requires_grad)
    x.data *= 2.0
    see(x)
    z = (x * x).sum()
    z.backward()
    see(x.grad, y)


@scenario
def clone_stays_in_the_graph(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x.clone()
    see(y.requires_grad, y.is_leaf, y.grad_fn, y is x)
    y[0] = 5.0
    see(x, y)
    (y * y).sum().backward()
    see(x.grad)


@scenario
def a_cast_is_recorded(torch: Any, see: Observer) -> None:
    x = torch.ones(2, dtype=torch.float32, requires_grad=True)
    see(x.to(torch.float32) is x, x.to(dtype=torch.float32).is_leaf)
    y = x.to(torch.float64)
    see(y.grad_fn, y.dtype, y.requires_grad)
    (y * 2.0).sum().backward()
    see(x.grad, x.grad.dtype)
    see(x.to(torch.int32).requires_grad, x.detach().to(torch.int32).dtype)


@scenario
def grad_can_be_set(torch: Any, see: Observer) -> None:
    x = torch.ones(2, requires_grad=True)
    g = torch.tensor([5.0, 6.0])
    x.grad = g
    see(x.grad is g)
    (x * 1.0).sum().backward()
    see(x.grad is g, g)
    x.grad = None
    see(x.grad)
    x.grad = g
    del x.grad
    see(x.grad)


@scenario
def grad_has_to_fit(torch: Any, see: Observer) -> None:
    x = torch.ones(2, dtype=torch.float32, requires_grad=True)

    def assign(value: Any) -> None:
        x.grad = value

    see.error(lambda: assign(torch.ones(3, dtype=torch.float32)), "assign")
    see.error(lambda: assign(torch.ones(2, dtype=torch.float64)), "assign")
    see.error(lambda: assign(1.0), "assign")
    see.error(lambda: assign(x), "own grad")
    see(x.grad)


@scenario
def a_tracked_tensor_is_not_an_array(torch: Any, see: Observer) -> None:
    x = torch.ones(2, requires_grad=True)
    see.error(x.numpy, "requires grad")
    see.error((x * 2.0).numpy, "detach().numpy()")
    see(x.detach().numpy().tolist())
    see((x * 2.0).tolist(), x.sum().item())


@scenario
def truth_and_length(torch: Any, see: Observer) -> None:
    x = torch.ones(2, requires_grad=True)
    see.error(lambda: bool(x), "ambiguous")
    see.error(lambda: float(x), "converted to")
    see.error(lambda: len(x.sum()), "0-d tensor")
    see.error(lambda: list(x.sum()), "0-d tensor")
    see(len(x), bool(x.sum() > 1.0), float(x.sum()), int(x.sum()), [part.requires_grad for part in x])


@scenario
def leaves_are_copied_deeply(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    (x * x).sum().backward()
    y = copy.deepcopy(x)
    see(y, y.requires_grad, y.is_leaf, y.grad, y.grad is x.grad)
    y.grad.zero_()
    see(x.grad)


@scenario
def a_shallow_copy_of_a_constant(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0])
    y = copy.deepcopy(x)
    y[0] = 7.0
    see(x, y)
    z, twice = copy.deepcopy((x, x))
    see(z is twice, z is x)


@scenario
def leaves_are_pickled(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = pickle.loads(pickle.dumps(x))
    see(y, y.requires_grad, y.is_leaf)


@scenario
def equality_is_elementwise_and_hash_is_identity(torch: Any, see: Observer) -> None:
    x, y = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    see((x == y).tolist(), len({x, y, x}), x == None, x in {x: 1})  # noqa: E711 - that comparison is the scenario


@scenario
def numbers_beside_tensors(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 4.0], requires_grad=True)
    for y in (2.0 - x, 2.0**x, x**2, x**0.5, 3.0 * x, x % 3.0, -x, abs(x)):
        see(y, y.grad_fn)
    see(8.0 / x, 7.0 // x.detach(), x // 2.0, divmod(7, 2))


@scenario(differs="a number divided by a Tensor is one operation here; torch multiplies by the reciprocal")
def a_number_divided_by_a_tensor(torch: Any, see: Observer) -> None:
    see((8.0 / torch.tensor([1.0, 4.0], requires_grad=True)).grad_fn)


@scenario(differs="+x is a copy, as positive is in the array libraries; in torch it is x itself")
def the_plus_sign(torch: Any, see: Observer) -> None:
    x = torch.ones(2)
    y = +x
    y[0] = 5.0
    see(x)


@scenario(
    differs="what is flat wherever it is differentiable has no gradient here: asking for it raises, where torch gives zeros"
)
def steps(torch: Any, see: Observer) -> None:
    x = torch.tensor([0.5, 1.5], requires_grad=True)
    see(torch.floor(x).requires_grad, torch.round(x).requires_grad)


@scenario
def new_tensors_do_not_inherit(torch: Any, see: Observer) -> None:
    x = torch.ones(2, requires_grad=True)
    see(torch.zeros_like(x).requires_grad, torch.ones_like(x * 2.0).requires_grad)
    see(torch.full_like(x, 2.0).grad_fn, torch.zeros_like(x, requires_grad=True).requires_grad)
