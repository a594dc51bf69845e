"""How far a Tensor gets through another library's functions: the outcome of one call, written as text, on fixed inputs.

A call reaches if its result is on the graph and its gradient is that of the same call on plain NumPy arrays, by finite differences.
"""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

import polygrad as pg

EPS = 1e-6
OUTCOMES = {
    "gradient": "on the graph, with the right gradient",
    "constant": "off the graph, and locally constant indeed",
    "raises": "an error",
    "warned": "off the graph, although it is not constant, with a warning",
    "detached": "off the graph without a warning, although it is not constant",
    "partly": "a part of the result has been detached, with a warning",
    "nan": "the right value, and a gradient that is not finite",
    "differs": "another value than with NumPy arrays",
    "wrong": "on the graph, with a wrong gradient",
}
"""What may become of a call. "detached" and "wrong" are never right, whatever a table says."""
MODES = {"": contextlib.nullcontext, "allow_detach": pg.interop.allow_detach, "zero_absorbing": pg.zero_absorbing}
TALLY: dict[str, Counter[str]] = {}
"""The outcomes by library, for the summary."""


@dataclasses.dataclass
class Reached:
    """What became of a call."""

    outcome: str
    detail: str = ""


def outputs(value: Any) -> Iterator[Any]:
    """The arrays and floating numbers in a result: in tuples, lists, mappings, and the fields of result objects."""
    if isinstance(value, pg.Tensor | np.ndarray | np.generic | float | complex):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from outputs(part)
    elif isinstance(value, tuple | list):
        for part in value:
            yield from outputs(part)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from outputs(getattr(value, field.name))
    elif hasattr(value, "data_vars"):
        for part in value.data_vars.values():
            yield from outputs(part)
    elif type(value).__module__.startswith("xarray."):
        yield value.data


def floating(value: Any) -> list[Any]:
    """The outputs that could have a gradient."""

    def is_floating(part: Any) -> bool:
        dtype = part.dtype if hasattr(part, "dtype") else np.asarray(part).dtype
        return pg.backend.dtype_name(dtype).startswith(("float", "complex"))

    return [part for part in outputs(value) if is_floating(part)]


def host(value: Any) -> Any:
    return np.asarray(value.tolist()) if isinstance(value, pg.Tensor) else np.asarray(value)


def weights(parts: list[Any]) -> list[Any]:
    """Fixed numbers of the shapes of the outputs, complex where these are, and 0 for what is not finite."""
    rng = np.random.default_rng(7)
    made = []
    for part in map(host, parts):
        w = rng.uniform(0.5, 1.5, size=part.shape)
        if part.dtype.kind == "c":
            w = w + 1j * rng.uniform(0.5, 1.5, size=part.shape)
        made.append(np.where(np.isfinite(part), w, 0.0))
    return made


def inner(parts: list[Any], ws: list[Any]) -> float:
    """The real inner product with the weights."""
    return float(
        sum(np.sum(np.real(np.conj(w) * np.where(w == 0, 0, host(part)))) for part, w in zip(parts, ws, strict=True))
    )


class Call:
    """A call as text, the inputs that it names, and what else it may name."""

    def __init__(self, text: str, scope: dict[str, Any], inputs: dict[str, Any], wrap: Any = None) -> None:
        mode, self.expression = re.fullmatch(r"(?:\[(\w+)\] )?(.*)", text).groups()
        self.mode = MODES[mode or ""]
        names = {node.id for node in ast.walk(ast.parse(self.expression, mode="eval")) if isinstance(node, ast.Name)}
        self.scope = scope
        self.wrap = wrap if wrap is not None else lambda name, array: array
        self.arrays = {name: inputs[name] for name in sorted(names) if name in inputs}
        rng = np.random.default_rng(3)
        self.directions = {}
        for name, a in self.arrays.items():
            if a.dtype.kind in "fc":
                d = rng.normal(size=a.shape)
                self.directions[name] = d + 1j * rng.normal(size=a.shape) if a.dtype.kind == "c" else d

    def __call__(self, arrays: dict[str, Any]) -> list[Any]:
        """The floating outputs; warnings of the library are not our concern."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("always", pg.errors.DetachWarning)
            given = {name: self.wrap(name, array) for name, array in arrays.items()}
            return floating(eval(self.expression, {**self.scope, **given}))

    def slope(self, ws: list[Any]) -> float:
        """The derivative of the weighted sum of outputs along the directions, by differences on plain NumPy arrays."""

        def at(step: float) -> float:
            moved = {
                name: a + step * self.directions[name] if name in self.directions else a.copy()
                for name, a in self.arrays.items()
            }
            return inner(self(moved), ws)

        return (8 * (at(EPS) - at(-EPS)) - (at(2 * EPS) - at(-2 * EPS))) / (12 * EPS)


def reach(
    text: str,
    scope: dict[str, Any],
    inputs: dict[str, Any],
    wrap: Any = None,
    backend: str = "numpy",
    rtol: float = 1e-5,
) -> Reached:
    """Make the call with Tensors in the place of the inputs that it names, and judge the result.

    Args:
        scope: what else the text may name.
        inputs: NumPy arrays by name; those of floating and complex dtype require grad.
        wrap: ``wrap(name, array)`` is what the call gets in the place of an input.
    """
    call = Call(text, scope, inputs, wrap)
    leaves = {
        name: pg.tensor(a, backend=backend, requires_grad=name in call.directions) for name, a in call.arrays.items()
    }
    with warnings.catch_warnings(record=True) as caught, call.mode():
        try:
            # clones, for in-place operations may not hit a leaf that requires grad
            result = call({name: leaf.clone() for name, leaf in leaves.items()})
        except Exception as error:
            return Reached("raises", f"{type(error).__name__}: {error}")
    warned = any(issubclass(each.category, pg.errors.DetachWarning) for each in caught)
    expected = call({name: a.copy() for name, a in call.arrays.items()})
    if [host(r).shape for r in result] != [host(e).shape for e in expected]:
        return Reached("differs", f"shapes {[host(r).shape for r in result]}, not {[host(e).shape for e in expected]}")
    for r, e in zip(result, expected, strict=True):
        if not np.allclose(host(r), host(e), rtol=1e-8, atol=1e-10, equal_nan=True):
            return Reached("differs", f"value {host(r)!r}, not {host(e)!r}")

    ws = weights(expected)
    wanted = call.slope(ws)
    tracked = [(r, w) for r, w in zip(result, ws, strict=True) if isinstance(r, pg.Tensor) and r.requires_grad]
    if not tracked:
        constant = abs(wanted) < 1e-9
        return Reached(
            "constant" if constant else "warned" if warned else "detached", f"off the graph, slope {wanted:.3g}"
        )
    try:
        with call.mode(), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # where the gradient is not finite
            grads = pg.autograd.grad(
                [r for r, _ in tracked],
                [leaves[name] for name in call.directions],
                [pg.tensor(np.asarray(w), dtype=r.dtype, backend=backend) for r, w in tracked],
                materialize_grads=True,
            )
    except Exception as error:
        return Reached("raises", f"in the backward pass: {type(error).__name__}: {error}")
    terms = [np.real(np.conj(host(g)) * d) for g, d in zip(grads, call.directions.values(), strict=True)]
    got = float(sum(np.sum(term) for term in terms))
    scale = 1.0 + abs(wanted) + float(sum(np.sum(np.abs(term)) for term in terms))
    if abs(got - wanted) <= rtol * scale:
        return Reached("gradient")
    loose = len(result) - len(tracked)
    detail = f"slope {got!r}, by finite differences {wanted!r}; {loose} of {len(result)} outputs off the graph"
    return Reached("partly" if warned else "wrong" if np.isfinite(got) else "nan", detail)


def check(
    library: str,
    outcome: str,
    text: str,
    scope: dict[str, Any],
    inputs: dict[str, Any],
    strict: bool = True,
    **options: Any,
) -> None:
    """Assert what becomes of a call, and count it. Unless ``strict``, it may also reach where the table says that it does not."""
    found = reach(text, scope, inputs, **options)
    TALLY.setdefault(library, Counter())[found.outcome] += 1
    allowed = {outcome} if strict else {outcome, "gradient", "constant"}
    assert found.outcome in allowed, f"{text}: {found.outcome}, not {outcome}: {found.detail}"


def summary() -> list[str]:
    """A line for each library: how many of the calls reach, and what becomes of the others."""
    lines = []
    for library, tally in sorted(TALLY.items()):
        total = sum(tally.values())
        good = tally["gradient"] + tally["constant"]
        shares = ", ".join(f"{tally[name]} {name}" for name in OUTCOMES if tally[name])
        lines.append(f"{library}: {good} of {total} calls reach ({shares})")
    return lines
