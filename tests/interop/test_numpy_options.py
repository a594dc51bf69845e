"""Every function of NumPy that takes arrays, option by option: it agrees with NumPy, or it raises.

The options are read from NumPy's signatures, so that a function or an option of a new release is asked about, too.
"""

from __future__ import annotations

import inspect
import io
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polygrad as pg
from support.consumers.call_outcomes import reach
from support.interop.numpy_calls import ARGUMENTS, INPUTS, NOT_ASKED, VALUES, functions

FUNCTIONS = functions()
SCOPE = {"np": np, "io": io}
PAGE = Path(__file__).parents[2] / "docs" / "numpy.md"
TABLE = "| function | options that are honoured | refused |\n|---|---|---|\n"


def calls(name: str) -> Iterator[str]:
    """The call without options, and one for each value of each option."""
    base = ARGUMENTS[name]
    yield f"np.{name}({base})"
    for parameter in inspect.signature(FUNCTIONS[name]).parameters.values():
        if parameter.default is parameter.empty or parameter.name in NOT_ASKED or f"{parameter.name}=" in base:
            continue
        values = VALUES.get(f"{name}.{parameter.name}") or VALUES[parameter.name]
        for value in values:
            if parameter.kind is parameter.POSITIONAL_ONLY:
                yield f"np.{name}({base}, {value})"
            else:
                yield f"np.{name}({base}, {parameter.name}={value})"


def outputs(value: Any) -> Iterator[Any]:
    if isinstance(value, tuple | list):
        for part in value:
            yield from outputs(part)
    else:
        yield value


def host(value: Any) -> np.ndarray:
    return value.detach().numpy() if isinstance(value, pg.Tensor) else np.asarray(value)


def agrees(got: Any, want: Any) -> bool:
    """Whether two results have the same parts, of the same shapes and values."""
    parts, wanted = [host(part) for part in outputs(got)], [np.asarray(part) for part in outputs(want)]
    if len(parts) != len(wanted):
        return False
    return all(
        a.shape == b.shape
        and (a.dtype == b.dtype or b.dtype.kind not in "fc")
        and (np.array_equal(a, b) if b.dtype.kind not in "fc" else close(a, b))
        for a, b in zip(parts, wanted, strict=True)
    )


def close(a: np.ndarray, b: np.ndarray) -> bool:
    single = b.dtype in (np.float32, np.complex64)
    return np.allclose(a, b, rtol=1e-5 if single else 1e-10, atol=1e-6 if single else 1e-12, equal_nan=True)


def outcome(text: str, tracked: bool) -> tuple[str, Any]:
    """What becomes of a call with Tensors in the place of the inputs."""
    arrays = {name: array.copy() for name, array in INPUTS.items()}
    tensors: dict[str, Any] = {}
    for name, array in INPUTS.items():
        tensors[name] = pg.tensor(array, requires_grad=tracked and array.dtype.kind in "fc")
        tensors[name] = tensors[name].clone() if tensors[name].requires_grad else tensors[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            want = eval(text, {**SCOPE, **arrays})
        except Exception as error:
            want = error
        try:
            got = eval(text, {**SCOPE, **tensors})
        except Exception as error:
            return ("refused" if isinstance(error, pg.PolygradError) or isinstance(want, Exception) else "error", error)
    if isinstance(want, Exception):
        return "accepted", want
    if "overwrite_input" not in text and not agrees(list(tensors.values()), list(arrays.values())):
        return "written", tensors
    return ("agrees" if agrees(got, want) else "differs"), (got, want)


def option(text: str, name: str) -> str:
    """The options of a call as text; empty where there are none."""
    return text.removeprefix(f"np.{name}({ARGUMENTS[name]}").removesuffix(")").removeprefix(", ")


def table_row(name: str) -> str:
    """What the documentation says of a function: what works with a gradient, and what is refused."""
    works, refused = [], []
    for text in calls(name):
        found, detail = outcome(text, tracked=True)
        what = option(text, name)
        if found == "refused" and isinstance(detail, pg.PolygradError) and not fails(text):
            refused.append(what)
        elif found == "agrees":
            works.append(what.split("=")[0] if "=" in what else what)
    if "" in refused:
        return f"| `{name}` | | all of it |"
    names = sorted({f"`{what}`" for what in works if what})
    return f"| `{name}` | {', '.join(names)} | {', '.join(f'`{what}`' for what in refused)} |"


def fails(text: str) -> bool:
    """Whether NumPy itself refuses a call."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            eval(text, {**SCOPE, **{name: array.copy() for name, array in INPUTS.items()}})
        except Exception:
            return True
    return False


def test_the_documentation_has_the_table() -> None:
    """Run this file as a program to write the table anew."""
    assert TABLE in PAGE.read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `([\w.]+)` \|.*$", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    assert documented == set(FUNCTIONS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_table_is_right(name: str) -> None:
    if np.lib.NumpyVersion(np.__version__) < "2.4.0":
        pytest.skip("the table is of a newer NumPy")
    assert table_row(name) in PAGE.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_option_is_honoured_or_refused(name: str) -> None:
    bad = []
    for text in calls(name):
        for tracked in (True, False):
            found, detail = outcome(text, tracked)
            if found not in ("agrees", "refused"):
                bad.append((found, text, "tracked" if tracked else "detached", detail))
    assert not bad, "\n".join(map(str, bad))


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if not name.startswith("save")])
def test_the_gradient_of_every_option(name: str) -> None:
    bad = []
    for text in calls(name):
        if "float32" in text:
            continue  # too coarse for differences
        found = reach(text, SCOPE, INPUTS)
        if found.outcome not in ("gradient", "constant", "raises") and (name, found.outcome) != ("nanstd", "nan"):
            bad.append((text, found))
    assert not bad, "\n".join(map(str, bad))


if __name__ == "__main__":
    before, _, _ = PAGE.read_text(encoding="utf-8").partition(TABLE)
    rows = [table_row(name) for name in FUNCTIONS]
    PAGE.write_text(before + TABLE + "\n".join(rows) + "\n", encoding="utf-8")
