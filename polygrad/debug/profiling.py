"""Time each operation, forward and backward.

Nothing is timed while nobody profiles. When a profile starts, the code of the public function of each operation is replaced by
code that times it, and so is the method that each class of nodes runs in a backward pass. When the last profile ends, both are put back.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FunctionType
from typing import Any

from ..backend.base import Backend
from ..core.functions import MADE, MAKING
from ..core.graph import Node, OutputNode
from ..core.tensor import Tensor
from ..engine.anomaly import arrays_in
from ..rules.declare import Op
from .tables import format_duration, format_table

FORWARD, BACKWARD = "forward", "backward"


@dataclass(frozen=True)
class Event:
    """One run of an operation, or of its derivative. Times are in seconds; ``own`` is without the operations inside."""

    op: str
    kind: str
    start: float
    duration: float
    own: float
    thread: int
    shapes: tuple[tuple[int, ...], ...]


@dataclass
class Row:
    """Summary of one operation. Times are in seconds, without those of the operations that it is made of."""

    op: str
    calls: int = 0
    forward: float = 0.0
    backward_calls: int = 0
    backward: float = 0.0
    share: float = 0.0
    """The fraction of the time in all operations, forward and backward."""


@dataclass
class Profile:
    """Result of ``profile``: a list of events, which prints as a table by operation."""

    events: list[Event] = field(default_factory=list)
    began: float = 0.0
    elapsed: float = 0.0
    """From the start to the end of the block, in seconds."""

    @property
    def rows(self) -> list[Row]:
        """One row for each operation, the most expensive first."""
        rows: dict[str, Row] = {}
        for event in list(self.events):
            row = rows.setdefault(event.op, Row(event.op))
            if event.kind == FORWARD:
                row.calls += 1
                row.forward += event.own
            else:
                row.backward_calls += 1
                row.backward += event.own
        total = sum(row.forward + row.backward for row in rows.values())
        for row in rows.values():
            row.share = (row.forward + row.backward) / total if total else 0.0
        return sorted(rows.values(), key=lambda row: row.forward + row.backward, reverse=True)

    def __str__(self) -> str:
        rows = [
            [
                row.op,
                str(row.calls),
                format_duration(row.forward),
                str(row.backward_calls),
                format_duration(row.backward),
                f"{row.share:.1%}",
            ]
            for row in self.rows
        ]
        titles = ["operation", "calls", "forward ms", "backward calls", "backward ms", "share"]
        inside = sum(event.own for event in self.events)
        times = f"{format_duration(inside)} ms in operations, {format_duration(self.elapsed)} ms in all"
        return f"{format_table(titles, rows, right=range(1, 6))}\n{times}"

    def chrome_trace(self) -> dict[str, Any]:
        """Return the events in Chrome's trace format: an object with ``traceEvents``, times in microseconds."""
        pid = os.getpid()
        threads = {ident: i for i, ident in enumerate(dict.fromkeys(event.thread for event in self.events))}
        named = [{"name": "process_name", "ph": "M", "pid": pid, "tid": 0, "args": {"name": "polygrad"}}]
        events = [
            {
                "name": event.op,
                "cat": event.kind,
                "ph": "X",
                "ts": (event.start - self.began) * 1e6,
                "dur": event.duration * 1e6,
                "pid": pid,
                "tid": threads[event.thread],
                "args": {"shapes": [list(shape) for shape in event.shapes]},
            }
            for event in sorted(self.events, key=lambda event: event.start)
        ]
        return {"traceEvents": [*named, *events], "displayTimeUnit": "ms"}

    def export_chrome_trace(self, path: str | os.PathLike[str]) -> None:
        """Write the events to a file that chrome://tracing and https://ui.perfetto.dev show."""
        Path(path).write_text(json.dumps(self.chrome_trace()))


@contextmanager
def profile() -> Iterator[Profile]:
    """Time each operation inside, forward and backward, in all threads.

    After each operation its arrays are waited for. So a library that computes in the background (JAX, a GPU) is charged at the right
    place, and is slower than without the profile. dask computes on demand: the times are those of building the task graph. Under
    ``jax.jit`` they are those of tracing. An operation that is made of others is listed with its own work between them. With
    ``create_graph`` the time of a derivative includes what it records.

    Yields
    ------
    Profile
        The events, which arrive while the block runs.

    Examples
    --------
    >>> with polygrad.debug.profile() as prof:
    ...     loss = model(x)
    ...     loss.backward()
    >>> print(prof)
    >>> prof.export_chrome_trace("trace.json")
    """
    result = Profile()
    with _switch:
        _profiles.append(result)
        if len(_profiles) == 1:
            _install()
    result.began = time.perf_counter()
    try:
        yield result
    finally:
        result.elapsed = time.perf_counter() - result.began
        with _switch:
            # Compared by identity, since two profiles without events are equal.
            _profiles[:] = [other for other in _profiles if other is not result]
            if not _profiles:
                _uninstall()


# -- timing -------------------------------------------------------------------------------------------------------
_profiles: list[Profile] = []
_switch = threading.RLock()
_undo: list[Callable[[], None]] = []


class _Running(threading.local):
    """Operations that are running in this thread, outermost first: for each the time taken by those inside it."""

    def __init__(self) -> None:
        self.inner: list[float] = []
        self.in_derivative = False


_running = _Running()


def _time(op: str, kind: str, call: Callable[[], Any], outputs: Callable[[Any], list[tuple[Backend, Any]]]) -> Any:
    if _running.in_derivative:  # the time belongs to the derivative that is being timed
        return call()
    inner = _running.inner
    inner.append(0.0)
    _running.in_derivative = kind == BACKWARD
    shapes: tuple[tuple[int, ...], ...] = ()
    start = time.perf_counter()
    try:
        result = call()
        found = outputs(result)
        for backend, array in found:
            backend.synchronize(array)
        shapes = tuple([tuple(array.shape) for _, array in found])
        return result
    finally:
        took = time.perf_counter() - start
        _running.in_derivative = False
        own = took - inner.pop()
        if inner:
            inner[-1] += took
        event = Event(op, kind, start, took, own, threading.get_ident(), shapes)
        for active in _profiles:
            active.events.append(event)


def _results(result: Any) -> list[tuple[Backend, Any]]:
    """Return the arrays of an operation's result that can be waited for."""
    parts = result if isinstance(result, tuple) else (result,)
    return [pair for part in parts if isinstance(part, Tensor) for pair in _present(part._frame.backend, part)]


def _present(backend: Backend, part: Any) -> list[tuple[Backend, Any]]:
    return [(backend, array) for array in arrays_in(part) if backend.concrete(array)]


# -- replacing code, and putting it back -----------------------------------------------------------------------------
def _install() -> None:
    MAKING.append(_instrument)
    _undo.append(lambda: MAKING.remove(_instrument))
    for op, function in MADE:
        _instrument(op, function)
    for kind in _kinds(Node):
        _instrument_node(kind)
    made = Node.__dict__["__init_subclass__"]

    def making(cls: type[Node], /, **options: Any) -> None:
        made.__func__(cls, **options)
        _instrument_node(cls)

    Node.__init_subclass__ = classmethod(making)  # type: ignore[assignment]
    _undo.append(lambda: setattr(Node, "__init_subclass__", made))


def _uninstall() -> None:
    while _undo:
        _undo.pop()()


def _instrument(op: Op, function: Any) -> None:
    """Have a function of an operation timed wherever it is referred to: the object stays, its code changes."""
    scope = function.__globals__
    code, defaults, keywords = function.__code__, function.__defaults__, function.__kwdefaults__
    original = FunctionType(code, scope, function.__name__, defaults)
    original.__kwdefaults__ = keywords
    scope["ORIGINAL"] = original
    scope["TIMED"] = lambda args, options: _time(op.name, FORWARD, lambda: original(*args, **options), _results)
    function.__defaults__, function.__kwdefaults__ = None, None
    function.__code__ = _template.__code__

    def restore() -> None:
        # TIMED stays for another thread that is just about to look for it
        del scope["ORIGINAL"]
        function.__code__ = code
        function.__defaults__, function.__kwdefaults__ = defaults, keywords

    _undo.append(restore)


def _template(*args: Any, **options: Any) -> Any:
    return TIMED(args, options)  # type: ignore[name-defined]  # noqa: F821 - from the function that has this code


def _kinds(kind: type[Node]) -> list[type[Node]]:
    return [kind, *[deeper for one in kind.__subclasses__() for deeper in _kinds(one)]]


def _instrument_node(kind: type[Node]) -> None:
    """Time the derivative that a class of nodes defines."""
    if kind is Node or issubclass(kind, OutputNode):
        return
    for name in ("pull", "pull_absorbing"):
        pull = vars(kind).get(name)
        if pull is None:
            continue

        def timed(node: Any, xp: Any, g: Any, edges: Any, saved: Any, pull: Any = pull) -> Any:
            op = getattr(node, "op", None)
            return _time(
                node.name() if op is None else op.name,
                BACKWARD,
                lambda: pull(node, xp, g, edges, saved),
                lambda parts: [pair for part in parts for pair in _present(node.frame.backend, part)],
            )

        setattr(kind, name, timed)
        _undo.append(lambda name=name, pull=pull: setattr(kind, name, pull))  # type: ignore[misc]
