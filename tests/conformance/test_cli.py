"""The command: what it selects, prints, writes and exits with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

for _module in ("torch", "mpmath", "msgspec", "scipy", "typer"):
    pytest.importorskip(_module)

from typer.testing import CliRunner  # noqa: E402

from polygrad.cli import build_app  # noqa: E402
from polygrad_conformance.report.schema import Run  # noqa: E402
from support.planted_defects import plant  # noqa: E402


def command(*arguments: str) -> Any:
    return CliRunner().invoke(build_app(), ["conformance", *arguments], env={"COLUMNS": "160"})


def test_a_run_that_passes_exits_with_0_and_writes_reports(tmp_path: Path) -> None:
    result = command(
        "--op", "sin", "--op", "logical_*", "--output", str(tmp_path), "--format", "json,junit,html,markdown"
    )
    assert result.exit_code == 0, result.output
    assert "reverse_over_reverse" in result.output
    run = Run.read(tmp_path / "numpy.json")
    assert [op.op for op in run.ops] == ["logical_and", "logical_not", "logical_or", "logical_xor", "sin"]
    assert run.info.complete
    assert run.info.oracles["torch"]
    tests = ET.parse(tmp_path / "numpy.xml").getroot()
    assert int(tests.get("tests", 0)) == sum(len(op.cells) for op in run.ops)
    assert tests.get("failures") == "0"
    assert "<html" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "numpy" in (tmp_path / "report.md").read_text(encoding="utf-8")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["numpy.json", "numpy.xml", "report.html", "report.md"]


def test_a_defect_makes_it_exit_with_1_and_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, "sin", 0, lambda xp, x: -xp.cos(x))
    result = command("--op", "sin", "--output", str(tmp_path), "--format", "json,junit")
    assert result.exit_code == 1
    assert "sin float64 reverse:" in result.output
    run = Run.read(tmp_path / "numpy.json")
    (failure, *_) = next(cell for cell in run.ops[0].cells if cell.check == "reverse").failures
    assert failure.verdict == "the reference is right"
    assert "import polygrad" in failure.polygrad
    assert "torch.sin" in failure.reference
    failures = ET.parse(tmp_path / "numpy.xml").getroot().findall(".//failure")
    assert any("samples failed" in failure.get("message", "") for failure in failures)
    old = tmp_path / "old.json"
    document = json.loads((tmp_path / "numpy.json").read_text())
    for cell in document["ops"][0]["cells"]:
        cell["passed"] = cell.get("passed", 0) + cell.pop("failed", 0)
        cell.pop("failures", None)
    old.write_text(json.dumps(document))
    difference = command("diff", str(old), str(tmp_path / "numpy.json"))
    assert difference.exit_code == 1
    assert "regression: sin float64 reverse" in difference.output
    assert command("diff", str(old), str(old)).exit_code == 0


def test_listing_runs_nothing() -> None:
    result = command("--op", "linalg.ei*", "--list")
    assert result.exit_code == 0
    assert "linalg.eigh" in result.output
    assert "torch.linalg.eigh(x)" in result.output
    assert "4 cases" in result.output


def test_scenarios_alone() -> None:
    result = command("--check", "scenarios")
    assert result.exit_code == 0, result.output
    assert "scenarios" in result.output
    assert "0 ops" in result.output


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--op", "no_such"), "no case is called no_such"),
        (("--check", "speed"), "there is no check speed; there are value, reverse"),
        (("--dtype", "float65"), "no case has the dtype float65"),
        (("--format", "pdf"), "there is no format pdf; there are html, json, markdown, junit"),
        (("--backend", "no_such_library"), "no_such_library"),
    ],
)
def test_wrong_usage_exits_with_2_and_says_what_there_is(arguments: tuple[str, ...], text: str) -> None:
    result = command(*arguments)
    assert result.exit_code == 2
    assert text in result.output.replace("\n", " ")


def test_other_reports_are_made_of_documents(tmp_path: Path) -> None:
    assert command("--op", "sin", "--output", str(tmp_path)).exit_code == 0
    result = command(
        "report", str(tmp_path / "numpy.json"), "--output", str(tmp_path / "again"), "--format", "markdown,junit"
    )
    assert result.exit_code == 0, result.output
    assert {path.name for path in (tmp_path / "again").iterdir()} == {"report.md", "numpy.xml"}
