"""Bad input gets an error that names the operation, the facts that conflict and the cure, and changes nothing."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest

import polygrad as pg
from polygrad.core.explain import explain
from polygrad.errors import (
    BackendError,
    ConversionError,
    DtypeError,
    GraphError,
    OperationError,
    PolygradError,
    ShapeError,
)
from polygrad.rules.declare import OPS
from support.gradient_checks import other_backend

pytestmark = pytest.mark.usefixtures("backend")


def leaf(data: object = (1.0, 2.0, 3.0)) -> pg.Tensor:
    return pg.tensor(list(data) if isinstance(data, tuple) else data, dtype="float64", requires_grad=True)


class TestLeaves:
    def test_integers_cannot_require_grad(self) -> None:
        with pytest.raises(
            DtypeError, match=r"only Tensors of floating point and complex dtype.*int64.*x\.to\('float64'\)"
        ):
            pg.tensor([1, 2], requires_grad=True)
        x = pg.tensor([1, 2])
        with pytest.raises(RuntimeError, match="floating point and complex dtype"):
            x.requires_grad = True
        assert not x.requires_grad

    def test_flag_of_a_result(self) -> None:
        y = leaf() * 2
        with pytest.raises(
            GraphError, match=r"only change requires_grad flags of leaf variables.*MulBackward0.*detach\(\)"
        ):
            y.requires_grad = False
        assert y.requires_grad
        y.requires_grad_(True)

    def test_in_place_on_a_leaf(self) -> None:
        for change in (
            lambda x: x.zero_(),
            lambda x: x.add_(1),
            lambda x: x.__iadd__(1),
            lambda x: x.__setitem__(0, 1.0),
            lambda x: x.copy_(pg.ones(3)),
        ):
            x = leaf()
            with pytest.raises(
                RuntimeError, match=r"a leaf Variable that requires grad.*in-place.*float64\[3\].*no_grad"
            ):
                change(x)
            assert x.tolist() == [1.0, 2.0, 3.0]
            with pg.no_grad():
                change(x)
            assert x.requires_grad
            assert x.is_leaf

    def test_in_place_on_a_view_of_a_leaf(self) -> None:
        x = leaf()
        view = x[1:]
        with pytest.raises(RuntimeError, match="a view of a leaf Variable that requires grad"):
            view *= 2
        assert x.tolist() == [1.0, 2.0, 3.0]


class TestBackward:
    def test_non_scalar_without_gradient(self) -> None:
        with pytest.raises(RuntimeError, match=r"implicitly created only for scalar outputs.*shape \(3,\).*sum\(\)"):
            (leaf() * 2).backward()

    def test_nothing_requires_grad(self) -> None:
        with pytest.raises(RuntimeError, match=r"does not require grad and does not have a grad_fn.*float64"):
            pg.ones(1, dtype="float64").backward()

    def test_gradient_of_wrong_shape(self) -> None:
        x = leaf()
        y = x * 2
        with pytest.raises(ShapeError, match=r"backward: the gradient has shape \(2,\), the Tensor \(3,\)"):
            y.backward(pg.ones(2, dtype="float64"))
        assert x.grad is None
        y.backward(pg.ones(3, dtype="float64"))  # nothing was lost

    def test_gradient_of_wrong_dtype(self) -> None:
        x = leaf()
        (x * 2).backward(pg.ones(3, dtype="float32"))  # another precision is brought to that of the Tensor, as in torch
        assert x.grad.dtype == x.dtype
        for dtype in ("complex128", "int64"):
            with pytest.raises(
                DtypeError,
                match=rf"backward: the gradient has dtype .*{dtype}, the Tensor .*float64.*g\.to\(x\.dtype\)",
            ):
                (x * 2).backward(pg.ones(3, dtype=dtype))

    def test_gradient_of_another_backend(self, backend: str) -> None:
        other = other_backend(backend)
        g = pg.ones(3, dtype="float64", backend=other)
        with pytest.raises(
            BackendError, match=rf"the gradient is on the backend '{other}', the Tensor on '{backend}'.*to_backend"
        ):
            (leaf() * 2).backward(g)

    def test_gradient_that_is_no_tensor(self) -> None:
        with pytest.raises(TypeError, match=r"expected a Tensor or a sequence of Tensors, got float 1.0"):
            (leaf() * 2).sum().backward(1.0)

    def test_numbers_of_tensors_and_gradients(self) -> None:
        y = (leaf() * 2).sum()
        with pytest.raises(TypeError, match="got 1 tensors and 2 gradients"):
            pg.autograd.backward([y], [None, None])
        with pytest.raises(TypeError, match="got 1 outputs and 2 grad_outputs"):
            pg.autograd.grad([y], [y], [None, None])

    def test_inputs(self) -> None:
        y = (leaf() * 2).sum()
        with pytest.raises(RuntimeError, match=r"`inputs` argument to `backward\(\)` cannot be empty"):
            y.backward(inputs=[])
        with pytest.raises(RuntimeError, match="One of the differentiated Tensors does not require grad"):
            pg.autograd.grad(y, pg.ones(2))
        with pytest.raises(TypeError, match="inputs have to be Tensors, got str"):
            pg.autograd.grad(y, ["x"])


class TestGradAttribute:
    def test_what_does_not_fit(self, backend: str) -> None:
        x = leaf()
        x.grad = pg.ones(3, dtype="float64")
        for value, kind, text in (
            (pg.ones(2, dtype="float64"), ShapeError, r"grad: assigned grad has shape \(2,\), the Tensor \(3,\)"),
            (pg.ones(3, dtype="float32"), DtypeError, "grad: assigned grad has dtype .*float32"),
            (1.0, TypeError, "assigned grad is float 1.0, expected a Tensor or None"),
            (x, GraphError, "cannot be its own gradient"),
        ):
            with pytest.raises(kind, match=text):
                x.grad = value
            assert x.grad.tolist() == [1.0, 1.0, 1.0]
        with pytest.raises(BackendError, match="assigned grad is on the backend"):
            x.grad = pg.ones(3, dtype="float64", backend=other_backend(backend))
        x.grad = None
        assert x.grad is None


class TestLeavingTheGraph:
    def test_numpy_and_asarray(self) -> None:
        for x in (leaf(), leaf() * 2):
            with pytest.raises(RuntimeError, match=r"can't convert a Tensor that requires grad.*detach\(\)\.numpy\(\)"):
                x.numpy()
            with pytest.raises(TypeError, match=r"__array__.*detach\(\)"):
                np.asarray(x)
            with pytest.raises(ConversionError, match=r"__dlpack__.*detach\(\)"):
                x.__dlpack__()
            np.testing.assert_array_equal(x.detach().numpy(), np.asarray(x.tolist()))

    def test_untracked_may_leave(self) -> None:
        x = pg.tensor([1.0, 2.0], dtype="float64")
        assert np.asarray(x).tolist() == [1.0, 2.0]
        assert x.numpy().dtype == np.float64

    def test_numpy_functions_do_not_convert_silently(self) -> None:
        with pytest.raises(
            TypeError, match=r"numpy.modf\(.*float64\[3\]\): polygrad has no operation for this call.*detach\(\)"
        ):
            np.modf(leaf())
        with pytest.raises(TypeError, match=r"numpy.polydiv\(.*polygrad has no operation"):
            np.polydiv([1.0, 2.0, 3.0], leaf())
        target = np.ones(3)
        with pytest.raises(TypeError, match=r"numpy.add\(.*lose the graph"):
            target += leaf()
        assert target.tolist() == [1.0, 1.0, 1.0]

    def test_scalars(self) -> None:
        assert float(leaf(2.0)) == 2.0
        assert int(leaf(2.0)) == 2
        assert leaf(2.0).item() == 2.0
        with pytest.raises(TypeError, match=r"only a Tensor of one element.*float64\[3\]"):
            float(leaf())
        with pytest.raises(ValueError, match="more than one element is ambiguous"):
            bool(leaf())

    def test_pickles_of_results(self) -> None:
        import pickle

        with pytest.raises(RuntimeError, match=r"only leaves.*MulBackward0.*detach\(\)"):
            pickle.dumps(leaf() * 2)


class TestShapesAndTypes:
    @pytest.mark.parametrize("name", ["add", "subtract", "multiply", "divide", "pow", "atan2", "maximum"])
    def test_shapes_that_do_not_broadcast(self, name: str) -> None:
        function = getattr(pg, name)
        with pytest.raises(
            ShapeError,
            match=rf"{name}: shapes \(3,\) and \(2, 2\) do not broadcast.*axis -1 has length 3.*2 in the other.*reshape",
        ):
            function(leaf(), pg.ones((2, 2), dtype="float64"))

    def test_numpy_style_and_torch_style_errors_are_both_caught(self) -> None:
        for kind in (ValueError, RuntimeError, PolygradError):
            with pytest.raises(kind):
                leaf() + pg.ones(2, dtype="float64")

    def test_what_the_backend_refuses_names_the_operation(self) -> None:
        with pytest.raises(OperationError, match=r"reshape\(.*float64\[3\], shape=\(2, 2\)\)"):
            leaf().reshape(2, 2)
        with pytest.raises(RuntimeError, match=r"matmul\(.*float64\[3\], .*float64\[2, 2\]\)"):
            pg.matmul(leaf(), pg.ones((2, 2), dtype="float64"))

    def test_index_out_of_range(self) -> None:
        with pytest.raises(IndexError, match=r"getitem\(.*float64\[3\].*key=7"):
            leaf()[7]

    def test_in_place_that_changes_the_shape(self) -> None:
        x = pg.ones(3, dtype="float64")
        with pytest.raises(
            ShapeError, match=r"\+=: output with shape \[3\] doesn't match the broadcast shape \[2, 3\]"
        ):
            x += pg.ones((2, 3), dtype="float64")
        assert x.tolist() == [1.0, 1.0, 1.0]

    def test_in_place_that_changes_the_kind(self) -> None:
        x = pg.tensor([1, 2, 3])
        with pytest.raises(
            DtypeError, match=r"\+=: result type .*float64 can't be cast to the desired output type .*int64"
        ):
            x += pg.ones(3, dtype="float64")
        assert x.tolist() == [1, 2, 3]

    def test_what_is_no_array(self) -> None:
        with pytest.raises(TypeError, match=r"sin: expected Tensors, arrays or numbers, got str 'a'"):
            pg.sin("a")
        with pytest.raises(TypeError, match=r"add: expected Tensors, arrays of .* or numbers, got .*str 'a'"):
            leaf() + "a"
        with pytest.raises(TypeError, match=r"Tensor\(array\) takes an array of some library"):
            pg.Tensor([1.0, 2.0])

    def test_unknown_dtype(self) -> None:
        with pytest.raises(DtypeError, match=r"has no dtype 'float7'; it has .*float32"):
            leaf().to(dtype="float7")

    def test_sizes(self) -> None:
        with pytest.raises(TypeError, match="sizes have to be integers"):
            pg.ones(2.5)
        with pytest.raises(ValueError, match="sizes cannot be negative"):
            pg.zeros(-1)


class TestBackends:
    def test_unknown(self) -> None:
        with pytest.raises(BackendError, match=r"no backend 'nympy'; known are: .*numpy.*torch"):
            pg.ones(2, backend="nympy")
        with pytest.raises(ValueError, match="no backend 'nympy'"):
            pg.use_backend("nympy")

    def test_not_installed(self) -> None:
        for name in ("cupy", "dask", "jax", "torch"):
            if importlib.util.find_spec(name) is None:
                with pytest.raises(
                    BackendError, match=rf"the backend '{name}' needs {name}, which is not installed: pip install"
                ):
                    pg.get_backend(name)

    def test_mixing(self, backend: str) -> None:
        other = other_backend(backend)
        x, y = leaf(), pg.ones(3, dtype="float64", backend=other)
        with pytest.raises(
            BackendError,
            match=rf"multiply: the arguments are on different backends.*on {backend}.*on {other}.*to_backend",
        ):
            x * y
        with pytest.raises(BackendError, match=r"add: the arguments are on different backends"):
            x + y.array

    def test_moving_is_the_cure(self, backend: str) -> None:
        other = other_backend(backend)
        x, w = leaf(), pg.tensor([2.0, 3.0, 4.0], dtype="float64", backend=other, requires_grad=True)
        (x * w.to_backend(backend)).sum().backward()
        assert w.grad.backend == other
        assert w.grad.tolist() == [1.0, 2.0, 3.0]
        assert x.grad.tolist() == [2.0, 3.0, 4.0]
        y = x.to_backend(other)
        (g,) = pg.autograd.grad((y * y).sum(), x, create_graph=True)
        (h,) = pg.autograd.grad(g.sum(), x)
        assert h.tolist() == [2.0, 2.0, 2.0]
        assert h.backend == backend


def test_every_error_is_a_runtime_error_with_a_code() -> None:
    from polygrad import errors

    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, PolygradError)]
    codes = [kind.code for kind in kinds]
    assert len(set(codes)) == len(codes)
    assert all(issubclass(kind, RuntimeError) for kind in kinds)


KINDS = [
    np.exceptions.AxisError(3, 2),
    np.exceptions.DTypePromotionError("no common dtype"),
    np.linalg.LinAlgError("singular"),
    KeyError("name"),
    UnicodeDecodeError("utf-8", b"x", 0, 1, "reason"),
    OSError(2, "No such file", "name"),
]
"""Errors of several kinds, made as their libraries make them."""


class TestErrorsOfTheLibrarysOwnKind:
    """An error of an operation is also one of the library's kind, which may be made of other things than a text."""

    @pytest.mark.parametrize("error", KINDS, ids=lambda error: type(error).__name__)
    def test_each_has_a_text(self, error: Exception) -> None:
        found = explain(OPS["add"], error, (pg.ones(2), 1.0))
        assert isinstance(found, type(error))
        assert str(found).startswith("add(")
        assert str(error) in str(found) or "add" in str(found)

    def test_an_array_that_is_too_large(self) -> None:
        x = pg.ones(10**7, backend="numpy")
        with pytest.raises(MemoryError, match=r"multiply\(.*Unable to allocate"):
            x[:, None] * x[None]

    def test_the_axis_is_kept(self) -> None:
        with pytest.raises(np.exceptions.AxisError, match="sum") as caught:
            pg.sum(pg.ones(2, backend="numpy"), axis=3)
        assert (caught.value.axis, caught.value.ndim) == (3, 1)

    @pytest.mark.parametrize(
        "array", [np.asarray([1, None]), np.asarray(["a", "b"]), np.zeros(2, dtype="M8[s]")], ids=str
    )
    def test_dtypes_that_the_standard_has_not(self, array: Any) -> None:
        x = pg.ones(2, backend="numpy")
        for use in (lambda: x + array, lambda: pg.maximum(array, x), lambda: pg.concat([x, array])):
            with pytest.raises(PolygradError, match="dtype"):
                use()
