"""The examples of docs/transforms.md: every line of code runs, and gives what the comment behind it says."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

PAGES = Path(__file__).parents[2] / "docs"


def blocks(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (PAGES / page).read_text(), flags=re.DOTALL)


def promised(line: str) -> str | None:
    """What the comment at the end of a line says the expression is."""
    _, mark, comment = line.partition("  # ")
    return comment.strip() if mark else None


def matches(value: Any, text: str) -> None:
    expected = eval(text, {"array": np.array})
    if isinstance(expected, (bool, float, tuple)) and not isinstance(expected, np.ndarray):
        if isinstance(expected, tuple) and all(isinstance(part, np.ndarray) for part in expected):
            for got, want in zip(value, expected, strict=True):
                np.testing.assert_array_equal(got, want)
            return
        assert value == pytest.approx(expected, rel=1e-6)
        return
    np.testing.assert_allclose(value, expected, rtol=1e-6, atol=1e-8)
    assert value.shape == expected.shape


@pytest.mark.parametrize("page", ["transforms.md"])
def test_the_examples_run_and_say_the_truth(page: str) -> None:
    pytest.importorskip("scipy")
    scope: dict[str, Any] = {}
    seen = 0
    for block in blocks(page):
        lines = block.splitlines()
        for statement in ast.parse(block).body:
            assert statement.end_lineno is not None
            comment = promised(lines[statement.end_lineno - 1]) if isinstance(statement, ast.Expr) else None
            if comment is None:
                exec(compile(ast.Module([statement], []), page, "exec"), scope)
                continue
            matches(eval(compile(ast.Expression(statement.value), page, "eval"), scope), comment)
            seen += 1
    assert seen > 15


def test_every_transform_is_on_the_page() -> None:
    from polygrad import func

    page = (PAGES / "transforms.md").read_text()
    code = "".join(blocks("transforms.md"))
    for name in func.__all__:
        assert f"`{name}" in page, name
        assert f"func.{name}" in code, name
