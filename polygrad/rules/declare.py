"""Forms in which an operation and its derivatives are declared. One entry is all that an operation needs.

    sin      = elementwise("sin", lambda xp, x: xp.cos(x))
    exp      = elementwise("exp", lambda xp, out: out)
    multiply = elementwise("multiply(x1, x2, /)", lambda xp, x2: x2, lambda xp, x1: x1, node="MulBackward0")
    flip     = linear("flip(x, /, *, axis=None)", transpose=lambda xp, g, *, axis: xp.flip(g, axis=axis))
    floor    = constant("floor")
    matmul   = rule("matmul(x1, x2, /)", vjp=(..., ...), jvp=(..., ...))
    kron     = composite("kron(a, b, /)", body)

The text is the signature that users see; positional-only parameters are the arrays, unless ``arrays=`` names them. What a
derivative names is what the node keeps for it:

    ``x`` (any array parameter)    the input as it was
    ``out``                        the output
    ``x_shape``, ``x_dtype``, ``out_shape``, ...    that fact of it (kept instead of the array)
    ``axis`` (any other parameter) the value it was called with
    ``shapes``                     the shapes of all arrays, in order (for operations on a sequence of arrays, such as ``concat``)
    ``needs``                      a tuple of Booleans, in order: which of the arrays need a cotangent (for a rule that gives all at once)

Facts and parameters are keyword-only in a derivative, ``shapes`` and ``needs`` too. Nothing is kept for ``needs``: it is known when the
derivative runs. In forward mode it is None. Derivatives receive a namespace and arrays and call nothing else
(``backend.interface.RuleNamespace``); they run on raw arrays in a first-order pass, and on Tensors when the gradient is itself recorded.
"""

from __future__ import annotations

import functools
from collections import namedtuple
from collections.abc import Callable
from typing import Any

from .helpers import broadcast_shapes, fit
from .registry import Registry
from .vmap import forms

__all__ = [
    "BUILD", "OPS", "Op", "Rule", "applied", "bilinear", "broadcast_shapes", "composite", "constant", "elementwise", "fit", "linear",
    "rule",
]  # fmt: skip

# Every operation by name; the names of those in an extension begin with ``linalg.``, ``fft.``, ``special.`` or ``nn.``.
OPS = Registry()

# The function that builds the public function of an operation. array_api.surface enters it here, since no table knows about Tensors.
BUILD: list[Callable[[Op], Callable[..., Any]]] = []
FACTS = ("shape", "dtype", "ndim", "device")


def read_parameters(function: Callable[..., Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the positional and the keyword-only parameters of a function.

    They are read off its code where possible: the tables are long, and ``inspect`` is slow.
    """
    code = getattr(function, "__code__", None)
    if code is None or hasattr(function, "__wrapped__") or hasattr(function, "__signature__"):
        import inspect

        parameters = inspect.signature(function).parameters.values()
        keywords = tuple([p.name for p in parameters if p.kind is p.KEYWORD_ONLY])
        return tuple([p.name for p in parameters if p.name not in keywords]), keywords
    return code.co_varnames[: code.co_argcount], code.co_varnames[code.co_argcount :][: code.co_kwonlyargcount]


class Rule:
    """One derivative function, with the arrays and facts that its signature asks for."""

    __slots__ = ("facts", "function", "values")

    def __init__(self, op: Op, function: Callable[..., Any], fixed: int) -> None:
        self.function = function
        # Positions of the inputs whose value it asks for; -1 is the output.
        self.values: list[int] = []
        # Triples (keyword, source, fact). The source is the position of an input, -1 for the output, or the name of a
        # parameter.
        self.facts: list[tuple[str, int | str, str]] = []
        positional, keywords = read_parameters(function)
        for name in (*positional[fixed:], *keywords):
            if name not in keywords:
                self.values.append(op.position(name))
            elif name in op.params:
                self.facts.append((name, name, ""))
            elif name == "shapes":
                self.facts.append((name, "*", "shape"))
            elif name == "needs":
                self.facts.append((name, "needs", ""))
            else:
                array, _, fact = name.rpartition("_")
                if fact not in FACTS:
                    raise TypeError(
                        f"{op.name}: derivative parameter {name!r} matches no array, output or parameter of the operation"
                    )
                self.facts.append((name, op.position(array), fact))


class Op:
    """A declared operation: its signature, its derivatives, and how it appears to users.

    Parameters
    ----------
    form
        The form of the declaration, such as "linear".
    text
        The name and the signature, such as ``"sum(x, /, *, axis=None)"``; without parentheses there is one array ``x``.
    arrays
        The names of the parameters that are arrays, if those are not the positional-only ones. ``("arrays",)`` is one parameter that is
        a sequence of arrays.
    default
        ``(xp, x, ..., *, param)`` computes the operation where the array library lacks it.
    node
        The name of its nodes, as torch has it; or ``(payloads, params)`` gives the name. An elementwise operation of two arrays may have
        three names: for two arrays, for a number as the second, and for a number as the first.
    outputs
        The names of the results, if there are several.
    promote
        True if the arrays are promoted to a common dtype, or the names of those that are.
    view
        True if the result is a view of the first array; or ``(params)`` tells.
    write
        ``(xp, base, value, **params)`` returns the base with ``value`` in the place of the view. Without it the transpose is used, which
        has to be the inverse.
    batch
        The batching rule, which runs the operation under ``vmap`` (``rules.vmap.alignment``). Without one there is a loop over the
        examples, and a warning.
    conversion
        True if it converts to a ``dtype`` on a ``device``, and with ``copy=False`` returns an array that has both as it is.
    methods
        The methods of Tensor that call it, separated by spaces. A trailing underscore makes one in place. In a table this is a literal,
        since the registry finds it in the text.
    by_position
        Keyword-only parameters that the methods take by position too, as torch's do.
    doc
        The beginning of the docstring of the public function.
    """

    def __init__(
        self,
        form: str,
        text: str,
        *,
        arrays: tuple[str, ...] | None = None,
        default: Callable[..., Any] | None = None,
        node: str | Callable[..., str] | None = None,
        outputs: tuple[str, ...] = (),
        promote: tuple[str, ...] | bool = False,
        view: bool | Callable[[dict[str, Any]], bool] = False,
        write: Callable[..., Any] | None = None,
        batch: Callable[..., Any] | str | None = None,
        conversion: bool = False,
        methods: str = "",
        by_position: tuple[str, ...] = (),
        doc: str = "",
    ) -> None:
        name, paren, rest = text.partition("(")
        self.name = name
        self.form = form
        self.text = rest[:-1] if paren else "x, /"
        signature = eval(f"lambda {self.text}: None")
        code = signature.__code__
        names, keywords = (
            code.co_varnames[: code.co_argcount],
            code.co_varnames[code.co_argcount :][: code.co_kwonlyargcount],
        )
        variadic = code.co_varnames[len(names) + len(keywords) :]
        defaults = dict(zip(reversed(names), reversed(signature.__defaults__ or ()), strict=False)) | (
            signature.__kwdefaults__ or {}
        )
        self.positional = frozenset(names[: code.co_posonlyargcount])
        self.arrays = arrays or names[: code.co_posonlyargcount]
        self.sequence = self.arrays == ("arrays",)
        self.params = tuple([name for name in (*names, *variadic, *keywords) if name not in self.arrays])
        # Parameters that are no arrays and are passed by position.
        self.leading = tuple([name for name in names if name in self.positional and name not in self.arrays])
        # Parameters that may be left out when they are None.
        self.optional = frozenset([name for name, default in defaults.items() if default is None])
        # Arrays that are passed by keyword, and left out where they are None (``prepend`` of ``diff``).
        self.named = tuple([name for name in keywords if name in self.arrays])
        # Whether the public function takes the arrays by position and all else by keyword.
        self.direct = not self.sequence and not self.leading and self.positional.issuperset(self.arrays)
        self.default = default
        short = name.rpartition(".")[2]
        self.node: Any = node if node is not None else "".join(part.title() for part in short.split("_")) + "Backward0"
        self.outputs = outputs
        self.promote = self.arrays if promote is True else promote or ()
        # A function of the parameters that tells whether the result is a view of the first array.
        self.view: Callable[[dict[str, Any]], bool] | None = (
            view if callable(view) else (lambda params: True) if view else None
        )
        self.always_view = view is True
        self.write = write
        self.batch = batch
        self.conversion = conversion
        self.methods = tuple(methods.split())
        self.by_position = by_position
        self.doc = doc
        # One rule for each input, or a single one that gives all cotangents at once.
        self.vjps: Any = None
        # As ``vjps``; or "self" for a linear operation, which is applied to the tangents itself; or "product".
        self.jvps: Any = None
        # For an elementwise operation: a function or a number for each input, None where no derivative is known.
        self.partials: tuple[Any, ...] = ()
        # The rule of each partial that is a function.
        self.partial_rules: tuple[Rule | None, ...] = ()
        # For each partial, True if it is ``applied``.
        self.applied: tuple[bool, ...] = ()
        self.body: Callable[..., Any] | None = None
        # The public function, once it has been asked for.
        self._call: Callable[..., Any] | None = None

    @functools.cached_property
    def result(self) -> Any:
        """The named tuple that holds several outputs, with the standard's names whatever the library returns."""
        return namedtuple(f"{self.name.rpartition('.')[2].title().replace('_', '')}Result", self.outputs)

    @property
    def call(self) -> Callable[..., Any]:
        """The public function, built when it is first asked for."""
        if self._call is None:
            self._call = BUILD[0](self)
        return self._call

    def position(self, name: str) -> int:
        """Return the position of the input that a derivative calls ``name``; -1 for the output, -2 and on for further outputs."""
        if name == "out":
            return -1
        if name in self.outputs:
            return -1 - self.outputs.index(name)
        if name in self.arrays:
            return self.arrays.index(name)
        raise TypeError(
            f"{self.name}: derivative parameter {name!r} matches no array or output of the operation; there are "
            f"{(*self.arrays, *self.outputs, 'out')}"
        )

    def __repr__(self) -> str:
        return f"<{self.form} {self.name}({self.text})>"


def _make_rules(op: Op, given: Any, fixed: int) -> Any:
    if given is None or isinstance(given, str):
        return given
    if callable(given):
        rule = Rule(op, given, fixed)
        return rule if op.sequence or len(op.arrays) > 1 else (rule,)
    return tuple([None if function is None else Rule(op, function, fixed) for function in given])


class applied:
    """Marker of a partial derivative that is a function ``(xp, g, x, ...)`` of the value that it would be multiplied with.

    It is for operations that select: ``where`` keeps an infinite or nan cotangent out of the elements that were not selected, and a product
    with 0 does not. The function has to be its own transpose, since it is applied to cotangents and to tangents.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function


def elementwise(text: str, *partials: Any, **options: Any) -> Op:
    """Declare an operation on each element alone (with broadcasting), by its partial derivative with respect to each input.

    A partial is a function ``(xp, x, ..., out, *, param)`` that names what it needs, or a number, or None where no derivative is known.
    Reverse mode is ``g * conj(partial)``, forward mode ``tangent * partial``. For a real result of complex numbers (``abs``) the partial is
    the gradient, and the modes are ``g * partial`` and ``real(tangent * conj(partial))``.
    """
    if "(" not in text:
        text += "(x, /)" if len(partials) == 1 else "(x1, x2, /)"
    options.setdefault("promote", len(partials) > 1)
    options.setdefault("batch", forms.elementwise)
    op = Op("elementwise", text, **options)
    op.applied = tuple([isinstance(partial, applied) for partial in partials])
    op.partials = tuple([partial.function if isinstance(partial, applied) else partial for partial in partials])
    op.partial_rules = tuple(
        [Rule(op, f, 1 + given) if callable(f) else None for f, given in zip(op.partials, op.applied, strict=True)]
    )
    if len(partials) != len(op.arrays):
        raise TypeError(f"{op.name}: {len(partials)} partial derivatives for the inputs {op.arrays}")
    return OPS.declare(op)


def linear(text: str, transpose: Any, **options: Any) -> Op:
    """Declare an operation that is linear in its arrays taken together (``where``, ``concat``).

    ``transpose`` is a function ``(xp, g, ..., *, x_shape, param)`` that returns the cotangent of the input. For several inputs it is a
    tuple of such functions, with None for an input without gradient; for a sequence of arrays it is one function that returns all
    cotangents.
    """
    op = Op("linear", text, **options)
    op.vjps = _make_rules(op, transpose, 2)
    op.jvps = "self"
    return OPS.declare(op)


def bilinear(text: str, transpose: Any, **options: Any) -> Op:
    """Declare a product: linear in each of two arrays while the other is held. ``transpose`` is a tuple, as for ``linear``."""
    op = Op("linear", text, **options)
    op.vjps = _make_rules(op, transpose, 2)
    op.jvps = "product"
    return OPS.declare(op)


def rule(text: str, vjp: Any, jvp: Any, **options: Any) -> Op:
    """Declare any other operation, by ``vjp(xp, g, ...)`` and ``jvp(xp, tangent, ...)``.

    Each is a tuple with one function for each input. It is a single function where there is one input, or where it returns the cotangents
    of all inputs, or takes the tangents of all.
    """
    op = Op("rule", text, **options)
    op.vjps = _make_rules(op, vjp, 2)
    op.jvps = _make_rules(op, jvp, 2)
    return OPS.declare(op)


def constant(text: str, **options: Any) -> Op:
    """Declare an operation whose derivative is zero everywhere, or does not exist: its output never requires grad."""
    return OPS.declare(Op("constant", text, **options))


def composite(text: str, body: Callable[..., Any], **options: Any) -> Op:
    """Declare an operation that is made of others, ``body(xp, x, ..., param=...)``, and needs no derivative of its own."""
    op = Op("composite", text, default=body, **options)
    op.body = body
    return OPS.declare(op)
