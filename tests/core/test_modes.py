"""Grad mode and inference mode: as context manager, decorator and call, under threads, tasks and generators."""

from __future__ import annotations

import asyncio
import threading

import numpy as np
import pytest

import polygrad as pg


def leaf() -> pg.Tensor:
    return pg.Tensor(np.ones(2), requires_grad=True)


def tracked() -> bool:
    return (leaf() * 2).requires_grad


def test_no_grad_as_context_manager() -> None:
    assert tracked()
    with pg.no_grad():
        assert not tracked()
        with pg.enable_grad():
            assert tracked()
        assert not tracked()
    assert tracked()


@pytest.mark.parametrize(
    "decorator",
    [
        lambda: pg.no_grad,
        lambda: pg.no_grad(),
        lambda: pg.set_grad_enabled(False),
        lambda: pg.inference_mode,
        lambda: pg.inference_mode(),
    ],
)
def test_as_decorator(decorator) -> None:
    @decorator()
    def function() -> bool:
        """Documented."""
        return tracked()

    assert function.__doc__ == "Documented."
    assert not function()
    assert not function()
    assert tracked()


def test_enable_grad_as_decorator() -> None:
    @pg.enable_grad()
    def function() -> bool:
        return tracked()

    with pg.no_grad():
        assert function()


def test_set_grad_enabled_as_call_and_context_manager() -> None:
    try:
        pg.set_grad_enabled(False)
        assert not pg.is_grad_enabled()
    finally:
        pg.set_grad_enabled(True)
    assert pg.is_grad_enabled()
    with pg.set_grad_enabled(False):
        assert not tracked()
    assert tracked()


def test_a_mode_object_can_be_entered_again_and_nested() -> None:
    mode = pg.no_grad()
    with mode:
        with mode:
            assert not tracked()
        assert not tracked()
    assert tracked()


def test_restored_after_an_exception() -> None:
    with pytest.raises(KeyError), pg.no_grad():
        raise KeyError
    assert tracked()


def test_generator_keeps_its_mode_and_does_not_leak_it() -> None:
    @pg.no_grad()
    def numbers():
        for _ in range(2):
            received = yield tracked()
            assert received in (None, "sent")

    iterator = numbers()
    assert next(iterator) is False
    assert tracked()
    assert iterator.send("sent") is False
    assert tracked()


def test_threads_have_modes_of_their_own() -> None:
    seen = []
    with pg.no_grad():
        thread = threading.Thread(target=lambda: seen.append(tracked()))
        thread.start()
        thread.join()
        assert not tracked()
    assert seen == [True]


def test_a_mode_object_shared_between_threads() -> None:
    mode = pg.no_grad()
    entered, leave = threading.Event(), threading.Event()
    seen: list[bool] = []

    def work() -> None:
        with mode:
            entered.set()
            leave.wait(10)
        seen.append(tracked())

    thread = threading.Thread(target=work)
    thread.start()
    assert entered.wait(10)
    with pg.inference_mode(), mode:  # must not get what the thread goes back to, nor take it away
        leave.set()
        thread.join()
        assert pg.is_inference_mode_enabled()
    assert seen == [True]
    assert tracked()


def test_tasks_have_modes_of_their_own() -> None:
    async def off(started: asyncio.Event, finish: asyncio.Event) -> bool:
        with pg.no_grad():
            started.set()
            await finish.wait()
            return tracked()

    async def on(started: asyncio.Event, finish: asyncio.Event) -> bool:
        await started.wait()
        result = tracked()
        finish.set()
        return result

    async def main() -> list[bool]:
        started, finish = asyncio.Event(), asyncio.Event()
        return await asyncio.gather(off(started, finish), on(started, finish))

    assert asyncio.run(main()) == [False, True]


def test_coroutine_decorated() -> None:
    @pg.no_grad()
    async def function() -> bool:
        await asyncio.sleep(0)
        return tracked()

    assert asyncio.run(function()) is False


def test_inference_mode() -> None:
    x = leaf()
    with pg.inference_mode():
        y = x * 2
        z = pg.sum(y)
        assert pg.is_inference_mode_enabled()
    assert y.is_inference()
    assert z.is_inference()
    assert not y.requires_grad
    assert not pg.is_inference_mode_enabled()
    with pg.inference_mode(False):
        assert tracked()
    assert not (x * 2).is_inference()


def test_leaves_can_be_made_under_no_grad() -> None:
    with pg.no_grad():
        x = pg.ones(2, requires_grad=True)
    assert x.requires_grad
    (x * 2).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_no_grad_and_transforms() -> None:
    """A transform is not switched off from outside; ``no_grad`` inside the function is respected."""
    a = np.asarray([1.0, 2.0])
    with pg.no_grad():
        np.testing.assert_allclose(pg.func.grad(lambda x: (x * x).sum())(a), [2.0, 4.0])
        assert not pg.is_grad_enabled()

    def partly(x: pg.Tensor) -> pg.Tensor:
        with pg.no_grad():
            frozen = x * x
        return (frozen + x).sum()

    np.testing.assert_allclose(pg.func.grad(partly)(a), [1.0, 1.0])
