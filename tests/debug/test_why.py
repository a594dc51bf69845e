"""``why_no_grad``: each reason where it holds."""

from __future__ import annotations

import pytest

import polygrad as pg
from polygrad.debug import Reason, why_no_grad
from polygrad.errors import ArgumentError


def check(t: pg.Tensor, reason: Reason, *words: str, output: pg.Tensor | None = None) -> None:
    why = why_no_grad(t, output)
    assert why.reason is reason, why
    for word in words:
        assert word in str(why)


class TestOfTheTensorItself:
    def test_it_has_one(self, backend: str) -> None:
        x = pg.ones(2, requires_grad=True)
        (x * x).sum().backward()
        check(x, Reason.HAS_GRAD)

    def test_its_dtype_has_none(self, backend: str) -> None:
        check(pg.tensor([1, 2]), Reason.DTYPE, "int64", "t.to('float64')")
        check(pg.ones(2, requires_grad=True) > 0, Reason.DTYPE, "bool")

    def test_inference_mode(self, backend: str) -> None:
        with pg.inference_mode():
            y = pg.ones(2) * 2.0
        check(y, Reason.INFERENCE)

    def test_detached(self, backend: str) -> None:
        x = pg.ones(2, requires_grad=True)
        check((x * 2.0).detach(), Reason.DETACHED, "detach() or .data")
        check(x.data, Reason.DETACHED)
        check(x[1:].detach(), Reason.DETACHED)

    def test_not_required(self, backend: str) -> None:
        check(pg.ones(2), Reason.NOT_REQUIRED, "requires_grad_()")
        with pg.no_grad():
            check(pg.ones(2, requires_grad=True) * 2.0, Reason.NOT_REQUIRED, "no_grad")

    def test_not_retained(self, backend: str) -> None:
        x = pg.ones(2, requires_grad=True)
        y = x * 2.0
        check(y, Reason.NOT_RETAINED, "MulBackward0 made it", "retain_grad()")
        with pg.autograd.detect_anomaly():
            z = x * 2.0
        check(z, Reason.NOT_RETAINED, "test_why.py:")

    def test_what_is_no_tensor(self) -> None:
        with pytest.raises(ArgumentError, match="why_no_grad: expected a Tensor, got int 3"):
            why_no_grad(3)  # type: ignore[arg-type]
        with pytest.raises(ArgumentError, match="got NoneType None"):
            why_no_grad(None)  # type: ignore[arg-type]
        with pytest.raises(ArgumentError, match="got str 'loss'"):
            why_no_grad(pg.ones(2), "loss")  # type: ignore[arg-type]


class TestOfTheGraph:
    def test_not_used(self, backend: str) -> None:
        x = pg.ones(2, requires_grad=True)
        check(x, Reason.UNUSED)
        with pg.no_grad():
            y = x * 2.0
        check(x, Reason.UNUSED, "no_grad")
        assert not y.requires_grad

    def test_not_run(self, backend: str) -> None:
        x = pg.ones(2, requires_grad=True)
        loss = (x * x).sum()
        check(x, Reason.NOT_RUN, "is used by MulBackward0")
        check(x, Reason.NOT_RUN, output=loss)

    def test_not_run_of_what_is_retained(self, backend: str) -> None:
        x = pg.ones(2, requires_grad=True)
        h = x * 2.0
        h.retain_grad()
        loss = (h * h).sum()
        check(h, Reason.NOT_RUN)
        check(h, Reason.NOT_RUN, output=loss)
        check(h, Reason.NOT_RUN, output=h)

    def test_run_and_reset(self, backend: str) -> None:
        x = pg.ones(2, requires_grad=True)
        loss = (x * x).sum()
        loss.backward()
        x.grad = None
        check(x, Reason.RUN_WITHOUT_IT, "set to None since")
        check(x, Reason.RUN_WITHOUT_IT, output=loss)

    def test_run_by_grad(self, backend: str) -> None:
        x = pg.ones(2, requires_grad=True)
        loss = (x * 2.0).exp().sum()
        pg.autograd.grad(loss, x)
        check(x, Reason.RUN_WITHOUT_IT, "autograd.grad()", output=loss)

    def test_the_output_requires_none(self, backend: str) -> None:
        x = pg.ones(2, requires_grad=True)
        check(x, Reason.OUTPUT_WITHOUT_GRAPH, "float64[]" if backend != "torch" else "[]", output=x.detach().sum())

    def test_the_path_is_cut(self, backend: str) -> None:
        x, w = pg.ones(2, requires_grad=True), pg.ones(2, requires_grad=True)
        h = x.sin()
        loss = (h.detach() * w).sum()
        check(x, Reason.CUT, "ends at SinBackward0", "detach()", output=loss)
        check(w, Reason.NOT_RUN, output=loss)

    def test_nothing_leads_to_the_output(self, backend: str) -> None:
        x, w = pg.ones(2, requires_grad=True), pg.ones(2, requires_grad=True)
        check(x, Reason.CUT, "No recorded operation uses it", output=(w * 2.0).sum())

    def test_one_of_several_outputs(self, backend: str) -> None:
        x = pg.tensor([[2.0, 0.0], [0.0, 3.0]], requires_grad=True)
        try:
            q, r = pg.linalg.qr(x)
        except pg.errors.UnsupportedError as error:
            pytest.skip(str(error))
        r.retain_grad()
        check(r, Reason.NOT_RUN, output=abs(r).sum())
        check(x, Reason.NOT_RUN, output=q.sum())
