"""The data model of a run: it survives JSON, is compact and stable, and says what failed."""

from __future__ import annotations

import json

import pytest

msgspec = pytest.importorskip("msgspec")

from polygrad_conformance.report import schema  # noqa: E402
from polygrad_conformance.report.schema import Cell, Failure, OpResult, Programs, Reason, Run, ScenarioResult  # noqa: E402


def example() -> Run:
    cell = Cell(
        dtype="float64",
        check="reverse",
        passed=2,
        known=1,
        relative=1e-15,
        tolerance=1e-12,
        reasons=[Reason(status="known", text="torch is wrong", link="https://example.org")],
        failures=[Failure(sample="x", message="differs", status="known")],
        histogram={"-16": 2, "0": 1},
    )
    return Run(
        info=schema.RunInfo(backend=schema.BackendInfo(name="numpy", version="2"), polygrad="0.1.0"),
        ops=[OpResult(op="sin", family="elementwise", form="elementwise", cells=[cell])],
        scenarios=[ScenarioResult(name="hooks", group="hooks", status="passed")],
        programs=Programs(generated=3, passed=3),
    )


def test_a_run_survives_json() -> None:
    run = example()
    assert Run.from_json(run.to_json()) == run


def test_defaults_are_left_out_and_the_schema_comes_first() -> None:
    document = json.loads(example().to_json())
    assert next(iter(document)) == "schema"
    assert "failed" not in document["ops"][0]["cells"][0]


def test_unknown_fields_are_ignored_and_newer_schemas_refused() -> None:
    document = json.loads(example().to_json()) | {"new": 1}
    assert Run.from_json(json.dumps(document)) == example()
    document["schema"] = schema.SCHEMA + 1
    with pytest.raises(msgspec.ValidationError, match="this version reads up to"):
        Run.from_json(json.dumps(document))


def test_what_makes_a_run_fail() -> None:
    assert example().ok
    failing = [example() for _ in range(4)]
    failing[0].ops[0].cells[0].failed = 1
    failing[1].scenarios[0].status = "failed"
    failing[2].programs.failed = 1
    failing[3].stale.append(schema.StaleEntry(backend="*", op="sin", dtype="*", check="reverse", reason="fixed"))
    assert not any(run.ok for run in failing)


@pytest.mark.parametrize(
    ("counts", "status"),
    [
        ({}, "not_run"),
        ({"not_run": 3}, "not_run"),
        ({"passed": 1, "not_run": 3}, "passed"),
        ({"passed": 1, "unsupported": 1}, "unsupported"),
        ({"passed": 1, "known": 1, "unsupported": 1}, "known"),
        ({"passed": 1, "failed": 1, "known": 1}, "failed"),
    ],
)
def test_the_word_for_a_cell(counts: dict[str, int], status: str) -> None:
    cell = Cell(dtype="float64", check="value", **counts)
    assert cell.status == status
    assert cell.total == sum(counts.values())
