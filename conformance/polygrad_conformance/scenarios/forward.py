"""Forward mode by hand, and the functional transforms."""

from __future__ import annotations

from typing import Any

from .registry import Observer, scenario


@scenario
def a_dual_number(torch: Any, see: Observer) -> None:
    fwd = torch.autograd.forward_ad
    x, v = torch.tensor([1.0, 2.0]), torch.tensor([1.0, 10.0])
    with fwd.dual_level():
        dual = fwd.make_dual(x, v)
        value, tangent = fwd.unpack_dual(dual * dual)
        see(value, tangent)
        see(fwd.unpack_dual(dual).tangent, fwd.unpack_dual(x).tangent)


@scenario
def what_has_no_tangent(torch: Any, see: Observer) -> None:
    fwd = torch.autograd.forward_ad
    with fwd.dual_level():
        dual = fwd.make_dual(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 10.0]))
        see(fwd.unpack_dual(dual.detach()).tangent is None)
        see(fwd.unpack_dual(torch.ones(2) * 2.0).tangent is None, fwd.unpack_dual(dual > 1.0).tangent is None)


@scenario
def a_tangent_has_to_fit(torch: Any, see: Observer) -> None:
    fwd = torch.autograd.forward_ad
    with fwd.dual_level():
        see.error(lambda: fwd.make_dual(torch.ones(2), torch.ones(3)))
        see.error(lambda: fwd.make_dual(torch.tensor([1, 2]), torch.tensor([1, 2])))


@scenario
def duals_need_a_level(torch: Any, see: Observer) -> None:
    fwd = torch.autograd.forward_ad
    see.error(lambda: fwd.make_dual(torch.ones(2), torch.ones(2)), "level")


@scenario
def forward_over_reverse(torch: Any, see: Observer) -> None:
    fwd = torch.autograd.forward_ad
    x, v = torch.tensor([1.0, 2.0], requires_grad=True), torch.tensor([1.0, 10.0])
    with fwd.dual_level():
        dual = fwd.make_dual(x, v)
        value, tangent = fwd.unpack_dual((dual**3).sum())
        see(value, tangent, tangent.requires_grad)
        see(torch.autograd.grad(tangent, x))


@scenario
def the_gradient_as_a_function(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0])
    g = torch.func.grad(lambda x: (x**3).sum())(x)
    see(g, g.requires_grad, x.requires_grad, x.grad)


@scenario
def the_gradient_and_the_value(torch: Any, see: Observer) -> None:
    x, y = torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0])
    see(torch.func.grad_and_value(lambda x, y: (x * y).sum(), argnums=(0, 1))(x, y))
    see(torch.func.grad(lambda x: ((x * x).sum(), x * 2.0), has_aux=True)(x))


@scenario
def gradients_of_gradients(torch: Any, see: Observer) -> None:
    f = torch.sin
    for _ in range(3):
        f = torch.func.grad(f)
        see(f(torch.tensor(0.5)))


@scenario
def only_scalars_have_a_gradient(torch: Any, see: Observer) -> None:
    see.error(lambda: torch.func.grad(lambda x: x * 2.0)(torch.ones(2)), "scalar")


@scenario(differs="a result that is a Python number has a gradient of zeros, as in JAX and HIPS autograd; torch raises")
def a_number_is_a_constant_result(torch: Any, see: Observer) -> None:
    see.error(lambda: torch.func.grad(lambda x: 3.0)(torch.ones(2)), "tensor")


@scenario
def pullbacks(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0])
    value, pull = torch.func.vjp(lambda x: x * x, x)
    see(value, value.requires_grad, pull(torch.tensor([1.0, 10.0])), pull(torch.tensor([1.0, 0.0])))


@scenario
def pushforwards(torch: Any, see: Observer) -> None:
    x, y = torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0])
    see(torch.func.jvp(lambda x, y: x * y, (x, y), (torch.ones(2), torch.zeros(2))))


@scenario
def jacobians_and_hessians(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0])
    see(torch.func.jacrev(lambda x: x * x[0])(x), torch.func.jacfwd(lambda x: x * x[0])(x))
    see(torch.func.hessian(lambda x: (x * x).sum() * x[0])(x))


@scenario
def transforms_of_a_tensor_that_requires_grad(torch: Any, see: Observer) -> None:
    w = torch.tensor(3.0, requires_grad=True)
    g = torch.func.grad(lambda x: x * x * w)(torch.tensor(2.0))
    see(g, g.requires_grad)
    g.backward()
    see(w.grad)


@scenario
def no_grad_around_and_inside_a_transform(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0])

    def half(x: Any) -> Any:
        with torch.no_grad():
            y = x * x
        return (x * y).sum()

    see(torch.func.grad(half)(x))
    with torch.no_grad():
        see(torch.func.grad(lambda x: (x**3).sum())(x))


@scenario
def detach_inside_a_transform(torch: Any, see: Observer) -> None:
    see(torch.func.grad(lambda x: (x * x.detach()).sum())(torch.tensor([1.0, 2.0])))


@scenario
def nested_transforms_do_not_mix(torch: Any, see: Observer) -> None:
    grad = torch.func.grad
    see(grad(lambda x: x * grad(lambda y: x + y)(torch.tensor(1.0)))(torch.tensor(1.0)))
    see(grad(lambda x: grad(lambda y: x * y * y)(x))(torch.tensor(3.0)))


@scenario
def transforms_of_structures(torch: Any, see: Observer) -> None:
    params = {"w": torch.tensor([1.0, 2.0]), "b": torch.tensor(3.0)}
    see(torch.func.grad(lambda p: (p["w"] * p["b"]).sum())(params))


@scenario
def per_sample_gradients(torch: Any, see: Observer) -> None:
    w, xs = torch.tensor([1.0, 2.0]), torch.tensor([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]])
    loss = lambda w, x: ((w * x).sum()) ** 2  # noqa: E731
    see(torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0))(w, xs))


@scenario
def a_batch(torch: Any, see: Observer) -> None:
    xs = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    see(torch.func.vmap(lambda x: x * x.sum())(xs), torch.func.vmap(lambda x: x.sum(), in_dims=1)(xs))
    see(torch.func.vmap(lambda x: x * 2.0, out_dims=1)(xs))


@scenario
def in_place_inside_a_transform(torch: Any, see: Observer) -> None:
    def f(x: Any) -> Any:
        y = x * 2.0
        y[0] = 5.0
        y *= x
        return y.sum()

    see(torch.func.grad(f)(torch.tensor([1.0, 2.0])))
    see(torch.func.jvp(f, (torch.tensor([1.0, 2.0]),), (torch.ones(2),)))
