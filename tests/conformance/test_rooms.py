"""The rooms of the conformance suite: what may import what, and how large a file may be. All is read from the source."""

from __future__ import annotations

from pathlib import Path

import pytest

import polygrad_conformance
from support.imports import Package

PACKAGE = Package(Path(polygrad_conformance.__file__).parent)
FLOORS: tuple[tuple[str, ...], ...] = (
    ("cases", "scenarios"),
    ("checking",),
    ("report",),
    ("running",),
    ("__init__", "cli", "schema"),
)
"""The rooms from the ground up. A room imports itself and what is below it."""
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
CIRCLES: dict[frozenset[str], str] = {}
"""The circles of files that there are, each with its reason."""
LONG: dict[str, str] = {}
"""Files past 500 lines, each with its reason."""


def room(name: str) -> str:
    """The room of a module."""
    return name.split(".", maxsplit=1)[0]


@pytest.mark.parametrize("name", PACKAGE.modules)
def test_every_file_lies_in_a_room(name: str) -> None:
    assert room(name) in FLOOR, f"{name} lies in no room: give it one in FLOORS"


@pytest.mark.parametrize("name", PACKAGE.modules)
def test_no_file_imports_upwards(name: str) -> None:
    floor = FLOOR[room(name)]
    upwards = [
        f"line {line}: {other} is on floor {FLOOR[room(other)]}"
        for line, other in PACKAGE.own(PACKAGE.modules[name])
        if FLOOR[room(other)] > floor or (FLOOR[room(other)] == floor and room(other) != room(name))
    ]
    assert not upwards, f"{name} is on floor {floor}, and imports what is not below it: {upwards}"


def test_there_is_no_circle_but_those_named() -> None:
    assert PACKAGE.circles() == set(CIRCLES)


def test_no_file_is_long_without_a_reason() -> None:
    long = {
        path.relative_to(PACKAGE.root).as_posix()
        for path in PACKAGE.files
        if len(path.read_text(encoding="utf-8").splitlines()) > 500
    }
    assert long == set(LONG)
