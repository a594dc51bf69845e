"""Every operation of the registry under ``vmap``: the same as a loop over the examples, and no loop inside.

A case is a function of the operation and its arrays, and a word for each array: a letter for its kind (f: normal, p: between 0 and 1, c:
complex, i: 0, 1 or 2, b: boolean, s: symmetric and positive definite, t: sorted, k: a permutation), then the lengths of its axes.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import polygrad as pg
from polygrad import func
from polygrad.errors import ConversionError, ShapeError
from polygrad.levels import operation
from polygrad.rules.declare import OPS
from support.gradient_checks import host, tensor

BATCH = 3
INF = float("inf")


def one(*words: str, **params: Any) -> list[Any]:
    """A call with these arrays by position and these parameters."""
    return [(lambda f, *arrays: f(*arrays, **params), *words)]


def each(*words: str, **params: list[Any]) -> list[Any]:
    """A call for each combination of values of the parameters."""
    return [one(*words, **dict(zip(params, values, strict=True)))[0] for values in itertools.product(*params.values())]


def joined(*words: str, **params: Any) -> list[Any]:
    """A call with a list of arrays."""
    return [(lambda f, *arrays: f(list(arrays), **params), *words)]


def case(call: Callable[..., Any], *words: str) -> list[Any]:
    return [(call, *words)]


REDUCED = each("f23", axis=[None, 0, -1, (0, 1)], keepdims=[False, True]) + one("f")
ALONG = each("f23", axis=[0, -1])
MATRIX = one("f33") + one("f233")
SYMMETRIC = one("s33") + one("s233")
MATRIX2 = one("f34") + one("f243")
FFT = each("c34", axis=[0, -1], norm=["backward", "ortho"]) + one("c5", n=4)
FFTN = each("c234", axes=[None, (0,), (1, 2)]) + one("c34", s=(2, 3), axes=(0, 1))
KEYS: list[Any] = [
    *case(lambda f, x: f(x, key=(slice(None), 0)), "f345"),
    *case(lambda f, x: f(x, key=(..., None, slice(1, None, 2))), "f345"),
    *case(lambda f, x: f(x, key=-1), "f3"),
    *case(lambda f, x, i: f(x, key=i), "f345", "i4"),
    *case(lambda f, x, i: f(x, key=(slice(None), i)), "f345", "i22"),
    *case(lambda f, x, i, j: f(x, key=(i, j)), "f345", "i2", "i22"),
    *case(lambda f, x, i, j: f(x, key=(i, slice(None), j)), "f345", "i2", "i2"),
    *case(lambda f, x, i: f(x, key=(0, slice(1, None), i)), "f345", "i2"),
    *case(lambda f, x, i: f(x, key=(slice(None), 1, i)), "f345", "i2"),
    *case(lambda f, x, i: f(x, key=(None, slice(1, 3), i, slice(None, None, -1))), "f345", "i2"),
    *case(lambda f, x, i: f(x, key=(..., i)), "f345", "i"),
    *case(lambda f, x, i: f(x, key=(i, slice(None), None, i)), "f345", "i"),
]
MASKED: list[Any] = [
    *case(lambda f, x: f(x, key=tensor(np.array([True, False, True]), x.backend)), "f345"),
    *case(lambda f, x, i: f(x, key=(tensor(np.array([True, False, True]), x.backend), i)), "f345", "i2"),
]
INDEX: dict[str, list[Any]] = {
    "getitem": KEYS + MASKED,
    "getitem_adjoint": [
        *case(lambda f, g: f(g, key=(slice(None), 0), shape=(3, 4)), "f3"),
        *case(lambda f, g, i: f(g, key=i, shape=(3, 4)), "f24", "i2"),
        *case(lambda f, g, i: f(g, key=(slice(None), i), shape=(4, 3)), "f42", "i2"),
        *case(lambda f, g, i, j: f(g, key=(i, slice(1, None), j), shape=(3, 4, 3)), "f23", "i2", "i2"),
        *case(lambda f, g, i: f(g, key=(0, slice(None), i), shape=(3, 4, 3)), "f24", "i2"),
        *case(lambda f, g, i: f(g, key=i, shape=(3,)), "f", "i4"),
    ],
    "set_at": [
        *case(lambda f, x, v: f(x, v, key=(slice(None), 0)), "f34", "f3"),
        *case(lambda f, x, v: f(x, v, key=(slice(None), 0)), "f34", "f"),
        *case(lambda f, x: f(x, 2.0, key=...), "f34"),
        *case(lambda f, x, v, i: f(x, v, key=i), "f34", "f4", "i2"),
        *case(lambda f, x, v, i: f(x, v, key=(slice(None), i)), "f43", "f42", "k2"),
        *case(lambda f, x, v, i, j: f(x, v, key=(i, slice(1, None), j)), "f343", "f23", "k2", "k2"),
        *case(lambda f, x, v, i: f(x, v, key=(0, slice(None), i)), "f343", "f", "i2"),
        *case(lambda f, x, m: f(x, 0.0, key=m), "f34", "b34"),
        *case(lambda f, x, v, m: f(x, v, key=m), "f34", "f", "b3"),
    ],
    "extreme_at": [
        *case(lambda f, x, v, i: f(x, v, key=(i,), largest=True, include_self=True), "f3", "f4", "i4"),
        *case(lambda f, x, v, i, j: f(x, v, key=(i, j), largest=False, include_self=False), "f33", "f4", "i4", "i4"),
    ],
}
SCATTER = ("f34", "i34", "f34")
CASES: dict[str, list[Any]] = {
    **INDEX, **dict.fromkeys(("sum", "mean", "prod", "max", "min", "logsumexp", "nansum", "count_nonzero", "nanmean"), REDUCED),
    **dict.fromkeys(("any", "all"), each("b23", axis=[None, 0, (0, 1)], keepdims=[False, True])),
    **dict.fromkeys(("var", "std"), each("f23", axis=[None, 1], correction=[0, 1], keepdims=[False, True])),
    **dict.fromkeys(("var_mean", "std_mean", "aminmax"), each("f23", axis=[None, 1])),
    **dict.fromkeys(("argmax", "argmin"), each("f23", axis=[None, 0], keepdims=[False, True])),
    **dict.fromkeys(("sort", "argsort"), each("f23", axis=[0, -1], descending=[False, True]) + one("f3")),
    **dict.fromkeys(("softmax", "log_softmax", "cummax", "cummin", "logcumsumexp"), ALONG),
    "kthvalue": one("f23", k=2, axis=0) + one("f23", k=2, axis=-1, keepdims=True), "mode": each("i24", axis=[0, 1]),
    "median_along": one("f23", ignore_nan=False, axis=0), "median_value": one("f23", ignore_nan=True),
    "topk": one("f25", k=2) + one("f25", k=1, axis=0, largest=False), "median": each("f23", axis=[None, 0]),
    "nanmedian": each("f23", axis=[None, 0]), "quantile": one("f23", q=0.3) + one("f23", "p2", axis=0),
    "nanquantile": one("f23", q=0.3, axis=0),
    **dict.fromkeys(("cumulative_sum", "cumulative_prod"), each("f23", axis=[0, -1], include_initial=[False, True]) + one("f3")),
    **dict.fromkeys(("cumsum", "cumprod"), ALONG),
    "linalg.vector_norm": each("f23", axis=[None, 0], ord=[1, 2, INF], keepdims=[False, True]),
    "linalg.norm": one("f23") + one("f23", axis=0), "norm": one("f23"), "dist": one("f23", "f23"), "cdist": one("f23", "f43"),
    "pdist": one("f43"), "renorm": one("f23", p=2.0, axis=0, maxnorm=0.5),
    **dict.fromkeys(("matrix_transpose", "linalg.matrix_transpose", "tril", "triu", "linalg.diagonal", "linalg.trace"), MATRIX2),
    "trace": one("f33"),
    **dict.fromkeys(("linalg.cofactors", "linalg.det", "linalg.slogdet", "linalg.matrix_exp", "linalg.lu", "linalg.lu_factor", "linalg.inv",
        "linalg.svdvals", "linalg.matrix_rank", "linalg.matrix_norm", "linalg.pinv", "linalg.cond"), MATRIX),
    "det": one("f33"), "inverse": one("f33"), "linalg.matrix_power": case(lambda f, x: f(x, 3), "f33"),
    **dict.fromkeys(("linalg.cholesky", "linalg.eigvalsh", "logdet", "linalg.logdet", "linalg.cholesky_inverse"), SYMMETRIC),
    "linalg.qr": case(lambda f, x: tuple(f(x)), "f43") + case(lambda f, x: f(x, mode="complete").R, "f243"),
    "linalg.svd": case(lambda f, x: f(x, full_matrices=False), "f43"), "linalg.eigh": case(lambda f, x: tuple(f(x)), "s33"),
    "linalg.eig": one("s33"), "linalg.eigvals": one("s33"),
    **dict.fromkeys(("special.nbdtr", "special.nbdtrc", "special.nbdtri"), one("i3", "i3", "p23")), "special.pdtri": one("i3", "p23"),
    "linalg.solve": one("s33", "f3") + one("s33", "f32") + one("s233", "f32") + one("s33", "f232"),
    "linalg.solve_triangular": each("s33", "f32", upper=[True, False]) + one("s33", "f23", upper=True, left=False),
    "linalg.least_squares": one("f43", "f42"), "linalg.lstsq": one("f43", "f4") + one("f43", "f42"),
    "linalg.cholesky_solve": one("f32", "s33"), "linalg.tensorinv": one("f2332", ind=2), "linalg.tensorsolve": one("f2222", "f22"),
    "linalg.lu_solve": case(lambda f, a, b: f(*pg.namespace(a.backend).linalg.lu_factor(a), b), "f33", "f32"),
    "linalg.cross": one("f3", "f3") + one("f23", "f23") + one("f34", "f34", axis=-2), "linalg.outer": one("f2", "f3"),
    "outer": one("f2", "f3"), "linalg.multi_dot": joined("f23", "f34", "f42"),
    "clip": case(lambda f, x, a, b: f(x, a, a + b), "f23", "f3", "p23") + case(lambda f, x, a: f(x, max=a), "f23", "f")
    + one("f23", min=-0.1, max=0.5),
    "where": one("b23", "f3", "f") + one("b3", "f23", "f3"), **dict.fromkeys(("conj", "real", "imag"), one("c23")), "clone": one("f23"),
    "astype": case(lambda f, x: f(x, x._frame.backend.dtype("float32")), "f23"), "to_device": case(lambda f, x: f(x, x.device), "f23"),
    "reshape": each("f234", shape=[(6, 4), (-1,), (4, -1), (2, 3, 2, 2)]), "permute_dims": one("f234", axes=(2, 0, 1)),
    "expand_dims": each("f23", axis=[0, 1, -1]), "squeeze": each("f131", axis=[0, (0, -1)]), "ravel": one("f23"),
    "flatten": one("f234", start_dim=1), "swapaxes": case(lambda f, x: f(x, 0, -1), "f234"),
    "moveaxis": case(lambda f, x: f(x, 0, -1), "f234") + case(lambda f, x: f(x, (0, 1), (-1, 0)), "f234"),
    "transpose": case(lambda f, x: f(x, 0, -1), "f234"), "movedim": case(lambda f, x: f(x, 0, -1), "f234"),
    "swapdims": case(lambda f, x: f(x, 0, -1), "f234"), "flip": each("f23", axis=[None, 0, (0, -1)]),
    "broadcast_to": one("f3", shape=(2, 3)) + one("f21", shape=(4, 2, 3)),
    "concat": joined("f23", "f43") + joined("f23", "f22", axis=-1) + joined("f23", "f4", axis=None),
    "stack": joined("f23", "f23") + joined("f23", "f23", axis=-1), "hstack": joined("f23", "f22") + joined("f2", "f3"),
    "vstack": joined("f3", "f23"), "dstack": joined("f23", "f23"), "column_stack": joined("f2", "f23"),
    "roll": each("f23", shift=[1, -2], axis=[None, 0, -1]) + one("f23", shift=(1, 2), axis=(0, 1)),
    "repeat": case(lambda f, x: f(x, 2, axis=-1), "f23") + case(lambda f, x: f(x, 2), "f23"),
    "tile": case(lambda f, x: f(x, (2,)), "f23") + case(lambda f, x: f(x, (2, 1, 3)), "f23"), "unstack": each("f23", axis=[0, -1]),
    "unbind": one("f23", axis=1), "narrow": one("f24", axis=1, start=1, length=2), "select": one("f24", axis=1, index=-1),
    "split": one("f24", size_or_sections=[1, 3], axis=1), "chunk": one("f24", chunks=2, axis=1), "broadcast_arrays": one("f3", "f23"),
    "expand": case(lambda f, x: f(x, 4, -1, 3), "f21"), "meshgrid": one("f2", "f3"), "contiguous": one("f23"),
    "unfold": one("f5", axis=0, size=2, step=2), "rot90": one("f23", k=1), "unflatten": one("f6", axis=0, sizes=(2, 3)),
    "atleast_1d": one("f") + one("f2", "f"), "atleast_2d": one("f3"), "atleast_3d": one("f23"), "block_diag": one("f22", "f3"),
    "cartesian_prod": one("f2", "f3"), "combinations": one("f4"), "kron": one("f22", "f23"), "vander": one("f3"),
    "diag": one("f3") + one("f33"), "diag_embed": one("f23", offset=1), "diagflat": one("f22"), "diagonal_scatter": one("f33", "f3"),
    "select_scatter": one("f23", "f3", axis=0, index=1), "slice_scatter": one("f43", "f23", axis=0, start=1, end=3),
    "take": case(lambda f, x, i: f(x, i, axis=0), "f34", "i2") + case(lambda f, x, i: f(x, i, axis=-1), "f43", "i5")
    + case(lambda f, x, i: f(x, i), "f3", "i2"),
    "take_along_axis": each("f34", "i34", axis=[0, 1]), "index_select": case(lambda f, x, i: f(x, 0, i), "f34", "i2"),
    "gather": case(lambda f, x, i: f(x, 1, i), "f34", "i34"), "scatter": case(lambda f, x, i, s: f(x, 0, i, s), "f34", "k34", "f34"),
    "scatter_add": case(lambda f, x, i, s: f(x, 0, i, s), *SCATTER),
    "scatter_reduce": [(lambda f, x, i, s, r=r: f(x, 0, i, s, r), *SCATTER) for r in ("sum", "prod", "mean", "amax", "amin")],
    "index_add": case(lambda f, x, i, s: f(x, 0, i, s), "f34", "i2", "f24"),
    "index_copy": case(lambda f, x, i, s: f(x, 0, i, s), "f34", "k2", "f24"),
    "index_fill": case(lambda f, x, i: f(x, 0, i, 2.0), "f34", "i2"),
    "index_reduce": case(lambda f, x, i, s: f(x, 0, i, s, "amax"), "f34", "i2", "f24"),
    "index_put": case(lambda f, x, i, v: f(x, (i,), v), "f34", "k2", "f24")
    + case(lambda f, x, i, v: f(x, (i,), v, True), "f34", "i2", "f24"),
    "masked_fill": one("f23", "b23", "f") + case(lambda f, x, m: f(x, m, 2.0), "f23", "b3"), "one_hot": one("i4", num_classes=3),
    "searchsorted": each("t5", "p22", side=["left", "right"])
    + case(lambda f, x, v: f(x, v, sorter=pg.namespace(x.backend).argsort(x)), "f5", "f3"),
    "isin": one("i23", "i2") + one("i23", "i2", invert=True),
    "bincount": case(lambda f, x, w: f(tensor([0, 2, 2], w.backend), w, 4), "i3", "f3"),
    "matmul": [(lambda f, a, b: f(a, b), *words)
        for words in (("f3", "f3"), ("f23", "f3"), ("f3", "f34"), ("f23", "f34"), ("f523", "f3"), ("f3", "f534"),
            ("f523", "f34"), ("f23", "f534"))],
    "linalg.matmul": one("f23", "f34"), "mm": one("f23", "f34"), "mv": one("f23", "f3"), "dot": one("f3", "f3"),
    "bmm": one("f523", "f534"), "addmm": one("f24", "f23", "f34"), "addmv": one("f2", "f23", "f3"), "addr": one("f23", "f2", "f3"),
    "baddbmm": one("f", "f523", "f534"), "addbmm": one("f24", "f523", "f534"), "inner": one("f23", "f43"),
    "tensordot": one("f23", "f34", axes=1) + one("f234", "f43", axes=((-1, 1), (0, 1))) + one("f2", "f3", axes=0),
    "linalg.tensordot": one("f23", "f34", axes=1), "vecdot": one("f3", "f23") + one("c23", "c23", axis=-2),
    "linalg.vecdot": one("f23", "f3"), "contract_single": one("f33", equation="ii->i") + one("f23", equation="ij->j"),
    "contract_pair": [one("f23", "f34", equation=e)[0] for e in ("ij,jk->ik", "ij,jk->kij", "ij,jk->j")],
    "einsum": case(lambda f, a, b, c: f("ij,jk,k->i", a, b, c), "f23", "f34", "f4")
    + case(lambda f, a, b: f("...i,...i->...", a, b), "f23", "f3"),
    **dict.fromkeys([f"fft.{name}" for name in ("fft", "ifft")], FFT), "fft.rfft": one("f34") + one("f34", axis=0),
    "fft.irfft": one("c34") + one("c34", n=5), "fft.hfft": one("c34"), "fft.ihfft": one("f34"),
    **dict.fromkeys(("fft.fftn", "fft.ifftn"), FFTN), "fft.rfftn": one("f234") + one("f234", s=(2, 2), axes=(-2, -1)),
    "fft.irfftn": one("c234", axes=(0, 1)), "fft.hfftn": one("c234"), "fft.ihfftn": one("f234"),
    **dict.fromkeys(("fft.fft2", "fft.ifft2", "fft.irfft2", "fft.hfft2"), one("c234")),
    **dict.fromkeys(("fft.rfft2", "fft.ihfft2"), one("f234")),
    **dict.fromkeys(("fft.fftshift", "fft.ifftshift"), each("f34", axes=[None, 0, (0, 1)])),
    "diff": one("f25") + one("f45", axis=0, n=2) + case(lambda f, x, a, b: f(x, prepend=a, append=b), "f23", "f21", "f22"),
    "trapezoid": one("f25") + one("f25", "f5") + one("f25", "f2", axis=0) + one("f25", "f25", axis=0) + one("f25", dx=0.5),
    "cumulative_trapezoid": one("f25") + one("f25", "f5"), "gradient": one("f5"),
    "pad": one("f23", pad_width=1) + one("f23", pad_width=((0, 1), (2, 0)), mode="edge"), "cov": one("f35"), "corrcoef": one("f35"),
    "nan_to_num": one("f23"),
    "nn.nll_loss": [(lambda f, x, t, w, r=r: f(x, t, w, reduction=r), "f43", "i4", "p3") for r in ("mean", "sum", "none")],
    **{f"nn.{name}": each("f23", "f23", reduction=["mean", "sum", "none"]) for name in ("mse_loss", "smooth_l1_loss", "huber_loss")},
    "nn.binary_cross_entropy": each("p23", "p23", "p3", reduction=["mean", "sum", "none"]),
    "nn.binary_cross_entropy_with_logits": each("f23", "p23", "p3", "p3", reduction=["mean", "sum", "none"]),
    "nn.layer_norm": one("f23", "f3", "f3", axes=(-1,)) + case(lambda f, x: f(x, None, None, axes=(1, 2)), "f234"),
    "nn.embedding": one("f34", "i2") + one("f34", "i23"), "special.multigammaln": case(lambda f, x: f(x + 3.0, 2), "p23"),
    "mvlgamma": case(lambda f, x: f(x + 3.0, 2), "p23"), "polygamma": case(lambda f, x: f(2, x), "p23"),
    "acosh": case(lambda f, x: f(x + 1.5), "p23"), "histc": one("f9", bins=3), "histogram": one("f9", bins=3),
    "masked_scatter": one("f3", "b3", "f3"), "special.jn": case(lambda f, x: f(2, x), "p23"),
    **{f"special.{kind}_{letter}": case(lambda f, x: f(x, 3), "p3")
        for kind, letters in (("chebyshev_polynomial", "tuvw"), ("shifted_chebyshev_polynomial", "tu"),
        ("hermite_polynomial", "h"), ("laguerre_polynomial", "l"), ("legendre_polynomial", "p")) for letter in letters},
    "special.hermite_polynomial_he": case(lambda f, x: f(x, 3), "p3"),
    **{f"special.{name}": case(lambda f, n, x: f(n, x), "i3", "p23")
        for name in ("spherical_jn", "spherical_yn", "spherical_in", "spherical_kn", "yn", "kn", "expn", "polygamma", "eval_hermite",
            "eval_hermitenorm", "smirnov", "smirnovi")},
    **{f"special.{name}": case(lambda f, *a: f(2, *a), *words)
        for name, words in (("eval_gegenbauer", ("p3", "p23")), ("eval_genlaguerre", ("p3", "p23")), ("eval_jacobi", ("p", "p3", "p23")))},
    **{f"bitwise_{name}": one("i3", "i23") for name in ("and", "or", "xor", "left_shift", "right_shift")}, "bitwise_invert": one("i23"),
    **{f"logical_{name}": one("b3", "b23") for name in ("and", "or", "xor")}, "logical_not": one("b23"), "ldexp": one("f3", "i23"),
}  # fmt: skip
DATA_DEPENDENT = {
    "nonzero": one("b23"), "argwhere": one("b23"), "unique_all": one("i4"), "unique_counts": one("i4"), "unique_inverse": one("i4"),
    "unique_values": one("i4"), "bincount": one("i4"), "masked_select": one("f3", "b3"),
}  # fmt: skip
"""What cannot be batched: the shape of the result depends on the values."""
ASKS_FOR_VALUES = ("allclose", "array_equal")
"""Composites that return a Python truth value."""


def cases_of(name: str, f: Any, backend: str) -> list[Any]:
    """The cases in the table; else arrays between 0 and 1, or with integers in front, whichever the operation takes."""
    if name in CASES:
        return CASES[name]
    number = len(OPS[name].arrays)
    last = "p23"
    found = [[*("p3", *["p23"] * (number - 2))[: number - 1], last], [*["i3"] * (number - 1), last]]
    for words in found:
        arrays = [tensor(array_of(word, np.random.default_rng(0), BATCH), backend) for word in words]
        try:
            f(*[a[0, ...] for a in arrays])
        except pg.errors.OperationError:
            continue
        return one(*words)
    raise AssertionError(f"{name} needs a case in this table")


def array_of(word: str, rng: np.random.Generator, batch: int | None) -> np.ndarray:
    kind, shape = word[0], tuple(map(int, word[1:]))
    full = shape if batch is None else (batch, *shape)
    if kind == "i":
        return rng.integers(0, 3, size=full)
    if kind == "b":
        return rng.random(size=full) > 0.5
    if kind == "k":
        axis = 0 if len(shape) == 1 else len(full) - len(shape)
        base = (
            np.broadcast_to(np.arange(shape[0]).reshape((-1, *(1,) * (len(shape) - 1))), full)
            if len(shape) > 1
            else np.broadcast_to(np.arange(shape[0]), full)
        )
        return rng.permuted(base, axis=len(full) - 1 if len(shape) == 1 else axis)
    x = rng.normal(size=full)
    if kind == "c":
        return x + 1j * rng.normal(size=full)
    if kind == "p":
        return 0.05 + 0.9 * rng.random(size=full)
    if kind == "t":
        return np.sort(rng.random(size=full), axis=-1)
    if kind == "s":
        return x @ np.swapaxes(x, -1, -2) + len(x) * np.eye(full[-1])
    return x


def function_of(name: str, backend: str) -> Any:
    function = pg.namespace(backend)
    for part in name.split("."):
        function = getattr(function, part)
    return function


def leaves(out: Any) -> list[Any]:
    if isinstance(out, (tuple, list)):
        return [leaf for part in out for leaf in leaves(part)]
    return [out]


def compare(call: Callable[..., Any], words: tuple[str, ...], f: Any, backend: str) -> None:
    subsets = [s for s in itertools.product((True, False), repeat=len(words)) if any(s)]
    if len(words) > 2:  # all of them, and each alone
        subsets = [s for s in subsets if sum(s) in (1, len(words))]
    for mapped in subsets:
        rng = np.random.default_rng(0)
        arrays = [array_of(w, rng, BATCH if own else None) for w, own in zip(words, mapped, strict=True)]
        tensors = [tensor(a, backend) for a in arrays]
        got = leaves(func.vmap(lambda *ts: call(f, *ts), in_dims=tuple(0 if own else None for own in mapped))(*tensors))
        for i in range(BATCH):
            expected = leaves(call(f, *[t[i, ...] if own else t for t, own in zip(tensors, mapped, strict=True)]))
            assert len(got) == len(expected)
            for g, e in zip(got, expected, strict=True):
                assert g.dtype == e.dtype
                assert tuple(g.shape[1:]) == tuple(e.shape)
                np.testing.assert_allclose(host(g)[i], host(e), rtol=1e-9, atol=1e-11, err_msg=f"{words} {mapped} {i}")


@pytest.fixture(autouse=True)
def _every_loop_warns():
    operation._warned.clear()


def test_every_operation_names_its_batching_rule() -> None:
    """It stands in the declaration, beside the derivative, or follows from the form; what is made of others needs none."""
    assert not [name for name, op in OPS.items() if op.batch is None and op.form != "composite"]


@pytest.mark.parametrize("name", sorted(set(OPS) - {*ASKS_FOR_VALUES, *DATA_DEPENDENT} | {"bincount"}))
def test_agrees_with_a_loop(name: str, backend: str) -> None:
    f = function_of(name, backend)
    try:
        for call, *words in cases_of(name, f, backend):
            compare(call, tuple(words), f, backend)
    except pg.errors.UnsupportedError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("name", sorted(DATA_DEPENDENT))
def test_results_without_a_shape_are_refused(name: str) -> None:
    call, *words = DATA_DEPENDENT[name][0]
    arrays = [tensor(array_of(word, np.random.default_rng(0), BATCH), "numpy") for word in words]
    with pytest.raises(ShapeError, match="depends on the values|differs from example to example"):
        func.vmap(lambda *ts: call(function_of(name, "numpy"), *ts))(*arrays)


@pytest.mark.parametrize("name", ASKS_FOR_VALUES)
def test_what_asks_for_values(name: str) -> None:
    x = tensor(np.ones((3, 4)), "numpy")
    with pytest.raises(ConversionError, match="differ from example to example"):
        func.vmap(lambda x: function_of(name, "numpy")(x, x))(x)


DIFFERENTIABLE = [
    name
    for name in sorted(OPS)
    if OPS[name].form in ("linear", "rule", "composite") and name not in {*DATA_DEPENDENT, *ASKS_FOR_VALUES}
]


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_derivatives_inside_and_outside(name: str) -> None:
    """``vmap(grad(f))`` and the gradient of ``vmap(f)`` are the gradients for the examples, one by one."""
    f = function_of(name, "numpy")
    for call, *words in cases_of(name, f, "numpy")[:2]:
        rng = np.random.default_rng(1)
        arrays = [tensor(array_of(word, rng, BATCH), "numpy") for word in words]

        def scalar(*ts: Any, call: Any = call) -> Any:
            outs = [
                out
                for out in leaves(call(f, *ts))
                if isinstance(out, pg.Tensor) and pg.isdtype(out.dtype, ("real floating", "complex floating"))
            ]
            weights = [tensor(np.cos(np.arange(out.size) + 1.0).reshape(out.shape), "numpy") for out in outs]
            return sum(
                (
                    pg.sum(w * (pg.real(out * (1 + 0.5j)) if out.is_complex() else out))
                    for w, out in zip(weights, outs, strict=True)
                ),
                start=pg.asarray(0.0, backend="numpy"),
            )

        for i, word in enumerate(words):
            if word[0] not in "fpcst":
                continue
            try:
                expected = [host(func.grad(scalar, argnums=i)(*[a[b, ...] for a in arrays])) for b in range(BATCH)]
            except pg.errors.NoDerivativeError:  # with respect to this argument, or for this shape
                continue
            inside = func.vmap(func.grad(scalar, argnums=i))(*arrays)
            outside = func.grad(lambda *ts, s=scalar: pg.sum(func.vmap(s)(*ts)), argnums=i)(*arrays)
            np.testing.assert_allclose(host(inside), expected, rtol=1e-8, atol=1e-10, err_msg=f"inside: {words}, {i}")
            np.testing.assert_allclose(host(outside), expected, rtol=1e-8, atol=1e-10, err_msg=f"outside: {words}, {i}")


LOOPS: dict[str, list[Any]] = {
    "nn.embedding": [
        *case(lambda f, w, i: f(w, i, scale_grad_by_freq=True), "f34", "i2"),
        *case(lambda f, w, i: f(w, i, padding_idx=1), "f34", "i2"),
    ],
    "extreme_at": case(
        lambda f, x, v, i: f(x, v, key=(slice(0, 2), i), largest=True, include_self=True), "f33", "f24", "i4"
    ),
    "cumulative_sum": one("f"),
    "tril": one("f3"),
    "linalg.outer": one("f23", "f2"),
    "repeat": case(lambda f, x, n: f(x, n), "f3", "k3"),
}


@pytest.mark.parametrize("name", LOOPS)
def test_what_runs_in_a_loop_says_so(name: str) -> None:
    f = function_of(name, "numpy")
    for call, *words in LOOPS[name]:
        operation._warned.clear()
        rng = np.random.default_rng(0)
        arrays = [tensor(array_of(word, rng, BATCH), "numpy") for word in words]
        with pytest.warns(UserWarning, match=f"vmap: {name} has no batching rule for this call, so it runs in a loop"):
            got = func.vmap(lambda *ts, call=call: call(f, *ts))(*arrays)
        expected = [host(call(f, *[a[i, ...] for a in arrays])) for i in range(BATCH)]
        np.testing.assert_allclose(host(got), expected, rtol=1e-12)
