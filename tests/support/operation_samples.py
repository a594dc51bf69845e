"""One small call of every operation of the registry, on any backend: what holds for all of them is tested over this table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import polygrad
from polygrad.rules.declare import OPS, Op

SQUARE = np.asarray([[0.6, 0.2], [0.3, 0.7]])
VECTOR = np.asarray([0.5, 0.25, 0.75])
CUBE = np.linspace(0.1, 0.9, 8).reshape(2, 2, 2)
ROW = np.asarray([1, 0, 1])
COUNTS = np.asarray([[1, 2], [0, 3]])
MASK = np.asarray([[True, False], [True, True]])

Make = Callable[[Any], Any]
"""An array of NumPy's as a Tensor; a real or complex one requires grad."""

AXIS: dict[str, Any] = {"axis": 0}
SAMPLES: dict[str, Callable[[Any, Make], Any]] = {
    "acosh": lambda f, t: f(t(SQUARE + 1)),
    "addbmm": lambda f, t: f(t(SQUARE), t(CUBE), t(CUBE)),
    "addmv": lambda f, t: f(t(SQUARE[0]), t(SQUARE), t(SQUARE[1])),
    "addr": lambda f, t: f(t(SQUARE), t(SQUARE[0]), t(SQUARE[1])),
    "astype": lambda f, t: f(t(SQUARE), "float32"),
    "baddbmm": lambda f, t: f(t(CUBE), t(CUBE), t(CUBE)),
    "bincount": lambda f, t: f(t(ROW), t(VECTOR)),
    **dict.fromkeys(
        ("bitwise_and", "bitwise_left_shift", "bitwise_or", "bitwise_right_shift", "bitwise_xor"),
        lambda f, t: f(t(COUNTS), t(COUNTS)),
    ),
    "bitwise_invert": lambda f, t: f(t(COUNTS)),
    "block_diag": lambda f, t: f(t(SQUARE), t(SQUARE)),
    "bmm": lambda f, t: f(t(CUBE), t(CUBE)),
    "broadcast_arrays": lambda f, t: f(t(SQUARE), t(SQUARE[0])),
    "broadcast_to": lambda f, t: f(t(SQUARE), (3, 2, 2)),
    "cartesian_prod": lambda f, t: f(t(VECTOR), t(VECTOR)),
    "chunk": lambda f, t: f(t(SQUARE), 2),
    "combinations": lambda f, t: f(t(VECTOR)),
    "contract_pair": lambda f, t: f(t(SQUARE), t(SQUARE), equation="ij,jk->ik"),
    "contract_single": lambda f, t: f(t(SQUARE), equation="ij->ji"),
    **dict.fromkeys(
        ("cummax", "cummin", "cumprod", "cumsum", "cumulative_prod", "cumulative_sum", "logcumsumexp"),
        lambda f, t: f(t(SQUARE), axis=0),
    ),
    "dot": lambda f, t: f(t(VECTOR), t(VECTOR)),
    "einsum": lambda f, t: f("ij,jk->k", t(SQUARE), t(SQUARE)),
    "expand": lambda f, t: f(t(SQUARE), 3, 2, 2),
    "extreme_at": lambda f, t: f(t(VECTOR), t(VECTOR), key=t(ROW), largest=True, include_self=True),
    **dict.fromkeys(
        [f"fft.{kind}{axes}" for kind in ("fft", "ifft", "hfft", "irfft") for axes in ("", "2", "n")] + ["imag"],
        lambda f, t: f(t(SQUARE + 0.5j)),
    ),
    "gather": lambda f, t: f(t(SQUARE), 0, t(np.asarray([[0, 1]]))),
    "getitem": lambda f, t: f(t(SQUARE), key=(slice(None), 1)),
    "getitem_adjoint": lambda f, t: f(t(VECTOR), key=t(ROW), shape=(4,)),
    "diagonal_scatter": lambda f, t: f(t(SQUARE), t(SQUARE[0])),
    "histogram": lambda f, t: f(t(VECTOR), 3),
    "index_add": lambda f, t: f(t(VECTOR), 0, t(ROW), t(VECTOR)),
    "index_copy": lambda f, t: f(t(VECTOR), 0, t(ROW[:2]), t(VECTOR[:2])),
    "index_fill": lambda f, t: f(t(VECTOR), 0, t(ROW), 2.0),
    "index_put": lambda f, t: f(t(VECTOR), (t(ROW[:2]),), t(VECTOR[:2])),
    "index_reduce": lambda f, t: f(t(VECTOR), 0, t(ROW), t(VECTOR), "amax"),
    "index_select": lambda f, t: f(t(VECTOR), 0, t(ROW)),
    "isin": lambda f, t: f(t(COUNTS), t(ROW)),
    "kron": lambda f, t: f(t(SQUARE), t(SQUARE)),
    "kthvalue": lambda f, t: f(t(SQUARE), 1),
    "lerp": lambda f, t: f(t(SQUARE), t(SQUARE), 0.5),
    "linalg.cholesky": lambda f, t: f(t(np.asarray([[2.0, 0.5], [0.5, 1.0]]))),
    "linalg.cross": lambda f, t: f(t(VECTOR), t(VECTOR)),
    "linalg.matrix_power": lambda f, t: f(t(SQUARE), 2),
    "linalg.multi_dot": lambda f, t: f([t(SQUARE), t(SQUARE), t(SQUARE)]),
    "linalg.solve_triangular": lambda f, t: f(t(SQUARE), t(SQUARE), upper=True),
    "linalg.tensorinv": lambda f, t: f(t(SQUARE), ind=1),
    "linalg.tensorsolve": lambda f, t: f(t(SQUARE), t(SQUARE[0])),
    **dict.fromkeys(("logical_and", "logical_or", "logical_xor"), lambda f, t: f(t(MASK), t(MASK))),
    "logical_not": lambda f, t: f(t(MASK)),
    **dict.fromkeys(("outer", "linalg.outer"), lambda f, t: f(t(VECTOR), t(VECTOR))),
    "masked_fill": lambda f, t: f(t(SQUARE), t(MASK), 2.0),
    "masked_scatter": lambda f, t: f(t(SQUARE), t(MASK), t(VECTOR)),
    "masked_select": lambda f, t: f(t(SQUARE), t(MASK)),
    "median_along": lambda f, t: f(t(SQUARE), ignore_nan=False),
    "median_value": lambda f, t: f(t(SQUARE), ignore_nan=False),
    "meshgrid": lambda f, t: f(t(VECTOR), t(VECTOR)),
    "moveaxis": lambda f, t: f(t(CUBE), 0, 2),
    "movedim": lambda f, t: f(t(CUBE), 0, 2),
    "mv": lambda f, t: f(t(SQUARE), t(SQUARE[0])),
    "mvlgamma": lambda f, t: f(t(SQUARE + 1), 2),
    "nanquantile": lambda f, t: f(t(VECTOR), 0.25),
    "narrow": lambda f, t: f(t(SQUARE), 0, 0, 1),
    "nn.embedding": lambda f, t: f(t(SQUARE), t(ROW)),
    "nn.layer_norm": lambda f, t: f(t(SQUARE), t(SQUARE[0]), t(SQUARE[1]), axes=(1,)),
    "nn.nll_loss": lambda f, t: f(t(SQUARE), t(ROW[:2]), t(SQUARE[0])),
    "one_hot": lambda f, t: f(t(ROW), 2),
    "pad": lambda f, t: f(t(SQUARE), ((1, 0), (0, 1))),
    "permute_dims": lambda f, t: f(t(SQUARE), (1, 0)),
    "quantile": lambda f, t: f(t(VECTOR), 0.25),
    "renorm": lambda f, t: f(t(SQUARE), 2, 0, 0.5),
    "repeat": lambda f, t: f(t(SQUARE), 2, axis=0),
    "reshape": lambda f, t: f(t(SQUARE), (4,)),
    "roll": lambda f, t: f(t(SQUARE), 1, axis=0),
    "scatter": lambda f, t: f(t(SQUARE), 0, t(np.asarray([[0, 1]])), t(SQUARE[:1])),
    "scatter_add": lambda f, t: f(t(SQUARE), 0, t(np.asarray([[0, 1]])), t(SQUARE[:1])),
    "scatter_reduce": lambda f, t: f(t(SQUARE), 0, t(np.asarray([[0, 1]])), t(SQUARE[:1]), "sum"),
    "searchsorted": lambda f, t: f(t(np.sort(VECTOR)), t(VECTOR)),
    "select": lambda f, t: f(t(SQUARE), 0, 1),
    "select_scatter": lambda f, t: f(t(SQUARE), t(SQUARE[0]), 0, 1),
    "set_at": lambda f, t: f(t(VECTOR), t(VECTOR[:2]), key=slice(1, 3)),
    "slice_scatter": lambda f, t: f(t(VECTOR), t(VECTOR[:2]), 0, 1, 3),
    "special.multigammaln": lambda f, t: f(t(SQUARE + 1), 2),
    "special.zeta": lambda f, t: f(t(SQUARE + 1), t(SQUARE)),
    **dict.fromkeys(
        ("special.eval_hermite", "special.eval_hermitenorm"),
        lambda f, t: f(t(np.asarray([1, 2])), t(SQUARE)),
    ),
    **dict.fromkeys(("special.kn", "special.yn", "special.expn"), lambda f, t: f(t(np.asarray([1, 2])), t(SQUARE))),
    **dict.fromkeys(("special.polygamma", "polygamma"), lambda f, t: f(1, t(SQUARE))),
    **dict.fromkeys(
        [f"special.{kind}{part}" for kind in ("bdtr", "nbdtr") for part in ("", "c", "i")],
        lambda f, t: f(t(np.asarray([1, 0])), t(np.asarray([3, 2])), t(SQUARE)),
    ),
    **dict.fromkeys(("special.smirnov", "special.smirnovi"), lambda f, t: f(t(np.asarray([1, 2])), t(SQUARE))),
    "special.pdtri": lambda f, t: f(t(np.asarray([1, 0])), t(SQUARE)),
    "split": lambda f, t: f(t(SQUARE), 1),
    "squeeze": lambda f, t: f(t(SQUARE[:1]), 0),
    **dict.fromkeys(("swapaxes", "swapdims", "transpose"), lambda f, t: f(t(SQUARE), 0, 1)),
    "take": lambda f, t: f(t(SQUARE), t(ROW), axis=0),
    "take_along_axis": lambda f, t: f(t(SQUARE), t(np.asarray([[0, 1]])), axis=0),
    "tile": lambda f, t: f(t(SQUARE), (1, 2)),
    "to_device": lambda f, t: f(t(SQUARE), t(SQUARE).device),
    "topk": lambda f, t: f(t(SQUARE), 1),
    "unflatten": lambda f, t: f(t(SQUARE), 1, (2, 1)),
    "unfold": lambda f, t: f(t(SQUARE), 0, 1, 1),
    "vander": lambda f, t: f(t(VECTOR)),
    "diag": lambda f, t: f(t(VECTOR)),
    "where": lambda f, t: f(t(MASK), t(SQUARE), t(SQUARE)),
}  # fmt: skip
"""Calls that need more than a square matrix for each array."""


def call(op: Op, make: Make) -> Any:
    """The result of a small call of the operation."""
    sample = SAMPLES.get(op.name)
    if sample is not None:
        return sample(op.call, make)
    if op.sequence:
        return op.call([make(SQUARE), make(SQUARE)])
    if "n" in op.params:
        return op.call(make(SQUARE), n=2)
    return op.call(*[make(SQUARE) for name in op.arrays if name in op.positional] or [make(SQUARE)])


def names() -> list[str]:
    """Every operation."""
    return sorted(OPS)


def outputs(out: Any) -> list[Any]:
    """The Tensors of a result."""
    if isinstance(out, polygrad.Tensor):
        return [out]
    return [tensor for part in out for tensor in outputs(part)] if isinstance(out, (tuple, list)) else []


def run(name: str, make: Make) -> list[Any]:
    """The results of an operation, then the gradients that come back to its inputs, where it has any."""
    inputs: list[Any] = []

    def keep(array: Any) -> Any:
        inputs.append(make(np.asarray(array)))
        return inputs[-1]

    outs = outputs(call(OPS[name], keep))
    tracked = [y for y in outs if y.requires_grad and not np.isnan(y.shape).any()]
    inputs = [x for x in inputs if x.requires_grad]
    if not tracked:
        return outs
    try:
        ones = [polygrad.ones_like(y) for y in tracked]
        grads = polygrad.autograd.grad(tracked, inputs, ones, materialize_grads=True)
    except polygrad.errors.NoDerivativeError:
        return outs
    return [*outs, *grads]
