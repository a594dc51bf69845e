"""Grad mode and inference mode: nesting, decorators, generators, threads and tasks."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import Any

from .registry import Observer, scenario


@scenario
def no_grad_records_nothing(torch: Any, see: Observer) -> None:
    x = torch.ones(2, requires_grad=True)
    with torch.no_grad():
        y = x * 2.0
        see(torch.is_grad_enabled(), y.requires_grad, y.is_leaf, x.requires_grad)
    see(torch.is_grad_enabled(), (x * 2.0).requires_grad)


@scenario
def enable_grad_inside_no_grad(torch: Any, see: Observer) -> None:
    x = torch.ones(2, requires_grad=True)
    with torch.no_grad():
        with torch.enable_grad():
            see(torch.is_grad_enabled(), (x * 2.0).requires_grad)
        see(torch.is_grad_enabled())


@scenario
def set_grad_enabled_as_a_call(torch: Any, see: Observer) -> None:
    x = torch.ones(2, requires_grad=True)
    torch.set_grad_enabled(False)
    see(torch.is_grad_enabled(), (x * 2.0).requires_grad)
    torch.set_grad_enabled(True)
    see(torch.is_grad_enabled(), (x * 2.0).requires_grad)


@scenario
def set_grad_enabled_as_a_context(torch: Any, see: Observer) -> None:
    with torch.set_grad_enabled(False):
        see(torch.is_grad_enabled())
        with torch.set_grad_enabled(True):
            see(torch.is_grad_enabled())
        see(torch.is_grad_enabled())
    see(torch.is_grad_enabled())


@scenario
def modes_come_off_after_an_error(torch: Any, see: Observer) -> None:
    with contextlib.suppress(KeyError), torch.no_grad():
        raise KeyError
    see(torch.is_grad_enabled())


@scenario
def no_grad_as_a_decorator(torch: Any, see: Observer) -> None:
    x = torch.ones(2, requires_grad=True)

    def double(v: Any) -> Any:
        return v * 2.0

    first, second, third = torch.no_grad()(double), torch.no_grad(double), torch.set_grad_enabled(False)(double)
    see(torch.is_grad_enabled(), first.__name__)
    see(first(x).requires_grad, second(x).requires_grad, third(x).requires_grad, torch.is_grad_enabled())


@scenario
def a_decorated_generator(torch: Any, see: Observer) -> None:
    x = torch.ones(2, requires_grad=True)

    def generate() -> Any:
        for _ in range(2):
            yield (x * 2.0).requires_grad, torch.is_grad_enabled()

    for inside in torch.no_grad()(generate)():
        see(inside, torch.is_grad_enabled())


@scenario(differs="a mode can be entered while it is entered; torch forgets what was before")
def one_object_entered_twice(torch: Any, see: Observer) -> None:
    mode = torch.no_grad()
    with mode:
        with mode:
            see(torch.is_grad_enabled())
        see(torch.is_grad_enabled())
    see(torch.is_grad_enabled())


@scenario
def inference_mode_marks_tensors(torch: Any, see: Observer) -> None:
    x = torch.ones(2, requires_grad=True)
    with torch.inference_mode():
        y = x * 2.0
        z = torch.ones(2)
        see(
            torch.is_inference_mode_enabled(),
            torch.is_grad_enabled(),
            y.requires_grad,
            y.is_inference(),
            z.is_inference(),
        )
        see(x.is_inference(), x.requires_grad)
    see(torch.is_inference_mode_enabled(), y.is_inference(), (torch.ones(2) * 2.0).is_inference())


@scenario
def inference_mode_switched_off(torch: Any, see: Observer) -> None:
    x = torch.ones(2, requires_grad=True)
    with torch.inference_mode(False):
        see(torch.is_inference_mode_enabled(), (x * 2.0).requires_grad)
    with torch.inference_mode():
        with torch.inference_mode(False):
            see(torch.is_inference_mode_enabled(), torch.is_grad_enabled(), (x * 2.0).requires_grad)
        see(torch.is_inference_mode_enabled())


@scenario
def enable_grad_inside_inference_mode(torch: Any, see: Observer) -> None:
    x = torch.ones(2, requires_grad=True)
    with torch.inference_mode(), torch.enable_grad():
        see(torch.is_grad_enabled(), torch.is_inference_mode_enabled(), (x * 2.0).requires_grad)


@scenario
def inference_mode_as_a_decorator(torch: Any, see: Observer) -> None:
    x = torch.ones(2, requires_grad=True)

    def double(v: Any) -> Any:
        return v * 2.0

    first, second = torch.inference_mode()(double), torch.inference_mode(double)
    see(first(x).is_inference(), second(x).requires_grad, torch.is_inference_mode_enabled())


@scenario
def leaves_made_without_recording(torch: Any, see: Observer) -> None:
    with torch.no_grad():
        x = torch.ones(2, requires_grad=True)
        see(x.requires_grad, x.is_leaf)
    (x * 3.0).sum().backward()
    see(x.grad)


@scenario
def updating_a_leaf(torch: Any, see: Observer) -> None:
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    (w * w).sum().backward()
    with torch.no_grad():
        w -= 0.5 * w.grad
        w.grad.zero_()
    see(w, w.requires_grad, w.is_leaf, w.grad)


@scenario
def a_graph_survives_no_grad(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = (x * x).sum()
    with torch.no_grad():
        y.backward()
    see(x.grad)


@scenario
def grad_inside_no_grad(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = (x**3).sum()
    with torch.no_grad():
        (g,) = torch.autograd.grad(y, x, create_graph=True)
        see(g.requires_grad, torch.is_grad_enabled())


@scenario
def a_thread_starts_with_the_default(torch: Any, see: Observer) -> None:
    x = torch.ones(2, requires_grad=True)
    inside = []
    with torch.no_grad():
        thread = threading.Thread(target=lambda: inside.append((torch.is_grad_enabled(), (x * 2.0).requires_grad)))
        thread.start()
        thread.join()
    see(inside)


@scenario
def a_thread_keeps_its_mode_to_itself(torch: Any, see: Observer) -> None:
    def quiet() -> None:
        torch.set_grad_enabled(False)

    thread = threading.Thread(target=quiet)
    thread.start()
    thread.join()
    see(torch.is_grad_enabled())


@scenario(
    differs="modes are context variables: a task that waits inside no_grad does not switch recording off for the others"
)
def tasks_do_not_share_modes(torch: Any, see: Observer) -> None:
    async def inside(entered: asyncio.Event, leave: asyncio.Event) -> None:
        with torch.no_grad():
            entered.set()
            await leave.wait()

    async def main() -> None:
        entered, leave = asyncio.Event(), asyncio.Event()
        task = asyncio.ensure_future(inside(entered, leave))
        await entered.wait()
        see(torch.is_grad_enabled())
        leave.set()
        await task

    asyncio.run(main())
    see(torch.is_grad_enabled())


@scenario
def backward_in_many_threads(torch: Any, see: Observer) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)

    def work() -> None:
        for _ in range(50):
            (x * 2.0).sum().backward()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    see(x.grad)
