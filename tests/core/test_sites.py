"""Errors about what an operation has made name the line that called it, where that is known. The backward pass itself is tested with
anomaly mode."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import pytest

import polygrad as pg
from polygrad.errors import PolygradError


def made() -> tuple[Any, Any]:
    x = pg.tensor([1.0, 2.0], requires_grad=True)
    y = x.exp()  # the line that is named
    return x, y


def spent(y: Any) -> Any:
    """The node of a sum of squares after its backward pass."""
    y.sum().backward()
    return y.grad_fn


REFUSED: dict[str, tuple[str, Callable[[Any, Any], Any]]] = {
    "a cotangent is missing": ("scalar outputs", lambda x, y: y.backward()),
    "a cotangent of another shape": ("has shape", lambda x, y: y.backward(pg.ones(3))),
    "a cotangent of another dtype": ("has dtype", lambda x, y: y.backward(pg.ones(2, dtype=pg.complex64))),
    "a cotangent that is none": ("has to be a Tensor", lambda x, y: pg.autograd.backward([y], [1.0])),
    "an input that is not used": (
        "not have been used",
        lambda x, y: pg.autograd.grad(y, pg.ones(2, requires_grad=True), pg.ones(2)),
    ),
    "a result cannot be switched off": ("leaf variables", lambda x, y: y.requires_grad_(False)),
    "a gradient that does not fit": ("assigned grad", lambda x, y: setattr(y, "grad", pg.ones(3))),
    "leaving the graph": ("the graph would be lost", lambda x, y: y.numpy()),
    "pickling": ("can be pickled", lambda x, y: pickle.dumps(y)),
    "a hook for leaves": ("non-leaf", lambda x, y: y.register_post_accumulate_grad_hook(print)),
    "an in-place operation of another shape": ("broadcast shape", lambda x, y: y.add_(pg.ones((3, 2)))),
    "values that were freed": ("second time", lambda x, y: spent(y).saved_arrays),
}


@pytest.mark.parametrize("case", REFUSED)
def test_the_line_is_named_where_it_is_known(case: str, backend: str) -> None:
    words, attempt = REFUSED[case]
    with pg.autograd.detect_anomaly():
        x, y = made()
    with pytest.raises((PolygradError, TypeError), match=words) as caught:
        attempt(x, y)
    (note,) = caught.value.__notes__
    assert note.startswith("ExpBackward0 was recorded at File ")
    assert 'test_sites.py", line ' in note
    assert note.endswith("in made\n    y = x.exp()  # the line that is named")


@pytest.mark.parametrize("case", REFUSED)
def test_there_is_no_note_where_it_is_not(case: str, backend: str) -> None:
    words, attempt = REFUSED[case]
    with pytest.raises((PolygradError, TypeError), match=words) as caught:
        attempt(*made())
    assert not hasattr(caught.value, "__notes__")


@pytest.mark.parametrize(
    ("view", "words"),
    [(lambda x: x[1:], "a view of a leaf Variable"), (lambda x: (x * 1.0).expand(3, 2), "single memory location")],
)
def test_views_that_cannot_be_written(view: Callable[[Any], Any], words: str, backend: str) -> None:
    with pg.autograd.detect_anomaly():
        v = view(pg.ones(2, requires_grad=True))
    with pytest.raises(PolygradError, match=words) as caught:
        v.mul_(2.0)
    (note,) = caught.value.__notes__
    assert "was recorded at File" in note


def test_detaching_a_view_in_place(backend: str) -> None:
    with pg.autograd.detect_anomaly():
        v = pg.ones(2, requires_grad=True)[1:]
    with pytest.raises(PolygradError, match="Can't detach views") as caught:
        v.detach_()
    assert "SliceBackward0 was recorded at File" in caught.value.__notes__[0]


def test_one_of_several_outputs(backend: str) -> None:
    try:
        with pg.autograd.detect_anomaly():
            q, _ = pg.linalg.qr(pg.tensor([[2.0, 0.0], [0.0, 3.0]], requires_grad=True))
    except pg.errors.UnsupportedError as error:
        pytest.skip(str(error))
    with pytest.raises(PolygradError, match="scalar outputs") as caught:
        q.backward()
    assert "LinalgQrBackward0 was recorded at File" in caught.value.__notes__[0]
