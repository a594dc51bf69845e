"""Every exception of polygrad: what happened, the facts that conflict, and the cure.

Each class is also the built-in exception that torch or NumPy users expect, so ``except RuntimeError`` and
``except ValueError`` go on working. This module imports nothing.
"""

from __future__ import annotations


class PolygradError(RuntimeError):
    """Base of every error that polygrad raises on purpose. ``code`` is stable across releases."""

    code = "PG000"


class GraphError(PolygradError):
    """The graph does not allow what was asked: nothing requires grad, it was freed, a leaf is modified, ..."""

    code = "PG100"


class AnomalyError(GraphError):
    """A gradient became nan, in anomaly mode."""

    code = "PG110"


class GeneratorNeeded(GraphError):
    """Random numbers were asked for inside a traced function, where the generator of the backend cannot be used."""

    code = "PG120"


class Untraceable(GraphError):
    """The backend's compiler cannot compile a function; the message says why."""

    code = "PG130"


class CheckpointError(GraphError):
    """What a checkpoint recomputed is not what was there the first time."""

    code = "PG140"


class GradcheckError(PolygradError):
    """A derivative is not what finite differences say."""

    code = "PG150"


class ShapeError(PolygradError, ValueError):
    """Two shapes do not fit together."""

    code = "PG200"


class DtypeError(PolygradError, TypeError, ValueError):
    """A dtype is not differentiable, does not exist on the backend, or does not fit."""

    code = "PG300"


class BackendError(PolygradError, ValueError):
    """A backend is unknown or not installed, or arrays of two backends (or devices) meet in one operation."""

    code = "PG400"


class ConversionError(PolygradError, TypeError):
    """A tracked Tensor would leave the graph without anybody having asked for it."""

    code = "PG500"


class DetachWarning(UserWarning):
    """A tracked Tensor has become a Python number, which has no gradient."""


class OperationError(PolygradError):
    """The backend refused an operation; the message names the operation and its arguments."""

    code = "PG600"


class ArgumentError(PolygradError, TypeError, ValueError):
    """An argument is of the wrong kind."""

    code = "PG700"


class NoDerivativeError(PolygradError, NotImplementedError):
    """The operation has no derivative with respect to this argument."""

    code = "PG800"


class UnsupportedError(PolygradError, NotImplementedError):
    """The backend cannot do this operation; the message says why. ``op`` and ``backend`` are their names."""

    code = "PG900"
    op: str | None = None
    backend: str | None = None


class MissingError(PolygradError, ImportError):
    """A package or a program that is not among the dependencies is needed, and not installed."""

    code = "PG950"


SECOND_BACKWARD = (
    "Trying to backward through the graph a second time (or directly access saved tensors after they have "
    "already been freed). Saved intermediate values of the graph are freed when you call .backward() or "
    "autograd.grad(). Specify retain_graph=True if you need to backward through the graph a second time or "
    "if you need to access saved tensors after calling backward."
)
"""The wording of torch, which people search for."""


def freed(node_name: str) -> GraphError:
    """The error of a node whose saved values are gone."""
    return GraphError(f"{SECOND_BACKWARD}\nThe node whose saved values were freed: {node_name}.")


def describe(value: object) -> str:
    """One argument as an error message shows it: its dtype and shape if it has them, else its type and value."""
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    if shape is not None and dtype is not None and not isinstance(value, type):
        return f"{dtype}{list(shape)}"
    text = repr(value)
    return f"{type(value).__name__} {text if len(text) <= 40 else text[:37] + '...'}"
