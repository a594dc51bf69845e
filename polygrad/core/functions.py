"""The public function of an operation, with its real signature.

The functions are generated. The common case is done on the spot: Tensors of one frame and one dtype (or, for elementwise operations, a
Python scalar beside one). Everything else goes to ``apply``, which does the same for any operation at any level.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any

from ..backend.select import backend_of, get_backend
from ..errors import PolygradError
from ..rules.declare import Op
from . import modes
from .dispatch import apply, finish, mark_inference, meet, observed
from .explain import explain
from .graph import LEAF, Node, next_order
from .record import compiled, fact_in, is_simple, kept, node_class
from .tensor import SCALAR_TYPES, Tensor
from .views import link

_new = object.__new__

OPERATORS = {
    "add": "a + b", "subtract": "a - b", "multiply": "a * b", "pow": "a ** b", "negative": "-a",
    "divide": "a / b if a is not x1 else frame.raw.divide(a, b)",
}  # fmt: skip
"""Operations for which the raw operator does the same as the raw function when the dtypes are equal, only faster. A Python number over a
tensor is not: torch's operator multiplies with the reciprocal, which rounds twice and is nan for 0 over a subnormal number."""


MADE: list[tuple[Op, Any]] = []
"""The functions of operations that have been made, public ones and operators."""
MAKING: list[Callable[[Op, Any], None]] = []
"""Callbacks that are called with each function that is made from now on."""


def _made(op: Op, function: Any) -> None:
    MADE.append((op, function))
    for tell in MAKING:
        tell(op, function)


def build(op: Op) -> Callable[..., Any]:
    """The public function of an operation."""
    if op.form == "composite":
        function = _build_composite(op)
    elif is_simple(op):
        function = _build_elementwise(op)
    else:
        function = _build_generic(op)
    short = op.name.rpartition(".")[2]
    function.__name__ = short
    function.__qualname__ = short
    function.__doc__ = describe(op)
    function.__module__ = "polygrad"
    _made(op, function)
    return function


def as_operator(op: Op) -> Callable[..., Any]:
    """The same function for Python's operator: beside an object of a class that is no array library's it returns NotImplemented, so that
    the object's own operator gets its turn."""
    function = op.call
    scope = {**function.__globals__, "apply": _operate}
    code = scope.get("ORIGINAL", function).__code__  # what it is while it is not being timed
    made = FunctionType(code, scope, function.__name__)
    made.__doc__ = function.__doc__
    _made(op, made)
    return made


def _operate(op: Op, args: Sequence[Any], params: dict[str, Any]) -> Any:
    for arg in args:
        kind = type(arg)
        if kind is list or kind is tuple:  # as for NumPy's arrays
            xp = next(other._frame.namespace for other in args if isinstance(other, Tensor))
            return apply(op, [xp.asarray(x) if type(x) in (list, tuple) else x for x in args], params)
        if kind in SCALAR_TYPES or isinstance(arg, Tensor):
            continue
        if kind.__module__ != "builtins" and backend_of(arg) is None:
            return NotImplemented
    return apply(op, args, params)


def describe(op: Op) -> str:
    """The docstring of a public function: what it is, with respect to what it can be differentiated, and what its node keeps for that."""
    lines = [
        op.doc or f"``{op.name}`` as in the Array API standard, scipy.special or torch, whichever has the name first."
    ]
    if op.form == "constant":
        lines.append("Its result never requires grad: the derivative is zero, or there is none.")
    elif op.form == "composite":
        lines.append("Made of other operations, and differentiable as they are.")
    else:
        rules = op.partial_rules or (op.vjps if isinstance(op.vjps, tuple) else (op.vjps,) * len(op.arrays))
        have = [partial is not None for partial in op.partials] or [rule is not None for rule in rules]
        inputs = [name for name, known in zip(op.arrays, have, strict=True) if known]
        kept = {position for rule in rules if rule is not None for position in rule.values}
        names = [
            op.arrays[p] if p >= 0 else op.outputs[-1 - p] if op.outputs else "its result"
            for p in sorted(kept, reverse=True)
        ]
        if inputs:
            lines.append(f"Differentiable in both modes with respect to {', '.join(inputs)}.")
            lines.append(
                f"The node keeps {', '.join(names)} as far as needed." if names else "The node keeps no arrays."
            )
        else:
            lines.append("No derivative is known: asking for one raises NoDerivativeError.")
    return "\n\n".join(lines)


def _build_generic(op: Op) -> Callable[..., Any]:
    short = op.name.rpartition(".")[2]
    arrays = "tuple(arrays)" if op.sequence else "(" + "".join(f"{name}, " for name in op.arrays) + ")"
    params = "{" + ", ".join(f"{name!r}: {name}" for name in op.params) + "}"
    scope: dict[str, Any] = {"apply": apply, "OP": op}
    if op.sequence or op.outputs or not op.arrays or (op.form == "elementwise" and len(op.arrays) > 2):
        source = f"def {short}({op.text}):\n    return apply(OP, {arrays}, {params})\n"
        return compiled(source, op.name, scope)[short]  # type: ignore[no-any-return]
    scope |= {
        "Tensor": Tensor, "current": modes.current, "PLAIN": _PLAIN, "plain": _plain, "finish": finish, "meet": meet,
        "Exact": PolygradError, "explain": explain, "new": _new, "LEAF": LEAF, "link": link, "shows": op.view,
        "converted": _converted, "fact": fact_in, "next_order": next_order,
    }  # fmt: skip
    recording = [] if op.form == "constant" else _recording(op, params, scope)
    return compiled(_generic_source(op, short, arrays, params, recording), op.name, scope)[short]  # type: ignore[no-any-return]


_PLAIN = frozenset({type(None), bool, int, float, complex, str, slice, type(Ellipsis)})


def _plain(value: Any) -> bool:
    """Return whether a parameter holds no arrays."""
    return type(value) in _PLAIN or (type(value) is tuple and all(map(_plain, value)))


def _converted(x: Tensor, dtype: Any, device: Any) -> bool:
    """Return whether a conversion has nothing to do."""
    backend = x._frame.backend
    return bool(x.dtype == backend.dtype(dtype) and (device is None or x.device == backend.device(device)))


class _Classes(dict[str, type[Node]]):
    """The node classes of an operation by name."""

    def __init__(self, op: Op) -> None:
        self.op = op

    def __missing__(self, name: str) -> type[Node]:
        self[name] = made = node_class(self.op, name)
        return made


def _recording(op: Op, params: str, scope: dict[str, Any]) -> list[str]:
    """The lines that record a call: as ``record`` does it, with what is known of the operation filled in."""
    payloads = "(" + "".join(f"{name}._data, " for name in op.arrays) + ")"
    if isinstance(op.node, str):
        cls = scope["NODE"] = node_class(op, op.node)
        made = "NODE()"
    else:
        cls = node_class(op, "Backward0")  # any will do to see what is kept
        scope |= {"NODES": _Classes(op), "named": op.node}
        made = f"NODES[named({payloads}, {params})]()"

    def value(position: int) -> str:
        return f"{op.arrays[position]}._data" if position >= 0 else "out"

    static, saved = kept(op, cls.rules, cls.joint, cls.saves, value, "edge{}".format, str)
    static = re.sub(r"fact\((\w+(?:\._data)?), '(shape|dtype|ndim)'\)", r"\1.\2", static)
    shapes = "".join(f"{name}._data.shape, " for name in op.arrays)
    static = static.replace("tuple([payload.shape for payload in payloads])", f"({shapes})")
    lines = [f"        edge{i} = {name}._node" for i, name in enumerate(op.arrays)]
    tracked = " or ".join(f"edge{i} is not None" for i in range(len(op.arrays)))
    lines.append(f"        if ({tracked}) and out.dtype in frame.floating:")
    for i, name in enumerate(op.arrays):
        lines += [f"            if edge{i} is LEAF:", f"                edge{i} = {name}"]
    edges = "".join(f"edge{i}, " for i in range(len(op.arrays)))
    return [
        *lines,
        f"            result._node = node = {made}",
        f"            node.edges = ({edges})",
        f"            node.saved = {saved}",
        f"            node.static = {static}",
        "            node.order = next_order()",
        "            node.frame = frame",
        "            node.extra = None",
    ]


def _generic_source(op: Op, short: str, arrays: str, params: str, recording: list[str]) -> str:
    """Several Tensors of one frame (and one dtype where they are promoted), and parameters without arrays: straight to the library."""
    first = op.arrays[0]
    lines = [f"def {short}({op.text}):"]
    if op.conversion:
        lines += [
            f"    if not copy and isinstance({first}, Tensor) and converted({first}, dtype, device):",
            f"        return {first}",
        ]
    lines.append(f"    if {' and '.join(f'type({name}) is Tensor' for name in op.arrays)}:")
    lines.append(f"        frame = {first}._frame")
    if len(op.arrays) > 1:
        lines += [
            f"        if {' or '.join(f'{name}._frame is not frame' for name in op.arrays[1:])}:",
            f"            frame = meet({arrays})",
        ]
    lines += ["    else:", "        frame = None"]
    promoted = [name for name in op.arrays if name in op.promote]
    tests = ["frame is not None and not frame.lifted"]
    tests += [f"{name}._data.dtype is {promoted[0]}._data.dtype" for name in promoted[1:]]
    tests += [
        f"{name} is None" if name in ("dtype", "device") else f"(type({name}) in PLAIN or plain({name}))"
        for name in op.params
    ]
    positional = [f"{name}._data" for name in op.arrays if name not in op.named] + list(op.leading)
    named = [name for name in op.params if name not in op.leading and name not in ("dtype", "device")]
    always = [f"{name}={name}" for name in named if name not in op.optional] + [
        f"{name}={name}._data" for name in op.named
    ]
    optional = [name for name in named if name in op.optional]
    always += [f"{name}=None" for name in ("dtype", "device") if name in op.params and name not in op.optional]
    lines += [
        f"    if {' and '.join(tests)}:",
        f"        function = frame.calls.get({op.name!r}) or frame.call({op.name!r})",
        "        try:",
    ]
    call = f"out = function({', '.join([*positional, *always])})"
    if not optional:
        lines.append(f"            {call}")
    else:
        lines += [
            f"            if {' and '.join(f'{name} is None' for name in optional)}:",
            f"                {call}",
        ]
        if len(optional) == 1:
            lines += ["            else:", f"                {call[:-1]}, {optional[0]}={optional[0]})"]
        else:
            given = "{" + ", ".join(f"{name!r}: {name}" for name in optional) + "}"
            lines += [
                "            else:",
                f"                given = {{name: value for name, value in {given}.items() if value is not None}}",
                f"                {call[:-1]}, **given)",
            ]
    lines += [
        "        except Exact:",
        "            raise",
        "        except Exception as error:",
        f"            raise explain(OP, error, {arrays}, {params}) from error",
        "        result = new(Tensor)",
        "        result._data = out",
        "        result._frame = frame",
        "        result._node = None",
        "        result._extra = None",
    ]
    finish = f"finish(OP, result, {arrays}, {params})"
    if op.form == "constant":
        lines += ["        if current().inference:", f"            {finish}"]
    else:
        lines += ["        if not current().plain:", f"            {finish}", "            return result", *recording]
        if op.view is not None:
            linked = f"link(result, {first}, OP, {params})"
            lines += (
                [f"        {linked}"] if op.always_view else [f"        if shows({params}):", f"            {linked}"]
            )
    lines += ["        return result", f"    return apply(OP, {arrays}, {params})", ""]
    return "\n".join(lines)


def _build_composite(op: Op) -> Callable[..., Any]:
    short = op.name.rpartition(".")[2]
    arrays = "(*arrays,)" if op.sequence else "(" + "".join(f"{name}, " for name in op.arrays) + ")"
    call = ", ".join(
        ["list(arrays)" if op.sequence else name for name in (op.arrays[:1] if op.sequence else op.arrays)]
    )
    params = "".join(f", {name}={name}" for name in op.params)
    source = f"def {short}({op.text}):\n    return BODY(home({arrays}), {call}{params})\n"
    return compiled(source, op.name, {"home": home, "BODY": op.body})[short]  # type: ignore[no-any-return]


def home(args: Sequence[Any]) -> Any:
    """The differentiable namespace that the arguments belong to."""
    for arg in args:
        if isinstance(arg, Tensor):
            return arg._frame.namespace
        if type(arg) in (list, tuple):
            return home(arg)
    for arg in args:
        if type(arg) not in SCALAR_TYPES and (backend := backend_of(arg)) is not None:
            return backend.namespace
    return get_backend().namespace


UNARY = """
def {name}(x, /):
    if type(x) is not Tensor:
        return apply(OP, (x,), EMPTY)
    frame = x._frame
    a = x._data
    try:
        result = {expression}
    except Exception as error:
        raise explain(OP, error, (x,)) from error
    out = new(Tensor)
    out._data = result
    out._frame = frame
    out._node = None
    out._extra = None
    edge = x._node
    state = current()
    if not state.plain:
        if state.inference:
            mark((out,))
        if not state.records(frame.level):
            return out
        if state.observers and edge is not None:
            return observed(OP, out, (x,), (a,), (edge,), state)
    if edge is not None:
        out._node = node = NODE()
        node.edges = (x if edge is LEAF else edge,)
        node.saved = {saved}
        node.static = None
        node.order = next_order()
        node.frame = frame
        node.extra = None
    return out
"""

BINARY = """
def {name}(x1, x2, /):
    if type(x1) is Tensor:
        frame = x1._frame
        a = x1._data
        edge1 = x1._node
        if type(x2) is Tensor:
            b = x2._data
            edge2 = x2._node
            if x2._frame is not frame:  # a constant of level 0 is as good as a raw array
                if edge2 is None and x2._frame is frame.ground:
                    pass
                elif edge1 is None and frame is x2._frame.ground:
                    frame = x2._frame
                else:
                    return apply(OP, (x1, x2), EMPTY)
            if a.dtype is not b.dtype:
                return apply(OP, (x1, x2), EMPTY)
        elif a.dtype in frame.weak.get(type(x2), ()):
            b = x2
            edge2 = None
        else:
            return apply(OP, (x1, x2), EMPTY)
    elif type(x2) is Tensor and x2._data.dtype in x2._frame.weak.get(type(x1), ()):
        frame = x2._frame
        a = x1
        b = x2._data
        edge1 = None
        edge2 = x2._node
    else:
        return apply(OP, (x1, x2), EMPTY)
    try:
        result = {expression}
    except Exception as error:
        raise explain(OP, error, (x1, x2)) from error
    out = new(Tensor)
    out._data = result
    out._frame = frame
    out._node = None
    out._extra = None
    if edge1 is None and edge2 is None:
        if current().inference:
            mark((out,))
        return out
    state = current()
    if not state.plain:
        if state.inference:
            mark((out,))
        if not state.records(frame.level):
            return out
        if state.observers:
            return observed(OP, out, (x1, x2), (a, b), (edge1, edge2), state)
    if edge1 is LEAF:
        edge1 = x1
    if edge2 is LEAF:
        edge2 = x2
    out._node = node = ({node})()
    node.edges = (edge1, edge2)
    node.saved = {saved}
    node.static = None if type(x1) is not type(x2) or a.shape == b.shape else (a.shape, b.shape)
    node.order = next_order()
    node.frame = frame
    node.extra = None
    return out
"""


def _build_elementwise(op: Op) -> Callable[..., Any]:
    """The specialised function and node class of an elementwise operation of one or two arrays."""
    short = op.name.rpartition(".")[2]
    arity = len(op.arrays)
    expression = OPERATORS.get(op.name) or f"frame.raw.{op.name}({', '.join('ab'[:arity])})"
    local = dict(zip([*range(arity), -1], [*"ab"[:arity], "result"], strict=True))
    wants: list[list[int]] = [rule.values if rule is not None else [] for rule in op.partial_rules]
    saves = sorted({position for wanted in wants for position in wanted})
    values = []
    for position in saves:
        wanting = [i for i in range(arity) if position in wants[i]]
        one = arity == 2 and len(wanting) == 1
        values.append(f"{local[position]} if edge{wanting[0] + 1} is not None else None" if one else local[position])
    scope: dict[str, Any] = {
        "Tensor": Tensor, "apply": apply, "explain": explain, "new": _new, "OP": op, "EMPTY": {}, "LEAF": LEAF,
        "current": modes.current, "mark": mark_inference, "next_order": next_order, "observed": observed,
    }  # fmt: skip
    names = op.node if isinstance(op.node, tuple) else (op.node,) * 3
    for label, name in zip(("NODE", "NODE_SCALAR2", "NODE_SCALAR1"), names, strict=True):
        scope[label] = node_class(op, name)
    node = "NODE"
    if isinstance(op.node, tuple):
        node = "NODE if type(x1) is type(x2) else NODE_SCALAR2 if type(x1) is Tensor else NODE_SCALAR1"
    template = (UNARY, BINARY)[arity - 1]
    if op.form == "constant":
        template = template.partition("    if edge1 is None")[0] + UNTRACKED
    source = template.format(
        name=short, expression=expression, saved="(" + "".join(f"{v}, " for v in values) + ")", node=node
    )
    return compiled(source, op.name, scope)[short]  # type: ignore[no-any-return]


UNTRACKED = """
    if current().inference:
        mark((out,))
    return out
"""
