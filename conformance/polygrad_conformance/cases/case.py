"""The declarative record of an op: its reference, its sample inputs, and what is known of it.

    case("sin", "torch.sin", unary(-3, 3, complex=True))
    case("sum", "torch.sum(x, dim=axis, keepdim=keepdims)", reduction())
    case("special.jv", None, ..., mpmath="besselj(v, z)")

A reference is a Python expression in the parameters of the op (or the bare name of a function, which is called with the same
arguments), so that a report can print it as code that runs.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import polygrad
from polygrad.rules.declare import OPS

CASES: dict[str, Case] = {}
"""Every case by the name of its op; ``load`` fills it."""

SampleFunction = Callable[[np.random.Generator, str], "Iterable[Sample]"]

CHECKS_OF_KIND = {
    "regular": None,
    "kink": ("value", "reverse", "forward", "adjoint", "metadata", "mutation", "vmap"),
    "first": ("value", "reverse", "forward", "numeric", "adjoint", "metadata", "mutation", "vmap"),
    "extreme": ("value", "reverse", "forward", "metadata", "mutation"),
    "convention": ("value", "reverse", "metadata", "mutation", "vmap"),
    "value": ("value", "mutation"),
}
"""Which checks mean something at a sample of each kind; None: all.

    regular     a point in general position
    kink        a point where the derivative is a convention (a tie, a zero of abs): there is no second one, and finite differences
                say nothing
    first       a point where the second derivative is not known
    extreme     numbers far from 1: errors are taken number by number, not relative to the largest
    convention  the gradient is by definition another one than the function's, as of padding in an embedding
    value       infinities and nan: only the value
"""


@dataclass(frozen=True, eq=False)
class Sample:
    """One input: arguments for the op, in which NumPy arrays stand for Tensors."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)
    kind: str = "regular"
    """A key of CHECKS_OF_KIND."""
    layout: str = ""
    """"strided": the arrays are not contiguous."""
    constant: tuple[str, ...] = ()
    """Parameters whose arrays are not differentiated."""
    note: str = ""

    @property
    def label(self) -> str:
        """The call in short, such as "float64[2,3], axis=0"."""
        parts = [short(arg) for arg in self.args] + [f"{name}={short(value)}" for name, value in self.kwargs.items()]
        marks = [mark for mark in (self.kind if self.kind != "regular" else "", self.layout, self.note) if mark]
        return ", ".join(parts) + (f" ({', '.join(marks)})" if marks else "")


def is_function_name(reference: str) -> bool:
    """Return whether a reference is the name of a function, and no expression."""
    return all(part.isidentifier() for part in reference.split("."))


def short(value: Any) -> str:
    """A value in a label: an array by dtype and shape."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype}[{','.join(map(str, value.shape))}]"
    if isinstance(value, (list, tuple)):
        inner = ", ".join(map(short, value))
        return f"[{inner}]" if isinstance(value, list) else f"({inner}{',' if len(value) == 1 else ''})"
    if isinstance(value, slice):
        return ":".join("" if part is None else str(part) for part in (value.start, value.stop, value.step))
    return "..." if value is Ellipsis else repr(value)


@dataclass(frozen=True, eq=False)
class Case:
    """An op as the suite knows it."""

    op: str
    reference: str | None
    """An expression of torch in the op's parameters, or the name of a function; None: torch has no such function."""
    samples: SampleFunction
    family: str = ""
    dtypes: tuple[str, ...] = ("float64", "complex128")
    domain: str = ""
    note: str = ""
    orders: int = 2
    """The highest order of derivative that exists: 0 for constant functions."""
    tolerance: float | Mapping[str, float] = field(default_factory=dict)
    """Looser than the checks' own: for all checks against a reference, or by check."""
    reason: str = ""
    """Why."""
    mpmath: str | None = None
    """The same as an expression of mpmath in the parameters, element by element: it decides, and stands in where torch has nothing."""
    scipy: str | None = None
    """The same as an expression of scipy.special, for the value alone."""
    prepare: str = ""
    """The name of a function of ``shaping`` that brings the arrays into the op's domain (positive definite, say), differentiably."""
    observe: str = ""
    """The name of a function of ``shaping`` that makes of the outputs what is determined (not the phase of an eigenvector)."""
    undefined: tuple[str, ...] = ()
    """Arrays in which no derivative is known: asking for one has to raise, and is checked to."""
    without: Mapping[str, str] = field(default_factory=dict)
    """Checks that say nothing of this op, with the reason: counted as not run."""
    wide: bool = False
    """True if its results are in double precision where its arrays are in single precision."""

    @property
    def form(self) -> str:
        """The form of declaration, or "function"."""
        return OPS[self.op].form if self.op in OPS else "function"

    @functools.cached_property
    def function(self) -> Callable[..., Any]:
        """The public function."""
        if self.op in OPS:
            return OPS[self.op].call
        value: Any = polygrad
        for part in self.op.split("."):
            value = getattr(value, part)
        return value  # type: ignore[no-any-return]

    @functools.cached_property
    def signature(self) -> inspect.Signature:
        """Its parameters."""
        if self.op in OPS:
            return inspect.signature(eval(f"lambda {OPS[self.op].text}: None"))
        return inspect.signature(self.function)

    @functools.cached_property
    def array_names(self) -> tuple[str, ...]:
        """The parameters that are arrays."""
        return OPS[self.op].arrays if self.op in OPS else ()

    def tolerance_of(self, check: str, default: float) -> float:
        """Return what the error of a check may be, in double precision."""
        if isinstance(self.tolerance, Mapping):
            return max(default, self.tolerance.get(check, 0.0))
        return max(default, self.tolerance)


def case(op: str, reference: str | None, samples: SampleFunction, **options: Any) -> Case:
    """Declare the case of an op."""
    if op in CASES:
        raise TypeError(f"the case of {op!r} is declared twice")
    frame = inspect.currentframe()
    module = frame.f_back.f_globals["__name__"] if frame is not None and frame.f_back is not None else ""
    if op in OPS and OPS[op].form == "constant":
        options.setdefault("orders", 0)
    CASES[op] = made = Case(op, reference, samples, family=module.rpartition(".")[2], **options)
    return made


def load() -> dict[str, Case]:
    """All cases."""
    from .. import cases

    for module in pkgutil.iter_modules(cases.__path__):
        importlib.import_module(f"{cases.__name__}.{module.name}")
    return CASES
