"""Move fitted estimators of scikit-learn to another array library. scikit-learn itself is not imported."""

from __future__ import annotations

import copy
from typing import Any

from ..array_api.namespace import Namespace
from ..backend.select import backend_of
from ..core.tensor import Tensor
from ..errors import ArgumentError, describe


def move_estimator(estimator: Any, xp: Any) -> Any:
    """Return a copy of an estimator with the arrays that it has learnt on another array library.

    scikit-learn wants ``fit`` and ``predict`` to see the same namespace. This moves an estimator between them: fitted on NumPy arrays,
    it then takes Tensors, and its predictions differentiate with respect to them.

    Parameters
    ----------
    estimator
        An estimator, or a pipeline or another composition of estimators. It stays as it is.
    xp
        The target: a namespace of polygrad (``polygrad.namespace("numpy")``), for Tensors on that backend, or the module of an array
        library (``numpy``), for its own arrays.

    Returns
    -------
    object
        The copy.

    Raises
    ------
    ArgumentError
        ``estimator`` is none.
    ConversionError
        A tracked Tensor would go to a library that has no gradients. Inside ``allow_detach()`` it may.
    """
    if not hasattr(estimator, "get_params"):
        raise ArgumentError(f"move_estimator: expected an estimator of scikit-learn, got {describe(estimator)}")
    return _move(estimator, xp)


def _move(value: Any, xp: Any) -> Any:
    if isinstance(value, type):
        return value
    if hasattr(value, "__sklearn_array_api_convert__"):  # the object moves itself, by scikit-learn's own hook
        return value.__sklearn_array_api_convert__(lambda array: _move(array, xp))
    if type(value) is dict:
        return {key: _move(part, xp) for key, part in value.items()}
    if type(value) in (list, tuple, set):
        return type(value)([_move(part, xp) for part in value])
    if isinstance(value, Tensor) or backend_of(value) is not None:
        return _move_array(value, xp)
    if not hasattr(value, "get_params"):
        return value
    moved = copy.copy(value)
    for name, attribute in vars(value).items():
        setattr(moved, name, _move(attribute, xp))
    return moved


def _move_array(array: Any, xp: Any) -> Any:
    if getattr(array.dtype, "kind", "f") not in "biufc":  # names of classes, say, which NumPy alone has
        return array
    if isinstance(xp, Namespace):
        return array.to_backend(xp.backend) if isinstance(array, Tensor) else xp.asarray(array)
    if isinstance(array, Tensor):
        array = array._untracked("move_estimator")
    source = backend_of(array)
    if source is not None and source.owns(type(xp.asarray(0.0))):
        return array
    return xp.asarray(source.numpy(array)) if source is not None else array
