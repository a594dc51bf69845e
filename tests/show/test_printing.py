"""Tests of polygrad.printing: a table written by hand, and a sweep against torch where it is."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from polygrad.show.printing import format_tensor, set_printoptions

NAN, INF = math.nan, math.inf


@pytest.fixture(autouse=True)
def _default_options() -> Iterator[None]:
    set_printoptions(profile="default")
    yield
    set_printoptions(profile="default")


def shape_of(values: Any) -> tuple[int, ...]:
    return (len(values), *shape_of(values[0])) if isinstance(values, list) else ()


def cut(values: Any, key: tuple[Any, ...]) -> Any:
    """``values[key]`` for nested lists."""
    return [cut(value, key[1:]) for value in values[key[0]]] if key else values


def show(values: Any, kind: str, *suffixes: str, **options: Any) -> str:
    return format_tensor(shape_of(values), kind, lambda key: cut(values, key), list(suffixes), **options)


def lines(*text: str) -> str:
    return "\n".join(text)


TABLE: list[tuple[Any, str, str]] = [
    # One element
    (True, "bool", "tensor(True)"),
    (-7, "int", "tensor(-7)"),
    (2.0, "float", "tensor(2.)"),
    (0.0, "float", "tensor(0.)"),
    (-0.0, "float", "tensor(-0.)"),
    (1.23456, "float", "tensor(1.2346)"),
    (1e-5, "float", "tensor(1.0000e-05)"),
    (NAN, "float", "tensor(nan)"),
    (-INF, "float", "tensor(-inf)"),
    (1 + 2j, "complex", "tensor(1.+2.j)"),
    (1.5 - 0.25j, "complex", "tensor(1.5000-0.2500j)"),
    # Rows
    ([True, False], "bool", "tensor([ True, False])"),
    ([1, -20, 300], "int", "tensor([  1, -20, 300])"),
    ([1.0, 2.0], "float", "tensor([1., 2.])"),
    ([1.0, 2.5], "float", "tensor([1.0000, 2.5000])"),
    ([-1.0, 20.0], "float", "tensor([-1., 20.])"),
    # The width is that of the finite nonzero values
    ([-0.0, 1.0], "float", "tensor([-0., 1.])"),
    ([NAN, 1.0], "float", "tensor([nan, 1.])"),
    ([INF, -INF, NAN], "float", "tensor([inf, -inf, nan])"),
    ([1.5, NAN, -INF], "float", "tensor([1.5000,    nan,   -inf])"),
    # Scientific notation: ratio over 1000, over 1e8, under 1e-4
    ([1.0, 1000.0], "float", "tensor([   1., 1000.])"),
    ([1.0, 1001.0], "float", "tensor([1.0000e+00, 1.0010e+03])"),
    ([0.5, 500.0], "float", "tensor([  0.5000, 500.0000])"),
    ([0.5, 501.0], "float", "tensor([5.0000e-01, 5.0100e+02])"),
    ([1e8], "float", "tensor([100000000.])"),
    ([1e9], "float", "tensor([1.0000e+09])"),
    ([1e-4], "float", "tensor([0.0001])"),
    ([0.00009], "float", "tensor([9.0000e-05])"),
    ([INF, 1e-6], "float", "tensor([       inf, 1.0000e-06])"),
    ([5e-324, 1e308], "float", "tensor([4.9407e-324, 1.0000e+308])"),
    # Complex: each part has its own format
    ([1 + 2j, 1.5 - 3e5j], "complex", "tensor([1.0000+2.0000e+00j, 1.5000-3.0000e+05j])"),
    ([complex(NAN, -INF)], "complex", "tensor([nan-infj])"),
    ([-1 + 0j, 1 - 10j], "complex", "tensor([-1.+0.j,  1.-10.j])"),
    ([complex(1.0, -0.0)], "complex", "tensor([1.-0.j])"),
    # More dimensions
    ([[1, 2], [3, 40]], "int", lines("tensor([[ 1,  2],", "        [ 3, 40]])")),
    ([[[[5.0]]]], "float", "tensor([[[[5.]]]])"),
    (
        [[[1, 2], [3, 4]], [[5, 6], [7, 8]]],
        "int",
        lines(
            "tensor([[[1, 2],",
            "         [3, 4]],",
            "",
            "        [[5, 6],",
            "         [7, 8]]])",
        ),
    ),
    (
        [[[[1], [2]]], [[[3], [4]]]],
        "int",
        lines(
            "tensor([[[[1],",
            "          [2]]],",
            "",
            "",
            "        [[[3],",
            "          [4]]]])",
        ),
    ),
    # Long rows wrap
    (
        list(range(30)),
        "int",
        lines(
            "tensor([ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15, 16, 17,",
            "        18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29])",
        ),
    ),
    # Summaries
    (list(range(2000)), "int", "tensor([   0,    1,    2,  ..., 1997, 1998, 1999])"),
    (
        [float(i) for i in range(2000)],
        "float",
        lines(
            "tensor([0.0000e+00, 1.0000e+00, 2.0000e+00,  ..., 1.9970e+03, 1.9980e+03,",
            "        1.9990e+03])",
        ),
    ),
    (
        [[0] * 40 for _ in range(40)],
        "int",
        lines(
            "tensor([[0, 0, 0,  ..., 0, 0, 0],",
            "        [0, 0, 0,  ..., 0, 0, 0],",
            "        [0, 0, 0,  ..., 0, 0, 0],",
            "        ...,",
            "        [0, 0, 0,  ..., 0, 0, 0],",
            "        [0, 0, 0,  ..., 0, 0, 0],",
            "        [0, 0, 0,  ..., 0, 0, 0]])",
        ),
    ),
    (
        [[False] * 600 for _ in range(2)],
        "bool",
        lines(
            "tensor([[False, False, False,  ..., False, False, False],",
            "        [False, False, False,  ..., False, False, False]])",
        ),
    ),
]


@pytest.mark.parametrize(("values", "kind", "expected"), TABLE)
def test_values(values: Any, kind: str, expected: str) -> None:
    assert show(values, kind) == expected


def test_exactly_the_threshold_is_not_summarised() -> None:
    assert "..." not in show(list(range(1000)), "int")
    assert "..." in show(list(range(1001)), "int")


@pytest.mark.parametrize(
    ("shape", "suffixes", "expected"),
    [
        ((0,), [], "tensor([])"),
        ((0,), ["dtype=int64"], "tensor([], dtype=int64)"),
        ((0, 3), [], "tensor([], size=(0, 3))"),
        (
            (2, 0, 3),
            ["dtype=int64", "requires_grad=True"],
            "tensor([], size=(2, 0, 3), dtype=int64, requires_grad=True)",
        ),
        ((2000, 0), [], "tensor([], size=(2000, 0))"),
    ],
)
def test_empty_tensors_fetch_nothing(shape: tuple[int, ...], suffixes: list[str], expected: str) -> None:
    def fetch(key: object) -> object:
        msg = "an empty tensor has nothing to fetch"
        raise AssertionError(msg)

    assert format_tensor(shape, "float", fetch, suffixes) == expected


def test_suffixes_follow_the_values() -> None:
    assert show([1.0, 2.0], "float", "grad_fn=<AddBackward0>") == ("tensor([1., 2.], grad_fn=<AddBackward0>)")


def test_suffixes_move_to_a_new_line_where_they_do_not_fit() -> None:
    row = list(range(10, 26))  # its line is 71 columns long, so 80 has room for a suffix of 5
    text = "tensor([10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25]"
    assert show(row, "int", "a=123") == text + ", a=123)"
    assert show(row, "int", "a=1234", "b=2") == text + ",\n       a=1234, b=2)"


def test_name_sets_the_indentation() -> None:
    assert show([[1], [2]], "int", "dtype=int8", name="T") == "T([[1],\n   [2]], dtype=int8)"


def test_the_suffixes_passed_are_not_changed() -> None:
    suffixes = ["dtype=int64"]
    format_tensor((0, 3), "int", lambda key: [], suffixes)
    assert suffixes == ["dtype=int64"]


def test_a_large_tensor_is_fetched_by_its_corners() -> None:
    asked: list[tuple[Any, ...]] = []

    def fetch(key: tuple[Any, ...]) -> Any:
        asked.append(key)
        lengths = [len(range(*part.indices(10**6))) for part in key]
        return [[[7] * lengths[2] for _ in range(lengths[1])] for _ in range(lengths[0])]

    text = format_tensor((10**6, 2, 10**6), "int", fetch, [])
    assert text.startswith("tensor([[[7, 7, 7,  ..., 7, 7, 7],")
    head, whole, tail = slice(0, 3), slice(0, 2), slice(10**6 - 3, 10**6)
    assert asked == [(a, whole, b) for a in (head, tail) for b in (head, tail)]


def test_the_middle_of_a_summary_has_no_say_in_the_width() -> None:
    values = [1] * 2000
    values[1000] = 123456
    assert show(values, "int") == "tensor([1, 1, 1,  ..., 1, 1, 1])"


# ---- set_printoptions


@pytest.mark.parametrize(
    ("options", "values", "kind", "expected"),
    [
        ({"precision": 2}, [1.12345], "float", "tensor([1.12])"),
        ({"precision": 0}, [1.5], "float", "tensor([2])"),
        ({"threshold": 5}, list(range(10)), "int", "tensor([0, 1, 2,  ..., 7, 8, 9])"),
        ({"threshold": 5, "edgeitems": 1}, list(range(10)), "int", "tensor([0,  ..., 9])"),
        ({"threshold": 5, "edgeitems": 0}, list(range(10)), "int", "tensor([...], size=(10,))"),
        ({"edgeitems": 0}, [1], "int", "tensor([1], size=(1,))"),
        ({"linewidth": 17}, [1, 2, 3, 4], "int", "tensor([1, 2, 3,\n        4])"),
        ({"linewidth": 1}, [1, 2], "int", "tensor([1,\n        2])"),
        ({"profile": "short"}, [1.12345], "float", "tensor([1.12])"),
        ({"profile": "short", "precision": 3}, [1.12345], "float", "tensor([1.123])"),
        ({"sci_mode": True}, [1.0, -20.0], "float", "tensor([ 1.0000e+00, -2.0000e+01])"),
        ({"sci_mode": True}, [0.0], "float", "tensor([0.])"),
        ({"sci_mode": False}, [0.5, 1e9], "float", "tensor([         0.5000, 1000000000.0000])"),
        ({"sci_mode": False}, [1.0, 1e9], "float", "tensor([         1., 1000000000.])"),
    ],
)
def test_options(options: dict[str, Any], values: Any, kind: str, expected: str) -> None:
    set_printoptions(**options)
    assert show(values, kind) == expected


def test_the_full_profile_summarises_nothing() -> None:
    set_printoptions(profile="full")
    assert "..." not in show(list(range(5000)), "int")


def test_options_stay_but_sci_mode_is_set_by_every_call() -> None:
    set_printoptions(precision=2, sci_mode=True)
    assert show([1.5], "float") == "tensor([1.50e+00])"
    set_printoptions(linewidth=70)
    assert show([1.5], "float") == "tensor([1.50])"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"profile": "long"}, "profile='long' is not one of default, short, full"),
        ({"edgeitems": -1}, "edgeitems=-1 is negative; give 0 or more"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        set_printoptions(**options)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="kind='string' is not one of bool, int, float, complex"):
        show([1], "string")


# ---- Against torch

SHAPES: list[tuple[int, ...]] = [
    (),
    (0,),
    (0, 3),
    (2, 0, 3),
    (1,),
    (7,),
    (45,),
    (1000,),
    (1001,),
    (3, 4),
    (2, 31),
    (40, 26),
    (6, 200),
    (300, 7),
    (2, 3, 4),
    (7, 8, 20),
    (2, 1, 2, 3),
    (7, 2, 8, 9),
]


def real(rng: random.Random, style: str) -> float:
    whole = float(rng.randint(-99, 99))
    match style:
        case "integral":
            return whole
        case "large integral":
            return float(rng.randint(-(10**6), 10**10))
        case "unit":
            return rng.uniform(-1, 1)
        case "hundreds":
            return rng.uniform(100, 900)
        case "tiny":
            return rng.uniform(-1e-5, 1e-5)
        case "wide":
            return rng.uniform(-1, 1) * 10.0 ** rng.randint(-30, 30)
        case "special":
            return rng.choice([NAN, INF, -INF, 0.0, -0.0, 1.5, whole])
        case _:
            return rng.choice([NAN, INF, -INF, 0.0, -0.0])


STYLES = [
    "integral",
    "large integral",
    "unit",
    "hundreds",
    "tiny",
    "wide",
    "special",
    "only special",
]

Draw = Callable[[random.Random, str], object]
DRAWS: dict[str, tuple[str, Draw]] = {
    "bool": ("bool", lambda rng, style: rng.random() < 0.5),
    "int": ("int64", lambda rng, style: rng.randint(-9, 9) * 10 ** rng.choice([0, 0, 1, 9])),
    "float": ("float32", real),
    "complex": ("complex64", lambda rng, style: complex(real(rng, style), real(rng, "unit"))),
}

OPTIONS: list[dict[str, Any]] = [
    {},
    {"sci_mode": True},
    {"sci_mode": False},
    {"profile": "short"},
    {"profile": "full", "linewidth": 120},
    {"precision": 0, "edgeitems": 1, "threshold": 4, "linewidth": 30},
    {"edgeitems": 0, "threshold": 5},
]


@pytest.fixture
def torch() -> Iterator[Any]:
    module = pytest.importorskip("torch")
    yield module
    module.set_printoptions(profile="default")


def as_ours(tensor: Any, kind: str, grad_fn: str | None = None) -> str:
    """`format_tensor` of a torch tensor, given the suffixes that torch works out itself."""
    dtype = str(tensor.dtype)
    implied = {"torch.float32"}
    if tensor.numel():
        implied |= {"torch.complex64", "torch.bool", "torch.int64"}
    suffixes = []
    if dtype not in implied:
        suffixes.append(f"dtype={dtype}")
    if grad_fn is not None:
        suffixes.append(f"grad_fn=<{grad_fn}>")
    elif tensor.requires_grad:
        suffixes.append("requires_grad=True")
    values = tensor.detach()
    return format_tensor(tuple(tensor.shape), kind, lambda key: values[key].tolist(), suffixes)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("kind", DRAWS)
def test_the_same_as_torch(torch: Any, kind: str, options: dict[str, Any]) -> None:
    rng = random.Random(f"{kind} {options}")
    dtype, draw = DRAWS[kind]
    torch.set_printoptions(**{"profile": "default", **options})
    set_printoptions(**{"profile": "default", **options})
    differentiable = kind in ("float", "complex")
    for shape in SHAPES:
        for style in rng.sample(STYLES, 4) if differentiable else [""] * 2:
            flat = [draw(rng, style) for _ in range(math.prod(shape))]
            tensor = torch.tensor(flat, dtype=getattr(torch, dtype)).reshape(shape)
            assert as_ours(tensor, kind) == repr(tensor)
        if differentiable:
            leaf = tensor.requires_grad_()
            assert as_ours(leaf, kind) == repr(leaf)
            result = leaf.clone()
            assert as_ours(result, kind, grad_fn="CloneBackward0") == repr(result)


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [("float", "float64"), ("float", "float16"), ("complex", "complex128"), ("int", "uint8")],
)
def test_the_same_as_torch_with_a_dtype_suffix(torch: Any, kind: str, dtype: str) -> None:
    rng = random.Random(dtype)
    for shape, width in itertools.product(SHAPES, range(1, 5)):
        flat = [rng.randint(0, 255) / (width if kind != "int" else 1) for _ in range(math.prod(shape))]
        tensor = torch.tensor(flat).to(getattr(torch, dtype)).reshape(shape)
        assert as_ours(tensor, kind) == repr(tensor)
        if kind != "int":
            leaf = tensor.requires_grad_()
            assert as_ours(leaf, kind) == repr(leaf)


def test_every_place_where_a_suffix_may_break_is_torch_s(torch: Any) -> None:
    for count in range(1, 80):
        leaf = torch.ones(count, dtype=torch.float64, requires_grad=True)
        assert as_ours(leaf, "float") == repr(leaf)
