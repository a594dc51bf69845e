"""Padding, diagonals, blocks, windows, products: values and derivatives, against torch and NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polygrad
from support.gradient_checks import HAVE_TORCH, check, host, tensor, torch


def sample(shape: tuple[int, ...], dtype: str, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=shape)
    return np.asarray(x + 1j * rng.normal(size=shape) if dtype == "complex128" else x)


DTYPES = ["float64", "complex128"]


def written(x: Any, key: Any, y: Any) -> Any:
    """What torch's select_scatter and slice_scatter do, which it does not differentiate for complex numbers."""
    out = x.clone()
    out[key] = y
    return out


def powers(x: Any, exponents: Any) -> Any:
    """torch.vander, which torch itself cannot differentiate: it writes over what its running product has saved."""
    return torch.stack([x**k for k in exponents], 1)


F = torch.nn.functional

# (name, function of (xp, x, ...), the same for torch, shapes)
CASES: list[tuple[str, Any, Any, Any]] = [
    ("pad", lambda xp, x: xp.pad(x, 1), lambda x: F.pad(x, (1, 1, 1, 1)), [(2, 3)]),
    ("pad pair", lambda xp, x: xp.pad(x, (1, 2)), lambda x: F.pad(x, (1, 2)), [(3,)]),
    ("pad pairs", lambda xp, x: xp.pad(x, ((0, 1), (2, 0))), lambda x: F.pad(x, (2, 0, 0, 1)), [(2, 3)]),
    ("pad nothing", lambda xp, x: xp.pad(x, 0), lambda x: x.clone(), [(2, 3)]),
    ("pad 0-d", lambda xp, x: xp.pad(x, 1), lambda x: x.clone(), [()]),
    ("pad empty", lambda xp, x: xp.pad(x, 1), lambda x: F.pad(x, (1, 1)), [(0,)]),
    ("pad value", lambda xp, x: xp.pad(x, 2, constant_values=1.5), lambda x: F.pad(x, (2, 2), value=1.5), [(3,)]),
    ("pad integer value", lambda xp, x: xp.pad(x, 1, "constant", 7), lambda x: F.pad(x, (1, 1), value=7), [(3,)]),
    (
        "pad values",
        lambda xp, x: xp.pad(x, ((1, 0), (2, 1)), constant_values=((1.0, 2.0), (3, 4.0))),
        lambda x: F.pad(F.pad(F.pad(x, (0, 0, 1, 0), value=1), (2, 0), value=3), (0, 1), value=4),
        [(2, 3)],
    ),
    (
        "pad edge",
        lambda xp, x: xp.pad(x, ((2, 1),), mode="edge"),
        lambda x: F.pad(x[None], (2, 1, 2, 1), "replicate")[0],
        [(2, 3)],
    ),
    (
        "pad reflect",
        lambda xp, x: xp.pad(x, ((1, 0), (1, 2)), mode="reflect"),
        lambda x: F.pad(x[None], (1, 2, 1, 0), "reflect")[0],
        [(2, 3)],
    ),
    (
        "pad wrap",
        lambda xp, x: xp.pad(x, ((2, 1), (3, 2)), mode="wrap"),
        lambda x: F.pad(x[None], (3, 2, 2, 1), "circular")[0],
        [(2, 3)],
    ),
    ("pad symmetric", lambda xp, x: xp.pad(x, (3, 2), "symmetric"), lambda x: x[[2, 1, 0, 0, 1, 2, 2, 1]], [(3,)]),
    (
        "pad reflect far",
        lambda xp, x: xp.pad(x, (3, 5), "reflect"),
        lambda x: x[[1, 2, 1, 0, 1, 2, 1, 0, 1, 2, 1]],
        [(3,)],
    ),
    (
        "pad symmetric far",
        lambda xp, x: xp.pad(x, (3, 5), "symmetric"),
        lambda x: x[[1, 1, 0, 0, 1, 1, 0, 0, 1, 1]],
        [(2,)],
    ),
    ("pad wrap far", lambda xp, x: xp.pad(x, (3, 5), "wrap"), lambda x: x[[1, 0, 1, 0, 1, 0, 1, 0, 1, 0]], [(2,)]),
    ("pad reflect one", lambda xp, x: xp.pad(x, 2, "reflect"), lambda x: x[[0, 0, 0, 0, 0]], [(1,)]),
    ("diag", lambda xp, x: xp.diag(x), lambda x: x.diag(), [(3,)]),
    ("diag above", lambda xp, x: xp.diag(x, 1), lambda x: x.diag(1), [(3,)]),
    ("diag below", lambda xp, x: xp.diag(x, offset=-2), lambda x: x.diag(-2), [(3,)]),
    ("diag empty", lambda xp, x: xp.diag(x, 1), lambda x: x.diag(1), [(0,)]),
    ("diag of", lambda xp, x: xp.diag(x), lambda x: x.diag(), [(3, 2)]),
    ("diag of above", lambda xp, x: x.diag(1), lambda x: x.diag(1), [(2, 4)]),
    ("diagflat", lambda xp, x: xp.diagflat(x, -1), lambda x: x.diagflat(-1), [(2, 2)]),
    ("diagflat 0-d", lambda xp, x: xp.diagflat(x), lambda x: x.diagflat(), [()]),
    ("diag_embed", lambda xp, x: xp.diag_embed(x), lambda x: x.diag_embed(), [(2, 3)]),
    ("diag_embed axes", lambda xp, x: xp.diag_embed(x, 1, 0, -1), lambda x: x.diag_embed(1, 0, -1), [(2, 3)]),
    ("diag_embed swapped", lambda xp, x: xp.diag_embed(x, -1, 1, 0), lambda x: x.diag_embed(-1, 1, 0), [(3,)]),
    ("diagonal_scatter", lambda xp, x, y: x.diagonal_scatter(y), lambda x, y: x.diagonal_scatter(y), [(3, 4), (3,)]),
    (
        "diagonal_scatter below",
        lambda xp, x, y: xp.diagonal_scatter(x, y, -1, -1, 0),
        lambda x, y: x.diagonal_scatter(y, -1, -1, 0),
        [(2, 3, 4), (3, 2)],
    ),
    (
        "diagonal_scatter above",
        lambda xp, x, y: xp.diagonal_scatter(x, y, 2, 0, 1),
        lambda x, y: x.diagonal_scatter(y, 2, 0, 1),
        [(3, 4, 2), (2, 2)],
    ),
    (
        "diagonal_scatter nothing",
        lambda xp, x, y: xp.diagonal_scatter(x, y, 5),
        lambda x, y: x.diagonal_scatter(y, 3),
        [(3, 3), (0,)],
    ),
    (
        "select_scatter",
        lambda xp, x, y: x.select_scatter(y, 1, -1),
        lambda x, y: written(x, (slice(None), -1), y),
        [(2, 3), (2,)],
    ),
    ("select_scatter 0-d", lambda xp, x, y: xp.select_scatter(x, y, 0, 1), lambda x, y: written(x, 1, y), [(3,), ()]),
    (
        "slice_scatter",
        lambda xp, x, y: xp.slice_scatter(x, y, 1, -3, None, 2),
        lambda x, y: written(x, (slice(None), slice(-3, None, 2)), y),
        [(2, 4), (2, 2)],
    ),
    (
        "slice_scatter all",
        lambda xp, x, y: x.slice_scatter(y),
        lambda x, y: written(x, slice(None), y),
        [(2, 2), (2, 2)],
    ),
    ("unfold", lambda xp, x: xp.unfold(x, 0, 3, 1), lambda x: x.unfold(0, 3, 1), [(5,)]),
    ("unfold middle", lambda xp, x: x.unfold(-2, 2, 2), lambda x: x.unfold(-2, 2, 2), [(2, 5, 2)]),
    ("unfold apart", lambda xp, x: x.unfold(0, 1, 3), lambda x: x.unfold(0, 1, 3), [(5, 2)]),
    ("unfold 0-d", lambda xp, x: x.unfold(0, 1, 1), lambda x: x.unfold(0, 1, 1), [()]),
    ("unfold size 0", lambda xp, x: x.unfold(0, 0, 1), lambda x: x.unfold(0, 0, 1), [(2,)]),
    *[(f"rot90 {k}", lambda xp, x, k=k: xp.rot90(x, k), lambda x, k=k: x.rot90(k), [(2, 3)]) for k in (0, 1, 2, 3, -1)],
    ("rot90 axes", lambda xp, x: xp.rot90(x, 1, (2, 0)), lambda x: x.rot90(1, (2, 0)), [(2, 3, 4)]),
    ("movedim", lambda xp, x: xp.movedim(x, (0, 1), (-1, 0)), lambda x: x.movedim((0, 1), (-1, 0)), [(2, 3, 4)]),
    ("swapdims", lambda xp, x: xp.swapdims(x, 0, -1), lambda x: x.swapdims(0, -1), [(2, 3, 4)]),
    ("unflatten", lambda xp, x: xp.unflatten(x, 1, (2, -1)), lambda x: x.unflatten(1, (2, -1)), [(2, 6)]),
    ("unflatten negative", lambda xp, x: xp.unflatten(x, -1, (3, 2)), lambda x: x.unflatten(-1, (3, 2)), [(2, 6)]),
    ("atleast_1d", lambda xp, x: xp.atleast_1d(x), lambda x: torch.atleast_1d(x), [()]),
    ("atleast_2d", lambda xp, *a: xp.atleast_2d(*a), lambda *a: torch.atleast_2d(*a), [(), (2,), (1, 2, 1)]),
    ("atleast_3d", lambda xp, *a: xp.atleast_3d(a), lambda *a: torch.atleast_3d(a), [(), (2,), (2, 3), (1, 2, 1)]),
    ("column_stack", lambda xp, *a: xp.column_stack(a), lambda *a: torch.column_stack(a), [(2,), (2, 3)]),
    ("column_stack 0-d", lambda xp, *a: xp.column_stack(a), lambda *a: torch.column_stack(a), [(), ()]),
    ("dstack", lambda xp, *a: xp.dstack(a), lambda *a: torch.dstack(a), [(2, 3), (2, 3, 2)]),
    ("dstack 1-d", lambda xp, *a: xp.dstack(a), lambda *a: torch.dstack(a), [(2,), (2,)]),
    ("block_diag", lambda xp, *a: xp.block_diag(*a), lambda *a: torch.block_diag(*a), [(2, 3), (), (2,), (0,)]),
    ("cartesian_prod", lambda xp, *a: xp.cartesian_prod(*a), lambda *a: torch.cartesian_prod(*a), [(2,), (3,), (2,)]),
    ("cartesian_prod one", lambda xp, x: xp.cartesian_prod(x), lambda x: torch.cartesian_prod(x), [(2,)]),
    ("combinations", lambda xp, x: xp.combinations(x), lambda x: torch.combinations(x), [(4,)]),
    ("combinations 3", lambda xp, x: xp.combinations(x, 3), lambda x: torch.combinations(x, 3), [(4,)]),
    ("combinations again", lambda xp, x: xp.combinations(x, 2, True), lambda x: torch.combinations(x, 2, True), [(3,)]),
    ("combinations 0", lambda xp, x: xp.combinations(x, 0), lambda x: x[:0], [(3,)]),
    ("combinations none", lambda xp, x: xp.combinations(x, 4), lambda x: torch.combinations(x, 4), [(3,)]),
    ("kron", lambda xp, a, b: xp.kron(a, b), lambda a, b: torch.kron(a, b), [(2, 3), (3, 2)]),
    ("kron lower", lambda xp, a, b: a.kron(b), lambda a, b: torch.kron(a, b), [(2,), (2, 1, 2)]),
    ("kron 0-d", lambda xp, a, b: xp.kron(a, b), lambda a, b: torch.kron(a, b), [(), (2,)]),
    ("vander", lambda xp, x: xp.vander(x), lambda x: powers(x, (2, 1, 0)), [(3,)]),
    ("vander increasing", lambda xp, x: xp.vander(x, 4, True), lambda x: powers(x, range(4)), [(3,)]),
    ("vander 1", lambda xp, x: xp.vander(x, 1), lambda x: powers(x, [0]), [(3,)]),
    ("vander 0", lambda xp, x: xp.vander(x, 0), lambda x: x[:, None][:, :0], [(3,)]),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("ours", "theirs", "shapes"), [pytest.param(*case[1:], id=case[0]) for case in CASES])
def test_derivatives(ours: Any, theirs: Any, shapes: Any, dtype: str, backend: str, xp: Any) -> None:
    check(
        lambda *ts: ours(xp, *ts),
        [sample(shape, dtype, i) for i, shape in enumerate(shapes)],
        backend,
        reference=theirs,
    )


@pytest.mark.parametrize("mode", ["edge", "reflect", "symmetric", "wrap"])
@pytest.mark.parametrize("widths", [(1, 2), (0, 3), (4, 0), (3, 3), (5, 9)])
def test_pad_as_numpy(mode: str, widths: Any, backend: str, xp: Any) -> None:
    for n in (1, 2, 4):
        x = np.arange(2.0 * n).reshape(2, n)
        got = xp.pad(tensor(x, backend), (widths, (2, 1)), mode=mode)
        np.testing.assert_array_equal(host(got), np.pad(x, (widths, (2, 1)), mode=mode))


def test_pad_with_a_tensor(backend: str, xp: Any) -> None:
    check(lambda x, c: xp.pad(x, (1, 2), constant_values=c), [np.ones(3), np.asarray(2.0)], backend)


def test_pad_keeps_integers(backend: str, xp: Any) -> None:
    out = xp.pad(tensor(np.asarray([1, 2]), backend), 1, constant_values=5)
    assert out.tolist() == [5, 1, 2, 5]
    assert xp.isdtype(out.dtype, "integral")


def test_vander_at_zero(backend: str, xp: Any) -> None:
    """Where pow would give nan or nothing for the derivative of x**0 and x**1."""
    check(
        lambda x: xp.vander(x, 4), [np.asarray([0.0, 2.0, 0.0])], backend, reference=lambda x: powers(x, (3, 2, 1, 0))
    )


NUMBERS: list[Any] = [
    ({}, [0.0, 1.7976931348623157e308, -1.7976931348623157e308, 1.5]),
    ({"nan": 2.0, "posinf": 3.0, "neginf": -1.0}, [2.0, 3.0, -1.0, 1.5]),
]


@pytest.mark.parametrize(("params", "expected"), NUMBERS)
def test_nan_to_num(params: Any, expected: Any, backend: str, xp: Any) -> None:
    x = tensor(np.asarray([np.nan, np.inf, -np.inf, 1.5]), backend, requires_grad=True)
    out = xp.nan_to_num(x, **params)
    assert out.tolist() == expected
    out.backward(tensor(np.ones(4), backend))
    assert x.grad.tolist() == [0, 0, 0, 1]
    assert out.grad_fn.name() == "NanToNumBackward0"


def test_nan_to_num_of_other_kinds(backend: str, xp: Any) -> None:
    check(lambda x: xp.nan_to_num(x), [sample((3,), "complex128", 0)], backend)
    z = tensor(np.asarray([complex(np.nan, 1), complex(2, np.inf)]), backend, requires_grad=True)
    out = xp.nan_to_num(z, posinf=4.0)
    assert out.tolist() == [1j, 2 + 4j]
    out.backward(tensor(np.asarray([1 + 1j, 1 + 1j]), backend))
    assert z.grad.tolist() == [1j, 1]
    assert xp.nan_to_num(tensor(np.asarray([1, 2]), backend)).tolist() == [1, 2]


def test_views_and_copies(backend: str, xp: Any) -> None:
    x = tensor(np.zeros((2, 2)), backend)
    x.diag().add_(1.0)
    assert host(x).sum() == 0  # torch's diag is a copy
    xp.unflatten(x, 0, (1, 2)).add_(1.0)
    assert host(x).sum() == 4


@pytest.mark.skipif(not HAVE_TORCH, reason="needs torch")
@pytest.mark.parametrize("args", [(3, 3), (2, 4, 1), (4, 2, -1), (2, 2, 5), (0, 3)])
def test_triangle_indices(args: Any, backend: str, xp: Any) -> None:
    for name in ("tril_indices", "triu_indices"):
        out = getattr(xp, name)(*args)
        assert out.backend == backend
        assert out.tolist() == getattr(torch, name)(*args).tolist()
    assert str(polygrad.tril_indices(2, 2, dtype="int32").dtype).endswith("int32")


ERRORS: list[Any] = [
    (lambda xp, x: xp.pad(x, -1), "widths have to be integers that are not negative"),
    (lambda xp, x: xp.pad(x, (1, 2, 3)), "pad_width has to be one value, a pair, or a pair for each of the 2 axes"),
    (lambda xp, x: xp.pad(x, 1, mode="mean"), "mode has to be constant, edge, reflect, symmetric or wrap, got 'mean'"),
    (lambda xp, x: xp.pad(x[:0], 1, mode="edge"), "axis 0 of the shape \\(0, 3\\) is empty"),
    (lambda xp, x: xp.pad(x, 1, constant_values=1j), "pad: 1j cannot be written into an array of dtype"),
    (lambda xp, x: xp.diag(x[None]), "expected one axis or two"),
    (lambda xp, x: xp.diag_embed(x, 0, 1, 1), "have to be two"),
    (lambda xp, x: xp.diagonal_scatter(x, x), "expected src to have the shape \\(2,\\)"),
    (lambda xp, x: xp.select_scatter(x, x, 0, 0), "expected src to have the shape \\(3,\\)"),
    (lambda xp, x: xp.select_scatter(x, x[0], 0, 2), "index 2 out of range for axis 0"),
    (lambda xp, x: xp.slice_scatter(x, x, 0, 1), "expected src to have the shape \\(1, 3\\)"),
    (lambda xp, x: xp.slice_scatter(x, x, step=0), "step has to be positive"),
    (lambda xp, x: xp.unfold(x, 1, 4, 1), "between 0 and 3"),
    (lambda xp, x: xp.rot90(x, 1, (0, 0)), "have to be two"),
    (lambda xp, x: xp.unflatten(x, 1, (2, -1)), "do not multiply to 3"),
    (lambda xp, x: xp.block_diag(x[None]), "two axes at most"),
    (lambda xp, x: xp.cartesian_prod(x), "expected arrays of one axis"),
    (lambda xp, x: xp.combinations(x[0], -1), "must not be negative"),
    (lambda xp, x: xp.vander(x), "expected arrays of one axis"),
]


@pytest.mark.parametrize(("call", "text"), ERRORS)
def test_errors(call: Any, text: str, backend: str, xp: Any) -> None:
    with pytest.raises((polygrad.PolygradError, IndexError), match=text):
        call(xp, tensor(np.ones((2, 3)), backend))
