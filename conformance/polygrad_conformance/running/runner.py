"""Runs the cases on a backend: op after op or in several processes, with a journal from which an interrupted run goes on."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import importlib.metadata
import multiprocessing
import os
import platform
import shutil
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

import polygrad

from ..cases.case import CASES, Case, load
from ..checking.checks import Checker, applicable, tolerance
from ..checking.outcome import CHECKS, WORST, Outcome
from ..checking.polygrad_side import Polygrad
from ..checking.problem import SINGLE, problems_of
from ..checking.torch_side import Torch
from ..report.schema import (
    MAX_FAILURES,
    BackendInfo,
    Cell,
    Failure,
    OpResult,
    Reason,
    Run,
    RunInfo,
    StaleEntry,
    decade,
)
from . import script
from .behaviour import run_scenarios
from .ledger import Entry, Ledger, matches

SPEAKING = ("not_run", "unsupported", "known")


class Options(msgspec.Struct, frozen=True):
    """What to run, and how."""

    backend: str
    ops: tuple[str, ...] = ()
    """Patterns of op names, as for file names; none: all."""
    dtypes: tuple[str, ...] = ()
    """None: every dtype of a case but single precision."""
    checks: tuple[str, ...] = tuple(CHECKS)
    seed: int = 0
    jobs: int = 1
    fail_fast: bool = False

    def fingerprint(self) -> str:
        """What two runs have in common if results of one may stand in for those of the other."""
        parts = (self.backend, self.dtypes, self.checks, self.seed, *sorted(versions(self.backend).items()), _source())
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


class OpRun(msgspec.Struct):
    """What a process hands back for an op."""

    result: OpResult
    ledger: list[tuple[int, int]] = []
    """How often each entry of the ledger was compared and used."""


def selected(options: Options) -> list[str]:
    """The names of the ops to run, sorted."""
    return sorted(op for op in load() if not options.ops or matches(op, options.ops))


def dtypes_of(case: Case, options: Options) -> list[str]:
    """The dtypes to run a case in. A case that has float64 has float32 too, and so on for complex numbers."""
    wanted = [dtype for dtype in case.dtypes if not options.dtypes or dtype in options.dtypes]
    for double, single in SINGLE.items():
        if single in options.dtypes and double in case.dtypes:
            wanted.append(single)
    return wanted


def versions(backend: str) -> dict[str, str]:
    """The libraries that a result depends on."""
    found = {"polygrad": polygrad.__version__, backend: str(polygrad.get_backend(backend).version or "")}
    for name in ("torch", "mpmath", "scipy", "numpy"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


def _source() -> str:
    """A fingerprint of the code under test, so that a journal does not outlive it."""
    digest = hashlib.sha256()
    for package in ("polygrad", "polygrad_backends", "polygrad_conformance"):
        root = Path(__import__(package).__file__ or "").parent
        for path in sorted((*root.rglob("*.py"), *root.rglob("*.toml"))):
            stat = path.stat()
            digest.update(f"{path.name}{stat.st_size}{stat.st_mtime_ns}".encode())
    return digest.hexdigest()


# -- one op -------------------------------------------------------------------------------------------------------
def run_op(case: Case, options: Options, ours: Polygrad, torch: Torch, ledger: Ledger) -> OpResult:
    """All checks of all samples of an op."""
    started = time.perf_counter()
    result = OpResult(
        op=case.op,
        family=case.family,
        form=case.form,
        signature=f"{case.op}{case.signature}",
        reference=case.reference or "",
        domain=case.domain,
        note=case.note,
    )
    unsupported = ours.backend.unsupported.get(case.op)
    for dtype in dtypes_of(case, options):
        cells = {check: Cell(dtype=dtype, check=check) for check in CHECKS if check in options.checks}
        labels = result.samples.setdefault(dtype, [])
        for problem in problems_of(case, dtype, options.seed):
            label = unique(problem.sample.label, labels)
            labels.append(label)
            checker = Checker(ours, torch, problem, dtype)
            for check in applicable(case, problem.sample, options.checks):
                if unsupported is not None:
                    count(cells[check], label, Outcome("unsupported", unsupported), checker, ledger)
                else:
                    with np.errstate(all="ignore"):
                        count(cells[check], label, checker.run(check), checker, ledger)
        result.cells += [cell for cell in cells.values() if cell.total]
    for cell in result.cells:
        cell.histogram = dict(sorted(cell.histogram.items(), key=lambda bin: int(bin[0])))
    result.duration = round(time.perf_counter() - started, 3)
    return result


def unique(label: str, labels: list[str]) -> str:
    """A label that is not taken."""
    if label not in labels:
        return label
    number = 2
    while f"{label} #{number}" in labels:
        number += 1
    return f"{label} #{number}"


def count(cell: Cell, label: str, outcome: Outcome, checker: Checker, ledger: Ledger) -> None:
    """Enter what became of a sample into its cell."""
    case, backend = checker.case, checker.ours.name
    reason = Reason(status=outcome.status, text=outcome.text)
    if outcome.status in ("passed", "failed"):
        entry = ledger.find(backend, case.op, cell.dtype, cell.check, label, outcome.status == "failed")
        if entry is not None and outcome.status == "failed":
            outcome.status = "known"
            reason = Reason(status="known", text=entry.reason, link=entry.link)
    setattr(cell, outcome.status, getattr(cell, outcome.status) + 1)
    if outcome.status in SPEAKING:
        same = next((r for r in cell.reasons if (r.status, r.text) == (reason.status, reason.text)), None)
        if same is not None:
            same.count += 1
        else:
            cell.reasons.append(reason)
    if outcome.oracle and outcome.oracle not in cell.oracle.split(", "):
        cell.oracle = ", ".join(filter(None, [cell.oracle, outcome.oracle]))
    if outcome.relative is not None:
        cell.relative = round_up(max(cell.relative or 0.0, outcome.relative))
        cell.ulps = round_up(max(cell.ulps or 0.0, outcome.ulps or 0.0))
        bin = decade(outcome.relative)
        cell.histogram[bin] = cell.histogram.get(bin, 0) + 1
        cell.tolerance = round_up(max(cell.tolerance or 0.0, outcome.tolerance or 0.0))
        if tolerance(case, cell.check, cell.dtype) > tolerance(_STRICT, cell.check, cell.dtype):
            cell.tolerance_reason = case.reason
    raised = outcome.relative is None  # what raises does so at every sample: one is enough
    if outcome.status in ("failed", "known") and len(cell.failures) < (1 if raised else MAX_FAILURES):
        cell.failures.append(failure(label, outcome, checker, cell.check))


_STRICT = Case("", None, lambda rng, dtype: [])


def round_up(number: float) -> float:
    """Three digits: a report is compared by decades."""
    return min(float(f"{number:.2e}"), WORST)


def failure(label: str, outcome: Outcome, checker: Checker, check: str) -> Failure:
    """A failing sample with its scripts."""
    try:
        cotangents = checker.cotangents
    except Exception:
        cotangents = []
    return Failure(
        sample=label,
        message=outcome.text,
        status=outcome.status,
        ulps=None if outcome.ulps is None else round_up(outcome.ulps),
        relative=None if outcome.relative is None else round_up(outcome.relative),
        verdict=outcome.verdict,
        settled_by=outcome.settled_by,
        polygrad=script.polygrad_script(checker.problem, check, checker.ours.name, cotangents),
        reference=script.reference_script(checker.problem, check, cotangents),
    )


# -- all ops ------------------------------------------------------------------------------------------------------
_WORKER: dict[str, Any] = {}


def start_worker(options: Options) -> None:
    """What a process needs once."""
    prepare(options.backend)
    _WORKER.update(ours=Polygrad(options.backend), torch=Torch(), options=options)


def prepare(backend: str) -> None:
    """Double precision, where a library has to be asked for it, and one thread for each process."""
    load()
    import torch

    torch.set_num_threads(1)
    if backend == "jax":
        import jax

        jax.config.update("jax_enable_x64", True)


def work(op: str) -> OpRun:
    """One op, in a process that has been started."""
    ledger = Ledger.read()
    result = run_op(CASES[op], _WORKER["options"], _WORKER["ours"], _WORKER["torch"], ledger)
    return OpRun(result=result, ledger=ledger.counts())


class Journal:
    """Results of a run that is under way, one file an op; it is gone when the run is complete."""

    def __init__(self, folder: Path | None, options: Options) -> None:
        self.folder = None if folder is None else folder / ".journal" / f"{options.backend}-{options.fingerprint()}"
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)

    def read(self, op: str) -> OpRun | None:
        """The result of an op from the run that was interrupted; a file that was cut off is as none."""
        if self.folder is None:
            return None
        try:
            return msgspec.json.decode((self.folder / f"{op}.json").read_bytes(), type=OpRun)
        except (OSError, msgspec.MsgspecError):
            return None

    def write(self, run: OpRun) -> None:
        """Keep a result."""
        if self.folder is not None:
            path = self.folder / f"{run.result.op}.json"
            part = path.with_suffix(f".{os.getpid()}")
            part.write_bytes(msgspec.json.encode(run))
            part.replace(path)

    def close(self) -> None:
        """The run is complete."""
        if self.folder is not None:
            shutil.rmtree(self.folder)
            with contextlib.suppress(OSError):
                self.folder.parent.rmdir()


Progress = Callable[[OpResult, int, int], None]
"""Called with each result, how many are done and how many there are."""


PARTS = frozenset({"cases", "scenarios", "programs"})
"""What a run is made of."""


def run(
    options: Options,
    output: Path | None = None,
    progress: Progress | None = None,
    ledger: Ledger | None = None,
    parts: Collection[str] = ("cases",),
) -> Run:
    """Run the suite on a backend.

    Args:
        output: where the journal lies, from which the run goes on if it was interrupted; None: no journal.
        progress: called with every result.
        parts: which of PARTS.

    Raises:
        BackendError: there is no such backend, or its library is missing.
    """
    polygrad.get_backend(options.backend)
    started, clock = datetime.datetime.now(datetime.UTC), time.perf_counter()
    names = selected(options) if "cases" in parts else []
    ledger = ledger or Ledger.read()
    journal = Journal(output, options)
    prepare(options.backend)
    runs: dict[str, OpRun] = {op: kept for op in names if (kept := journal.read(op)) is not None}
    for run in runs.values():
        ledger.add(run.ledger)
        if progress is not None:
            progress(run.result, len(runs), len(names))
    complete = True
    for run in _all([op for op in names if op not in runs], options):
        runs[run.result.op] = run
        ledger.add(run.ledger)
        journal.write(run)
        if progress is not None:
            progress(run.result, len(runs), len(names))
        if options.fail_fast and any(cell.failed for cell in run.result.cells):
            complete = len(runs) == len(names)
            break
    scenarios = run_scenarios(options.backend, ledger) if complete and "scenarios" in parts and not options.ops else []
    programs = None
    if complete and "programs" in parts and not options.ops:
        from .programs import run_programs

        programs = run_programs(options.backend, options.seed)
    if complete:
        journal.close()
    results = [runs[op].result for op in sorted(runs)]
    return Run(
        info=describe(options, started, time.perf_counter() - clock, complete),
        ops=results,
        scenarios=scenarios,
        programs=programs,
        stale=[stale(entry) for entry in ledger.stale()] if complete else [],
    )


def stale(entry: Entry) -> StaleEntry:
    """An entry as the report shows it."""

    def text(patterns: str | list[str]) -> str:
        return patterns if isinstance(patterns, str) else ", ".join(patterns)

    return StaleEntry(
        backend=text(entry.backend),
        op=text(entry.op),
        dtype=text(entry.dtype),
        check=text(entry.check),
        reason=entry.reason,
    )


def _all(names: list[str], options: Options) -> Iterator[OpRun]:
    if options.jobs <= 1 or len(names) <= 1:
        start_worker(options)
        for op in names:
            yield work(op)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.jobs, context, start_worker, (options,)) as pool:
        futures = [pool.submit(work, op) for op in names]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def describe(options: Options, started: datetime.datetime, duration: float, complete: bool) -> RunInfo:
    """Under what circumstances a run was made."""
    backend = polygrad.get_backend(options.backend)
    found = versions(options.backend)
    devices = backend.devices()
    return RunInfo(
        backend=BackendInfo(name=options.backend, version=found[options.backend], device=devices[0] if devices else ""),
        polygrad=found["polygrad"],
        oracles={name: found[name] for name in ("torch", "mpmath", "scipy", "numpy") if name in found},
        python=platform.python_version(),
        platform=platform.platform(),
        seed=options.seed,
        started=started.isoformat(timespec="seconds"),
        duration=round(duration, 1),
        jobs=options.jobs,
        ops=list(options.ops),
        dtypes=list(options.dtypes),
        checks=list(options.checks),
        complete=complete,
    )
