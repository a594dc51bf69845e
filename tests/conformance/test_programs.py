"""Random programs agree on torch and polygrad, with gradients of two orders; one that does not is found and made small."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import pytest

for _module in ("torch", "msgspec", "hypothesis"):
    pytest.importorskip(_module)

from polygrad_conformance.running.programs import NAMES, Program, Step, compare, lines, run_programs, source  # noqa: E402
from support.planted_defects import plant  # noqa: E402


def test_random_programs(backend: str) -> None:
    found = run_programs(backend, seed=3, examples=50)
    assert not found.failures, f"{found.failures[0].message}\n{found.failures[0].polygrad}"
    assert found.passed > 40
    assert found.steps > 10 * found.passed
    assert len(found.ops) > 0.8 * len(NAMES)


def test_the_same_seed_gives_the_same_programs() -> None:
    one, other = (run_programs("numpy", seed=5, examples=5) for _ in range(2))
    one.duration = other.duration = 0.0
    assert one == other


def test_a_defect_is_found_made_small_and_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, "tanh", 0, lambda xp, out: 1 - out)
    found = run_programs("numpy", seed=0, examples=200)
    assert found.failed == 1
    (failure,) = found.failures
    assert failure.check == "gradient"
    assert "relative error" in failure.message
    assert failure.polygrad.count("\nv") <= 4, (
        failure.polygrad
    )  # at most the three steps that a program has to have, and one more line
    assert "tanh" in failure.polygrad
    printed = []
    for script in (failure.polygrad, failure.reference):
        with contextlib.redirect_stdout(io.StringIO()) as text:
            exec(script, {})
        printed.append(text.getvalue())
    assert all(text.strip() for text in printed)


def test_a_program_is_one_source_for_both_libraries(backend: str) -> None:
    steps = tuple(Step(name, i, i + 1) for i, name in enumerate(NAMES))
    program = Program((((3, 3), "float64", True), ((3,), "complex128", True), ((), "float64", False)), steps)
    made = lines(program)
    assert len(made.used) > 20
    assert compare(program, backend) is None
    for library in ("torch", "polygrad"):
        text: Any = io.StringIO()
        with contextlib.redirect_stdout(text):
            exec(source(program, library, backend), {})
        assert text.getvalue().count("tensor") >= 4
