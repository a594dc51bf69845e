"""Every operation has a case, every case can be set up, and what a case says of itself holds."""

from __future__ import annotations

import contextlib
import io
import warnings

import numpy as np
import pytest

import polygrad.nn.functional
from polygrad.rules.declare import OPS

for _module in ("torch", "mpmath", "msgspec", "scipy"):
    pytest.importorskip(_module)

from polygrad_conformance.cases.case import CHECKS_OF_KIND, load  # noqa: E402
from polygrad_conformance.checking.checks import Checker, applicable  # noqa: E402
from polygrad_conformance.checking.outcome import CHECKS  # noqa: E402
from polygrad_conformance.checking.polygrad_side import Polygrad  # noqa: E402
from polygrad_conformance.checking.problem import problems_of  # noqa: E402
from polygrad_conformance.checking.torch_side import Torch  # noqa: E402
from polygrad_conformance.running import script  # noqa: E402

CASES = load()


def test_every_operation_has_a_case() -> None:
    functions = {f"nn.functional.{name}" for name in polygrad.nn.functional.__all__}
    missing = sorted({*OPS, *functions} - set(CASES))
    assert not missing, f"add a case in conformance/polygrad_conformance/cases for {missing}"


def test_no_case_is_of_an_operation_that_is_gone() -> None:
    functions = {f"nn.functional.{name}" for name in polygrad.nn.functional.__all__}
    assert not sorted(set(CASES) - {*OPS, *functions})


def test_a_loose_tolerance_has_a_reason() -> None:
    assert not [op for op, case in CASES.items() if case.tolerance and not case.reason.strip()]
    assert not [op for op, case in CASES.items() if not all(text.strip() for text in case.without.values())]


def test_a_case_has_something_to_be_compared_with() -> None:
    assert not [op for op, case in CASES.items() if case.reference is case.mpmath is case.scipy is None]


@pytest.mark.parametrize("family", sorted({case.family for case in CASES.values()}))
def test_samples_can_be_set_up_and_come_again(family: str) -> None:
    for op, case in CASES.items():
        if case.family != family:
            continue
        for dtype in case.dtypes:
            first, again = list(problems_of(case, dtype, 0)), list(problems_of(case, dtype, 0))
            assert first, f"{op} has no sample in {dtype}"
            for a, b in zip(first, again, strict=True):
                assert a.sample.kind in CHECKS_OF_KIND
                assert a.sample.label == b.sample.label
                for x, y in zip([*a.arrays, *a.directions], [*b.arrays, *b.directions], strict=True):
                    np.testing.assert_array_equal(x, y)


SCRIPTED = [
    "getitem",
    "linalg.eigh",
    "linalg.cholesky_solve",
    "einsum",
    "clip",
    "block_diag",
    "nn.functional.embedding",
    "add",
    "pow",
]


@pytest.mark.parametrize("op", SCRIPTED)
def test_samples_print_as_scripts_that_run(op: str) -> None:
    ours, torch, case = Polygrad("numpy"), Torch(), CASES[op]
    for dtype in case.dtypes:
        for problem in list(problems_of(case, dtype, 0))[:4]:
            checker = Checker(ours, torch, problem, dtype)
            for check in applicable(case, problem.sample, ("value", "reverse", "forward", "reverse_over_reverse")):
                for text in (
                    script.polygrad_script(problem, check, "numpy", checker.cotangents),
                    script.reference_script(problem, check, checker.cotangents),
                ):
                    with contextlib.redirect_stdout(io.StringIO()) as printed, warnings.catch_warnings():
                        warnings.simplefilter("ignore")
                        exec(text, {})
                    assert printed.getvalue().strip()


def test_the_checks_are_those_of_the_schema() -> None:
    assert all(callable(getattr(Checker, check)) for check in CHECKS)
