"""The generated functions of operations take a short way at level 0; ``apply`` takes the general one. Both have to do the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import polygrad as pg
from polygrad.core.dispatch import apply
from polygrad.core.graph import Node, OutputNode
from polygrad.core.record import compiled
from polygrad.rules.declare import OPS, Op
from support.operation_samples import call, names, outputs

SHORT = [name for name in names() if OPS[name].form != "composite"]


class General:
    """An operation whose public function takes the general way only."""

    def __init__(self, op: Op) -> None:
        arrays = "tuple(arrays)" if op.sequence else "(" + "".join(f"{name}, " for name in op.arrays) + ")"
        params = "{" + ", ".join(f"{name!r}: {name}" for name in op.params) + "}"
        source = f"def general({op.text}):\n    return apply(OP, {arrays}, {params})\n"
        self._op = op
        self.call: Callable[..., Any] = compiled(source, f"{op.name} in general", {"apply": apply, "OP": op})["general"]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._op, name)


def run(op: Any, backend: str) -> tuple[list[Any], list[pg.Tensor]]:
    """The results of a small call, and its inputs."""
    inputs: list[pg.Tensor] = []

    def make(array: Any) -> pg.Tensor:
        array = np.asarray(array)
        inputs.append(pg.tensor(array, backend=backend, requires_grad=array.dtype.kind in "fc"))
        return inputs[-1]

    return outputs(call(op, make)), inputs


def same(a: Any, b: Any) -> bool:
    """Whether two kept values, arrays among them, are equal."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(map(same, a, b))
    if hasattr(a, "dtype") and hasattr(a, "shape") and not isinstance(a, type):
        x, y = (pg.Tensor(v) if not isinstance(v, pg.Tensor) else v for v in (a, b))
        return (
            x.dtype == y.dtype
            and same(tuple(x.shape), tuple(y.shape))
            and np.array_equal(x.tolist(), y.tolist(), equal_nan=True)
        )
    return bool(a == b or (a != a and b != b))  # noqa: PLR0124


def place(edge: Any, inputs: list[pg.Tensor]) -> Any:
    """An edge by what it leads to: the number of an input, or None."""
    return next((i for i, x in enumerate(inputs) if edge is x), None)


def recorded(result: pg.Tensor, inputs: list[pg.Tensor]) -> Any:
    """What a result knows of the call that made it."""
    node: Any = result._node
    base = None if result._extra is None or result._extra.view is None else place(result._extra.view.base, inputs)
    if not isinstance(node, Node):
        return node, base
    index = node.index if isinstance(node, OutputNode) else 0
    node = node.edges[0] if isinstance(node, OutputNode) else node
    return type(node), index, [place(edge, inputs) for edge in node.edges], node.saved, node.static, base


@pytest.mark.parametrize("name", SHORT)
def test_the_short_way_does_what_the_general_one_does(name: str, backend: str) -> None:
    op = OPS[name]
    short, its_inputs = run(op, backend)
    general, other_inputs = run(General(op), backend)
    assert len(short) == len(general)
    for a, b in zip(short, general, strict=True):
        assert same(a.detach().array, b.detach().array)
        assert type(a) is type(b)
        assert a._frame is b._frame
        kept, again = recorded(a, its_inputs), recorded(b, other_inputs)
        assert kept[:3] == again[:3]
        assert same(kept[3:], again[3:]), f"{kept[3:]} and {again[3:]}"


BINARY = [name for name in SHORT if OPS[name].form == "elementwise" and OPS[name].text == "x1, x2, /"]


OPERANDS = [
    (first, second)
    for first in ("tracked", "untracked", 2.0)
    for second in ("tracked", "wide", "untracked", 2.0)
    if isinstance(first, str) or isinstance(second, str)  # numbers alone have no frame to meet in
]


@pytest.mark.parametrize(("first", "second"), OPERANDS)
@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "divide", "pow", "maximum", "atan2"])
def test_beside_numbers_constants_and_other_shapes(name: str, first: Any, second: Any, backend: str) -> None:
    def operands() -> list[Any]:
        found = []
        for kind in (first, second):
            shape = (2, 3) if kind == "wide" else (3,)
            array = np.linspace(0.5, 1.5, int(np.prod(shape))).reshape(shape)
            tracked = kind in ("tracked", "wide")
            found.append(pg.tensor(array, backend=backend, requires_grad=tracked) if isinstance(kind, str) else kind)
        return found

    op = OPS[name]
    ours, theirs = operands(), operands()
    a, b = op.call(*ours), General(op).call(*theirs)
    assert same(a.detach().array, b.detach().array)
    kept, again = recorded(a, ours), recorded(b, theirs)
    assert kept[:3] == again[:3]
    assert same(kept[3:], again[3:])


def test_every_binary_elementwise_operation_has_one_class_for_both_ways(backend: str) -> None:
    for name in BINARY:
        array = np.asarray([0.5, 0.25])
        x = pg.tensor(array, backend=backend, requires_grad=True)
        raw = pg.tensor(array, backend=backend).array
        try:
            short, general = OPS[name].call(x, x), OPS[name].call(x, raw)
        except pg.errors.UnsupportedError:
            continue
        assert type(short.grad_fn) is type(general.grad_fn), name
