"""The examples of the documentation run, and print what the page says they print."""

from __future__ import annotations

import doctest
import linecache
import re
from pathlib import Path

import numpy as np
import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {"debugging.md": (), "jax.md": ("jax",), "bridges.md": ("jax", "torch")}
"""Each page, and the libraries that its examples need."""
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.mark.parametrize("page", PAGES)
def test_page(page: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for library in PAGES[page]:
        pytest.importorskip(library)
    blocks = re.findall(r"```(python|text)\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)
    assert blocks
    monkeypatch.chdir(tmp_path)  # examples write files
    scope: dict[str, object] = {"__name__": "__main__"}
    name = f"docs/{page}"
    shown = None
    for kind, text in blocks:
        if kind == "python":
            assert not shown, f"the output of the block before is not on the page:\n{shown}"
            linecache.cache[name] = (len(text), None, text.splitlines(True), name)
            with np.errstate(all="ignore"):  # pages show what polygrad says, not NumPy's warnings beside it
                exec(compile(text, name, "exec"), scope)
            shown = capsys.readouterr().out
        else:
            assert shown is not None, f"no code before this output:\n{text}"
            assert doctest.OutputChecker().check_output(text, shown, FLAGS), f"expected:\n{text}\ngot:\n{shown}"
            shown = None
    assert not shown
