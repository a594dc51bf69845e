"""The pages of the project: links resolve, paths exist, the steps of CONTRIBUTING.md work, and what is said twice is said alike."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

import polygrad

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "conformance" / "reports").glob("*.md")])
CODE = re.compile(r"^ *```.*?^ *```", re.DOTALL | re.MULTILINE)


def names(paths: list[Path]) -> list[str]:
    return [path.relative_to(ROOT).as_posix() for path in paths]


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, made as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", CODE.sub("", path.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_links_resolve(page: Path) -> None:
    text = CODE.sub("", page.read_text(encoding="utf-8"))
    links = re.findall(r"\]\(([^)\s]+)\)", text)
    for link in links:
        if re.match(r"\w+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f"{link} does not exist"
        if anchor:
            assert anchor in anchors(target), f"{link}: there is no such heading"


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_paths_exist(page: Path) -> None:
    """What is set as code and begins with a folder of the project is there."""
    folders = "backends|benchmarks|conformance|docs|examples|polygrad|tests"
    paths = re.findall(rf"`((?:{folders})/[\w./]*)`", CODE.sub("", page.read_text(encoding="utf-8")))
    missing = [path for path in paths if not (ROOT / path).exists()]
    assert not missing


def test_there_are_pages_with_links() -> None:
    assert {"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/architecture.md"} <= set(names(PAGES))
    assert "](docs/architecture.md)" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_first_example_prints_what_its_comments_say(capsys: pytest.CaptureFixture[str]) -> None:
    code = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)[0]
    with polygrad.use_backend("numpy"):
        exec(compile(code, "README.md", "exec"), {})
    gradient, array, diagonal = capsys.readouterr().out.splitlines()
    assert f"print(x.grad)  # {gradient}\n" in code
    x = np.linspace(0.0, 1.0, 5)
    for printed, expected in ((array, np.sin(x) + x * np.cos(x)), (diagonal, 2 * np.cos(x) - x * np.sin(x))):
        np.testing.assert_allclose([float(number) for number in printed.strip("[]").split()], expected, atol=1e-8)


# -- docs/architecture.md -----------------------------------------------------------------------------------------------
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def test_the_architecture_names_paths_that_exist() -> None:
    paths = set(re.findall(r"`([\w./]+(?:\.py|/))`", ARCHITECTURE))
    assert len(paths) > 40
    missing = [path for path in paths if not (ROOT / "polygrad" / path).exists() and not (ROOT / path).exists()]
    assert not missing


def test_the_architecture_shows_every_room() -> None:
    rooms = {path.parent.name for path in (ROOT / "polygrad").glob("*/__init__.py")}
    (picture,) = re.findall(r"```mermaid\n(.*?)```", ARCHITECTURE, re.DOTALL)
    assert rooms == set(re.findall(r"<b>(\w+)/</b>", picture))
    assert rooms <= set(re.findall(r"^\| `(\w+)/`", ARCHITECTURE, re.MULTILINE))


# -- CONTRIBUTING.md ----------------------------------------------------------------------------------------------------
ADDED = """
import sys
import polygrad
import polygrad.rules.elementwise
import polygrad_conformance.cases.elementwise
from polygrad.rules.declare import OPS

assert "sech" not in OPS
entry, case = {blocks!r}
exec(entry, vars(polygrad.rules.elementwise))
exec(case, vars(polygrad_conformance.cases.elementwise))
from polygrad.cli import main
sys.argv = ["polygrad", "conformance", "--op", "sech"]
main()
"""


def test_an_operation_is_added_as_the_page_says() -> None:
    """The entry and the case of the page are put into their tables, and the conformance suite runs the new operation."""
    for library in ("torch", "mpmath", "scipy", "msgspec", "typer", "rich"):
        if importlib.util.find_spec(library) is None:
            pytest.skip(f"the conformance suite needs {library}")
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 2
    run = subprocess.run(
        [sys.executable, "-c", ADDED.format(blocks=blocks)], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert re.search(r"1 ops?\b", run.stdout), run.stdout


# -- what is said twice -------------------------------------------------------------------------------------------------
def test_one_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.findall(r"^version: (.*)$", citation, re.MULTILINE) == [polygrad.__version__] == [project["version"]]
    assert f"license: {project['license']}\n" in citation
    assert f"\n## [{polygrad.__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_pre_commit_runs_what_lint_runs() -> None:
    lint = (ROOT / "noxfile.py").read_text(encoding="utf-8").partition("def lint(")[2].partition("\n@")[0]
    commands = [" ".join(re.findall(r'"([^"]+)"', line)) for line in lint.splitlines() if "session.run(" in line]
    hooks = re.findall(r"^ *entry: (.*)$", (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"), re.MULTILINE)
    assert hooks == commands
    assert len(commands) == 2


def test_the_sdist_has_every_page() -> None:
    hatch = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]["targets"]
    included = set(hatch["sdist"]["include"])
    files = [*ROOT.glob("*.md"), *ROOT.glob("*.cff"), ROOT / ".editorconfig", ROOT / ".pre-commit-config.yaml"]
    assert {f"/{path.name}" for path in files} <= included
    assert all((ROOT / name.removeprefix("/")).exists() for name in included)
