"""The examples of docs/consumers.md run as they stand."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "consumers.md").read_text()
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: str(PAGE[: PAGE.index(example)].count("\n") + 1))
def test_the_example_runs(example: str) -> None:
    for name in re.findall(r"^(?:import|from) (\w+)", example, flags=re.MULTILINE):
        pytest.importorskip(name)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=r"float\(tensor\)")
        exec(compile(example, "docs/consumers.md", "exec"), {})


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 6


def tables() -> dict[str, tuple[int, int]]:
    """How many calls the tables list for each library and package, and how many of these reach."""
    from support.consumers import scipy_calls, sklearn_calls, xarray_calls
    from support.consumers.scipy_calls import SINCE, listed, others

    from .test_scipy import home

    counts: dict[str, tuple[int, int]] = {}

    def count(name: str, reach: int) -> None:
        tried, good = counts.get(name, (0, 0))
        counts[name] = (tried + 1, good + reach)

    for name, module in (("scikit-learn", sklearn_calls), ("xarray", xarray_calls)):
        reach = len(listed(module.GRADIENT) + listed(module.CONSTANT))
        tried = reach + sum(len(listed(calls)) for _, _, calls in module.OTHERS)
        counts[f"{name} {module.VERSION}"] = (tried, reach)
    for version in (scipy_calls.VERSION, *SINCE):
        texts = [(text, 1) for text in listed(scipy_calls.GRADIENT) + listed(scipy_calls.CONSTANT)]
        texts += [(text, int(outcome in ("gradient", "constant"))) for outcome, text in others(version)]
        for text, reach in texts:
            count(f"SciPy {version}", reach)
            if version == scipy_calls.VERSION:
                count(home(text).removeprefix("scipy."), reach)
    return counts


def test_the_numbers_are_those_of_the_tables() -> None:
    """What becomes of each call of the tables is tested; here, that the page counts them right."""
    pytest.importorskip("scipy")
    pytest.importorskip("sklearn")
    pytest.importorskip("xarray")
    counts = tables()
    rows = re.findall(r"^\| (.+?) \| (\d+) \| (\d+) \|", PAGE, flags=re.MULTILINE)
    for label, tried, reach in rows:
        names = re.findall(r"`(\w+)", label) or [label]
        if label.startswith(("einops", "opt_einsum")):
            continue
        found = [counts[name] for name in names]
        assert (sum(t for t, _ in found), sum(r for _, r in found)) == (int(tried), int(reach)), label
    assert {"SciPy 1.17", "SciPy 1.18", "scikit-learn 1.9", "xarray 2026.9", "`stats`"} <= {
        label for label, _, _ in rows
    }
