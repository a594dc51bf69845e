"""The elementwise functions and operators of the standard beside the library's own, bit for bit."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pytest

import polygrad as pg
from support.library_comparison import Bare, departs, kind, ordinary, special

UNARY = (
    "abs acos acosh asin asinh atan atanh bitwise_invert ceil conj cos cosh exp expm1 floor imag isfinite isinf isnan log log10 log1p "
    "log2 logical_not negative positive real reciprocal round sign signbit sin sinh sqrt square tan tanh trunc"
)
BINARY = (
    "add atan2 bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor copysign divide equal floor_divide greater "
    "greater_equal hypot less less_equal logaddexp logical_and logical_or logical_xor maximum minimum multiply nextafter not_equal pow "
    "remainder subtract"
)
OPERATORS = "add sub mul truediv floordiv mod pow and_ or_ xor lshift rshift lt le gt ge eq ne"
SHAPES = [
    ((3,), (3,)),
    ((2, 1), (3,)),
    ((), (2,)),
    ((2,), ()),
    ((), ()),
    ((0,), (1,)),
    ((2, 0), (1, 1)),
    ((1, 3), (2, 1)),
]
SCALARS = {"b": [True], "i": [0, 1, 2, -3, 300], "f": [0.0, -0.0, 2.5, -0.5, np.inf, np.nan], "c": [1j, 2 - 1j, 0j]}


@pytest.fixture
def bare(backend: str) -> Bare:
    return Bare(backend)


def second(name: str, dtype: str) -> np.ndarray:
    """The right operand: all special values, but no shift by more than there are bits, which nothing defines."""
    values = special(dtype)
    return np.clip(values, 0, 7).astype(dtype) if "shift" in name else values


@pytest.mark.parametrize("name", UNARY.split())
def test_unary(name: str, bare: Bare) -> None:
    for dtype in bare.dtypes:
        values = special(dtype)
        for array in (values, values[:0], values[1:2].reshape(()), ordinary(dtype, 2, 1, 3)):
            bare.agree(name, lambda xp, x: getattr(xp, name)(x), array)


@pytest.mark.parametrize("name", BINARY.split())
def test_binary(name: str, bare: Bare) -> None:
    for first, other in bare.pairs():
        bare.agree(name, lambda xp, x, y: getattr(xp, name)(x, y), special(first)[:, None], second(name, other))


@pytest.mark.parametrize("name", ["add", "logical_or", "bitwise_and", "equal", "maximum", "pow", "hypot"])
def test_shapes(name: str, bare: Bare) -> None:
    for one, two in [*SHAPES, ((2,), (3,)), ((2, 3), (2,))]:
        for dtype in ("bool", "int64", "float32", "complex64"):
            arrays = ordinary(dtype, *one), ordinary(dtype, *two, seed=1)
            bare.agree(name, lambda xp, x, y: getattr(xp, name)(x, y), *arrays)


def numbers(dtype: str, name: str) -> list[Any]:
    """Python numbers that the standard lets meet an array of this dtype."""
    if "shift" in name:
        return [0, 3] if kind(special(dtype)) == "i" else []
    kinds = {"b": "b", "i": "i", "f": "if", "c": "ifc"}[kind(special(dtype))]
    return [number for letter in kinds for number in SCALARS[letter]]


@pytest.mark.parametrize("name", BINARY.split())
def test_python_numbers(name: str, bare: Bare) -> None:
    for dtype in bare.dtypes:
        for number in numbers(dtype, name):
            x = special(dtype)
            bare.agree(name, lambda xp, x, s: getattr(xp, name)(x, s), x, number)
            bare.agree(name, lambda xp, s, x: getattr(xp, name)(s, x), number, second(name, dtype))


@pytest.mark.parametrize("name", OPERATORS.split())
def test_operators(name: str, bare: Bare) -> None:
    apply = getattr(operator, name)
    short = name.rstrip("_")
    for first, other in bare.pairs():
        bare.agree(short, lambda xp, x, y: apply(x, y), special(first)[:, None], second(name, other))
    for dtype in bare.dtypes:
        for number in numbers(dtype, name):
            bare.agree(short, lambda xp, x, s: apply(x, s), special(dtype), number)
            bare.agree(f"r{short}", lambda xp, s, x: apply(s, x), number, second(name, dtype))


@pytest.mark.parametrize("name", OPERATORS.split()[:12])
def test_in_place(name: str, bare: Bare) -> None:
    apply = getattr(operator, f"i{name.rstrip('_')}")
    short = f"i{name.rstrip('_')}"
    for first, other in bare.pairs():
        bare.agree(short, lambda xp, x, y: apply(x, y), special(first), second(name, other)[1:2])
    for dtype in bare.dtypes:
        for number in numbers(dtype, name):
            bare.agree(short, lambda xp, x, s: apply(x, s), special(dtype), number)


def test_in_place_keeps_object_and_shape(bare: Bare) -> None:
    x = bare._tensor(ordinary("float32", 2))
    given = x
    x += 1
    assert x is given
    with pytest.raises((ValueError, RuntimeError), match=r"\(2,\)|shape"):
        x += bare._tensor(ordinary("float32", 3, 2))
    assert tuple(x.shape) == (2,)


@pytest.mark.parametrize("name", ["abs", "neg", "pos", "invert"])
def test_unary_operators(name: str, bare: Bare) -> None:
    for dtype in bare.dtypes:
        bare.agree(name, lambda xp, x: getattr(operator, name)(x), special(dtype))


def test_matmul_operator(bare: Bare) -> None:
    for first, other in bare.pairs():
        bare.agree("matmul", lambda xp, x, y: x @ y, ordinary(first, 2, 3), ordinary(other, 3, 2))
        bare.agree("matmul", operator_imatmul, ordinary(first, 2, 2), ordinary(other, 2, 2))


def operator_imatmul(xp: Any, x: Any, y: Any) -> Any:
    x @= xp.astype(y, x.dtype)
    return x


@pytest.mark.parametrize("name", BINARY.split())
def test_kinds_that_meet(name: str, bare: Bare) -> None:
    """Where the kinds differ the lower takes the dtype of the higher, on every library, and the library does the rest."""
    rank = "bifc"
    for first in bare.dtypes:
        for other in bare.dtypes:
            x, y = special(first)[:-1, None], second(name, other)[:-1]  # no subnormal numbers, which JAX flushes
            if kind(x) == kind(y):
                continue
            lower, higher = sorted((first, other), key=lambda dtype: rank.index(kind(special(dtype))))
            real = kind(special(higher)) != "c" or kind(special(lower)) != "f"
            wide = higher if real else np.result_type(higher, lower).name  # the precision of real numbers counts too
            if name.startswith("logical"):
                continue
            got = bare._run(lambda xp, x, y: getattr(xp, name)(x, y), bare.ours, [bare._tensor(x), bare._tensor(y)])
            with np.errstate(all="ignore"):
                cast = x.astype(wide), y.astype(wide)
            expected = bare._run(lambda xp, x, y: getattr(xp, name)(x, y), bare.own, [bare._array(a) for a in cast])
            difference = bare.difference(expected, got)
            assert not difference or departs(bare.name, name, cast, expected, got), (first, other, difference)


def test_numbers_of_a_higher_kind(bare: Bare) -> None:
    """A Python number of a higher kind than the array brings the default dtype of its kind."""
    defaults = bare.own.__array_namespace_info__().default_dtypes()
    for dtype in bare.of_kind("bi"):
        x = bare._tensor(ordinary(dtype, 3))
        assert (x + 2.5).dtype == defaults["real floating"]
        assert (2.5 * x).dtype == defaults["real floating"]
        assert (x + 1j).dtype == defaults["complex floating"]
    assert (bare._tensor(ordinary("bool", 3)) + 1).dtype == defaults["integral"]
    for dtype, wide in (("float32", "complex64"), ("float64", "complex128")):
        assert (bare._tensor(ordinary(dtype, 3)) + 1j).dtype == getattr(bare.ours, wide)


def test_clip(bare: Bare) -> None:
    for dtype in bare.of_kind("if"):
        x = special(dtype)
        bounds = [(0, 1), (None, 1), (1, None), (None, None)]
        bounds += [(0.5, 2.5), (-np.inf, np.inf), (np.nan, 1.0), (1.0, np.nan)] if kind(x) == "f" else []
        for low, high in bounds:
            bare.agree("clip", lambda xp, x, a=low, b=high: xp.clip(x, a, b), x)
            bare.agree("clip", lambda xp, x, a=low, b=high: xp.clip(x, min=a, max=b), x)
        low, high = ordinary(dtype, 2, 1), ordinary(dtype, 2, 1) + np.ones((), dtype)
        bare.agree("clip", lambda xp, x, a, b: xp.clip(x, a, b), x, low, high)
        bare.agree("clip", lambda xp, x, a: xp.clip(x, a), x, low)
        bare.agree("clip", lambda xp, x, b: xp.clip(x, max=b), x, high)


def test_where(bare: Bare) -> None:
    for first, other in bare.pairs():
        for one, two in SHAPES:
            arrays = ordinary(first, *one), ordinary(other, *two, seed=1)
            bare.agree("where", lambda xp, c, x, y: xp.where(c, x, y), ordinary("bool", 2, 1), *arrays)
    for dtype in bare.dtypes:
        for number in numbers(dtype, "where"):
            condition = special(dtype) == special(dtype)
            bare.agree("where", lambda xp, c, x, s=number: xp.where(c, x, s), condition, special(dtype))
            bare.agree("where", lambda xp, c, x, s=number: xp.where(c, s, x), condition, special(dtype))


def test_the_comparison_notices(backend: str) -> None:
    bare = Bare(backend)

    def only_ours(change: Any) -> Any:
        return lambda xp, x: change(x) if isinstance(x, pg.Tensor) else x

    for change, message in (
        (lambda x: x * -1.0, r"\[-0.\] instead of \[0.\]"),
        (lambda x: x.to("float32"), "float32"),
        (lambda x: x[None, :], r"\(1, 1\)"),
        (lambda x: (x, x), "tuple instead of"),
        (lambda x: x.array, "instead of a Tensor"),
        (lambda x: x.nothing, "polygrad AttributeError"),
    ):
        with pytest.raises(AssertionError, match=message):
            bare.agree("anything", only_ours(change), np.array([0.0]))
    with pytest.raises(AssertionError, match="the library gives AttributeError"):
        bare.agree("anything", lambda xp, x: x if isinstance(x, pg.Tensor) else x.nothing, np.array([0.0]))
