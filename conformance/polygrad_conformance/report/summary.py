"""Figures of a run that both the page and the Markdown show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from ..checking.outcome import STATUSES
from .schema import Cell, OpResult, Run


def by_status(statuses: Iterable[str]) -> dict[str, int]:
    """How many there are of each status, in the order of STATUSES."""
    counted = Counter(statuses)
    return {status: counted[status] for status in STATUSES}


def verdict(run: Run) -> str:
    """The run in a word or two; of one that was not completed it says so."""
    return ("passes" if run.ok else "fails") + ("" if run.info.complete else ", incomplete")


def op_status(op: OpResult) -> str:
    """The one word for an op: that of the worst of its cells, as ``Cell.status`` has it for samples."""
    found = {cell.status for cell in op.cells}
    for status in ("failed", "known", "unsupported", "passed"):
        if status in found:
            return status
    return "not_run"


def op_counts(run: Run) -> dict[str, int]:
    """The ops of a run by status."""
    return by_status(map(op_status, run.ops))


def scenario_counts(run: Run) -> dict[str, int]:
    """The scenarios of a run by status."""
    return by_status(scenario.status for scenario in run.scenarios)


def worst(cells: Sequence[Cell]) -> float | None:
    """The largest relative error among cells; None where nothing was compared."""
    return max((cell.relative for cell in cells if cell.relative is not None), default=None)


def number(value: float | None) -> str:
    """An error as both reports print it: two significant digits at most."""
    if value is None:
        return ""
    if value == 0:
        return "0"
    if value >= 1e300:
        return "∞"
    mantissa, _, exponent = f"{value:.1e}".partition("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent)}"


def reasons(run: Run, status: str) -> dict[tuple[str, str], list[str]]:
    """(reason, link) to the ops that it concerns, for one status."""
    found: dict[tuple[str, str], list[str]] = {}
    for op in run.ops:
        for cell in op.cells:
            for reason in cell.reasons:
                if reason.status == status:
                    ops = found.setdefault((reason.text, reason.link), [])
                    if op.op not in ops:
                        ops.append(op.op)
    for scenario in run.scenarios:
        if scenario.status == status:
            found.setdefault((scenario.message, scenario.link), []).append(f"scenario {scenario.name}")
    return found
