"""autograd.functional: each function in each of its options, against torch."""

from __future__ import annotations

import pytest

import polygrad as pg
from polygrad.autograd import functional
from polygrad.errors import ArgumentError, GraphError, ShapeError

pytestmark = pytest.mark.usefixtures("backend")

X = [[0.5, -1.0], [2.0, 0.25]]
Y = [1.5, -0.5]


def f(lib, x, y):
    return (lib.exp(x) @ y) * 3.0 + y


def g(lib, x, y):
    return lib.sin(x).sum() * (y * y).sum(), x * y


def scalar(lib, x, y):
    return (lib.exp(x) * x).sum() * (y**3).sum()


def numbers(lib):
    return lib.tensor(X, dtype=lib.float64), lib.tensor(Y, dtype=lib.float64)


def plain(result):
    """Nested lists, whatever the library."""
    return tuple(plain(part) for part in result) if isinstance(result, (tuple, list)) else result.tolist()


def same(ours, theirs) -> None:
    if isinstance(theirs, tuple):
        assert isinstance(ours, tuple)
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            same(a, b)
        return
    flat = lambda nested: [n for part in nested for n in flat(part)] if isinstance(nested, list) else [nested]  # noqa: E731
    assert flat(ours) == pytest.approx(flat(theirs), rel=1e-12, abs=1e-12)


PROGRAMS = {
    "vjp": lambda F, lib, **o: F.vjp(lambda x, y: f(lib, x, y), numbers(lib), numbers(lib)[1], **o),
    "vjp of several": lambda F, lib, **o: F.vjp(
        lambda x, y: g(lib, x, y), numbers(lib), (lib.tensor(2.0, dtype=lib.float64), numbers(lib)[0]), **o
    ),
    "vjp without v": lambda F, lib, **o: F.vjp(lambda x: scalar(lib, x, x), numbers(lib)[0], **o),
    "jvp": lambda F, lib, **o: F.jvp(lambda x, y: f(lib, x, y), numbers(lib), numbers(lib), **o),
    "jvp of several": lambda F, lib, **o: F.jvp(lambda x, y: g(lib, x, y), numbers(lib), numbers(lib), **o),
    "jacobian": lambda F, lib, **o: F.jacobian(lambda x, y: f(lib, x, y), numbers(lib), **o),
    "jacobian of several": lambda F, lib, **o: F.jacobian(lambda x, y: g(lib, x, y), numbers(lib), **o),
    "jacobian by one": lambda F, lib, **o: F.jacobian(lambda x: f(lib, x, x[0]), numbers(lib)[0], **o),
    "hessian": lambda F, lib, **o: F.hessian(lambda x, y: scalar(lib, x, y), numbers(lib), **o),
    "hessian by one": lambda F, lib, **o: F.hessian(lambda x: scalar(lib, x, x), numbers(lib)[0], **o),
    "hvp": lambda F, lib, **o: F.hvp(lambda x, y: scalar(lib, x, y), numbers(lib), numbers(lib), **o),
    "vhp": lambda F, lib, **o: F.vhp(lambda x: scalar(lib, x, x), numbers(lib)[0], numbers(lib)[0], **o),
}  # fmt: skip


def options_of(name: str) -> list[dict[str, object]]:
    common = [{}, {"create_graph": True}, {"strict": True}]
    if name.startswith("jacobian"):
        return [*common, {"vectorize": True}, {"vectorize": True, "strategy": "forward-mode"}]
    if name.startswith("hessian"):
        return [*common, {"vectorize": True}, {"vectorize": True, "outer_jacobian_strategy": "forward-mode"}]
    return common


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
@pytest.mark.parametrize("name", PROGRAMS)
def test_against_torch(name: str) -> None:
    torch = pytest.importorskip("torch")
    for options in options_of(name):
        ours = PROGRAMS[name](functional, pg, **options)
        theirs = PROGRAMS[name](torch.autograd.functional, torch, **options)
        same(plain(ours), plain(theirs))


def test_goes_on_from_the_graph_of_the_inputs() -> None:
    x = pg.tensor(Y, dtype="float64", requires_grad=True)
    h = x * 2.0
    for result, power in (
        (functional.vjp(lambda h: (h**3).sum(), h, create_graph=True)[1], 2),
        (functional.jvp(lambda h: h**3, h, pg.ones_like(h.detach()), create_graph=True)[1], 2),
        (functional.jacobian(lambda h: h**3, h, create_graph=True).sum(axis=0), 2),
        (functional.jacobian(lambda h: h**3, h, create_graph=True, strategy="forward-mode").sum(axis=0), 2),
        (functional.hessian(lambda h: (h**3).sum(), h, create_graph=True).sum(axis=0), 1),
        (functional.hvp(lambda h: (h**3).sum(), h, pg.ones_like(h.detach()), create_graph=True)[1], 1),
    ):
        (found,) = pg.autograd.grad(result.sum(), x, retain_graph=True)
        expected = [2 * 6 * 2 * v for v in Y] if power == 2 else [12.0, 12.0]
        assert found.tolist() == pytest.approx(expected)
    assert not functional.vjp(lambda h: (h**3).sum(), h)[1].requires_grad
    assert x.grad is None


def test_the_mode_outside_does_not_matter() -> None:
    y = pg.tensor(Y, dtype="float64")
    with pg.no_grad():
        assert functional.jacobian(lambda y: y * y, y).tolist() == [[3.0, 0.0], [0.0, -1.0]]
        assert not pg.is_grad_enabled()


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda y: functional.vjp(lambda y: y * 2, y), GraphError, "v can only be None if the user-provided function returns a single"),
        (lambda y: functional.jvp(lambda y: y * 2, y), GraphError, "v can only be None if the input to the user-provided function"),
        (lambda y: functional.vjp(lambda y: y * 2, y, y[:1]), ShapeError, r"v has invalid size: should be \[2\] but got \[1\]"),
        (lambda y: functional.vjp(lambda y: y * 2, y, (y, y)), GraphError, "v has 2 Tensors, expected 1"),
        (lambda y: functional.vjp(lambda y: 3, y), ArgumentError, "outputs of the user-provided function has type <class 'int'>"),
        (lambda y: functional.vjp(lambda y, n: y, (y, 3)), ArgumentError, "the value at index 1 has type <class 'int'>"),
        (lambda y: functional.hessian(lambda y: y * 2, y), ShapeError, "given to hessian should contain a single element"),
        (lambda y: functional.hvp(lambda y: (y, y), y, y), ArgumentError, "given to hvp should return a single Tensor"),
        (lambda y: functional.jacobian(lambda y: y, y, strategy="x"), ArgumentError, "Expected strategy to be either"),
        (lambda y: functional.jacobian(lambda y: y, y, strict=True, vectorize=True), ArgumentError, "`strict=True` is not supported"),
        (
            lambda y: functional.vjp(lambda y: y.detach().sum(), y, strict=True), GraphError,
            "Output 0 of the user-provided function does not require gradients",
        ),
        (
            lambda y: functional.vjp(lambda y, z: y.sum(), (y, y), strict=True), GraphError,
            "output of the user-provided function is independent of input 1. This is not allowed in strict mode",
        ),
        (
            lambda y: functional.jacobian(lambda y, z: y * 2, (y, y), strict=True), GraphError,
            "Output 0 of the user-provided function is independent of input 1",
        ),
        (
            lambda y: functional.jacobian(lambda y: y * 2, y, strict=True, create_graph=True), GraphError,
            "jacobian of the user-provided function is independent of input 0. This is not allowed in strict mode when create_graph",
        ),
        (lambda y: functional.hvp(lambda y: y.sum(), y, y, strict=True), GraphError, "While computing the hessian, found that"),
        (lambda y: functional.hessian(lambda y: y.sum(), y, strict=True), GraphError, "independent of|While computing the hessian"),
    ],
)  # fmt: skip
def test_errors(call, kind, text) -> None:
    with pytest.raises(kind, match=text):
        call(pg.tensor(Y, dtype="float64"))


def test_independent_inputs_and_outputs_give_zeros() -> None:
    y = pg.tensor(Y, dtype="float64")
    assert functional.vjp(lambda a, b: a.sum(), (y, y))[1][1].tolist() == [0.0, 0.0]
    assert functional.jvp(lambda a: (a, a.detach()), y, y)[1][1].tolist() == [0.0, 0.0]
    assert functional.jacobian(lambda a: a.detach(), y).tolist() == [[0.0, 0.0]] * 2
    assert functional.hessian(lambda a: a.sum(), y).tolist() == [[0.0, 0.0]] * 2
    assert functional.hvp(lambda a: a.sum(), y, y)[1].tolist() == [0.0, 0.0]
    for options in ({}, {"vectorize": True}, {"strategy": "forward-mode"}):
        blocks = functional.jacobian(lambda a, b: (a * 2.0, b.sum()), (y, y), **options)
        assert [[tuple(block.shape) for block in row] for row in blocks] == [[(2, 2), (2, 2)], [(2,), (2,)]]
        assert blocks[0][1].tolist() == [[0.0, 0.0]] * 2


def test_batched_cotangents() -> None:
    x = pg.tensor(X, dtype="float64", requires_grad=True)
    y, z = pg.sin(x) @ x, x.sum(axis=0)
    a = pg.tensor([X, [[1.0, 0.0], [0.0, 0.0]], [[0.0, 2.0], [1.0, 0.0]]], dtype="float64")
    b = pg.tensor([Y, [0.0, 1.0], [3.0, 0.0]], dtype="float64")
    (together,) = pg.autograd.grad([y, z], x, [a, b], retain_graph=True, is_grads_batched=True)
    for i in range(3):
        (one,) = pg.autograd.grad([y, z], x, [a[i], b[i]], retain_graph=True)
        same(together[i].tolist(), one.tolist())
    (recorded,) = pg.autograd.grad(y, x, a, create_graph=True, is_grads_batched=True)
    (second,) = pg.autograd.grad((recorded * recorded).sum(), x, retain_graph=True)
    parts = [pg.autograd.grad(y, x, a[i], create_graph=True)[0] for i in range(3)]
    (expected,) = pg.autograd.grad(sum((part * part).sum() for part in parts), x, retain_graph=True)
    same(second.tolist(), expected.tolist())
    unused = pg.tensor(Y, dtype="float64", requires_grad=True)
    assert pg.autograd.grad(y, [x, unused], a, True, is_grads_batched=True, allow_unused=True)[1] is None
    with pytest.raises(TypeError, match="is_grads_batched=True needs grad_outputs"):
        pg.autograd.grad(z.sum(), x, is_grads_batched=True)
