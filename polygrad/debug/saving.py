"""List what a graph keeps for its backward pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ..backend.dtypes import dtype_name
from ..core.graph import Node, nodes_below
from ..core.sites import Site, site_of
from ..core.tensor import Tensor, constant, edge_of
from ..errors import ArgumentError, describe
from .tables import format_size, format_table


@dataclass(frozen=True)
class Saved:
    """One array that a node keeps."""

    op: str
    """The name of the node, such as ``MulBackward0``."""
    what: str
    """The name of an input, or ``result``."""
    shape: tuple[int, ...]
    dtype: str
    bytes: int
    site: Site | None
    """The line that called the operation, if it was recorded in anomaly mode."""
    shared: bool
    """True if an array further up in the list is the same one, so that this one costs nothing."""
    node: Node


class SavedValues(list[Saved]):
    """List of what a graph keeps, newest node first, that prints as a table."""

    @property
    def bytes(self) -> int:
        """The size of all arrays, each counted once."""
        return sum(entry.bytes for entry in self if not entry.shared)

    def __str__(self) -> str:
        rows = [
            [
                entry.op,
                entry.what,
                str(entry.shape),
                entry.dtype,
                "same" if entry.shared else format_size(entry.bytes),
                "" if entry.site is None else f"{entry.site.file}:{entry.site.line}",
            ]
            for entry in self
        ]
        known = any(row[-1] for row in rows)
        titles = ["operation", "keeps", "shape", "dtype", "bytes", "line"]
        if not known:
            titles, rows = titles[:-1], [row[:-1] for row in rows]
        arrays = sum(not entry.shared for entry in self)
        text = f"{format_table(titles, rows, right=(4,))}\n{format_size(self.bytes)} in {arrays} array{'' if arrays == 1 else 's'}"
        if self and not known:
            text += "; what is recorded inside polygrad.autograd.detect_anomaly() is listed with its line"
        return text


def saved(outputs: Tensor | Iterable[Tensor]) -> SavedValues:
    """Return the arrays that the graph of ``outputs`` keeps for a backward pass.

    What a backward pass has freed is gone from the list. An array that a node keeps may belong to a Tensor that is there anyway, such as a
    leaf; then keeping it costs nothing.

    Parameters
    ----------
    outputs
        A Tensor or a sequence of Tensors.

    Returns
    -------
    SavedValues
        Operation, line, shape, dtype and bytes of each array.

    Raises
    ------
    ArgumentError
        ``outputs`` is no Tensor and no sequence of Tensors.
    """
    chosen: list[Any] = (
        [outputs] if isinstance(outputs, Tensor) else list(outputs) if hasattr(outputs, "__iter__") else [outputs]
    )
    for output in chosen:
        if not isinstance(output, Tensor):
            raise ArgumentError(f"saved: expected a Tensor or several, got {describe(output)}")
    found = SavedValues()
    seen: set[int] = set()
    for node in nodes_below([edge_of(output) for output in chosen]):
        found.extend(list_entries(node, seen))
    return found


def list_entries(node: Node, seen: set[int]) -> Iterator[Saved]:
    """Yield the arrays that one node keeps; ``seen`` holds the identities of those that were listed before."""
    values = node.saved or ()
    declared = (
        [] if getattr(node, "op", None) is None else [position for position in node.saves if position is not None]
    )
    places = [position if position >= 0 else len(node.edges) - position for position in declared]
    # Inputs come in their order, then results. Operations of the user's own name nothing.
    for i in sorted(range(len(values)), key=lambda i: places[i] if i < len(places) else i):
        value = values[i]
        if not hasattr(value, "shape") or not hasattr(value, "dtype"):
            continue  # a number, or the result of a pack hook
        tensor = value if isinstance(value, Tensor) else constant(value, node.frame)
        while isinstance(tensor._data, Tensor):
            tensor = tensor._data
        key = id(tensor._data)
        yield Saved(
            node.name(),
            _what(node, i),
            tuple(tensor.shape),
            dtype_name(tensor.dtype),
            tensor.nbytes,
            site_of(node),
            key in seen,
            node,
        )
        seen.add(key)


def _what(node: Any, i: int) -> str:
    """Return the name of the i-th saved array, if the operation is a declared one."""
    op = getattr(node, "op", None)
    if op is None or i >= len(node.saves):
        return f"value {i}"
    position = node.saves[i]
    if position >= 0:
        return f"arrays[{position}]" if op.sequence else str(op.arrays[position])
    return str(op.outputs[-1 - position]) if op.outputs else "result"
