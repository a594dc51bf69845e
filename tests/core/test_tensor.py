"""Tensor: attributes, creation, conversion, copying, printing, in-place operations and views."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import polygrad as pg
from polygrad.backend import dtype_name

pytestmark = pytest.mark.usefixtures("backend")


def t(data: object, requires_grad: bool = False, dtype: str = "float64") -> pg.Tensor:
    return pg.tensor(data, dtype=dtype, requires_grad=requires_grad)


class TestAttributes:
    def test_of_an_array(self, backend: str) -> None:
        x = t([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
        assert (tuple(x.shape), x.ndim, x.size, len(x), x.backend) == ((2, 3), 2, 6, 2, backend)
        assert dtype_name(x.dtype) == "float64"
        assert pg.backend.backend_of(x.array).name == backend
        assert x.T.tolist() == [[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]
        assert x.mT.tolist() == x.T.tolist()
        assert x.nbytes == 48
        assert (x.is_leaf, x.requires_grad, x.grad, x.grad_fn, x.output_nr) == (True, False, None, None, 0)

    def test_of_a_result(self) -> None:
        x = t([1.0, 2.0], True)
        y = x * 2
        assert (y.is_leaf, y.requires_grad) == (False, True)
        assert y.grad_fn.name() == "MulBackward0"
        assert y.grad is None

    def test_payload_is_adopted_not_copied(self, backend: str) -> None:
        raw = t([1.0, 2.0]).array
        assert pg.Tensor(raw).array is raw
        assert pg.asarray(raw).array is raw

    def test_operators_mix_with_scalars_and_raw_arrays(self) -> None:
        x, raw = t([1.0, 2.0], True), t([10.0, 20.0]).array
        assert (x + raw).tolist() == [11.0, 22.0]
        assert (2 - x).tolist() == [1.0, 0.0]
        assert (2 / x).tolist() == [2.0, 1.0]
        assert (2**x).tolist() == [2.0, 4.0]
        assert (x // 2).tolist() == [0.0, 1.0]
        assert (x % 2).tolist() == [1.0, 0.0]
        assert (-x).tolist() == [-1.0, -2.0]
        assert abs(-x).tolist() == [1.0, 2.0]
        assert (x @ x).item() == 5.0
        assert (x < 2).tolist() == [True, False]
        assert (x == raw).tolist() == [False, False]
        assert (x != 1).tolist() == [False, True]
        assert (x == None) is False  # noqa: E711
        assert (t([1, 2], dtype="int64") << 1).tolist() == [2, 4]
        assert (~(x < 2)).tolist() == [False, True]
        assert ((x < 2) | (x > 1)).tolist() == [True, True]

    def test_operators_leave_foreign_objects_their_turn(self) -> None:
        class Other:
            def __radd__(self, tensor: pg.Tensor) -> str:
                return "its turn"

            def __mul__(self, tensor: pg.Tensor) -> str:
                return "first"

            def __rmatmul__(self, tensor: pg.Tensor) -> str:
                return "its turn"

        x = t([1.0, 2.0])
        assert x + Other() == "its turn"
        assert Other() * x == "first"
        assert x @ Other() == "its turn"
        with pytest.raises(TypeError, match="unsupported operand"):
            x - Other()
        assert type((x.requires_grad_() * 2).grad_fn) is type(pg.multiply(x, 2).grad_fn)

    def test_length_iteration_membership(self) -> None:
        x = t([[1.0, 2.0], [3.0, 4.0]], True)
        rows = list(x)
        assert [row.tolist() for row in rows] == [[1.0, 2.0], [3.0, 4.0]]
        rows[1].sum().backward()
        assert x.grad.tolist() == [[0.0, 0.0], [1.0, 1.0]]
        assert 3.0 in x
        assert 7.0 not in x
        with pytest.raises(TypeError, match="iteration over a 0-d tensor"):
            iter(t(1.0))
        with pytest.raises(TypeError, match="0-d"):
            len(t(1.0))

    def test_scalars(self) -> None:
        assert bool(t(1.0))
        assert not bool(t([0.0]))
        assert [10, 20, 30][t(1, dtype="int64")] == 20
        assert isinstance(t(1.5).item(), float)
        assert isinstance(t(2, dtype="int64").item(), int)
        assert t(True, dtype="bool").item() is True
        assert t(1 + 2j, dtype="complex128").item() == 1 + 2j
        assert f"{t(1.23456):.2f}" == "1.23"

    def test_hash_is_identity(self) -> None:
        x, y = t([1.0]), t([1.0])
        assert len({x, y, x}) == 2


class TestPromotion:
    def test_integer_meets_floating(self) -> None:
        for dtype in ("float32", "float64"):
            x = t([1.0, 2.0], True, dtype=dtype)
            for y in (x * t([2, 3], dtype="int64"), t([2, 3], dtype="int64") * x, x * t([True, False], dtype="bool")):
                assert dtype_name(y.dtype) == dtype
            (x * t([2, 3], dtype="int64")).sum().backward()
            assert dtype_name(x.grad.dtype) == dtype
            assert x.grad.tolist() == [2.0, 3.0]

    def test_two_precisions(self) -> None:
        x, y = t([1.0], True, dtype="float32"), t([2.0], True)
        z = x * y
        assert dtype_name(z.dtype) == "float64"
        z.sum().backward()
        assert (dtype_name(x.grad.dtype), dtype_name(y.grad.dtype)) == ("float32", "float64")

    def test_real_meets_complex(self) -> None:
        x, z = t([1.0, 2.0], True), t([1j, 2 + 1j], True, dtype="complex128")
        y = x * z
        assert dtype_name(y.dtype) == "complex128"
        pg.real(y * 2).sum().backward()
        assert dtype_name(x.grad.dtype) == "float64"
        assert x.grad.tolist() == [0.0, 4.0]
        assert z.grad.tolist() == [2.0, 4.0]

    def test_python_scalars_are_weak(self) -> None:
        assert dtype_name((t([1.0], dtype="float32") * 2.5).dtype) == "float32"
        assert dtype_name((t([1.0], dtype="float32") * 2).dtype) == "float32"
        assert dtype_name((t([1], dtype="int32") * 2).dtype) == "int32"
        assert dtype_name((t([1.0], dtype="float32") * 1j).dtype) == "complex64"
        default = dtype_name(pg.get_default_dtype())
        assert dtype_name((t([1], dtype="int64") * 2.5).dtype) == default


class TestConversion:
    def test_to(self) -> None:
        x = t([1.0, 2.0], True)
        y = x.to("float32")
        assert dtype_name(y.dtype) == "float32"
        y.sum().backward()
        assert dtype_name(x.grad.dtype) == "float64"
        assert x.to("float64") is x
        assert x.to(x.device) is x
        assert x.to(y).dtype == y.dtype
        assert x.to(np.float32).dtype == y.dtype
        assert x.to(float).dtype == pg.get_default_dtype()
        assert x.float().dtype == y.dtype
        assert x.double() is x
        assert not x.to("int64").requires_grad
        assert x.to("float64", copy=True) is not x
        assert x.backend == "cupy" or x.cpu() is x or x.cpu().tolist() == x.tolist()

    def test_numpy_and_tolist(self) -> None:
        x = t([[1.0, 2.0]])
        np.testing.assert_array_equal(x.numpy(), [[1.0, 2.0]])
        assert x.tolist() == [[1.0, 2.0]]
        assert t(3.0).tolist() == 3.0
        assert pg.from_numpy(np.asarray([1.0, 2.0])).tolist() == [1.0, 2.0]

    def test_dlpack_of_the_untracked(self) -> None:
        x = t([1.0, 2.0])
        if not hasattr(x.array, "__dlpack__"):
            pytest.skip("the library has no DLPack")
        to_the_host = {"device": "cpu"} if x.backend == "cupy" else {}
        np.testing.assert_array_equal(np.from_dlpack(x, **to_the_host), [1.0, 2.0])

    def test_asarray(self) -> None:
        x = t([1.0, 2.0], True)
        assert pg.asarray(x) is x
        stacked = pg.asarray([x[0], x[1] * 2, 3.0])
        stacked.sum().backward()
        assert x.grad.tolist() == [1.0, 2.0]
        assert pg.asarray(x, dtype="float32").requires_grad


class TestCreation:
    def test_sizes_as_in_torch_and_as_in_the_standard(self) -> None:
        for make in (pg.ones, pg.zeros, pg.empty, pg.randn, pg.rand):
            for x in (make(2, 3), make((2, 3)), make([2, 3]), make(shape=(2, 3))):
                assert tuple(x.shape) == (2, 3)
                assert x.dtype == pg.get_default_dtype()
            assert make(2, requires_grad=True).requires_grad
            assert tuple(make(()).shape) == ()
        assert pg.full((2,), 7.0).tolist() == [7.0, 7.0]
        assert pg.arange(3).tolist() == [0, 1, 2]
        assert pg.arange(1.0, 2.0, 0.5).tolist() == [1.0, 1.5]
        assert pg.linspace(0.0, 1.0, 3).tolist() == [0.0, 0.5, 1.0]
        assert pg.eye(2).tolist() == [[1.0, 0.0], [0.0, 1.0]]
        assert tuple(pg.eye(4, 5, requires_grad=True).shape) == (4, 5)
        x = t([1.0, 2.0], dtype="float32")
        for like in (pg.ones_like, pg.zeros_like, pg.empty_like, pg.randn_like, pg.rand_like):
            assert (like(x).dtype, tuple(like(x).shape)) == (x.dtype, (2,))
        assert pg.full_like(x, 3).tolist() == [3.0, 3.0]

    def test_dtypes_of_data(self) -> None:
        assert dtype_name(pg.tensor([1, 2]).dtype) == "int64"
        assert dtype_name(pg.tensor([True]).dtype) == "bool"
        assert pg.tensor([1.0, 2]).dtype == pg.get_default_dtype()
        assert pg.tensor([]).dtype == pg.get_default_dtype()
        assert dtype_name(pg.tensor(np.asarray([1.0], dtype="float32")).dtype) == "float32"
        assert dtype_name(pg.tensor([1], dtype=pg.float).dtype) == "float32"
        names = {
            "float": "float32",
            "double": "float64",
            "half": "float16",
            "long": "int64",
            "int": "int32",
            "short": "int16",
        }
        for alias, name in names.items():
            if hasattr(pg, name):
                assert getattr(pg, alias) == getattr(pg, name)

    def test_tensor_copies(self) -> None:
        x = t([1.0, 2.0])
        y = pg.tensor(x)
        y.zero_()
        assert x.tolist() == [1.0, 2.0]
        assert pg.tensor([t(1.0), 2.0]).tolist() == [1.0, 2.0]

    def test_default_dtype(self) -> None:
        assert pg.get_default_dtype() == pg.ones(1).dtype
        try:
            pg.set_default_dtype("float32")
            assert dtype_name(pg.ones(1).dtype) == "float32"
            assert dtype_name(pg.tensor([1.0]).dtype) == "float32"
            assert dtype_name(pg.randn(1).dtype) == "float32"
        finally:
            pg.set_default_dtype(None)
        with pytest.raises(TypeError, match="only floating-point dtypes can be the default"):
            pg.set_default_dtype("int64")

    def test_random_numbers(self) -> None:
        pg.manual_seed(3)
        a, b = pg.randn(100, dtype="float64"), pg.rand(100, dtype="float64")
        pg.manual_seed(3)
        assert pg.randn(100, dtype="float64").tolist() == a.tolist()
        assert pg.rand(100, dtype="float64").tolist() == b.tolist()
        assert min(b.tolist()) >= 0.0
        assert max(b.tolist()) < 1.0
        assert abs(float(a.mean())) < 0.5
        n = pg.randint(3, 6, (50,))
        assert set(n.tolist()) <= {3, 4, 5}
        assert dtype_name(n.dtype) == "int64"
        assert sorted(pg.randperm(5).tolist()) == [0, 1, 2, 3, 4]
        with pytest.raises(ValueError, match="low has to be less than high"):
            pg.randint(3, 3, (2,))


def test_the_imaginary_part_of_a_real_tensor(backend: str) -> None:
    """Consumers ask any array for it, if only to see whether it is one."""
    assert t([1.0, 2.0]).imag.tolist() == [0.0, 0.0]
    assert pg.tensor([1, 2]).imag.tolist() == [0, 0]


def test_bounds_of_a_range_may_be_tensors(backend: str) -> None:
    assert pg.arange(pg.tensor(1), pg.tensor(7), pg.tensor(2)).tolist() == [1, 3, 5]
    assert pg.arange(pg.tensor(3)).tolist() == [0, 1, 2]


class TestCopies:
    def test_deepcopy_of_a_leaf(self) -> None:
        x = t([1.0, 2.0], True)
        (x * 2).sum().backward()
        y = copy.deepcopy(x)
        assert y.requires_grad
        assert y.is_leaf
        assert y.grad.tolist() == [2.0, 2.0]
        with pg.no_grad():
            y += 1
        assert x.tolist() == [1.0, 2.0]
        pair = copy.deepcopy([x, x])
        assert pair[0] is pair[1]

    def test_copies_of_a_result_stay_in_the_graph(self) -> None:
        x = t([1.0, 2.0], True)
        y = x * 2
        for copied in (copy.copy(y), copy.deepcopy(y)):
            assert copied is not y
            assert copied.tolist() == [2.0, 4.0]
            (gradient,) = pg.autograd.grad(copied.sum(), x, retain_graph=True)
            assert gradient.tolist() == [2.0, 2.0]
            copied += 1
            assert y.tolist() == [2.0, 4.0]
        assert copy.copy(x).is_leaf
        assert copy.copy(x).requires_grad

    def test_pickle_of_a_leaf(self, backend: str) -> None:
        x = t([1.0, 2.0], True)
        (x * 2).sum().backward()
        y = pickle.loads(pickle.dumps(x))
        assert (y.tolist(), y.requires_grad, y.grad.tolist(), y.backend) == ([1.0, 2.0], True, [2.0, 2.0], backend)

    def test_clone_and_detach(self) -> None:
        x = t([1.0, 2.0], True)
        c = x.clone()
        assert c.grad_fn.name() == "CloneBackward0"
        d = x.detach()
        assert not d.requires_grad
        assert d.is_leaf
        c.sum().backward()
        assert x.grad.tolist() == [1.0, 1.0]


class TestPrinting:
    def test_as_torch_prints(self) -> None:
        x = pg.ones(2, 2, requires_grad=True)
        assert repr(x) == "tensor([[1., 1.],\n        [1., 1.]], requires_grad=True)"
        assert repr(x**2) == "tensor([[1., 1.],\n        [1., 1.]], grad_fn=<PowBackward0>)"
        assert str(pg.tensor([1, 2])) == "tensor([1, 2])"
        assert repr(pg.tensor(0.5)) == "tensor(0.5000)"
        assert repr(t([1.0], dtype="float32")) == "tensor([1.])"
        assert repr(t([1], dtype="int32")) == "tensor([1], dtype=int32)"
        assert repr(pg.zeros(0, 3)) == "tensor([], size=(0, 3))"
        assert "..." in repr(pg.zeros(2000))


class TestInPlace:
    def test_operators_rebind_and_record(self) -> None:
        x = t([1.0, 2.0], True)
        y = x * 1
        held = y
        y *= 3
        y += x
        assert y is held
        y -= 1
        y /= 2
        y **= 2
        y.sum().backward()
        expected = [((4 * v - 1) / 2) ** 2 for v in (1.0, 2.0)]
        assert y.tolist() == expected
        assert x.grad.tolist() == [(4 * v - 1) / 2 * 4 for v in (1.0, 2.0)]

    def test_what_was_saved_is_not_clobbered(self) -> None:
        x = t([1.0, 2.0], True)
        e = pg.exp(x)
        y = e * e
        e /= 7
        e.zero_()
        y.sum().backward()
        assert x.grad.tolist() == pytest.approx((2 * np.exp([2.0, 4.0])).tolist())

    def test_methods(self) -> None:
        x = t([1.0, 2.0], True)
        y = x * 1
        assert y.add_(1) is y
        y.mul_(2).sub_(1).div_(2).neg_()
        y.sum().backward()
        assert y.tolist() == [-1.5, -2.5]
        assert x.grad.tolist() == [-1.0, -1.0]

    def test_zero_fill_copy(self) -> None:
        x, y = t([1.0, 2.0]), t([5.0, 6.0], True)
        x.fill_(3)
        assert x.tolist() == [3.0, 3.0]
        x.copy_(y * 2)
        x.sum().backward()
        assert y.grad.tolist() == [2.0, 2.0]
        x = t([1.0, 2.0], dtype="float32")
        x.copy_(t([5.0, 6.0]))
        assert dtype_name(x.dtype) == "float32"

    def test_update_under_no_grad_keeps_the_leaf(self) -> None:
        w = t([1.0, 2.0], True)
        (w * w).sum().backward()
        with pg.no_grad():
            w -= 0.5 * w.grad
        assert w.is_leaf
        assert w.requires_grad
        assert w.tolist() == [0.0, 0.0]
        w.grad.zero_()
        (w * 3).sum().backward()
        assert w.grad.tolist() == [3.0, 3.0]

    def test_assignment(self) -> None:
        x, v = t([1.0, 2.0, 3.0], True), t(10.0, True)
        y = x * 1
        y[1] = v
        (y * y).sum().backward()
        assert x.grad.tolist() == [2.0, 0.0, 6.0]
        assert v.grad.item() == 20.0

    def test_assignment_into_an_untracked_tensor(self) -> None:
        out, x = pg.zeros(3, dtype="float64"), t([1.0, 2.0], True)
        out[:2] = x * 2
        assert out.requires_grad
        out.sum().backward()
        assert x.grad.tolist() == [2.0, 2.0]


class TestViews:
    def test_writing_to_a_view_reaches_the_base(self) -> None:
        x = t([1.0, 2.0, 3.0], True)
        base = x * 1
        view = base[1:]
        view *= 10
        assert base.tolist() == [1.0, 20.0, 30.0]
        assert view.tolist() == [20.0, 30.0]
        base.sum().backward()
        assert x.grad.tolist() == [1.0, 10.0, 10.0]

    def test_writing_to_the_base_shows_in_its_views(self) -> None:
        x = t([1.0, 2.0, 3.0], True)
        base = x * 1
        view = base[1:]
        base *= 5
        assert view.tolist() == [10.0, 15.0]
        view.sum().backward()
        assert x.grad.tolist() == [0.0, 5.0, 5.0]

    def test_chain_of_views_and_siblings(self) -> None:
        x = t([[1.0, 2.0], [3.0, 4.0]], True)
        base = x * 1
        rows, flat = base.T, base.reshape(4)
        corner = rows[1]
        corner += 100
        assert base.tolist() == [[1.0, 102.0], [3.0, 104.0]]
        assert flat.tolist() == [1.0, 102.0, 3.0, 104.0]
        flat[0] = 0.0
        assert base.tolist() == [[0.0, 102.0], [3.0, 104.0]]
        assert rows.tolist() == [[0.0, 3.0], [102.0, 104.0]]
        assert corner.tolist() == [102.0, 104.0]
        (base * base).sum().backward()
        assert x.grad.tolist() == [[0.0, 204.0], [6.0, 208.0]]

    @pytest.mark.parametrize(
        "view",
        [
            lambda x: x[0],
            lambda x: x[:, 1],
            lambda x: x[::-1],
            lambda x: x[None, ..., ::2],
            lambda x: x.reshape(4),
            lambda x: x.T,
            lambda x: x.mT,
            lambda x: pg.permute_dims(x, (1, 0)),
            lambda x: pg.expand_dims(x, axis=1),
            lambda x: pg.squeeze(pg.expand_dims(x, axis=0), axis=0),
            lambda x: pg.flip(x, axis=1),
            lambda x: pg.moveaxis(x, 0, 1),
            lambda x: pg.unstack(x)[1],
            lambda x: x.split(1)[0],
            lambda x: x.detach(),
        ],
    )
    def test_every_kind_of_view_writes_through(self, view) -> None:
        base = t([[1.0, 2.0], [3.0, 4.0]])
        reference = np.asarray(base.tolist())
        looked = view(base)
        looked += 100
        expected = sorted([v + 100 for v in np.asarray(looked.tolist()).ravel() - 100])
        changed = sorted(v for v in np.asarray(base.tolist()).ravel() if v > 50)
        assert changed == expected
        assert view(base).tolist() == looked.tolist()
        assert (np.asarray(base.tolist()) != reference).sum() == looked.size

    def test_detach_shares_but_does_not_record(self) -> None:
        x = t([1.0, 2.0], True)
        d = x.detach()
        d *= 3
        assert x.tolist() == [3.0, 6.0]
        assert x.is_leaf
        (x * x).sum().backward()
        assert x.grad.tolist() == [6.0, 12.0]

    def test_under_no_grad_a_view_of_a_leaf_may_be_written(self) -> None:
        x = t([1.0, 2.0], True)
        with pg.no_grad():
            x[0] = 7.0
            x[1:].zero_()
        assert x.tolist() == [7.0, 0.0]
        assert x.is_leaf
        assert x.requires_grad

    def test_a_copy_is_no_view(self) -> None:
        x = t([1.0, 2.0, 3.0])
        for other in (x.clone(), x[t([0, 1, 2], dtype="int64")], x + 0, x.reshape(3).clone()):
            other += 1
            assert x.tolist() == [1.0, 2.0, 3.0]
