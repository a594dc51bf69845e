"""Discrete Fourier transforms."""

from __future__ import annotations

from .case import case
from .samples import A, calls

COMPLEX = ("complex128",)
_one = (
    (A(4),),
    (A(5),),
    (A(2, 4), {"axis": 0}),
    (A(2, 4), {"n": 6}),
    (A(2, 4), {"n": 3, "norm": "ortho"}),
    (A(3, 2), {"axis": 0, "norm": "forward"}),
    (A(4, 3), {"axis": 0, "_layout": "strided"}),
)
_many = (
    (A(2, 4),),
    (A(2, 3, 4), {"axes": (1, 2)}),
    (A(2, 4), {"s": (3, 4), "axes": (0, 1)}),
    (A(2, 4), {"norm": "ortho"}),
    (A(3, 4), {"axes": (1, 0), "norm": "forward"}),
)
_half = (
    (A(4),),
    (A(3),),
    (A(2, 4), {"n": 5}),
    (A(2, 4), {"n": 6, "norm": "ortho"}),
    (A(3, 2), {"axis": 0, "norm": "forward"}),
)
for _name in ("fft", "ifft"):
    case(f"fft.{_name}", f"torch.fft.{_name}(x, n, axis, norm)", calls(*_one))
for _name in ("rfft", "ihfft"):
    case(f"fft.{_name}", f"torch.fft.{_name}(x, n, axis, norm)", calls(*_one), dtypes=("float64",))
for _name in ("irfft", "hfft"):
    case(f"fft.{_name}", f"torch.fft.{_name}(x, n, axis, norm)", calls(*_half), dtypes=COMPLEX)
for _suffix, _calls in (
    ("n", _many),
    ("2", ((A(2, 4),), (A(2, 3, 4), {"axes": (0, 1)}), (A(2, 4), {"s": (3, 4)}), (A(2, 4), {"norm": "ortho"}))),
):
    for _name in ("fft", "ifft"):
        case(f"fft.{_name}{_suffix}", f"torch.fft.{_name}{_suffix}(x, s, axes, norm)", calls(*_calls))
    for _name in ("rfft", "ihfft"):
        case(
            f"fft.{_name}{_suffix}",
            f"torch.fft.{_name}{_suffix}(x, s, axes, norm)",
            calls(*_calls),
            dtypes=("float64",),
        )
    for _name in ("irfft", "hfft"):
        case(f"fft.{_name}{_suffix}", f"torch.fft.{_name}{_suffix}(x, s, axes, norm)", calls(*_calls), dtypes=COMPLEX)
for _name in ("fftshift", "ifftshift"):
    case(
        f"fft.{_name}",
        f"torch.fft.{_name}(x, axes)",
        calls((A(5),), (A(2, 3), {"axes": 1}), (A(2, 3),), (A(4, 3), {"axes": (0, -1)})),
    )
