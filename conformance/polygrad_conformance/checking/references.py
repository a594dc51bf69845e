"""References that torch does not have as one function, written out with those that it has."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch


def wide(*tensors: Any) -> list[Any]:
    """Tensors in one dtype: torch's products want that."""
    dtype = tensors[0].dtype
    for tensor in tensors[1:]:
        dtype = torch.promote_types(dtype, tensor.dtype)
    return [tensor.to(dtype) for tensor in tensors]


def axes_of(x: Any, axis: Any) -> tuple[int, ...]:
    """Axes as a tuple; all of them for None."""
    if axis is None:
        return tuple(range(x.ndim))
    return (axis,) if isinstance(axis, int) else tuple(axis)


def over(function: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """A reduction that torch has over one axis, over several or all: they are made one."""
    if axis is not None and not isinstance(axis, tuple):
        return function(x, axis, keepdims)
    axes = sorted(i % x.ndim for i in axes_of(x, axis)) if x.ndim else []
    kept = [i for i in range(x.ndim) if i not in axes]
    out = function(x.permute((*kept, *axes)).reshape(*[x.shape[i] for i in kept], -1), -1, False)
    return out.reshape([1 if i in axes else x.shape[i] for i in range(x.ndim)]) if keepdims else out


def prod(x: Any, axis: Any, keepdims: bool) -> Any:
    """The product over any axes."""
    return over(torch.prod, x, axis, keepdims)


def moment(function: Any, x: Any, axis: Any, correction: float, keepdims: bool) -> Any:
    """torch.var and torch.std want their axes as a tuple."""
    return function(x, dim=axes_of(x, axis), correction=correction, keepdim=keepdims)


def matrix_norm(x: Any, ord: Any, keepdims: bool) -> Any:
    """torch's, of the last two axes."""
    return torch.linalg.matrix_norm(x, ord=ord, keepdim=keepdims)


def powers(x: Any, exponents: Sequence[int]) -> Any:
    """torch.vander, which torch cannot differentiate: it writes over what its running product has saved."""
    return torch.stack([x**k for k in exponents], 1)


def vander(x: Any, n: int | None, increasing: bool) -> Any:
    """As ``powers``, with NumPy's arguments."""
    count = x.shape[0] if n is None else n
    exponents = list(range(count)) if increasing else list(range(count))[::-1]
    return powers(x, exponents) if exponents else x[:, None][:, :0]


def written(x: Any, key: Any, y: Any) -> Any:
    """A copy with y at a key: select_scatter and slice_scatter, which torch does not differentiate for complex numbers."""
    out = x.clone()
    out[key] = y
    return out


def added(x: Any, key: Any, y: Any) -> Any:
    """Zeros with the sums of y at a key, repeated indices counted."""
    ids = torch.arange(math.prod(x)).reshape(x)[key]
    flat = torch.zeros(math.prod(x), dtype=y.dtype).index_add(0, ids.reshape(-1), y.expand(ids.shape).reshape(-1))
    return flat.reshape(x)


def include_initial(out: Any, axis: int, value: float) -> Any:
    """A running sum or product that starts with that of nothing."""
    shape = [1 if i == axis % out.ndim else n for i, n in enumerate(out.shape)]
    return torch.cat([torch.full(shape, value, dtype=out.dtype), out], axis)


def cumulative(function: Any, x: Any, axis: int | None, initial: bool, value: float) -> Any:
    """torch.cumsum or torch.cumprod with the standard's arguments."""
    axis = 0 if axis is None else axis
    x = x.reshape(-1) if x.ndim == 0 else x
    out = function(x, axis)
    return include_initial(out, axis, value) if initial else out


def cofactors(x: Any) -> Any:
    """The matrix of cofactors of regular matrices."""
    return torch.linalg.det(x)[..., None, None] * torch.linalg.inv(x).mT


def solve(a: Any, b: Any) -> Any:
    """torch.linalg.solve with the standard's reading of one axis: a vector, however many matrices there are."""
    a, b = wide(a, b)
    return torch.linalg.solve(a, b[..., None])[..., 0] if b.ndim == 1 else torch.linalg.solve(a, b)


def tensordot(a: Any, b: Any, axes: Any) -> Any:
    """torch's, for mixed dtypes."""
    a, b = wide(a, b)
    return torch.tensordot(a, b, dims=axes)


def vecdot(a: Any, b: Any, axis: int) -> Any:
    """torch's, for mixed dtypes."""
    a, b = wide(a, b)
    return torch.linalg.vecdot(a, b, dim=axis)


def einsum(equation: str, operands: Sequence[Any]) -> Any:
    """torch's, for mixed dtypes."""
    return torch.einsum(equation, *wide(*operands))


def diff(x: Any, axis: int, n: int, prepend: Any, append: Any) -> Any:
    """torch's, for 0-d ends."""
    return torch.diff(x, n=n, dim=axis, prepend=prepend, append=append)


def pad(x: Any, pad_width: Any, mode: str, constant_values: Any) -> Any:
    """numpy.pad: by the index that each place takes its element from, or the constant."""
    pairs = (
        [pad_width] * x.ndim if not isinstance(pad_width, tuple) or isinstance(pad_width[0], int) else list(pad_width)
    )
    if len(pairs) == 1:
        pairs = pairs * x.ndim
    pairs = [(p, p) if isinstance(p, int) else p for p in pairs]
    import numpy as np

    if mode == "constant":
        values = np.broadcast_to(np.asarray(constant_values), (x.ndim, 2))
        for axis, (pair, both) in enumerate(zip(pairs, values.tolist(), strict=True)):
            ends = [
                x.new_full([n if i == axis else m for i, m in enumerate(x.shape)], v)
                for n, v in zip(pair, both, strict=True)
            ]
            x = torch.cat([ends[0], x, ends[1]], axis)
        return x.clone()

    for axis, pair in enumerate(pairs):
        index = np.pad(np.arange(x.shape[axis]), pair, mode=mode)  # type: ignore[call-overload]
        x = x.index_select(axis, torch.tensor(index))
    return x


def gradient(x: Any, spacing: Any, axis: Any, edge_order: int) -> Any:
    """torch's, one array for one axis."""
    out = torch.gradient(x, spacing=spacing, dim=axes_of(x, axis), edge_order=edge_order)
    return out[0] if isinstance(axis, int) or x.ndim == 1 else tuple(out)


def quantile(function: Any, x: Any, q: Any, axis: Any, keepdims: bool, interpolation: str) -> Any:
    """torch's, with q as a tensor."""
    return function(x, torch.as_tensor(q, dtype=x.dtype), dim=axis, keepdim=keepdims, interpolation=interpolation)


def rearranged(values: Any, indices: Any) -> Any:
    """Values and indices of an op that returns both."""
    return values, indices


def nan_to_num(x: Any, nan: float, posinf: float | None, neginf: float | None) -> Any:
    """torch's; of complex numbers each part, which torch does not do."""
    if x.is_complex():
        parts = [torch.nan_to_num(part, nan, posinf, neginf) for part in (x.real, x.imag)]
        return torch.complex(*parts)
    return torch.nan_to_num(x, nan, posinf, neginf)


def weighted(loss: Any, input: Any, target: Any, reduction: str, **options: Any) -> Any:
    """A loss of torch under one of its reductions."""
    return loss(input, target, reduction=reduction, **options)


def unique_values(x: Any) -> Any:
    """The different numbers, sorted, differentiated as gathers: each takes its number from where it comes first."""
    flat = x.reshape(-1)
    import numpy as np

    first = np.unique(flat.detach().numpy(), return_index=True)[1]
    return flat[torch.tensor(first)]


def meant(src: Any, index: Any) -> Any:
    """The part of a source that an index is about: torch computes with a larger source, but does not differentiate it."""
    if src.ndim == 0 and index.ndim:
        return src.item()
    return src[tuple([slice(0, n) for n in index.shape])]


def cov(x: Any, correction: float, fweights: Any, aweights: Any) -> Any:
    """torch.cov, which takes whole numbers for the correction."""
    if isinstance(correction, int):
        return torch.cov(x, correction=correction, fweights=fweights, aweights=aweights)
    w = fweights * aweights
    total = w.sum()
    centered = x - (x * w).sum(1, keepdim=True) / total
    return centered @ (centered * w).mH / (total - correction * (w * aweights).sum() / total)


def extreme_at(x: Any, src: Any, key: Any, largest: bool, include_self: bool) -> Any:
    """scatter_reduce along one axis."""
    return x.scatter_reduce(0, key[0], src, "amax" if largest else "amin", include_self=include_self)


def dtype_of(dtype: Any) -> Any:
    """torch's dtype of that name."""
    return None if dtype is None else getattr(torch, dtype)


def trace(x: Any, offset: int) -> Any:
    """The trace of the last two axes."""
    return x.diagonal(offset, -2, -1).sum(-1)


def cond(x: Any, p: Any) -> Any:
    """torch.linalg.cond, whose backward pass fails where it goes by the inverse."""
    if p in (None, 2, -2):
        return torch.linalg.cond(x, p)
    return torch.linalg.matrix_norm(x, p) * torch.linalg.matrix_norm(torch.linalg.inv(x), p)


def aminmax(x: Any, axis: Any, keepdims: bool) -> Any:
    """torch's, made of the two extremes, which share their gradients as they do alone."""
    axes = axes_of(x, axis)
    return torch.amin(x, axes, keepdims), torch.amax(x, axes, keepdims)


def histogram(x: Any, bins: Any, range: Any, weight: Any, density: bool) -> Any:
    """torch's, with the arguments that it takes only where they are given."""
    options = {} if range is None else {"range": range}
    return tuple(torch.histogram(x, bins, weight=weight, density=density, **options))


def unique_all(x: Any) -> Any:
    """Values, where each comes first, which value each element is, and how often each comes."""
    import numpy as np

    _, first, inverse, counts = np.unique(x.detach().numpy(), True, True, True)
    return unique_values(x), *[torch.tensor(a) for a in (first, inverse.reshape(x.shape), counts)]


def given(*arguments: Any) -> list[Any]:
    """Those that are not None."""
    return [argument for argument in arguments if argument is not None]


def pivots(pivots: Any) -> Any:
    """Pivots as torch counts them, from 1, in 32 bits."""
    return pivots.to(torch.int32)
