"""The page on backends: its example is written out as it stands, installed, and run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import polygrad
from polygrad.backend import Backend

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "backends.md").read_text()
FILES = dict(re.findall(r"```\w+ file=(\S+)\n(.*?)```", PAGE, flags=re.S))
(PRINTED,) = re.findall(r"```text\n(.*?)```", PAGE, flags=re.S)


def test_the_example_runs(tmp_path: Path) -> None:
    for name in ("polygrad_toyarray.py", "use.py"):
        (tmp_path / name).write_text(FILES[name])
    (tmp_path / "toyarray.py").write_text((ROOT / "tests" / "support" / "libraries" / "toyarray.py").read_text())
    # what an installer makes of the table of entry points
    project = tomllib.loads(FILES["pyproject.toml"])["project"]
    (found,) = project["entry-points"].items()
    info = tmp_path / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    (info / "entry_points.txt").write_text(f"[{found[0]}]\n" + "".join(f"{k} = {v}\n" for k, v in found[1].items()))
    paths = [str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])]
    out = subprocess.run(
        [sys.executable, "-W", "error", "use.py"], cwd=tmp_path, env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert out.stderr == ""
    assert out.stdout == PRINTED


def test_what_may_be_overridden_is_there() -> None:
    rows = re.findall(r"^\| (`.*?) \|", PAGE.partition("### What else")[2], flags=re.M)
    names = {name for row in rows for name in re.findall(r"`(\w+)", row)}
    assert len(names) > 15
    assert all(hasattr(Backend, name) for name in names)
    for name in re.findall(r"`(\w+(?:\.\w+)?)`", PAGE.partition("the library has a faster way: ")[2].partition("|")[0]):
        assert name in polygrad.rules.declare.OPS, name
