"""``polygrad conformance``: run the suite on backends, write reports, compare reports.

This module imports typer and rich alone; what a command needs beyond that it imports when it runs.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from .report.schema import OpResult, Run

NEEDS = "The conformance suite needs {}: pip install '.[conformance]' in a checkout of polygrad"
FORMATS = ("html", "json", "markdown", "junit")
COLOURS = {"passed": "green", "failed": "red", "known": "yellow", "unsupported": "cyan", "not_run": "dim"}
FAILED, WRONG_USAGE, INTERRUPTED = 1, 2, 130

app = typer.Typer(
    help="Which gradients are right on a backend, compared with torch.autograd and with finite differences.",
    invoke_without_command=True,
    no_args_is_help=False,
)


@app.callback()
def conformance(
    context: typer.Context,
    backend: Annotated[
        list[str] | None, typer.Option(help="The array library to test; again for several. [default: numpy]")
    ] = None,
    op: Annotated[list[str] | None, typer.Option(help="Only ops of this name or pattern, such as 'linalg.*'.")] = None,
    dtype: Annotated[
        list[str] | None, typer.Option(help="Only this dtype. [default: those of the cases, in double precision]")
    ] = None,
    check: Annotated[list[str] | None, typer.Option(help="Only this check; also 'scenarios' and 'programs'.")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    seed: Annotated[int, typer.Option(help="Seed of the sample inputs.")] = 0,
    output: Annotated[
        Path | None, typer.Option(help="Folder for the reports; an interrupted run goes on from here.")
    ] = None,
    format: Annotated[str, typer.Option(help=f"Which reports, separated by commas: {', '.join(FORMATS)}.")] = "json",
    fail_fast: Annotated[bool, typer.Option("--fail-fast", help="Stop at the first op that fails.")] = False,
    list_: Annotated[
        bool, typer.Option("--list", help="List the cases and checks that were selected, and run nothing.")
    ] = False,
) -> None:
    """Run the suite. The exit status is 0 if nothing failed, 1 if something did, 2 if it could not be run."""
    if context.invoked_subcommand is not None:
        return
    from rich.console import Console

    errors = Console(stderr=True)
    try:
        formats = _formats(format)
        everything = _everything()
        parts, checks = _checks(check or [], everything)
        settings: dict[str, Any] = {
            "ops": tuple(op or ()),
            "dtypes": tuple(dtype or ()),
            "checks": checks,
            "seed": seed,
            "jobs": jobs,
            "fail_fast": fail_fast,
        }
        names = backend or ["numpy"]
        _known_dtypes(settings["dtypes"], everything)
        if list_:
            _list(settings, names[0], parts)
            return
        runs = [_run(name, settings, parts, output, Console()) for name in names]
    except KeyboardInterrupt:
        errors.print("interrupted" + (f"; the same command goes on from {output}" if output else ""), style="red")
        raise typer.Exit(INTERRUPTED) from None
    except Refused as refusal:
        errors.print(str(refusal), style="red", markup=False, soft_wrap=True)
        raise typer.Exit(WRONG_USAGE) from None
    if output is not None:
        for path in write(runs, output, formats):
            Console().print(f"wrote {path}", soft_wrap=True)
    if not all(run.ok for run in runs):
        raise typer.Exit(FAILED)


class Refused(Exception):
    """The command cannot be carried out as it was given."""


def _everything() -> Any:
    """The runner, with what it needs."""
    try:
        from .running import runner
    except ModuleNotFoundError as error:
        raise Refused(NEEDS.format(error.name)) from error
    return runner


def _formats(text: str) -> list[str]:
    formats = [part.strip() for part in text.split(",") if part.strip()]
    wrong = [part for part in formats if part not in FORMATS]
    if wrong or not formats:
        raise Refused(f"--format: there is no format {', '.join(wrong) or repr(text)}; there are {', '.join(FORMATS)}")
    return formats


def _checks(given: Sequence[str], runner: Any) -> tuple[set[str], tuple[str, ...]]:
    """Which parts to run (cases, scenarios, programs), and which checks of the cases."""
    parts = {"scenarios", "programs"}
    known = tuple(runner.CHECKS)
    wrong = [name for name in given if name not in known and name not in parts]
    if wrong:
        raise Refused(f"--check: there is no check {', '.join(wrong)}; there are {', '.join((*known, *sorted(parts)))}")
    if not given:
        return parts | {"cases"}, known
    checks = tuple(name for name in known if name in given)
    return {part for part in parts if part in given} | ({"cases"} if checks else set()), checks


def _known_dtypes(dtypes: Sequence[str], runner: Any) -> None:
    known = {dtype for case in runner.load().values() for dtype in case.dtypes} | set(runner.SINGLE.values())
    wrong = [dtype for dtype in dtypes if dtype not in known]
    if wrong:
        raise Refused(f"--dtype: no case has the dtype {', '.join(wrong)}; there are {', '.join(sorted(known))}")


def _options(name: str, settings: dict[str, Any], runner: Any) -> Any:
    options = runner.Options(backend=name, **settings)
    if not runner.selected(options):
        raise Refused(f"--op: no case is called {', '.join(settings['ops'])}; --list shows all names")
    return options


def _list(settings: dict[str, Any], name: str, parts: set[str]) -> None:
    from rich.console import Console
    from rich.table import Table

    runner = _everything()
    options = _options(name, settings, runner)
    table = Table(title="cases", title_justify="left")
    for heading in ("op", "family", "form", "dtypes", "reference"):
        table.add_column(heading, overflow="fold")
    names = runner.selected(options) if "cases" in parts else []
    for op in names:
        case = runner.CASES[op]
        reference = case.reference or case.mpmath or case.scipy or ""
        table.add_row(op, case.family, case.form, ", ".join(runner.dtypes_of(case, options)), reference)
    console = Console()
    console.print(table)
    console.print(f"{len(names)} cases; checks: {', '.join(options.checks)}", soft_wrap=True)


def _run(name: str, settings: dict[str, Any], parts: set[str], output: Path | None, console: Console) -> Run:
    """Run everything that was selected on one backend, with a progress bar and a summary."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    import polygrad
    from polygrad.errors import BackendError

    runner = _everything()
    options = _options(name, settings, runner)
    try:
        missing = polygrad.get_backend(name).missing()
    except BackendError as error:
        raise Refused(str(error)) from error
    if missing:
        raise Refused(f"{name}: {missing}")
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(name, total=len(runner.selected(options)))
        failed = 0

        def advance(result: OpResult, done: int, total: int) -> None:
            nonlocal failed
            failed += sum(cell.failed for cell in result.cells)
            text = f"{name} {result.op}" + (f" [red]{failed} failed[/red]" if failed else "")
            progress.update(task, completed=done, total=total, description=text)

        run: Run = runner.run(options, output, advance, parts=parts)
    summarize(run, console)
    return run


def summarize(run: Run, console: Console) -> None:
    """The table of checks, and what failed."""
    from .checking.outcome import CHECKS

    console.print(_table(run, CHECKS))
    for result in run.ops:
        for cell in result.cells:
            for failure in cell.failures[:1] if cell.failed else ():
                where = f"{result.op} {cell.dtype} {cell.check}: {cell.failed} of {cell.total} failed"
                console.print(where, style="red", markup=False, highlight=False)
                text = f"  {failure.sample}: {failure.message}" + (f" ({failure.verdict})" if failure.verdict else "")
                console.print(text, markup=False, highlight=False, soft_wrap=True)
    for scenario in run.scenarios:
        if scenario.status == "failed":
            console.print(f"scenario {scenario.name}: {scenario.message}", style="red", markup=False, highlight=False)
    for program in run.programs.failures if run.programs else ():
        console.print(f"random program: {program.message}", style="red", markup=False, highlight=False)
        console.print(program.polygrad, markup=False, highlight=False)
    for entry in run.stale:
        text = (
            f"ledger: nothing that {entry.op}, {entry.check} ({entry.reason}) covers fails any more; remove the entry"
        )
        console.print(text, style="red", markup=False, highlight=False, soft_wrap=True)
    verdict = "[green]ok[/green]" if run.ok else "[red]failed[/red]"
    backend = run.info.backend
    console.print(
        f"{backend.name} {backend.version}: {len(run.ops)} ops in {run.info.duration:.0f} s, {verdict}", highlight=False
    )


def _table(run: Run, checks: dict[str, str]) -> Table:
    from rich.table import Table

    from .checking.outcome import STATUSES

    table = Table(title=f"{run.info.backend.name} {run.info.backend.version}", title_justify="left")
    table.add_column("check")
    for status in STATUSES:
        table.add_column(status.replace("_", " "), justify="right")
    table.add_column("worst error", justify="right")
    rows: list[tuple[str, dict[str, int], str]] = []
    for check in checks:
        cells = [cell for op in run.ops for cell in op.cells if cell.check == check]
        if cells:
            errors = [cell.relative for cell in cells if cell.relative is not None and cell.status == "passed"]
            rows.append((check, run.totals(check), f"{max(errors):.1e}" if errors else ""))
    if run.scenarios:
        rows.append(("scenarios", {s: sum(each.status == s for each in run.scenarios) for s in STATUSES}, ""))
    if run.programs is not None:
        programs = run.programs
        rows.append(("random programs", {s: getattr(programs, s, 0) for s in STATUSES}, ""))
    for check, totals, error in rows:
        marked = [f"[{COLOURS[s]}]{totals[s]}[/]" if totals[s] else "" for s in STATUSES]
        table.add_row(check, *marked, error)
    return table


# -- reports --------------------------------------------------------------------------------------------------------
def write(runs: Sequence[Run], folder: Path, formats: Sequence[str]) -> list[Path]:
    """Write reports: a JSON and a JUnit file for each backend, one page and one Markdown file for all of them."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []

    def put(name: str, text: str) -> None:
        path = folder / name
        path.write_text(text, encoding="utf-8")
        paths.append(path)

    for run in runs:
        if "json" in formats:
            put(f"{run.info.backend.name}.json", run.to_json())
        if "junit" in formats:
            from .report.junit import junit

            put(f"{run.info.backend.name}.xml", junit(run))
    together: dict[str, tuple[str, Callable[[Sequence[Run]], str]]] = {}
    if {"html", "markdown"} & set(formats):
        from .report.markdown import markdown
        from .report.page import page

        together = {"html": ("report.html", page), "markdown": ("report.md", markdown)}
    for name, (file, render) in together.items():
        if name in formats:
            put(file, render(runs))
    return paths


@app.command()
def diff(
    old: Annotated[Path, typer.Argument(help="An older JSON report.", exists=True, dir_okay=False)],
    new: Annotated[Path, typer.Argument(help="A newer one of the same backend.", exists=True, dir_okay=False)],
) -> None:
    """Compare two JSON reports. The exit status is 1 if something got worse or is no longer there."""
    from rich.console import Console

    try:
        import msgspec

        from .report.diff import compare
        from .report.schema import Run
    except ModuleNotFoundError as error:
        typer.echo(NEEDS.format(error.name), err=True)
        raise typer.Exit(WRONG_USAGE) from None
    try:
        changes = compare(Run.read(old), Run.read(new))
    except (ValueError, msgspec.MsgspecError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(WRONG_USAGE) from None
    console = Console()
    for change in changes:
        where = " ".join(filter(None, [change.what, change.dtype, change.check]))
        style = "red" if change.regression else "green" if change.kind == "improvement" else ""
        console.print(
            f"{change.kind}: {where}: {change.text}", style=style, markup=False, highlight=False, soft_wrap=True
        )
    if not changes:
        console.print("no change")
    if any(change.regression for change in changes):
        raise typer.Exit(FAILED)


@app.command()
def report(
    documents: Annotated[
        list[Path], typer.Argument(help="JSON reports, one of each backend.", exists=True, dir_okay=False)
    ],
    output: Annotated[Path, typer.Option(help="The folder to write to.")] = Path(),
    format: Annotated[
        str, typer.Option(help=f"Which reports, separated by commas: {', '.join(FORMATS)}.")
    ] = "html,markdown",
) -> None:
    """Make other reports of JSON reports that were kept."""
    try:
        import msgspec

        from .report.schema import Run
    except ModuleNotFoundError as error:
        typer.echo(NEEDS.format(error.name), err=True)
        raise typer.Exit(WRONG_USAGE) from None
    try:
        for path in write([Run.read(document) for document in documents], output, _formats(format)):
            typer.echo(f"wrote {path}")
    except (Refused, ValueError, msgspec.MsgspecError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(WRONG_USAGE) from None


def main() -> None:
    """Run the suite without the command ``polygrad`` in front."""
    app(prog_name="polygrad conformance", args=sys.argv[1:])


if __name__ == "__main__":
    main()
