"""Gathers, scatters, masks: values and derivatives, against torch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polygrad
from polygrad import func
from support.gradient_checks import HAVE_TORCH, check, host, tensor, torch


def sample(shape: tuple[int, ...], dtype: str, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=shape)
    return np.asarray(x + 1j * rng.normal(size=shape) if dtype == "complex128" else x)


DTYPES = ["float64", "complex128"]


M = [[True, False, True], [False, True, True]]
# (name, function, which for torch is the same but for the spelling of axis, shapes, indices)
CASES: list[tuple[str, Any, Any, Any]] = [
    ("gather", lambda x, i: x.gather(0, i), [(3, 2)], [[[0, 2], [1, 1], [0, 0], [2, 1]]]),
    ("gather negative axis", lambda x, i: x.gather(-1, i), [(2, 3)], [[[0, 2, 2, 1], [1, 1, 0, 0]]]),
    ("gather smaller", lambda x, i: x.gather(1, i), [(3, 2, 3)], [[[[1, 0], [0, 0], [1, 1]]]]),
    ("gather 0-d", lambda x, i: x.gather(0, i), [()], [0]),
    ("gather 0-d by vector", lambda x, i: x.gather(0, i), [()], [[0, 0]]),
    ("gather by 0-d", lambda x, i: x.gather(0, i), [(3,)], [2]),
    ("gather nothing", lambda x, i: x.gather(1, i), [(2, 3)], [np.zeros((2, 0), int)]),
    ("scatter", lambda x, s, i: x.scatter(0, i, s), [(3, 2), (2, 2)], [[[0, 2], [1, 0]]]),
    ("scatter negative axis", lambda x, s, i: x.scatter(-1, i, s), [(2, 3), (2, 2)], [[[0, 2], [1, 0]]]),
    ("scatter number", lambda x, i: x.scatter(1, i, 2.5), [(2, 3)], [[[0, 2], [1, 0]]]),
    ("scatter 0-d", lambda x, s, i: x.scatter(0, i, s), [(), ()], [0]),
    ("scatter by 0-d", lambda x, s, i: x.scatter(0, i, s), [(3,), ()], [1]),
    ("scatter_add", lambda x, s, i: x.scatter_add(0, i, s), [(3, 2), (3, 2)], [[[0, 2], [0, 0], [1, 0]]]),
    ("scatter_add 0-d", lambda x, s, i: x.scatter_add(0, i, s), [(), (3,)], [[0, 0, 0]]),
    ("index_add", lambda x, s, i: x.index_add(0, i, s), [(3, 2), (4, 2)], [[0, 2, 0, 0]]),
    ("index_add alpha", lambda x, s, i: x.index_add(-1, i, s, alpha=-2.5), [(2, 3), (2, 2)], [[1, 1]]),
    ("index_add 0-d index", lambda x, s, i: x.index_add(1, i, s), [(2, 3), (2, 1)], [1]),
    ("index_copy", lambda x, s, i: x.index_copy(1, i, s), [(2, 3, 2), (2, 2, 2)], [[2, 0]]),
    ("index_copy 0-d", lambda x, s, i: x.index_copy(0, i, s), [(3,), ()], [1]),
    ("index_fill", lambda x, i: x.index_fill(1, i, 3.0), [(2, 3)], [[2, 0, 2]]),
    ("index_fill array", lambda x, v, i: x.index_fill(0, i, v), [(2, 3), ()], [[1]]),
    ("index_put", lambda x, v, i, j: x.index_put((i, j), v), [(3, 3), (2,)], [[0, 2], [1, 0]]),
    ("index_put broadcast", lambda x, v, i: x.index_put((i,), v), [(3, 2), (2,)], [[0, 2]]),
    ("index_put mask", lambda x, v, m: x.index_put((m,), v), [(2, 3), (4,)], [M]),
    ("index_put mask 0-d", lambda x, v, m: x.index_put((m,), v), [(2, 3), ()], [M]),
    ("index_put accumulate", lambda x, v, i: x.index_put((i,), v, True), [(3, 2), (4, 2)], [[0, 2, 0, 0]]),
    ("index_put accumulate broadcast", lambda x, v, i, j: x.index_put((i, j), v, accumulate=True), [(3, 3), ()], [[0, 0], [1, 1]]),
    ("masked_fill", lambda x, m: x.masked_fill(m, 2.0), [(2, 3)], [M]),
    ("masked_fill broadcast", lambda x, m: x.masked_fill(m, -1), [(2, 3)], [[True, False, True]]),
    ("masked_fill array", lambda x, v, m: x.masked_fill(m, v), [(2, 3), ()], [M]),
    ("masked_select", lambda x, m: x.masked_select(m), [(2, 3)], [M]),
    ("masked_select broadcast", lambda x, m: x.masked_select(m), [(3,)], [M]),
    ("masked_scatter", lambda x, s, m: x.masked_scatter(m, s), [(2, 3), (5,)], [M]),
    ("masked_scatter broadcast", lambda x, s, m: x.masked_scatter(m, s), [(2, 3), (2, 2)], [[True, False, True]]),
]  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("function", "shapes", "indices"), [pytest.param(*case[1:], id=case[0]) for case in CASES])
def test_derivatives(function: Any, shapes: Any, indices: Any, dtype: str, backend: str) -> None:
    arrays = [sample(shape, dtype, i) for i, shape in enumerate(shapes)] + [np.asarray(index) for index in indices]
    check(function, arrays, backend, reference=function)


LARGER: list[Any] = [
    (lambda x, s, i: x.scatter(1, i, s), [(3, 4), (4, 3)], [[0, 3], [1, 0]]),
    (lambda x, s, i: x.scatter_add(-1, i, s), [(3, 2), (4, 5)], [[0, 1, 1], [1, 1, 1]]),
    (lambda x, s, i: x.scatter_add(0, i, s), [(3,), (2,)], []),
    (lambda x, s, i: x.scatter_reduce(-1, i, s, "amax"), [(2, 4), (3, 4)], [[0, 3, 3], [1, 1, 1]]),
    (lambda x, s, i: x.scatter_reduce(-1, i, s, "prod"), [(2, 4), (3, 4)], [[0, 3, 3], [1, 1, 1]]),
]


@pytest.mark.parametrize(("function", "shapes", "index"), LARGER)
def test_a_source_larger_than_the_index(function: Any, shapes: Any, index: Any, backend: str) -> None:
    """Which torch computes but does not differentiate, so it gets the part that counts."""
    x, s = sample(shapes[0], "float64", 0), sample(shapes[1], "float64", 1)

    def reference(x: Any, s: Any, i: Any) -> Any:
        return function(x, s[tuple([slice(0, n) for n in i.shape])], i)

    check(function, [x, s, np.asarray(index, int)], backend, reference=reference)


REDUCTIONS = ["sum", "prod", "mean", "amax", "amin"]


@pytest.mark.parametrize("include_self", [True, False])
@pytest.mark.parametrize("reduce", REDUCTIONS)
@pytest.mark.parametrize(
    ("shapes", "axis", "index"),
    [
        pytest.param([(4, 2), (5, 2)], 0, [[0, 2], [0, 0], [2, 0], [0, 2], [3, 0]], id="axis 0"),
        pytest.param([(), (3,)], 0, [0, 0, 0], id="0-d"),
        pytest.param([(3, 4), (2, 3)], -1, [[0, 3, 3], [1, 1, 1]], id="smaller"),
        pytest.param([(2,), (0,)], 0, [], id="nothing"),
    ],
)
def test_scatter_reduce(shapes: Any, axis: int, index: Any, reduce: str, include_self: bool, backend: str) -> None:
    def function(x: Any, s: Any, i: Any) -> Any:
        return x.scatter_reduce(axis, i, s, reduce, include_self=include_self)

    arrays = [sample(shape, "float64", i) for i, shape in enumerate(shapes)]
    check(function, [*arrays, np.asarray(index, int)], backend, reference=function)


@pytest.mark.parametrize("include_self", [True, False])
@pytest.mark.parametrize("reduce", REDUCTIONS[1:])
@pytest.mark.filterwarnings("ignore:index_reduce.. is in beta")
def test_index_reduce(reduce: str, include_self: bool, backend: str) -> None:
    def function(x: Any, s: Any, i: Any) -> Any:
        return x.index_reduce(1, i, s, reduce, include_self=include_self)

    arrays = [sample((2, 4), "float64", 0), sample((2, 3), "float64", 1), np.asarray([3, 0, 3])]
    check(function, arrays, backend, reference=function)


@pytest.mark.parametrize("reduce", ["sum", "prod", "mean"])
def test_scatter_reduce_of_complex_numbers(reduce: str, backend: str) -> None:
    arrays = [sample((3,), "complex128", 0), sample((4,), "complex128", 1), np.asarray([2, 0, 2, 2])]
    check(lambda x, s, i: x.scatter_reduce(0, i, s, reduce), arrays, backend)


@pytest.mark.parametrize("zeros", [[2], [0, 2], [0, 1, 2]])
def test_a_product_with_zeros(zeros: Any, backend: str) -> None:
    s = sample((5,), "float64", 0)
    s[zeros] = 0
    check(lambda x, s, i: x.scatter_reduce(0, i, s, "prod"), [np.ones(2), s, np.asarray([0, 0, 0, 1, 1])], backend)


def test_a_product_in_no_danger_from_its_neighbours(backend: str) -> None:
    """Of numbers whose product overflows, on targets of their own."""
    s = tensor(np.full(4, 1e200), backend, requires_grad=True)
    out = tensor(np.ones(4), backend).scatter_reduce(0, tensor(np.asarray([3, 0, 2, 1]), backend), s, "prod")
    np.testing.assert_allclose(host(out), np.full(4, 1e200))
    out.sum().backward()
    np.testing.assert_allclose(host(s.grad), np.ones(4))


@pytest.mark.skipif(not HAVE_TORCH, reason="needs torch")
@pytest.mark.parametrize("reduce", ["amax", "amin"])
def test_ties_share_equally(reduce: str, backend: str) -> None:
    def gradients(x: Any, s: Any, i: Any) -> Any:
        x.scatter_reduce(0, i, s, reduce).sum().backward()
        return x.grad.tolist(), s.grad.tolist()

    arrays = [np.asarray([1.0, 2.0, 3.0]), np.asarray([1.0, 1.0, 2.0, 0.0, 4.0]), np.asarray([0, 0, 1, 2, 2])]
    ours = gradients(*[tensor(a, backend, a.dtype.kind == "f") for a in arrays])
    assert ours == gradients(*[torch.tensor(a, requires_grad=a.dtype.kind == "f") for a in arrays])


def test_reductions_of_integers(backend: str, xp: Any) -> None:
    x, i, s = (tensor(np.asarray(a), backend) for a in ([1, 2, 7], [0, 0, 1], [4, -8, 5]))
    expected = {"sum": [-3, 7, 7], "prod": [-32, 10, 7], "mean": [-1, 3, 7], "amax": [4, 5, 7], "amin": [-8, 2, 7]}
    for reduce, values in expected.items():
        out = x.scatter_reduce(0, i, s, reduce)
        assert out.tolist() == values
        assert out.dtype == x.dtype


def test_scatter_with_reduction(backend: str) -> None:
    x, i, s = (tensor(np.asarray(a), backend) for a in ([1.0, 2.0], [0, 0], [3.0, 5.0]))
    assert x.scatter(0, i, s, reduce="add").tolist() == [9, 2]
    assert x.scatter(0, i, 3, reduce="multiply").tolist() == [9, 2]


def test_of_what_is_written_twice_one_gets_the_gradient(backend: str) -> None:
    x, s = (tensor(np.asarray(a), backend, requires_grad=True) for a in ([1.0, 2.0], [3.0, 5.0]))
    out = x.scatter(0, tensor(np.asarray([0, 0]), backend), s)
    out.sum().backward()
    assert x.grad.tolist() == [0, 1]
    assert s.grad.tolist() == [1.0 if value == out.tolist()[0] else 0.0 for value in (3.0, 5.0)]


def test_constants(backend: str, xp: Any) -> None:
    x = tensor(np.asarray([[0, 2], [1, 0]]), backend)
    assert xp.one_hot(x).tolist() == [[[1, 0, 0], [0, 0, 1]], [[0, 1, 0], [1, 0, 0]]]
    assert xp.one_hot(x[0], 4).tolist() == [[1, 0, 0, 0], [0, 0, 1, 0]]
    assert tuple(xp.one_hot(x[:0], num_classes=3).shape) == (0, 2, 3)
    assert xp.argwhere(x).tolist() == [[0, 1], [1, 0]]
    flat = x.reshape(-1)
    assert xp.bincount(flat).tolist() == [2, 1, 1]
    assert xp.bincount(flat, minlength=5).tolist() == [2, 1, 1, 0, 0]
    assert xp.bincount(flat[:0], minlength=2).tolist() == [0, 0]


def test_bincount_of_weights(backend: str, xp: Any) -> None:
    places = tensor(np.asarray([0, 3, 3, 1]), backend)
    narrow = False  # NumPy's and torch's weights add up in double precision
    check(lambda w: xp.bincount(places, w), [sample((4,), "float64", 0)], backend, narrow=narrow)


def test_in_place(backend: str) -> None:
    w = tensor(np.asarray([1.0, 2.0, 3.0]), backend, requires_grad=True)
    i = tensor(np.asarray([2, 0]), backend)
    x = w * 1.0
    x.masked_fill_(x == 2.0, 5.0)
    x.index_add_(0, i, w[:2])
    x.scatter_(0, i[:1], 7.0)
    assert x.tolist() == [3.0, 5.0, 7.0]
    x.sum().backward()
    assert w.grad.tolist() == [1.0, 1.0, 0.0]
    assert x.index_fill_(0, i, 0.0) is x
    assert x.tolist() == [0, 5, 0]


def test_inputs_of_other_dtypes(backend: str, xp: Any) -> None:
    """What is written takes the dtype of what it is written into, and its gradient its own."""
    x = tensor(np.zeros(3, np.float32), backend)
    s = tensor(np.ones(2), backend, requires_grad=True)
    out = x.scatter_add(0, tensor(np.asarray([0, 0]), backend), s)
    assert out.dtype == x.dtype
    out.sum().backward()
    assert s.grad.dtype == s.dtype


def test_forward_and_reverse_nest(backend: str, xp: Any) -> None:
    i = tensor(np.asarray([0, 0, 1, 1]), backend)
    s = tensor(sample((4,), "float64", 0), backend)

    def f(s: Any) -> Any:
        return xp.sum(xp.scatter_reduce(tensor(np.ones(2), backend), 0, i, s, "prod") ** 2)

    by_forward = host(func.jacfwd(func.grad(f))(s))
    np.testing.assert_allclose(by_forward, host(func.jacrev(func.jacfwd(f))(s)), rtol=1e-12)
    assert abs(by_forward).sum() > 0


ERRORS: list[Any] = [
    (lambda xp, x, i: xp.gather(x, 0, i), "input, index must have the same number of dimensions"),
    (lambda xp, x, i: xp.gather(x, 0, i * 1.0), "index has to be an array of integers"),
    (lambda xp, x, i: xp.gather(x, 2, i[None]), "Dimension out of range"),
    (lambda xp, x, i: xp.gather(x, 1, xp.concat([i, i])[:, None]), "expected an index no larger than the input apart from axis 1"),
    (lambda xp, x, i: xp.scatter(x, 0, i[None], x[:, :1]), "no larger than src"),
    (lambda xp, x, i: xp.scatter(x, 0, i[None], 1j), "1j cannot be written into an array of dtype"),
    (lambda xp, x, i: xp.scatter(x, 0, i[None], x, reduce="max"), "scatter_reduce has more"),
    (lambda xp, x, i: xp.scatter(i, 0, i, x[0]), "cannot be written into an array of dtype"),
    (lambda xp, x, i: xp.scatter_reduce(x, 0, i[None], x, "max"), "one of sum, prod, mean, amax, amin"),
    (lambda xp, x, i: xp.index_reduce(x, 0, i, x, "sum"), "for a sum there is index_add"),
    (lambda xp, x, i: xp.index_add(x, 0, i, x[:1]), "the source must have the shape"),
    (lambda xp, x, i: xp.index_add(x, 0, i[None], x), "supposed to be a vector"),
    (lambda xp, x, i: xp.index_fill(x, 0, i, x[0]), "only supports a 0-dimensional value"),
    (lambda xp, x, i: xp.index_put(x, i, 1.0), "have to be a tuple of arrays"),
    (lambda xp, x, i: xp.masked_fill(x, x > 0, x), "only supports a 0-dimensional value"),
    (lambda xp, x, i: xp.masked_fill(x, i, 0.0), "the mask has to be boolean"),
    (lambda xp, x, i: xp.masked_select(x, i), "the mask has to be boolean"),
    (lambda xp, x, i: xp.one_hot(x), "index has to be an array of integers"),
    (lambda xp, x, i: xp.one_hot(i[:0]), "cannot be inferred"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "text"), ERRORS)
def test_errors(call: Any, text: str, backend: str, xp: Any) -> None:
    with pytest.raises((polygrad.PolygradError, IndexError), match=text):
        call(xp, tensor(np.ones((2, 3)), backend), tensor(np.asarray([0, 1]), backend))
