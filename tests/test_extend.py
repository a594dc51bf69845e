"""An operation and an array library that a user adds through ``polygrad.extend`` work everywhere."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import toyarray

import polygrad as pg
from polygrad import extend, func
from polygrad.errors import NoDerivativeError
from polygrad.levels import operation
from support.gradient_checks import host, tensor

X = np.asarray([[0.5, -2.0, 1.5], [3.0, 0.25, -1.0]])


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    """Every operation and backend of a test is gone after it."""
    before = set(extend.OPS)
    operation._warned.clear()
    yield
    for name in set(extend.OPS) - before:
        extend.OPS.withdraw(extend.OPS[name])
        for home in (vars(pg), *[vars(b.namespace) for b in pg.backend.select._BY_NAME.values()]):
            home.pop(name, None)
    for name in ("toyarray", "toy"):
        pg.backend.select._BY_NAME.pop(name, None)
    pg.backend.select.BY_TYPE.pop(toyarray.Array, None)


def declare_softsign() -> extend.Op:
    return extend.elementwise(
        "softsign",
        lambda xp, x: 1 / (1 + xp.abs(x)) ** 2,
        default=lambda xp, x: x / (1 + xp.abs(x)),
        methods="softsign softsign_",
        doc="``x / (1 + abs(x))``.",
    )


def declare_unit(**options: Any) -> extend.Op:
    """The unit vectors along an axis. The Jacobian is symmetric."""

    def project(xp: Any, t: Any, x: Any, out: Any, *, axis: int) -> Any:
        along = xp.sum(t * out, axis=axis, keepdims=True)
        return (t - out * along) / xp.linalg.vector_norm(x, axis=axis, keepdims=True)

    return extend.rule(
        "unit(x, /, *, axis=-1)",
        vjp=project,
        jvp=project,
        default=lambda xp, x, *, axis: x / xp.linalg.vector_norm(x, axis=axis, keepdims=True),
        methods="unit",
        by_position=("axis",),
        **options,
    )


def made_of_others(x: Any, axis: int = -1) -> Any:
    return x / pg.linalg.vector_norm(x, axis=axis, keepdims=True)


def test_the_guide_runs() -> None:
    code = (
        "import doctest, polygrad.extend; result = doctest.testmod(polygrad.extend); "
        "print(result.failed, result.attempted > 8)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "0 True", out


def test_it_is_imported_when_it_is_asked_for() -> None:
    code = (
        "import sys, polygrad; before = 'polygrad.extend' in sys.modules; polygrad.extend.Node; "
        "print(before, 'polygrad.extend' in sys.modules, 'extend' in polygrad.__all__)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "False True True"


def test_what_it_offers() -> None:
    assert extend.__all__ == sorted(extend.__all__, key=lambda name: (not name.isupper(), not name[0].isupper(), name))
    assert all(hasattr(extend, name) for name in extend.__all__)
    assert isinstance((pg.ones(1, requires_grad=True) * 2).grad_fn, extend.Node)
    assert isinstance(pg.namespace("numpy"), extend.RuleNamespace)


class TestAnElementwiseOperation:
    def test_forward_backward_and_again(self, backend: str) -> None:
        op = declare_softsign()
        x = tensor(X, backend, True)
        y = pg.softsign(x)
        assert y.grad_fn.name() == "SoftsignBackward0"
        np.testing.assert_allclose(host(y), X / (1 + abs(X)))
        (g,) = pg.autograd.grad(y.sum(), x, create_graph=True)
        np.testing.assert_allclose(host(g), 1 / (1 + abs(X)) ** 2)
        (h,) = pg.autograd.grad(g.sum(), x)
        np.testing.assert_allclose(host(h), -2 * np.sign(X) / (1 + abs(X)) ** 3, rtol=1e-6)
        assert pg.namespace(backend).softsign is pg.softsign is op.call
        assert "softsign" in pg.__all__
        assert (pg.softsign.__name__, pg.softsign.__doc__.splitlines()[0]) == ("softsign", "``x / (1 + abs(x))``.")

    def test_methods(self, backend: str) -> None:
        declare_softsign()
        x = tensor(X, backend, True)
        x.softsign().sum().backward()
        np.testing.assert_allclose(host(x.grad), 1 / (1 + abs(X)) ** 2)
        y = tensor(X, backend)
        assert y.softsign_() is y
        np.testing.assert_allclose(host(y), X / (1 + abs(X)))

    def test_transforms(self, backend: str) -> None:
        declare_softsign()
        x, t = tensor(X, backend), tensor(np.ones_like(X), backend)
        slope = 1 / (1 + abs(X)) ** 2
        np.testing.assert_allclose(host(func.jvp(pg.softsign, (x,), (t,))[1]), slope)
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a loop over the examples would warn
            np.testing.assert_allclose(host(func.vmap(pg.softsign)(x)), X / (1 + abs(X)))
            np.testing.assert_allclose(host(func.vmap(func.grad(lambda row: row.softsign().sum()))(x)), slope)
        hessian = func.hessian(lambda row: pg.softsign(row).sum())(x[0])
        np.testing.assert_allclose(host(hessian), np.diag(-2 * np.sign(X[0]) / (1 + abs(X[0])) ** 3), rtol=1e-6)

    def test_compiled(self) -> None:
        declare_softsign()
        value, (g,) = pg.jit(
            lambda x: (pg.softsign(x).sum(), pg.func.grad(lambda x: x.softsign().sum(), argnums=(0,))(x))
        )(pg.tensor(X))
        np.testing.assert_allclose(float(value), (X / (1 + abs(X))).sum())
        np.testing.assert_allclose(host(g), 1 / (1 + abs(X)) ** 2)


class TestARule:
    @pytest.mark.parametrize("axis", [0, -1])
    def test_both_modes_to_second_order(self, axis: int, backend: str) -> None:
        declare_unit(batch=extend.batching.along)
        x, t = tensor(X, backend), tensor(np.cos(X), backend)
        weights = tensor(np.sin(X), backend)

        def ours(x: Any) -> Any:
            return (x.unit(axis) * weights).sum()

        def theirs(x: Any) -> Any:
            return (made_of_others(x, axis) * weights).sum()

        for derivative in (func.grad, func.jacfwd, lambda f: lambda x: func.jvp(func.grad(f), (x,), (t,))[1]):
            np.testing.assert_allclose(host(derivative(ours)(x)), host(derivative(theirs)(x)), rtol=1e-9, atol=1e-12)

    def test_batches_by_a_shared_rule(self, backend: str) -> None:
        declare_unit(batch=extend.batching.along)
        x = tensor(X, backend)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            np.testing.assert_allclose(host(func.vmap(lambda row: row.unit(0))(x)), host(made_of_others(x)))
            rows = func.vmap(func.grad(lambda row: pg.unit(row)[0]))(x)
        expected = [host(func.grad(lambda row: made_of_others(row)[0])(x[i, ...])) for i in range(2)]
        np.testing.assert_allclose(host(rows), expected, rtol=1e-10)

    def test_without_a_rule_batches_run_in_a_loop(self, backend: str) -> None:
        declare_unit()
        x = tensor(X, backend)
        with pytest.warns(UserWarning, match="unit has no batching rule for this call, so it runs in a loop"):
            np.testing.assert_allclose(host(func.vmap(pg.unit)(x)), host(made_of_others(x)))


class TestABatchingRule:
    calls = 0

    def declare(self) -> None:
        """The sums of all pairs of elements of two vectors, with a rule that says how two batches meet."""

        def batch(run: extend.Run, arrays: Any, mapped: Any, params: Any) -> Any:
            TestABatchingRule.calls += 1
            if [extend.example_ndim(x, own) for x, own in zip(arrays, mapped, strict=True)] != [1, 1]:
                return NotImplemented
            x1, x2 = (extend.add_batch(run, x, own) for x, own in zip(arrays, mapped, strict=True))
            return run.xp.expand_dims(x1, axis=2) + run.xp.expand_dims(x2, axis=1)

        extend.linear(
            "pairwise_sums(x1, x2, /)",
            transpose=(lambda xp, g: xp.sum(g, axis=1), lambda xp, g: xp.sum(g, axis=0)),
            default=lambda xp, x1, x2: xp.expand_dims(x1, axis=1) + xp.expand_dims(x2, axis=0),
            batch=batch,
            promote=True,
        )

    @pytest.mark.parametrize("in_dims", [(0, 0), (0, None), (None, 0)])
    def test_it_is_called_once(self, in_dims: Any, backend: str) -> None:
        self.declare()
        arrays = [tensor(X if own == 0 else X[0], backend) for own in in_dims]
        TestABatchingRule.calls = 0
        out = func.vmap(pg.pairwise_sums, in_dims=in_dims)(*arrays)
        assert TestABatchingRule.calls == 1
        rows = [np.broadcast_to(host(x), X.shape) for x in arrays]
        np.testing.assert_allclose(host(out), rows[0][:, :, None] + rows[1][:, None, :])

    def test_the_gradient_goes_through_it(self, backend: str) -> None:
        self.declare()
        x = tensor(X, backend, True)
        (func.vmap(pg.pairwise_sums)(x, x) ** 2).sum().backward()
        pairs = X[:, :, None] + X[:, None, :]
        np.testing.assert_allclose(host(x.grad), 2 * pairs.sum(axis=2) + 2 * pairs.sum(axis=1))

    def test_its_way_out_is_the_loop(self) -> None:
        self.declare()
        with (
            pytest.warns(UserWarning, match="pairwise_sums has no batching rule for this call"),
            pytest.raises(Exception, match="expand_dims|axis|shape|dimension"),
        ):
            func.vmap(lambda x: pg.pairwise_sums(x, x))(pg.tensor(X[0]))  # of numbers there are no pairs


class ToyBackend(extend.Backend):
    """A library with a function of its own for one operation."""

    seen: list[str] = []  # noqa: RUF012

    def owns(self, kind: type) -> bool:
        return kind is toyarray.Array


def fast_softsign(x: Any) -> Any:
    ToyBackend.seen.append("softsign")
    return toyarray.divide(x, toyarray.add(toyarray.abs(x), toyarray.asarray(1.0)))


class TestABackend:
    def test_an_override_of_ones_own_operation(self) -> None:
        declare_softsign()
        extend.register_backend(ToyBackend("toyarray", toyarray))
        pg.get_backend("toyarray").overrides = {"softsign": fast_softsign}
        ToyBackend.seen.clear()
        x = pg.asarray(toyarray.Array(X)).requires_grad_()
        y = x.softsign()
        y.sum().backward()
        assert (x.backend, ToyBackend.seen) == ("toyarray", ["softsign"])
        assert isinstance(x.grad.array, toyarray.Array)
        np.testing.assert_allclose(x.grad.tolist(), 1 / (1 + abs(X)) ** 2)
        assert "toyarray" in {info.name for info in extend.backends()}

    def test_it_knows_its_arrays_under_any_name(self) -> None:
        assert pg.asarray(toyarray.Array(X)).backend == "toyarray"  # without an adapter, by the name of the library
        pg.backend.select._BY_NAME.pop("toyarray")
        pg.backend.select.BY_TYPE.pop(toyarray.Array)
        extend.register_backend(ToyBackend("toy", toyarray))
        x = pg.asarray(toyarray.Array(X)).requires_grad_()
        assert extend.backend_of(x.array) is extend.get_backend("toy")
        (x * x).sum().backward()
        assert (x.backend, x.grad.backend) == ("toy", "toy")
        np.testing.assert_allclose(x.grad.tolist(), 2 * X)

    def test_it_takes_the_place_of_the_one_before(self) -> None:
        first = pg.asarray(toyarray.Array(X))._frame.backend
        extend.register_backend(ToyBackend("toyarray", toyarray))
        second = pg.asarray(toyarray.Array(X))._frame.backend
        assert first is not second
        assert type(second) is ToyBackend


class Watched(extend.Tensor):
    """A Tensor of a transform that writes down which calls see it."""

    __slots__ = ()
    seen: list[str] = []  # noqa: RUF012

    @staticmethod
    def _run_call(call: extend.Call, args: Any, top: Any) -> list[Any]:
        Watched.seen.append(call.name)
        level = top._frame.level
        return [watched(out, level) for out in call([extend.unwrap(arg, level) for arg in args])]


def watched(payload: Any, level: extend.Level) -> Watched:
    out = object.__new__(Watched)
    out._data, out._frame = payload, payload._frame.backend.frame(level, True)
    out._node = out._extra = None
    return out


def calls_of(function: Any) -> Any:
    """The transform: the names of the calls that depend on the argument, and the result."""

    def transformed(x: Any) -> Any:
        Watched.seen = []
        with extend.new_level() as level:
            out = extend.unwrap(function(watched(extend.adopt(x), level)), level)
        return Watched.seen, out

    return transformed


def test_a_transform_of_ones_own(backend: str) -> None:
    declare_softsign()
    x = tensor(X, backend, True)
    names, out = calls_of(lambda x: (pg.softsign(x) * 3 + x[0, 0]).sum())(x)
    assert names == ["softsign", "multiply", "getitem", "add", "sum"]
    out.backward()  # the payloads are Tensors, and recorded as ever
    expected = 3 / (1 + abs(X)) ** 2
    expected[0, 0] += X.size
    np.testing.assert_allclose(host(x.grad), expected)
    second = func.grad(lambda x: calls_of(func.grad(lambda x: pg.softsign(x).sum()))(x)[1].sum())(x)
    np.testing.assert_allclose(host(second), -2 * np.sign(X) / (1 + abs(X)) ** 3, rtol=1e-6)


def test_a_derivative_that_is_not_known() -> None:
    extend.elementwise("shrink(x1, x2, /)", 1, None, default=lambda xp, x1, x2: x1 - x2)
    x = pg.tensor(X, requires_grad=True)
    pg.shrink(x, pg.tensor(1.0)).sum().backward()
    np.testing.assert_array_equal(host(x.grad), np.ones_like(X))
    with pytest.raises(NoDerivativeError, match="shrink: no derivative is known with respect to its argument 'x2'"):
        pg.shrink(1.0, x).sum().backward()
