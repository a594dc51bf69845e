"""A failing sample as code that runs as it stands, for polygrad and for the reference."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..cases.case import is_function_name
from ..checking.problem import Problem, is_array


def literal(value: Any) -> str:
    """A value as Python source; an array as nested lists."""
    if isinstance(value, np.ndarray):
        return f'np.array({nested(value.tolist())}, dtype="{value.dtype}").reshape({value.shape})'
    if isinstance(value, (list, tuple)):
        inner = ", ".join(map(literal, value))
        return f"[{inner}]" if isinstance(value, list) else f"({inner}{',' if len(value) == 1 else ''})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(k)}: {literal(v)}" for k, v in value.items()) + "}"
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else f'float("{value!r}")'
    if value is Ellipsis:
        return "..."
    return repr(value)


def nested(value: Any) -> str:
    """Nested lists of numbers as Python source."""
    if isinstance(value, list):
        return "[" + ", ".join(map(nested, value)) + "]"
    if isinstance(value, complex):
        return f"complex({number(value.real)}, {number(value.imag)})"
    return number(value)


def number(value: Any) -> str:
    """A real number, an integer or a truth value as Python source."""
    if isinstance(value, float) and not math.isfinite(value):
        return "np.nan" if math.isnan(value) else "np.inf" if value > 0 else "-np.inf"
    return repr(value)


def _setup(problem: Problem, make: str, track: str) -> tuple[list[str], dict[str, str]]:
    """Lines that make the arrays, and the source of each argument."""
    lines: list[str] = []
    sources: dict[str, str] = {}
    position = 0
    for name, spec, leaves in problem.places:
        texts: list[Any] = []
        for leaf in leaves:
            if is_array(leaf):
                tracked = track if position in problem.which else ""
                data = leaf.T if problem.sample.layout == "strided" and leaf.ndim > 1 else leaf
                turn = f".permute(*{tuple(range(leaf.ndim))[::-1]})" if data is not leaf else ""
                if "polygrad" in make and turn:
                    turn = f".permute_dims({tuple(range(leaf.ndim))[::-1]})"
                if turn and tracked:
                    lines.append(f"t{position} = {make.format(literal(np.ascontiguousarray(data)))}{turn}.detach()")
                    lines.append(f"t{position}.requires_grad_()")
                else:
                    text = make.format(literal(leaf))
                    lines.append(f"t{position} = {text[:-1]}{tracked})")
                texts.append(_Name(f"t{position}"))
                position += 1
            else:
                texts.append(leaf)
        sources[name] = literal(spec.unflatten(texts))
    return lines, sources


class _Name:
    """A name in source code."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def _shaped(problem: Problem, lines: list[str], sources: dict[str, str]) -> None:
    if problem.case.prepare:
        names = [name for name in sources if name in problem.names]
        targets = [f"p{i}" for i in range(len(names))]
        call = f"shaping.{problem.case.prepare}({', '.join(sources[name] for name in names)})"
        lines.append(f"{', '.join(targets)}, = {call}")
        sources.update(zip(names, targets, strict=True))


LIVE = "[y for y in {} if y.is_floating_point() or y.is_complex()]"
TRACKED = "{0}s, {1}s = [[p[i] for p in zip({0}s, {1}s) if p[0].requires_grad] for i in (0, 1)]"
SECOND = ("reverse_over_reverse", "forward_over_reverse")


def _question(
    check: str, problem: Problem, cotangents: list[np.ndarray], library: str, make: str, body: list[str], call: str
) -> list[str]:
    """The lines that call the op and print what the check is about."""
    listed = "list(ys) if isinstance(ys, (tuple, list)) else [ys]"
    names = [f"t{i}" for i in problem.which]
    us = [f"    {make.format(literal(u))}," for u in problem.directions]
    if check == "forward":
        return [
            f"def f({', '.join(names)}):",
            *[
                f"    {line}"
                for line in (*body, f"ys = {call}", f"ys = {listed}", f"return tuple({LIVE.format('ys')})")
            ],
            "us = (  # the direction",
            *us,
            ")",
            f"print({library}.func.jvp(f, ({''.join(f'{name}.detach(), ' for name in names)}), us)[1])",
        ]
    lines = [*body, f"ys = {call}", f"ys = {listed}"]
    if check in ("value", "mutation", "metadata", "vmap") or not names:
        return [*lines, "print(*ys, sep='\\n')"]
    wanted = f"[{', '.join(names)}]"
    vs = [f"    {make.format(literal(v))}," for v in cotangents]
    lines += [f"ys = {LIVE.format('ys')}", "vs = [  # the cotangents", *vs, "]"]
    lines.append(TRACKED.format("y", "v"))
    graph = ", create_graph=True" if check in SECOND else ""
    lines.append(f"gs = {library}.autograd.grad(ys, {wanted}, vs, materialize_grads=True{graph})")
    if graph:
        lines += ["us = [  # the direction", *us, "]", TRACKED.format("g", "u")]
        lines.append(f"gs = {library}.autograd.grad(gs, {wanted}, us, materialize_grads=True) if gs else gs")
    return [*lines, "print(*gs or ['0: nothing requires grad'], sep='\\n')"]


def _wrapped(problem: Problem, call: str) -> str:
    if problem.case.observe:
        call = f"shaping.{problem.case.observe}({call})"
    return call


def _call(problem: Problem, sources: dict[str, str]) -> str:
    """The arguments of a call, each by position or by name as the signature wants it."""
    parts = []
    for name, text in sources.items():
        kind = problem.case.signature.parameters[name].kind
        if kind is kind.VAR_POSITIONAL:
            parts.append(f"*{text}")
        elif kind is kind.KEYWORD_ONLY:
            parts.append(f"{name}={text}")
        else:
            parts.append(text)
    return ", ".join(parts)


def polygrad_script(problem: Problem, check: str, backend: str, cotangents: list[np.ndarray]) -> str:
    """The sample for polygrad."""
    make = "polygrad.tensor({}, backend=backend)"
    lines, sources = _setup(problem, make, ", requires_grad=True")
    head = ["import numpy as np", "import polygrad"]
    if problem.case.prepare or problem.case.observe:
        head.append("from polygrad_conformance.checking import shaping")
    if problem.case.form == "function":
        function = f"polygrad.{problem.case.op}"
    else:
        function = "op"
        head += ["from polygrad.rules.declare import OPS", f'op = OPS["{problem.case.op}"].call']
    head.append(f'backend = "{backend}"')
    body: list[str] = []
    _shaped(problem, body, sources)
    call = _wrapped(problem, f"{function}({_call(problem, sources)})")
    asked = _question(check, problem, cotangents, "polygrad", make, body, call)
    return "\n".join([*head, *lines, *asked]) + "\n"


def reference_script(problem: Problem, check: str, cotangents: list[np.ndarray]) -> str:
    """The sample for torch; empty where torch has no such function."""
    text = problem.case.reference
    if text is None:
        return ""
    lines, sources = _setup(problem, "torch.tensor({})", ", requires_grad=True")
    head = ["import numpy as np", "import torch", "import torch.nn.functional as F"]
    used = [
        name
        for name, wanted in (
            ("references", "references." in text),
            ("shaping", problem.case.prepare or problem.case.observe),
        )
        if wanted
    ]
    if used:
        head.append(f"from polygrad_conformance.checking import {', '.join(used)}")
    body: list[str] = []
    _shaped(problem, body, sources)
    for name in problem.case.array_names:
        if isinstance(problem.bound.arguments.get(name), (int, float, complex)):
            sources[name] = f"torch.tensor({sources[name]})"
    if is_function_name(text):
        call = f"{text}({_call(problem, sources)})"
    else:
        arguments = {name: literal(value) for name, value in problem.defaults().items() if name in text} | sources
        body += [f"{name} = {source}" for name, source in arguments.items() if name in text]
        call = text
    asked = _question(check, problem, cotangents, "torch", "torch.tensor({})", body, _wrapped(problem, call))
    return "\n".join([*head, *lines, *asked]) + "\n"
