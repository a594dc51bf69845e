"""Anomaly mode: nodes remember the line that recorded them, and errors of a backward pass name it."""

from __future__ import annotations

import asyncio
import inspect
import threading
import warnings

import numpy as np
import pytest

import polygrad as pg
from polygrad.core.graph import site_of
from polygrad.errors import AnomalyError, GraphError, NoDerivativeError


def leaf(*values: float) -> pg.Tensor:
    return pg.tensor(list(values), dtype="float64", requires_grad=True)


def here() -> int:
    """The number of the line that calls this."""
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno


def notes(error: BaseException) -> str:
    return "\n".join(getattr(error, "__notes__", ()))


@pytest.mark.usefixtures("backend")
class TestSites:
    def test_unary_binary_generic_and_several_outputs(self) -> None:
        x, m = leaf(0.5, 0.7), pg.tensor([[2.0, 1.0], [1.0, 2.0]], dtype="float64", requires_grad=True)
        with pg.autograd.detect_anomaly():
            made = [pg.sin(x), x * x, x * 2.0, 2.0 * x, x.sum(), pg.broadcast_to(x, (3, 2)), pg.where(x > 0.6, x, 0.0)]
            made += [pg.linalg.eigh(m)[0], x[0], x + pg.ones(2, dtype="float32")]
            line = here() - 2
        for tensor in made:
            site = site_of(tensor.grad_fn)
            assert site is not None
            assert (site.file, site.function) == (__file__, "test_unary_binary_generic_and_several_outputs")
            assert site.line in (line, line + 1)
            assert site.text.startswith("made ")

    def test_nothing_is_kept_outside(self) -> None:
        y = leaf(1.0) * 2
        assert site_of(y.grad_fn) is None
        assert y.grad_fn.extra is None
        with pg.autograd.detect_anomaly():
            pass
        assert site_of((leaf(1.0) * 2).grad_fn) is None

    def test_the_whole_stack(self) -> None:
        def inner(x: pg.Tensor) -> pg.Tensor:
            return x * x

        with pg.autograd.detect_anomaly():
            y = inner(leaf(1.0))
        text = "".join(y.grad_fn.metadata["traceback_"])
        assert "in test_the_whole_stack" in text
        assert text.rstrip().endswith("return x * x")
        assert "polygrad/apply.py" not in text

    def test_results_are_the_same(self) -> None:
        def run() -> list[float]:
            x = leaf(0.3, 0.4)
            (pg.exp(pg.sin(x) * x) / (x + 2.0)).sum().backward()
            return x.grad.tolist()

        plain = run()
        with pg.autograd.detect_anomaly():
            assert run() == plain

    def test_moving_between_backends(self, backend: str) -> None:
        pytest.importorskip("array_api_strict")
        other = "numpy" if backend != "numpy" else "array_api_strict"
        with pg.autograd.detect_anomaly():
            y = leaf(1.0).to_backend(other)
        assert site_of(y.grad_fn).function == "test_moving_between_backends"


@pytest.mark.usefixtures("backend")
class TestNan:
    def test_names_operation_shape_and_line(self) -> None:
        x = leaf(0.0, 1.0)
        with pg.autograd.detect_anomaly(), np.errstate(all="ignore"):
            y = pg.sqrt(x)
            line = here() - 1
            z = (y * 0.0).sum()
            with pytest.raises(AnomalyError) as caught:
                z.backward()
        text = str(caught.value)
        assert "Function 'SqrtBackward0' returned nan values in its 0th output" in text
        assert "of shape (2,)" in text
        assert "float64" in text
        assert "The gradient that came in had no nan" in text
        assert f'File "{__file__}", line {line}, in test_names_operation_shape_and_line: y = pg.sqrt(x)' in text
        assert "Traceback of the call that recorded the operation" in notes(caught.value)
        assert isinstance(caught.value, RuntimeError)
        assert x.grad is None

    def test_nan_that_came_in(self) -> None:
        x = leaf(1.0, 2.0)
        with (
            pg.autograd.detect_anomaly(),
            pytest.raises(AnomalyError, match=r"MulBackward0.*The gradient that came in was nan already"),
        ):
            (x * 2.0).backward(pg.tensor([float("nan"), 1.0], dtype="float64"))

    def test_selection_and_infinity(self) -> None:
        x = leaf(1.0, 2.0)
        with pg.autograd.detect_anomaly(), np.errstate(all="ignore"):
            with pytest.raises(AnomalyError, match="GetitemBackward|SelectBackward|SliceBackward|IndexBackward"):
                x[:1].backward(pg.tensor([float("nan")], dtype="float64"))
            (x / 0.0).sum().backward()  # infinite, and not nan
        assert x.grad.tolist() == [float("inf")] * 2

    def test_without_looking(self) -> None:
        x = leaf(0.0)
        with pg.autograd.detect_anomaly(check_nan=False), np.errstate(all="ignore"):
            assert pg.is_anomaly_enabled()
            assert not pg.is_anomaly_check_nan_enabled()
            (pg.sqrt(x) * 0.0).sum().backward()
            assert str(x.grad.tolist()) == "[nan]"

    def test_forward_recorded_outside(self) -> None:
        x = leaf(0.0)
        with np.errstate(all="ignore"):
            z = (pg.sqrt(x) * 0.0).sum()
            with (
                pg.autograd.detect_anomaly(),
                pytest.raises(AnomalyError, match="had no nan$"),
            ):
                z.backward()

    def test_second_order_names_both_operations(self) -> None:
        x = leaf(0.0)
        with pg.autograd.detect_anomaly(), np.errstate(all="ignore"):
            y = x**1.5
            (g,) = pg.autograd.grad(y.sum(), x, create_graph=True)
            with pytest.raises(AnomalyError) as caught:
                (g * 0.0).sum().backward()
        assert "It belongs to the derivative of PowBackward0. Traceback" in notes(caught.value)

    def test_inside_transforms(self) -> None:
        array = leaf(0.0).detach().array
        with (
            pg.autograd.detect_anomaly(),
            np.errstate(all="ignore"),
            pytest.raises(AnomalyError, match=r"SqrtBackward0.*in <lambda>"),
        ):
            pg.func.grad(lambda x: (pg.sqrt(x) * 0.0).sum())(array)

    def test_under_jit(self, backend: str) -> None:
        if backend != "jax":
            pytest.skip("JAX alone has values to come")
        import jax

        def gradient(array):
            x = pg.Tensor(array, requires_grad=True)
            with pg.autograd.detect_anomaly():
                (pg.sqrt(x) * 0.0).sum().backward()
            return x.grad.array

        assert np.isnan(np.asarray(jax.jit(gradient)(leaf(0.0).detach().array))).all()


@pytest.mark.usefixtures("backend")
class TestOtherErrors:
    def test_second_backward(self) -> None:
        with pg.autograd.detect_anomaly():
            y = pg.sin(leaf(1.0))
            line = here() - 1
            y.sum().backward()
        with pytest.raises(GraphError, match="a second time") as caught:
            y.sum().backward()
        assert f'at SinBackward0, recorded at File "{__file__}", line {line}' in notes(caught.value)

    def test_saved_values_that_are_gone(self) -> None:
        with pg.autograd.detect_anomaly():
            y = pg.exp(leaf(1.0))
            line = here() - 1
            y.sum().backward()
        for look in (lambda: y.grad_fn._saved_result, lambda: y.grad_fn.saved_arrays):
            with pytest.raises(GraphError, match="were freed: ExpBackward0") as caught:
                look()
            assert f'ExpBackward0 was recorded at File "{__file__}", line {line}, in test_saved' in notes(caught.value)

    def test_line_that_is_not_known(self) -> None:
        y = pg.sin(leaf(1.0))
        y.sum().backward()
        with pytest.raises(GraphError) as caught:
            y.sum().backward()
        assert "at SinBackward0, recorded outside of anomaly mode (inside polygrad.autograd.detect_anomaly()" in notes(
            caught.value
        )

    def test_hook_with_a_wrong_shape(self) -> None:
        with pg.autograd.detect_anomaly():
            y = leaf(1.0, 2.0) * 2.0
        y.register_hook(lambda g: g[:1])
        with pytest.raises(ValueError, match="changed the size") as caught:
            y.sum().backward()
        assert "at MulBackward0, recorded at File" in notes(caught.value)
        assert "y = leaf(1.0, 2.0) * 2.0" in notes(caught.value)

    def test_hook_that_raises(self) -> None:
        def hook(g: pg.Tensor) -> None:
            raise KeyError("mine")

        with pg.autograd.detect_anomaly():
            y = leaf(1.0) * 2.0
        y.register_hook(hook)
        with pytest.raises(KeyError, match="mine") as caught:
            y.sum().backward()
        assert "at MulBackward0, recorded at File" in notes(caught.value)

    def test_no_derivative(self) -> None:
        with pg.autograd.detect_anomaly():
            y = pg.special.jv(leaf(1.0), leaf(2.0).detach())
        with pytest.raises(NoDerivativeError) as caught:
            y.sum().backward()
        assert "recorded at File" in notes(caught.value)


class TestMode:
    def test_as_decorator_call_and_nested(self) -> None:
        @pg.autograd.detect_anomaly()
        def function() -> bool:
            return pg.is_anomaly_enabled()

        assert function()
        assert not pg.is_anomaly_enabled()
        try:
            pg.autograd.set_detect_anomaly(True, check_nan=False)
            assert pg.is_anomaly_enabled()
            assert not pg.is_anomaly_check_nan_enabled()
            with pg.autograd.detect_anomaly():
                assert pg.is_anomaly_check_nan_enabled()
            assert not pg.is_anomaly_check_nan_enabled()
            with pg.autograd.set_detect_anomaly(False):
                assert not pg.is_anomaly_enabled()
            assert pg.is_anomaly_enabled()
        finally:
            pg.autograd.set_detect_anomaly(False)
        assert not pg.is_anomaly_enabled()
        assert pg.is_anomaly_check_nan_enabled()

    def test_beside_other_modes(self) -> None:
        with pg.autograd.detect_anomaly():
            with pg.no_grad():
                assert not (leaf(1.0) * 2).requires_grad
                with pg.enable_grad():
                    assert site_of((leaf(1.0) * 2).grad_fn) is not None
            with pg.inference_mode():
                y = leaf(1.0) * leaf(1.0)
                assert y.is_inference()
                assert not y.requires_grad
            assert pg.is_anomaly_enabled()

    def test_threads_and_tasks_have_their_own(self) -> None:
        seen = []
        with pg.autograd.detect_anomaly():
            thread = threading.Thread(target=lambda: seen.append(pg.is_anomaly_enabled()))
            thread.start()
            thread.join()
        assert seen == [False]

        async def on(event: asyncio.Event) -> None:
            with pg.autograd.detect_anomaly():
                await event.wait()

        async def off(event: asyncio.Event) -> bool:
            await asyncio.sleep(0)
            event.set()
            return pg.is_anomaly_enabled()

        async def main() -> bool:
            event = asyncio.Event()
            return (await asyncio.gather(on(event), off(event)))[1]

        assert asyncio.run(main()) is False


def test_flags_and_text_as_in_torch() -> None:
    torch = pytest.importorskip("torch")

    def observe(lib) -> list[object]:
        seen: list[object] = [lib.is_anomaly_enabled(), lib.is_anomaly_check_nan_enabled()]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch warns of the mode, and of the line instead of raising with it
            with lib.autograd.detect_anomaly(check_nan=False):
                seen += [lib.is_anomaly_enabled(), lib.is_anomaly_check_nan_enabled()]
            x = lib.zeros(1, requires_grad=True)
            with np.errstate(all="ignore"), lib.autograd.set_detect_anomaly(True):
                y = x.sqrt()
                seen.append("traceback_" in y.grad_fn.metadata)
                with pytest.raises(RuntimeError, match="returned nan") as caught:
                    (y * 0).sum().backward()
                seen += [str(caught.value)[:61], lib.is_anomaly_enabled(), x.grad]
        return [*seen, lib.is_anomaly_enabled()]

    assert observe(pg) == observe(torch)
