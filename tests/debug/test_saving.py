"""``saved``: what a graph keeps."""

from __future__ import annotations

import pytest

import polygrad as pg
from polygrad.debug import saved
from polygrad.errors import ArgumentError


def entries(y: pg.Tensor) -> list[tuple[str, str, tuple[int, ...]]]:
    return [(entry.op, entry.what, entry.shape) for entry in saved(y)]


class TestWhatIsListed:
    def test_each_array_with_its_operation(self, backend: str) -> None:
        x, w = pg.ones((2, 3), requires_grad=True), pg.ones(3, requires_grad=True)
        y = (x * w).exp().sum()
        first, *others = entries(y)
        assert first == ("ExpBackward0", "result", (2, 3))
        assert sorted(others) == [("MulBackward0", "x1", (2, 3)), ("MulBackward0", "x2", (3,))]

    def test_only_what_is_needed(self, backend: str) -> None:
        x = pg.ones(3, requires_grad=True)
        assert entries((x * 2.0 + 1.0).sum()) == []
        assert [what for _, what, _ in entries(x * pg.ones(3))] == ["x2"]

    def test_sizes(self, backend: str) -> None:
        x = pg.ones((10, 10), dtype=pg.float32, requires_grad=True)
        (entry,) = saved(x.exp())
        assert (entry.bytes, entry.dtype) == (400, "float32")
        assert saved(x.exp()).bytes == 400

    def test_a_shared_array_counts_once(self, backend: str) -> None:
        x = pg.ones(8, dtype=pg.float32, requires_grad=True)
        h = x.exp()
        found = saved(h.sin() + h.cos())
        assert [entry.op for entry in found] == ["CosBackward0", "SinBackward0", "ExpBackward0"]
        assert [entry.shared for entry in found] == [False, True, True]
        assert found.bytes == 32

    def test_what_is_freed_is_gone(self, backend: str) -> None:
        x = pg.ones(3, requires_grad=True)
        y = x.exp().sum()
        assert len(saved(y)) == 1
        y.backward()
        assert len(saved(y)) == 0
        assert "0 B in 0 arrays" in str(saved(y))

    def test_several_outputs(self, backend: str) -> None:
        x = pg.ones(3, requires_grad=True)
        a, b = x.exp(), x.sin()
        assert [entry.op for entry in saved([a, b])] == ["SinBackward0", "ExpBackward0"]
        assert len(saved(x)) == 0
        assert len(saved(pg.ones(3))) == 0

    def test_a_sequence_of_arrays(self, backend: str) -> None:
        x = pg.ones(3, requires_grad=True)
        assert entries(pg.stack([x, x])) == []

    def test_user_defined_functions(self, backend: str) -> None:
        class Cube(pg.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x**3

            @staticmethod
            def backward(ctx, g):
                (x,) = ctx.saved_tensors
                return g * 3.0 * x**2

        (entry,) = saved(Cube.apply(pg.ones(3, requires_grad=True)))
        assert (entry.op, entry.shape) == ("CubeBackward", (3,))

    def test_what_is_no_tensor(self) -> None:
        with pytest.raises(ArgumentError, match="saved: expected a Tensor or several, got int 3"):
            saved(3)  # type: ignore[arg-type]


class TestPrinting:
    def test_lines_are_listed_where_they_are_known(self, backend: str) -> None:
        x = pg.ones((4, 4), dtype=pg.float32, requires_grad=True)
        with pg.autograd.detect_anomaly():
            y = x.exp()
        (entry,) = saved(y)
        assert entry.site is not None
        assert entry.site.text == "y = x.exp()"
        lines = str(saved(y)).splitlines()
        assert lines[0].split() == ["operation", "keeps", "shape", "dtype", "bytes", "line"]
        assert lines[2].split()[:-1] == ["ExpBackward0", "result", "(4,", "4)", "float32", "64", "B"]
        assert lines[2].endswith(f"test_saving.py:{entry.site.line}")
        assert lines[-1] == "64 B in 1 array"

    def test_without_lines_it_says_how_to_get_them(self, backend: str) -> None:
        text = str(saved(pg.ones(1000, dtype=pg.float32, requires_grad=True).exp()))
        assert "line" not in text.splitlines()[0]
        assert text.endswith(
            "3.9 KiB in 1 array; what is recorded inside polygrad.autograd.detect_anomaly() is listed with its line"
        )
