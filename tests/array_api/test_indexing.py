"""Selection and assignment beside the library's own: every kind of key, and what is no key."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import polygrad as pg
from support.library_comparison import Bare, kind, ordinary, special


@pytest.fixture
def bare(backend: str) -> Bare:
    return Bare(backend)


def select(xp: Any, x: Any, key: Any) -> Any:
    return x[key]


def assign(xp: Any, x: Any, key: Any, value: Any) -> Any:
    x[key] = value
    return x


BASIC: list[tuple[tuple[int, ...], Any]] = [
    ((5,), 0), ((5,), -1), ((5,), 5), ((5,), -6), ((5,), slice(None)), ((5,), slice(1, 4)),
    ((5,), slice(None, None, 2)), ((5,), slice(3, 1)),
    ((5,), slice(-3, None)), ((5,), slice(None, 9)), ((5,), slice(None, None, -1)), ((5,), slice(4, 0, -2)), ((5,), ...), ((5,), (..., 0)),
    ((5,), None), ((5,), (None, slice(1, 3))), ((5,), (slice(None), None)), ((5,), (..., None)), ((5,), slice(0, 5, 0)),
    ((3, 4), (1, 2)), ((3, 4), (1, slice(None))), ((3, 4), (slice(None), -1)), ((3, 4), (slice(None, None, -1), slice(None, None, -2))),
    ((3, 4), (..., 1)), ((3, 4), (1, ...)), ((3, 4), (..., slice(0, 0))), ((3, 4), (None, ..., None)), ((3, 4), (1, None, 2)),
    ((3, 4), (1, 2, ...)), ((3, 4), (1, 2, 0)), ((3, 4), (..., ...)), ((3, 4), (3, 0)), ((2, 3, 4), (1, ..., slice(3, None, -1))),
    ((2, 3, 4), (slice(None), 1, slice(1, None))),
    ((), ()), ((), ...), ((), None), ((), 0), ((0, 3), (slice(None), 1)), ((0, 3), 0), ((3, 4), ()),
]  # fmt: skip
NO_KEYS: list[Any] = ["a", 1.5, {}, (0, "a"), 1j]


@pytest.mark.parametrize(("shape", "key"), BASIC)
def test_basic_keys(shape: Any, key: Any, bare: Bare) -> None:
    missing = len(shape) - sum(
        part is not None and part is not ... for part in (key if isinstance(key, tuple) else (key,))
    )
    short = missing > 0 and ... not in (key if isinstance(key, tuple) else (key,))
    for dtype in bare.dtypes if bare.name != "jax" else ["bool", "float32"]:
        if not (short and bare.name == "array_api_strict"):  # which wants every axis named
            bare.agree("getitem", lambda xp, x: x[key], ordinary(dtype, *shape))
    if bare.name == "array_api_strict" and short:
        return
    for dtype in bare.dtypes if bare.name != "jax" else ["float32"]:
        number = {"b": True, "i": 7, "f": -0.0, "c": 2j}[kind(special(dtype))]
        bare.agree("setitem", lambda xp, x, v: assign(xp, x, key, v), ordinary(dtype, *shape), number)
        bare.agree("setitem", lambda xp, x, v: assign(xp, x, key, v), ordinary(dtype, *shape), ordinary(dtype))


@pytest.mark.parametrize("key", NO_KEYS)
def test_what_is_no_key(key: Any, bare: Bare) -> None:
    x = bare._tensor(ordinary("float32", 2, 2))
    with pytest.raises((IndexError, TypeError, ValueError)):
        x[key]
    with pytest.raises((IndexError, TypeError, ValueError)):
        x[key] = 1.0
    np.testing.assert_array_equal(pg.asarray(x).numpy(), ordinary("float32", 2, 2))


def test_masks(bare: Bare) -> None:
    for dtype in bare.dtypes:
        number = {"b": True, "i": 7, "f": 2.5, "c": 2j}[kind(special(dtype))]
        for shape in ((4,), (2, 3), (), (0,), (2, 0)):
            x, mask = ordinary(dtype, *shape), ordinary("bool", *shape, seed=2)
            bare.agree("getitem", lambda xp, x, m: x[m], x, mask)
            bare.agree("setitem_mask", assign, x, mask, number)
            bare.agree("setitem_mask", assign, x, mask, ordinary(dtype))
            bare.agree("setitem_mask", lambda xp, x, m: assign(xp, x, m, x[m]), x, mask)
        if bare.name != "array_api_strict":
            bare.agree("getitem", lambda xp, x, m: x[m], ordinary(dtype, 2, 3), np.array([True, False]))
            bare.agree("getitem", lambda xp, x, m: x[m], ordinary(dtype, 2, 3), np.array([True, False, True]))
            bare.agree("getitem", lambda xp, x, m: x[..., m], ordinary(dtype, 2, 3), np.array([True, False, True]))
    for shape in ((0,), (0, 3), (2, 0), (0, 0), (0, 2)):
        mask = np.zeros(shape, bool)  # NumPy takes one without elements beside any length
        bare.agree("getitem", lambda xp, x, m: x[m], ordinary("float32", 2, 3), mask)
        bare.agree("setitem_mask", assign, ordinary("float32", 2, 3), mask, 7.0)


def test_integer_arrays(bare: Bare) -> None:
    rows, columns = np.array([0, 1, -1]), np.array([2, 0, 2])
    for dtype in bare.dtypes if bare.name != "jax" else ["float32"]:
        x = ordinary(dtype, 2, 3)
        bare.agree("getitem", lambda xp, x, i, j: x[i, j], x, rows, columns)
        bare.agree("getitem", lambda xp, x, i, j: x[i, j], x, rows[:, None], columns)
        bare.agree("getitem", lambda xp, x, i: x[i, 1], x, rows)
        bare.agree("getitem", lambda xp, x, i: x[i], ordinary(dtype, 4), rows)
        bare.agree("getitem", lambda xp, x, i: x[i, i], x, np.zeros((0,), np.int64))
        bare.agree("getitem", lambda xp, x, i: x[i, ...], x, np.array(1))
        if bare.name != "array_api_strict":
            bare.agree("getitem", lambda xp, x, i: x[i], x, rows)
            bare.agree("getitem", lambda xp, x, j: x[:, j], x, columns)
            bare.agree("getitem", lambda xp, x, j: x[None, :, j], x, columns)
            bare.agree("getitem", lambda xp, x, i: x[i, None, ..., 0], x, rows)
            bare.agree("setitem", lambda xp, x, i, j: assign(xp, x, (i, j), 1), x, rows[:2], columns[:2])
            bare.agree("setitem", lambda xp, x, i: assign(xp, x, i, xp.asarray(x[0, ...], copy=True)), x, rows[:2])
        if bare.name != "jax":
            bare.agree("getitem", lambda xp, x, i: x[i, ...] if len(x.shape) else x[i], x, np.array([7]))


def test_assigned_values(bare: Bare) -> None:
    """What is assigned is broadcast, and takes the dtype of the target within its kind and from a lower one."""
    for first, other in bare.pairs():
        for shape in ((3,), (1,), (2, 3), (1, 3), (2, 1), ()):
            bare.agree(
                "setitem",
                lambda xp, x, v: assign(xp, x, ..., v),
                ordinary(first, 2, 3),
                ordinary(other, *shape, seed=1),
            )
    x = bare._tensor(ordinary("int64", 3))
    for value in (1j, bare._tensor(ordinary("float32")), bare._tensor(ordinary("complex64"))):
        with pytest.raises((TypeError, ValueError, RuntimeError)):
            x[0] = value
    with pytest.raises((ValueError, RuntimeError, IndexError), match=r"shape|size|broadcast"):
        x[...] = bare._tensor(ordinary("int64", 2))
    np.testing.assert_array_equal(x.numpy(), ordinary("int64", 3))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(data=st.data())
def test_any_basic_key(data: Any, bare: Bare) -> None:
    shape = data.draw(hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4), label="shape")
    key = data.draw(hnp.basic_indices(shape, allow_newaxis=bare.name != "array_api_strict"), label="key")
    x = ordinary("float32", *shape)
    parts = key if isinstance(key, tuple) else (key,)
    if bare.name == "array_api_strict" and ... not in parts and len(parts) < len(shape):
        return
    bare.agree("getitem", lambda xp, x: x[key], x)
    bare.agree("setitem", lambda xp, x: assign(xp, x, key, 7.0), x)
