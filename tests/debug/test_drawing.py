"""Pictures of a graph: which boxes and arrows there are, that Graphviz takes them, and what is raised."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

import polygrad as pg
from polygrad.debug.drawing import Drawing
from polygrad.errors import ArgumentError, MissingError


def labels(picture: Drawing, kind: str) -> list[list[str]]:
    return [box.lines for box in picture.boxes.values() if box.kind == kind]


def arrows(picture: Drawing) -> set[tuple[str, str]]:
    """From and to, by the first line of the labels."""
    return {(picture.boxes[tail].lines[0], picture.boxes[head].lines[0]) for tail, head, _ in picture.arrows}


def network() -> tuple[pg.Tensor, dict[str, pg.Tensor]]:
    w, b = pg.ones((3, 4), dtype=pg.float32, requires_grad=True), pg.ones(3, dtype=pg.float32, requires_grad=True)
    h = pg.tanh(pg.ones((5, 4), dtype=pg.float32) @ w.T + b)
    return (h * h).sum(), {"weight": w, "bias": b, "hidden": h}


class TestWhatIsDrawn:
    def test_boxes_and_arrows(self, backend: str) -> None:
        loss, params = network()
        picture = pg.graph.draw(loss, params=params)
        assert sorted(labels(picture, "leaf")) == [["bias", "(3,) float32"], ["weight", "(3, 4) float32"]]
        assert labels(picture, "output") == [["output", "() float32"]]
        assert [lines[:2] for lines in labels(picture, "operation")][-3:] == [
            ["hidden", "TanhBackward0"],
            ["MulBackward0", "(5, 3)"],
            ["SumBackward0"],
        ]
        assert arrows(picture) == {
            ("weight", "PermuteBackward0"), ("PermuteBackward0", "MmBackward0"), ("MmBackward0", "AddBackward0"),
            ("bias", "AddBackward0"), ("AddBackward0", "hidden"), ("hidden", "MulBackward0"), ("MulBackward0", "SumBackward0"),
            ("SumBackward0", "output"),
        }  # fmt: skip
        # h * h uses h twice
        assert len(picture.arrows) == 9

    def test_what_is_saved(self, backend: str) -> None:
        x = pg.ones(3, dtype=pg.float32, requires_grad=True)
        y = x.exp()
        assert labels(pg.graph.draw(y), "saved") == []
        picture = pg.graph.draw(y, saved=True)
        assert labels(picture, "saved") == [["result", "(3,) float32"]]
        assert ("result", "ExpBackward0") in arrows(picture)

    def test_lines_where_they_are_known(self, backend: str) -> None:
        x = pg.ones(3, requires_grad=True)
        with pg.autograd.detect_anomaly():
            y = x.exp()
        (lines,) = labels(pg.graph.draw(y), "operation")
        assert lines[:2] == ["ExpBackward0", "(3,)"]
        assert lines[2].startswith("test_drawing.py:")

    def test_several_outputs_of_an_operation(self, backend: str) -> None:
        x = pg.tensor([[2.0, 0.0], [0.0, 3.0]], requires_grad=True)
        try:
            q, r = pg.linalg.qr(x)
        except pg.errors.UnsupportedError as error:
            pytest.skip(str(error))
        picture = pg.graph.draw([q, r])
        assert [lines[0] for lines in labels(picture, "output")] == ["output 0", "output 1"]
        assert [text for _, _, text in picture.arrows] == ["", "output 0", "output 1"]

    def test_names(self, backend: str) -> None:
        x, y = pg.ones(2, requires_grad=True), pg.ones(2, requires_grad=True)
        z = x * y
        assert {lines[0] for lines in labels(pg.graph.draw(z), "leaf")} == {"leaf"}
        assert {lines[0] for lines in labels(pg.graph.draw(z, params=[x, y]), "leaf")} == {"params[0]", "params[1]"}
        assert labels(pg.graph.draw(z, params={"z": z}), "output")[0][0] == "z"

        class Model:
            def named_parameters(self):
                yield "weight", x

        assert sorted([lines[0] for lines in labels(pg.graph.draw(z, params=Model()), "leaf")], reverse=True) == [
            "weight",
            "leaf",
        ]

    def test_a_leaf_alone(self, backend: str) -> None:
        picture = pg.graph.draw(pg.ones(2, dtype=pg.float32, requires_grad=True))
        assert labels(picture, "leaf") == [["leaf", "(2,) float32"]]
        assert picture.arrows == []

    def test_a_long_chain(self, backend: str) -> None:
        y = pg.ones((), requires_grad=True)
        for _ in range(3000):
            y = y + 1.0
        assert len(pg.graph.draw(y).boxes) == 3002

    def test_what_cannot_be_drawn(self) -> None:
        for value in (3, [], [1.0]):
            with pytest.raises(ArgumentError, match="draw: expected a Tensor or a sequence of Tensors"):
                pg.graph.draw(value)
        with pytest.raises(ArgumentError, match=r"params\['w'\] has to be a Tensor, got int 3"):
            pg.graph.draw(pg.ones(2, requires_grad=True) * 2.0, params={"w": 3})


class TestMermaid:
    def test_the_text(self) -> None:
        x = pg.ones(2, dtype=pg.float32, requires_grad=True)
        text = pg.graph.draw(x.exp(), params={'my "x" <1>': x}, saved=True).mermaid
        lines = [line.strip() for line in text.splitlines()]
        assert lines[0] == "flowchart TD"
        assert 'n1["my &quot;x&quot; &lt;1><br/>(2,) float32"]:::leaf' in lines
        assert 'n0("ExpBackward0<br/>(2,)"):::operation' in lines
        assert 'n0s0[/"result<br/>(2,) float32"/]:::saved' in lines
        assert {"n1 --> n0", "n0s0 -.-> n0", "n0 --> out0"} <= set(lines)
        assert sum(line.startswith("classDef") for line in lines) == 4

    def test_it_is_written_to_a_file(self, tmp_path: Path) -> None:
        picture = pg.graph.draw(pg.ones(2, requires_grad=True).exp())
        assert picture.render(tmp_path / "graph.mmd").read_text() == picture.mermaid == str(picture)


class TestGraphviz:
    def test_the_source(self) -> None:
        pytest.importorskip("graphviz")
        x = pg.ones(2, dtype=pg.float32, requires_grad=True)
        source = pg.graph.draw(x.exp(), params={'a\\b "c"': x}).dot
        assert source.startswith("digraph polygrad {")
        assert r'n1 [label="a\\b \"c\"\n(2,) float32"' in source
        assert "n1 -> n0" in source

    def test_rendering(self, tmp_path: Path) -> None:
        pytest.importorskip("graphviz")
        if shutil.which("dot") is None:
            pytest.skip("Graphviz is not installed")
        loss, params = network()
        picture = pg.graph.draw(loss, params=params, saved=True)
        assert "<svg" in picture.render(tmp_path / "graph.svg").read_text()
        assert "weight" in (tmp_path / "graph.svg").read_text()
        assert picture.render(str(tmp_path / "graph.png")).read_bytes().startswith(b"\x89PNG")
        assert picture.render(tmp_path / "graph.dot").read_text() == picture.dot
        assert "<svg" in picture._repr_mimebundle_()["image/svg+xml"]

    def test_another_suffix(self, tmp_path: Path) -> None:
        picture = pg.graph.draw(pg.ones(2, requires_grad=True).exp())
        with pytest.raises(
            ArgumentError, match=r"the name 'graph.jpg' has to end in one of .svg, .png, .pdf, .dot, .gv, .mmd"
        ):
            picture.render(tmp_path / "graph.jpg")

    def test_without_the_package(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setitem(sys.modules, "graphviz", None)
        picture = pg.graph.draw(pg.ones(2, requires_grad=True).exp())
        for ask in (lambda: picture.dot, lambda: picture.render(tmp_path / "graph.svg")):
            with pytest.raises(MissingError, match="pip install graphviz, or take .mermaid"):
                ask()
        assert set(picture._repr_mimebundle_()) == {"text/plain", "text/vnd.mermaid"}

    def test_without_the_program(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        pytest.importorskip("graphviz")
        monkeypatch.setenv("PATH", str(tmp_path))
        picture = pg.graph.draw(pg.ones(2, requires_grad=True).exp())
        with pytest.raises(ImportError, match="rendered by the program Graphviz"):
            picture.render(tmp_path / "graph.svg")
        assert set(picture._repr_mimebundle_()) == {"text/plain", "text/vnd.mermaid"}
