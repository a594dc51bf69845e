"""Grad mode, inference mode and their kin, and the open levels: one immutable ``State`` in one context variable.

A context variable makes the modes right under threads and asyncio alike. On the hot path one attribute is looked at:
a ``plain`` state records everything, and nobody watches.

Each functional transform opens a *level*, a number above those that are open. Grad mode is kept per level, so a ``no_grad``
around ``func.grad(f)`` does not switch the transform off, while a ``no_grad`` inside ``f`` does what it says, for the
transforms around that one as well (torch.func's rule).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


class State:
    """The modes in force.

    ``grad[k]`` is the grad mode of level k: True; False, which is about the levels below as well; None, which is about that level
    alone. ``recording[k]`` is what follows: whether level k records. A level beyond the tuple, that of a batch, records if the last
    one does. ``observers`` are called with each node that is recorded. ``anomaly`` is None, or, in anomaly mode, whether gradients
    are searched for nan. ``detaching`` lets values leave the graph.

    ``level`` is the innermost open level, ``batch`` the innermost one that is a batch (0: none). ``draw`` draws random numbers in
    the place of the backend: a transform that maps over a batch decides for how many examples.
    """

    FIELDS = ("absorbing", "anomaly", "batch", "detaching", "draw", "grad", "inference", "level", "observers")
    __slots__ = (*FIELDS, "_near", "plain", "recording")

    def __init__(
        self,
        grad: tuple[bool | None, ...] = (True,),
        inference: bool = False,
        absorbing: bool = False,
        observers: tuple[Callable[[Any], None], ...] = (),
        anomaly: bool | None = None,
        detaching: bool = False,
        level: int = 0,
        batch: int = 0,
        draw: Callable[..., Any] | None = None,
    ) -> None:
        self.grad = grad
        self.recording = tuple(
            [not inference and bool(mode) and False not in grad[level:] for level, mode in enumerate(grad)]
        )
        self.inference = inference
        self.absorbing = absorbing
        self.observers = observers
        self.anomaly = anomaly
        self.detaching = detaching
        self.level = level
        self.batch = batch
        self.draw = draw
        self.plain = all(self.recording) and not observers
        self._near: dict[Any, State] = {}

    def replace(self, **fields: Any) -> State:
        """This state with some fields changed; the two common states are singletons."""
        values = {name: getattr(self, name) for name in self.FIELDS} | fields
        others = [
            values[name] for name in ("absorbing", "batch", "detaching", "draw", "inference", "level", "observers")
        ]
        if not any(others) and values["anomaly"] is None:
            if values["grad"] == (True,):
                return DEFAULT
            if values["grad"] == (False,):
                return NO_GRAD
        return State(**values)

    def records(self, level: int) -> bool:
        """Return whether operations of that level are recorded."""
        return self.recording[level if level < len(self.recording) else -1]

    def with_grad(self, enabled: bool) -> State:
        """This state with grad mode of the current level set."""
        return self.replace(grad=(*self.grad[:-1], enabled))

    def inside(self, records: bool = True, room: int = 0) -> State:
        """Return the state inside a transform that opens a level, with ``room`` for so many levels below it.

        A level that ``records`` does so whatever the levels below do. A batch does not: it has no mode of its own, so ``no_grad``
        inside it is about the level below. States are cached, since the same few levels are opened again and again.
        """
        found = self._near.get((records, room))
        if found is None:
            level = self.level + 1 + room
            if records:
                below = self.grad + (True,) * (level - len(self.grad))
                found = self.replace(grad=(*below[:level], True), inference=False, level=level)
            else:
                found = self.replace(level=level, batch=level)
            self._near[records, room] = found
        return found

    def below_level(self, level: int) -> State:
        """Return the state in which what a transform of that level has recorded is differentiated: the modes outside of it."""
        found = self._near.get(level)
        if found is None:
            found = self._near[level] = self.replace(grad=self.grad[:level] or (True,), inference=False)
        return found

    def at_bottom(self) -> State:
        """Return the state without levels, with the grad mode of the innermost."""
        return self.replace(grad=self.grad[-1:], level=0, batch=0, draw=None)


DEFAULT = State()
NO_GRAD = State(grad=(False,))


MODE: ContextVar[State] = ContextVar("polygrad_mode", default=DEFAULT)
current = MODE.get
"""The state in force: ``current()``."""


_outer: ContextVar[tuple[State, ...]] = ContextVar("polygrad_outer_modes", default=())
"""The states that the open ``with`` blocks go back to. They are not kept in the mode object, which threads and tasks may share."""


class Mode:
    """A mode as context manager (re-entrant), decorator of functions, generators and classes' methods."""

    def _state(self) -> State:
        raise NotImplementedError

    def __enter__(self) -> None:
        state = self._state()
        _outer.set((*_outer.get(), current()))
        MODE.set(state)

    def __exit__(self, *exc_info: object) -> None:
        *outer, previous = _outer.get()
        _outer.set(tuple(outer))
        MODE.set(previous)

    def _fresh(self) -> Mode:
        return type(self)()

    def __call__(self, function: F) -> F:
        import inspect

        if inspect.isgeneratorfunction(function):

            @functools.wraps(function)
            def generator(*args: Any, **kwargs: Any) -> Any:
                # The mode holds while the generator runs, not while its consumer does.
                iterator = function(*args, **kwargs)
                value, error = None, None
                while True:
                    with self._fresh():
                        try:
                            item = iterator.send(value) if error is None else iterator.throw(error)
                        except StopIteration as stop:
                            return stop.value
                    value, error = None, None
                    try:
                        value = yield item
                    except GeneratorExit:
                        iterator.close()
                        raise
                    except BaseException as raised:
                        error = raised

            return generator  # type: ignore[return-value]

        if inspect.isasyncgenfunction(function):

            @functools.wraps(function)
            async def async_generator(*args: Any, **kwargs: Any) -> Any:
                # The mode holds while a step of the generator runs, not while its consumer does.
                iterator = function(*args, **kwargs)
                value, error = None, None
                while True:
                    with self._fresh():
                        try:
                            item = await (iterator.asend(value) if error is None else iterator.athrow(error))
                        except StopAsyncIteration:
                            return
                    value, error = None, None
                    try:
                        value = yield item
                    except GeneratorExit:
                        await iterator.aclose()
                        raise
                    except BaseException as raised:
                        error = raised

            return async_generator  # type: ignore[return-value]

        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def coroutine(*args: Any, **kwargs: Any) -> Any:
                with self._fresh():
                    return await function(*args, **kwargs)

            return coroutine  # type: ignore[return-value]

        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with self._fresh():
                return function(*args, **kwargs)

        return wrapper  # type: ignore[return-value]


class _Plain(Mode):
    """A mode without arguments; ``@no_grad`` decorates as ``@no_grad()`` does."""

    def __new__(cls, function: Any = None) -> Any:
        self = super().__new__(cls)
        return self if function is None else self(function)

    def __init__(self, function: Any = None) -> None:
        pass


class no_grad(_Plain):
    """Operations inside are not recorded. Context manager or decorator."""

    def _state(self) -> State:
        return current().with_grad(False)


class enable_grad(_Plain):
    """Operations inside are recorded, also within ``no_grad``. Context manager or decorator."""

    def _state(self) -> State:
        return current().with_grad(True)


class Immediate(Mode):
    """A mode that takes effect when it is called: ``with`` adds that it ends with the block."""

    previous: State

    def _enter(self) -> None:
        self.previous = current()
        MODE.set(self._state())

    def __enter__(self) -> None:
        pass  # the constructor has set the mode already, as in torch

    def __exit__(self, *exc_info: object) -> None:
        MODE.set(self.previous)

    def __call__(self, function: F) -> F:
        MODE.set(self.previous)  # a decorator changes nothing until the function runs
        return super().__call__(function)


class set_grad_enabled(Immediate):
    """Switch recording on or off: a plain call takes effect at once; also a context manager and a decorator."""

    def __init__(self, mode: bool) -> None:
        self.mode = bool(mode)
        self._enter()

    def _state(self) -> State:
        return current().with_grad(self.mode)

    def _fresh(self) -> Mode:
        return type(self)(self.mode)


class inference_mode(Mode):
    """Like ``no_grad``; the Tensors made inside answer True to ``is_inference()``.

    Saved values are snapshots here, so such Tensors may be used freely outside, where torch has to forbid it.
    """

    def __new__(cls, mode: Any = True) -> Any:
        self = super().__new__(cls)
        if callable(mode):
            self.mode = True
            return self(mode)
        return self

    def __init__(self, mode: bool = True) -> None:
        self.mode = bool(mode)

    def _fresh(self) -> Mode:
        return type(self)(self.mode)

    def _state(self) -> State:
        now = current()
        if self.mode:
            return now.replace(grad=(*now.grad[:-1], False), inference=True)
        return now.replace(grad=(*now.grad[:-1], True), inference=False) if now.inference else now


class zero_absorbing(_Plain):
    """In a backward pass inside, a zero cotangent stays zero whatever the partial derivative is, infinite or nan included.

    So ``where(x > 0, sqrt(x), 0)`` has the gradient 0 at 0, where 0 times infinity would be nan. Context manager or decorator. It
    costs one ``where`` for each elementwise operation of the pass.
    """

    def _state(self) -> State:
        return current().replace(absorbing=True)


class allow_detach(_Plain):
    """Library code inside may take the values of tracked Tensors out of the graph, as ``np.asarray(x)`` does: they count as constants.

    It is for results of which a part is computed by compiled code, such as a test statistic with its p-value: the statistic keeps its
    gradient. Context manager or decorator; ``polygrad.interop.allow_detach``.
    """

    def _state(self) -> State:
        return current().replace(detaching=True)


def is_grad_enabled() -> bool:
    """Return whether operations are being recorded now (at the current level)."""
    return bool(current().grad[-1])


def is_inference_mode_enabled() -> bool:
    """Return whether inference mode is on."""
    return current().inference


def is_anomaly_enabled() -> bool:
    """Return whether anomaly mode is on."""
    return current().anomaly is not None


def is_anomaly_check_nan_enabled() -> bool:
    """Return whether anomaly mode, where it is on, searches gradients for nan."""
    return current().anomaly is not False
