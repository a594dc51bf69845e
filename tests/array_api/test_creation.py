"""Creation: what goes by another array keeps to its backend, and a Tensor that stands for a number keeps its history or says why not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polygrad as pg
from support.gradient_checks import check, host, other_backend

LIKE = {
    "ones_like": (), "zeros_like": (), "empty_like": (), "full_like": (3,), "randn_like": (), "rand_like": (),
}  # fmt: skip


@pytest.mark.parametrize("name", LIKE)
def test_a_backend_must_not_contradict_the_array(name: str, backend: str) -> None:
    make, x = getattr(pg, name), pg.ones(2)
    other = other_backend(backend)
    assert make(x, *LIKE[name], backend=backend).backend == backend
    for like in (x, x.array):
        with pytest.raises(
            ValueError, match=rf"{name}: .*\[2\] is on the backend '{backend}', and backend='{other}' .*to_backend"
        ):
            make(like, *LIKE[name], backend=other)
    with pytest.raises(ValueError, match=f"{name}: .* is on the backend '{backend}'"):
        getattr(pg.namespace(other), name)(x, *LIKE[name])


def test_full_of_a_tensor(backend: str, xp: Any) -> None:
    """The value is spread, differentiably, into memory of its own."""
    check(lambda v: xp.full((2, 3), v), [np.asarray(1.5)], backend)
    check(lambda v: xp.full_like(xp.ones((3,), dtype="float64"), v), [np.asarray(1.5)], backend, narrow=False)
    value = pg.tensor(3, dtype="int32")
    assert xp.full(2, value).dtype == value.dtype
    assert xp.full(2, value, dtype="float64").dtype == xp.float64
    assert xp.full_like(xp.ones(2, dtype="float32"), value).dtype == xp.float32
    filled = xp.full((2,), value)
    filled[0] = 7
    assert host(filled).tolist() == [7, 3]
    assert xp.full(2, 1.0, requires_grad=True).is_leaf
    with pytest.raises((ValueError, RuntimeError)):
        xp.full((2,), xp.ones(3))


def test_numbers_that_are_tensors(backend: str, xp: Any) -> None:
    """In place of a number a Tensor will do, but not with a history that would be lost."""
    x = pg.tensor(2.0, dtype="float64")
    assert xp.arange(x, 5.0).shape == (3,)
    assert host(xp.linspace(0.0, x, 3, dtype="float64")).tolist() == [0.0, 1.0, 2.0]
    assert host(xp.fft.fftfreq(2, d=x, dtype="float64")).tolist() == [0.0, -0.25]
    x.requires_grad_()
    for call, name in (
        (lambda: xp.fft.fftfreq(4, d=x), "fftfreq: .*'d'"),
        (lambda: xp.fft.rfftfreq(4, d=x), "rfftfreq: .*'d'"),
    ):
        with pytest.raises(NotImplementedError, match=rf"{name}; detach\(\)"):
            call()
        with pg.no_grad():
            call()


# -- of Tensors that have a history ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "build",
    [
        lambda a, b: [a, b * a],
        lambda a, b: (a, b * a),
        lambda a, b: [[a, 1.0], (b * a, 2.0)],
        lambda a, b: [[a, b * a]],
    ],
)
def test_tensor_stacks_what_is_tracked(build: Any, backend: str) -> None:
    x = pg.tensor([2.0, 3.0], dtype="float64", backend=backend, requires_grad=True)
    made = pg.tensor(build(x[0], x[1]), dtype="float64", backend=backend)
    made.sum().backward()
    assert x.grad.tolist() == [4.0, 2.0]


@pytest.mark.parametrize("transform", [pg.func.grad, pg.func.jacfwd, pg.func.jacrev])
def test_tensor_stacks_what_is_inside_a_transform(transform: Any, backend: str) -> None:
    x = pg.tensor([2.0, 3.0], dtype="float64", backend=backend)
    assert transform(lambda x: pg.tensor([x[0], x[1] * x[0]], backend=backend).sum())(x).tolist() == [4.0, 2.0]


def test_a_copy_of_a_tracked_tensor_is_a_leaf_with_a_warning(backend: str) -> None:
    x = pg.tensor(2.0, dtype="float64", backend=backend, requires_grad=True)
    with pytest.warns(pg.errors.DetachWarning, match=r"x\.detach\(\)\.clone\(\)"):
        copy = pg.tensor(x * 2)
    assert copy.is_leaf
    assert not copy.requires_grad
    assert pg.tensor([x.detach(), 1.0], backend=backend).is_leaf


# -- evenly spaced values between ends that have a history ----------------------------------------------------------------
@pytest.mark.parametrize(
    ("make", "want"),
    [
        (lambda s: pg.linspace(0.0, s, 5), 2.5),
        (lambda s: pg.linspace(s, 4.0, 5), 2.5),
        (lambda s: pg.linspace(s, 2 * s, 4, endpoint=False), 5.5),
        (lambda s: pg.linspace(0.0, s, 1), 0.0),
        (lambda s: pg.arange(s, 6.5), 5.0),
        (lambda s: pg.arange(0.0, 6.0, s), 3.0),
        (lambda s: pg.arange(6.0, 0.0, -s), -3.0),
    ],
)
def test_the_ends_get_their_gradient(make: Any, want: float, backend: str) -> None:
    s = pg.tensor(2.0, dtype="float64", backend=backend, requires_grad=True)
    with pg.use_backend(backend):
        made = make(s)
        plain = make(s.detach())
    np.testing.assert_allclose(made.tolist(), plain.tolist())
    made.sum().backward()
    assert s.grad.item() == pytest.approx(want)
    assert not pg.arange(s, backend=backend).requires_grad  # the end says how many there are


# -- arrays that are no arrays of numbers ---------------------------------------------------------------------------------
REFUSED = {
    "masked": lambda: np.ma.masked_array([1.0, 2.0], mask=[False, True]), "matrix": lambda: np.matrix([[1.0, 2.0]]),
    "objects": lambda: np.array([1.0, None], dtype=object), "strings": lambda: np.array(["a", "b"]),
    "dates": lambda: np.array(["2001-01-01"], dtype="datetime64[D]"),
}  # fmt: skip


@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize(
    "use",
    [
        pg.Tensor, pg.tensor, pg.asarray, pg.exp, lambda a: pg.ones(2) * a, lambda a: pg.add(pg.ones(2), a),
        lambda a: pg.concat([pg.ones(2), a]), lambda a: np.add(pg.ones(2), a),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
def test_they_are_refused_with_the_reason(make: Any, use: Any) -> None:
    with pg.use_backend("numpy"), pytest.raises(pg.PolygradError, match="of NumPy.*cannot be a Tensor"):
        use(make())


def test_a_series_of_tensors_is_refused() -> None:
    pandas = pytest.importorskip("pandas")
    x = pg.tensor([1.0, 2.0], requires_grad=True)
    assert pg.tensor(pandas.Series([1.0, 2.0])).tolist() == [1.0, 2.0]
    for call in (
        lambda: pg.tensor(pandas.Series([x[0], x[1]], dtype=object)),
        lambda: pandas.Series([1.0, 2.0]) * x,
        lambda: x * pandas.Series([1.0, 2.0]),
        lambda: pandas.Series(x),
    ):
        with pytest.raises(pg.PolygradError):
            call()
