"""What a run of the suite leaves behind: the documented, versioned data of one backend's report.

A ``Run`` is one JSON document. Its cells are keyed by (op, dtype, check), its scenarios by name, so that two runs can be compared
entry by entry, however far apart in time; nothing in it depends on the order of execution. Fields at their default are left out of
the JSON, and fields that a reader does not know are ignored: within one ``SCHEMA`` number fields are only ever added.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import msgspec

from ..checking.outcome import STATUSES

SCHEMA = 1
"""The version of this data model; a reader refuses a document of a higher one."""

DECADES = range(-20, 3)
"""The bins of an error histogram: bin n counts the samples whose relative error is in [10**n, 10**(n + 1)). The first also counts
smaller errors, exact agreement among them, the last also larger ones, nan among them."""


def decade(relative: float) -> str:
    """The bin of an error in a histogram."""
    if relative <= 0:
        return str(DECADES[0])
    return str(min(max(math.floor(math.log10(relative)), DECADES[0]), DECADES[-1]))


class Struct(msgspec.Struct, omit_defaults=True):
    """What all records have in common."""


class Reason(Struct):
    """Why samples did not simply pass, and how many: from the ledger, the backend's table, or what was raised."""

    status: str
    """One of STATUSES, never "passed"."""
    text: str
    count: int = 1
    link: str = ""
    """Of a ledger entry: where it is discussed."""


class Failure(Struct):
    """One sample that failed, or that the ledger knows."""

    sample: str
    """The sample's label, as in ``OpResult.samples``."""
    message: str
    """What differs: the error, where it is worst, what was got and what was expected there; or what was raised."""
    status: str = "failed"
    """"failed" or "known"."""
    ulps: float | None = None
    relative: float | None = None
    verdict: str = ""
    """What the deciding oracle says: "polygrad is right", "the reference is right", "neither", or empty where it was not asked."""
    settled_by: str = ""
    """The deciding oracle: "mpmath", "Richardson extrapolation", or empty."""
    polygrad: str = ""
    """The failing input as a script for polygrad, which runs as it stands."""
    reference: str = ""
    """The same for the reference, usually torch; empty where there is none."""


class Cell(Struct):
    """One check of one op in one dtype."""

    dtype: str
    check: str
    """A key of CHECKS."""
    passed: int = 0
    failed: int = 0
    known: int = 0
    unsupported: int = 0
    not_run: int = 0
    ulps: float | None = None
    """The worst error in units in the last place of the expected number, over samples that passed, failed or are known;
    None: nothing was compared, or the check does not compare numbers one by one."""
    relative: float | None = None
    """The worst error relative to the scale of the result, over the same samples."""
    tolerance: float | None = None
    """What ``relative`` must not exceed."""
    tolerance_reason: str = ""
    """Why the tolerance is looser than the check's own; empty where it is not."""
    oracle: str = ""
    """What it was compared with: "torch", "mpmath", "scipy", "finite differences", "polygrad" (itself), or several joined by ", "."""
    reasons: list[Reason] = []
    failures: list[Failure] = []
    """At most MAX_FAILURES of them."""
    histogram: dict[str, int] = {}
    """Decade (a key of DECADES, as text) to number of samples."""

    @property
    def total(self) -> int:
        """How many samples there were."""
        return self.passed + self.failed + self.known + self.unsupported + self.not_run

    @property
    def status(self) -> str:
        """The one word for the cell: the worst thing that happened; "not_run" also where there was no sample."""
        for status in ("failed", "known", "unsupported"):
            if getattr(self, status):
                return status
        return "passed" if self.passed else "not_run"


MAX_FAILURES = 3
"""How many failing samples a cell keeps."""


class OpResult(Struct):
    """One op of the registry, or one function of ``polygrad.nn.functional``."""

    op: str
    """Its name in the registry, such as "linalg.det", or "nn.functional.cross_entropy"."""
    family: str
    """The module of cases that it is in, such as "elementwise"."""
    form: str
    """How its derivative is declared ("elementwise", "linear", "rule", "composite", "constant"), or "function"."""
    signature: str = ""
    reference: str = ""
    """The reference, as a Python expression of torch in the op's parameters; empty where torch has no such function."""
    domain: str = ""
    """Where it is differentiated, in words."""
    note: str = ""
    """What one has to know of the case: conventions at singular points and the like."""
    samples: dict[str, list[str]] = {}
    """Dtype to the labels of its samples."""
    cells: list[Cell] = []
    duration: float = 0.0
    """Seconds that its checks took."""


class ScenarioResult(Struct):
    """One scenario: a program about the behaviour of graph, modes, hooks or errors, observed on torch and on polygrad."""

    name: str
    group: str
    """The module that it is in."""
    status: str
    """One of STATUSES."""
    document: str = ""
    """What it is about, in a sentence."""
    message: str = ""
    """Where the observations differ, or why it was not run; of a known difference the ledger's reason."""
    link: str = ""
    script: str = ""
    """Its source."""


class ProgramFailure(Struct):
    """A random program on which polygrad and torch disagree, as small as it could be made."""

    check: str
    """"value", "gradient", "second order" or "error" (one of them raised)."""
    message: str
    polygrad: str
    """The program as a script for polygrad."""
    reference: str
    """The program as a script for torch."""


class Programs(Struct):
    """Random programs: DAGs of ops with broadcasting, indexing, in-place operations, detach and no_grad, run on both libraries."""

    generated: int = 0
    passed: int = 0
    failed: int = 0
    not_run: int = 0
    discarded: int = 0
    """Programs that meant nothing on either side: a value overflowed, or torch refused them."""
    steps: int = 0
    """Operations in all of them together."""
    reason: str = ""
    """Why they were not run."""
    ops: dict[str, int] = {}
    """How often each operation was used."""
    failures: list[ProgramFailure] = []
    duration: float = 0.0


class StaleEntry(Struct):
    """A strict entry of the ledger that no longer fails, and has to be removed: it makes the run fail."""

    backend: str
    op: str
    dtype: str
    check: str
    reason: str


class BackendInfo(Struct):
    """The array library under test."""

    name: str
    version: str = ""
    device: str = ""


class RunInfo(Struct):
    """Under what circumstances a run was made."""

    backend: BackendInfo
    polygrad: str
    """The version of polygrad."""
    oracles: dict[str, str] = {}
    """Library to version: torch, mpmath, scipy, numpy."""
    python: str = ""
    platform: str = ""
    seed: int = 0
    started: str = ""
    """UTC, ISO 8601."""
    duration: float = 0.0
    """Seconds, wall clock."""
    jobs: int = 1
    ops: list[str] = []
    """The patterns that selected the ops; empty: all."""
    dtypes: list[str] = []
    checks: list[str] = []
    complete: bool = True
    """Whether every op selected was run: false after --fail-fast or an interruption."""


class Run(Struct):
    """One run on one backend: the whole document."""

    info: RunInfo
    schema: int = SCHEMA
    ops: list[OpResult] = []
    """Sorted by name."""
    scenarios: list[ScenarioResult] = []
    programs: Programs | None = None
    stale: list[StaleEntry] = []

    def totals(self, check: str | None = None) -> dict[str, int]:
        """Samples by status over all cells, or over those of one check."""
        cells = [cell for op in self.ops for cell in op.cells if check is None or cell.check == check]
        return {status: sum(getattr(cell, status) for cell in cells) for status in STATUSES}

    @property
    def ok(self) -> bool:
        """True if nothing failed: no sample, no scenario, no random program, and the ledger has no stale entry."""
        return not (
            self.totals()["failed"]
            or any(scenario.status == "failed" for scenario in self.scenarios)
            or (self.programs is not None and self.programs.failed)
            or self.stale
        )

    def to_json(self) -> str:
        """The document, with one line an op, so that a version control system shows what changed."""
        document = {"schema": self.schema, **msgspec.to_builtins(self)}
        fields = []
        for name, value in document.items():
            text = _encode(value)
            if isinstance(value, list) and value:
                text = "[\n" + ",\n".join([_encode(item) for item in value]) + "\n]"
            fields.append(f'"{name}": {text}')
        return "{\n" + ",\n".join(fields) + "\n}\n"

    def write(self, path: Path) -> None:
        """Write the document to a file."""
        path.write_text(self.to_json(), encoding="utf-8")

    @classmethod
    def from_json(cls, text: str) -> Run:
        """Read a document.

        Raises:
            msgspec.ValidationError: it is none, or one of a schema that is newer than this program.
        """
        run = msgspec.json.decode(text, type=cls)
        if run.schema > SCHEMA:
            raise msgspec.ValidationError(f"the document has schema {run.schema}; this version reads up to {SCHEMA}")
        return run

    @classmethod
    def read(cls, path: Path) -> Run:
        """Read a document from a file."""
        return cls.from_json(path.read_text(encoding="utf-8"))


def _encode(value: Any) -> str:
    return msgspec.json.encode(value).decode()
