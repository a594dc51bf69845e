"""Dual numbers by hand: torch's forward_ad."""

from __future__ import annotations

import numpy as np
import pytest

import polygrad as pg
from polygrad.autograd import forward_ad as fwad

pytestmark = pytest.mark.usefixtures("backend")


def t(data: object, requires_grad: bool = False) -> pg.Tensor:
    return pg.tensor(data, dtype="float64", requires_grad=requires_grad)


def test_make_and_unpack() -> None:
    with fwad.dual_level():
        x = fwad.make_dual(t([1.0, 2.0]), t([1.0, 10.0]))
        y = fwad.unpack_dual(x * x + 1)
        assert y.primal.tolist() == [2.0, 5.0]
        assert y.tangent.tolist() == [2.0, 40.0]
        assert fwad.unpack_dual(t([1.0])).tangent is None
        assert fwad.unpack_dual(x.detach()).tangent is None


def test_enter_and_exit() -> None:
    level = fwad.enter_dual_level()
    try:
        x = fwad.make_dual(t(3.0), t(1.0))
        assert fwad.unpack_dual(pg.sin(x)).tangent.item() == pytest.approx(np.cos(3.0))
    finally:
        fwad.exit_dual_level(level=level)
    with pytest.raises(RuntimeError, match="no forward-mode level is open"):
        fwad.exit_dual_level()


def test_forward_over_reverse() -> None:
    """The tangent of a gradient: a Hessian-vector product."""
    x = t([1.0, 2.0], True)
    with fwad.dual_level():
        dual = fwad.make_dual(x, t([1.0, 1.0]))
        value, tangent = fwad.unpack_dual((dual * dual * dual).sum())
        tangent.backward(retain_graph=True)
        assert x.grad.tolist() == [6.0, 12.0]
        x.grad = None
        value.backward()
        assert x.grad.tolist() == [3.0, 12.0]


def test_reverse_over_forward_and_levels_nest() -> None:
    with fwad.dual_level():
        x = fwad.make_dual(t(2.0), t(1.0))
        with fwad.dual_level():
            y = fwad.make_dual(x, pg.ones_like(x))
            inner = fwad.unpack_dual(y * y * y).tangent
        outer = fwad.unpack_dual(inner)
        assert outer.primal.item() == 12.0
        assert outer.tangent.item() == 12.0


def test_errors() -> None:
    with pytest.raises(RuntimeError, match=r"no forward-mode level is open; use it inside"):
        fwad.make_dual(t(1.0), t(1.0))
    with fwad.dual_level():
        with pytest.raises(ValueError, match="does not fit its primal"):
            fwad.make_dual(t([1.0]), t(1.0))
        with pytest.raises(TypeError, match="only floating and complex"):
            fwad.make_dual(pg.tensor([1]), pg.tensor([1]))
        with pytest.raises(TypeError, match="a dual number of this level already"):
            fwad.make_dual(fwad.make_dual(t(1.0), t(1.0)), t(1.0))
        fwad.enter_dual_level()
        with pytest.raises(RuntimeError, match="is not the innermost one"):
            fwad.exit_dual_level(level=1)
        fwad.exit_dual_level()


def test_unpacking_outside_of_any_level() -> None:
    x = pg.tensor([3.0], dtype="float64")
    assert fwad.unpack_dual(x) == (x, None)
    with fwad.dual_level():
        dual = fwad.make_dual(x, x)
    primal, tangent = fwad.unpack_dual(dual)
    assert primal.tolist() == [3.0]
    assert type(primal) is pg.Tensor
    assert tangent is None
    with pytest.raises(TypeError, match="unpack_dual: expected a Tensor, got int 3"):
        fwad.unpack_dual(3)
