"""Selection and assignment by every kind of key, against NumPy for values and torch for gradients."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import polygrad as pg
from polygrad.errors import UnsupportedError
from support.gradient_checks import NAMES, check, host, tensor

X = np.arange(24.0).reshape(2, 3, 4) + 1
MASK = X % 5 < 2
KEYS = {
    "integer": 1,
    "negative integer": -1,
    "integers": (1, 2, 3),
    "slice": slice(0, 1),
    "steps": (slice(None), slice(None, None, 2), slice(1, None)),
    "negative step": (slice(None, None, -1), slice(2, 0, -1)),
    "empty slice": (slice(0, 0),),
    "ellipsis": (..., 1),
    "only ellipsis": ...,
    "none": (None, 1, None, ..., None),
    "empty tuple": (),
    "mask": MASK,
    "mask of leading axes": MASK[..., 0],
    "empty mask": X > 100,
    "array": np.asarray([1, 0, 1]),
    "array with repeats": (slice(None), np.asarray([0, 0, 2, 0])),
    "negative array": (np.asarray([-1, 0]),),
    "two arrays": (np.asarray([0, 1, 0]), np.asarray([2, 2, 2])),
    "broadcast arrays": (np.asarray([[0], [1]]), np.asarray([2, 0])),
    "array and slice": (np.asarray([1, 1]), slice(1, None)),
    "array, slice, array": (np.asarray([1, 1]), slice(None), np.asarray([0, 3])),
    "array and none": (np.asarray([1, 0]), None, slice(0, 2)),
    "array and integer": (0, slice(None), np.asarray([3, 3])),
    "list": [1, 0, 0],
    "array and negative step": (slice(None, None, -1), np.asarray([2, 0])),
    "array of two axes and negative step": (np.asarray([[1, 0], [0, 0]]), slice(None, None, -1)),
    "slice, array of two axes, negative step": (slice(1, None), np.asarray([[2, 0], [1, 1]]), slice(None, 0, -2)),
    "ellipsis, array, integer and negative step": (..., slice(None, None, -1), np.asarray([2, 0]), 1),
    "integer, ellipsis without axes, array": (slice(None), 1, ..., np.asarray([3, 3, 0])),
    "array without axes, slice, array": (np.asarray(1), slice(None), np.asarray([2, 0])),
    "mask and negative step": (np.asarray([False, True]), slice(None, None, -1)),
    "none and negative step": (None, slice(None, None, -1), None, 1, slice(2, None, -1)),
    "mask and slice": (slice(None), np.asarray([True, False, True])),
}


UNLIKE_TORCH = {
    "array and integer",
    "integer, ellipsis without axes, array",
    "array without axes, slice, array",
}
"""Where NumPy puts the new axes first and torch does not."""


@st.composite
def mixed_keys(draw: st.DrawFn) -> tuple[tuple[int, ...], object]:
    """A shape, and a key for it: slices, integers, arrays that broadcast together, masks, None, an ellipsis, in any order."""
    shape = tuple(draw(st.lists(st.integers(1, 3), max_size=4)))
    common = tuple(draw(st.lists(st.integers(1, 2), max_size=2)))
    parts: list[object] = []
    left = list(shape)
    while left:
        length = left[0]
        kind = draw(st.sampled_from(["slice", "integer", "array", "mask", "none", "ellipsis", "end"]))
        if kind == "end":
            break
        if kind == "none":
            parts.append(None)
        elif kind == "ellipsis":
            if not any(part is ... for part in parts):
                parts.append(...)
                left = left[draw(st.integers(0, len(left))) :]
        elif kind == "mask":
            axes = draw(st.integers(1, min(2, len(left))))
            bits = draw(st.lists(st.booleans(), min_size=prod(left[:axes]), max_size=prod(left[:axes])))
            parts.append(np.asarray(bits).reshape(left[:axes]))
            left = left[axes:]
        else:
            inside = st.integers(-length, length - 1)
            if kind == "slice":
                ends = st.none() | inside
                parts.append(slice(draw(ends), draw(ends), draw(st.sampled_from([None, 1, 2, -1, -2]))))
            elif kind == "integer":
                parts.append(draw(inside))
            else:
                own = common[draw(st.integers(0, len(common))) :]
                values = draw(st.lists(inside, min_size=prod(own), max_size=prod(own)))
                parts.append(np.asarray(values, dtype=np.int64).reshape(own))
            left = left[1:]
    return shape, tuple(parts)


@settings(
    max_examples=20 if {"jax", "dask"} & set(NAMES) else 150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(mixed_keys())
def test_mixed_keys_mean_what_they_mean_to_numpy(backend: str, drawn: tuple[tuple[int, ...], object]) -> None:
    shape, key = drawn
    values = np.arange(1.0, prod(shape) + 1).reshape(shape)
    try:
        expected = np.asarray(values[key])
    except IndexError:  # arrays that do not fit together, or masks beside them
        assume(False)
    x = tensor(values, backend, requires_grad=True)
    try:
        selected = x[on_backend(key, backend)]
    except UnsupportedError:  # masks on dask
        assume(False)
    np.testing.assert_array_equal(host(selected), expected)
    weights = np.arange(expected.size, dtype=np.float64).reshape(expected.shape)
    selected.backward(tensor(weights, backend))
    gradient = np.zeros(shape)
    np.add.at(gradient, key, weights)
    np.testing.assert_array_equal(host(x.grad), gradient)
    numbers = np.arange(values.size).reshape(shape)[key]
    if len(np.unique(numbers)) == numbers.size:  # which of several values is written to one place, NumPy does not say
        y = tensor(values, backend)
        y[on_backend(key, backend)] = tensor(-weights, backend)
        values[key] = -weights
        np.testing.assert_array_equal(host(y), values)


def on_backend(key: object, backend: str) -> object:
    if isinstance(key, tuple):
        return tuple(on_backend(part, backend) for part in key)
    return tensor(key, backend) if isinstance(key, np.ndarray) else key


@pytest.mark.parametrize("name", KEYS)
class TestKeys:
    def test_selection(self, name: str, backend: str) -> None:
        key = on_backend(KEYS[name], backend)
        x = tensor(X, backend, requires_grad=True)
        np.testing.assert_array_equal(host(x[key]), X[KEYS[name]])
        reference = None
        if "negative step" not in name and name not in UNLIKE_TORCH:
            torch = pytest.importorskip("torch") if backend == "numpy" else None
            if torch is not None:
                torch_key = _torch_key(KEYS[name], torch)
                reference = lambda x: x[torch_key]  # noqa: E731
        check(lambda x: x[key], [X], backend, reference=reference)

    def test_raw_key(self, name: str, backend: str) -> None:
        key = KEYS[name]
        raw = _raw(on_backend(key, backend))
        np.testing.assert_array_equal(host(tensor(X, backend)[raw]), X[key])

    def test_assignment(self, name: str, backend: str) -> None:
        key = on_backend(KEYS[name], backend)
        distinct = len(np.unique(np.arange(24).reshape(2, 3, 4)[KEYS[name]])) == X[KEYS[name]].size
        value = np.asarray(-X[KEYS[name]] * 2)
        expected = X.copy()
        expected[KEYS[name]] = value
        x = tensor(X, backend)
        x[key] = tensor(value, backend)
        if distinct:
            np.testing.assert_array_equal(host(x), expected)

        def assign(x: pg.Tensor, v: pg.Tensor) -> pg.Tensor:
            y = x * 1
            y[key] = v
            return y

        check(assign, [X, value], backend)  # where an element is written twice, the last value counts
        check(assign, [X, np.asarray(3.0)], backend)

    def test_scalar_assignment(self, name: str, backend: str) -> None:
        key = on_backend(KEYS[name], backend)
        expected = X.copy()
        expected[KEYS[name]] = 7.0
        x = tensor(X, backend)
        x[key] = 7.0
        np.testing.assert_array_equal(host(x), expected)


def _torch_key(key: object, torch: object) -> object:
    if isinstance(key, tuple):
        return tuple(_torch_key(part, torch) for part in key)
    return torch.as_tensor(key) if isinstance(key, np.ndarray) else key


def _raw(key: object) -> object:
    if isinstance(key, tuple):
        return tuple(_raw(part) for part in key)
    return key.array if isinstance(key, pg.Tensor) else key


def test_augmented_assignment_through_a_key(backend: str) -> None:
    def f(x: pg.Tensor) -> pg.Tensor:
        y = x * 1
        y[0, ...] += y[1, ...] * 2
        y[y > 30.5] = 0.0
        return y

    check(f, [X], backend)


def test_value_is_cast(backend: str) -> None:
    x = tensor(np.zeros(3, dtype="float32"), backend)
    v = tensor(np.asarray(2.0), backend, requires_grad=True)
    x[0] = v
    assert x.tolist() == [2.0, 0.0, 0.0]
    x.sum().backward()
    assert v.grad.dtype == v.dtype


def test_names(backend: str) -> None:
    x = tensor(X, backend, requires_grad=True)
    names = {
        "SelectBackward0": x[0],
        "SliceBackward0": x[1:],
        "UnsqueezeBackward0": x[None],
        "IndexBackward0": x[x > 3],
        "AliasBackward0": x[...],
    }
    for name, y in names.items():
        assert y.grad_fn.name() == name
    y = x * 1
    y[0] = 1.0
    assert y.grad_fn.name() == "CopySlices"


def test_set_at_shape_error(backend: str) -> None:
    x = tensor(X, backend)
    with pytest.raises(RuntimeError, match="set_at"):
        x[0] = tensor(np.ones((7, 7)), backend)
    np.testing.assert_array_equal(host(x), X)


@pytest.mark.parametrize("large", [1e30, float("inf"), float("nan")])
def test_contributions_of_other_elements_stay_out(large: float, backend: str) -> None:
    """A sum of all contributions, of which differences are taken, would lose the small ones beside the large one."""
    x = pg.tensor([1.0, 2.0, 3.0, 4.0], dtype="float64", requires_grad=True)
    index = pg.tensor([3, 0, 1, 1, 0, 3, 3])
    g = pg.tensor([1e-3, 1.0, large, 2.0, 4.0, 1e-3, 1e-3], dtype="float64")
    expected = np.asarray([5.0, large, 0.0, 3e-3])
    for y in (x[index], pg.take(x, index, axis=0)):
        (gradient,) = pg.autograd.grad(y, x, g)
        np.testing.assert_allclose(host(gradient), expected, rtol=1e-14)


def test_numpy_integers_in_keys(backend: str) -> None:
    """scikit-learn goes through rows by NumPy's numbers."""
    x = pg.tensor([[1.0, 2.0], [3.0, 4.0]], dtype="float64", requires_grad=True)
    y = x * 1
    y[np.int64(1), 0] = 7.0
    assert y.tolist() == [[1.0, 2.0], [7.0, 4.0]]
    assert y[np.int64(1)].tolist() == [7.0, 4.0]
    (gradient,) = pg.autograd.grad(y[np.int64(1)].sum() + y[0, np.int64(1)], x)
    np.testing.assert_array_equal(host(gradient), [[0.0, 1.0], [0.0, 1.0]])
