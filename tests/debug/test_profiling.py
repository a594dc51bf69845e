"""``profile``: what is timed, what is charged to whom, and that nothing of it stays."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import polygrad as pg
from polygrad.core.graph import Node
from polygrad.debug import Row, profile


def rows(prof: Any) -> dict[str, Row]:
    return {row.op: row for row in prof.rows}


def work() -> Any:
    x = pg.ones((3, 3), requires_grad=True)
    y = (pg.exp(x) * 2.0 + x @ x)[0].sum()
    y.backward()
    return x.grad


class TestWhatIsTimed:
    def test_calls_forward_and_backward(self, backend: str) -> None:
        with profile() as prof:
            work()
            work()
        found = rows(prof)
        assert set(found) >= {"exp", "multiply", "add", "matmul", "getitem", "sum"}
        for name in ("exp", "multiply", "add", "matmul", "getitem", "sum"):
            assert (found[name].calls, found[name].backward_calls) == (2, 2), name
            assert found[name].forward > 0.0
            assert found[name].backward > 0.0
        assert sum(row.share for row in found.values()) == pytest.approx(1.0)

    def test_the_results_are_the_same(self, backend: str) -> None:
        plain = work()
        with profile():
            profiled = work()
        assert profiled.tolist() == plain.tolist()

    def test_a_graph_from_before(self, backend: str) -> None:
        y = pg.ones(3, requires_grad=True).exp().sum()
        with profile() as prof:
            y.backward()
        assert {op: (row.calls, row.backward_calls) for op, row in rows(prof).items()} == {"exp": (0, 1), "sum": (0, 1)}

    def test_functions_that_are_made_inside(self, backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
        op = pg.rules.declare.OPS["asinh"]
        monkeypatch.setattr(op, "_call", None)
        with profile() as prof:
            op.call(pg.ones(3, requires_grad=True)).sum().backward()
        row = rows(prof)["asinh"]
        assert (row.calls, row.backward_calls) == (1, 1)

    def test_functions_that_were_imported_before(self, backend: str) -> None:
        from polygrad import exp

        with profile() as prof:
            exp(pg.ones(3))
        assert rows(prof)["exp"].calls == 1

    def test_user_defined_functions(self, backend: str) -> None:
        class Slow(pg.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return x * 2.0

            @staticmethod
            def backward(ctx, g):
                time.sleep(0.02)
                return g * 2.0

        x = pg.ones(3, requires_grad=True)
        with profile() as prof:
            Slow.apply(x).sum().backward()
        (row,) = [row for row in prof.rows if "Slow" in row.op]
        assert row.backward >= 0.02

    def test_an_operation_made_of_others_is_charged_what_is_its_own(self, backend: str) -> None:
        with profile() as prof:
            pg.unbind(pg.ones((2, 2)))
        found = {(event.op, event.kind): event for event in prof.events}
        outer = found["unbind", "forward"]
        inner = [event for event in prof.events if event.op == "getitem"]
        assert len(inner) == 2
        assert outer.own == pytest.approx(outer.duration - sum(event.duration for event in inner))

    def test_with_create_graph_a_derivative_includes_what_it_records(self, backend: str) -> None:
        x = pg.ones(3, requires_grad=True)
        y = (x.exp() * x).sum()
        with profile() as prof:
            pg.autograd.grad(y, x, create_graph=True)
        assert {event.kind for event in prof.events if event.op in ("exp", "multiply")} == {"backward"}

    def test_errors_come_through(self, backend: str) -> None:
        with profile() as prof:
            with pytest.raises(pg.errors.ShapeError):
                pg.add(pg.ones(2), pg.ones(3))
            pg.ones(2) + 1.0
        assert rows(prof)["add"].calls == 2

    def test_threads(self, backend: str) -> None:
        with profile() as prof:
            threads = [threading.Thread(target=lambda: pg.exp(pg.ones(3))) for _ in range(3)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert rows(prof)["exp"].calls == 3

    def test_nested_profiles(self, backend: str) -> None:
        x = pg.ones(3)
        with profile() as outer:
            pg.exp(x)
            with profile() as inner:
                pg.exp(x)
            pg.exp(x)
        assert (rows(outer)["exp"].calls, rows(inner)["exp"].calls) == (3, 1)


class TestNothingStays:
    def test_the_code_is_put_back(self, backend: str) -> None:
        work()
        functions = [pg.exp, pg.matmul, pg.Tensor.__mul__, pg.concat, pg.unbind, pg.std]
        before = [(f.__code__, f.__defaults__, f.__kwdefaults__) for f in functions]
        pulls = {kind: vars(kind).get("pull") for kind in _kinds(Node)}
        naming = vars(Node)["__init_subclass__"]
        with contextlib.suppress(KeyError), profile():
            assert pg.exp.__code__ is not before[0][0]
            raise KeyError
        assert [(f.__code__, f.__defaults__, f.__kwdefaults__) for f in functions] == before
        assert {kind: vars(kind).get("pull") for kind in pulls} == pulls
        assert vars(Node)["__init_subclass__"] is naming

    def test_what_was_made_inside_is_put_back_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        op = pg.rules.declare.OPS["atanh"]
        monkeypatch.setattr(op, "_call", None)
        with profile() as prof:
            op.call(pg.tensor([0.25], requires_grad=True)).sum().backward()
            count = len(prof.events)
        op.call(pg.tensor([0.25], requires_grad=True)).sum().backward()
        assert len(prof.events) == count > 0
        assert op.call.__code__.co_name != "_template"

    def test_an_operator_that_is_made_inside(self) -> None:
        op = pg.rules.declare.OPS["multiply"]
        with profile():
            operator = pg.core.functions.as_operator(op)
            assert operator(pg.ones(2), Foreign()) is NotImplemented
        assert operator.__code__ is op.call.__code__
        assert operator(pg.ones(2), Foreign()) is NotImplemented


class Foreign:
    """Of a class that is no array library's."""


def _kinds(kind: type) -> list[type]:
    return [kind, *[deeper for one in kind.__subclasses__() for deeper in _kinds(one)]]


class TestReports:
    def test_the_table(self, backend: str) -> None:
        with profile() as prof:
            work()
        lines = str(prof).splitlines()
        assert lines[0].split() == [
            "operation",
            "calls",
            "forward",
            "ms",
            "backward",
            "calls",
            "backward",
            "ms",
            "share",
        ]
        assert len(lines) == 3 + len(prof.rows)
        assert {line.split()[0] for line in lines[2:-1]} == set(rows(prof))
        assert lines[-1].endswith("ms in all")
        shares = [float(line.split()[-1].rstrip("%")) for line in lines[2:-1]]
        assert shares == sorted(shares, reverse=True)

    def test_an_empty_profile(self) -> None:
        with profile() as prof:
            pass
        assert prof.rows == []
        assert "0.000 ms in operations" in str(prof)

    def test_the_chrome_trace_is_one(self, backend: str, tmp_path: Path) -> None:
        with profile() as prof:
            work()
            pg.unbind(pg.ones((2, 2)))
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
        path = tmp_path / "trace.json"
        prof.export_chrome_trace(path)
        trace = json.loads(path.read_text())
        check_trace(trace)
        complete = [event for event in trace["traceEvents"] if event["ph"] == "X"]
        assert len(complete) == len(prof.events)
        assert {event["cat"] for event in complete} == {"forward", "backward"}
        assert len({event["tid"] for event in complete}) == 2
        assert any(event["name"] == "exp" and event["args"]["shapes"] == [[3, 3]] for event in complete)


def check_trace(trace: Any) -> None:
    """What the trace event format asks for: the fields of each phase, and events of a thread that nest."""
    assert isinstance(trace, dict)
    assert trace["displayTimeUnit"] in ("ms", "ns")
    by_thread: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for event in trace["traceEvents"]:
        assert isinstance(event["name"], str)
        assert isinstance(event["pid"], int)
        assert isinstance(event["tid"], int)
        assert event["ph"] in ("X", "M")
        if event["ph"] == "M":
            assert event["name"] in ("process_name", "thread_name")
            assert isinstance(event["args"]["name"], str)
            continue
        assert isinstance(event["cat"], str)
        assert event["ts"] >= 0.0
        assert event["dur"] >= 0.0
        assert isinstance(event["args"], dict)
        by_thread.setdefault((event["pid"], event["tid"]), []).append((event["ts"], event["ts"] + event["dur"]))
    for spans in by_thread.values():
        open_until: list[float] = []
        for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
            while open_until and open_until[-1] <= start:
                open_until.pop()
            assert not open_until or end <= open_until[-1] + 1e-3, "an event of a thread ends after the one around it"
            open_until.append(end)


def test_nodes_first_made_during_or_after_a_profile_have_the_names_of_what_they_save() -> None:
    from polygrad.core.record import node_class
    from polygrad.rules.declare import OPS

    with pg.debug.profile():
        during = node_class(OPS["exp"], "DuringAProfile")
    after = node_class(OPS["exp"], "AfterAProfile")
    assert hasattr(during, "_saved_result")
    assert hasattr(after, "_saved_result")
