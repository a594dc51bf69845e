"""Show a Tensor as text and in notebooks: torch's format, with the backend's dtypes."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from ..backend.dtypes import dtype_name
from ..errors import describe
from .printing import format_tensor

if TYPE_CHECKING:
    from ..core.tensor import Tensor


def tensor_repr(tensor: Tensor) -> str:
    """Return what a Tensor prints, as torch prints it: values to four digits, then what is not the default.

    The dtype is shown unless it is one that literals give: the backend's default of its kind, or float32 and complex64, which torch
    leaves out.
    """
    backend = tensor._frame.backend
    kind = tensor._kind()
    suffixes = []
    default = {"bool": "bool", "int": "integral", "float": "real floating", "complex": "complex floating"}[kind]
    name = dtype_name(tensor.dtype)
    if (tensor.dtype != backend.default_dtype(default) and name not in ("float32", "complex64")) or (
        tensor.size == 0 and kind != "float"
    ):
        suffixes.append(f"dtype={name}")
    if tensor._frame.level:
        suffixes.append(f"level={tensor._frame.level}")
    node = tensor.grad_fn
    if node is not None:
        suffixes.append(f"grad_fn=<{node.name()}>")
    elif tensor.requires_grad:
        suffixes.append("requires_grad=True")
    data = tensor
    while data._frame.lifted:
        data = data._data
    if not backend.concrete(data._data):
        return f"tensor({', '.join([f'<traced {describe(tensor)}>', *suffixes])})"
    return format_tensor(
        tuple(tensor.shape), kind, lambda key: backend.to_host(data._data[key] if key else data._data), suffixes
    )


def tensor_html(tensor: Tensor) -> str:
    """Return what a notebook shows of a Tensor: its text, and a line with shape, dtype, device and place in the graph."""
    node, shape = tensor.grad_fn, tuple(tensor.shape)
    facts = [f"shape {shape}", dtype_name(tensor.dtype), f"{tensor.backend} on {tensor.device}"]
    if node is not None:
        facts.append(f"made by {node.name()}" + (", retains its gradient" if tensor.retains_grad else ""))
    elif tensor.requires_grad:
        facts.append(f"leaf that requires grad, {'no gradient yet' if tensor.grad is None else 'has a gradient'}")
    else:
        facts.append("outside the graph")
    line = escape(" · ".join(facts))
    return f"<pre>{escape(repr(tensor))}</pre><small>{line}</small>"
