"""The rooms of the package: what may import what, how large a file may be, and what an import costs. All is read from the source.

Every import counts, at module level, inside a function, and under TYPE_CHECKING: who reads a file has to follow all of them.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import polygrad
from support.imports import Package

PACKAGE = Package(Path(polygrad.__file__).parent)
ROOT = PACKAGE.root
LIBRARIES = {
    "numpy", "torch", "jax", "cupy", "dask", "scipy", "sparse", "ndonnx", "array_api_strict", "array_api_compat", "array_api_extra"
}  # fmt: skip
FLOORS: tuple[tuple[str, ...], ...] = (
    ("errors",),
    ("rules",),
    ("backend",),
    ("core",),
    ("engine", "show"),
    ("levels", "debug"),
    ("array_api", "utils"),
    ("func", "nn"),
    ("autograd", "compiler"),
    ("interop",),
    ("__init__", "__main__", "cli", "demo", "extend", "graph"),
)
"""The rooms from the ground up. A room imports itself and what is below it."""
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
CIRCLES = {
    frozenset({"rules.declare", "rules.registry"}): "the registry holds operations, and an operation enters itself",
}
"""The circles of files, each with its reason."""
LONG: dict[str, str] = {
    "interop/numpy_functions.py": "a table: NumPy's functions by name",
}
"""Files past 500 lines, each with its reason."""
HOST = {"backend/host.py": "NumPy as the host of libraries that lack something"}
"""Files outside ``interop`` that import an array library, each with its reason."""


def room(name: str) -> str:
    """The room of a module."""
    return name.split(".", maxsplit=1)[0]


@pytest.mark.parametrize("name", PACKAGE.modules)
def test_every_file_lies_in_a_room(name: str) -> None:
    assert room(name) in FLOOR, f"{name} lies in no room: give it one in FLOORS, and in docs/architecture.md"


@pytest.mark.parametrize("name", PACKAGE.modules)
def test_no_file_imports_upwards(name: str) -> None:
    floor = FLOOR[room(name)]
    upwards = [
        f"line {line}: {other} is on floor {FLOOR[room(other)]}"
        for line, other in PACKAGE.own(PACKAGE.modules[name])
        if FLOOR[room(other)] > floor or (FLOOR[room(other)] == floor and room(other) != room(name) and floor < 10)
    ]
    assert not upwards, f"{name} is on floor {floor}, and imports what is not below it: {upwards}"


def test_there_is_no_circle_but_those_named() -> None:
    assert PACKAGE.circles() == set(CIRCLES)


@pytest.mark.parametrize("path", PACKAGE.files, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_array_library_outside_interop(path: Path) -> None:
    relative = path.relative_to(ROOT)
    if relative.parts[0] == "interop" or relative.as_posix() in HOST:
        return
    assert not {name.split(".")[0] for _, name in PACKAGE.imported(path)} & LIBRARIES


@pytest.mark.parametrize("path", sorted((ROOT / "rules").rglob("*.py")), ids=lambda path: path.stem)
def test_no_explanation_is_thrown_away(path: Path) -> None:
    """In a table a string under an assignment reaches nobody: it is a comment above, or the ``doc`` of an operation."""
    lost = [
        statement.lineno
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(getattr(node, "body", None), list)
        for previous, statement in zip(node.body, node.body[1:], strict=False)
        if isinstance(previous, ast.Assign | ast.AnnAssign)
        and isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
    ]
    assert not lost


def test_no_file_is_long_without_a_reason() -> None:
    long = {path.relative_to(ROOT).as_posix() for path in PACKAGE.files if len(path.read_text().splitlines()) > 500}
    assert long == set(LONG)


def test_the_top_level_has_few_files() -> None:
    assert len([path for path in ROOT.iterdir() if path.is_file()]) <= 8


def test_a_public_name_is_one_thing() -> None:
    """No function of ``polygrad`` shadows a module of the same path."""
    modules = {path.stem for path in ROOT.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    shadowed = [name for name in modules & set(dir(polygrad)) if type(getattr(polygrad, name)) is not type(sys)]
    assert not shadowed


def test_importing_imports_no_array_library() -> None:
    code = (
        "import sys, polygrad; "
        f"print(sorted(set(m.split('.')[0] for m in sys.modules) & {LIBRARIES!r}), "
        "any(m.startswith('polygrad_backends.') for m in sys.modules))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[] False"


@pytest.mark.parametrize("room", ["rules", "nn", "interop"])
def test_no_private_name_of_a_namespace(room: str) -> None:
    """Rules, layers and bridges use of a namespace what ``backend.interface`` lists."""
    private = [
        f"{path.name}:{node.lineno}: xp.{node.attr}"
        for path in (ROOT / room).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "xp"
        if node.attr.startswith("_") and not node.attr.startswith("__")
    ]
    assert not private
