"""Random programs: DAGs of operations that hypothesis builds, run on torch and on polygrad, with gradients of two orders.

A program is a list of steps over a growing list of values. It is data, so that it shrinks, and every step is one line of source that
both libraries understand (``lib`` is one or the other), so that a failing program prints as a script.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

import polygrad
from polygrad.errors import UnsupportedError

from ..checking.compare import difference
from ..report.schema import ProgramFailure, Programs
from .script import literal

SHAPES: tuple[tuple[int, ...], ...] = ((3, 3), (3,), (1, 3), (3, 1), (), (2, 3), (2, 1, 3))
VALUE, FIRST, SECOND = 1e-9, 1e-8, 1e-7
"""What values, gradients and second derivatives may differ by, relative to their largest: errors grow along a program."""

# What a step does with a value ``a`` and, where it takes one, a value ``b`` that broadcasts with it.
# Numbers stay of order 1, and away from kinks as far as can be.
UNARY = {
    "sin": "lib.sin({a})",
    "cos": "lib.cos({a})",
    "tanh": "lib.tanh({a}) * 1.5",
    "exp": "lib.exp({a} * 0.3)",
    "log": "lib.log({a} * {a} + 1.0)",
    "sqrt": "lib.sqrt({a} * {a} + 0.5)",
    "reciprocal": "1.0 / ({a} * {a} + 1.0)",
    "square": "{a} ** 2 * 0.1",
    "negative": "-{a}",
    "scalar": "2.0 - {a} / 3",
    "sigmoid": "lib.sigmoid({a})",
    "clone": "{a}.clone()",
    "detach": "{a}.detach() * 1.5",
    "sum": "{a}.sum() * 0.3",
    "mean": "{a}.mean()",
    "ravel": "{a}.reshape(-1)",
    "unsqueeze": "{a}.unsqueeze(0) * 0.8",
}
ROWS = {  # of values with an axis at least
    "first": "{a}[0]",
    "slice": "{a}[..., 1:]",
    "step": "{a}[..., ::2]",
    "gather": "{a}[[0, -1, 0]]",
    "flip": "{a}.flip(-1)",
    "sum last": "{a}.sum(-1)",
    "sum first": "{a}.sum(0)",
    "keep": "{a} - {a}.sum(-1)[..., None] * 0.2",
    "cumsum": "{a}.cumsum(-1) * 0.5",
    "softmax": "lib.softmax({a}, -1)",
    "logsumexp": "{a}.logsumexp(-1)",
    "stack": "lib.stack([{a}, {a} * 0.5])[1]",
    "roll": "{a}.roll(1, 0)",
    "new axis": "{a}[..., None] * 0.7",
}
MATRICES = {  # of values with two axes at least
    "transpose": "{a}.transpose(-1, -2)",
    "gram": "{a} @ {a}.mT * 0.3",
    "triangle": "lib.tril({a})",
    "column": "{a}[..., :, 0]",
}
BINARY = {
    "add": "{a} + {b}",
    "subtract": "{a} - {b} * 0.5",
    "multiply": "{a} * {b}",
    "divide": "{a} / ({b} * {b} + 1.0)",
    "where": "lib.where({a} > {b}, {a}, {b} * 2)",
    "maximum": "lib.maximum({a}, {b})",
    "atan2": "lib.atan2({a}, {b} * {b} + 0.5)",
}
IN_PLACE = {  # on a fresh copy, so that torch has saved nothing of it
    "mul_": "{v}.mul_(1.1)",
    "sub_": "{v}.sub_({a}.detach() * 0.5)",
    "set masked": "{v}[{v} > 1.0] = 0.5",
    "neg_": "{v}.neg_()",
    "quiet": "with lib.no_grad(): {v}.detach().mul_(1.05)",
}
IN_PLACE_ROWS = {
    "set first": "{v}[0] = {a}[-1] * 1.0",
    "view": "{v}[..., 0].mul_(0.5)",
    "chain": "{v}[..., :1][0:1].add_(0.25)",
    "fill": "{v}[..., -1:].zero_()",
}
COMPLEX = {  # of complex values
    "conj": "{a}.conj() * 1.0",
    "phase": "{a} * (0.6 + 0.8j)",
    "real": "{a}.real + {a}.imag * 0.5",
    "modulus": "({a} * {a}.conj()).real",
    "exp": "lib.exp({a} * 0.3)",
    "sin": "lib.sin({a} * 0.5)",
    "add": "{a} + {b}",
    "multiply": "{a} * {b}",
    "divide": "{a} / ({b} * {b}.conj() + 1.0)",
    "sum": "{a}.sum() * 0.3",
    "negative": "-{a}",
    "square": "{a} ** 2 * 0.1",
    "detach": "{a}.detach() * 1.5",
    "clone": "{a}.clone()",
}


@dataclass(frozen=True)
class Step:
    """One line: which operation, on which values (modulo how many there are)."""

    name: str
    left: int
    right: int


@dataclass(frozen=True)
class Program:
    """Leaves, and what is done with them."""

    leaves: tuple[tuple[tuple[int, ...], str, bool], ...]
    """Shape, dtype and whether it requires grad, of each."""
    steps: tuple[Step, ...]
    seed: int = 0

    def arrays(self) -> list[np.ndarray]:
        """The leaves' numbers."""
        rng = np.random.default_rng(self.seed)
        out = []
        for shape, dtype, _ in self.leaves:
            x = rng.normal(size=shape) * 0.5
            out.append(
                np.asarray(x + 1j * rng.normal(size=shape) * 0.5 if dtype.startswith("complex") else x, dtype=dtype)
            )
        return out


NAMES = sorted({*UNARY, *ROWS, *MATRICES, *BINARY, *IN_PLACE, *IN_PLACE_ROWS, *COMPLEX})
_index = st.integers(0, 60)
programs = st.builds(
    Program,
    leaves=st.lists(
        st.tuples(
            st.sampled_from(SHAPES),
            st.sampled_from(["float64", "float64", "complex128"]),
            st.sampled_from([True, True, False]),
        ),
        min_size=1,
        max_size=3,
    ).map(tuple),
    steps=st.integers(3, 60)
    .flatmap(lambda n: st.lists(st.builds(Step, st.sampled_from(NAMES), _index, _index), min_size=n, max_size=n))
    .map(tuple),
    seed=st.integers(0, 7),
)


@dataclass
class Lines:
    """A program as source: what each step became, where the shapes let it mean anything."""

    body: list[str] = field(default_factory=list)
    used: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)


def lines(program: Program) -> Lines:
    """The source of a program. A step that does not fit its value is left out; shapes and kinds are followed on the way."""
    out = Lines()
    values: list[tuple[str, np.ndarray]] = []
    for i, (shape, dtype, _) in enumerate(program.leaves):
        values.append((f"x{i}", np.zeros(shape, dtype=dtype)))
    for step in program.steps:
        name, a = values[step.left % len(values)]
        other, b = values[step.right % len(values)]
        text = _fitting(step.name, a, b)
        if text is None:
            continue
        target = f"v{len(values)}"
        if "{v}" in text:
            source = [f"{target} = {name} * 1.0", text.format(v=target, a=name)]
            result = a
        else:
            expression = text.format(a=name, b=other)
            source = [f"{target} = {expression}"]
            result = _shape_of(text, a, b)
        if result.size > 60 or result.ndim > 4:
            continue
        out.body += source
        out.used.append(step.name)
        values.append((target, result))
    out.outputs = [name for name, _ in values]
    return out


def _fitting(name: str, a: np.ndarray, b: np.ndarray) -> str | None:
    """The source of a step, if its values fit."""
    binary = name in BINARY or name in ("add", "multiply", "divide")
    if binary:
        try:
            np.broadcast_shapes(a.shape, b.shape)
        except ValueError:
            return None
    if a.dtype.kind == "c" or (binary and b.dtype.kind == "c"):
        return COMPLEX.get(name)
    tables: list[dict[str, str]] = [UNARY, BINARY, IN_PLACE]
    if a.ndim and a.shape[0] and a.shape[-1]:
        tables += [ROWS, IN_PLACE_ROWS]
    if a.ndim >= 2 and a.shape[-1] and a.shape[-2]:
        tables.append(MATRICES)
    return next((table[name] for table in tables if name in table), None)


def _shape_of(text: str, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return what a step makes of values of these shapes and kinds: torch says so, on zeros."""
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        out = eval(text.format(a="a", b="b"), {"lib": torch, "a": torch.tensor(a), "b": torch.tensor(b)})
        return np.zeros(tuple(out.shape), dtype=str(out.dtype).removeprefix("torch."))


def source(program: Program, library: str, backend: str = "") -> str:
    """The program as a script: values, gradient, second derivatives."""
    made = lines(program)
    arrays = program.arrays()
    options = f', backend="{backend}"' if backend and library == "polygrad" else ""
    head = ["import numpy as np", f"import {library} as lib", ""]
    for i, (array, (_, _, tracked)) in enumerate(zip(arrays, program.leaves, strict=True)):
        head.append(f"x{i} = lib.tensor({literal(array)}, requires_grad={tracked}{options})")
    wanted = [f"x{i}" for i, (_, _, tracked) in enumerate(program.leaves) if tracked]
    tail = [
        f"total = sum((v.real + v.imag * 0.5 if v.is_complex() else v).sum() for v in [{', '.join(made.outputs)}])",
        "print(total)",
    ]
    if wanted:
        tail += [
            "if total.requires_grad:",
            f"    gs = lib.autograd.grad(total, [{', '.join(wanted)}], create_graph=True, materialize_grads=True)",
            "    print(*gs, sep='\\n')",
            "    norm = sum((g * g.conj()).real.sum() if g.is_complex() else (g * g).sum() for g in gs)",
            "    if norm.requires_grad:",
            f"        print(*lib.autograd.grad(norm, [{', '.join(wanted)}], materialize_grads=True), sep='\\n')",
        ]
    return "\n".join([*head, *made.body, *tail]) + "\n"


Results = tuple[np.ndarray, list[np.ndarray], list[np.ndarray]]


def execute(
    program: Program, lib: Any, make: Callable[[np.ndarray, bool], Any], host: Callable[[Any], np.ndarray]
) -> Results:
    """Value, gradient and second derivatives of a program in a library."""
    made = lines(program)
    space: dict[str, Any] = {"lib": lib}
    leaves = [make(array, tracked) for array, (_, _, tracked) in zip(program.arrays(), program.leaves, strict=True)]
    space |= {f"x{i}": leaf for i, leaf in enumerate(leaves)}
    exec("\n".join(made.body), space)
    parts = [space[name] for name in made.outputs]
    total = sum(((v.real + v.imag * 0.5) if v.is_complex() else v).sum() for v in parts)
    wanted = [leaf for leaf, (_, _, tracked) in zip(leaves, program.leaves, strict=True) if tracked]
    if not wanted or not total.requires_grad:
        return host(total), [], []
    gradients = lib.autograd.grad(total, wanted, create_graph=True, materialize_grads=True)
    norm = sum((g * g.conj()).real.sum() if g.is_complex() else (g * g).sum() for g in gradients)
    second = lib.autograd.grad(norm, wanted, materialize_grads=True) if norm.requires_grad else []
    return host(total), [host(g) for g in gradients], [host(h) for h in second]


def compare(program: Program, backend: str) -> ProgramFailure | str | None:
    """Run a program on both. A failure; or why it means nothing; or None: they agree."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            theirs = execute(
                program, torch, lambda a, t: torch.tensor(a, requires_grad=t), lambda y: np.array(y.numpy(force=True))
            )
        except RuntimeError as error:
            return f"torch: {str(error).splitlines()[0]}"
        if not all(
            np.isfinite(x).all() and np.abs(x).max(initial=0) < 1e12 for x in (theirs[0], *theirs[1], *theirs[2])
        ):
            return "a value overflows"
        try:
            ours = execute(
                program,
                polygrad,
                lambda a, t: polygrad.tensor(a, backend=backend, requires_grad=t),
                lambda y: np.array(y.detach().numpy()),
            )
        except UnsupportedError as error:
            return str(error).splitlines()[0]
        except Exception as error:
            text = str(error).splitlines()[0] if str(error) else ""
            return _failure(program, backend, "error", f"polygrad raises {type(error).__name__}: {text}")
    pairs: list[tuple[str, Sequence[np.ndarray], Sequence[np.ndarray], float]] = [
        ("value", [ours[0]], [theirs[0]], VALUE),
        ("gradient", ours[1], theirs[1], FIRST),
        (
            "second order",
            ours[2] or [np.zeros_like(g) for g in theirs[2]],
            theirs[2] or [np.zeros_like(g) for g in ours[2]],
            SECOND,
        ),
    ]
    for check, got, want, limit in pairs:
        if len(got) != len(want):
            return _failure(program, backend, check, f"{len(got)} arrays, torch has {len(want)}")
        for i, (g, w) in enumerate(zip(got, want, strict=True)):
            found = difference(g, w, 1.0, where=f"{check} {i} " if len(got) > 1 else f"{check} ")
            if found.relative > limit:
                return _failure(program, backend, check, f"{found.message}: relative error {found.relative:.1e}")
    return None


def _failure(program: Program, backend: str, check: str, message: str) -> ProgramFailure:
    return ProgramFailure(
        check=check, message=message, polygrad=source(program, "polygrad", backend), reference=source(program, "torch")
    )


class _Enough(Exception):
    """The time is up."""


def run_programs(backend: str, seed: int = 0, examples: int = 300, seconds: float = 90.0) -> Programs:
    """Random programs on a backend. The first that fails is made as small as it can be, and ends the search.

    Args:
        examples: how many at most.
        seconds: when to stop if there is no failure; a library that compiles takes seconds for each program.
    """
    started = time.perf_counter()
    found = Programs()
    last: list[ProgramFailure] = []

    def fails(program: Program) -> bool:
        if not last and time.perf_counter() - started > seconds:
            raise _Enough
        made = lines(program)
        outcome = compare(program, backend)
        if not last:
            found.generated += 1
            found.steps += len(made.used)
            for name in made.used:
                found.ops[name] = found.ops.get(name, 0) + 1
            if outcome is None:
                found.passed += 1
            elif isinstance(outcome, str):
                found.discarded += 1
        if isinstance(outcome, ProgramFailure):
            last.append(outcome)
            return True
        return False

    import random

    options = settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    with polygrad.use_backend(backend), np.errstate(all="ignore"):
        try:
            find(programs, fails, settings=options, random=random.Random(seed))
        except (NoSuchExample, _Enough):
            pass
        else:
            found.failed = 1
            found.failures = [last[-1]]
    found.ops = dict(sorted(found.ops.items()))
    found.duration = round(time.perf_counter() - started, 2)
    return found
