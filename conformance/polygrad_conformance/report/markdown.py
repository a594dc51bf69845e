"""Runs as Markdown, for a repository or a pull request: totals, what failed, what is known, what was not run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..checking.outcome import CHECKS, STATUSES
from .schema import Run
from .summary import by_status, number, op_status, reasons, scenario_counts, verdict, worst

WORDS = {status: status.replace("_", " ") for status in STATUSES}
SHOWN = 12
"""How many names a list of ops gives before it says how many more there are."""


def markdown(runs: Sequence[Run]) -> str:
    """The report on some runs: a table of all backends, and a section for each."""
    lines = ["# Which gradients are right", ""]
    lines += _table(
        [
            "backend",
            "device",
            "ops",
            "samples",
            *[WORDS[status] for status in STATUSES],
            "scenarios",
            "programs",
            "verdict",
        ],
        [_overview(run) for run in runs],
        numeric=range(2, 11),
    )
    for run in runs:
        lines += ["", *_section(run)]
    return "\n".join(lines) + "\n"


def _overview(run: Run) -> list[str]:
    totals = run.totals()
    scenarios = scenario_counts(run)
    programs = run.programs
    return [
        f"[{run.info.backend.name}](#{run.info.backend.name}) {run.info.backend.version}",
        run.info.backend.device,
        str(len(run.ops)),
        str(sum(totals.values())),
        *[str(totals[status]) for status in STATUSES],
        f"{scenarios['passed']}/{len(run.scenarios)}" if run.scenarios else "",
        f"{programs.passed}/{programs.generated - programs.discarded}"
        if programs is not None and programs.generated
        else "",
        verdict(run) if run.ok else f"**{verdict(run)}**",
    ]


def _section(run: Run) -> list[str]:
    info = run.info
    oracles = ", ".join(f"{name} {version}" for name, version in sorted(info.oracles.items()))
    circumstances = (
        f"{info.backend.name} {info.backend.version} on {info.backend.device or 'its default device'}; polygrad {info.polygrad}; "
        f"oracles: {oracles or 'none'}; Python {info.python} on {info.platform}; seed {info.seed}; {info.started}; "
        f"{info.duration:.0f} s with {info.jobs} job{'s' if info.jobs != 1 else ''}."
    )
    lines = [f"## {info.backend.name}", "", circumstances]
    if not info.complete:
        lines += ["", "**The run was not completed**: it covers only a part of what was selected."]
    lines += ["", *_checks(run), "", *_families(run)]
    if run.stale:
        lines += ["", "### Entries of the ledger that no longer fail", ""]
        lines += [f"- `{entry.op}` {entry.dtype} {entry.check}: {entry.reason}" for entry in run.stale]
    lines += _failures(run)
    for status, title in (
        ("known", "Known differences"),
        ("unsupported", "What the library cannot do"),
        ("not_run", "What was not run"),
    ):
        found = reasons(run, status)
        if found:
            lines += ["", f"### {title}", ""]
            for (text, link), ops in sorted(found.items(), key=lambda item: (-len(item[1]), item[0])):
                shown = _one_line(text) + (f" ([discussed]({link}))" if link else "")
                lines.append(f"- {shown}: {_names(ops)}")
    return lines


def _checks(run: Run) -> list[str]:
    rows = []
    for check, meaning in CHECKS.items():
        totals = run.totals(check)
        if any(totals.values()):
            cells = [cell for op in run.ops for cell in op.cells if cell.check == check]
            rows.append(
                [
                    meaning,
                    *[str(totals[status]) for status in STATUSES],
                    number(worst([c for c in cells if not c.known])),
                ]
            )
    heads = ["check", *[WORDS[status] for status in STATUSES], "worst error"]
    return _table(heads, rows, numeric=range(1, len(heads)))


def _families(run: Run) -> list[str]:
    families: dict[str, list[str]] = {}
    for op in run.ops:
        families.setdefault(op.family, []).append(op_status(op))
    heads = ["family", "ops", *[WORDS[status] for status in STATUSES]]
    rows = [
        [family, str(len(statuses)), *[str(count) for count in by_status(statuses).values()]]
        for family, statuses in sorted(families.items())
    ]
    return _table(heads, rows, numeric=range(1, len(heads)))


def _failures(run: Run) -> list[str]:
    lines: list[str] = []
    for op in run.ops:
        for cell in op.cells:
            if cell.failed:
                message = next((_one_line(f.message) for f in cell.failures if f.status == "failed"), "")
                lines.append(
                    f"- `{op.op}` {cell.dtype}, {CHECKS.get(cell.check, cell.check)}: {cell.failed} of {cell.total}. {message}"
                )
    lines += [
        f"- scenario {scenario.name}: {_one_line(scenario.message)}"
        for scenario in run.scenarios
        if scenario.status == "failed"
    ]
    if run.programs is not None:
        lines += [
            f"- random program, {failure.check}: {_one_line(failure.message)}" for failure in run.programs.failures
        ]
    return ["", "### Failures", "", *lines] if lines else []


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:SHOWN])
    return shown + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], numeric: Iterable[int]) -> list[str]:
    right = set(numeric)
    rule = ["---:" if i in right else "---" for i in range(len(heads))]
    return [f"| {' | '.join(row)} |" for row in [heads, rule, *rows]]
