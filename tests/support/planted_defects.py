"""Planting defects: an operation is built anew with another derivative, for the time of a test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import polygrad
from polygrad.core import record as nodes
from polygrad.rules.declare import OPS
from polygrad_conformance.cases.case import CASES, load


def rebuild(monkeypatch: pytest.MonkeyPatch, op: str) -> None:
    """Build an operation again; the one that was built before comes back after the test."""
    load()
    function: Any = polygrad.namespace("numpy")
    for part in op.split("."):
        function = getattr(
            function, part
        )  # looked up and kept before the defect is there, so that it does not outlive the test
    before = CASES[op].function, OPS[op].call, getattr(polygrad, op, None)  # so that there is something to put back
    assert before[0] is before[1]
    monkeypatch.setattr(nodes, "_classes", {key: kind for key, kind in nodes._classes.items() if key[0] != op})
    monkeypatch.setattr(OPS[op], "_call", None)
    planted = OPS[op].call
    monkeypatch.setitem(CASES[op].__dict__, "function", planted)
    if before[2] is not None:
        monkeypatch.setattr(polygrad, op, planted)


def plant(monkeypatch: pytest.MonkeyPatch, op: str, number: int, function: Callable[..., Any]) -> None:
    """Put another derivative with respect to an argument in the place of the right one."""
    assert OPS[op].call is not None  # the right one is built, with its node class, before the defect is there
    if OPS[op].form == "elementwise":
        monkeypatch.setattr(OPS[op].partial_rules[number], "function", function)
        partials = OPS[op].partials
        monkeypatch.setattr(OPS[op], "partials", (*partials[:number], function, *partials[number + 1 :]))
    else:
        monkeypatch.setattr(OPS[op].vjps[number], "function", function)
    rebuild(monkeypatch, op)
