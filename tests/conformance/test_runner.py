"""Running cases: what is counted, in several processes, after an interruption, and what the ledger does."""

from __future__ import annotations

from pathlib import Path

import pytest

for _module in ("torch", "mpmath", "msgspec", "scipy"):
    pytest.importorskip(_module)

import polygrad  # noqa: E402
from polygrad_conformance.cases.case import CASES, load  # noqa: E402
from polygrad_conformance.checking.polygrad_side import Polygrad  # noqa: E402
from polygrad_conformance.checking.torch_side import Torch  # noqa: E402
from polygrad_conformance.running import runner  # noqa: E402
from polygrad_conformance.running.ledger import Ledger  # noqa: E402
from polygrad_conformance.running.runner import Options, run, run_op  # noqa: E402

load()
FEW = ("sin", "sum", "where")


def cell(result: object, check: str, dtype: str = "float64"):  # type: ignore[no-untyped-def]
    return next(cell for cell in result.cells if (cell.check, cell.dtype) == (check, dtype))  # type: ignore[attr-defined]


def test_a_run_counts_every_sample_of_every_check() -> None:
    found = run(Options(backend="numpy", ops=FEW))
    assert [op.op for op in found.ops] == sorted(FEW)
    assert found.ok
    assert found.totals()["passed"] > 200
    value = cell(found.ops[0], "value")
    assert value.total == len(found.ops[0].samples["float64"]) == sum(value.histogram.values())
    assert value.oracle == "torch"
    assert value.relative is not None
    assert value.relative <= 1e-15


def test_several_processes_find_the_same() -> None:
    alone, together = (run(Options(backend="numpy", ops=FEW, jobs=jobs)) for jobs in (1, 2))
    for one, other in zip(alone.ops, together.ops, strict=True):
        one.duration = other.duration = 0.0
        assert one == other


def test_selection() -> None:
    options = Options(backend="numpy", ops=("fft.*fft",), dtypes=("complex128",), checks=("value", "reverse"))
    found = run(options)
    assert {"fft.fft", "fft.irfft"} <= {op.op for op in found.ops}
    assert {(c.dtype, c.check) for op in found.ops for c in op.cells} == {
        ("complex128", "value"),
        ("complex128", "reverse"),
    }
    single = run(Options(backend="numpy", ops=("exp",), dtypes=("float32",)))
    assert cell(single.ops[0], "reverse", "float32").passed
    assert cell(single.ops[0], "numeric", "float32").not_run


def test_an_interrupted_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = Options(backend="numpy", ops=FEW)

    def stop(result: object, done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(options, tmp_path, stop)
    ran = []
    monkeypatch.setattr(runner, "work", lambda op, work=runner.work: ran.append(op) or work(op))
    seen = []
    found = run(options, tmp_path, lambda result, done, total: seen.append(result.op))
    assert ran == ["where"]
    assert sorted(seen) == sorted(FEW)
    assert len(found.ops) == 3
    assert not (tmp_path / ".journal").exists()


def test_a_journal_of_other_options_is_not_used(tmp_path: Path) -> None:
    one, other = Options(backend="numpy"), Options(backend="numpy", seed=1)
    assert one.fingerprint() != other.fingerprint()


def test_fail_fast_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner.Polygrad, "tangents", lambda *args: [])
    found = run(Options(backend="numpy", ops=FEW, fail_fast=True))
    assert len(found.ops) == 1
    assert not found.info.complete
    assert not found.ok


def test_what_the_backend_declares_unsupported_is_counted_so(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = polygrad.get_backend("numpy")
    monkeypatch.setattr(backend, "unsupported", {"sin": "it is too steep"})
    result = run_op(CASES["sin"], Options(backend="numpy"), Polygrad("numpy"), Torch(), Ledger([]))
    assert all(c.unsupported == c.total for c in result.cells)
    assert cell(result, "value").reasons[0].text == "it is too steep"


def test_the_ledger_turns_failures_into_known_ones_and_notices_when_they_are_gone() -> None:
    ledger = Ledger.read()
    result = run_op(CASES["linalg.cholesky_inverse"], Options(backend="numpy"), Polygrad("numpy"), Torch(), ledger)
    forward = cell(result, "forward")
    assert forward.known
    assert not forward.failed
    assert forward.status == "known"
    assert forward.failures[0].verdict == "polygrad is right"
    assert "wrong order" in forward.reasons[0].text
    assert not [entry for entry in ledger.stale() if "cholesky_inverse" in entry.op]

    fixed = Ledger([{"op": "sin", "check": "reverse", "reason": "it used to be wrong"}])
    run_op(CASES["sin"], Options(backend="numpy"), Polygrad("numpy"), Torch(), fixed)
    assert [entry.reason for entry in fixed.stale()] == ["it used to be wrong"]
    relaxed = Ledger([{"op": "sin", "check": "reverse", "reason": "now and then", "strict": False}])
    run_op(CASES["sin"], Options(backend="numpy"), Polygrad("numpy"), Torch(), relaxed)
    assert not relaxed.stale()


def test_an_entry_needs_a_reason() -> None:
    with pytest.raises(ValueError, match="has no reason"):
        Ledger([{"op": "sin", "reason": " "}])
    with pytest.raises(TypeError):
        Ledger([{"op": "sin", "reason": "x", "wrong": 1}])
