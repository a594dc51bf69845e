"""Arguments for every function of NumPy that takes arrays, and values for every option."""

from __future__ import annotations

from typing import Any

import numpy as np

INPUTS: dict[str, Any] = {
    "v": np.array([1.53, 2.9, 0.47, 2.6]),
    "w": np.array([0.5, 1.0, 2.0, 4.0]),
    "u": np.array([0.0, 1.0, 2.0, 3.0]),
    "M": np.array([[3.1, -1.2, 2.2], [0.6, 4.3, -2.4]]),
    "W": np.array([[1.0, 2.0, 0.5], [0.25, 1.0, 3.0]]),
    "S": np.array([[4.0, 1.0, 0.5], [1.5, 3.0, 0.25], [0.25, 0.75, 2.0]]),
    "N": np.array([[3.0, np.nan, 2.0], [0.5, 4.0, -2.5]]),
    "C": np.arange(24.0).reshape(2, 3, 4),
    "z": np.array([1.0 + 2.0j, -0.5j, 3.0, -1.0 + 1.0j]),
    "i": np.array([2, 0, 1]),
    "k": np.array([3, 0, 3, 1]),
}  # fmt: skip


def functions() -> dict[str, Any]:
    """NumPy's functions that ask their arguments for ``__array_function__``, by name."""
    return {
        prefix + name: getattr(module, name)
        for module, prefix in ((np, ""), (np.linalg, "linalg."), (np.fft, "fft."))
        for name in sorted(dir(module))
        if hasattr(getattr(module, name), "_implementation")
        and not name.startswith(("busday", "is_busday", "datetime", "array_repr", "array_str", "array2string"))
    }


NOT_ASKED = {
    "out", "like", "max_line_width", "precision", "suppress_small", "separator", "prefix", "formatter", "threshold", "edgeitems",
    "sign", "floatmode", "suffix", "legacy", "fmt", "delimiter", "newline", "header", "footer", "comments", "encoding",
    "allow_pickle", "device",
}  # fmt: skip
"""Options of printing and of files; ``out`` has tests of its own."""

_OF_A_MATRIX = (
    "all amax amin any argmax argmin argsort argwhere around average copy count_nonzero cumprod cumsum diff ediff1d fix flatnonzero "
    "flip fliplr flipud iscomplex iscomplexobj isneginf isposinf isreal isrealobj matrix_transpose max mean median min ndim nonzero "
    "permute_dims prod ptp ravel round shape size sort squeeze std sum transpose tril triu unique unique_all unique_counts "
    "unique_inverse unique_values unstack var zeros_like ones_like rot90 trace diagonal diag diagflat corrcoef cov gradient angle "
    "cumulative_prod cumulative_sum nan_to_num imag real i0 sinc unwrap real_if_close sort_complex histogram histogram_bin_edges "
    "tril_indices_from triu_indices_from min_scalar_type trim_zeros roll"
)
_OF_NAN = "nanargmax nanargmin nancumprod nancumsum nanmax nanmean nanmedian nanmin nanprod nanstd nansum nanvar"
ARGUMENTS: dict[str, str] = {
    **dict.fromkeys(_OF_A_MATRIX.split(), "M"),
    **dict.fromkeys(_OF_NAN.split(), "N"),
    "allclose": "M, M + 1e-9", "append": "M, W", "apply_along_axis": "np.sum, 0, M", "apply_over_axes": "np.sum, M, [0]",
    "argpartition": "v, 1", "array_equal": "N, N", "array_equiv": "M, M", "array_split": "v, 3", "astype": "M, np.float32",
    "atleast_1d": "v", "atleast_2d": "v", "atleast_3d": "v", "bincount": "k", "block": "[[M], [W]]", "broadcast_arrays": "v, 1.0",
    "broadcast_to": "v, (2, 4)", "can_cast": "i, np.int8", "choose": "k % 2, [v, w]", "clip": "M, 0.0, 2.0", "column_stack": "[v, w]",
    "common_type": "v", "compress": "[True, False], M", "concat": "[M, W]", "concatenate": "[M, W]", "convolve": "v, w[:3]",
    "copyto": "M, W", "correlate": "v, w[:3]", "cross": "S, S[::-1]", "cumulative_prod": "v", "cumulative_sum": "v", "delete": "M, 1",
    "diag_indices_from": "S", "digitize": "v, [0.0, 1.0, 2.0]", "dot": "M, S", "dsplit": "C, 2", "dstack": "[v, w]",
    "einsum": "'ij,jk', M, S", "einsum_path": "'ij,jk', M, S", "empty_like": "np.array(0.0), shape=(0,)", "expand_dims": "v, 0",
    "extract": "M > 0, M", "fill_diagonal": "S, 0.0", "full_like": "M, 2.0", "geomspace": "v, w", "histogram2d": "v, w",
    "histogramdd": "M", "hsplit": "v, 2", "hstack": "[v, w]", "inner": "M, W", "insert": "v, 1, 5.0", "interp": "v, u, w",
    "intersect1d": "v, w", "isclose": "M, M + 1e-9", "isin": "k, i", "ix_": "i, i", "kron": "M, v", "lexsort": "[v, w]",
    "linspace": "v, w", "logspace": "v, w", "may_share_memory": "v, w", "meshgrid": "v, w", "moveaxis": "C, 0, 1",
    "nanpercentile": "N, 30", "nanquantile": "N, 0.3", "outer": "v, w", "packbits": "k", "pad": "M, 2", "partition": "v, 1",
    "percentile": "M, 30", "piecewise": "v, [v < 1, v >= 1], [lambda t: -t, lambda t: t * t]", "place": "v, v > 1, [0.0]",
    "poly": "v", "polyadd": "v, w[:2]", "polyder": "v", "polydiv": "v, w[:2]", "polyfit": "u, v, 1", "polyint": "v",
    "polymul": "v, w", "polysub": "v, w[:2]", "polyval": "v, w", "put": "v, [0, 1], [5.0, 6.0]",
    "put_along_axis": "M, np.argmax(M, axis=1)[:, None], 0.0, 1", "putmask": "v, v > 1, 0.0", "quantile": "M, 0.3",
    "ravel_multi_index": "(i % 2, i), (2, 3)", "repeat": "M, 2", "reshape": "M, (3, 2)", "resize": "M, (3, 3)",
    "result_type": "M, np.float32", "roll": "M, 1", "rollaxis": "C, 2", "roots": "v", "save": "io.BytesIO(), v",
    "savetxt": "io.StringIO(), v", "savez": "io.BytesIO(), v", "savez_compressed": "io.BytesIO(), v", "searchsorted": "u, v",
    "select": "[M > 1, M < 0], [M, W]", "setdiff1d": "v, w", "setxor1d": "v, w", "shares_memory": "v, w", "split": "v, 2",
    "stack": "[M, W]", "swapaxes": "C, 0, 1", "take": "M, i[:1]", "take_along_axis": "M, np.argsort(M, axis=-1)",
    "tensordot": "M, S, 1", "tile": "v, 2", "trapezoid": "v", "union1d": "v, w", "unpackbits": "k.astype(np.uint8)",
    "unravel_index": "i, (2, 3)", "vander": "v", "vdot": "z, z", "vsplit": "M, 2", "vstack": "[v, w]", "where": "M > 0",
    "squeeze": "M[None]",
    "linalg.cholesky": "S @ S.T", "linalg.cond": "S", "linalg.cross": "S, S[::-1]", "linalg.det": "S", "linalg.diagonal": "S",
    "linalg.eig": "S @ S.T + 0j", "linalg.eigh": "S @ S.T", "linalg.eigvals": "S @ S.T + 0j",
    "linalg.eigvalsh": "S @ S.T", "linalg.inv": "S",
    "linalg.lstsq": "M.T, v[:3]", "linalg.matmul": "M, S", "linalg.matrix_norm": "M", "linalg.matrix_power": "S, 3",
    "linalg.matrix_rank": "M", "linalg.matrix_transpose": "M", "linalg.multi_dot": "[M, S, S]", "linalg.norm": "M",
    "linalg.outer": "v, w", "linalg.pinv": "M", "linalg.qr": "M", "linalg.slogdet": "S", "linalg.solve": "S, v[:3]",
    "linalg.svd": "M", "linalg.svdvals": "M", "linalg.tensordot": "M, S, axes=1", "linalg.tensorinv": "np.reshape(S[:2, :2], (2, 2))",
    "linalg.tensorsolve": "S, v[:3]", "linalg.trace": "S", "linalg.vecdot": "M, W", "linalg.vector_norm": "M",
    "fft.fft": "M", "fft.fft2": "M", "fft.fftn": "M", "fft.fftshift": "M", "fft.hfft": "z", "fft.ifft": "M", "fft.ifft2": "M",
    "fft.ifftn": "M", "fft.ifftshift": "M", "fft.ihfft": "M", "fft.irfft": "z", "fft.irfft2": "M", "fft.irfftn": "M",
    "fft.rfft": "M", "fft.rfft2": "M", "fft.rfftn": "M",
}  # fmt: skip

_MASK = "np.array([True, False, True])"
VALUES: dict[str, list[str]] = {
    "axis": ["None", "0", "-1", "(0,)", "7"], "axes": ["None", "(1, 0)", "(0,)"], "keepdims": ["True", "False"],
    "dtype": ["np.float32", "'float64'", "np.complex128", "np.int64", "None"], "where": [_MASK, "True"],
    "initial": ["2.5", "None"],
    "ddof": ["1", "0.5"], "correction": ["1"], "mean": ["1.0", "np.mean(M)"],
    "order": ["'F'", "'A'", "'K'", "'C'", "None", "'x'"], "kind": ["'stable'", "'heapsort'", "'sort'", "'x'"],
    "stable": ["True", "False"],
    "casting": ["'unsafe'", "'safe'", "'no'", "'same_kind'", "'x'"], "subok": ["True", "False"],
    "copy": ["True", "False", "None"],
    "rtol": ["1e-3", "0.5"], "atol": ["0.5"], "equal_nan": ["True", "False"], "decimals": ["1", "-1"], "returned": ["True"],
    "weights": ["W", "w[:3]", "w"], "deg": ["True", "False"], "a_min": ["0.5"], "a_max": ["0.5"], "min": ["0.5"], "max": ["0.5"],
    "mode": ["'wrap'", "'clip'", "'raise'", "'x'"], "y": ["W"], "rowvar": ["False"], "bias": ["True"], "fweights": ["[1, 2, 3]"],
    "aweights": ["w[:3]"], "axisa": ["0"], "axisb": ["0"], "axisc": ["0"], "include_initial": ["True"], "k": ["1", "-1"],
    "offset": ["1", "-1"], "axis1": ["1"], "axis2": ["-1"], "n": ["2", "0"], "prepend": ["0.0", "M[:, :1]"],
    "append": ["0.0", "M[:, :1]"],
    "to_end": ["[1.0, 2.0]"], "to_begin": ["9.0"], "optimize": ["True", "'greedy'"], "shape": ["(2, 2)", "3", "None"],
    "edge_order": ["2"], "bins": ["3", "[0.0, 1.0, 4.0]", "'auto'"], "range": ["(0.0, 2.0)"], "density": ["True", "False"],
    "left": ["9.0"], "right": ["9.0"], "period": ["3.0"], "assume_unique": ["True"], "invert": ["True"], "max_work": ["1"],
    "overwrite_input": ["True"], "sparse": ["True"], "indexing": ["'ij'", "'x'"], "nan": ["1.0"], "posinf": ["1.0"],
    "neginf": ["1.0"],
    "method": ["'lower'", "'higher'", "'nearest'", "'midpoint'", "'hazen'", "'weibull'", "'inverted_cdf'", "'x'"],
    "side": ["'right'", "'x'"],
    "sorter": ["[0, 1, 2, 3]"], "default": ["7.0", "M"], "start": ["1"], "return_index": ["True"], "return_inverse": ["True"],
    "return_counts": ["True"], "sorted": ["False"], "discont": ["4.0"], "N": ["3"], "increasing": ["True"], "x": ["u"],
    "dx": ["0.5", "w[0]"], "upper": ["True"], "p": ["1", "2", "np.inf", "'fro'", "'nuc'", "-2"], "UPLO": ["'U'", "'l'", "'x'"],
    "rcond": ["0.5", "1e-9", "-1"], "ord": ["1", "2", "np.inf", "-np.inf", "'nuc'", "'fro'", "-1", "-2", "0", "3"],
    "tol": ["3.0"],
    "hermitian": ["True", "False"], "full_matrices": ["False"], "compute_uv": ["False", "True"], "ind": ["1"], "minlength": ["9"],
    "norm": ["'ortho'", "'forward'", "'backward'", "'x'"], "s": ["(2, 2)", "(4,)"], "wrap": ["True"], "num": ["5", "1"],
    "endpoint": ["False"], "retstep": ["True"], "base": ["2.0"], "w": ["w"], "full": ["True"], "cov": ["True"], "m": ["2"],
    "bitorder": ["'little'"], "return_indices": ["True"], "trim": ["'f'"], "count": ["3"], "dims": ["(2, 3)"],
    "linalg.qr.mode": ["'r'", "'complete'", "'raw'", "'reduced'", "'x'"], "convolve.mode": ["'same'", "'valid'", "'full'", "'x'"],
    "correlate.mode": ["'same'", "'valid'", "'full'", "'x'"], "delete.axis": ["None", "0", "-1", "7"],
    "pad.mode": ["'edge'", "'reflect', reflect_type='odd'", "'symmetric'", "'wrap'",
                 "'linear_ramp'", "'linear_ramp', end_values=2.0", "'mean'",
                 "'mean', stat_length=1", "'maximum'", "'symmetric', reflect_type='odd'", "'constant', constant_values=3.0",
                 "'constant', constant_values=((1.0, 2.0), (3.0, 4.0))", "'x'"],
    "vander.N": ["3", "5"], "linalg.tensorsolve.axes": ["(0,)"], "where.x": ["M, W", "M"], "where.y": ["M, 1.0"],
    "rot90.k": ["2", "-1"], "rot90.axes": ["(1, 0)"], "einsum.order": ["'F'"], "trim_zeros.axis": ["0"],
    "apply_along_axis.axis": [], "resize.refcheck": [], "gradient.axis": ["None", "0", "(0, 1)"],
    "average.axis": ["None", "0", "-1"],
    "put.mode": ["'wrap'", "'clip'", "'x'"], "linalg.cond.p": ["1", "2", "np.inf", "-np.inf", "'fro'", "'nuc'", "-2", "-1"],
    "histogram.weights": ["W"], "bincount.weights": ["w"], "histogram2d.weights": ["w"], "histogramdd.weights": ["w[:2]"],
    "histogram_bin_edges.weights": ["W"], "percentile.weights": ["W"], "quantile.weights": ["W"],
    "nanpercentile.weights": ["W"], "nanquantile.weights": ["W"],
    "histogram2d.range": ["[[0, 2], [0, 2]]"], "histogramdd.range": ["[[0, 2], [0, 2], [0, 2]]"], "histogram2d.bins": ["3"],
    "histogramdd.bins": ["3"],
    "copyto.where": [_MASK], "unwrap.period": ["3.0"], "fft.fftshift.axes": ["0", "(1,)"], "fft.ifftshift.axes": ["0", "(1,)"],
    "polyint.k": ["1.0"], "polyfit.rcond": ["1e-9"], "tensordot.axes": ["0"], "linalg.tensordot.axes": ["0"],
    "linalg.matrix_norm.ord": ["1", "2", "np.inf", "-np.inf", "'nuc'", "-1", "-2"],
    "linalg.norm.axis": ["0", "(0, 1)", "-1", "None"], "einsum_path.optimize": ["True"], "einsum_call": ["False"],
    "sum.axis": ["None", "0", "(0, 1)", "-1", "7"],
}  # fmt: skip
