"""In-place operations, views, detach and no_grad inside transforms: what is left out is left out on every level, as torch.func has it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import polygrad as pg
from support.gradient_checks import host, tensor

X = np.asarray([0.3, 0.7])


def quiet_alias(lib: Any, x: Any) -> Any:
    """v = 1.5 x, and no derivative knows of the factor."""
    v = x * 1.0
    with lib.no_grad():
        v.detach().mul_(1.5)
    return v * v


def quiet_write(lib: Any, x: Any) -> Any:
    """v = 1.3 x², and only a tangent knows of the factor."""
    v = x * x
    with lib.no_grad():
        v.mul_(1.3)
    return v * v


def quiet_write_to_a_view(lib: Any, x: Any) -> Any:
    v = x * x
    view = v[...]
    with lib.no_grad():
        view.mul_(1.3)
    return v * view


def quiet_write_to_the_base(lib: Any, x: Any) -> Any:
    v = x * x
    view = v[...]
    with lib.no_grad():
        v.mul_(1.3)
    return view * view


def quiet_read(lib: Any, x: Any) -> Any:
    with lib.no_grad():
        y = x * x
    return y * x


def loud_inside_of_quiet(lib: Any, x: Any) -> Any:
    with lib.no_grad():
        y = x * x
        with lib.enable_grad():
            y = y * x
    return y


def alias_that_follows(lib: Any, x: Any) -> Any:
    """The detached d is 2 x as well once v is, and a constant."""
    v = x * 1.0
    d = v.detach()
    v.mul_(2.0)
    return v * d


def detached_view(lib: Any, x: Any) -> Any:
    v = x * x
    v[...].detach().mul_(1.3)
    return v * v


Number = Callable[[Any], Any]
# The derivatives: of grad, of jvp, and the four of second order, grad of grad, jvp of grad, grad of jvp, jvp of jvp.
CASES: dict[Callable[[Any, Any], Any], tuple[Number, Number, Number, Number, Number, Number]] = {
    quiet_alias: (
        lambda x: 3 * x,
        lambda x: 3 * x,
        lambda x: 2 + 0 * x,
        lambda x: 2 + 0 * x,
        lambda x: 2 + 0 * x,
        lambda x: 2 + 0 * x,
    ),
    **dict.fromkeys(
        (quiet_write, quiet_write_to_a_view, quiet_write_to_the_base),
        (
            lambda x: 5.2 * x**3,
            lambda x: 6.76 * x**3,
            lambda x: 13.2 * x**2,
            lambda x: 15.6 * x**2,
            lambda x: 15.6 * x**2,
            lambda x: 20.28 * x**2,
        ),
    ),
    **dict.fromkeys(
        (quiet_read, loud_inside_of_quiet),
        (
            lambda x: x**2,
            lambda x: 3 * x**2,
            lambda x: 0 * x,
            lambda x: 2 * x,
            lambda x: 2 * x,
            lambda x: 6 * x,
        ),
    ),
    alias_that_follows: (
        lambda x: 4 * x,
        lambda x: 4 * x,
        lambda x: 0 * x,
        lambda x: 0 * x,
        lambda x: 0 * x,
        lambda x: 0 * x,
    ),
    detached_view: (
        lambda x: 5.2 * x**3,
        lambda x: 5.2 * x**3,
        lambda x: 13.2 * x**2,
        lambda x: 13.2 * x**2,
        lambda x: 13.2 * x**2,
        lambda x: 13.2 * x**2,
    ),
}


def derivatives(f: Callable[[Any], Any], func: Any, ones: Any) -> list[Callable[[Any], Any]]:
    """The six of a function that works on each element by itself."""

    def grad(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return func.grad(lambda x: f(x).sum())  # type: ignore[no-any-return]

    def jvp(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda x: func.jvp(f, (x,), (ones,))[1]

    return [grad(f), jvp(f), grad(grad(f)), jvp(grad(f)), grad(jvp(f)), jvp(jvp(f))]


@pytest.mark.parametrize("function", CASES, ids=lambda function: function.__name__)
def test_every_order_and_mode(function: Any, backend: str) -> None:
    x, ones = tensor(X, backend), tensor(np.ones(2), backend)
    for derivative, expected in zip(
        derivatives(lambda x: function(pg, x), pg.func, ones), CASES[function], strict=True
    ):
        np.testing.assert_allclose(host(derivative(x)), expected(X), rtol=1e-12)


@pytest.mark.parametrize("function", CASES, ids=lambda function: function.__name__)
def test_in_a_batch(function: Any, backend: str) -> None:
    x, one = tensor(X, backend), tensor(np.asarray(1.0), backend)
    inside = [pg.func.vmap(derivative) for derivative in derivatives(lambda x: function(pg, x), pg.func, one)]
    mapped = pg.func.vmap(lambda x: function(pg, x))
    outside = derivatives(mapped, pg.func, tensor(np.ones(2), backend))
    for derivative, expected in zip([*inside, *outside], CASES[function] * 2, strict=True):
        np.testing.assert_allclose(host(derivative(x)), expected(X), rtol=1e-12)


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")  # what torch.func imports
@pytest.mark.parametrize("function", CASES, ids=lambda function: function.__name__)
def test_torch_has_the_same(function: Any) -> None:
    torch = pytest.importorskip("torch")
    x = torch.asarray(X)
    for derivative, expected in zip(
        derivatives(lambda x: function(torch, x), torch.func, torch.ones_like(x)), CASES[function], strict=True
    ):
        np.testing.assert_allclose(derivative(x).numpy(force=True), expected(X), rtol=1e-12)


def test_backward_twice_leaves_out_the_same(backend: str) -> None:
    for function, (first, _, second, *_) in CASES.items():
        x = tensor(X, backend, requires_grad=True)
        (gradient,) = pg.autograd.grad(function(pg, x).sum(), x, create_graph=True)
        np.testing.assert_allclose(host(gradient), first(X), rtol=1e-12)
        (again,) = pg.autograd.grad(gradient.sum() + 0 * x.sum(), x)
        np.testing.assert_allclose(host(again), second(X), rtol=1e-12, atol=1e-15)


def test_no_grad_around_a_transform_is_about_the_levels_outside(backend: str) -> None:
    w = tensor(np.asarray(2.0), backend, requires_grad=True)

    def f(x: Any) -> Any:
        with pg.no_grad():
            inner = pg.func.grad(lambda z: z * z * z * w)(x)
        return inner * x * w

    x = tensor(np.asarray(0.5), backend)
    value = pg.func.grad(f)(x)
    np.testing.assert_allclose(host(value), 3 * 0.25 * 2 * 2, rtol=1e-12)
    (slope,) = pg.autograd.grad(value, w)
    np.testing.assert_allclose(host(slope), 3 * 0.25 * 2, rtol=1e-12)
