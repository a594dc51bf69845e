"""Nodes of the user's own: ``autograd.Function``, its context, and what it may and may not return."""

from __future__ import annotations

from typing import Any

from .registry import Observer, scenario


def _square(torch: Any) -> Any:
    class Square(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return g * 2.0 * x

    return Square


def _pair(torch: Any) -> Any:
    """Sum and product of two Tensors, which notes what it is asked for."""

    class Pair(torch.autograd.Function):  # type: ignore[misc]
        seen: list[Any] = []  # noqa: RUF012

        @staticmethod
        def forward(ctx: Any, x: Any, y: Any) -> Any:
            ctx.save_for_backward(x, y)
            return x + y, x * y

        @staticmethod
        def backward(ctx: Any, g: Any, h: Any) -> Any:
            x, y = ctx.saved_tensors
            Pair.seen.append([ctx.needs_input_grad, g.tolist(), h.tolist()])
            return g + h * y, g + h * x

    return Pair


@scenario
def a_function_of_ones_own(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = _square(torch).apply(x)
    see(y, y.requires_grad, y.is_leaf, y.grad_fn, y.grad_fn.next_functions)
    y.sum().backward()
    see(x.grad)


@scenario
def its_node_frees_what_it_saved(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = _square(torch).apply(x).sum()
    y.backward(retain_graph=True)
    y.backward()
    see(x.grad)
    see.error(y.backward, "second time")


@scenario
def without_anything_to_record_there_is_no_node(torch: Any, see: Observer) -> None:
    y = _square(torch).apply(torch.tensor([1.0, 2.0]))
    see(y, y.requires_grad, y.grad_fn)
    with torch.no_grad():
        see(_square(torch).apply(torch.tensor([1.0], requires_grad=True)).requires_grad)


@scenario
def a_second_derivative_of_ones_own(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    (g,) = torch.autograd.grad(_square(torch).apply(x * 1.0).pow(2).sum(), x, create_graph=True)
    (h,) = torch.autograd.grad(g.sum(), x)
    see(g, h)


@scenario
def several_inputs_and_outputs(torch: Any, see: Observer) -> None:
    function = _pair(torch)
    x, y = torch.tensor([1.0, 2.0], requires_grad=True), torch.tensor([3.0, 4.0], requires_grad=True)
    a, b = function.apply(x, y)
    see(a.grad_fn is b.grad_fn, a.output_nr, b.output_nr, a.grad_fn.next_functions)
    (a + b * 10.0).sum().backward()
    see(x.grad, y.grad, function.seen)


@scenario
def an_output_that_is_not_used_gets_zeros(torch: Any, see: Observer) -> None:
    function = _pair(torch)
    x, y = torch.tensor([1.0, 2.0], requires_grad=True), torch.tensor([3.0, 4.0])
    function.apply(x, y)[1].sum().backward()
    see(x.grad, y.grad, function.seen)


@scenario
def without_materialized_gradients_it_gets_none(torch: Any, see: Observer) -> None:
    class Pair(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.set_materialize_grads(False)
            return x * 1.0, x * 2.0

        @staticmethod
        def backward(ctx: Any, g: Any, h: Any) -> Any:
            see(g is None, h is None)
            return h * 2.0

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    Pair.apply(x)[1].sum().backward()
    see(x.grad)


@scenario
def what_is_no_tensor_is_passed_on(torch: Any, see: Observer) -> None:
    class Scale(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any, factor: float, name: str) -> Any:
            ctx.factor = factor
            see(name, ctx.needs_input_grad)
            return x * factor

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * ctx.factor, None, None

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    Scale.apply(x, 3.0, "three").sum().backward()
    see(x.grad)


@scenario
def forward_does_not_record(torch: Any, see: Observer) -> None:
    class Watch(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            see(torch.is_grad_enabled(), x.requires_grad, (x * 2.0).requires_grad)
            return x * 2.0

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            see(torch.is_grad_enabled(), g.requires_grad)
            return g * 2.0

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    Watch.apply(x).sum().backward()
    torch.autograd.grad(Watch.apply(x).sum(), x, create_graph=True)


@scenario
def setup_context_beside_forward(torch: Any, see: Observer) -> None:
    class Cube(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(x: Any) -> Any:
            return x**3

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            (x,) = inputs
            see(output)
            ctx.save_for_backward(x)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 3.0 * ctx.saved_tensors[0] ** 2

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    Cube.apply(x).sum().backward()
    see(x.grad)


@scenario
def a_gradient_of_none_is_none(torch: Any, see: Observer) -> None:
    class First(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any) -> Any:
            return x * 1.0

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g, None

    x, y = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    First.apply(x, y).sum().backward()
    see(x.grad, y.grad)


@scenario
def the_number_of_gradients_has_to_be_right(torch: Any, see: Observer) -> None:
    class Wrong(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any) -> Any:
            return x * y

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g

    x, y = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    see.error(Wrong.apply(x, y).sum().backward, "incorrect number of gradients")
    see(x.grad, y.grad)


@scenario
def a_gradient_has_to_fit(torch: Any, see: Observer) -> None:
    class Wrong(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 1.0

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return torch.ones(3)

    x = torch.ones(2, requires_grad=True)
    see.error(Wrong.apply(x).sum().backward, "shape")
    see(x.grad)


@scenario
def an_error_in_backward_comes_through(torch: Any, see: Observer) -> None:
    class Broken(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 1.0

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            raise ZeroDivisionError("mine")

    x, w = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    see.error((Broken.apply(x) * w).sum().backward, "mine")
    see(x.grad)


@scenario
def outputs_that_are_not_differentiable(torch: Any, see: Observer) -> None:
    class Split(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            whole = torch.floor(x)
            ctx.mark_non_differentiable(whole)
            return x - whole, whole

        @staticmethod
        def backward(ctx: Any, g: Any, h: Any) -> Any:
            return g

    x = torch.tensor([1.25, 2.5], requires_grad=True)
    part, whole = Split.apply(x)
    see(part, part.requires_grad, whole, whole.requires_grad, whole.grad_fn)
    part.sum().backward()
    see(x.grad)


@scenario
def integers_that_come_out(torch: Any, see: Observer) -> None:
    class Both(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2.0, torch.argsort(x)

        @staticmethod
        def backward(ctx: Any, g: Any, h: Any) -> Any:
            return g * 2.0

    x = torch.tensor([3.0, 1.0], requires_grad=True)
    y, order = Both.apply(x)
    see(y.requires_grad, order, order.requires_grad)
    y.sum().backward()
    see(x.grad)


@scenario
def once_differentiable(torch: Any, see: Observer) -> None:
    class Once(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @torch.autograd.function.once_differentiable  # type: ignore[untyped-decorator]
        def backward(ctx: Any, g: Any) -> Any:
            return g * 2.0 * ctx.saved_tensors[0]

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    see(torch.autograd.grad(Once.apply(x).sum(), x))
    (g,) = torch.autograd.grad((Once.apply(x) ** 2).sum(), x, create_graph=True)
    see(g)
    see.error(g.sum().backward, "once_differentiable")


@scenario
def a_function_changes_its_input(torch: Any, see: Observer) -> None:
    class Double(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            x.mul_(2.0)
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 2.0

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    h = x * 1.0
    y = Double.apply(h)
    see(y is h, h, h.grad_fn)
    h.sum().backward()
    see(x.grad)


@scenario
def a_function_returns_its_input(torch: Any, see: Observer) -> None:
    class Identity(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 10.0

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = Identity.apply(x)
    see(y is x, y, y.requires_grad, y.grad_fn)
    y.sum().backward()
    see(x.grad)


@scenario
def backward_may_be_missing(torch: Any, see: Observer) -> None:
    class Forward(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 1.0

    y = Forward.apply(torch.ones(2, requires_grad=True))
    see(y.requires_grad)
    see.error(y.sum().backward, "must implement either the backward")


@scenario
def hooks_see_a_function_like_any_node(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = _square(torch).apply(x)
    y.register_hook(lambda g: g * 10.0)
    y.grad_fn.register_hook(see)
    y.sum().backward()
    see(x.grad)


@scenario
def saved_tensors_keep_their_history(torch: Any, see: Observer) -> None:
    class Product(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any) -> Any:
            out = x * y
            ctx.save_for_backward(x, y, out)
            return out

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            x, y, out = ctx.saved_tensors
            see(x.requires_grad, x.grad_fn, y.requires_grad, out.requires_grad)
            return g * y, g * x

    x, y = torch.tensor(2.0, requires_grad=True), torch.tensor(3.0)
    Product.apply(x * 1.0, y).backward()
    see(x.grad)


@scenario
def a_function_is_not_called_as_an_object(torch: Any, see: Observer) -> None:
    see.error(lambda: _square(torch)()(torch.ones(2)))
