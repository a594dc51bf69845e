"""Nodes of declared operations: the class of each, and how a call becomes one.

A node class is made when an operation is first recorded under that name. Its ``pull`` is generated from the rules, so that it passes
exactly what they ask for: saved arrays by position, facts and parameters by name.
"""

from __future__ import annotations

import functools
import linecache
from collections.abc import Callable, Sequence
from typing import Any

from ..backend.frame import Frame
from ..errors import NoDerivativeError
from ..rules.declare import Op, Rule, fit
from . import saved as _saved  # noqa: F401 - it names what the node classes made here save
from .graph import LazyParts, Node, Scatter, edge_pair, next_order, output_node
from .modes import current
from .tensor import SCALAR_TYPES, Tensor

_new = object.__new__


def compiled(source: str, name: str, scope: dict[str, Any]) -> dict[str, Any]:
    """Run generated source; tracebacks show it."""
    filename = f"<polygrad.{name}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    exec(compile(source, filename, "exec"), scope)
    return scope


class RuleNode(Node):
    """A node of a declared operation."""

    __slots__ = ()
    op: Op
    saves: tuple[int, ...] = ()
    joint = False
    """True if one rule gives the cotangents of all inputs."""
    rules: tuple[Rule | None, ...] = ()
    """As declared: one for each input, or a single one."""

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """One pair (node, output number) for each input that has a derivative; (None, 0) where none is wanted."""
        listed = zip(self.edges, self.rules if not self.joint else self.edges, strict=True)
        return tuple([edge_pair(edge) for edge, rule in listed if self.joint or rule is not None])

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for rule in cls.__dict__.get("rules", ()):
            for name, _, _ in rule.facts if rule is not None else ():
                if not hasattr(cls, f"_saved_{name}"):
                    setattr(cls, f"_saved_{name}", property(functools.partial(_kept, name)))

    def keep(self, payloads: Sequence[Any], edges: Sequence[Any], params: dict[str, Any], outs: Sequence[Any]) -> None:
        """Set ``static`` and ``saved`` from the call that the node records."""
        raise NotImplementedError


def _kept(name: str, node: RuleNode) -> Any:
    """A fact or parameter that a node keeps, under torch's kind of name: ``node._saved_axis``."""
    return node.static[name]


class GetitemNode(RuleNode):
    """Indexing: on raw arrays the gradient stays a ``Scatter``, so that many small ones share a buffer."""

    __slots__ = ()

    def pull(self, xp: Any, g: Any, edges: tuple[Any, ...], saved: tuple[Any, ...]) -> Sequence[Any]:
        facts = self.static
        if isinstance(g, Tensor):
            return (self.rules[0].function(xp, g, **facts),)  # type: ignore[union-attr]
        return LazyParts((Scatter(self.frame.backend, g, facts["key"], facts["x_shape"]),))


_classes: dict[tuple[str, str], type[RuleNode]] = {}


def node_class(op: Op, name: str) -> type[RuleNode]:
    """The node class of an operation, under the name that torch would print."""
    try:
        return _classes[op.name, name]
    except KeyError:
        pass
    if is_simple(op):
        return _classes.setdefault((op.name, name), _element_class(op, name))
    found = op.vjps if op.form != "elementwise" else elementwise_rules(op)
    joint = isinstance(found, Rule)
    rules: tuple[Any, ...] = (found,) if joint else found
    saves: list[int] = []
    for rule in rules:
        for position in rule.values if rule is not None else ():
            if position not in saves:
                saves.append(position)
    members: dict[str, Any] = {
        "__slots__": (), "__module__": "polygrad.graph", "op": op, "joint": joint, "rules": rules, "saves": tuple(saves),
    }  # fmt: skip
    static, saved = kept(op, rules, joint, saves, _local, "edges[{}]".format, "params[{!r}]".format)
    source = f"def keep(node, payloads, edges, params, outs):\n    node.static = {static}\n    node.saved = {saved}\n"
    members["keep"] = compiled(source, f"{op.name} record", {"fact": fact_in})["keep"]
    if op.name != "getitem":
        members["pull"] = _pull(op, rules, joint, saves)
    if op.form == "elementwise":
        members["pull_absorbing"] = pull_absorbing
    made: type[RuleNode] = type(name, (GetitemNode if op.name == "getitem" else RuleNode,), members)
    return _classes.setdefault((op.name, name), made)


def _pull(op: Op, rules: Sequence[Rule | None], joint: bool, saves: Sequence[int]) -> Any:
    calls = []
    for i, rule in enumerate(rules):
        if rule is None:
            calls.append(f"missing(OP, {i})")
            continue
        values = "".join(f", saved[{saves.index(p)}]" for p in rule.values)
        needs = "tuple([edge is not None for edge in edges])"
        facts = "".join(f", {key}=" + (needs if key == "needs" else f"facts[{key!r}]") for key, _, _ in rule.facts)
        calls.append(f"F{i}(xp, g{values}{facts})")
    guarded = "".join(f"{call} if edges[{i}] is not None else None, " for i, call in enumerate(calls))
    body = calls[0] if joint else f"({guarded})"
    source = f"def pull(node, xp, g, edges, saved):\n    facts = node.static\n    return {body}\n"
    scope = {f"F{i}": rule.function for i, rule in enumerate(rules) if rule is not None}
    return compiled(source, f"{op.name} backward", {**scope, "missing": _missing, "OP": op})["pull"]


def kept(
    op: Op,
    rules: Sequence[Rule | None],
    joint: bool,
    saves: Sequence[int],
    value: Callable[[int], str],
    edge: Callable[[int], str],
    param: Callable[[str], str],
) -> tuple[str, str]:
    """Return the source of what a node keeps of a call: ``static``, and ``saved``, what the rules of its tracked inputs ask for.

    The three functions give the source of a payload (an input by its number, an output from -1 down), an edge and a parameter.
    """
    facts: dict[str, str] = {}
    wanting: dict[int, list[int]] = {position: [] for position in saves}
    for i, rule in enumerate(rules):
        if rule is None:
            continue
        for position in rule.values:
            wanting[position].append(i)
        for key, source, fact in rule.facts:
            if source == "*":
                facts[key] = "tuple([payload.shape for payload in payloads])"
            elif fact == "":
                facts[key] = "None" if source == "needs" else param(str(source))
            else:
                facts[key] = f"fact({value(int(source))}, {fact!r})"
    values = []
    for position, inputs in wanting.items():
        wanted = value(position)
        if not joint and len(inputs) < len(op.arrays):
            wanted += " if " + " or ".join(f"{edge(i)} is not None" for i in inputs) + " else None"
        values.append(f"{wanted}, ")
    saved = f"({''.join(values)})"
    if values and not joint and any(rule is None or not rule.values for rule in rules):
        # Where none of the tracked inputs needs a value, the node saves nothing, and can run again.
        needing = sorted({i for inputs in wanting.values() for i in inputs})
        saved = f"{saved} if {' or '.join(f'{edge(i)} is not None' for i in needing)} else ()"
    return "{" + ", ".join(f"{key!r}: {source}" for key, source in facts.items()) + "}", saved


def _local(position: Any) -> str:
    return f"payloads[{position}]" if position >= 0 else f"outs[{-1 - position}]"


def fact_in(value: Any, fact: str) -> Any:
    """A fact of a payload; of a Python scalar, which has neither shape nor dtype, that of a 0-d array."""
    if value is None:
        return None
    return getattr(value, fact, () if fact == "shape" else 0 if fact == "ndim" else None)


def _missing(op: Op, position: int) -> None:
    raise no_derivative(op, position)


def node_name(op: Op, payloads: Sequence[Any], params: dict[str, Any]) -> str:
    """The name of the node that a call with these arguments records."""
    name = op.node
    if isinstance(name, tuple):
        scalars = [type(payload) in SCALAR_TYPES for payload in payloads]
        name = name[1 if scalars[1] else 2 if scalars[0] else 0]
    elif not isinstance(name, str):
        name = name(payloads, params)
    return name  # type: ignore[no-any-return]


def new_node(cls: type[Node], frame: Frame, edges: Sequence[Any], saved: Any = (), static: Any = None) -> Any:
    """Make a node, as every call that is recorded does; the generated functions do the same in their own lines."""
    node = _new(cls)  # not called: no node has anything to initialise
    node.frame = frame
    node.edges = tuple(edges)
    node.saved = saved
    node.static = static
    node.extra = None
    node.order = next_order()
    return node


def attach(node: Node, results: Sequence[Any], carries: Sequence[bool]) -> None:
    """Give those results that ``carries`` names their place in the node, which is announced to whoever watches."""
    for observer in current().observers:
        observer(node)
    if node.outputs == 1:
        results[0]._node = node
        return
    for i, result in enumerate(results):
        if carries[i]:
            result._node = output_node(node, i)


def record(
    op: Op, frame: Frame, payloads: Sequence[Any], edges: Sequence[Any], params: dict[str, Any], outs: Sequence[Any]
) -> Node:
    """The node of a call: its edges, and of the arguments and outputs what the rules of the tracked inputs ask for."""
    node: RuleNode = new_node(node_class(op, node_name(op, payloads, params)), frame, edges)
    node.keep(payloads, edges, params, outs)
    return node


def fact_of(source: Any, fact: str, payloads: Sequence[Any], outs: Sequence[Any], params: dict[str, Any]) -> Any:
    if fact == "":
        return params[source] if source != "needs" else None
    if source == "*":
        return tuple([payload.shape for payload in payloads])
    return fact_in(payloads[source] if source >= 0 else outs[-1 - source], fact)


def record_several(
    op: Op,
    results: Sequence[Tensor],
    frame: Frame,
    payloads: Sequence[Any],
    edges: Sequence[Any],
    params: dict[str, Any],
    outs: Sequence[Any],
) -> None:
    """Give the results of an operation with several outputs a node in common, and each its own place in it."""
    node = record(op, frame, payloads, edges, params, tuple(outs))
    node.__class__ = counted(type(node), len(results))
    attach(node, results, [result._data.dtype in frame.floating for result in results])


_counts: dict[tuple[type[Node], int], type[Node]] = {}


def counted(cls: type[Node], number: int) -> type[Node]:
    """The node class for this number of outputs."""
    try:
        return _counts[cls, number]
    except KeyError:
        made = type(cls.__name__, (cls,), {"__slots__": (), "outputs": number, "__module__": cls.__module__})
        return _counts.setdefault((cls, number), made)


def no_derivative(op: Op | str, argument: int | str) -> NoDerivativeError:
    """The error of a derivative that does not exist: with respect to an array, given by its position, or to a parameter."""
    name = op if isinstance(op, str) else op.name
    if not isinstance(op, str) and not isinstance(argument, str):
        argument = op.arrays[argument]
    return NoDerivativeError(
        f"{name}: no derivative is known with respect to its argument {argument!r}; detach() that argument if it is to be "
        f"taken as constant"
    )


# -- elementwise operations as rules --------------------------------------------------------------------------------
def conjugate(xp: Any, partial: Any, g: Any) -> Any:
    """The conjugate of a partial derivative, where the cotangent is complex; the partial itself otherwise."""
    if g.dtype in xp.complex_dtypes and type(partial) not in (float, int):
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


def pull_absorbing(node: Any, xp: Any, g: Any, edges: tuple[Any, ...], saved: tuple[Any, ...]) -> Sequence[Any]:
    """``pull`` of an elementwise operation under ``zero_absorbing``: where the cotangent is 0, so is its product with the partial."""
    op: Op = node.op
    values = dict(zip(node.saves, saved, strict=True))
    facts = node.static if isinstance(node.static, dict) else {}
    parts: list[Any] = []
    for i, (edge, partial, rule) in enumerate(zip(edges, op.partials, op.partial_rules, strict=True)):
        if edge is None:
            parts.append(None)
            continue
        if partial is None:
            raise no_derivative(op, i)
        if rule is None:
            part = g if partial == 1 else g * partial
        else:
            given = [values[position] for position in rule.values]
            named = {key: facts[key] for key, _, _ in rule.facts}
            if op.applied[i]:
                part = partial(xp, g, *given, **named)
            else:
                part = g * conjugate(xp, partial(xp, *given, **named), g)
                part = xp.where(g == 0, xp.zeros_like(part), part)
        if facts:
            part = fit(xp, part, facts[f"{op.arrays[i]}_shape"])
        elif node.static is not None:
            part = fit(xp, part, node.static[i])
        parts.append(part)
    return parts


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


# -- elementwise operations of one or two arrays ------------------------------------------------------------------------
def is_simple(op: Op) -> bool:
    """Return whether the operation is elementwise on one or two arrays and has no parameters; comparisons are, too."""
    if op.form == "constant":
        return op.text == "x1, x2, /" and op.promote == ("x1", "x2") and not op.outputs
    return (
        op.form == "elementwise"
        and op.text in ("x, /", "x1, x2, /")
        and not any(r and r.facts for r in op.partial_rules)
    )


class ElementNode(RuleNode):
    """A node of an elementwise operation of one or two arrays: ``static`` holds their shapes where they differ, else None."""

    __slots__ = ()

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """One pair (node, output number) for each input; (None, 0) where none is wanted."""
        return tuple([edge_pair(edge) for edge in self.edges])

    def keep(self, payloads: Sequence[Any], edges: Sequence[Any], params: dict[str, Any], outs: Sequence[Any]) -> None:
        wants = [rule.values if rule is not None else [] for rule in self.op.partial_rules]
        needed = [
            any(position in wanted and edge is not None for wanted, edge in zip(wants, edges, strict=True))
            for position in self.saves
        ]
        values = [payloads[position] if position >= 0 else outs[0] for position in self.saves]
        self.saved = tuple([value if need else None for value, need in zip(values, needed, strict=True)])
        if len(payloads) == 2 and all(hasattr(payload, "shape") for payload in payloads):
            shapes = (payloads[0].shape, payloads[1].shape)
            self.static = None if shapes[0] == shapes[1] else shapes


def _element_class(op: Op, name: str) -> type[RuleNode]:
    wants: list[list[int]] = [rule.values if rule is not None else [] for rule in op.partial_rules]
    saves = sorted({position for wanted in wants for position in wanted})
    scope = {"fit": fit, "conjugate": conjugate, "missing": no_derivative, "OP": op}
    scope |= {f"P{i}": partial for i, partial in enumerate(op.partials)}
    pull = compiled(_pull_source(op, wants, saves), f"{op.name} backward", scope)["pull"]
    members = {"__slots__": (), "__module__": "polygrad.graph", "op": op, "saves": tuple(saves), "pull": pull}
    return type(name, (ElementNode,), {**members, "pull_absorbing": pull_absorbing})


def _projection(partial: Any, number: int) -> int | None:
    """Return the number of the argument that a partial derivative returns as it is; None if it computes something."""
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
