"""What became worse, and what better, from one run to another of the same backend."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from .schema import Cell, OpResult, Run

SEVERITY = {"passed": 0, "unsupported": 1, "not_run": 1, "known": 2, "failed": 3}
"""From one status to one of a higher number is a regression."""

FACTOR = 100.0
"""An error that grew by more than this, while it still passes, is reported as a loss of accuracy."""


class Change(msgspec.Struct, frozen=True):
    """One difference between two runs."""

    kind: str
    """"regression", "improvement", "added", "removed", or "accuracy": it passes still, with a much larger error."""
    what: str
    """The op or the scenario."""
    dtype: str
    check: str
    text: str

    @property
    def regression(self) -> bool:
        """True if a build should stop at the change: something is worse than it was, or is no longer there."""
        return self.kind in ("regression", "removed")


def compare(old: Run, new: Run) -> list[Change]:
    """The changes from ``old`` to ``new``, regressions first, then by name.

    Ops, dtypes and checks that the newer run was not asked for are not counted as removed.

    Raises:
        ValueError: the runs are of different backends.
    """
    if old.info.backend.name != new.info.backend.name:
        raise ValueError(
            f"diff: the runs are of different backends, {old.info.backend.name!r} and {new.info.backend.name!r}; "
            "compare runs of one backend"
        )
    changes = [*_ops(old, new), *_scenarios(old, new), *_programs(old, new)]
    order = ("regression", "removed", "accuracy", "improvement", "added")
    return sorted(changes, key=lambda c: (order.index(c.kind), c.what, c.dtype, c.check))


def _cells(op: OpResult | None) -> dict[tuple[str, str], Cell]:
    return {(cell.dtype, cell.check): cell for cell in op.cells} if op is not None else {}


def _ops(old: Run, new: Run) -> Iterator[Change]:
    before = {op.op: op for op in old.ops}
    after = {op.op: op for op in new.ops}
    whole = new.info.complete and not new.info.ops
    for name in before.keys() - after.keys():
        if whole:
            yield Change("removed", name, "", "", "the op is no longer there")
    for name in after.keys() - before.keys():
        yield Change("added", name, "", "", "a new op")
    for name in before.keys() & after.keys():
        cells, others = _cells(before[name]), _cells(after[name])
        for dtype, check in cells.keys() - others.keys():
            if (
                whole
                and (not new.info.dtypes or dtype in new.info.dtypes)
                and (not new.info.checks or check in new.info.checks)
            ):
                yield Change("removed", name, dtype, check, "the check is no longer there")
        for key in cells.keys() & others.keys():
            change = _cell(name, cells[key], others[key])
            if change is not None:
                yield change


def _cell(op: str, old: Cell, new: Cell) -> Change | None:
    worse = SEVERITY[new.status] - SEVERITY[old.status]
    text = f"{_counts(old)} → {_counts(new)}"
    if worse > 0 or new.failed > old.failed or new.known > old.known:
        message = next((" ".join(f.message.split()) for f in new.failures), "")
        return Change("regression", op, new.dtype, new.check, f"{text}. {message}" if message else text)
    if worse < 0 or new.failed < old.failed or new.known < old.known:
        return Change("improvement", op, new.dtype, new.check, text)
    if new.passed < old.passed and new.total - new.passed > old.total - old.passed:
        return Change("regression", op, new.dtype, new.check, text)
    if old.relative is not None and new.relative is not None and new.relative > FACTOR * max(old.relative, 1e-16):
        return Change("accuracy", op, new.dtype, new.check, f"worst error {old.relative:.1e} → {new.relative:.1e}")
    return None


def _counts(cell: Cell) -> str:
    words = ("failed", "known", "unsupported", "not_run", "passed")
    shown = [f"{getattr(cell, word)} {word.replace('_', ' ')}" for word in words if getattr(cell, word)]
    return ", ".join(shown) or "no samples"


def _scenarios(old: Run, new: Run) -> Iterator[Change]:
    before = {scenario.name: scenario for scenario in old.scenarios}
    after = {scenario.name: scenario for scenario in new.scenarios}
    if after:
        for name in before.keys() - after.keys():
            yield Change("removed", name, "", "scenario", "the scenario is no longer there")
    for name in after.keys() - before.keys():
        yield Change("added", name, "", "scenario", "a new scenario")
    for name in before.keys() & after.keys():
        was, now = before[name].status, after[name].status
        if was != now:
            kind = "regression" if SEVERITY[now] > SEVERITY[was] else "improvement"
            yield Change(kind, name, "", "scenario", f"{was} → {now}. {after[name].message}".rstrip(". "))


def _programs(old: Run, new: Run) -> Iterator[Change]:
    was = old.programs.failed if old.programs is not None else 0
    now = new.programs.failed if new.programs is not None else 0
    if was != now and new.programs is not None:
        yield Change(
            "regression" if now > was else "improvement", "random programs", "", "", f"{was} failed → {now} failed"
        )
