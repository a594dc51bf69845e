"""scikit-learn, unmodified: gradients through estimators and metrics against finite differences of the same on plain NumPy arrays."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn", minversion="1.9")

import sklearn
from sklearn import base, linear_model, naive_bayes, preprocessing
from sklearn.pipeline import make_pipeline

import polygrad as pg
from polygrad.interop.sklearn import move_estimator
from support.consumers.call_outcomes import check
from support.consumers.scipy_calls import listed
from support.consumers.sklearn_calls import CONSTANT, GRADIENT, OTHERS, VERSION
from support.consumers.sklearn_inputs import INPUTS, SCOPE

STRICT = version("scikit-learn").startswith(VERSION)


@pytest.fixture(autouse=True)
def dispatch() -> Iterator[None]:
    with sklearn.config_context(array_api_dispatch=True):
        yield


@pytest.mark.parametrize("text", listed(GRADIENT), ids=str)
def test_the_gradient_is_right(text: str) -> None:
    check("scikit-learn", "gradient", text, SCOPE, INPUTS)


@pytest.mark.parametrize("text", listed(CONSTANT), ids=str)
def test_what_is_constant_is_off_the_graph(text: str) -> None:
    check("scikit-learn", "constant", text, SCOPE, INPUTS)


@pytest.mark.parametrize(
    ("outcome", "text"), [(outcome, text) for outcome, _, calls in OTHERS for text in listed(calls)], ids=str
)
def test_what_does_not_reach_is_not_silent(outcome: str, text: str) -> None:
    assert outcome not in ("detached", "wrong")
    check("scikit-learn", outcome, text, SCOPE, INPUTS, strict=STRICT)


def fitted() -> Any:
    return make_pipeline(preprocessing.StandardScaler(), linear_model.Ridge(solver="svd")).fit(INPUTS["X"], INPUTS["y"])


def test_an_estimator_fitted_on_numpy_predicts_on_tensors() -> None:
    model = fitted()
    moved = move_estimator(model, pg.namespace("numpy"))
    x = pg.tensor(INPUTS["X2"], requires_grad=True)
    prediction = moved.predict(x)
    np.testing.assert_allclose(prediction.tolist(), model.predict(INPUTS["X2"]))
    prediction.sum().backward()
    scale, coefficients = model[0].scale_, model[1].coef_
    np.testing.assert_allclose(x.grad.tolist(), np.broadcast_to(coefficients / scale, (5, 3)))
    # the original is as it was
    assert type(model[1].coef_) is np.ndarray
    assert moved is not model
    assert moved[1] is not model[1]


def test_and_the_way_back() -> None:
    moved = move_estimator(fitted(), pg.namespace("numpy"))
    back = move_estimator(moved, np)
    assert type(back[1].coef_) is np.ndarray
    np.testing.assert_allclose(back.predict(INPUTS["X2"]), fitted().predict(INPUTS["X2"]))


def test_an_estimator_fitted_on_tracked_tensors_goes_back_only_if_that_is_allowed() -> None:
    x, y = pg.tensor(INPUTS["X"], requires_grad=True), pg.tensor(INPUTS["y"])
    model = linear_model.Ridge(solver="svd").fit(x, y)
    with pytest.raises(TypeError, match=r"move_estimator: can't convert.*allow_detach"):
        move_estimator(model, np)
    with pg.interop.allow_detach():
        back = move_estimator(model, np)
    np.testing.assert_allclose(back.coef_, linear_model.Ridge(solver="svd").fit(INPUTS["X"], INPUTS["y"]).coef_)


def test_mixing_without_moving_raises() -> None:
    with pytest.raises(ValueError, match="must use the same namespace"):
        fitted().predict(pg.tensor(INPUTS["X2"]))
    with pytest.raises(TypeError, match="expected an estimator"):
        move_estimator(INPUTS["X"], np)


def test_classes_keep_their_names() -> None:
    names = np.asarray(["no", "yes"])[INPUTS["c"]]
    model = naive_bayes.GaussianNB().fit(INPUTS["X"], names)
    moved = move_estimator(model, pg.namespace("numpy"))
    assert moved.classes_.tolist() == ["no", "yes"]
    assert isinstance(moved.theta_, pg.Tensor)


def test_cloned_estimators_and_deep_copies() -> None:
    model = linear_model.Ridge(solver="svd").fit(pg.tensor(INPUTS["X"], requires_grad=True), pg.tensor(INPUTS["y"]))
    assert not hasattr(base.clone(model), "coef_")
    assert copy.deepcopy(model).coef_.requires_grad
