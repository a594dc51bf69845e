"""The Fourier transforms of the standard's ``fft`` extension, and torch's ``hfft2``, ``hfftn`` and their kin.

All of them are linear, and each is one call in the backward pass too. Let F be the transform without scaling, a symmetric matrix, and P
the operation that pads or cuts the input to length ``n``. The adjoint of ``scale F P`` is Pᴴ applied to ``scale conj(F)``. That is the
opposite transform with the same scale, which has "backward" and "forward" exchanged as its norm. In the transforms between real arrays
and half spectra an element may stand for two elements of the full spectrum. Hence the weights: a half on the way back from ``rfft``, two
on the way back from ``irfft``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .declare import composite, linear
from .helpers import cast, conj, slice_axis
from .vmap import forms

Axes = Sequence[int] | int | None
OPPOSITE = {"backward": "forward", "forward": "backward", "ortho": "ortho"}


def _resize(xp: Any, x: Any, axis: int, n: int) -> Any:
    """Cut ``x``, or pad it with zeros, to length n along an axis: this undoes the padding, or cutting, before a transform."""
    have = x.shape[axis]
    if have == n:
        return x
    if have > n:
        return slice_axis(x, axis, 0, n)
    # The zeros are made from a piece of x, and so they are on its device.
    zeros = xp.broadcast_to(xp.zeros_like(slice_axis(x, axis, 0, 1)), (*x.shape[:axis], n - have, *x.shape[axis + 1 :]))
    return xp.concat([x, zeros], axis=axis)


def _restore(xp: Any, g: Any, axes: Sequence[int], shape: tuple[int, ...], dtype: Any) -> Any:
    """Return a cotangent in the shape and dtype of the input."""
    for axis in axes:
        g = _resize(xp, g, axis, shape[axis])
    return cast(xp, g, dtype)


def _weigh_half(xp: Any, g: Any, axis: int, n: int, weight: float) -> Any:
    """Multiply the elements of a half spectrum, of a transform of length n, that stand for themselves and their mirror images."""
    stop = (n + 1) // 2  # for even n the last element is its own mirror image, like the first one
    parts = [slice_axis(g, axis, 0, 1), slice_axis(g, axis, 1, stop) * weight, slice_axis(g, axis, stop, n // 2 + 1)]
    parts = [part for part in parts if part.shape[axis]]
    return xp.concat(parts, axis=axis) if len(parts) > 1 else parts[0]


def _list_axes(axes: Axes, s: Sequence[int] | None, ndim: int) -> list[int]:
    """Return the axes of a transform, counted from the front."""
    if axes is None:
        return list(range(0 if s is None else ndim - len(s), ndim))
    return [axis % ndim for axis in ((axes,) if isinstance(axes, int) else axes)]


def _length(n: int | None, length: int) -> int:
    """Return the length of a transform; NumPy and torch take -1 for "as it is"."""
    return length if n is None or n == -1 else n


# -- one axis ---------------------------------------------------------------------------------------------------------
def _opposite(name: str) -> Callable[..., Any]:
    """Return the adjoint of a transform from complex to complex, which is the transform ``name``."""

    def transpose(xp: Any, g: Any, *, x_shape: tuple[int, ...], x_dtype: Any, axis: int, norm: str) -> Any:
        out = getattr(xp.fft, name)(g, axis=axis, norm=OPPOSITE[norm or "backward"])
        return _restore(xp, out, [axis % g.ndim], x_shape, x_dtype)

    return transpose


def _to_real(name: str) -> Callable[..., Any]:
    """Return the adjoint of a transform from real to a half spectrum: the transform ``name``, back to real."""

    def transpose(
        xp: Any, g: Any, *, x_shape: tuple[int, ...], x_dtype: Any, n: int | None, axis: int, norm: str
    ) -> Any:
        axis %= g.ndim
        n = _length(n, x_shape[axis])
        out = getattr(xp.fft, name)(_weigh_half(xp, g, axis, n, 0.5), n=n, axis=axis, norm=OPPOSITE[norm or "backward"])
        return _restore(xp, out, [axis], x_shape, x_dtype)

    return transpose


def _to_half(name: str) -> Callable[..., Any]:
    """Return the adjoint of a transform from a half spectrum to real: the transform ``name``, to a half spectrum."""

    def transpose(xp: Any, g: Any, *, x_shape: tuple[int, ...], x_dtype: Any, axis: int, norm: str) -> Any:
        axis %= g.ndim
        out = getattr(xp.fft, name)(g, axis=axis, norm=OPPOSITE[norm or "backward"])
        return _restore(xp, _weigh_half(xp, out, axis, g.shape[axis], 2.0), [axis], x_shape, x_dtype)

    return transpose


ONE = '(x, /, *, n=None, axis=-1, norm="backward")'
fft = linear("fft.fft" + ONE, _opposite("ifft"), node="FftC2CBackward0", batch=forms.along)
ifft = linear("fft.ifft" + ONE, _opposite("fft"), node="FftC2CBackward0", batch=forms.along)
rfft = linear("fft.rfft" + ONE, _to_real("irfft"), node="FftR2CBackward0", batch=forms.along)
irfft = linear("fft.irfft" + ONE, _to_half("rfft"), node="FftC2RBackward0", batch=forms.along)
# hfft(x) is irfft(conj(x)) and ihfft(x) is conj(rfft(x)), both with the opposite norm. Their rules have two conjugations more,
# which turn rfft into ihfft and irfft into hfft.
hfft = linear("fft.hfft" + ONE, _to_half("ihfft"), node="FftC2RBackward0", batch=forms.along)
ihfft = linear("fft.ihfft" + ONE, _to_real("hfft"), node="ConjBackward0", batch=forms.along)


# -- several axes -----------------------------------------------------------------------------------------------------
def _opposite_n(name: str) -> Callable[..., Any]:
    def transpose(xp: Any, g: Any, *, x_shape: tuple[int, ...], x_dtype: Any, s: Any, axes: Axes, norm: str) -> Any:
        places = _list_axes(axes, s, g.ndim)
        out = getattr(xp.fft, name)(g, axes=tuple(places), norm=OPPOSITE[norm or "backward"])
        return _restore(xp, out, places, x_shape, x_dtype)

    return transpose


def _to_real_n(name: str) -> Callable[..., Any]:
    def transpose(xp: Any, g: Any, *, x_shape: tuple[int, ...], x_dtype: Any, s: Any, axes: Axes, norm: str) -> Any:
        places = _list_axes(axes, s, g.ndim)
        last = places[-1]
        n = _length(None if s is None else s[-1], x_shape[last])
        sizes = (*[g.shape[axis] for axis in places[:-1]], n)
        g = _weigh_half(xp, g, last, n, 0.5)
        out = getattr(xp.fft, name)(g, s=sizes, axes=tuple(places), norm=OPPOSITE[norm or "backward"])
        return _restore(xp, out, places, x_shape, x_dtype)

    return transpose


def _to_half_n(name: str) -> Callable[..., Any]:
    def transpose(xp: Any, g: Any, *, x_shape: tuple[int, ...], x_dtype: Any, s: Any, axes: Axes, norm: str) -> Any:
        places = _list_axes(axes, s, g.ndim)
        out = getattr(xp.fft, name)(g, axes=tuple(places), norm=OPPOSITE[norm or "backward"])
        return _restore(xp, _weigh_half(xp, out, places[-1], g.shape[places[-1]], 2.0), places, x_shape, x_dtype)

    return transpose


def _hfftn(xp: Any, x: Any, *, s: Any = None, axes: Axes = None, norm: str = "backward") -> Any:
    given = {} if s is None else {"s": s}
    return xp.fft.irfftn(conj(xp, x), axes=tuple(_list_axes(axes, s, x.ndim)), norm=OPPOSITE[norm], **given)


def _ihfftn(xp: Any, x: Any, *, s: Any = None, axes: Axes = None, norm: str = "backward") -> Any:
    given = {} if s is None else {"s": s}
    return xp.conj(xp.fft.rfftn(x, axes=tuple(_list_axes(axes, s, x.ndim)), norm=OPPOSITE[norm], **given))


MANY = '(x, /, *, s=None, axes=None, norm="backward")'
fftn = linear("fft.fftn" + MANY, _opposite_n("ifftn"), node="FftC2CBackward0", batch=forms.several_axes)
ifftn = linear("fft.ifftn" + MANY, _opposite_n("fftn"), node="FftC2CBackward0", batch=forms.several_axes)
rfftn = linear("fft.rfftn" + MANY, _to_real_n("irfftn"), node="FftR2CBackward0", batch=forms.several_axes)
irfftn = linear("fft.irfftn" + MANY, _to_half_n("rfftn"), node="FftC2RBackward0", batch=forms.several_axes)
hfftn = linear(
    "fft.hfftn" + MANY, _to_half_n("ihfftn"), default=_hfftn, node="FftC2RBackward0", batch=forms.several_axes
)
ihfftn = linear(
    "fft.ihfftn" + MANY, _to_real_n("hfftn"), default=_ihfftn, node="FftC2CBackward0", batch=forms.several_axes
)


def _declare_plane(name: str) -> None:
    """Declare ``name`` of torch and NumPy, a transform over two axes, by default the last two."""

    def body(xp: Any, x: Any, *, s: Any = None, axes: Any = (-2, -1), norm: str = "backward") -> Any:
        return getattr(xp.fft, name[:-1] + "n")(x, s=s, axes=axes, norm=norm)

    doc = f"As ``{name[:-1]}n``, over two axes."
    composite(f'fft.{name}(x, /, *, s=None, axes=(-2, -1), norm="backward")', body, doc=doc)


for _name in ("fft2", "ifft2", "rfft2", "irfft2", "hfft2", "ihfft2"):
    _declare_plane(_name)

# -- order ------------------------------------------------------------------------------------------------------------
fftshift = linear(
    "fft.fftshift(x, /, *, axes=None)",
    lambda xp, g, *, axes: xp.fft.ifftshift(g, axes=axes),
    node="RollBackward0",
    batch=forms.several_axes,
)
ifftshift = linear(
    "fft.ifftshift(x, /, *, axes=None)",
    lambda xp, g, *, axes: xp.fft.fftshift(g, axes=axes),
    node="RollBackward0",
    batch=forms.several_axes,
)
