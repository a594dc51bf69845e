"""Format the values of a Tensor as ``repr(torch.tensor(...))`` does, on plain Python values.

This module knows no array library. `format_tensor` asks a callback for the values that it shows,
as nested lists, so that printing a large (or lazy, or remote) array moves its corners only.

The rules, which are torch's:

- A tensor of more than ``threshold`` elements is summarised: along every axis longer than
  ``2 * edgeitems`` only the two ends are shown, with ``...`` between them.
- One number format and one width serve all the numbers shown (for complex, one for the real parts
  and one for the imaginary parts). They are chosen by the finite, nonzero values alone.
- Rows are wrapped at ``linewidth``, and so are the suffixes (``dtype=...``, ``grad_fn=...``).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

__all__ = ["format_tensor", "set_printoptions"]

Fetch = Callable[[tuple[slice | int, ...]], object]


@dataclass(frozen=True)
class _Options:
    """Settings of `set_printoptions`. Frozen, so that a format in progress sees one state of them."""

    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


_PROFILES = {
    "default": _Options(),
    "short": _Options(precision=2, edgeitems=2),
    "full": _Options(threshold=math.inf),
}

_options = _Options()


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how tensors print, as ``torch.set_printoptions`` does.

    Parameters
    ----------
    precision
        Digits after the decimal point (default 4).
    threshold
        A tensor of more elements than this is summarised (default 1000).
    edgeitems
        Elements kept at each end of a summarised axis (default 3).
    linewidth
        Characters in a line (default 80).
    profile
        "default", "short" or "full": resets the four above, before they are applied.
    sci_mode
        True or False forces scientific notation on or off; None lets the values choose. As in torch, every call sets it: leaving it out
        goes back to None.

    Raises
    ------
    ValueError
        `profile` is none of the three, or `edgeitems` is negative.
    """
    global _options  # noqa: PLW0603 (process-wide, as in torch)
    if profile is not None and profile not in _PROFILES:
        known = ", ".join(_PROFILES)
        msg = f"set_printoptions: profile={profile!r} is not one of {known}"
        raise ValueError(msg)
    if edgeitems is not None and edgeitems < 0:
        msg = f"set_printoptions: edgeitems={edgeitems} is negative; give 0 or more"
        raise ValueError(msg)
    base = _options if profile is None else _PROFILES[profile]
    given = {
        "precision": precision,
        "threshold": threshold,
        "edgeitems": edgeitems,
        "linewidth": linewidth,
    }
    changes: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    _options = replace(base, **changes, sci_mode=sci_mode)


def format_tensor(shape: tuple[int, ...], kind: str, fetch: Fetch, suffixes: list[str], *, name: str = "tensor") -> str:
    """Return the text of a tensor, such as ``tensor([1., 2.], requires_grad=True)``.

    Parameters
    ----------
    shape
        The tensor's shape.
    kind
        "bool", "int", "float" or "complex".
    fetch
        Function that gives ``x[key]`` as nested lists, or as a Python scalar for the key ``()``. The key has one slice (of step 1) for
        each axis. It is not called where no value is shown.
    suffixes
        Text after the values, already formatted: "dtype=float64", "requires_grad=True". The ``size=`` of an empty tensor that is not 1-d
        is added here, before them.
    name
        The word before the parenthesis; it also sets the indentation.

    Returns
    -------
    str
        The text.

    Raises
    ------
    ValueError
        `kind` is none of the four.
    """
    if kind not in ("bool", "int", "float", "complex"):
        msg = f"format_tensor: kind={kind!r} is not one of bool, int, float, complex"
        raise ValueError(msg)
    options = _options
    indent = len(name) + 1
    size = math.prod(shape)
    summarise = size > options.threshold
    # torch adds the size where the values cannot tell it. With no edge items a summary is only
    # dots, and torch then adds it to the tensors that are short enough to show as well.
    if (len(shape) != 1) if size == 0 else (options.edgeitems == 0):
        suffixes = [f"size={shape}", *suffixes]
    if size == 0:
        body = "[]"
    elif summarise and options.edgeitems == 0 and shape:
        body = "[...]"
    else:
        # An axis longer than twice `edge` is cut. Without a summary none is.
        edge = options.edgeitems if summarise else size
        values = _corners(shape, fetch, edge)
        style = _choose_style(list(_leaves(values, len(shape))), kind, options)
        body = _block(values, shape, indent, edge, style, options.linewidth)
    return _with_suffixes(f"{name}({body}", suffixes, indent, options.linewidth) + ")"


# ---- Fetching


def _corners(shape: tuple[int, ...], fetch: Fetch, edge: int) -> Any:
    """Return nested lists of what is shown: both ends of each long axis, side by side."""

    def gather(key: tuple[slice, ...]) -> Any:
        axis = len(key)
        if axis == len(shape):
            return fetch(key)
        length = shape[axis]
        if length <= 2 * edge:
            return gather((*key, slice(0, length)))
        head = gather((*key, slice(0, edge)))
        tail = gather((*key, slice(length - edge, length)))
        return _join(head, tail, axis)

    return gather(())


def _join(head: Any, tail: Any, axis: int) -> Any:
    """Concatenate two nested lists along an axis."""
    if axis == 0:
        return head + tail
    return [_join(h, t, axis - 1) for h, t in zip(head, tail, strict=True)]


def _leaves(values: Any, ndim: int) -> Iterator[Any]:
    if ndim == 0:
        yield values
    else:
        for value in values:
            yield from _leaves(value, ndim - 1)


# ---- Single elements


@dataclass(frozen=True)
class _Style:
    """Format of each element: a format spec, right-aligned in `width`."""

    width: int
    spec: str = ""
    trailing_point: bool = False

    def text(self, value: Any) -> str:
        text = format(value, self.spec) if self.spec else str(value)
        if self.trailing_point and math.isfinite(value):
            text += "."
        return text.rjust(self.width)


@dataclass(frozen=True)
class _ComplexStyle:
    """Format of the real and the imaginary parts, each aligned among themselves, as ``1.0000-2.0000j``."""

    real: _Style
    imag: _Style

    @property
    def width(self) -> int:
        return self.real.width + self.imag.width + 1

    def text(self, value: Any) -> str:
        imag = self.imag.text(value.imag).lstrip()
        sign = "" if imag.startswith("-") else "+"
        return f"{self.real.text(value.real)}{sign}{imag}j"


def _choose_style(values: list[Any], kind: str, options: _Options) -> _Style | _ComplexStyle:
    if kind == "complex":
        return _ComplexStyle(
            _float_style([value.real for value in values], options),
            _float_style([value.imag for value in values], options),
        )
    if kind == "float":
        return _float_style(values, options)
    return _Style(max((len(str(value)) for value in values), default=1))


def _float_style(values: list[float], options: _Options) -> _Style:
    telling = [value for value in values if value != 0 and math.isfinite(value)]
    if not telling:
        return _Style(1, ".0f", trailing_point=True)  # whatever sci_mode says, as in torch
    integral = all(value.is_integer() for value in telling)
    low, high = min(map(abs, telling)), max(map(abs, telling))
    scientific = options.sci_mode
    if scientific is None:
        scientific = high / low > 1000 or high > 1e8 or low < 1e-4
    if scientific:
        style = _Style(1, f".{options.precision}e")
    elif integral:
        style = _Style(1, ".0f", trailing_point=True)
    else:
        style = _Style(1, f".{options.precision}f")
    return replace(style, width=max(len(style.text(value)) for value in telling))


# ---- Layout


def _block(
    values: Any,
    shape: tuple[int, ...],
    indent: int,
    edge: int,
    style: _Style | _ComplexStyle,
    linewidth: int,
) -> str:
    """Return the text of `values`, the shown part of a sub-tensor; `indent` is its opening column."""
    if not shape:
        return style.text(values)
    dots = "..."
    if len(shape) == 1:
        items = [style.text(value) for value in values]
        dots = " ..."
    else:
        items = [_block(v, shape[1:], indent + 1, edge, style, linewidth) for v in values]
    if shape[0] > 2 * edge:
        items.insert(edge, dots)
    margin = " " * (indent + 1)
    if len(shape) == 1:
        count = max(1, (linewidth - indent) // (style.width + 2))
        items = [", ".join(items[i : i + count]) for i in range(0, len(items), count)]
    # A row's lines follow one another; n-dimensional blocks are n - 1 line ends apart.
    gap = "\n" * max(1, len(shape) - 1)
    return "[" + f",{gap}{margin}".join(items) + "]"


def _with_suffixes(text: str, suffixes: list[str], indent: int, linewidth: int) -> str:
    """Append the suffixes, each on the last line where it fits and else on a new one."""
    # One column more than the line has: torch's reckoning, which the tests hold.
    column = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if column + len(suffix) + 2 > linewidth:
            text += ",\n" + " " * indent + suffix
            column = indent + len(suffix)
        else:
            text += ", " + suffix
            column += len(suffix) + 2
    return text
