"""matmul, tensordot, vecdot: every combination of axes, real and complex."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polygrad
from polygrad.rules.declare import OPS
from support.gradient_checks import check, host, tensor, torch

KINDS = [("float64", "float64"), ("complex128", "complex128"), ("float64", "complex128"), ("complex128", "float64")]


def sample(shape: tuple[int, ...], dtype: str, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=shape)
    return np.asarray(x + 1j * rng.normal(size=shape) if dtype == "complex128" else x)


def same(function: Any) -> Any:
    """A function of two torch tensors that, unlike ours, wants them in one dtype."""

    def promoted(a: Any, b: Any) -> Any:
        dtype = torch.promote_types(a.dtype, b.dtype)
        return function(a.to(dtype), b.to(dtype))

    return promoted


SHAPES = [
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((3,), (3, 2)),
    ((2, 3), (3, 4)),
    ((1, 1), (1, 1)),
    ((5, 2, 3), (3,)),
    ((3,), (5, 3, 2)),
    ((5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)),
    ((5, 2, 3), (5, 3, 4)),
    ((1, 2, 3), (5, 3, 4)),
    ((5, 2, 3), (1, 3, 4)),
    ((2, 5, 2, 3), (3,)),
    ((3,), (2, 5, 3, 2)),
    ((2, 5, 2, 3), (3, 4)),
    ((2, 3), (2, 5, 3, 4)),
    ((2, 1, 2, 3), (4, 3, 2)),
    ((4, 3, 2), (2, 1, 2, 3)),
    ((2, 1, 2, 3), (1, 4, 3, 2)),
    ((0,), (0,)),
    ((2, 0), (0, 3)),
    ((0, 2), (2, 3)),
    ((0, 2, 3), (3, 2)),
    ((2, 3), (0, 3, 2)),
    ((0, 3), (3,)),
]


@pytest.mark.parametrize(
    ("shape1", "shape2", "kind1", "kind2"),
    [
        (*shapes, *kinds)
        for shapes in SHAPES
        for kinds in KINDS
        if kinds[0] == kinds[1] or 0 not in shapes[0] + shapes[1]
    ],
)
def test_matmul(shape1: Any, shape2: Any, kind1: str, kind2: str, backend: str) -> None:
    xp = polygrad.namespace(backend)
    check(xp.matmul, [sample(shape1, kind1, 0), sample(shape2, kind2, 1)], backend, reference=same(torch.matmul))


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize(("shape1", "shape2"), [((3,), (5, 3, 2)), ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4))])
def test_matmul_with_one_operand_constant(shape1: Any, shape2: Any, which: int, backend: str) -> None:
    xp = polygrad.namespace(backend)
    arrays = [sample(shape1, "float64", 0), sample(shape2, "float64", 1)]
    check(lambda x, y: x @ y, arrays, backend, reference=torch.matmul, differentiate=[which])
    ts = [tensor(array, backend, i == which) for i, array in enumerate(arrays)]
    saved = [array is not None for array in xp.matmul(*ts).grad_fn.saved_arrays]
    assert sum(saved) == 1  # of the constant nothing is differentiated, so the other one is not kept


def test_matmul_of_transposed_views(backend: str) -> None:
    arrays = [sample((3, 2), "complex128", 0), sample((4, 5, 3), "complex128", 1)]
    check(lambda x, y: x.T @ y.mT, arrays, backend, reference=lambda x, y: x.T @ y.mT)


@pytest.mark.parametrize(
    ("name", "shape1", "shape2"),
    [("mm", (2, 3), (3, 4)), ("mv", (2, 3), (3,)), ("dot", (3,), (3,)), ("bmm", (5, 2, 3), (5, 3, 4))],
)
def test_torchs_names(name: str, shape1: Any, shape2: Any, backend: str) -> None:
    xp = polygrad.namespace(backend)
    arrays = [sample(shape1, "complex128", 0), sample(shape2, "complex128", 1)]
    check(getattr(xp, name), arrays, backend, reference=getattr(torch, name))
    ours = getattr(xp, name)(*[tensor(array, backend, True) for array in arrays])
    theirs = getattr(torch, name)(*[torch.tensor(array, requires_grad=True) for array in arrays])
    assert ours.grad_fn.name() == theirs.grad_fn.name()
    with pytest.raises(polygrad.errors.ShapeError, match=rf"{name}: expected arrays of .*matmul takes any number"):
        getattr(xp, name)(xp.ones((1, 1, 1, 1)), xp.ones((1, 1, 1, 1)))


@pytest.mark.parametrize(
    ("shape1", "shape2", "name"),
    [
        ((2, 3), (3, 4), "MmBackward0"),
        ((2, 3), (3,), "MvBackward0"),
        ((3,), (3, 2), "MvBackward0"),
        ((3,), (3,), "DotBackward0"),
        ((5, 2, 3), (5, 3, 4), "BmmBackward0"),
        ((5, 2, 3), (3, 4), "MatmulBackward0"),
        ((1, 5, 2, 3), (3, 4), "MatmulBackward0"),
    ],
)
def test_node_names(shape1: Any, shape2: Any, name: str, xp: Any) -> None:
    assert (xp.ones(shape1, requires_grad=True) @ xp.ones(shape2)).grad_fn.name() == name


class Counting:
    """A raw namespace that notes which functions are called, and the largest array that they return."""

    def __init__(self, xp: Any) -> None:
        self.complex_dtypes, self.floating_dtypes = xp.complex_dtypes, xp.floating_dtypes
        self._xp = xp
        self.calls: list[str] = []
        self.largest = 0

    def __getattr__(self, name: str) -> Any:
        function = getattr(self._xp, name)

        def counted(*args: Any, **params: Any) -> Any:
            self.calls.append(name)
            out = function(*args, **params)
            self.largest = max(self.largest, int(np.prod(out.shape)))
            return out

        return counted


@pytest.mark.parametrize(("shape1", "shape2"), [case for case in SHAPES if len(case[0]) > 1 and len(case[1]) > 1])
def test_a_cotangent_of_matmul_is_one_product(shape1: Any, shape2: Any, backend: str) -> None:
    raw = polygrad.get_backend(backend).raw
    x1, x2 = (tensor(sample(shape, "float64", 0), backend).array for shape in (shape1, shape2))
    g = raw.matmul(x1, x2)
    inputs = max(int(np.prod(a.shape)) for a in (x1, x2, g))
    broadcasts = len(shape1) > 2 and len(shape2) > 2 and shape1[:-2] != shape2[:-2]
    for rule, other, shape in zip(OPS["matmul"].vjps, (x2, x1), (shape1, shape2), strict=True):
        xp = Counting(raw)
        rule.function(xp, g, other, **{rule.facts[0][0]: shape})
        assert sum(name in ("matmul", "tensordot") for name in xp.calls) == 1
        assert set(xp.calls) <= {"matmul", "tensordot", "matrix_transpose", "reshape", *(["sum"] if broadcasts else [])}
        assert broadcasts or xp.largest <= inputs


TENSORDOT: list[tuple[Any, Any, Any]] = [
    ((2, 3), (3, 4), 1),
    ((2, 3, 4), (3, 4, 5), 2),
    ((2, 3), (3,), 1),
    ((2,), (3,), 0),
    ((2, 3), (2, 3), 2),
    ((), (2,), 0),
    ((2, 3, 4), (4, 2, 5), ((0, 2), (1, 0))),
    ((2, 3, 4), (4, 2, 5), ((2, 0), (0, 1))),
    ((2, 3, 4), (3, 5, 4, 2), ((-1, 1, 0), (2, 0, -1))),
    ((2, 3), (4, 3), ((1,), (1,))),
    ((2, 3), (4,), ((), ())),
    ((2, 0), (0, 3), 1),
]


@pytest.mark.parametrize(("kind1", "kind2"), KINDS[:3])
@pytest.mark.parametrize(("shape1", "shape2", "axes"), TENSORDOT)
def test_tensordot(shape1: Any, shape2: Any, axes: Any, kind1: str, kind2: str, backend: str) -> None:
    xp = polygrad.namespace(backend)
    check(
        lambda x, y: xp.tensordot(x, y, axes=axes),
        [sample(shape1, kind1, 0), sample(shape2, kind2, 1)],
        backend,
        reference=same(lambda x, y: torch.tensordot(x, y, dims=axes)),
    )


def test_tensordot_default_axes(xp: Any) -> None:
    assert xp.tensordot(xp.ones((2, 3)), xp.ones((2, 3))).item() == 6.0


VECDOT: list[tuple[Any, Any, int]] = [
    ((3,), (3,), -1),
    ((2, 3), (2, 3), -1),
    ((2, 3), (2, 3), -2),
    ((3, 2), (4, 3, 2), -2),
    ((2, 3), (3,), -1),
    ((4, 1, 3), (2, 3), -1),
    ((0,), (0,), -1),
]


@pytest.mark.parametrize(("kind1", "kind2"), KINDS)
@pytest.mark.parametrize(("shape1", "shape2", "axis"), VECDOT)
def test_vecdot(shape1: Any, shape2: Any, axis: int, kind1: str, kind2: str, backend: str) -> None:
    xp = polygrad.namespace(backend)
    check(
        lambda x, y: xp.vecdot(x, y, axis=axis),
        [sample(shape1, kind1, 0), sample(shape2, kind2, 1)],
        backend,
        reference=same(lambda x, y: torch.linalg.vecdot(x, y, dim=axis)),
    )


def test_vecdot_axis_from_the_front(backend: str) -> None:
    xp = polygrad.namespace(backend)
    arrays = [sample((2, 3), "complex128", 0), sample((2, 3), "complex128", 1)]
    if backend == "array_api_strict":
        with pytest.raises(ValueError, match="axis must be negative"):
            xp.vecdot(*[tensor(array, backend) for array in arrays], axis=0)
        return
    check(
        lambda x, y: xp.vecdot(x, y, axis=0), arrays, backend, reference=lambda x, y: torch.linalg.vecdot(x, y, dim=0)
    )


def test_vecdot_conjugates_the_first(backend: str, xp: Any) -> None:
    x, y = sample((3,), "complex128", 0), sample((3,), "complex128", 1)
    np.testing.assert_allclose(host(xp.vecdot(tensor(x, backend), tensor(y, backend))), np.vdot(x, y), rtol=1e-12)


@pytest.mark.parametrize("name", ["float32", "complex64"])
def test_single_precision_stays(name: str, xp: Any) -> None:
    x = xp.ones((2, 3), dtype=getattr(xp, name), requires_grad=True)
    for y in (x @ x.T, xp.tensordot(x, x), xp.vecdot(x, x)):
        (g,) = polygrad.autograd.grad(y, [x], [xp.ones(y.shape, dtype=y.dtype)])
        assert y.dtype == g.dtype == x.dtype


def test_integers(xp: Any) -> None:
    n = xp.asarray([[1, 2], [3, 4]])
    assert (n @ n).tolist() == [[7, 10], [15, 22]]
    assert not (n @ n).requires_grad
    x = xp.ones((2,), requires_grad=True)
    (g,) = polygrad.autograd.grad(xp.sum(n @ x), [x])
    assert g.tolist() == [4.0, 6.0]


def test_shapes_that_do_not_fit(xp: Any) -> None:
    with pytest.raises(RuntimeError, match=r"matmul\(.*\[2, 3\], .*\[2, 3\]\)"):
        xp.ones((2, 3)) @ xp.ones((2, 3))
