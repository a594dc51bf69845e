"""What is freed, and when. Reference counting alone has to do: no scenario runs the garbage collector, and none may need it."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .registry import Observer, scenario


@contextmanager
def _without_collector() -> Iterator[None]:
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@scenario
def a_dropped_result_is_freed(torch: Any, see: Observer) -> None:
    with _without_collector():
        x = torch.ones(2, requires_grad=True)
        y = x * 2.0
        ref = weakref.ref(y)
        del y
        see(ref() is None)


@scenario
def a_leaf_lives_as_long_as_its_graph(torch: Any, see: Observer) -> None:
    with _without_collector():
        x = torch.ones(2, requires_grad=True)
        y = (x * 2.0).sum()
        ref = weakref.ref(x)
        del x
        see(y.grad_fn.next_functions[0][0].next_functions[0][0].variable is ref())
        del y
        see(ref() is None)


@scenario
def intermediates_are_not_kept_by_their_graph(torch: Any, see: Observer) -> None:
    with _without_collector():
        x = torch.ones(2, requires_grad=True)
        h = x + 1.0
        ref = weakref.ref(h)
        y = (h + 2.0).sum()
        del h
        see(ref() is None)
        y.backward()
        see(x.grad)


@scenario
def a_node_outlives_its_result(torch: Any, see: Observer) -> None:
    with _without_collector():
        x = torch.ones(2, requires_grad=True)
        h = x * 2.0
        y = h.sum()
        h.grad_fn.metadata["token"] = "still there"
        del h
        see(y.grad_fn.next_functions[0][0].metadata)


@scenario
def a_chain_dies_with_its_end(torch: Any, see: Observer) -> None:
    with _without_collector():
        x = torch.ones(2, requires_grad=True)
        y = x
        refs = []
        for _ in range(200):
            y = (y * x).tanh()
            refs.append(weakref.ref(y))
        del y
        see(sum(ref() is not None for ref in refs))


@scenario
def a_result_that_is_saved_makes_no_cycle(torch: Any, see: Observer) -> None:
    with _without_collector():
        x = torch.ones(2, requires_grad=True)
        y = x.exp()  # its node needs its own output
        ref = weakref.ref(y)
        del y
        see(ref() is None)


@scenario
def grad_goes_with_its_leaf(torch: Any, see: Observer) -> None:
    with _without_collector():
        x = torch.ones(2, requires_grad=True)
        (x * 2.0).sum().backward()
        ref = weakref.ref(x.grad)
        see(ref() is x.grad)
        x.grad = None
        see(ref() is None)


@scenario
def retained_gradients_die_with_their_tensor(torch: Any, see: Observer) -> None:
    with _without_collector():
        x = torch.ones(2, requires_grad=True)
        h = x * 2.0
        h.retain_grad()
        h.sum().backward()
        ref = weakref.ref(h)
        see(h.grad)
        del h
        see(ref() is None)


@scenario
def a_hook_is_dropped_with_its_graph(torch: Any, see: Observer) -> None:
    class Listener:
        def __call__(self, grad: Any) -> None:
            return None

    with _without_collector():
        x = torch.ones(2, requires_grad=True)
        y = x * 2.0
        listener = Listener()
        ref = weakref.ref(listener)
        y.register_hook(listener)
        del listener
        see(ref() is None)
        del y
        see(ref() is None)


@scenario
def removing_a_hook_drops_it(torch: Any, see: Observer) -> None:
    class Listener:
        def __call__(self, grad: Any) -> None:
            return None

    with _without_collector():
        x = torch.ones(2, requires_grad=True)
        listener = Listener()
        ref = weakref.ref(listener)
        handle = x.register_hook(listener)
        del listener
        handle.remove()
        see(ref() is None)


@scenario
def a_detached_tensor_does_not_keep_the_graph(torch: Any, see: Observer) -> None:
    with _without_collector():
        x = torch.ones(2, requires_grad=True)
        y = x * x
        node = y.grad_fn
        node.metadata["token"] = token = type("Token", (), {})()
        ref = weakref.ref(token)
        z = (y * 1.0).detach()
        del token, node, y
        see(ref() is None, z)


@scenario
def a_second_gradient_does_not_leak(torch: Any, see: Observer) -> None:
    with _without_collector():
        x = torch.tensor([1.0, 2.0], requires_grad=True)
        y = (x**3).sum()
        (g,) = torch.autograd.grad(y, x, create_graph=True)
        refs = [weakref.ref(y), weakref.ref(g)]
        (h,) = torch.autograd.grad(g.sum(), x)
        del y, g
        see([ref() is None for ref in refs], h)


@scenario
def metadata_goes_with_the_node(torch: Any, see: Observer) -> None:
    with _without_collector():
        x = torch.ones(2, requires_grad=True)
        y = x * 2.0
        token = type("Token", (), {})()
        ref = weakref.ref(token)
        y.grad_fn.metadata["token"] = token
        del token
        see(ref() is None)
        del y
        see(ref() is None)
