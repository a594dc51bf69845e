"""Two made-up runs with one of everything that a report has to show."""

from __future__ import annotations

from polygrad_conformance.report.schema import (
    BackendInfo,
    Cell,
    Failure,
    OpResult,
    ProgramFailure,
    Programs,
    Reason,
    Run,
    RunInfo,
    ScenarioResult,
    StaleEntry,
)


def run(backend: str = "numpy") -> Run:
    """A run with passes, a failure, a known difference, an unsupported op and a check that was not run."""
    info = RunInfo(
        backend=BackendInfo(backend, "2.4.6", "cpu"), polygrad="0.1.0", oracles={"torch": "2.13.0", "mpmath": "1.3.0"}, python="3.11.7",
        platform="Linux x86_64", seed=3, started="2026-11-25T01:00:00Z", duration=61.4, jobs=2,
    )  # fmt: skip
    sin = OpResult(
        "sin", "elementwise", "elementwise", signature="(x, /)", reference="torch.sin(x)", domain="all reals",
        samples={"float64": ["shape (2, 3)", "0-d"]},
        cells=[
            Cell("float64", "value", passed=2, ulps=1.0, relative=1.1e-16, tolerance=1e-12, oracle="torch", histogram={"-16": 1, "-20": 1}),
            Cell("complex128", "reverse", passed=2, relative=0.0, tolerance=1e-12, oracle="torch", histogram={"-20": 2}),
            Cell("float64", "vmap", not_run=2, reasons=[Reason("not_run", "nothing to batch", 2)]),
        ],
    )  # fmt: skip
    det = OpResult(
        "linalg.det", "linalg", "rule", signature="(x, /)", reference="torch.linalg.det(x)", note="singular matrices <too>",
        cells=[
            Cell(
                "float64", "reverse", passed=3, failed=1, relative=0.25, ulps=1.2e15, tolerance=1e-12,
                tolerance_reason="it is ill-conditioned", oracle="torch", histogram={"-16": 3, "-1": 1},
                failures=[
                    Failure(
                        "singular", "got 1.0 & expected 0.75", relative=0.25, verdict="the reference is right", settled_by="mpmath",
                        polygrad="import polygrad\nprint(polygrad.linalg.det(1 < 2))", reference="import torch\nprint('det')",
                    )
                ],
            )
        ],
    )  # fmt: skip
    j0 = OpResult(
        "special.j0", "special", "elementwise",
        cells=[
            Cell(
                "float64", "reverse", passed=1, known=2, relative=1.0, tolerance=1e-12, oracle="torch",
                reasons=[Reason("known", "torch drops the derivative", 2, link="https://example.org/1")],
            ),
            Cell("float64", "forward", unsupported=1, reasons=[Reason("unsupported", "the library has no j0")]),
        ],
    )  # fmt: skip
    return Run(
        info=info,
        ops=[det, sin, j0],
        scenarios=[
            ScenarioResult("leaf flags", "graph", "passed", document="what is a leaf", script="def leaf(torch): ..."),
            ScenarioResult("hook order", "hooks", "failed", document="hooks run in order", message="[1, 2] is not [2, 1]"),
        ],
        programs=Programs(
            generated=10, passed=8, failed=1, discarded=1, steps=120, ops={"add": 30},
            failures=[ProgramFailure("gradient", "0.5 is not 1", "import polygrad", "import torch")],
        ),
        stale=[StaleEntry(backend, "sinh", "float64", "reverse", "used to be wrong")],
    )  # fmt: skip
