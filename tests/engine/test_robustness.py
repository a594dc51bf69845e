"""What a pass does with wrong values from outside, and what is left behind where it fails."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import polygrad as pg
from polygrad import func
from polygrad.errors import BackendError, DtypeError, PolygradError, ShapeError

PLACES: dict[str, Callable[[pg.Tensor, pg.Tensor, Any], Any]] = {
    "leaf": lambda x, z, hook: x.register_hook(hook),
    "result": lambda x, z, hook: z.register_hook(hook),
    "prehook": lambda x, z, hook: z.grad_fn.register_prehook(lambda gs: tuple(map(hook, gs))),
    "hook of a node": lambda x, z, hook: z.grad_fn.register_hook(
        lambda gi, go: tuple([None if g is None else hook(g) for g in gi])
    ),
}


class TestWhatHooksReturn:
    @pytest.mark.parametrize("place", PLACES)
    @pytest.mark.parametrize(
        "change",
        [lambda g: pg.astype(g, "int64"), lambda g: g * 1j, lambda g: g.to("float32"), lambda g: g > 0],
        ids=["int64", "complex128", "float32", "bool"],
    )
    def test_of_another_dtype_is_refused(self, place: str, change: Any, backend: str) -> None:
        x = pg.tensor(np.ones(3), backend=backend, requires_grad=True)
        z = x * 2
        PLACES[place](x, z, change)
        with pytest.raises(DtypeError, match="has changed the type of value: it got dtype .*float64 and returned"):
            (z * 3).sum().backward()
        assert x.grad is None

    @pytest.mark.parametrize("place", PLACES)
    def test_of_another_library_is_refused(self, place: str) -> None:
        pytest.importorskip("array_api_strict")
        x = pg.tensor(np.ones(3), backend="numpy", requires_grad=True)
        z = x * 2
        PLACES[place](x, z, lambda g: g.to_backend("array_api_strict"))
        with pytest.raises(BackendError, match=r"got a gradient on 'numpy' and returned one on 'array_api_strict'"):
            (z * 3).sum().backward()
        assert x.grad is None


class TestCotangentsOfAPullback:
    def test_of_another_kind_are_refused(self, backend: str) -> None:
        x = pg.tensor(np.arange(1.0, 4.0), backend=backend)
        _, pullback = func.vjp(lambda x: x * 2, x)
        for cotangent in (pg.astype(x, "int64"), x * 1j, x > 0):
            with pytest.raises(DtypeError, match=r"func.vjp: a cotangent has dtype .*, its output .*float64"):
                pullback(cotangent)

    def test_of_another_precision_and_numbers_are_converted(self, backend: str) -> None:
        x = pg.tensor(np.arange(1.0, 4.0), backend=backend)
        _, pullback = func.vjp(lambda x: x * 2, x)
        (found,) = pullback(pg.astype(x, "float32"))
        assert found.dtype == x.dtype
        assert found.tolist() == [2.0, 4.0, 6.0]
        _, of_sum = func.vjp(lambda x: (x * x).sum(), x)
        assert of_sum(1.0)[0].tolist() == [2.0, 4.0, 6.0]


def test_hooks_off_the_way_to_the_inputs_do_not_run(backend: str) -> None:
    x = pg.tensor(np.ones(2), backend=backend, requires_grad=True)
    a, b = x * 2, x * 3
    c = a * 1.0
    ran: list[int] = []
    b.retain_grad()
    b.register_hook(lambda g: ran.append(1))
    (found,) = pg.autograd.grad([c.sum(), b], [a], [None, pg.ones_like(b)])
    assert found.tolist() == [1.0, 1.0]
    assert not ran
    assert b.grad is None


class TestGradientsOfAnotherShape:
    @pytest.mark.parametrize(("name", "expected"), [("tril", [3.0, 2.0, 1.0]), ("triu", [1.0, 2.0, 3.0])])
    def test_a_triangle_of_a_vector(self, name: str, expected: list[float]) -> None:
        """NumPy makes a matrix of it, whose rows are the vector."""
        v = pg.tensor([1.0, 2.0, 3.0], backend="numpy", requires_grad=True)
        getattr(pg, name)(v).sum().backward()
        assert v.grad.tolist() == expected

    def test_no_derivative_can_leave_another_shape_in_a_leaf(self, backend: str) -> None:
        wrong = pg.autograd.Function

        class Identity(wrong):
            @staticmethod
            def forward(ctx: Any, x: pg.Tensor) -> pg.Tensor:
                return x * 1

        x = pg.tensor(np.ones(3), backend=backend, requires_grad=True)
        y = x * 2
        y.grad_fn.__class__ = type("MulBackward0", (type(y.grad_fn),), {"__slots__": (), "pull": _widened})
        with pytest.raises(ShapeError, match=r"a leaf of shape \(3,\) got a gradient of shape \(1, 3\)"):
            y.sum().backward()
        assert x.grad is None
        y = x * 2
        y.grad_fn.__class__ = type("MulBackward0", (type(y.grad_fn),), {"__slots__": (), "pull": _widened})
        with pytest.raises(ShapeError, match=r"a leaf of shape \(3,\) got a gradient of shape \(1, 3\)"):
            pg.autograd.grad(y.sum(), x)


def _widened(node: Any, xp: Any, g: Any, edges: Any, saved: Any) -> Any:
    return (xp.reshape(g, (1, 3)), None)


# -- what is left behind --------------------------------------------------------------------------------------------
REGISTER: dict[str, Callable[[pg.Tensor, pg.Tensor, Any], Any]] = {
    "tensor": lambda x, y, hook: y.register_hook(hook),
    "leaf": lambda x, y, hook: x.register_hook(hook),
    "post accumulate": lambda x, y, hook: x.register_post_accumulate_grad_hook(hook),
    "prehook": lambda x, y, hook: y.grad_fn.register_prehook(hook),
    "node": lambda x, y, hook: y.grad_fn.register_hook(hook),
}


@pytest.mark.parametrize("place", REGISTER)
def test_a_pass_that_fails_leaves_no_circle(place: str) -> None:
    def fail(*args: Any) -> None:
        raise ValueError("no")

    def work() -> None:
        x, b = (pg.tensor(np.ones(10), backend="numpy", requires_grad=True) for _ in range(2))
        for run in (lambda y: y.sum().backward(), lambda y: pg.autograd.grad(y.sum(), x)):
            y = pg.sin(x * b)
            handle = REGISTER[place](x, y, fail)
            with contextlib.suppress(ValueError, PolygradError):
                run(y)
            handle.remove()

    work()
    gc.collect()
    gc.disable()
    try:
        for _ in range(10):
            work()
        assert gc.collect() == 0
    finally:
        gc.enable()


FORKING = """
import os, threading, time
import numpy as np
import polygrad as pg

w = pg.tensor(np.arange(3.0), requires_grad=True)
(w * 3).sum().backward()  # what is imported and built on first use is there
stop = False

def busy():
    while not stop:
        (w * 3).sum().backward()

thread = threading.Thread(target=busy)
thread.start()
hung = 0
for _ in range(40):
    pid = os.fork()
    if pid == 0:
        try:
            v = pg.tensor(np.arange(3.0), requires_grad=True)
            (v * 2).sum().backward()
        finally:
            os._exit(0)
    end = time.monotonic() + 20
    while not os.waitpid(pid, os.WNOHANG)[0]:
        if time.monotonic() > end:
            hung += 1
            os.kill(pid, 9)
            os.waitpid(pid, 0)
            break
        time.sleep(0.005)
    if hung:
        break
stop = True
thread.join()
print("children that hang:", hung)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_process_forked_during_a_pass_can_run_one() -> None:
    environment = {**os.environ, "POLYGRAD_BACKEND": "numpy", "PYTHONWARNINGS": "ignore"}
    out = subprocess.run(
        [sys.executable, "-c", FORKING], capture_output=True, text=True, check=True, env=environment, timeout=300
    )
    assert out.stdout.strip() == "children that hang: 0"


def test_no_grad_on_an_async_generator(backend: str) -> None:
    x = pg.tensor(np.ones(2), backend=backend, requires_grad=True)

    @pg.no_grad()
    async def values() -> Any:
        sent = 0.0
        for i in range(3):
            await asyncio.sleep(0)
            sent = (yield x * (i + sent)) or 0.0

    async def consume() -> list[bool]:
        found = []
        generator = values()
        y = await generator.asend(None)
        found += [y.requires_grad, (y + x).requires_grad, pg.is_grad_enabled()]
        y = await generator.asend(2.0)
        found.append(y.tolist() == [3.0, 3.0])
        async for y in generator:
            found.append(y.requires_grad)
        return found

    assert asyncio.run(consume()) == [False, True, True, True, False]
