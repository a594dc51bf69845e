"""The namespace that derivative rules, batching rules and defaults are written against.

A rule runs on raw arrays in a first-order backward pass, where its ``xp`` is ``Backend.raw``, and on Tensors where the gradient is itself
recorded or inside a transform, where ``xp`` is the differentiable namespace. Both have the functions of the Array API standard, every
declared operation, and the members listed here. A rule uses nothing else of them.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any, Protocol, runtime_checkable

from ..errors import UnsupportedError


@runtime_checkable
class RuleNamespace(Protocol):
    """The namespace ``xp`` of a rule: its members beside the functions of the standard and the declared operations."""

    backend: str
    """The name of the backend, as ``Tensor.backend``."""
    complex_dtypes: Container[Any]
    """The complex dtypes of the backend: ``x.dtype in xp.complex_dtypes`` is the cheap form of ``isdtype``."""
    floating_dtypes: Container[Any]
    """The dtypes that can carry a gradient: the real floating and the complex ones."""
    lazy: bool
    """True where arrays have no values yet, so that a rule must not look at any. Under a compiler's trace an eager library has none
    either, and looking raises: a rule that looks catches ``TypeError``."""

    def refusal(self, name: str, reason: str | None = None) -> UnsupportedError:
        """Return the error to raise for an operation, or a case of one, that the backend cannot do; see ``Backend.refusal``."""
        ...

    def contraction_path(self, equation: str, shapes: Sequence[tuple[int, ...]]) -> Any:
        """Return the order in which ``einsum`` contracts operands of these shapes; see ``Backend.contraction_path``."""
        ...
