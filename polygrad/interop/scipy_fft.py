"""The functions of ``scipy.fft`` on Tensors: Fourier transforms, and the cosine and sine transforms made of them.

A transform of length N is a Fourier transform of the even or odd continuation of the input (Makhoul 1980 and the definitions in SciPy's
documentation of ``dct`` and ``dst``), so that it has all derivatives and runs on every array library.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from ..errors import ArgumentError

OPPOSITE = {"backward": "forward", "forward": "backward", "ortho": "ortho"}
INVERSE = {1: 1, 2: 3, 3: 2, 4: 4}
"""The type of the transform that is the inverse of each type, up to a factor."""


# -- types I to IV along the last axis, without scaling ---------------------------------------------------------------------
def _rotations(xp: Any, x: Any, numbers: Any, quarter: float) -> Any:
    """Return exp(-i pi numbers / quarter) in the precision of ``x``."""
    angle = xp.astype(numbers, x.dtype) * (math.pi / quarter)
    return xp.cos(angle) - 1j * xp.sin(angle)


def _cosine(xp: Any, x: Any, kind: int) -> Any:
    n = x.shape[-1]
    numbers = xp.arange(n, device=x.device)
    if kind == 1:
        return xp.real(xp.fft.rfft(xp.concat([x, xp.flip(x[..., 1:-1], axis=-1)], axis=-1)))
    if kind == 2:
        spectrum = xp.fft.rfft(xp.concat([x, xp.flip(x, axis=-1)], axis=-1))[..., :n]
        return xp.real(spectrum * _rotations(xp, x, numbers, 2 * n))
    if kind == 3:
        spectrum = xp.conj(_rotations(xp, x, numbers, 2 * n)) * x
        return xp.fft.irfft(spectrum, n=2 * n, norm="forward")[..., :n]
    spectrum = xp.fft.fft(x * _rotations(xp, x, numbers, 2 * n), n=2 * n)[..., :n]
    return 2 * xp.real(spectrum * _rotations(xp, x, numbers * 2 + 1, 4 * n))


def _sine(xp: Any, x: Any, kind: int) -> Any:
    n = x.shape[-1]
    signs = 1.0 - 2.0 * xp.astype(xp.arange(n, device=x.device) % 2, x.dtype)
    if kind == 1:
        zero = xp.zeros_like(x[..., :1])
        odd = xp.concat([zero, x, zero, -xp.flip(x, axis=-1)], axis=-1)
        return -xp.imag(xp.fft.rfft(odd))[..., 1 : n + 1]
    if kind == 2:
        return xp.flip(_cosine(xp, x * signs, 2), axis=-1)
    return _cosine(xp, xp.flip(x, axis=-1), kind) * signs


# -- one axis -------------------------------------------------------------------------------------------------------------
def _scale_at(xp: Any, x: Any, places: Sequence[int], factor: float) -> Any:
    """Return ``x`` with the elements at these places of the last axis multiplied."""
    numbers = xp.arange(x.shape[-1], device=x.device)
    mask = numbers == places[0] % x.shape[-1]
    for place in places[1:]:
        mask = mask | (numbers == place % x.shape[-1])
    return xp.where(mask, x * factor, x)


def _transform(x: Any, cosine: bool, kind: int, n: int | None, axis: int, norm: str, orthogonalize: bool | None) -> Any:
    xp = x.__array_namespace__()
    if kind not in INVERSE:
        raise ArgumentError(f"scipy.fft: the type of a cosine or sine transform is 1, 2, 3 or 4, not {kind!r}")
    if xp.isdtype(x.dtype, "complex floating"):
        parts = [_transform(part, cosine, kind, n, axis, norm, orthogonalize) for part in (xp.real(x), xp.imag(x))]
        return parts[0] + 1j * parts[1]
    if not xp.isdtype(x.dtype, "real floating"):
        x = x.astype(float)
    x = xp.moveaxis(x, axis, -1)
    have = x.shape[-1]
    if n is not None and n != have:
        x = x[..., :n] if n < have else xp.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, n - have)])
    n = x.shape[-1]
    if n < (2 if cosine and kind == 1 else 1):
        raise ArgumentError(f"scipy.fft: invalid number of data points ({n}) specified")
    ends = _ends(cosine, kind) if (norm == "ortho" if orthogonalize is None else orthogonalize) else ((), ())
    if ends[0]:
        x = _scale_at(xp, x, ends[0], math.sqrt(2))
    y = (_cosine if cosine else _sine)(xp, x, kind)
    if ends[1]:
        y = _scale_at(xp, y, ends[1], math.sqrt(0.5))
    length = 2 * (n - 1 if cosine else n + 1) if kind == 1 else 2 * n
    scale = {"backward": 1.0, "ortho": length**-0.5, "forward": 1.0 / length}[norm]
    return xp.moveaxis(y if scale == 1.0 else y * scale, -1, axis)


def _ends(cosine: bool, kind: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return which elements of the input and of the output are scaled to make the matrix orthogonal."""
    if kind == 1:
        return ((0, -1), (0, -1)) if cosine else ((), ())
    place = (0,) if cosine else (-1,)
    return ((), place) if kind == 2 else (place, ()) if kind == 3 else ((), ())


def _make_transform(cosine: bool, inverse: bool) -> Callable[..., Any]:
    def transform(
        x: Any, type: int = 2, n: int | None = None, axis: int = -1, norm: str | None = None, overwrite_x: bool = False,
        workers: int | None = None, orthogonalize: bool | None = None,
    ) -> Any:  # fmt: skip
        norm = norm or "backward"
        kind, norm = (INVERSE.get(type, type), OPPOSITE[norm]) if inverse else (type, norm)
        return _transform(x, cosine, kind, n, axis, norm, orthogonalize)

    return transform


def _make_transform_of_axes(cosine: bool, inverse: bool) -> Callable[..., Any]:
    one = _make_transform(cosine, inverse)

    def transform(
        x: Any, type: int = 2, s: Any = None, axes: Any = None, norm: str | None = None, overwrite_x: bool = False,
        workers: int | None = None, orthogonalize: bool | None = None,
    ) -> Any:  # fmt: skip
        s = (s,) if isinstance(s, int) else s
        if axes is None:
            axes = range(x.ndim) if s is None else range(x.ndim - len(s), x.ndim)
        axes = (axes,) if isinstance(axes, int) else tuple(axes)
        for axis, n in zip(axes, (None,) * len(axes) if s is None else s, strict=True):
            x = one(x, type, n, axis, norm, orthogonalize=orthogonalize)
        return x

    return transform


# -- Fourier transforms ---------------------------------------------------------------------------------------------------
def _make_fourier(name: str) -> Callable[..., Any]:
    sizes = "s" if name[-1] in "n2" else "n"
    places = "axes" if sizes == "s" else "axis"
    usual: Any = {"n": None, "2": (-2, -1)}.get(name[-1], -1)

    def transform(
        x: Any, size: Any = None, where: Any = usual, norm: str | None = None,
        overwrite_x: bool = False, workers: int | None = None, *, plan: Any = None, **named: Any,
    ) -> Any:  # fmt: skip
        options = {sizes: size, places: where, "norm": norm or "backward"} | named
        if (
            sizes == "s" and options["s"] is not None and options["axes"] is None
        ):  # the last axes, which NumPy wants named
            options["axes"] = tuple(range(-len(options["s"]), 0))
        return getattr(x.__array_namespace__().fft, name)(x, **options)

    return transform


def _make_shift(name: str) -> Callable[..., Any]:
    return lambda x, axes=None: getattr(x.__array_namespace__().fft, name)(x, axes=axes)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "dct": _make_transform(True, False),
    "idct": _make_transform(True, True),
    "dst": _make_transform(False, False),
    "idst": _make_transform(False, True),
    "dctn": _make_transform_of_axes(True, False),
    "idctn": _make_transform_of_axes(True, True),
    "dstn": _make_transform_of_axes(False, False),
    "idstn": _make_transform_of_axes(False, True),
    **{
        f"{head}{name}{tail}": _make_fourier(f"{head}{name}{tail}")
        for head in ("", "i")
        for name in ("fft", "rfft", "hfft")
        for tail in ("", "2", "n")
    },
    "fftshift": _make_shift("fftshift"),
    "ifftshift": _make_shift("ifftshift"),
}
"""Functions by SciPy's name, with SciPy's parameters. ``overwrite_x``, ``workers`` and ``plan`` are about memory and speed: ignored."""
