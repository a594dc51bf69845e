"""Every scenario observes on polygrad what it observes on torch, on every backend."""

from __future__ import annotations

import pytest

import polygrad
from polygrad.errors import UnsupportedError
from polygrad_conformance.scenarios import SCENARIOS, Scenario, differences, observe

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def expected():
    """What torch shows, worked out once for each scenario."""
    seen: dict[str, list] = {}

    def of(scenario: Scenario) -> list:
        if scenario.name not in seen:
            seen[scenario.name] = observe(scenario, torch)
        return seen[scenario.name]

    return of


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=lambda scenario: scenario.name)
def test_scenario(scenario: Scenario, backend: str, expected) -> None:
    there = expected(scenario)
    assert there, "a scenario has to observe something"
    assert not (isinstance(there[-1], list) and there[-1][:1] == ["stopped by"]), there[-1]
    try:
        found = differences(there, observe(scenario, polygrad))
    except UnsupportedError as error:
        pytest.skip(str(error))
    if scenario.differs:
        assert found, f"nothing is different any more, although it is said to be so: {scenario.differs}"
    else:
        assert not found, "\n".join(found)
