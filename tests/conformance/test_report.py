"""The report: Markdown, the comparison of runs, and the page, driven in a real browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("msgspec")
pytest.importorskip("jinja2")

from polygrad_conformance.report.diff import compare
from polygrad_conformance.report.markdown import markdown
from polygrad_conformance.report.page import page
from polygrad_conformance.report.schema import Cell, OpResult, Reason, ScenarioResult
from support.example_runs import run

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")


# -- Markdown ---------------------------------------------------------------------------------------------------------
def test_markdown_counts_each_status_and_gives_the_reasons() -> None:
    text = markdown([run(), run("jax")])
    lines = text.splitlines()
    assert lines[0] == "# Which gradients are right"
    (overview,) = [line for line in lines if line.startswith("| [numpy]")]
    # ops, samples, passed, failed, known, unsupported, not run, scenarios, programs
    assert overview.split(" | ")[2:] == ["3", "14", "8", "1", "2", "1", "2", "1/2", "8/9", "**fails** |"]
    assert "| the gradient in reverse mode, against the reference | 6 | 1 | 2 | 0 | 0 | 2.5e-1 |" in lines
    assert (
        "- `linalg.det` float64, the gradient in reverse mode, against the reference: 1 of 4. got 1.0 & expected 0.75"
        in lines
    )
    assert "- torch drops the derivative ([discussed](https://example.org/1)): `special.j0`" in lines
    assert "- the library has no j0: `special.j0`" in lines
    assert "- nothing to batch: `sin`" in lines
    assert "- scenario hook order: [1, 2] is not [2, 1]" in lines
    assert "- `sinh` float64 reverse: used to be wrong" in lines
    assert "## jax" in lines


def test_markdown_says_when_a_run_was_not_completed() -> None:
    partial = run()
    partial.info.complete = False
    assert "**The run was not completed**" in markdown([partial])
    assert "| **fails, incomplete** |" in markdown([partial])
    assert "fails, incomplete" in page([partial])


# -- comparing runs -----------------------------------------------------------------------------------------------------
def cell(of: Any, op: str, dtype: str, check: str) -> Cell:
    (found,) = [c for o in of.ops if o.op == op for c in o.cells if (c.dtype, c.check) == (dtype, check)]
    return found


def changes(old: Any, new: Any) -> list[tuple[str, str, str]]:
    return [(c.kind, c.what, c.check) for c in compare(old, new)]


def test_a_run_does_not_differ_from_itself() -> None:
    assert compare(run(), run()) == []


def test_regressions_come_first() -> None:
    old, new = run(), run()
    worse, better = cell(new, "sin", "float64", "value"), cell(new, "linalg.det", "float64", "reverse")
    worse.passed, worse.failed = 1, 1
    better.passed, better.failed, better.failures = 4, 0, []
    assert changes(old, new) == [("regression", "sin", "value"), ("improvement", "linalg.det", "reverse")]
    first = compare(old, new)[0]
    assert first.regression
    assert first.text == "2 passed → 1 failed, 1 passed"


def test_what_is_no_longer_checked_is_a_regression_unless_it_was_not_asked_for() -> None:
    old, new = run(), run()
    del new.ops[1]
    assert changes(old, new) == [("removed", "sin", "")]
    new.info.ops = ["linalg.*"]
    assert changes(old, new) == []
    assert changes(new, old) == [("added", "sin", "")]


def test_a_check_that_stops_running_is_a_regression() -> None:
    old, new = run(), run()
    stopped = cell(new, "sin", "float64", "value")
    stopped.passed, stopped.not_run, stopped.reasons = 0, 2, [Reason("not_run", "torch is not installed", 2)]
    assert changes(old, new) == [("regression", "sin", "value")]


def test_a_loss_of_accuracy_is_told_apart_from_a_regression() -> None:
    old, new = run(), run()
    cell(new, "sin", "float64", "value").relative = 5e-13
    (change,) = compare(old, new)
    assert (change.kind, change.text, change.regression) == ("accuracy", "worst error 1.1e-16 → 5.0e-13", False)


def test_scenarios_and_programs_are_compared() -> None:
    old, new = run(), run()
    new.scenarios[0].status, new.scenarios[0].message = "failed", "flags differ"
    new.scenarios[1] = ScenarioResult("another", "hooks", "passed")
    new.programs.failed = 0
    assert changes(old, new) == [
        ("regression", "leaf flags", "scenario"),
        ("removed", "hook order", "scenario"),
        ("improvement", "random programs", ""),
        ("added", "another", "scenario"),
    ]


def test_runs_of_different_backends_are_not_compared() -> None:
    with pytest.raises(ValueError, match="'numpy' and 'jax'; compare runs of one backend"):
        compare(run(), run("jax"))


# -- the page -----------------------------------------------------------------------------------------------------------
def test_the_page_stands_alone() -> None:
    text = page([run(), run("jax")])
    assert "<script src" not in text
    assert "<link" not in text
    assert "@import" not in text
    assert "url(" not in text
    # the figures are there without its program
    assert "8 passed" in text
    assert "1 failed" in text
    assert "torch 2.13.0" in text


def test_two_runs_of_one_backend_are_refused() -> None:
    with pytest.raises(ValueError, match="different backends, not numpy, numpy"):
        page([run(), run()])


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    if BROWSER is None:
        pytest.skip("no Chromium is installed: apt-get install chromium")
    with playwright.sync_playwright() as started:
        launched = started.chromium.launch(
            executable_path=BROWSER,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ],
        )
        yield launched
        launched.close()


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """The page of both runs, opened from the file system with the network cut off."""
    file = tmp_path / "report.html"
    many = run("jax")
    many.ops += [OpResult(f"zz{i}", "filler", "linear", cells=[Cell("float32", "value", passed=1)]) for i in range(300)]
    file.write_text(page([run(), many]), encoding="utf-8")
    context = browser.new_context(offline=True, viewport={"width": 1200, "height": 900})
    view = context.new_page()
    problems: list[str] = []
    view.on("pageerror", lambda error: problems.append(str(error)))
    view.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    view.goto(file.as_uri())
    view.wait_for_selector("#matrix")
    yield view
    assert problems == []
    context.close()


def rows(view: Any) -> list[str]:
    return [text for text in view.locator("#matrix tbody th").all_inner_texts() if text]


def test_the_table_has_each_operation_with_its_worst_error(opened: Any) -> None:
    assert opened.locator("#found").inner_text() == "303 of 303 operations"
    assert rows(opened)[:3] == ["linalg.det", "sin", "special.j0"]
    sin = opened.locator("#matrix tbody tr", has_text="sin").first
    assert sin.locator("td").all_inner_texts()[:3] == ["numpy", "1.1e-16", "0"]
    det = opened.locator("#matrix tbody tr", has_text="linalg.det").first
    assert det.locator("td.failed").all_inner_texts() == ["✗ 2.5e-1"]


def test_searching(opened: Any) -> None:
    opened.fill("#search", "special j0")
    opened.wait_for_function("document.getElementById('found').textContent === '1 of 303 operations'")
    assert rows(opened) == ["special.j0"]
    opened.fill("#search", "no such thing")
    opened.wait_for_function("document.getElementById('found').textContent === '0 of 303 operations'")


def test_filtering(opened: Any) -> None:
    opened.select_option("#status", "failed")
    opened.wait_for_function("document.getElementById('found').textContent === '1 of 303 operations'")
    assert rows(opened) == ["linalg.det"]
    opened.select_option("#status", "")
    opened.select_option("#family", "filler")
    opened.select_option("#backend", "numpy")
    opened.wait_for_function("document.getElementById('found').textContent === '0 of 303 operations'")
    opened.select_option("#backend", "jax")
    opened.wait_for_function("document.getElementById('found').textContent === '300 of 303 operations'")
    opened.select_option("#family", "")
    opened.select_option("#check", "forward")
    opened.select_option("#status", "unsupported")
    opened.wait_for_function("document.getElementById('found').textContent === '1 of 303 operations'")


def test_opening_an_operation_and_coming_back(opened: Any) -> None:
    opened.click("text=linalg.det")
    opened.wait_for_selector("#title")
    text = opened.locator("main").inner_text()
    assert "torch.linalg.det(x)" in text
    assert "singular matrices <too>" in text
    assert "got 1.0 & expected 0.75 the reference is right (mpmath)." in text
    assert "tolerance: it is ill-conditioned" in text
    scripts = opened.locator("details.failure").first.locator("code").all_inner_texts()
    assert scripts == ["import polygrad\nprint(polygrad.linalg.det(1 < 2))", "import torch\nprint('det')"]
    assert opened.locator("main svg rect").count() > 0
    opened.go_back()
    opened.wait_for_selector("#matrix")


def test_the_other_views(opened: Any) -> None:
    opened.click("button[data-view=scenarios]")
    assert "hooks run in order" in opened.locator("main").inner_text()
    opened.click("button[data-view=programs]")
    assert "0.5 is not 1" in opened.locator("main").inner_text()
    opened.click("button[data-view=reasons]")
    assert "torch drops the derivative" in opened.locator("main").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_readable_on_a_phone(opened: Any, scheme: str) -> None:
    opened.set_viewport_size({"width": 375, "height": 700})
    opened.emulate_media(color_scheme=scheme)
    for address in ("", "#op/linalg.det"):
        opened.goto(opened.url.partition("#")[0] + address)
        opened.wait_for_selector("main *")
        # the page itself does not scroll sideways; the tables do, inside their frames
        assert opened.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    # text stands out from what is behind it, by the ratio that WCAG 2 asks for
    ratio = opened.evaluate(
        """() => {
            const light = (color) => {
                const [r, g, b] = color.match(/[\\d.]+/g).map((part) => part / 255)
                    .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
                return 0.2126 * r + 0.7152 * g + 0.0722 * b;
            };
            const style = getComputedStyle(document.body);
            const both = [light(style.color), light(style.backgroundColor)].sort();
            const failed = getComputedStyle(document.querySelector(".failed")).backgroundColor;
            const marked = [light(style.color), light(failed)].sort();
            return Math.min((both[1] + 0.05) / (both[0] + 0.05), (marked[1] + 0.05) / (marked[0] + 0.05));
        }"""
    )
    assert ratio >= 4.5
