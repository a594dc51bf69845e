"""Docstrings begin with a sentence in the imperative, or name the thing: what ruff cannot see.

Ruff's pydocstyle rules hold the mood of functions. Here are the openings of classes, properties, attributes and modules, in every file for
which the rules are switched on in ``pyproject.toml``.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("polygrad", "backends/polygrad_backends", "conformance/polygrad_conformance")
QUESTIONS = re.compile(r"(What|Which|Whether|How|Who|Whom|Whose|Where|When|Why)\b")


def switched_off() -> list[str]:
    """The patterns of files for which ruff's pydocstyle rules are off, those in braces one by one."""
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    patterns = [pattern for pattern, codes in lint["per-file-ignores"].items() if "D" in codes]
    found = []
    for pattern in patterns:
        braces = re.fullmatch(r"(.*)\{(.*)\}(.*)", pattern)
        found += [f"{braces[1]}{name}{braces[3]}" for name in braces[2].split(",")] if braces else [pattern]
    return [pattern.removesuffix("*") for pattern in found]


OFF = switched_off()
FILES = sorted(
    path
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
    if not path.relative_to(ROOT).as_posix().startswith(tuple(OFF))
)


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """Every string of a file that stands alone, with its line: docstrings, and descriptions of the line above."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.lineno, node.value.value


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_docstring_begins_with_a_question(path: Path) -> None:
    found = [(line, text.partition("\n")[0]) for line, text in texts(path) if QUESTIONS.match(text.strip())]
    assert not found


def test_rooms_are_looked_at() -> None:
    rooms = {path.relative_to(ROOT).parts[1] for path in FILES}
    assert {"engine", "show", "debug", "nn", "interop", "autograd", "compiler", "utils", "errors.py"} <= rooms
