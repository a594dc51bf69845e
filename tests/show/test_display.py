"""How a notebook shows a Tensor. What it prints is in ``test_printing``."""

from __future__ import annotations

import polygrad as pg


class TestHtml:
    def test_the_values_and_the_facts(self, backend: str) -> None:
        x = pg.tensor([1.0, 2.0], dtype=pg.float32)
        html = x._repr_html_()
        assert html.startswith("<pre>tensor([1., 2.])</pre><small>shape (2,) · float32 · ")
        assert f"· {backend} on " in html
        assert html.endswith(" · outside the graph</small>")

    def test_the_place_in_the_graph(self, backend: str) -> None:
        x = pg.ones(2, requires_grad=True)
        assert "leaf that requires grad, no gradient yet" in x._repr_html_()
        y = x * 2.0
        assert "· made by MulBackward0</small>" in y._repr_html_()
        y.retain_grad()
        assert "· made by MulBackward0, retains its gradient</small>" in y._repr_html_()
        y.sum().backward()
        assert "leaf that requires grad, has a gradient" in x._repr_html_()

    def test_nothing_of_it_is_markup(self, backend: str) -> None:
        y = pg.ones(2, requires_grad=True) * 2.0
        assert "grad_fn=&lt;MulBackward0&gt;" in y._repr_html_()
