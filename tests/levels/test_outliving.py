"""A Tensor that outlives its transform (a cache, a running mean, a recurrent state) is a constant for every later transform."""

from __future__ import annotations

import gc
import threading
from typing import Any

import numpy as np
import pytest

import polygrad as pg
from polygrad import func
from polygrad.autograd import forward_ad
from polygrad.backend.frame import Level, open_level
from polygrad.errors import GraphError

X, K = np.asarray([1.0, 2.0, 3.0]), np.asarray([10.0, 20.0, 30.0])

LEAK = {
    "grad": lambda f, x, one: func.grad(f)(x),
    "value_and_grad": lambda f, x, one: func.value_and_grad(f)(x),
    "vjp": lambda f, x, one: func.vjp(f, x),
    "jvp": lambda f, x, one: func.jvp(f, (x,), (one,)),
    "linearize": lambda f, x, one: func.linearize(f, x),
    "jacrev": lambda f, x, one: func.jacrev(f)(x),
    "hvp": lambda f, x, one: func.hvp(f, (x,), (one,)),
    "grad of grad": lambda f, x, one: func.grad(lambda y: func.grad(f)(y).sum())(x),
    "jvp of grad": lambda f, x, one: func.jvp(lambda y: func.grad(f)(y), (x,), (one,)),
}
USE: dict[str, tuple[Any, Any]] = {
    "grad": (lambda k, x, one: func.grad(lambda x: (k * x).sum())(x), K),
    "vjp": (lambda k, x, one: func.vjp(lambda x: (k * x).sum(), x)[1](pg.ones((), backend=x.backend, dtype=x.dtype))[0], K),
    "jvp": (lambda k, x, one: func.jvp(lambda x: (k * x).sum(), (x,), (one,))[1], 60.0),
    "linearize": (lambda k, x, one: func.linearize(lambda x: (k * x).sum(), x)[1](one), 60.0),
    "jacfwd": (lambda k, x, one: func.jacfwd(lambda x: k * x)(x), np.diag(K)),
    "jacrev": (lambda k, x, one: func.jacrev(lambda x: k * x)(x), np.diag(K)),
    "hessian": (lambda k, x, one: func.hessian(lambda x: (k * x * x).sum())(x), np.diag(2 * K)),
    "hvp": (lambda k, x, one: func.hvp(lambda x: (k * x * x).sum(), (x,), (one,)), 2 * K),
    "vmap": (lambda k, x, one: func.vmap(lambda x, i: x * i, in_dims=(None, 0))(k, x), K * X[:, None]),
    "grad of jvp": (
        lambda k, x, one: func.grad(lambda y: func.jvp(lambda x: (k * x * x).sum(), (y,), (one,))[1])(x),
        2 * K,
    ),
    "backward": (lambda k, x, one: _backward(k, x), K),
}  # fmt: skip


def _backward(k: pg.Tensor, x: pg.Tensor) -> pg.Tensor:
    leaf = x.clone().requires_grad_()
    (k * leaf).sum().backward()
    return leaf.grad


def values(result: Any) -> np.ndarray:
    return np.asarray(result.detach().tolist())


@pytest.mark.parametrize("use", USE)
@pytest.mark.parametrize("leak", LEAK)
def test_for_every_pair_of_transforms(leak: str, use: str, backend: str) -> None:
    x, one = pg.tensor(X, backend=backend), pg.tensor(np.ones(3), backend=backend)
    kept: list[pg.Tensor] = []

    def f(x: pg.Tensor) -> pg.Tensor:
        if not kept:
            kept.append(x * 10)
        return (x * x).sum()

    LEAK[leak](f, x, one)
    run, expected = USE[use]
    np.testing.assert_allclose(values(run(kept[0], x, one)), expected)


@pytest.mark.parametrize("use", USE)
def test_a_mask_and_a_detached_value(use: str, backend: str) -> None:
    x, one = pg.tensor(X, backend=backend), pg.tensor(np.ones(3), backend=backend)
    kept: list[pg.Tensor] = []

    def f(x: pg.Tensor) -> pg.Tensor:
        kept.extend([x.detach() * 10, x > 1.5])
        return (x * x).sum()

    func.grad(f)(x)
    run, expected = USE[use]
    np.testing.assert_allclose(values(run(kept[0], x, one)), expected)
    assert kept[1].tolist() == [False, True, True]
    picked = func.grad(lambda x: pg.where(kept[1], x, 0 * x).sum())(x)
    assert picked.tolist() == [0.0, 1.0, 1.0]
    assert func.grad(lambda x: x[kept[1]].sum())(x).tolist() == [0.0, 1.0, 1.0]


def test_an_index_that_was_kept(backend: str) -> None:
    x = pg.tensor(X, backend=backend)
    kept: list[pg.Tensor] = []
    func.grad(lambda x: (kept.append(pg.argsort(-x)), x.sum())[1])(x)
    assert func.grad(lambda x: (x[kept[0]] * pg.tensor(K, backend=backend)).sum())(x).tolist() == [30.0, 20.0, 10.0]


def test_a_running_mean(backend: str) -> None:
    x, one = pg.tensor(X, backend=backend), pg.tensor(np.ones(3), backend=backend)
    mean = pg.tensor(np.zeros(3), backend=backend)

    def loss(x: pg.Tensor) -> pg.Tensor:
        y = ((x - mean) ** 2).sum()
        with pg.no_grad():
            mean.mul_(0.5).add_(x * 0.5)
        return y

    _, first = func.jvp(loss, (x,), (one,))
    _, second = func.jvp(loss, (x,), (one,))
    np.testing.assert_allclose([values(first), values(second)], [12.0, 6.0])


def test_a_dual_number_in_a_later_level(backend: str) -> None:
    x, one = pg.tensor(X, backend=backend), pg.tensor(np.ones(3), backend=backend)
    with forward_ad.dual_level():
        kept = forward_ad.make_dual(x, one) * 10
    with forward_ad.dual_level():
        primal, tangent = forward_ad.unpack_dual(kept)
        assert tangent is None
        assert primal.tolist() == [10.0, 20.0, 30.0]
        y = forward_ad.make_dual(kept, one) * kept
        np.testing.assert_allclose(values(forward_ad.unpack_dual(y).tangent), K)
    with pytest.raises(GraphError, match="no forward-mode level 7 is open"), forward_ad.dual_level():
        forward_ad.make_dual(x, one, level=7)


def test_what_is_below_stays_tracked(backend: str) -> None:
    """A value that leaves an inner transform is a constant of that one alone."""
    x = pg.tensor(X, backend=backend)
    kept: list[pg.Tensor] = []

    def outer(y: pg.Tensor) -> pg.Tensor:
        func.grad(lambda z: (kept.append(z * y), z.sum())[1])(pg.ones_like(y))
        return (kept[-1] * y).sum()

    np.testing.assert_allclose(values(func.grad(outer)(x)), 2 * X)


def test_an_example_of_a_batch_says_that_it_escaped(backend: str) -> None:
    x = pg.tensor(X, backend=backend)
    kept: list[pg.Tensor] = []
    func.vmap(lambda x: (kept.append(x * 2), x)[1])(x)
    for use in (
        lambda: kept[0] + 1,
        lambda: func.grad(lambda y: y * kept[0])(x[0]),
        lambda: func.vmap(lambda y: y * kept[0])(x),
    ):
        with pytest.raises(GraphError, match="has escaped from the function that vmap mapped"):
            use()


def test_a_pullback_is_not_confused_with_a_later_one(backend: str) -> None:
    x = pg.tensor(X, backend=backend)
    one = pg.ones((), backend=backend, dtype=x.dtype)
    _, first = func.vjp(lambda x: (x * x).sum(), x)
    _, second = func.vjp(lambda x: (3 * x).sum(), x)
    for _ in range(2):
        np.testing.assert_allclose(values(first(one)[0]), 2 * X)
        np.testing.assert_allclose(values(second(one)[0]), [3.0, 3.0, 3.0])


def test_a_level_is_opened_again_only_when_nothing_refers_to_it(backend: str) -> None:
    level = open_level(50)
    frame = level.frame(pg.get_backend(backend), False)
    level.close()
    other = open_level(50)
    assert other is not level
    other.close()
    del frame, level
    again = open_level(50)
    assert again is other or isinstance(again, Level)
    assert again.open
    again.close()


def test_nothing_is_left_to_the_garbage_collector() -> None:
    x = pg.tensor(X, backend="numpy")
    f = func.value_and_grad(lambda x: (x * x).sum())

    def work() -> None:
        f(x)
        func.jvp(lambda x: x * x, (x,), (x,))
        value, pull = func.vjp(lambda x: (x * x).sum(), x)
        pull(value)
        kept = []
        func.grad(lambda x: (kept.append(x * 2), x.sum())[1])(x)
        func.grad(lambda x: (kept[0] * x).sum())(x)

    work()
    gc.collect()
    gc.disable()
    try:
        for _ in range(20):
            work()
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_threads_have_levels_of_their_own(backend: str) -> None:
    x = pg.tensor(X, backend=backend)
    wrong: list[Any] = []
    barrier = threading.Barrier(4)

    def work(k: float) -> None:
        for _ in range(50):
            barrier.wait()
            found = func.grad(lambda x: (k * x * x).sum())(x).tolist()
            if found != (2 * k * X).tolist():
                wrong.append(found)

    threads = [threading.Thread(target=work, args=(float(k),)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
