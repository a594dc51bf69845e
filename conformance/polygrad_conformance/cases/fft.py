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
_three = (
    (A(3, 4, 5), {"axis": 1, "norm": "ortho"}),
    (A(3, 4, 5), {"axis": -3, "norm": "forward", "n": 5}),
    (A(3, 4, 5), {"n": 4}),
)
_short = (*_three, *[(A(3, 4, 5), {"n": n}) for n in (1, 2, 3)])
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
_real = (A(3, 4, 5, dtype="float64"), {"_note": "real"})
_several = (
    (A(3, 4, 5),),
    (A(3, 4, 5), {"axes": (2, 0), "norm": "ortho"}),
    (A(3, 4, 5), {"axes": (0, -1), "s": (5, 4), "norm": "forward"}),
    (A(3, 4, 5), {"axes": (-2,), "s": (3,)}),
)
for _name in ("fft", "ifft"):
    case(f"fft.{_name}", f"torch.fft.{_name}(x, n, axis, norm)", calls(*_one, *_three))
for _name in ("rfft", "ihfft"):
    case(f"fft.{_name}", f"torch.fft.{_name}(x, n, axis, norm)", calls(*_one, *_short), dtypes=("float64",))
for _name in ("irfft", "hfft"):
    case(
        f"fft.{_name}",
        f"torch.fft.{_name}(x, n, axis, norm)",
        calls(*_half, *_short, (A(3, 4, 5), {"n": 10, "norm": "forward"}), _real),
        dtypes=COMPLEX,
    )
for _suffix, _calls in (
    ("n", (*_many, *_several)),
    (
        "2",
        (
            *[(A(2, 4),), (A(2, 3, 4), {"axes": (0, 1)}), (A(2, 4), {"s": (3, 4)}), (A(2, 4), {"norm": "ortho"})],
            *[(A(3, 4, 5),), (A(3, 4, 5), {"axes": (0, 1), "s": (2, 7), "norm": "ortho"})],
        ),
    ),
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
        case(
            f"fft.{_name}{_suffix}",
            f"torch.fft.{_name}{_suffix}(x, s, axes, norm)",
            calls(*_calls, *([_real] if (_name, _suffix) == ("irfft", "n") else [])),
            dtypes=COMPLEX,
        )
for _name in ("fftshift", "ifftshift"):
    case(
        f"fft.{_name}",
        f"torch.fft.{_name}(x, axes)",
        calls((A(5),), (A(2, 3), {"axes": 1}), (A(2, 3),), (A(4, 3), {"axes": (0, -1)})),
    )
