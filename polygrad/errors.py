"""Every exception of polygrad. A message names what happened, the facts that conflict, and the cure.

Each class is also the built-in exception that torch or NumPy users expect, so ``except RuntimeError`` and
``except ValueError`` go on working. This module imports nothing.
"""

from __future__ import annotations


class PolygradError(RuntimeError):
    """Base of every error that polygrad raises on purpose. ``code`` is stable across releases."""

    code = "PG000"


class GraphError(PolygradError):
    """Error of the graph: nothing requires grad, the graph was freed, a leaf would be modified, and the like."""

    code = "PG100"


class AnomalyError(GraphError):
    """Error in anomaly mode: a gradient became nan."""

    code = "PG110"


class GeneratorNeeded(GraphError):
    """Error of random numbers inside a traced function, where the generator of the backend cannot be used."""

    code = "PG120"


class Untraceable(GraphError):
    """Error of a function that the backend's compiler cannot compile; the message says why."""

    code = "PG130"


class CheckpointError(GraphError):
    """Error of a checkpoint: the second run of the function did something else than the first."""

    code = "PG140"


class GradcheckError(PolygradError):
    """Error of a derivative that is not what finite differences say."""

    code = "PG150"


class ShapeError(PolygradError, ValueError):
    """Error of two shapes that do not fit together."""

    code = "PG200"


class DtypeError(PolygradError, TypeError, ValueError):
    """Error of a dtype that is not differentiable, does not exist on the backend, or does not fit."""

    code = "PG300"


class BackendError(PolygradError, ValueError):
    """Error of a backend that is unknown or not installed, or of arrays of two backends (or devices) in one operation."""

    code = "PG400"


class ConversionError(PolygradError, TypeError):
    """Error of a tracked Tensor that would leave the graph unasked."""

    code = "PG500"


class DetachWarning(UserWarning):
    """Warning of a tracked Tensor that has become a Python number, which has no gradient."""


class OperationError(PolygradError):
    """Error of an operation that the backend refused; the message names the operation and its arguments."""

    code = "PG600"


class ArgumentError(PolygradError, TypeError, ValueError):
    """Error of an argument of the wrong kind."""

    code = "PG700"


class NoDerivativeError(PolygradError, NotImplementedError):
    """Error of an operation that has no derivative with respect to an argument."""

    code = "PG800"


class UnsupportedError(PolygradError, NotImplementedError):
    """Error of an operation that the backend cannot do; ``op`` and ``backend`` are their names, and the message says why."""

    code = "PG900"
    op: str | None = None
    backend: str | None = None


class MissingError(PolygradError, ImportError):
    """Error of a package or a program that is not among the dependencies, is needed, and is not installed."""

    code = "PG950"


SECOND_BACKWARD = (
    "Trying to backward through the graph a second time (or directly access saved tensors after they have "
    "already been freed). Saved intermediate values of the graph are freed when you call .backward() or "
    "autograd.grad(). Specify retain_graph=True if you need to backward through the graph a second time or "
    "if you need to access saved tensors after calling backward."
)
"""torch's text, which people search for."""


def freed(node_name: str) -> GraphError:
    """Return the error of a node whose saved values are gone."""
    return GraphError(f"{SECOND_BACKWARD}\nThe node whose saved values were freed: {node_name}.")


def describe(value: object) -> str:
    """Describe an argument for an error message: by its dtype and shape if it has them, else by its type and value."""
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    if shape is not None and dtype is not None and not isinstance(value, type):
        return f"{dtype}{list(shape)}"
    text = repr(value)
    return f"{type(value).__name__} {text if len(text) <= 40 else text[:37] + '...'}"
