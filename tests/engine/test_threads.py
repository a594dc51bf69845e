"""Threads and tasks: passes over shared leaves lose nothing, modes are each thread's and task's own, and a pass may start passes."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

import polygrad as pg
from polygrad.autograd import Function
from polygrad.engine import accumulation
from polygrad.engine.edges import register_multi_grad_hook, saved_tensors_hooks

pytestmark = pytest.mark.usefixtures("backend")

THREADS, TIMES = 6, 25


def leaf(*values: float) -> pg.Tensor:
    return pg.tensor(list(values), dtype="float64", requires_grad=True)


@pytest.fixture(autouse=True)
def _switching() -> Iterator[None]:
    """The interpreter changes threads as often as it can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def together(work: Callable[[int], object], number: int = THREADS) -> list[object]:
    """Run ``work(i)`` in threads that start at the same moment, on the backend of the test; the first exception is raised."""
    barrier = threading.Barrier(number)
    backend = pg.get_backend().name

    def run(i: int) -> object:
        with pg.use_backend(backend):
            barrier.wait(30)
            return work(i)

    with ThreadPoolExecutor(number) as pool:
        return [future.result(60) for future in [pool.submit(run, i) for i in range(number)]]


class TestSharedLeaf:
    def test_from_nothing(self) -> None:
        """The first gradient is the one that is most easily lost: there is nowhere to put it yet."""
        for _ in range(TIMES):
            x = leaf(0.0)
            together(lambda i, x=x: (x * 1.0).sum().backward(), 4)
            assert x.grad.item() == 4.0

    def test_many_passes(self) -> None:
        x, y = leaf(0.0, 0.0), leaf(1.0, 1.0)

        def work(i: int) -> None:
            for _ in range(TIMES):
                (pg.exp(x) * y).sum().backward()

        together(work)
        assert x.grad.tolist() == y.grad.tolist() == [float(THREADS * TIMES)] * 2

    def test_a_sum_that_has_become_stale_is_made_anew(self, monkeypatch: pytest.MonkeyPatch) -> None:
        x = leaf(0.0)
        (x * 1.0).sum().backward()
        plain, met = accumulation._sum, threading.Event()

        def slow(*args):
            made = plain(*args)
            if threading.current_thread() is not threading.main_thread() and not met.is_set():
                met.set()
                main.wait(30)
            return made

        main = threading.Event()
        monkeypatch.setattr(accumulation, "_sum", slow)
        thread = threading.Thread(target=lambda: (x * 10.0).sum().backward())
        thread.start()
        assert met.wait(30)
        (x * 100.0).sum().backward()
        main.set()
        thread.join(30)
        assert x.grad.item() == 111.0

    def test_with_create_graph(self) -> None:
        x = leaf(2.0)

        def work(i: int) -> None:
            for _ in range(5):
                (x * x).sum().backward(create_graph=True)

        together(work)
        assert x.grad.item() == 4.0 * 5 * THREADS
        (g,) = pg.autograd.grad(x.grad.sum(), x)
        assert g.item() == 2.0 * 5 * THREADS

    def test_one_graph_for_all(self) -> None:
        x = leaf(0.5)
        y = pg.sin(pg.exp(x)).sum()
        expected = pg.autograd.grad(y, x, retain_graph=True)[0].item()
        found = together(lambda i: [pg.autograd.grad(y, x, retain_graph=True)[0].item() for _ in range(TIMES)])
        assert found == [[expected] * TIMES] * THREADS

    def test_hooks_and_their_handles(self) -> None:
        x, counts = leaf(1.0), [0] * THREADS
        seen = []
        x.register_post_accumulate_grad_hook(lambda p: seen.append(1))

        def work(i: int) -> None:
            for _ in range(TIMES):
                h = x * 2.0

                def hook(g: pg.Tensor) -> pg.Tensor:
                    counts[i] += 1
                    return g * 3.0

                with h.register_hook(hook), x.register_hook(lambda g: None):
                    h.sum().backward()

        together(work)
        assert counts == [TIMES] * THREADS
        assert len(seen) == THREADS * TIMES
        assert x.grad.item() == 6.0 * THREADS * TIMES

    def test_multi_grad_hook(self) -> None:
        x, y, calls = leaf(1.0), leaf(1.0), []
        register_multi_grad_hook([x, y], lambda gs: calls.append([g.item() for g in gs]))
        together(lambda i: [(x * y * float(i)).sum().backward() for _ in range(TIMES)])
        assert sorted(calls) == sorted([[float(i)] * 2 for i in range(THREADS) for _ in range(TIMES)])

    def test_an_exception_in_one_of_them(self) -> None:
        x = leaf(1.0)

        class Fails(Function):
            @staticmethod
            def forward(ctx, x):
                return x * 1.0

            @staticmethod
            def backward(ctx, g):
                raise ZeroDivisionError

        def work(i: int) -> None:
            for _ in range(TIMES):
                if i % 2:
                    with pytest.raises(ZeroDivisionError):
                        (Fails.apply(x) + x).sum().backward()
                else:
                    (x * 2.0).sum().backward()

        together(work)
        assert x.grad.item() in (2.0 * TIMES * THREADS / 2,)


class TestTransformsAndModes:
    def test_nested_transforms(self) -> None:
        second = pg.func.grad(pg.func.grad(lambda x: x**3))
        mixed = pg.func.grad(lambda x: pg.func.jvp(lambda x: x**3, (x,), (pg.ones((), dtype="float64"),))[1])
        point = pg.tensor(2.0, dtype="float64")
        found = together(lambda i: [(second(point).item(), mixed(point).item()) for _ in range(TIMES)])
        assert found == [[(12.0, 12.0)] * TIMES] * THREADS

    def test_modes(self) -> None:
        x = leaf(1.0)
        kinds = [
            (contextlib.nullcontext, True), (pg.no_grad, False), (pg.enable_grad, True), (pg.inference_mode, False),
            (pg.autograd.detect_anomaly, True), (lambda: saved_tensors_hooks(lambda t: t, lambda t: t), True),
        ]  # fmt: skip

        def work(i: int) -> bool:
            mode, expected = kinds[i]
            for _ in range(TIMES):
                with mode():
                    if (x * 2.0).requires_grad is not expected or pg.is_anomaly_enabled() is not (i == 4):
                        return False
                if not (x * 2.0).requires_grad or pg.is_anomaly_enabled():
                    return False
            return True

        assert together(work) == [True] * THREADS

    def test_tasks(self) -> None:
        x = leaf(1.0)

        async def work(i: int) -> list[bool]:
            seen = []
            for _ in range(5):
                with [pg.no_grad, pg.enable_grad, pg.autograd.detect_anomaly][i % 3]():
                    y = x * 2.0
                    await asyncio.sleep(0)
                    z = x * 2.0
                    seen.append(
                        y.requires_grad is z.requires_grad is (i % 3 != 0) and pg.is_anomaly_enabled() is (i % 3 == 2)
                    )
                await asyncio.sleep(0)
                (x * 1.0).sum().backward()
            return seen

        async def main() -> list[list[bool]]:
            return await asyncio.gather(*[work(i) for i in range(9)])

        assert asyncio.run(main()) == [[True] * 5] * 9
        assert x.grad.item() == 45.0

    def test_a_task_in_a_thread_takes_the_modes_along(self) -> None:
        async def main() -> bool:
            with pg.no_grad():
                return await asyncio.to_thread(pg.is_grad_enabled)

        assert asyncio.run(main()) is False


class TestPassesInsidePasses:
    def test_in_a_hook(self) -> None:
        x, w = leaf(1.0), leaf(2.0)

        def hook(g: pg.Tensor) -> pg.Tensor:
            with pg.enable_grad():
                (w * w).sum().backward()
            return g * w.grad

        h = x * 3.0
        h.register_hook(hook)
        h.sum().backward()
        assert (x.grad.item(), w.grad.item()) == (12.0, 4.0)

    def test_on_the_same_leaf_and_graph(self) -> None:
        x = leaf(2.0)
        y = x * x
        depth = []

        def hook(g: pg.Tensor) -> None:
            depth.append(1)
            if len(depth) < 4:
                y.backward(g * 0.0 + 1.0, retain_graph=True)

        x.register_hook(hook)
        y.sum().backward(retain_graph=True)
        assert x.grad.item() == 16.0

    def test_in_backward_of_a_function(self) -> None:
        class Inner(Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x * x * x

            @staticmethod
            def backward(ctx, g):
                (x,) = ctx.saved_tensors
                with pg.enable_grad():
                    y = x.detach().requires_grad_()
                    (slope,) = pg.autograd.grad((y**3).sum(), y)
                return g * slope

        x = leaf(2.0)
        together(lambda i: Inner.apply(x).sum().backward())
        assert x.grad.item() == 12.0 * THREADS

    def test_very_deep(self) -> None:
        """A pass in a pass is a call in a call, so its depth is bounded by the stack, and the error is Python's own."""
        x = leaf(1.0)
        depth = []

        def hook(g: pg.Tensor) -> None:
            depth.append(1)
            if len(depth) < 20:
                with pg.enable_grad():
                    h = x * 1.0
                    h.register_hook(hook)
                    h.sum().backward()

        h = x * 1.0
        h.register_hook(hook)
        h.sum().backward()
        assert x.grad.item() == len(depth) == 20
