"""The documents of a run, for those who read or write them."""

from __future__ import annotations

from .report.schema import (
    SCHEMA,
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

__all__ = [
    "SCHEMA",
    "BackendInfo",
    "Cell",
    "Failure",
    "OpResult",
    "ProgramFailure",
    "Programs",
    "Reason",
    "Run",
    "RunInfo",
    "ScenarioResult",
    "StaleEntry",
]
