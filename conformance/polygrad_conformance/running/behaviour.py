"""The scenarios on a backend: what each observes there, compared with what it observes on torch."""

from __future__ import annotations

import inspect

import polygrad
from polygrad.errors import UnsupportedError

from ..checking.outcome import first_line
from ..report.schema import ScenarioResult
from ..scenarios import SCENARIOS, Scenario, differences, observe
from .ledger import Ledger


def run_scenarios(backend: str, ledger: Ledger) -> list[ScenarioResult]:
    """Every scenario, sorted by name."""
    with polygrad.use_backend(backend):
        return [run_scenario(SCENARIOS[name], backend, ledger) for name in sorted(SCENARIOS)]


def run_scenario(scenario: Scenario, backend: str, ledger: Ledger) -> ScenarioResult:
    """One scenario. Where it says itself that polygrad differs on purpose, that is known, and no difference is a failure."""
    import torch

    result = ScenarioResult(
        name=scenario.name,
        group=scenario.group,
        status="passed",
        document=(inspect.getdoc(scenario.run) or scenario.run.__name__.replace("_", " ")).splitlines()[0],
        script=inspect.getsource(scenario.run),
    )
    there = observe(scenario, torch)
    if not there or (isinstance(there[-1], list) and there[-1][:1] == ["stopped by"]):
        result.status, result.message = "not_run", f"torch stops: {there[-1] if there else 'nothing is observed'}"
        return result
    try:
        found = differences(there, observe(scenario, polygrad))
    except UnsupportedError as error:
        result.status, result.message = "unsupported", first_line(error)
        return result
    entry = ledger.find(backend, f"scenario:{scenario.name}", "", "scenario", "", bool(found))
    if scenario.differs:
        result.status = "known" if found else "failed"
        result.message = scenario.differs if found else f"nothing differs any more: {scenario.differs}"
    elif found and entry is not None:
        result.status, result.message, result.link = "known", entry.reason, entry.link
    elif found:
        result.status, result.message = "failed", "\n".join(found)
    return result
