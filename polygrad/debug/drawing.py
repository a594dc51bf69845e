"""Draw a graph by Graphviz, through the package ``graphviz``, or as Mermaid, which is text that many pages render.

Values flow from the top to the bottom. Boxes are Tensors (leaves that require grad, and outputs), rounded boxes are operations.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..backend.dtypes import dtype_name
from ..core.graph import Node, OutputNode, nodes_below
from ..core.sites import site_of
from ..core.tensor import Tensor, edge_of
from ..errors import ArgumentError, MissingError, ShapeError, describe
from ..rules.declare import broadcast_shapes
from .saving import list_entries

FORMATS = ("svg", "png", "pdf")
"""Suffixes of the files that Graphviz renders. Its source has ``.dot`` or ``.gv``, Mermaid's ``.mmd``."""
COLOURS = {"leaf": "#cfe8fc", "operation": "#eeeeee", "output": "#d5f0d0", "saved": "#fde8c8"}
SHAPES = {"leaf": "box", "operation": "box", "output": "box", "saved": "note"}


@dataclass
class Box:
    """One thing in the picture: a leaf, an operation, an output, or an array that an operation keeps."""

    kind: str
    lines: list[str]


@dataclass
class Drawing:
    """Picture of a graph. ``dot`` and ``mermaid`` are its text, ``render`` writes a file, a notebook shows it."""

    boxes: dict[str, Box] = field(default_factory=dict)
    arrows: list[tuple[str, str, str]] = field(default_factory=list)
    """The name of a box, that of another, and the label between them."""

    def graphviz(self) -> Any:
        """Return the picture as a ``graphviz.Digraph``.

        Raises
        ------
        MissingError
            The package ``graphviz`` is not installed.
        """
        try:
            import graphviz
        except ImportError as error:
            raise MissingError(
                "draw: Graphviz's source is made by the Python package graphviz, which is not installed; pip install graphviz, or "
                "take .mermaid, which needs nothing"
            ) from error
        picture = graphviz.Digraph("polygrad")
        picture.attr("node", style="filled", fontname="Helvetica", fontsize="11", height="0.3", margin="0.12,0.06")
        picture.attr("edge", fontname="Helvetica", fontsize="9", arrowsize="0.7")
        for name, box in self.boxes.items():
            style = "filled,rounded" if box.kind == "operation" else "filled"
            label = graphviz.escape("\n".join(box.lines)).replace("\n", "\\n")
            picture.node(name, label, shape=SHAPES[box.kind], style=style, fillcolor=COLOURS[box.kind])
        for tail, head, text in self.arrows:
            style = "dashed" if self.boxes[tail].kind == "saved" else "solid"
            picture.edge(tail, head, label=graphviz.escape(f" {text} ") if text else None, style=style)
        return picture

    @property
    def dot(self) -> str:
        """Graphviz's source. It needs the package ``graphviz``, and no more than that."""
        return str(self.graphviz().source)

    @property
    def mermaid(self) -> str:
        """Mermaid's text, for a Markdown page (in a block marked ``mermaid``) or https://mermaid.live."""
        lines = ["flowchart TD"]
        for name, box in self.boxes.items():
            text = "<br/>".join(
                [line.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;") for line in box.lines]
            )
            left, right = ("(", ")") if box.kind == "operation" else ("[/", "/]") if box.kind == "saved" else ("[", "]")
            lines.append(f'    {name}{left}"{text}"{right}:::{box.kind}')
        for tail, head, text in self.arrows:
            arrow = "-.->" if self.boxes[tail].kind == "saved" else "-->"
            lines.append(f"    {tail} {arrow}{f'|{text}|' if text else ''} {head}")
        lines += [f"    classDef {kind} fill:{colour},stroke:#888,color:#000" for kind, colour in COLOURS.items()]
        return "\n".join(lines) + "\n"

    def render(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture to a file, in the format that its suffix names.

        Parameters
        ----------
        path
            A name that ends in .svg, .png or .pdf, or for text in .dot, .gv or .mmd.

        Returns
        -------
        pathlib.Path
            The path.

        Raises
        ------
        ArgumentError
            The suffix is another one.
        MissingError
            The package ``graphviz`` or the program Graphviz is not installed.
        """
        path = Path(path)
        suffix = path.suffix.removeprefix(".").lower()
        if suffix == "mmd":
            path.write_text(self.mermaid, encoding="utf-8")
        elif suffix in ("dot", "gv"):
            path.write_text(self.dot, encoding="utf-8")
        elif suffix in FORMATS:
            path.write_bytes(self._render(suffix))
        else:
            raise ArgumentError(
                f"draw: the name {path.name!r} has to end in one of .{', .'.join((*FORMATS, 'dot', 'gv', 'mmd'))}"
            )
        return path

    def _render(self, kind: str) -> bytes:
        picture = self.graphviz()
        import graphviz

        try:
            return bytes(picture.pipe(format=kind))
        except graphviz.ExecutableNotFound as error:
            raise MissingError(
                f"draw: {kind} is rendered by the program Graphviz (dot), which was not found; install it (apt install graphviz, "
                f"brew install graphviz), or take .dot or .mermaid, which are text"
            ) from error

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        bundle = {"text/plain": str(self), "text/vnd.mermaid": self.mermaid}
        with suppress(MissingError):  # Mermaid and the text suffice
            bundle["image/svg+xml"] = self._render("svg").decode()
        return bundle

    def __str__(self) -> str:
        return self.mermaid


def draw(outputs: Any, params: Any = None, *, saved: bool = False) -> Drawing:
    """Draw the graph of ``outputs``.

    Parameters
    ----------
    outputs
        A Tensor or a sequence of Tensors.
    params
        Names of Tensors, leaves or results: a mapping, a sequence, or an object with ``named_parameters()``.
    saved
        Show also the arrays that operations keep for the backward pass.

    Returns
    -------
    Drawing
        Its shapes are those that the graph knows. Lines of code are shown for what was recorded in anomaly mode.

    Raises
    ------
    ArgumentError
        ``outputs`` or one of ``params`` is no Tensor.

    Examples
    --------
    >>> picture = polygrad.graph.draw(loss, params={"weight": weight, "bias": bias})
    >>> picture.render("graph.svg")
    """
    chosen = [outputs] if isinstance(outputs, Tensor) else list(outputs) if isinstance(outputs, (list, tuple)) else []
    if not chosen or not all(isinstance(output, Tensor) for output in chosen):
        raise ArgumentError(f"draw: expected a Tensor or a sequence of Tensors, got {describe(outputs)}")
    names = _names(params)
    picture = Drawing()
    nodes = nodes_below([edge_of(output) for output in chosen])[::-1]
    shapes = _shapes(nodes)
    numbers: dict[Any, str] = {}
    for node in nodes:
        name = numbers[node] = f"n{len(numbers)}"
        lines = [*names.get(node, []), node.name()]
        if shapes.get(node) is not None:
            lines.append(_shape(shapes[node]))
        site = site_of(node)
        if site is not None:
            lines.append(f"{Path(site.file).name}:{site.line}")
        for edge in node.edges:
            if isinstance(edge, Tensor) and edge not in numbers:
                numbers[edge] = f"n{len(numbers)}"
                picture.boxes[numbers[edge]] = _leaf(edge, names)
        picture.boxes[name] = Box("operation", lines)
        for edge in node.edges:
            if edge is not None:
                picture.arrows.append((numbers[_source(edge)], name, _number(edge)))
        if saved:
            _draw_saved(picture, node, name)
    for i, output in enumerate(chosen):
        source = edge_of(output)
        if output.is_leaf:
            picture.boxes.setdefault(numbers.setdefault(output, f"n{len(numbers)}"), _leaf(output, names))
            continue
        title = " / ".join(names.get(source, [])) or ("output" if len(chosen) == 1 else f"output {i}")
        picture.boxes[f"out{i}"] = Box("output", [title, _facts(output)])
        picture.arrows.append((numbers[_source(source)], f"out{i}", _number(source)))
    return picture


def _names(params: Any) -> dict[Any, list[str]]:
    """Return the names of the Tensors, by edge."""
    if params is None:
        return {}
    if hasattr(params, "named_parameters"):
        params = dict(params.named_parameters())
    pairs: Iterable[tuple[Any, Any]]
    pairs = (
        params.items() if isinstance(params, Mapping) else [(f"params[{i}]", tensor) for i, tensor in enumerate(params)]
    )
    names: dict[Any, list[str]] = {}
    for name, tensor in pairs:
        if not isinstance(tensor, Tensor):
            raise ArgumentError(f"draw: params[{name!r}] has to be a Tensor, got {describe(tensor)}")
        edge = edge_of(tensor)
        if edge is not None:
            names.setdefault(edge, []).append(str(name))
    return names


def _leaf(tensor: Tensor, names: dict[Any, list[str]]) -> Box:
    return Box("leaf", [" / ".join(names.get(tensor, [])) or "leaf", _facts(tensor)])


def _facts(tensor: Any) -> str:
    return f"{_shape(tensor.shape)} {dtype_name(tensor.dtype)}"


def _shape(shape: Any) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def _source(edge: Any) -> Any:
    """Return the leaf or the node that an edge comes from."""
    return edge.edges[0] if type(edge) is OutputNode else edge


def _number(edge: Any) -> str:
    return f"output {edge.index}" if type(edge) is OutputNode else ""


def _draw_saved(picture: Drawing, node: Node, name: str) -> None:
    for i, entry in enumerate(list_entries(node, set())):
        picture.boxes[f"{name}s{i}"] = Box("saved", [entry.what, f"{_shape(entry.shape)} {entry.dtype}"])
        picture.arrows.append((f"{name}s{i}", name, ""))


# -- shapes -----------------------------------------------------------------------------------------------------------
def _shapes(nodes: list[Node]) -> dict[Any, tuple[int, ...] | None]:
    """Return the shapes of the results, as far as the nodes know them. ``nodes`` go from inputs to outputs.

    The arrays that an operation keeps tell the shapes of its inputs and its result; the facts that it keeps tell some more.
    """
    shapes: dict[Any, tuple[int, ...] | None] = {}
    for node in nodes:  # facts of the node itself and of its inputs
        op, static, values = getattr(node, "op", None), node.static, node.saved or ()
        for position, value in zip(node.saves, values, strict=False):
            if position is not None and hasattr(value, "shape"):
                edge = (
                    node
                    if position == -1 and node.outputs == 1
                    else node.edges[position]
                    if 0 <= position < len(node.edges)
                    else None
                )
                _learn(shapes, edge, value.shape)
        if op is None:
            continue
        if isinstance(static, dict):
            for i, array in enumerate(op.arrays[: len(node.edges)]):
                _learn(shapes, node.edges[i], static.get(f"{array}_shape"))
            _learn(shapes, node, static.get("out_shape"))
        elif op.form == "elementwise" and isinstance(static, tuple):
            for edge, shape in zip(node.edges, static, strict=True):
                _learn(shapes, edge, shape)
    for node in nodes:  # the result of an elementwise operation has the shape that its inputs broadcast to
        op = getattr(node, "op", None)
        if op is None or op.form != "elementwise" or shapes.get(node) is not None:
            continue
        known = [
            tuple(edge.shape) if isinstance(edge, Tensor) else shapes.get(edge)
            for edge in node.edges
            if edge is not None
        ]
        if isinstance(node.static, tuple):
            known = [tuple(shape) for shape in node.static]
        try:
            if known and None not in known and (len(known) == len(node.edges) or node.static is None):
                _learn(shapes, node, broadcast_shapes(*known))  # type: ignore[arg-type]
        except ShapeError:
            pass
    return shapes


def _learn(shapes: dict[Any, tuple[int, ...] | None], edge: Any, shape: Any) -> None:
    if isinstance(edge, Node) and isinstance(shape, tuple) and shapes.get(edge) is None:
        shapes[edge] = tuple(shape)
