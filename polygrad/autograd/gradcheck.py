"""``gradcheck`` and ``gradgradcheck``: derivatives against finite differences.

A Jacobian is compared in the form that torch shows: rows are elements of an input, columns elements of an output. Of complex outputs
the real and the imaginary parts are checked one after the other. The row of a complex input holds the derivative by its real part plus i
times that by its imaginary part, which is the gradient of a real output in torch's convention.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

from ..core.modes import enable_grad
from ..core.tensor import Tensor
from ..engine.start import grad
from ..errors import ArgumentError, GradcheckError, GraphError, describe
from ..func import vjp as pull_back
from .numerical import Array, Check, _as_tuple, _random

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]


@enable_grad()
def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Check the derivatives of a function against central differences, with respect to the inputs that require grad.

    Parameters
    ----------
    func
        Takes the inputs, returns a Tensor or a tuple of Tensors.
    inputs
        A Tensor, or a tuple of Tensors and other arguments; those to check should be of double precision.
    eps
        Half the step of the differences.
    atol, rtol
        Tolerances of a Jacobian beside the numerical one.
    raise_exception
        Raise where a check fails; otherwise return False.
    nondet_tol
        Tolerance between two runs of the same backward pass.
    check_undefined_grad
        Check that an output without a cotangent counts as one with zeros.
    check_grad_dtypes
        Check that gradients have dtype, shape and device of their input.
    check_batched_grad, check_batched_forward_grad
        Check derivatives under ``vmap`` against a loop.
    check_forward_ad, check_backward_ad
        Check forward mode (default: no) and reverse mode (default: yes).
    fast_mode
        Compare random projections instead of whole Jacobians.
    masked
        torch's option for sparse arrays, without effect.

    Returns
    -------
    bool
        True if all derivatives agree.

    Raises
    ------
    GradcheckError
        Two derivatives do not agree; the message shows both Jacobians.
    ArgumentError
        No input requires grad, no mode is to be checked, or an output is no Tensor.
    """
    if not check_forward_ad and not check_backward_ad:
        raise ArgumentError("gradcheck: Expected at least one of check_forward_ad or check_backward_ad to be True")
    if check_batched_grad and not check_backward_ad:
        raise ArgumentError("gradcheck: check_batched_grad=True needs check_backward_ad=True")
    if check_batched_forward_grad and not check_forward_ad:
        raise ArgumentError("gradcheck: check_batched_forward_grad=True needs check_forward_ad=True")
    check = Check(
        func, _as_tuple(inputs), eps=eps, atol=atol, rtol=rtol, nondet_tol=nondet_tol, check_undefined_grad=check_undefined_grad,
        check_grad_dtypes=check_grad_dtypes, check_batched_grad=check_batched_grad, fast_mode=fast_mode,
        check_batched_forward_grad=check_batched_forward_grad, check_forward_ad=check_forward_ad, check_backward_ad=check_backward_ad,
    )  # fmt: skip
    if not check.numbers:
        raise ArgumentError(
            "gradcheck expects at least one input tensor to require gradient, but none of them have requires_grad=True."
        )
    for i in check.numbers:
        x = check.args[i]
        if x.dtype not in (x._frame.backend.dtype("float64"), x._frame.backend.dtype("complex128")):
            warnings.warn(
                f"gradcheck: Input #{i} requires gradient and is not of double precision ({describe(x)}), so that the differences are "
                f"inexact and the check will likely fail.",
                stacklevel=3,
            )
    try:
        check.check()
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


@enable_grad()
def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """Check the derivatives of the gradient of a function against central differences of the gradient.

    The parameters that are not listed here are those of ``gradcheck``, and so are the errors.

    Parameters
    ----------
    func, inputs
        As for ``gradcheck``.
    grad_outputs
        The cotangents of the outputs; random ones if left out.
    gen_non_contig_grad_outputs
        torch's option, without effect: the order of elements in memory is the library's affair.
    check_fwd_over_rev, check_rev_over_rev
        Differentiate the gradient by forward mode (default: no) and by reverse mode (default: yes).

    Returns
    -------
    bool
        True if all derivatives agree.
    """
    if not check_fwd_over_rev and not check_rev_over_rev:
        raise ArgumentError(
            "gradgradcheck: Expected at least one of check_fwd_over_rev or check_rev_over_rev to be True"
        )
    args = _as_tuple(inputs)
    outputs = [y for y in _as_tuple(func(*args)) if isinstance(y, Tensor) and y.requires_grad]
    if not outputs:
        raise GraphError(
            "gradgradcheck: no output of the function requires grad, so there is no gradient to differentiate"
        )
    numbers = [i for i, x in enumerate(args) if isinstance(x, Tensor) and x.requires_grad]
    drawn = tuple([_random(y.detach()).requires_grad_() for y in outputs])
    cotangents = drawn if grad_outputs is None else _as_tuple(grad_outputs)

    def split(full: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        return list(full[: len(args)]), list(full[len(args) :])

    def wanted(values: Sequence[Any], result: Any) -> list[Array]:
        return [y for y in _as_tuple(result) if isinstance(y, Tensor) and y.requires_grad]

    def by_reverse(*full: Any) -> tuple[Array, ...]:
        given, vectors = split(full)
        ys = wanted(given, func(*given))
        found = grad(ys, [given[i] for i in numbers], vectors, create_graph=True, allow_unused=True)
        return tuple([g for g in found if g is not None])

    places = [k for k, y in enumerate(_as_tuple(func(*args))) if isinstance(y, Tensor) and y.requires_grad]

    def by_transform(*full: Any) -> tuple[Array, ...]:
        given, vectors = split(full)

        def partial(*chosen: Any) -> tuple[Any, ...]:
            filled = list(given)
            for i, x in zip(numbers, chosen, strict=True):
                filled[i] = x
            ys = _as_tuple(func(*filled))
            return tuple([ys[k] for k in places])

        found: tuple[Array, ...] = pull_back(partial, *[given[i] for i in numbers])[1](tuple(vectors))
        return found

    options: dict[str, Any] = {
        "eps": eps, "atol": atol, "rtol": rtol, "raise_exception": raise_exception, "nondet_tol": nondet_tol,
        "check_undefined_grad": check_undefined_grad, "check_grad_dtypes": check_grad_dtypes, "fast_mode": fast_mode,
    }  # fmt: skip
    full = (*args, *cotangents)
    if check_rev_over_rev and not gradcheck(by_reverse, full, check_batched_grad=check_batched_grad, **options):
        return False
    return not check_fwd_over_rev or gradcheck(
        by_transform, full, check_forward_ad=True, check_backward_ad=False, **options
    )
