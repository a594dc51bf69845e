"""dask: nothing is computed while a graph and its gradient are built, and chunks make no difference to the result."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import polygrad
from support.gradient_checks import only_on, tensor
from support.operation_samples import names, run

only_on("dask")
dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
cloudpickle = pytest.importorskip("cloudpickle")
UNSUPPORTED = polygrad.get_backend("dask").unsupported


class Scheduler:
    """Counts how often something is computed."""

    def __init__(self) -> None:
        self.computes = 0

    def __call__(self, graph: Any, keys: Any, **options: Any) -> Any:
        self.computes += 1
        return dask.get(graph, keys, **options)


@pytest.fixture
def scheduler() -> Iterator[Scheduler]:
    counting = Scheduler()
    with dask.config.set(scheduler=counting):
        yield counting


def chunked(array: Any) -> Any:
    """Every element in a chunk of its own."""
    return polygrad.asarray(da.from_array(array, chunks=1)).requires_grad_(array.dtype.kind in "fc")


def on_numpy(array: Any) -> Any:
    return tensor(array, "numpy", array.dtype.kind in "fc")


ANSWERS = {"allclose", "array_equal"}
"""What gives a Python value has to look at the numbers."""


@pytest.mark.filterwarnings("ignore:.*chunks.*:dask.array.core.PerformanceWarning")
@pytest.mark.filterwarnings("ignore:numpy.core is deprecated:DeprecationWarning")  # where pickle looks a ufunc up
@pytest.mark.parametrize("name", [name for name in names() if name not in UNSUPPORTED])
def test_lazy_and_right_across_chunks(name: str, scheduler: Scheduler) -> None:
    """Forward and backward of every operation that dask has, each element in a chunk of its own, against NumPy."""
    try:
        got = run(name, chunked)
    except polygrad.errors.UnsupportedError as error:
        if error.op not in UNSUPPORTED:
            raise
        pytest.skip(str(error))
    if name in ANSWERS:
        assert scheduler.computes == 1
        return
    assert scheduler.computes == 0
    expected = run(name, on_numpy)
    assert len(got) == len(expected)
    # as another process gets it
    arrays = cloudpickle.loads(cloudpickle.dumps([value.array for value in got]))
    for ours, array, theirs in zip(got, dask.compute(*arrays), expected, strict=True):
        assert ours.dtype == array.dtype == theirs.dtype
        if not np.isnan(ours.shape).any():  # what depends on values has no known size
            assert ours.shape == array.shape == theirs.shape
        np.testing.assert_allclose(array, np.asarray(theirs.tolist()), rtol=1e-9, atol=1e-12)
    assert scheduler.computes == 1


@pytest.mark.parametrize("key", [(slice(None), [2, 0, 2]), (np.asarray([[0], [2]]),), (slice(None, None, -1), [1, 1])])
def test_a_gather_and_its_transpose_go_chunk_by_chunk(key: Any, scheduler: Scheduler) -> None:
    data = np.linspace(0, 1, 12).reshape(4, 3)
    x = polygrad.asarray(da.from_array(data, chunks=(2, 2))).requires_grad_()
    y = x[key]
    y.sum().backward()
    assert scheduler.computes == 0
    np.testing.assert_array_equal(y.array.compute(), data[key])
    counts = np.zeros_like(data)
    np.add.at(counts, key, 1)
    np.testing.assert_array_equal(x.grad.array.compute(), counts)


def test_the_transpose_of_a_gather_never_holds_the_whole_in_one_chunk() -> None:
    """The columns stay apart, and what one chunk of the result needs is as many blocks as there are chunks of indices."""
    x = polygrad.asarray(da.ones((1000, 40), chunks=(1000, 10))).requires_grad_()
    y = x[polygrad.asarray(da.arange(600, chunks=100) % 7)]
    (y * y).sum().backward()
    assert x.grad.array.numblocks[1] == 4
    np.testing.assert_array_equal(x.grad.array.sum(axis=1).compute()[:8], [2 * 86 * 40] * 5 + [2 * 85 * 40] * 2 + [0])


def test_a_gradient_that_is_broadcast_comes_in_chunks() -> None:
    with dask.config.set({"array.chunk-size": "1kiB"}):
        x = polygrad.ones(100, 40, backend="dask", requires_grad=True)
        x.sum().backward()
        assert x.grad.array.npartitions == x.array.npartitions > 1


def test_an_index_equal_to_the_offsets_of_the_chunks() -> None:
    """dask 2026.8 mistakes the array [0] for its own array of offsets, which has the same name."""
    x = polygrad.asarray(da.ones((2, 2)))
    assert x[polygrad.asarray(da.asarray([0]))].shape == (1, 2)


def test_cholesky_gives_the_lower_factor() -> None:
    matrix = np.asarray([[2.0, 0.5], [0.5, 1.0]])
    lower = polygrad.linalg.cholesky(polygrad.asarray(da.from_array(matrix, chunks=1)))
    np.testing.assert_allclose(lower.tolist(), np.linalg.cholesky(matrix))


def test_tall_matrices_are_decomposed_in_parallel(scheduler: Scheduler) -> None:
    data = np.random.default_rng(0).normal(size=(20, 3))
    x = polygrad.asarray(da.from_array(data, chunks=(5, 3))).requires_grad_()
    loss = (polygrad.linalg.qr(x).R ** 2).sum() + polygrad.linalg.svd(x, full_matrices=False).S.sum()
    loss.backward()
    assert scheduler.computes == 0
    u, s, vh = np.linalg.svd(data, full_matrices=False)
    np.testing.assert_allclose(loss.item(), (data**2).sum() + s.sum())
    np.testing.assert_allclose(x.grad.array.compute(), 2 * data + u @ vh, atol=1e-12)


def test_a_system_with_no_right_hand_sides_is_solved_whatever_its_matrix() -> None:
    """Nothing is computed, so nothing can be singular."""
    a = polygrad.asarray(da.ones((300, 300)))
    assert polygrad.linalg.solve(a, polygrad.asarray(da.ones((300, 0)))).shape == (300, 0)


@pytest.mark.parametrize("axes", [((-1, 1), (0, 1)), (-2, -1), ((0, -1), (1, 0))])
def test_axes_counted_from_the_end(axes: Any) -> None:
    a, b = np.arange(36.0).reshape(3, 3, 4), np.arange(12.0).reshape(4, 3)
    product = polygrad.tensordot(polygrad.asarray(da.asarray(a)), polygrad.asarray(da.asarray(b)), axes=axes)
    np.testing.assert_allclose(product.array.compute(), np.tensordot(a, b, axes=axes))


def test_what_scipy_refuses_is_refused() -> None:
    x = polygrad.asarray(da.ones(2))
    with pytest.raises(
        polygrad.errors.OperationError, match=r"bdtr\(float64\[2\], .*no such function for float64, float64, float64"
    ):
        polygrad.special.bdtr(x, x, x)


def test_random_numbers_are_made_chunk_by_chunk(scheduler: Scheduler) -> None:
    with polygrad.use_backend("dask"), dask.config.set({"array.chunk-size": "8kiB"}):
        polygrad.manual_seed(0)
        first = polygrad.randn(100, 100)
        assert first.array.npartitions > 1
        assert scheduler.computes == 0
        assert abs(first.mean().item()) < 0.05
        again = first.tolist()
        assert first.tolist() == again  # the same values each time that they are computed
        polygrad.manual_seed(0)
        assert polygrad.randn(100, 100).tolist() == again
        assert polygrad.randn(100, 100).tolist() != again
        drawn = polygrad.randint(2, 5, (1000,))
        assert set(drawn.tolist()) == {2, 3, 4}
        assert 0 <= polygrad.rand(50, dtype="float32").min().item() < 0.2


def test_a_leaf_keeps_its_graph_when_the_array_is_assigned_to() -> None:
    array = da.ones(3)
    x = polygrad.tensor(array, requires_grad=True)
    array[0] = 5.0
    assert x.tolist() == [1.0, 1.0, 1.0]


def test_oblong_identity_in_chunks() -> None:
    with dask.config.set({"array.chunk-size": "16B"}):
        assert polygrad.eye(2, 3, k=1, backend="dask").tolist() == np.eye(2, 3, k=1).tolist()


@pytest.mark.parametrize("key", [slice(-9, None, -2), (slice(-9, -8, -1), 0), (-1, slice(None, None, -1))])
def test_slices_that_go_back(key: Any) -> None:
    values = np.arange(12.0).reshape(4, 3)
    x = polygrad.asarray(da.from_array(values, chunks=2)).requires_grad_()
    selected = x[key]
    assert selected.shape == values[key].shape
    np.testing.assert_array_equal(selected.array.compute(), values[key])
    selected.sum().backward()
    expected = np.zeros_like(values)
    expected[key] = 1.0
    np.testing.assert_array_equal(x.grad.array.compute(), expected)


@pytest.mark.parametrize("name", ["max", "min", "argmax", "argmin"])
def test_extremes_of_no_elements(name: str, scheduler: Scheduler) -> None:
    """Along an axis that has elements there are none to find; along one that has none the operation says so, before anything is computed:
    dask fails where the one is computed, and gives three extremes as an array without elements."""
    x = polygrad.asarray(da.zeros((0, 3)))
    extreme = getattr(polygrad, name)
    assert extreme(x, axis=1).shape == extreme(x, axis=1).array.compute().shape == (0,)
    assert extreme(x, axis=1, keepdims=True).array.compute().shape == (0, 1)
    with pytest.raises(polygrad.errors.OperationError, match=rf"{name}\(float64\[0, 3\], axis=0.*(zero-size|empty)"):
        extreme(x, axis=0)


def test_special_functions_are_in_a_graph_by_their_names() -> None:
    """SciPy's functions are slow to pickle, which dask does for every key; and a Python function around one goes to workers whole."""
    x = polygrad.asarray(da.ones(3))
    for function in (polygrad.special.expit, polygrad.special.lambertw, polygrad.special.gamma):
        pickled = cloudpickle.dumps(function(x).array)
        assert b"scipy" not in pickled
        np.testing.assert_array_equal(
            cloudpickle.loads(pickled).compute(), function(polygrad.ones(3, backend="numpy")).array
        )


def test_a_cotangent_of_unknown_length() -> None:
    """It fits a Tensor of unknown length, which is nan for both; one of a known length does not, since dask puts no two such together."""
    data = da.asarray(np.asarray([3.0, 1.0, 2.0]))
    x = polygrad.asarray(data[data > 1.5]).requires_grad_()
    y = x * x
    y.backward(polygrad.ones_like(y))
    np.testing.assert_array_equal(x.grad.array.compute(), [6.0, 4.0])
    for other in (polygrad.ones(2, backend="dask"), polygrad.ones_like(y)[:, None]):
        with pytest.raises(polygrad.errors.ShapeError, match=r"the gradient has shape .*, the Tensor \(nan,\)"):
            (x * x).backward(other)
    x = polygrad.asarray(data).requires_grad_()
    y = polygrad.unique_values(x)
    with pytest.raises(polygrad.errors.NoDerivativeError, match="unique_values"):
        y.backward(polygrad.ones_like(y))
