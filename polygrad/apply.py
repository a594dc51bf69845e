"""The one path that every operation takes: unwrap, run on the payloads, record.

``apply`` is that path, for any operation at any level. ``build`` makes the public function of an operation: it has the real
signature and calls ``apply``; for elementwise operations of one or two arrays it is a specialised function, which handles the common
case (Tensors of one frame and one dtype, or a Python scalar) by itself and hands everything else to ``apply``.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Sequence
from typing import Any

from . import modes
from .backend import Frame, backend_of, get_backend
from .errors import (
    ArgumentError,
    BackendError,
    NoDerivativeError,
    OperationError,
    PolygradError,
    ShapeError,
    describe,
)
from .graph import LEAF, Node, OutputNode, Scatter, next_order
from .rules.declare import BUILD, Op, Rule, fit
from .tensor import SCALARS, Tensor, constant, link

_new = object.__new__
_SCALARS = frozenset(SCALARS)


# -- the generic path ---------------------------------------------------------------------------------------------
def apply(op: Op, args: Sequence[Any], params: dict[str, Any]) -> Any:
    """Run an operation on ``args`` (Tensors, raw arrays, Python scalars, None) and record it if need be."""
    top = None
    for arg in args:
        if isinstance(arg, Tensor) and (top is None or arg._frame.level > top._frame.level):
            top = arg
    for value in params.values():
        top = _top(value, top)
    if top is None:
        top, args = _adopt(op, args)
    level = top._frame.level
    interpret = top._interpret
    if interpret is not None:
        return interpret(op, args, params, top)
    backend = top._frame.backend

    payloads: list[Any] = []
    edges: list[Any] = []
    tracked = False
    lifted = False
    for arg in args:
        if isinstance(arg, Tensor):
            if arg._frame.backend is not backend:
                raise _mixed(op, args)
            if arg._frame.level == level:
                node = arg._node
                edges.append(arg if node is LEAF else node)
                tracked = tracked or node is not None
                arg = arg._data
                lifted = lifted or isinstance(arg, Tensor)
            else:
                edges.append(None)
                lifted = True
        else:
            edges.append(None)
            if arg is not None and type(arg) not in _SCALARS:
                arg = _raw(op, arg, backend, args)
        payloads.append(arg)
    if params:
        params = {name: _param(value, level, backend) for name, value in params.items()}
        if params.get("dtype") is not None:
            params["dtype"] = backend.dtype(params["dtype"])
        lifted = lifted or any(map(_holds_tensor, params.values()))
    frame = backend.frame(level, lifted)

    if op.promote:
        payloads, casts = promote(op, payloads, frame)
        if casts and tracked:
            return apply(op, [_cast(arg, edge, casts.get(i)) for i, (arg, edge) in enumerate(zip(args, edges, strict=True))], params)
    function = frame.raw
    for part in op.name.split("."):
        function = getattr(function, part)
    try:
        out = call_raw(op, function, payloads, params)
    except PolygradError:
        raise
    except Exception as error:
        raise explain(op, error, args, params) from error
    state = modes.current()
    if type(out) in (tuple, list) or op.outputs:
        results = [_wrap(part, frame) for part in out]
        if tracked and state.records(level) and op.form != "constant":
            _record_several(op, results, frame, payloads, edges, params, out)
        if state.inference:
            _mark_inference(results)
        return type(out)(*results) if hasattr(out, "_fields") else tuple(results)
    result = _wrap(out, frame)
    if tracked and op.form != "constant" and state.records(level) and result._data.dtype in frame.floating:
        node = _record(op, frame, payloads, edges, params, (out,))
        result._node = node
    if state.inference:
        _mark_inference([result])
    if op.view is not None and isinstance(args[0], Tensor) and args[0]._frame.level == level and op.view(params):
        base = args[0]
        link(result, base, lambda x: call_public(op, (x,), params), lambda x, value: write_back(op, x, value, params))
    return result


def call_raw(op: Op, function: Callable[..., Any], payloads: Sequence[Any], params: dict[str, Any]) -> Any:
    """Call a raw function as the standard spells it; what is None by default is left out, since a library may not know it."""
    arrays = (list(payloads),) if op.sequence else payloads
    given = {name: value for name, value in params.items() if value is not None or name not in op.optional}
    if op.named:
        split = len(arrays) - len(op.named)
        given.update({name: array for name, array in zip(op.named, arrays[split:], strict=True) if array is not None})
        arrays = arrays[:split]
    return function(*arrays, *[given.pop(name) for name in op.leading], **given)


def call_public(op: Op, arrays: Sequence[Any], params: dict[str, Any]) -> Any:
    """Call the public function of an operation as its signature asks."""
    given = dict(params)
    positional = [given.pop(name) for name in op.leading]
    if op.sequence:
        return op.call(list(arrays), *positional, **given)
    named = {name: value for name, value in zip(op.arrays, arrays, strict=True) if name not in op.positional}
    return op.call(*arrays[: len(op.arrays) - len(named)], *positional, **named, **given)


def write_back(op: Op, base: Tensor, value: Tensor, params: dict[str, Any]) -> Tensor:
    """``base`` with ``value`` in the place that the view operation ``op`` selects."""
    xp = base._frame.namespace
    if op.name == "getitem":
        return xp.set_at(base, value, **params)  # type: ignore[no-any-return]
    # The other views are rearrangements: their transpose is their inverse.
    (transpose,) = op.vjps
    facts = {name: _fact(source, fact, [base._data], (value._data,), params) for name, source, fact in transpose.facts}
    out = transpose.function(xp, value, **facts)
    if op.name == "linalg.diagonal":  # which selects: what it leaves out stays
        selected = transpose.function(xp, xp.ones_like(value), **facts)
        out = xp.where(selected != 0, out, base)
    return out  # type: ignore[no-any-return]


def _top(value: Any, top: Any) -> Any:
    if isinstance(value, Tensor):
        return value if top is None or value._frame.level > top._frame.level else top
    if type(value) in (tuple, list):
        for part in value:
            top = _top(part, top)
    return top


def _holds_tensor(value: Any) -> bool:
    return isinstance(value, Tensor) or (type(value) in (tuple, list) and any(map(_holds_tensor, value)))


def _param(value: Any, level: int, backend: Any) -> Any:
    """A parameter (such as a key that holds index arrays) as the payloads' namespace takes it."""
    if isinstance(value, Tensor):
        return value._data if value._frame.level == level else value
    if type(value) is tuple:
        return tuple([_param(part, level, backend) for part in value])
    return value


def _adopt(op: Op, args: Sequence[Any]) -> tuple[Tensor, Sequence[Any]]:
    """Arguments without any Tensor: raw arrays choose the backend; numbers alone go to the selected one."""
    for i, arg in enumerate(args):
        if type(arg) not in _SCALARS and (backend := backend_of(arg)) is not None:
            tensor = constant(arg, backend.frame())
            return tensor, [*args[:i], tensor, *args[i + 1 :]]
    if args and all(type(arg) in _SCALARS for arg in args):
        frame = get_backend().frame()
        first = constant(frame.raw.asarray(args[0]), frame)
        return first, [first, *args[1:]]
    kinds = ", ".join(describe(arg) for arg in args)
    raise ArgumentError(f"{op.name}: expected Tensors, arrays or numbers, got {kinds or 'nothing'}; polygrad.tensor makes one from lists")


def _raw(op: Op, arg: Any, backend: Any, args: Sequence[Any]) -> Any:
    found = backend_of(arg)
    if found is None:
        raise ArgumentError(
            f"{op.name}: expected Tensors, arrays of {backend.name} or numbers, got {', '.join(describe(a) for a in args)}; "
            f"polygrad.asarray makes a Tensor"
        )
    if found is not backend:
        raise _mixed(op, args)
    return arg


def _mixed(op: Op, args: Sequence[Any]) -> BackendError:
    def home(arg: Any) -> str:
        backend = arg._frame.backend if isinstance(arg, Tensor) else backend_of(arg)
        return f"{describe(arg)} on {backend.name}" if backend is not None else describe(arg)

    return BackendError(
        f"{op.name}: the arguments are on different backends: {' and '.join(home(arg) for arg in args)}. Bring them together, for example "
        f"with y.to_backend({next(a for a in args if isinstance(a, Tensor)).backend!r})"
    )


def _wrap(out: Any, frame: Frame) -> Tensor:
    if frame.lifted and not isinstance(out, Tensor):
        frame = frame.backend.frame(frame.level, False)
    return constant(out, frame)


def _mark_inference(results: Sequence[Tensor]) -> None:
    for result in results:
        result._own_extra().inference = True


# -- promotion ------------------------------------------------------------------------------------------------
_KINDS = ("bool", "integral", "real floating", "complex floating")


def promote(op: Op, payloads: list[Any], frame: Frame) -> tuple[list[Any], dict[int, Any]]:
    """The payloads in one dtype, and which had to be cast to what.

    Within a kind the standard promotes; across kinds the lower kind takes the dtype of the higher (so an integer array meeting a
    floating one takes its dtype), and a Python scalar of a higher kind brings the default dtype of its kind.
    """
    if not op.sequence and _same(op, payloads, frame):
        return payloads, {}
    xp = frame.backend.xp
    if op.sequence:
        positions = range(len(payloads))
    else:
        positions = [i for i, name in enumerate(op.arrays) if name in op.promote]  # type: ignore[assignment]
    arrays = {i: payloads[i] for i in positions if hasattr(payloads[i], "dtype")}
    dtypes = [array.dtype for array in arrays.values()]
    ranks = [next(r for r, kind in enumerate(_KINDS) if xp.isdtype(dtype, kind)) for dtype in dtypes]
    highest = max(ranks, default=0)
    scalars = [payloads[i] for i in positions if type(payloads[i]) in _SCALARS]
    scalar_rank = max((SCALARS.index(type(value)) for value in scalars), default=0)
    if len(set(map(str, dtypes))) <= 1 and scalar_rank <= highest:
        target = dtypes[0] if dtypes else None
    else:
        joined = [dtype for dtype, rank in zip(dtypes, ranks, strict=True) if rank == highest or (highest == 3 and rank == 2)]
        target = xp.result_type(*joined) if len(joined) > 1 else joined[0]
        if scalar_rank > highest:
            if scalar_rank == 3 and highest == 2:
                target = xp.complex64 if target == xp.float32 else xp.complex128
            else:
                target = frame.backend.default_dtype(_KINDS[scalar_rank])
    casts = {i: target for i, array in arrays.items() if array.dtype != target}
    if not casts:
        return payloads, casts
    return [frame.raw.astype(array, target) if i in casts else array for i, array in enumerate(payloads)], casts


def _same(op: Op, payloads: Sequence[Any], frame: Frame) -> bool:
    """Whether there is nothing to promote: one dtype, and scalars that take it on. Asked first, since it is mostly so."""
    dtype: Any = None
    for name, payload in zip(op.arrays, payloads, strict=True):
        if name in op.promote and hasattr(payload, "dtype"):
            if dtype is None:
                dtype = payload.dtype
            elif payload.dtype != dtype:
                return False
    for name, payload in zip(op.arrays, payloads, strict=True):
        if type(payload) in _SCALARS and name in op.promote and dtype not in frame.weak.get(type(payload), (dtype,)):
            return dtype is None  # numbers alone are left to the library
    return True


def _cast(arg: Any, edge: Any, dtype: Any) -> Any:
    if dtype is None:
        return arg
    if edge is not None:
        return arg._frame.namespace.astype(arg, dtype)
    if isinstance(arg, Tensor):
        return constant(arg._frame.raw.astype(arg._data, dtype), arg._frame)
    return arg


# -- recording ------------------------------------------------------------------------------------------------
class RuleNode(Node):
    """A node of an operation with rules for each input. Made per operation by ``node_class``."""

    __slots__ = ()
    op: Op
    rules: tuple[Any, ...] = ()
    """For each input (function, positions in ``saved``, names of facts); one for all of them in a JointNode."""
    asks: tuple[Any, ...] = ()
    """The same as declared."""

    def pull(self, xp: Any, g: Any, edges: tuple[Any, ...], saved: tuple[Any, ...]) -> Sequence[Any]:
        parts: list[Any] = []
        facts = self.static
        for i, (edge, rule) in enumerate(zip(edges, self.rules, strict=True)):
            if edge is None:
                parts.append(None)
            elif rule is None:
                raise no_derivative(self.op, i)
            else:
                function, values, names = rule
                parts.append(function(xp, g, *[saved[j] for j in values], **{name: facts[name] for name in names}))
        return parts


class JointNode(RuleNode):
    """A node whose one rule gives the cotangents of all inputs."""

    __slots__ = ()

    def pull(self, xp: Any, g: Any, edges: tuple[Any, ...], saved: tuple[Any, ...]) -> Sequence[Any]:
        function, values, names = self.rules[0]
        facts = self.static
        if "needs" in names:
            facts = {**facts, "needs": tuple([edge is not None for edge in edges])}
        return function(xp, g, *[saved[j] for j in values], **{name: facts[name] for name in names})  # type: ignore[no-any-return]


class GetitemNode(RuleNode):
    """Indexing: on raw arrays the gradient stays a ``Scatter``, so that many small ones share a buffer."""

    __slots__ = ()
    lazy = True

    def pull(self, xp: Any, g: Any, edges: tuple[Any, ...], saved: tuple[Any, ...]) -> Sequence[Any]:
        if isinstance(g, Tensor):
            return super().pull(xp, g, edges, saved)
        facts = self.static
        return (Scatter(self.frame.backend, g, facts["key"], facts["x_shape"]),)


_classes: dict[tuple[str, str], type[RuleNode]] = {}


def node_class(op: Op, name: str) -> type[RuleNode]:
    """The node class of an operation, under the name that torch would print."""
    try:
        return _classes[op.name, name]
    except KeyError:
        pass
    rules = op.vjps if op.form != "elementwise" else elementwise_rules(op)
    joint = isinstance(rules, Rule)
    listed: tuple[Any, ...] = (rules,) if joint else rules
    saves: list[int] = []
    for rule in listed:
        for position in rule.values if rule is not None else ():
            if position not in saves:
                saves.append(position)
    plan = tuple(
        [
            None if rule is None else (rule.function, [saves.index(p) for p in rule.values], [fact[0] for fact in rule.facts])
            for rule in listed
        ]
    )
    base = JointNode if joint else GetitemNode if op.name == "getitem" else RuleNode
    made: type[RuleNode] = type(name, (base,), {"__slots__": (), "__module__": "polygrad.graph"})
    made.op, made.saves, made.rules, made.asks = op, tuple(saves), plan, listed
    return _classes.setdefault((op.name, name), made)


def _record(op: Op, frame: Frame, payloads: Sequence[Any], edges: Sequence[Any], params: dict[str, Any], outs: Sequence[Any]) -> Node:
    name = op.node
    if isinstance(name, tuple):
        scalars = [type(payload) in _SCALARS for payload in payloads]
        name = name[1 if scalars[1] else 2 if scalars[0] else 0]
    elif not isinstance(name, str):
        name = name(payloads, params)
    if op.form == "elementwise":
        elementwise_rules(op)
    cls = node_class(op, name)
    node: RuleNode = _new(cls)  # not called: no node has anything to initialise
    node.edges = tuple(edges)
    node.frame = frame
    node.extra = None
    node.order = next_order()
    joint = issubclass(cls, JointNode)
    wanted: set[int] = set()
    static: dict[str, Any] = {}
    for i, rule in enumerate(cls.asks):
        if rule is not None and (joint or edges[i] is not None):
            wanted.update(rule.values)
            for key, source, fact in rule.facts:
                static[key] = _fact(source, fact, payloads, outs, params)
    node.static = static
    node.saved = tuple([(payloads[p] if p >= 0 else outs[-1 - p]) if p in wanted else None for p in cls.saves]) if wanted else ()
    return node


def _fact(source: Any, fact: str, payloads: Sequence[Any], outs: Sequence[Any], params: dict[str, Any]) -> Any:
    if fact == "":
        return params[source] if source != "needs" else None
    if source == "*":
        return tuple([payload.shape for payload in payloads])
    value = payloads[source] if source >= 0 else outs[-1 - source]
    if type(value) in _SCALARS:
        return () if fact == "shape" else 0 if fact == "ndim" else None
    return getattr(value, fact, None)


def _record_several(
    op: Op, results: Sequence[Tensor], frame: Frame, payloads: Sequence[Any], edges: Sequence[Any], params: dict[str, Any], outs: Sequence[Any]
) -> None:
    node = _record(op, frame, payloads, edges, params, tuple(outs))
    node.__class__ = _counted(type(node), len(results))
    for i, result in enumerate(results):
        if result._data.dtype in frame.floating:
            result._node = OutputNode(node, i)


_counts: dict[tuple[type[Node], int], type[Node]] = {}


def _counted(cls: type[Node], number: int) -> type[Node]:
    """The node class for this number of outputs."""
    try:
        return _counts[cls, number]
    except KeyError:
        made = type(cls.__name__, (cls,), {"__slots__": (), "outputs": number, "__module__": cls.__module__})
        return _counts.setdefault((cls, number), made)


def no_derivative(op: Op, position: int) -> NoDerivativeError:
    """The error of a derivative that does not exist."""
    return NoDerivativeError(
        f"{op.name}: no derivative is known with respect to its argument {op.arrays[position]!r}; detach() that argument if it is to be "
        f"taken as constant"
    )


# -- elementwise operations as rules --------------------------------------------------------------------------------
def conjugate(xp: Any, partial: Any, g: Any) -> Any:
    """The conjugate of a partial derivative, where the cotangent is complex; the partial itself otherwise."""
    if g.dtype in xp._backend.complex and type(partial) not in (float, int):
        return partial.conjugate() if type(partial) is complex else xp.conj(partial)
    return partial


def elementwise_rules(op: Op) -> tuple[Rule | None, ...]:
    """The vjp of each input of an elementwise operation, made from its partial derivatives."""
    if op.vjps is None:
        rules: list[Rule | None] = []
        for i, partial in enumerate(op.partials):
            rules.append(None if partial is None else _elementwise_rule(op, i, partial))
        op.vjps = tuple(rules)
    return op.vjps  # type: ignore[no-any-return]


def _elementwise_rule(op: Op, i: int, partial: Any) -> Rule:
    array = op.arrays[i]
    shape_name = f"{array}_shape"
    made: Rule = _new(Rule)
    inner = op.partial_rules[i]
    if inner is not None and op.applied[i]:

        def vjp(xp: Any, g: Any, *values: Any, **facts: Any) -> Any:
            shape = facts.pop(shape_name)
            return fit(xp, partial(xp, g, *values, **facts), shape)

        made.values, made.facts = inner.values, [*inner.facts, (shape_name, i, "shape")]
    elif inner is not None:

        def vjp(xp: Any, g: Any, *values: Any, **facts: Any) -> Any:
            shape = facts.pop(shape_name)
            return fit(xp, g * conjugate(xp, partial(xp, *values, **facts), g), shape)

        made.values, made.facts = inner.values, [*inner.facts, (shape_name, i, "shape")]
    else:

        def vjp(xp: Any, g: Any, *values: Any, **facts: Any) -> Any:
            return fit(xp, g if partial == 1 else -g if partial == -1 else g * partial, facts[shape_name])

        made.values, made.facts = [], [(shape_name, i, "shape")]
    made.function = vjp
    return made


# -- errors -----------------------------------------------------------------------------------------------------
def explain(op: Op, error: Exception, args: Sequence[Any], params: dict[str, Any] | None = None) -> Exception:
    """The backend's error as polygrad's: the operation, its arguments, what the backend said, and the cure where one is known."""
    shown = ", ".join([describe(arg) for arg in args] + [f"{k}={v!r}" for k, v in (params or {}).items() if v is not None])
    shapes = [tuple(arg.shape) for arg in args if hasattr(arg, "shape")]
    if op.promote and len(shapes) == 2 and not _broadcasts(*shapes) and not op.sequence and op.form == "elementwise":
        axis, a, b = _conflict(*shapes)
        return ShapeError(
            f"{op.name}: shapes {shapes[0]} and {shapes[1]} do not broadcast: counted from the end, axis {axis} has length {a} in one "
            f"and {b} in the other. Two lengths have to be equal, or one of them 1; reshape or expand_dims can make it so"
        )
    if isinstance(error, (NotImplementedError, IndexError)):
        kind: type[Exception] = type(error)
        return kind(f"{op.name}({shown}): {error}")
    bases = (OperationError,) if isinstance(error, RuntimeError) else (OperationError, type(error))
    wrapped: Exception = _error_class(bases)(f"{op.name}({shown}): {error}")
    return wrapped


_error_classes: dict[Any, Any] = {}


def _error_class(bases: tuple[type[Exception], ...]) -> Any:
    """OperationError that is also an error of the backend's own kind, so that both can be caught."""
    if bases not in _error_classes:
        try:
            _error_classes[bases] = type("OperationError", bases, {}) if len(bases) > 1 else bases[0]
        except TypeError:
            _error_classes[bases] = OperationError
    return _error_classes[bases]


def _broadcasts(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    return all(x == y or x == 1 or y == 1 for x, y in zip(a[::-1], b[::-1], strict=False))


def _conflict(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, int, int]:
    return next(
        (-1 - i, x, y) for i, (x, y) in enumerate(zip(a[::-1], b[::-1], strict=False)) if x != y and x != 1 and y != 1
    )


# -- the public functions ------------------------------------------------------------------------------------------
OPERATORS = {
    "add": "a + b", "subtract": "a - b", "multiply": "a * b", "divide": "a / b", "pow": "a ** b",
    "negative": "-a",
}  # fmt: skip
"""Operations for which the raw operator does the same as the raw function when the dtypes are equal, only faster."""


def build(op: Op) -> Callable[..., Any]:
    """The public function of an operation."""
    if op.form == "composite":
        function = _build_composite(op)
    elif op.form == "elementwise" and op.text in ("x, /", "x1, x2, /") and not any(rule and rule.facts for rule in op.partial_rules):
        function = _build_elementwise(op)
    else:
        function = _build_generic(op)
    short = op.name.rpartition(".")[2]
    function.__name__ = short
    function.__qualname__ = short
    function.__doc__ = op.doc or None
    function.__module__ = "polygrad"
    return function


BUILD.append(build)


def _compile(source: str, op: Op, scope: dict[str, Any]) -> dict[str, Any]:
    """Run generated source; tracebacks show it."""
    filename = f"<polygrad.{op.name}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    exec(compile(source, filename, "exec"), scope)
    return scope


def _build_generic(op: Op) -> Callable[..., Any]:
    short = op.name.rpartition(".")[2]
    arrays = "tuple(arrays)" if op.sequence else "(" + "".join(f"{name}, " for name in op.arrays) + ")"
    params = "{" + ", ".join(f"{name!r}: {name}" for name in op.params) + "}"
    source = f"def {short}({op.text}):\n    return apply(OP, {arrays}, {params})\n"
    return _compile(source, op, {"apply": apply, "OP": op})[short]  # type: ignore[no-any-return]


def _build_composite(op: Op) -> Callable[..., Any]:
    short = op.name.rpartition(".")[2]
    arrays = "(*arrays,)" if op.sequence else "(" + "".join(f"{name}, " for name in op.arrays) + ")"
    call = ", ".join(["list(arrays)" if op.sequence else name for name in (op.arrays[:1] if op.sequence else op.arrays)])
    params = "".join(f", {name}={name}" for name in op.params)
    source = f"def {short}({op.text}):\n    return BODY(home({arrays}), {call}{params})\n"
    return _compile(source, op, {"home": home, "BODY": op.body})[short]  # type: ignore[no-any-return]


def home(args: Sequence[Any]) -> Any:
    """The differentiable namespace that the arguments belong to."""
    for arg in args:
        if isinstance(arg, Tensor):
            return arg._frame.namespace
        if type(arg) in (list, tuple):
            return home(arg)
    for arg in args:
        if type(arg) not in _SCALARS and (backend := backend_of(arg)) is not None:
            return backend.namespace
    return get_backend().namespace


UNARY = '''
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
    if edge is not None:
        out._node = node = NODE()
        node.edges = (x if edge is LEAF else edge,)
        node.saved = {saved}
        node.static = None
        node.order = next_order()
        node.frame = frame
        node.extra = None
    return out
'''

BINARY = '''
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
    if state is not DEFAULT and not state.records(frame.level):
        if state.inference:
            mark((out,))
        return out
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
'''


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
        "DEFAULT": modes.DEFAULT, "current": modes.current, "mark": _mark_inference, "next_order": next_order,
        "fit": fit, "conjugate": conjugate, "missing": no_derivative,
        **{f"P{i}": partial for i, partial in enumerate(op.partials)},
    }  # fmt: skip
    pull = _compile(_pull_source(op, wants, saves), op, scope)["pull"]
    names = op.node if isinstance(op.node, tuple) else (op.node,) * 3
    for label, name in zip(("NODE", "NODE_SCALAR2", "NODE_SCALAR1"), names, strict=True):
        members = {"__slots__": (), "__module__": "polygrad.graph", "saves": tuple(saves), "pull": pull}
        scope[label] = type(name, (Node,), members)
    node = "NODE"
    if isinstance(op.node, tuple):
        node = "NODE if type(x1) is type(x2) else NODE_SCALAR2 if type(x1) is Tensor else NODE_SCALAR1"
    template = (UNARY, BINARY)[arity - 1]
    source = template.format(name=short, expression=expression, saved="(" + "".join(f"{v}, " for v in values) + ")", node=node)
    return _compile(source, op, scope)[short]  # type: ignore[no-any-return]


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
            lines.append(f"{pad}part{i} = g * ({call} if g.dtype not in node.frame.complex else conjugate(xp, {call}, g))")
        else:
            lines.append(f"{pad}part{i} = g * {partial!r}")
        if arity == 2:
            lines += [f"{pad}if shapes is not None:", f"{pad}    part{i} = fit(xp, part{i}, shapes[{i}])"]
    lines.append(f"    return ({''.join(f'part{i}, ' for i in range(arity))})")
    return "\n".join(lines) + "\n"
