"""gradcheck and gradgradcheck: right derivatives pass in every mode, wrong ones do not, and the message shows both Jacobians."""

from __future__ import annotations

import itertools

import pytest

import polygrad as pg
from polygrad.autograd import Function, gradcheck, gradgradcheck
from polygrad.errors import GradcheckError

pytestmark = pytest.mark.usefixtures("backend")


def leaf(*values: complex, dtype: str = "float64") -> pg.Tensor:
    return pg.tensor(list(values), dtype=dtype, requires_grad=True)


class Power(Function):
    """x**2 with derivatives as they are given."""

    @staticmethod
    def forward(ctx, x, backward, jvp):
        ctx.save_for_backward(x)
        ctx.save_for_forward(x)
        ctx.functions = backward, jvp
        return x * x

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return ctx.functions[0](g, x), None, None

    @staticmethod
    def jvp(ctx, t, *_):
        (x,) = ctx.saved_tensors
        return ctx.functions[1](t, x)


def right(g, x):
    return g * 2.0 * x


def wrong(g, x):
    return g * x


EVERYTHING = {
    "check_forward_ad": True,
    "check_batched_grad": True,
    "check_batched_forward_grad": True,
    "check_grad_dtypes": True,
}


@pytest.mark.parametrize("fast_mode", [False, True])
class TestRight:
    def test_everything(self, fast_mode: bool) -> None:
        x, y = leaf(0.5, 1.5), leaf(2.0, 0.25)
        assert gradcheck(lambda x, y: (pg.sin(x) * y, x.sum()), (x, y), fast_mode=fast_mode, **EVERYTHING)
        assert gradcheck(lambda x, n: x**n, (x, 3), fast_mode=fast_mode)
        assert gradcheck(pg.exp, x, fast_mode=fast_mode, check_backward_ad=False, check_forward_ad=True)
        assert gradcheck(lambda x, y: x * y, (x, y.detach()), fast_mode=fast_mode)

    def test_complex(self, fast_mode: bool) -> None:
        z, x = leaf(1.0 + 2.0j, 0.5 - 0.25j, dtype="complex128"), leaf(0.5, 1.5)
        options = {"fast_mode": fast_mode, "check_forward_ad": True}
        assert gradcheck(lambda z: z * z, (z,), **options)
        assert gradcheck(lambda z: z * pg.conj(z), (z,), **options)
        assert gradcheck(lambda z: pg.real(z) * pg.imag(z), (z,), **options)
        assert gradcheck(lambda z, x: (pg.abs(z) * x, pg.exp(z)), (z, x), **options)
        assert gradcheck(lambda x: pg.exp(x * 1j), (x,), **options)

    def test_second_order(self, fast_mode: bool) -> None:
        x, y = leaf(0.5, 1.5), leaf(2.0, 0.25)
        options = {"fast_mode": fast_mode, "check_fwd_over_rev": True}
        assert gradgradcheck(lambda x, y: pg.sin(x) * y * y, (x, y), **options)
        assert gradgradcheck(
            pg.exp, x, pg.ones(2, dtype="float64", requires_grad=True), check_batched_grad=True, **options
        )
        assert gradgradcheck(
            lambda x: (x**3).sum(), x, fast_mode=fast_mode, check_rev_over_rev=False, check_fwd_over_rev=True
        )
        assert gradgradcheck(lambda z: z * z * pg.conj(z), leaf(1.0 + 2.0j, dtype="complex128"), fast_mode=fast_mode)


class TestWrong:
    def test_both_jacobians_are_shown(self) -> None:
        with pytest.raises(GradcheckError) as caught:
            gradcheck(lambda x: Power.apply(x, wrong, right), leaf(0.5, 2.0))
        text = str(caught.value)
        assert text.startswith(
            "Jacobian mismatch for output 0 with respect to input 0,\nnumerical:tensor([[1.0000, 0.0000],"
        )
        assert "analytical:tensor([[0.5000, 0.0000],\n        [0.0000, 2.0000]]" in text
        assert not gradcheck(lambda x: Power.apply(x, wrong, right), leaf(0.5), raise_exception=False)

    def test_in_fast_mode(self) -> None:
        with pytest.raises(
            GradcheckError,
            match=r"(?s)numerical:[-\d.e]+\nanalytical:[-\d.e]+\n.*Numerical:\ntensor.*Analytical:\ntensor.*max per-",
        ):
            gradcheck(lambda x: Power.apply(x, wrong, right), leaf(0.5, 2.0), fast_mode=True)

    @pytest.mark.parametrize("fast_mode", [False, True])
    def test_forward_mode(self, fast_mode: bool) -> None:
        with pytest.raises(
            GradcheckError, match="Jacobian computed with forward mode mismatch for output 0 with respect to input 1"
        ):
            gradcheck(
                lambda n, x: Power.apply(x, right, wrong), (1, leaf(0.5)), check_forward_ad=True, fast_mode=fast_mode
            )

    @pytest.mark.parametrize("fast_mode", [False, True])
    def test_complex(self, fast_mode: bool) -> None:
        with pytest.raises(
            GradcheckError,
            match="While considering the (real|imaginary) part of complex outputs only, Jacobian mismatch",
        ):
            gradcheck(lambda z: Power.apply(z, right, right), leaf(1.0 + 2.0j, dtype="complex128"), fast_mode=fast_mode)

    def test_second_order(self) -> None:
        def cut(g, x):
            return g * 2.0 * x.detach()

        with pytest.raises(GradcheckError, match="Jacobian mismatch for output 0 with respect to input 0"):
            gradgradcheck(lambda x: Power.apply(x, cut, right), leaf(0.5))
        with pytest.raises(GradcheckError, match="computed with forward mode mismatch"):
            gradgradcheck(
                lambda x: Power.apply(x, cut, right), leaf(0.5), check_rev_over_rev=False, check_fwd_over_rev=True
            )

    def test_not_reentrant(self) -> None:
        turn = itertools.count()

        def changing(g, x):
            return g * 2.0 * x * (1.0 + 1e-4 * (next(turn) % 2))

        assert gradcheck(lambda x: Power.apply(x, changing, right), leaf(0.5), nondet_tol=1e-3)
        with pytest.raises(GradcheckError, match="Backward is not reentrant.*tolerance for nondeterminism was 0.0"):
            gradcheck(lambda x: Power.apply(x, changing, right), leaf(0.5))

    def test_no_gradient_where_there_is_a_derivative(self) -> None:
        with pytest.raises(GradcheckError, match="Numerical gradient for function expected to be zero"):
            gradcheck(lambda x: (x * 2.0).detach(), leaf(0.5))
        assert gradcheck(lambda x: pg.floor(x), leaf(0.5))

    def test_undefined(self) -> None:
        class Two(Function):
            @staticmethod
            def forward(ctx, x, safe):
                ctx.set_materialize_grads(False)
                ctx.safe = safe
                return x * 2.0, x * 3.0

            @staticmethod
            def backward(ctx, g, h):
                if ctx.safe:
                    return (0.0 if g is None else g * 2.0) + (0.0 if h is None else h * 3.0), None
                return g * 2.0 + h * 3.0, None

        assert gradcheck(lambda x: Two.apply(x, True), leaf(0.5))
        both = lambda x: [y * 1.0 for y in Two.apply(x, False)]  # noqa: E731
        with pytest.raises((GradcheckError, TypeError)):
            gradcheck(both, leaf(0.5))

    def test_batched(self) -> None:
        def shaped(g, x):
            return g * 2.0 * x * (1.0 if g._frame.level == 0 else 2.0)

        with pytest.raises(
            GradcheckError, match="Mismatch of batched gradients of output 0|While computing batched gradients"
        ):
            gradcheck(lambda x: Power.apply(x, shaped, right), leaf(0.5), check_batched_grad=True)


class TestArguments:
    def test_refused(self) -> None:
        x = leaf(0.5)
        with pytest.raises(ValueError, match="at least one input tensor to require gradient, but none of them"):
            gradcheck(pg.sin, x.detach())
        with pytest.raises(ValueError, match="at least one of check_forward_ad or check_backward_ad to be True"):
            gradcheck(pg.sin, x, check_backward_ad=False)
        with pytest.raises(ValueError, match="check_batched_forward_grad=True needs check_forward_ad=True"):
            gradcheck(pg.sin, x, check_batched_forward_grad=True)
        with pytest.raises(ValueError, match="the function has to return Tensors, got int 3"):
            gradcheck(lambda x: (3, x), x)
        with pytest.raises(RuntimeError, match="no output of the function requires grad"):
            gradgradcheck(lambda x: x.detach(), x)

    def test_single_precision_is_warned_of(self) -> None:
        with pytest.warns(UserWarning, match="Input #0 requires gradient and is not of double precision"):
            assert gradcheck(lambda x: x * 2.0, leaf(0.5, dtype="float32"), eps=1e-2, atol=1e-2)

    def test_inputs_are_left_alone(self) -> None:
        x = leaf(0.5)
        with pg.no_grad():
            assert gradcheck(pg.sin, x)
        assert x.grad is None
        assert x.item() == 0.5


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_same_verdicts_as_torch() -> None:
    torch = pytest.importorskip("torch")

    def verdicts(lib):
        x = lib.tensor([0.5, 1.0], dtype=lib.float64, requires_grad=True)
        assert lib.autograd.gradcheck(lambda x: x * lib.sin(x), (x,), check_forward_ad=True)
        with pytest.raises(RuntimeError, match="Jacobian mismatch for output 0 with respect to input 0"):
            lib.autograd.gradcheck(lambda x: x * lib.sin(x).detach(), (x,))

    verdicts(pg)
    verdicts(torch)
