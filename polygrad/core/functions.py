"""The public function of an operation, with its real signature.

The functions are generated. The common case is done on the spot: Tensors of one frame and one dtype (or, for elementwise operations, a
Python scalar beside one). Everything else goes to ``apply``, which does the same for any operation at any level.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any

from ..backend.select import backend_of, get_backend
from ..errors import PolygradError
from ..rules.declare import Op, fit
from . import modes
from .dispatch import apply, finish, mark_inference, observed
from .explain import explain
from .graph import LEAF, Node, next_order
from .record import compiled, conjugate, no_derivative, pull_absorbing, record
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
"""Who is told of each that is made from now on: what times them."""


def _made(op: Op, function: Any) -> None:
    MADE.append((op, function))
    for tell in MAKING:
        tell(op, function)


def build(op: Op) -> Callable[..., Any]:
    """The public function of an operation."""
    if op.form == "composite":
        function = _build_composite(op)
    elif _simple(op):
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
        if not isinstance(arg, Tensor) and type(arg).__module__ != "builtins" and backend_of(arg) is None:
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


def _simple(op: Op) -> bool:
    """Whether the operation is elementwise on one or two arrays and has no parameters; so are comparisons and their kin."""
    if op.form == "constant":
        return op.text == "x1, x2, /" and op.promote == ("x1", "x2") and not op.outputs
    return (
        op.form == "elementwise"
        and op.text in ("x, /", "x1, x2, /")
        and not any(r and r.facts for r in op.partial_rules)
    )


def _build_generic(op: Op) -> Callable[..., Any]:
    short = op.name.rpartition(".")[2]
    arrays = "tuple(arrays)" if op.sequence else "(" + "".join(f"{name}, " for name in op.arrays) + ")"
    params = "{" + ", ".join(f"{name!r}: {name}" for name in op.params) + "}"
    scope: dict[str, Any] = {"apply": apply, "OP": op}
    if op.sequence or op.outputs or not op.arrays or (op.form == "elementwise" and len(op.arrays) > 2):
        source = f"def {short}({op.text}):\n    return apply(OP, {arrays}, {params})\n"
        return compiled(source, op.name, scope)[short]  # type: ignore[no-any-return]
    source = _generic_source(op, short, arrays, params)
    scope |= {
        "Tensor": Tensor, "current": modes.current, "DEFAULT": modes.DEFAULT, "PLAIN": _PLAIN, "plain": _plain, "finish": finish,
        "Exact": PolygradError, "explain": explain, "new": _new, "LEAF": LEAF, "record": record, "link": link, "shows": op.view,
        "converted": _converted,
    }  # fmt: skip
    return compiled(source, op.name, scope)[short]  # type: ignore[no-any-return]


_PLAIN = frozenset({type(None), bool, int, float, complex, str, slice, type(Ellipsis)})


def _plain(value: Any) -> bool:
    """Whether a parameter holds no arrays."""
    return type(value) in _PLAIN or (type(value) is tuple and all(map(_plain, value)))


def _converted(x: Tensor, dtype: Any, device: Any) -> bool:
    """Whether a conversion has nothing to do."""
    backend = x._frame.backend
    return bool(x.dtype == backend.dtype(dtype) and (device is None or x.device == backend.device(device)))


def _generic_source(op: Op, short: str, arrays: str, params: str) -> str:
    """Several Tensors of one frame (and one dtype where they are promoted), and parameters without arrays: straight to the library."""
    first = op.arrays[0]
    tests = [f"type({name}) is Tensor" for name in op.arrays]
    tests += [f"{name}._frame is frame" for name in op.arrays[1:]]
    promoted = [name for name in op.arrays if name in op.promote]
    tests += [f"{name}._data.dtype is {promoted[0]}._data.dtype" for name in promoted[1:]]
    tests += [
        f"{name} is None" if name in ("dtype", "device") else f"(type({name}) in PLAIN or plain({name}))"
        for name in op.params
    ]
    tests += ["not frame.lifted"]
    positional = [f"{name}._data" for name in op.arrays if name not in op.named] + list(op.leading)
    named = [name for name in op.params if name not in op.leading]
    lines = [f"def {short}({op.text}):"]
    if op.conversion:
        lines += [
            f"    if not copy and isinstance({first}, Tensor) and converted({first}, dtype, device):",
            f"        return {first}",
        ]
    lines += [
        f"    frame = {first}._frame if type({first}) is Tensor else None",
        f"    if {' and '.join(tests)}:",
        f"        function = frame.calls.get({op.name!r}) or frame.call({op.name!r})",
        "        given = {" + ", ".join(f"{name!r}: {name}" for name in named if name not in op.optional) + "}",
    ]
    for name in named:
        if name in op.optional:
            lines += [f"        if {name} is not None:", f"            given[{name!r}] = {name}"]
    for name in op.named:
        lines.append(f"        given[{name!r}] = {name}._data")
    lines += [
        "        try:",
        f"            out = function({', '.join([*positional, '**given'])})",
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
        tracked = " or ".join(f"{name}._node is not None" for name in op.arrays)
        payloads = "".join(f"{name}._data, " for name in op.arrays)
        edges = "".join(f"{name} if {name}._node is LEAF else {name}._node, " for name in op.arrays)
        lines += [
            "        if current() is not DEFAULT:",
            f"            {finish}",
            "            return result",
            f"        if ({tracked}) and out.dtype in frame.floating:",
            f"            result._node = record(OP, frame, ({payloads}), ({edges}), {params}, (out,))",
        ]
        if op.view is not None:
            lines += [f"        if shows({params}):", f"            link(result, {first}, OP, {params})"]
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
    if state is not DEFAULT:
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
            if x2._frame is not frame or a.dtype is not b.dtype:
                return apply(OP, (x1, x2), EMPTY)
            edge2 = x2._node
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
    if state is not DEFAULT:
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
        "DEFAULT": modes.DEFAULT, "current": modes.current, "mark": mark_inference, "next_order": next_order,
        "fit": fit, "conjugate": conjugate, "missing": no_derivative, "observed": observed,
        **{f"P{i}": partial for i, partial in enumerate(op.partials)},
    }  # fmt: skip
    pull = compiled(_pull_source(op, wants, saves), op.name, scope)["pull"]
    names = op.node if isinstance(op.node, tuple) else (op.node,) * 3
    for label, name in zip(("NODE", "NODE_SCALAR2", "NODE_SCALAR1"), names, strict=True):
        members = {"__slots__": (), "__module__": "polygrad.graph", "saves": tuple(saves), "pull": pull, "op": op}
        members["pull_absorbing"] = pull_absorbing
        scope[label] = type(name, (Node,), members)
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


def _projection(partial: Any, number: int) -> int | None:
    """Which argument a partial derivative returns just as it is, if it does: then there is no need to call it."""
    tokens = [object() for _ in range(number)]
    try:
        result = partial(None, *tokens)
    except Exception:  # it computes something, which tokens do not support
        return None
    return next((i for i, token in enumerate(tokens) if result is token), None)


def _pull_source(op: Op, wants: list[list[int]], saves: list[int]) -> str:
    arity = len(op.arrays)
    lines = ["def pull(node, xp, g, edges, saved):"]
    if any(callable(partial) and not given for partial, given in zip(op.partials, op.applied, strict=True)):
        lines.append("    real = g.dtype not in node.frame.complex")
    if arity == 2:
        lines.append("    shapes = node.static")
    for i, partial in enumerate(op.partials):
        operands = [f"saved[{saves.index(p)}]" for p in wants[i]]
        only = _projection(partial, len(operands)) if not op.applied[i] else None
        call = operands[only] if only is not None else f"P{i}(xp, {', '.join(operands)})"
        if arity == 2:
            lines += [f"    part{i} = None", f"    if edges[{i}] is not None:"]
        pad = "        " if arity == 2 else "    "
        if partial is None:
            lines.append(f"{pad}raise missing(OP, {i})")
        elif partial == 1:
            lines.append(f"{pad}part{i} = g")
        elif partial == -1:
            lines.append(f"{pad}part{i} = -g")
        elif op.applied[i]:
            lines.append(f"{pad}part{i} = P{i}(xp, g, {', '.join(operands)})")
        elif callable(partial):
            # One expression, so that an array library may reuse the temporary for the product.
            lines.append(f"{pad}part{i} = g * ({call} if real else conjugate(xp, {call}, g))")
        else:
            lines.append(f"{pad}part{i} = g * {partial!r}")
        if arity == 2:
            lines += [f"{pad}if shapes is not None:", f"{pad}    part{i} = fit(xp, part{i}, shapes[{i}])"]
    lines.append(f"    return ({''.join(f'part{i}, ' for i in range(arity))})")
    return "\n".join(lines) + "\n"
