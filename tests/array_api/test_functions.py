"""The functions of the standard on whole arrays beside the library's own, bit for bit: creation, reductions, sets, manipulation and all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polygrad as pg
from support.library_comparison import COMPLEX, KINDS, REAL, Bare, kind, ordinary, special


@pytest.fixture
def bare(backend: str) -> Bare:
    return Bare(backend)


def find(xp: Any, name: str) -> Any:
    for part in name.split("."):
        xp = getattr(xp, part)
    return xp


# -- creation -------------------------------------------------------------------------------------------------------
CREATION: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("arange", (5,), {}),
    ("arange", (2, 9, 3), {}),
    ("arange", (5, 0, -2), {}),
    ("arange", (0,), {}),
    ("arange", (3, 1), {}),
    ("arange", (2.5,), {}),
    ("arange", (0.0, 1.0, 0.25), {}),
    ("arange", (3,), {"step": 1}),
    ("arange", (1, 4, 0), {}),
    ("linspace", (0, 1, 5), {}),
    ("linspace", (0.0, 1.0), {"num": 4, "endpoint": False}),
    ("linspace", (1, -1, 1), {}),
    ("linspace", (1, 2, 0), {}),
    ("linspace", (0.5, 2.5, 2), {}),
    ("eye", (3,), {}),
    ("eye", (2, 4), {"k": 1}),
    ("eye", (3, 2), {"k": -1}),
    ("eye", (2, 2), {"k": 7}),
    ("eye", (0, 3), {}),
    *[(name, (shape,), {}) for name in ("ones", "zeros") for shape in (3, (), (0,), (2, 3), (2, 0, 1))],
    *[("full", (shape, value), {}) for shape in (2, (), (2, 1)) for value in (True, 3, 2.5, float("nan"), 1j)],
    *[
        ("asarray", (data,), {})
        for data in (True, 3, 2.5, 1j, [], [1, 2], [[1.0], [2.0]], [True], (1, 2.5), [1, 2.5, 1j], [[]])
    ],
    ("asarray", ([[1], [2, 3]],), {}),
    ("ones", (-1,), {}),
    ("ones", (2.5,), {}),
    ("zeros", ("a",), {}),
]


@pytest.mark.parametrize(("name", "args", "params"), CREATION)
def test_creation(name: str, args: Any, params: Any, bare: Bare) -> None:
    bare.agree(name, lambda xp: find(xp, name)(*args, **params))
    if (
        name != "arange"
        and not (name == "full" and isinstance(args[1], complex))
        and args[:1] != (1j,)
        and args != ([1, 2.5, 1j],)
    ):
        for dtype in bare.dtypes:
            if "asarray" in name and dtype[0] in "iu" and "2.5" in repr(args):
                continue  # a conversion that loses the fraction is not defined
            if name == "linspace" and dtype[0] in "iub":
                continue
            if name == "full" and dtype[0] in "iub" and args[1] != 3:
                continue
            bare.agree(name, lambda xp, d=dtype: find(xp, name)(*args, **params, dtype=getattr(xp, d)))


def test_arange_dtypes(bare: Bare) -> None:
    for dtype in bare.of_kind("if"):
        bare.agree("arange", lambda xp, d=dtype: xp.arange(1, 9, 2, dtype=getattr(xp, d)))


@pytest.mark.parametrize("name", ["ones_like", "zeros_like", "empty_like", "full_like"])
def test_creation_like(name: str, bare: Bare) -> None:
    value = (3,) if name == "full_like" else ()

    def call(xp: Any, x: Any, **params: Any) -> Any:
        out = getattr(xp, name)(x, *value, **params)
        return (out.dtype, tuple(out.shape)) if name == "empty_like" else out

    for dtype in bare.dtypes:
        for shape in ((2, 3), (), (0,), (1,)):
            bare.agree(name, call, ordinary(dtype, *shape))
        for other in bare.dtypes:
            bare.agree(name, lambda xp, x, d=other: call(xp, x, dtype=getattr(xp, d)), ordinary(dtype, 2))
    bare.agree("empty", lambda xp: tuple(xp.empty((2, 3)).shape))
    bare.agree("empty", lambda xp: xp.empty((2, 0), dtype=xp.float32))


def test_asarray_of_arrays(bare: Bare) -> None:
    for dtype in bare.dtypes:
        for copy in (None, True):
            bare.agree("asarray", lambda xp, x, c=copy: xp.asarray(x, copy=c), ordinary(dtype, 2, 3))
        bare.agree("asarray", lambda xp, x: xp.asarray(x, dtype=x.dtype, copy=False), ordinary(dtype, 2, 3))
        for other in bare.dtypes:
            if kind(special(dtype)) == "c" and kind(special(other)) != "c":
                continue
            if kind(special(dtype)) == "f" and kind(special(other)) in "bi":
                continue
            bare.agree("asarray", lambda xp, x, d=other: xp.asarray(x, dtype=getattr(xp, d)), ordinary(dtype, 2, 3))
    x = bare._tensor(ordinary("float32", 3))
    copied, same = bare.ours.asarray(x, copy=True), bare.ours.asarray(x)
    x[0] = 7.0
    assert float(copied[0]) != 7.0
    assert same is x
    for number in (True, 3, 2.5, 1j):
        bare.agree("asarray", lambda xp, s=number: xp.asarray(s))
        assert type(bare.ours.asarray(number).item()) is type(number)


def test_without_a_copy_what_needs_no_conversion_stays_what_it_is(bare: Bare) -> None:
    xp = bare.ours
    for dtype in bare.dtypes:
        for shape in ((), (2,), (0, 3)):
            x = bare._tensor(ordinary(dtype, *shape))
            assert xp.astype(x, x.dtype, copy=False) is x
            assert xp.astype(x, x.dtype, copy=False, device=x.device) is x
            assert x.astype(dtype, copy=False) is x
            assert xp.astype(x, x.dtype) is not x
            assert xp.asarray(x, dtype=x.dtype, device=x.device, copy=False) is x
    x = bare._tensor(ordinary("float32", 3)).requires_grad_()
    other = xp.astype(x, "float64", copy=False)
    assert other.dtype == xp.float64
    assert other.requires_grad
    same = xp.astype(x, "float32", copy=False)
    with pg.no_grad():
        x[0] = 7.0
    assert float(same[0]) == 7.0


def test_asarray_raises_where_it_takes_a_copy_that_is_forbidden(bare: Bare) -> None:
    x = bare._tensor(ordinary("float32", 3))
    with pytest.raises(
        ValueError, match=r"asarray: .*float32\[3\] takes a copy with dtype=.*float64.*copy=False forbids one"
    ):
        bare.ours.asarray(x, dtype=bare.ours.float64, copy=False)
    with pytest.raises(
        ValueError, match="asarray: stacking a sequence of Tensors takes a copy, and copy=False forbids one"
    ):
        bare.ours.asarray([x, x], copy=False)


def test_meshgrid(bare: Bare) -> None:
    for dtype in bare.dtypes:
        arrays = [ordinary(dtype, n, seed=n) for n in (3, 1, 2)]
        for indexing in ("xy", "ij"):
            for number in (1, 2, 3):
                bare.agree("meshgrid", lambda xp, *t, i=indexing: xp.meshgrid(*t, indexing=i), *arrays[:number])
    bare.agree("meshgrid", lambda xp, x: xp.meshgrid(x, indexing="yx"), ordinary("float32", 2))


@pytest.mark.parametrize("name", ["tril", "triu"])
def test_triangles(name: str, bare: Bare) -> None:
    for dtype in bare.dtypes:
        for shape in ((3, 4), (2, 3, 2), (1, 1), (0, 2), (2, 0)):
            for k in (-5, -1, 0, 1, 4):
                bare.agree(name, lambda xp, x, k=k: getattr(xp, name)(x, k=k), ordinary(dtype, *shape))


# -- dtypes ---------------------------------------------------------------------------------------------------------
def test_dtypes(bare: Bare) -> None:
    for first in bare.dtypes:
        for other in bare.dtypes:
            if not (kind(special(first)) in "fc" and kind(special(other)) in "bi") and not (
                first in COMPLEX and other not in COMPLEX
            ):
                for copy in (True, False):
                    bare.agree(
                        "astype",
                        lambda xp, x, d=other, c=copy: xp.astype(x, getattr(xp, d), copy=c),
                        ordinary(first, 2, 3),
                    )
            bare.agree("can_cast", lambda xp, x, d=other: xp.can_cast(x, getattr(xp, d)), ordinary(first, 2))
            bare.agree("can_cast", lambda xp, c=first, d=other: xp.can_cast(getattr(xp, c), getattr(xp, d)))
            bare.agree("result_type", lambda xp, c=first, d=other: xp.result_type(getattr(xp, c), getattr(xp, d)))
            bare.agree("result_type", lambda xp, x, y: xp.result_type(x, y), ordinary(first, 2), ordinary(other, 2, 2))
        bare.agree("result_type", lambda xp, x: xp.result_type(x, x.dtype, x), ordinary(first, 2))
        for number in (True, 2, 2.5, 1j):
            bare.agree("result_type", lambda xp, x, s=number: xp.result_type(x, s), ordinary(first, 2))
        for kinds in (*KINDS, ("bool", "integral"), "nonsense"):
            bare.agree("isdtype", lambda xp, d=first, k=kinds: xp.isdtype(getattr(xp, d), k))
        bare.agree("isdtype", lambda xp, d=first: xp.isdtype(getattr(xp, d), (xp.float32, "complex floating")))
    bare.agree("result_type", lambda xp: xp.result_type())


def test_limits(bare: Bare) -> None:
    """Python numbers and dtype objects, whatever the library holds; of a dtype and of an array."""
    for dtype in bare.of_kind("ifc"):
        name = "iinfo" if kind(special(dtype)) == "i" else "finfo"
        own, ours = getattr(bare.own, name), getattr(bare.ours, name)
        of = getattr(bare.ours, dtype)
        component = {"complex64": "float32", "complex128": "float64"}.get(dtype, dtype)
        for limits in (ours(of), ours(bare._tensor(ordinary(dtype, 2)))):
            assert limits.dtype == getattr(bare.ours, component)
            assert type(limits.bits) is int
            for limit in ("min", "max") if name == "iinfo" else ("min", "max", "eps", "smallest_normal"):
                value = getattr(limits, limit)
                assert type(value) is (int if name == "iinfo" else float)
                assert value == getattr(own(getattr(bare.own, dtype)), limit)
    for function, wrong, right in (
        ("finfo", "int32", "iinfo"),
        ("finfo", "bool", "iinfo"),
        ("iinfo", "float32", "finfo"),
    ):
        with pytest.raises(TypeError, match=f"{function}: .*{wrong} is none; use {right} for the others"):
            getattr(bare.ours, function)(getattr(bare.ours, wrong))


# -- reductions -----------------------------------------------------------------------------------------------------
AXES = [None, 0, -1, 1, (0, 1), (-1,), (), 5, (0, 0)]
SHAPES = [(3, 4), (2, 3, 2), (5,), (), (1,), (0,), (3, 0)]


@pytest.mark.parametrize(
    "name", ["sum", "prod", "mean", "max", "min", "all", "any", "std", "var", "count_nonzero", "argmax", "argmin"]
)
def test_reductions(name: str, bare: Bare) -> None:
    one = name.startswith("arg")
    for dtype in bare.dtypes:
        # JAX compiles every one of these calls: there all shapes but those without elements meet one dtype, and the other dtypes one shape.
        for shape in SHAPES if bare.name != "jax" else SHAPES[: 4 if dtype == "float64" else 1]:
            for axis in AXES:
                if one and isinstance(axis, tuple):
                    continue
                for keepdims in (False, True):
                    bare.agree(
                        name,
                        lambda xp, x, a=axis, k=keepdims: getattr(xp, name)(x, axis=a, keepdims=k),
                        ordinary(dtype, *shape),
                    )
        if kind(special(dtype)) == "f" and name not in ("std", "var"):
            bare.agree(name, lambda xp, x: getattr(xp, name)(x), special(dtype))
            bare.agree(name, lambda xp, x: getattr(xp, name)(x), np.array([-0.0, -0.0], dtype))


def test_dtypes_of_sums(bare: Bare) -> None:
    for name in ("sum", "prod", "cumulative_sum", "cumulative_prod", "linalg.trace"):
        for dtype in bare.of_kind("ifc"):
            for wide in ("int8", "int64", "uint64", "float32", "float64", "complex128"):
                if wide in bare.dtypes and not (dtype in COMPLEX and wide not in COMPLEX):
                    x = ordinary(dtype, 3, 3) if "trace" in name else ordinary(dtype, 4)
                    bare.agree(name, lambda xp, x, n=name, d=wide: find(xp, n)(x, dtype=getattr(xp, d)), x)


@pytest.mark.parametrize("name", ["std", "var"])
def test_corrections(name: str, bare: Bare) -> None:
    for dtype in REAL:
        for correction in (0, 1, 0.5, 1.0, 4, 10):
            bare.agree(
                name, lambda xp, x, c=correction: getattr(xp, name)(x, axis=-1, correction=c), ordinary(dtype, 3, 4)
            )


@pytest.mark.parametrize("name", ["cumulative_sum", "cumulative_prod"])
def test_cumulative(name: str, bare: Bare) -> None:
    for dtype in bare.dtypes:
        for shape in ((5,), (3, 4), (1,), (0,), (2, 0)):
            for axis in (None, 0, -1, 1):
                for initial in (False, True):
                    bare.agree(
                        name,
                        lambda xp, x, a=axis, i=initial: getattr(xp, name)(x, axis=a, include_initial=i),
                        ordinary(dtype, *shape),
                    )


# -- sorting, searching, sets ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["sort", "argsort"])
def test_sorting(name: str, bare: Bare) -> None:
    for dtype in bare.of_kind("if"):
        for shape in ((5,), (3, 4), (0,), (1,), (2, 0)):
            for axis in (-1, 0, 1):
                for descending in (False, True):
                    bare.agree(
                        name,
                        lambda xp, x, a=axis, d=descending: getattr(xp, name)(x, axis=a, descending=d),
                        ordinary(dtype, *shape),
                    )
        bare.agree(name, lambda xp, x: getattr(xp, name)(x, stable=False), np.arange(5, 0, -1).astype(dtype))


def test_searching(bare: Bare) -> None:
    for dtype in bare.dtypes:
        for shape in ((6,), (3, 4), (0,), (2, 0), ()):
            bare.agree("nonzero", lambda xp, x: xp.nonzero(x), ordinary(dtype, *shape))
    for dtype in bare.of_kind("if"):
        x = ordinary(dtype, 7)
        for side in ("left", "right"):
            for values in (ordinary(dtype, 2, 3, seed=1), ordinary(dtype, seed=1), ordinary(dtype, 0)):
                bare.agree("searchsorted", lambda xp, x, v, s=side: xp.searchsorted(x, v, side=s), np.sort(x), values)
            bare.agree(
                "searchsorted", lambda xp, x, v, s=side: xp.searchsorted(x, v, side=s, sorter=xp.argsort(x)), x, x[:2]
            )
            bare.agree("searchsorted", lambda xp, x, s=side: xp.searchsorted(x, 2, side=s), np.sort(x))


@pytest.mark.parametrize("name", ["unique_all", "unique_counts", "unique_inverse", "unique_values"])
def test_sets(name: str, bare: Bare) -> None:
    for dtype in bare.dtypes:
        for shape in ((6,), (3, 4), (0,), (), (1,)):
            bare.agree(name, lambda xp, x: getattr(xp, name)(x), ordinary(dtype, *shape))
    bare.agree(name, lambda xp, x: getattr(xp, name)(x), np.array([np.nan, 0.0, np.nan, 1.0]))


def test_isin(bare: Bare) -> None:
    if not hasattr(bare.own, "isin"):
        pytest.skip("the library has no isin")
    for first, other in bare.pairs():
        x, y = ordinary(first, 2, 3), ordinary(other, 2, 2, seed=1)
        bare.agree("isin", lambda xp, x, y: xp.isin(x, y), x, y)
        bare.agree("isin_inverted", lambda xp, x, y: xp.isin(x, y, invert=True), x, y)
    for dtype in bare.of_kind("i"):
        bare.agree("isin", lambda xp, x: xp.isin(x, 3), ordinary(dtype, 5))
        bare.agree("isin", lambda xp, x: xp.isin(3, x), ordinary(dtype, 5))


# -- manipulation ---------------------------------------------------------------------------------------------------
MANIPULATION: list[tuple[str, tuple[int, ...], tuple[Any, ...], dict[str, Any]]] = [
    *[("reshape", *case, {"copy": copy}) for copy in (None, True) for case in [
        ((3, 4), ((12,),)), ((3, 4), ((-1,),)), ((3, 4), ((2, -1),)), ((), ((1,),)), ((1,), ((),)), ((0, 3), ((3, 0),)), ((0, 3), ((0,),)),
        ((3, 4), ((5,),)), ((2, 3), ((-1, -1),)),
    ]],
    *[("permute_dims", *case, {}) for case in [
        ((3, 4), ((1, 0),)), ((2, 3, 4), ((2, 0, 1),)), ((2, 3, 4), ((-1, 0, 1),)), ((), ((),)), ((2, 3), ((0, 0),)), ((2, 3), ((0,),)),
    ]],
    *[("expand_dims", (3, 4), (), {"axis": axis}) for axis in (0, 1, -1, 2, -3, 3, -4, (0, 2), (0, -1), (0, 0), (), (1, 2))],
    ("expand_dims", (), (0,), {}),
    ("expand_dims", (3, 4), ((0, 1),), {}),
    *[("squeeze", *case, {}) for case in [
        ((1, 3), (0,)), ((3, 1), (-1,)), ((1, 3, 1), ((0, 2),)), ((1, 1), ((0,),)), ((2, 3), (0,)), ((1,), ((),)), ((1, 3), (5,)),
    ]],
    *[("flip", shape, (), {"axis": axis}) for shape in ((3, 4), (5,), (), (0, 2)) for axis in (None, 0, -1, (0, 1), 4)],
    *[("roll", (3, 4), (shift,), {"axis": axis}) for shift, axis in [(1, None), (-2, 0), ((1, 2), (0, 1)), ((1, 2), 0), (5, -1), (1, 7)]],
    *[("unstack", (2, 3, 2), (), {"axis": axis}) for axis in (0, 1, -1, 5)],
    *[("repeat", shape, (2,), {"axis": axis}) for shape in ((3, 4), (5,), (2, 0)) for axis in (None, 0, -1)],
    *[("tile", shape, (times,), {}) for shape in ((2, 3), (2,), (), (0, 2)) for times in ((2,), (2, 1, 2), (0,), (1, 1))],
    *[("moveaxis", (2, 3, 4), ends, {}) for ends in [(0, -1), ((0, 1), (-1, 0)), (2, 0), (0, 5), ((0, 1), (0,))]],
    *[("broadcast_to", shape, ((2, 3, 4),), {}) for shape in ((3, 4), (1, 4), (), (4,), (2, 1, 1), (3,))],
    ("matrix_transpose", (2, 3), (), {}),
    ("matrix_transpose", (2, 3, 4), (), {}),
    ("matrix_transpose", (2,), (), {}),
    *[("diff", shape, (), params) for shape in ((6,), (3, 4), (1,), (0,)) for params in ({}, {"n": 2}, {"n": 0}, {"axis": 0, "n": 9})],
]  # fmt: skip


@pytest.mark.parametrize(("name", "shape", "args", "params"), MANIPULATION)
def test_manipulation(name: str, shape: Any, args: Any, params: Any, bare: Bare) -> None:
    for dtype in bare.dtypes if bare.name != "jax" else ["bool", "float32"]:
        bare.agree(name, lambda xp, x: getattr(xp, name)(x, *args, **params), ordinary(dtype, *shape))


@pytest.mark.parametrize("name", ["concat", "stack"])
def test_joining(name: str, bare: Bare) -> None:
    for first, other in bare.pairs():
        for axis in (0, 1, -1, None, 4):
            for shapes in [((2, 3), (2, 3)), ((2, 3), (1, 3)), ((0, 3), (2, 3)), ((2,), (3,)), ((), ())]:
                if name == "stack" and axis is None:
                    continue
                bare.agree(
                    name,
                    lambda xp, x, y, a=axis: getattr(xp, name)([x, y], axis=a),
                    ordinary(first, *shapes[0]),
                    ordinary(other, *shapes[1], seed=1),
                )
    bare.agree(name, lambda xp, x: getattr(xp, name)((x,)), ordinary("float32", 2))
    bare.agree(name, lambda xp: getattr(xp, name)([]))


def test_broadcasting(bare: Bare) -> None:
    for shapes in ([(2, 3), (3,)], [(2, 1), (1, 3), ()], [(0, 1), (3,)], [(2,)], [(2,), (3,)]):
        arrays = [ordinary(dtype, *shape) for dtype, shape in zip(("float32", "int64", "bool"), shapes, strict=False)]
        bare.agree("broadcast_arrays", lambda xp, *t: tuple(xp.broadcast_arrays(*t)), *arrays)
        if hasattr(bare.own, "broadcast_shapes"):
            bare.agree("broadcast_shapes", lambda xp, s=tuple(shapes): tuple(xp.broadcast_shapes(*s)))


def test_taking(bare: Bare) -> None:
    for dtype in bare.dtypes:
        for index in ("int64", "int32", "uint8"):
            if index not in bare.dtypes or (bare.name == "torch" and index == "uint8"):
                continue  # which torch takes for a mask
            for axis in (0, 1, -1):
                indices = np.asarray([1, 0, 1], index)
                bare.agree("take", lambda xp, x, i, a=axis: xp.take(x, i, axis=a), ordinary(dtype, 2, 3), indices)
            bare.agree("take", lambda xp, x, i: xp.take(x, i), ordinary(dtype, 4), np.asarray([2, 0], index))
            bare.agree("take", lambda xp, x, i: xp.take(x, i, axis=0), ordinary(dtype, 4, 2), np.asarray([], index))
        if dtype not in COMPLEX and dtype != "bool":
            for axis in (0, -1):
                x, places = ordinary(dtype, 3, 4), np.argsort(ordinary(dtype, 3, 4), axis=axis)
                bare.agree("take_along_axis", lambda xp, x, i, a=axis: xp.take_along_axis(x, i, axis=a), x, places)
        x = ordinary(dtype, 2, 4)
        bare.agree("diff", lambda xp, x, y, z: xp.diff(x, prepend=y, append=z), x, x[:, :1], x[:, 2:])


# -- products and the extensions ------------------------------------------------------------------------------------
PRODUCTS: list[tuple[str, tuple[int, ...], tuple[int, ...], dict[str, Any]]] = [
    *[("matmul", *shapes, {}) for shapes in [
        ((2, 3), (3, 2)), ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((4, 2, 3), (3, 2)), ((4, 1, 2, 3), (2, 3, 2)), ((0, 3), (3, 2)),
        ((2, 0), (0, 3)), ((2, 3), (2, 3)), ((), (3,)),
    ]],
    *[("tensordot", *case) for case in [
        ((2, 3, 4), (3, 4, 5), {}),
        ((2, 3), (3, 2), {"axes": 1}), ((2, 3), (4,), {"axes": 0}), ((2, 3, 4), (4, 3, 5), {"axes": ((1, 2), (1, 0))}),
        ((2, 3), (2, 3), {"axes": 1}),
    ]],
    *[("vecdot", *case) for case in [
        ((2, 3), (3,), {}), ((2, 3), (2, 3), {"axis": -2}), ((2, 1, 3), (4, 3), {}), ((0,), (0,), {}), ((2,), (3,), {}),
    ]],
    ("linalg.outer", (3,), (2,), {}),
    ("linalg.outer", (3, 2), (2,), {}),
    ("linalg.cross", (3,), (3,), {}),
    ("linalg.cross", (2, 3), (3,), {}),
    ("linalg.cross", (3, 2), (3, 2), {"axis": -2}),
    ("linalg.cross", (2,), (2,), {}),
    ("linalg.matmul", (2, 3), (3, 2), {}),
    ("linalg.tensordot", (2, 3), (3, 2), {"axes": 1}),
    ("linalg.vecdot", (2, 3), (3,), {}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "first", "other", "params"), PRODUCTS)
def test_products(name: str, first: Any, other: Any, params: Any, bare: Bare) -> None:
    for one, two in bare.pairs() if bare.name != "jax" else [(d, d) for d in bare.dtypes]:
        arrays = ordinary(one, *first), ordinary(two, *other, seed=1)
        bare.agree(name.rpartition(".")[2], lambda xp, x, y: find(xp, name)(x, y, **params), *arrays)


def matrix(dtype: str, *shape: int) -> np.ndarray:
    """A well-conditioned positive definite matrix, or a stack of such."""
    x = ordinary(dtype, *shape)
    return np.asarray(x @ np.conj(np.swapaxes(x, -1, -2)) + 3 * np.eye(shape[-2], dtype=dtype))


SQUARE = [
    ("cholesky", (), {}), ("cholesky", (), {"upper": True}), ("det", (), {}), ("eig", (), {}), ("eigh", (), {}), ("eigvals", (), {}),
    ("eigvalsh", (), {}), ("inv", (), {}), ("matrix_power", (3,), {}), ("matrix_power", (0,), {}), ("matrix_power", (-2,), {}),
    ("slogdet", (), {}),
]  # fmt: skip
ANY = [
    ("diagonal", (), {}),
    ("diagonal", (), {"offset": 1}), ("diagonal", (), {"offset": -1}), ("trace", (), {}), ("trace", (), {"offset": 1}),
    ("matrix_rank", (), {}),
    ("matrix_rank", (), {"rtol": 0.5}), ("matrix_transpose", (), {}), ("pinv", (), {}), ("pinv", (), {"rtol": 0.01}),
    ("qr", (), {}), ("qr", (), {"mode": "complete"}), ("svd", (), {}), ("svd", (), {"full_matrices": False}), ("svdvals", (), {}),
    *[("matrix_norm", (), {"ord": order, "keepdims": keep}) for order in ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf) for keep in (0, 1)],
    *[("vector_norm", (), {"ord": order, "axis": axis, "keepdims": keep})
      for order in (2, 1, 0, np.inf, -np.inf, 3, 0.5) for axis in (None, -1, (0, 1)) for keep in (False, True)],
]  # fmt: skip


@pytest.mark.parametrize(("name", "args", "params"), SQUARE + ANY)
def test_linalg(name: str, args: Any, params: Any, bare: Bare) -> None:
    if not hasattr(bare.own.linalg, name):
        pytest.skip(f"the library has no linalg.{name}")
    square = (name, args, params) in SQUARE
    shapes = [(3, 3), (2, 2, 2), (1, 1)] if square else [(3, 3), (2, 4), (4, 2), (2, 2, 3)]
    for dtype in (*REAL, *COMPLEX) if bare.name != "jax" else ["float64", "complex128"]:
        for shape in shapes:
            x = matrix(dtype, *shape) if square else ordinary(dtype, *shape)
            bare.agree(name, lambda xp, x: getattr(xp.linalg, name)(x, *args, **params), x)
    bare.agree(
        name,
        lambda xp, x: getattr(xp.linalg, name)(x, *args, **params),
        ordinary("float32", 2, 3) if square else ordinary("float32"),
    )


def test_solve(bare: Bare) -> None:
    for dtype in (*REAL, *COMPLEX):
        for first, other in [
            ((3, 3), (3,)),
            ((3, 3), (3, 2)),
            ((2, 2, 2), (2, 1)),
            ((2, 2, 2), (2, 2, 3)),
            ((2, 2), (3,)),
        ]:
            bare.agree("solve", lambda xp, x, y: xp.linalg.solve(x, y), matrix(dtype, *first), ordinary(dtype, *other))


@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"])
def test_fft(name: str, bare: Bare) -> None:
    real = name in ("rfft", "ihfft")
    for dtype in REAL if real else COMPLEX:
        for shape, params in [((5,), {}), ((6,), {}), ((3, 4), {"axis": 0}), ((4,), {"n": 6}), ((4,), {"n": 3}), ((4,), {"norm": "ortho"}),
                              ((4,), {"norm": "forward"}), ((4,), {"n": 0}), ((4,), {"norm": "x"}), ((2, 4), {"axis": 5})]:  # fmt: skip
            bare.agree(name, lambda xp, x, p=params: getattr(xp.fft, name)(x, **p), ordinary(dtype, *shape))


@pytest.mark.parametrize("name", ["fftn", "ifftn", "rfftn", "irfftn"])
def test_fftn(name: str, bare: Bare) -> None:
    for dtype in REAL if name == "rfftn" else COMPLEX:
        for params in (
            {},
            {"axes": (0, 1)},
            {"s": (4, 2), "axes": (1, 2)},
            {"norm": "ortho"},
            {"axes": (-1,)},
            {"norm": "forward"},
        ):
            bare.agree(name, lambda xp, x, p=params: getattr(xp.fft, name)(x, **p), ordinary(dtype, 2, 3, 4))


def test_frequencies(bare: Bare) -> None:
    for name in ("fftfreq", "rfftfreq"):
        for n in (1, 4, 5):
            bare.agree(name, lambda xp, f=name, n=n: getattr(xp.fft, f)(n))
            bare.agree(name, lambda xp, f=name, n=n: getattr(xp.fft, f)(n, d=0.25))
    for name in ("fftshift", "ifftshift"):
        for axes in (None, 0, (0, 1), (-1,)):
            bare.agree(name, lambda xp, x, f=name, a=axes: getattr(xp.fft, f)(x, axes=a), ordinary("float32", 3, 4))
