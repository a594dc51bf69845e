"""The suite catches defects: each is planted in polygrad, and each is reported."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

for _module in ("torch", "mpmath", "msgspec", "scipy"):
    pytest.importorskip(_module)

import polygrad  # noqa: E402
from polygrad.core import record as nodes  # noqa: E402
from polygrad.engine import accumulation  # noqa: E402
from polygrad.engine.hooks import as_tensor  # noqa: E402
from polygrad.rules import declare  # noqa: E402
from polygrad_conformance.cases.case import CASES, load  # noqa: E402
from polygrad_conformance.checking.polygrad_side import Polygrad  # noqa: E402
from polygrad_conformance.checking.torch_side import Torch  # noqa: E402
from polygrad_conformance.running.behaviour import run_scenario  # noqa: E402
from polygrad_conformance.running.ledger import Ledger  # noqa: E402
from polygrad_conformance.running.runner import Options, run_op  # noqa: E402
from polygrad_conformance.scenarios import SCENARIOS  # noqa: E402
from support.planted_defects import plant, rebuild  # noqa: E402

load()


def failing(op: str, dtype: str | None = None) -> dict[str, list[str]]:
    """The checks of an op that fail, with the messages."""
    result = run_op(CASES[op], Options(backend="numpy"), Polygrad("numpy"), Torch(), Ledger([]))
    cells = [cell for cell in result.cells if cell.failed and dtype in (None, cell.dtype)]
    return {cell.check: [failure.message for failure in cell.failures] for cell in cells}


def test_nothing_fails_as_it_is() -> None:
    for op in ("sin", "multiply", "maximum", "max"):
        assert not failing(op)


def test_a_wrong_partial_derivative(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, "sin", 0, lambda xp, x: xp.cos(x) * (1 + 1e-9))
    found = failing("sin", "float64")
    assert {"reverse", "forward", "reverse_over_reverse", "forward_over_reverse"} <= set(found)
    assert "value" not in found


def test_a_partial_derivative_that_is_wrong_by_much_shows_in_finite_differences_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plant(monkeypatch, "sin", 0, lambda xp, x: -xp.cos(x))
    assert "numeric" in failing("sin")


def test_a_derivative_that_is_wrong_in_reverse_mode_only(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, "cumulative_sum", 0, lambda xp, g, **facts: g)
    found = failing("cumulative_sum")
    assert {"reverse", "adjoint", "numeric"} <= set(found)
    assert "forward" not in found


def test_a_missing_conjugate(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not failing("exp")  # what is built here for the first time has no defect
    # Reverse mode multiplies with the conjugate of the partial derivative.
    monkeypatch.setattr(nodes, "conjugate", lambda xp, partial, g: partial)
    rebuild(monkeypatch, "exp")
    found = failing("exp", "complex128")
    assert {"reverse", "adjoint", "numeric"} <= set(found)
    assert "forward" not in found
    assert not failing("exp", "float64")


def test_a_conjugate_that_is_missing_in_reverse_mode_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(
        monkeypatch,
        "vecdot",
        1,
        lambda xp, g, x1, *, axis, x2_shape: _vecdot_without_conjugate(xp, g, x1, axis, x2_shape),
    )
    found = failing("vecdot", "complex128")
    assert {"reverse", "adjoint", "numeric"} <= set(found)
    assert not failing("vecdot", "float64")


def _vecdot_without_conjugate(xp: Any, g: Any, x1: Any, axis: int, shape: tuple[int, ...]) -> Any:
    return declare.fit(xp, xp.expand_dims(g, axis=axis) * xp.conj(x1), shape)


def test_a_dropped_broadcast_sum(monkeypatch: pytest.MonkeyPatch) -> None:
    def first_of_each(xp: Any, g: Any, shape: tuple[int, ...]) -> Any:
        while g.ndim > len(shape):
            g = g[0, ...]
        for i, n in enumerate(shape):
            if n == 1 and g.shape[i] > 1:
                g = xp.take(g, xp.asarray([0]), axis=i)
        return g

    assert not failing("multiply")  # what is built here for the first time has no defect
    monkeypatch.setattr(nodes, "fit", first_of_each)
    rebuild(monkeypatch, "multiply")
    found = failing("multiply", "float64")
    assert {"reverse", "adjoint", "numeric"} <= set(found)


def test_a_wrong_tie_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, "maximum", 0, lambda xp, g, x1, x2: xp.where(x1 < x2, 0.0, g))
    found = failing("maximum")
    assert {"reverse", "forward"} <= set(found)
    assert "numeric" not in found


def test_a_leaf_that_does_not_accumulate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accumulation, "_sum", lambda old, g, frame, create_graph: (as_tensor(g, frame), None))
    results = [run_scenario(scenario, "numpy", Ledger([])) for scenario in SCENARIOS.values()]
    failed = [result for result in results if result.status == "failed"]
    assert any("accumul" in result.name or "accumul" in result.script for result in failed), [r.name for r in failed]


def test_an_input_that_is_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Polygrad.run

    def meddle(self: Any, problem: Any, tensors: Any) -> Any:
        out = original(self, problem, tensors)
        for tensor in tensors:
            array = tensor.detach().array if isinstance(tensor, polygrad.Tensor) and not tensor._frame.level else None
            if array is not None and array.size and array.dtype == np.float64:
                array[...] = array * 2
        return out

    monkeypatch.setattr(Polygrad, "run", meddle)
    assert "mutation" in failing("sin", "float64")


def test_a_gradient_of_the_wrong_dtype(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Polygrad.record

    def narrow(self: Any, *args: Any, **options: Any) -> Any:
        found = original(self, *args, **options)
        found.gradients = tuple([g.astype("float32") if g.dtype == np.float64 else g for g in found.gradients])
        return found

    monkeypatch.setattr(Polygrad, "record", narrow)
    found = failing("sin", "float64")
    assert any("dtype float32" in message for message in found["metadata"])


def test_a_batching_rule_that_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Polygrad.batched
    monkeypatch.setattr(Polygrad, "batched", lambda self, *args: [y[::-1] for y in original(self, *args)])
    assert set(failing("sin", "float64")) == {"vmap"}


def test_what_cannot_be_run_is_never_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    from polygrad_conformance.checking.checks import Checker
    from polygrad_conformance.checking.outcome import NotRun

    def refuse(self: Any) -> Any:
        raise NotRun("it is too hot")

    monkeypatch.setattr(Checker, "numeric", refuse)
    result = run_op(CASES["sin"], Options(backend="numpy"), Polygrad("numpy"), Torch(), Ledger([]))
    numeric = [cell for cell in result.cells if cell.check == "numeric"]
    assert all(cell.passed == 0 and cell.not_run == cell.total and cell.status == "not_run" for cell in numeric)
    assert numeric[0].reasons[0].text == "it is too hot"


def test_a_failure_on_which_the_deciding_oracle_fails_says_what_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Polygrad.values

    def wrong_at_infinity(self: Any, problem: Any, *args: Any) -> Any:  # where mpmath has no incomplete gamma function
        return [np.where(np.isinf(problem.arrays[0]), 0.25, y) for y in original(self, problem, *args)]

    monkeypatch.setattr(Polygrad, "values", wrong_at_infinity)
    (message,) = failing("igamma", "float64")["value"]
    assert "0.25" in message
