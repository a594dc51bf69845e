"""The report as one HTML page that needs nothing else: no network, no files beside it.

The documents are inside it, compressed; the page's own program draws what is asked for. The figures at its top are plain HTML, and
are there without that program too.
"""

from __future__ import annotations

import base64
import gzip
from collections.abc import Sequence
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined

from ..checking.outcome import CHECKS, STATUSES
from .schema import DECADES, Run
from .summary import op_counts, scenario_counts, verdict


def page(runs: Sequence[Run]) -> str:
    """The page on some runs, of one backend or of several.

    Raises:
        ValueError: there are two runs of one backend, which the page could not tell apart.
    """
    names = [run.info.backend.name for run in runs]
    if len(set(names)) != len(names):
        raise ValueError(f"page: the runs must be of different backends, not {', '.join(names)}")
    environment = Environment(
        loader=PackageLoader("polygrad_conformance.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {}  # the checks keep their order
    source = files("polygrad_conformance.report")
    return environment.get_template("page.html").render(
        runs=runs,
        statuses=STATUSES,
        checks=CHECKS,
        decades=[DECADES.start, DECADES.stop],
        dtypes=sorted({cell.dtype for run in runs for op in run.ops for cell in op.cells}),
        families=sorted({op.family for run in runs for op in run.ops}),
        op_counts=op_counts,
        scenario_counts=scenario_counts,
        verdict=verdict,
        data=packed(runs),
        style=source.joinpath("page.css").read_text(encoding="utf-8"),
        program=source.joinpath("page.js").read_text(encoding="utf-8"),
    )


def packed(runs: Sequence[Run]) -> str:
    """The documents as the page carries them: a JSON list, compressed by gzip, in base64."""
    text = "[" + ",".join(run.to_json() for run in runs) + "]"
    return base64.b64encode(gzip.compress(text.encode("utf-8"), mtime=0)).decode("ascii")
