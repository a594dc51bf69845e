"""polygrad.nn.functional against torch.nn.functional: values, gradients, forward mode, second order, nodes, errors."""

from __future__ import annotations

import inspect
import math
import warnings

import numpy as np
import pytest

import polygrad
from polygrad.nn import functional as ours
from support.gradient_checks import HAVE_TORCH, check, host, tensor, torch

theirs = torch.nn.functional

rng = np.random.default_rng(11)
X = rng.normal(size=(3, 4)) * 2
Y = rng.normal(size=(3, 4))
P = rng.uniform(0.05, 0.95, size=(3, 4))
Q = rng.uniform(0.05, 0.95, size=(3, 4))
W = rng.uniform(0.2, 2, size=(3, 4))
V = rng.uniform(0.2, 2, size=4)
C = np.array([0, 3, 1])
DEEP = rng.normal(size=(2, 4, 3))
DEEPC = np.array([[0, 3, 1], [2, 2, 0]])
SHARES = np.exp(Y) / np.exp(Y).sum(axis=1, keepdims=True)
DEEPSHARES = np.abs(DEEP) / np.abs(DEEP).sum(axis=1, keepdims=True)
S = np.asarray(0.7)
E = np.zeros((0, 4))


def compare(function, arrays, backend, **options):
    """``function(F, *arrays)`` with F ours and torch's."""
    check(lambda *a: function(ours, *a), arrays, backend, reference=lambda *a: function(theirs, *a), **options)


# -- activations --------------------------------------------------------------------------------------------------
ACTIVATIONS = [
    ("relu", {}),
    ("relu6", {}),
    ("leaky_relu", {}),
    ("leaky_relu", {"negative_slope": 0.3}),
    ("elu", {}),
    ("elu", {"alpha": 1.7}),
    ("selu", {}),
    ("celu", {}),
    ("celu", {"alpha": 0.5}),
    ("gelu", {}),
    ("gelu", {"approximate": "tanh"}),
    ("sigmoid", {}),
    ("logsigmoid", {}),
    ("tanh", {}),
    ("softplus", {}),
    ("softplus", {"beta": 2.5, "threshold": 4}),
    ("silu", {}),
    ("mish", {}),
    ("hardtanh", {}),
    ("hardtanh", {"min_val": -0.4, "max_val": 1.5}),
]


@pytest.mark.parametrize(("name", "params"), ACTIVATIONS, ids=lambda v: v if isinstance(v, str) else str(v))
def test_activation(backend, name, params):
    points = np.array([[-30.0, -7.3, -1.1, -0.2], [0.3, 0.9, 5.2, 31.0]])
    compare(lambda F, x: getattr(F, name)(x, **params), [points], backend, rtol=1e-12)
    compare(lambda F, x: getattr(F, name)(x, **params), [S], backend)
    compare(lambda F, x: getattr(F, name)(x, **params), [E], backend)


KINKS = [
    ("relu", {}, [0.0]),
    ("relu6", {}, [0.0, 6.0]),
    ("leaky_relu", {}, [0.0]),
    ("elu", {"alpha": 1.7}, [0.0]),
    ("selu", {}, [0.0]),
    ("celu", {"alpha": 0.5}, [0.0]),
    ("softplus", {"threshold": 4}, [4.0]),
    ("hardtanh", {}, [-1.0, 1.0]),
    ("silu", {}, [0.0]),
    ("relu", {}, [math.nan]),
]


@pytest.mark.parametrize(("name", "params", "points"), KINKS, ids=lambda v: v if isinstance(v, str) else str(v))
def test_the_value_and_derivative_at_a_kink_are_those_of_torch(backend, name, params, points):
    x = tensor(np.array(points), backend, True)
    y = getattr(ours, name)(x, **params)
    y.sum().backward()
    t = torch.tensor(points, dtype=torch.float64, requires_grad=True)
    z = getattr(theirs, name)(t, **params)
    z.sum().backward()
    np.testing.assert_allclose(host(y), z.detach().numpy(), rtol=1e-15)
    np.testing.assert_allclose(host(x.grad), t.grad.numpy(), rtol=1e-15)


@pytest.mark.parametrize(("name", "params"), ACTIVATIONS, ids=lambda v: v if isinstance(v, str) else str(v))
def test_activations_keep_single_precision_and_bear_large_values(backend, name, params):
    values = np.array([-1e10, -200, -0.5, 0.5, 200, 1e10], dtype=np.float32)
    if params.get("approximate") == "tanh" or name == "mish":
        values = np.clip(values, -200, 200)
    x = tensor(values, backend, True)
    y = getattr(ours, name)(x, **params)
    y.sum().backward()
    t = torch.tensor(values, requires_grad=True)
    z = getattr(theirs, name)(t, **params)
    z.sum().backward()
    assert y.dtype == x.dtype == x.grad.dtype
    np.testing.assert_allclose(host(y), z.detach().numpy(), rtol=2e-6, atol=1e-7)
    np.testing.assert_allclose(host(x.grad), t.grad.numpy(), rtol=2e-6, atol=1e-6)


def test_sigmoid_of_complex_numbers_and_its_accuracy(backend):
    check(polygrad.sigmoid, [X + 1j * Y], backend, reference=torch.sigmoid)
    assert float(polygrad.sigmoid(tensor(-40.0, backend))) == pytest.approx(math.exp(-40), rel=1e-15)
    assert float(ours.logsigmoid(tensor(40.0, backend))) == pytest.approx(-math.exp(-40), rel=1e-15)


@pytest.mark.parametrize("name", ["relu", "relu6", "leaky_relu", "elu", "selu", "celu", "silu", "mish", "hardtanh"])
def test_inplace_activations(backend, name):
    x = tensor(X, backend, True)
    y = x * 2
    z = getattr(ours, name)(y, inplace=True)
    assert z is y
    y.sum().backward()
    t = torch.tensor(X, requires_grad=True)
    getattr(theirs, name)(t * 2).sum().backward()
    np.testing.assert_allclose(host(x.grad), t.grad.numpy(), rtol=1e-12)


def test_erf(backend, xp):
    values = np.concatenate([np.linspace(-7, 7, 141), [-1e200, -1e-200, 0.0, 1e-300, 1e300]])
    expected = np.array([math.erf(v) for v in values])
    np.testing.assert_allclose(host(xp.special.erf(tensor(values, backend))), expected, rtol=1e-15)
    special = host(xp.special.erf(tensor(np.array([-math.inf, math.inf, math.nan]), backend)))
    np.testing.assert_array_equal(special, [-1, 1, math.nan])
    check(xp.special.erf, [X], backend, reference=torch.special.erf)


# -- softmax ------------------------------------------------------------------------------------------------------
SOFTMAX = [
    (X, 0), (X, 1), (X, -1), (DEEP, 1), (S, 0), (S, -1), (E, 0), (E, 1), (X * 300, 1),
]  # fmt: skip


@pytest.mark.parametrize("name", ["softmax", "softmin", "log_softmax"])
@pytest.mark.parametrize(("x", "dim"), SOFTMAX, ids=lambda v: str(getattr(v, "shape", v)))
def test_softmax(backend, name, x, dim):
    compare(
        lambda F, x: getattr(F, name)(x, dim=dim), [x], backend, numeric=1e-4 if abs(x).max(initial=0) > 100 else 2e-6
    )


def test_softmax_at_the_top_level_takes_the_axis_of_the_standard(backend):
    check(lambda x: polygrad.softmax(x, axis=0), [X], backend, reference=lambda x: torch.softmax(x, 0))
    check(lambda x: polygrad.log_softmax(x, 0), [X], backend, reference=lambda x: torch.log_softmax(x, 0))


def test_softmax_converts_the_input_and_warns_of_a_guessed_axis(backend):
    x = tensor(X.astype(np.float32), backend, True)
    y = ours.softmax(x, 1, dtype="float64")
    assert y.dtype == tensor(X, backend).dtype
    y[0, 0].backward()
    assert x.grad.dtype == x.dtype
    with pytest.warns(UserWarning, match="Implicit dimension choice for softmax"):
        guessed = ours.softmax(x)
    np.testing.assert_allclose(host(guessed), host(y), rtol=1e-6)


# -- losses -------------------------------------------------------------------------------------------------------
REDUCTIONS = pytest.mark.parametrize("reduction", ["none", "mean", "sum"])

LOSSES = {
    "logits": (lambda F, x, t, **o: F.binary_cross_entropy_with_logits(x, t, **o), [X, Q], None),
    "logits-0d": (lambda F, x, t, **o: F.binary_cross_entropy_with_logits(x, t, **o), [S, S], None),
    "logits-weight": (lambda F, x, t, w, **o: F.binary_cross_entropy_with_logits(x, t, w, **o), [X, Q, W], (0, 1)),
    "logits-row": (lambda F, x, t, w, **o: F.binary_cross_entropy_with_logits(x, t, w, **o), [X, Q, V], (0, 1)),
    "logits-positive": (
        lambda F, x, t, w: F.binary_cross_entropy_with_logits(x, t, pos_weight=w), [X, Q, V], (0, 1)
    ),
    "logits-both": (
        lambda F, x, t, w, v, **o: F.binary_cross_entropy_with_logits(x, t, w, pos_weight=v, **o), [X, Q, W, V], (0, 1)
    ),
    "bce": (lambda F, x, t, **o: F.binary_cross_entropy(x, t, **o), [P, Q], None),
    "bce-weight": (lambda F, x, t, w, **o: F.binary_cross_entropy(x, t, w, **o), [P, Q, W], (0, 1)),
    "mse": (lambda F, x, t, **o: F.mse_loss(x, t, **o), [X, Y], None),
    "mse-0d": (lambda F, x, t, **o: F.mse_loss(x, t, **o), [S, S + 1], None),
    "mse-weight": (lambda F, x, t, w, **o: F.mse_loss(x, t, weight=w, **o), [X, Y, W], None),
    "l1": (lambda F, x, t, **o: F.l1_loss(x, t, **o), [X, Y], None),
    "l1-weight": (lambda F, x, t, w, **o: F.l1_loss(x, t, weight=w, **o), [X, Y, W], None),
    "smooth_l1": (lambda F, x, t, **o: F.smooth_l1_loss(x, t, **o), [X, Y], None),
    "smooth_l1-beta": (lambda F, x, t, **o: F.smooth_l1_loss(x, t, beta=0.3, **o), [X, Y], None),
    "smooth_l1-zero": (lambda F, x, t, **o: F.smooth_l1_loss(x, t, beta=0.0, **o), [X, Y], None),
    "huber": (lambda F, x, t, **o: F.huber_loss(x, t, **o), [X, Y], None),
    "huber-delta": (lambda F, x, t, **o: F.huber_loss(x, t, delta=2.1, **o), [X, Y], None),
    "huber-weight": (lambda F, x, t, w, **o: F.huber_loss(x, t, weight=w, delta=0.5, **o), [X, Y, W], None),
    "kl": (lambda F, x, t, **o: F.kl_div(x, t, **o), [X, P], None),
    "kl-log": (lambda F, x, t, **o: F.kl_div(x, t, log_target=True, **o), [X, Y], None),
    "kl-batch": (lambda F, x, t: F.kl_div(x, t, reduction="batchmean"), [X, P], None),
}  # fmt: skip


@REDUCTIONS
@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")
def test_loss(backend, name, reduction):
    function, arrays, differentiate = LOSSES[name]
    fixed = "reduction" not in inspect.signature(function).parameters and not any(
        p.kind is p.VAR_KEYWORD for p in inspect.signature(function).parameters.values()
    )
    if fixed and reduction != "mean":
        return
    options = {} if fixed else {"reduction": reduction}
    compare(lambda F, *a: function(F, *a, **options), arrays, backend, differentiate=differentiate)


@REDUCTIONS
def test_losses_of_nothing(backend, reduction):
    for name in (
        "binary_cross_entropy_with_logits",
        "binary_cross_entropy",
        "mse_loss",
        "smooth_l1_loss",
        "huber_loss",
    ):
        x, t = tensor(E, backend, True), torch.tensor(E, requires_grad=True)
        loss = getattr(ours, name)(x, tensor(E, backend), reduction=reduction)
        loss.sum().backward()
        np.testing.assert_array_equal(
            host(loss), getattr(theirs, name)(t, torch.tensor(E), reduction=reduction).detach().numpy()
        )
        assert tuple(x.grad.shape) == E.shape


def test_logits_are_accurate_and_finite_for_large_values(backend):
    values = np.array([-1e4, -800.0, -40, 40, 800, 1e4])
    for target in (0.0, 1.0):
        for pos_weight in (None, 3.0):
            x = tensor(values, backend, True)
            weight = None if pos_weight is None else tensor(pos_weight, backend)
            loss = ours.binary_cross_entropy_with_logits(
                x, tensor(np.full(6, target), backend), reduction="none", pos_weight=weight
            )
            loss.sum().backward()
            away = -values if target else values
            expected = np.where(away > 0, away, 0) + np.log1p(np.exp(-np.abs(values)))
            factor = (pos_weight or 1.0) if target else 1.0
            np.testing.assert_allclose(host(loss), factor * expected, rtol=1e-14)
            t = torch.tensor(values, requires_grad=True)
            theirs.binary_cross_entropy_with_logits(
                t, torch.full((6,), target, dtype=torch.float64), reduction="sum",
                pos_weight=None if pos_weight is None else torch.tensor(pos_weight, dtype=torch.float64),
            ).backward()  # fmt: skip
            np.testing.assert_allclose(host(x.grad), t.grad.numpy(), rtol=1e-12, atol=1e-300)


def test_integer_targets_take_the_dtype_of_the_input(backend):
    x = tensor(X.astype(np.float32), backend, True)
    loss = ours.binary_cross_entropy_with_logits(x, tensor(np.array(X > 0, dtype=np.int64), backend))
    loss.backward()
    assert loss.dtype == x.dtype == x.grad.dtype


def test_bce_of_certainties_is_bounded_as_in_torch(backend):
    for p, t in ((0.0, 1.0), (1.0, 0.0), (0.0, 0.0), (1.0, 1.0), (0.0, 0.3)):
        x, target = tensor(np.array([p]), backend, True), tensor(np.array([t]), backend)
        loss = ours.binary_cross_entropy(x, target)
        loss.backward()
        tx = torch.tensor([p], dtype=torch.float64, requires_grad=True)
        tl = theirs.binary_cross_entropy(tx, torch.tensor([t], dtype=torch.float64))
        tl.backward()
        assert float(loss) == pytest.approx(tl.item())
        np.testing.assert_allclose(host(x.grad), tx.grad.numpy(), rtol=1e-8)  # torch's 1e-12 is in single precision


@pytest.mark.parametrize("d", [-1.0, 0.0, 1.0])
@pytest.mark.parametrize("name", ["smooth_l1_loss", "huber_loss", "l1_loss", "mse_loss"])
def test_slopes_at_the_joints(backend, name, d):
    x, t = tensor(np.array([d]), backend, True), torch.tensor([d], dtype=torch.float64, requires_grad=True)
    getattr(ours, name)(x, tensor(np.zeros(1), backend)).backward()
    getattr(theirs, name)(t, torch.zeros(1, dtype=torch.float64)).backward()
    assert host(x.grad)[0] == t.grad.item()


def test_broadcasting_losses_warn_as_torch_does(backend):
    for name in ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"):
        with pytest.warns(UserWarning, match="that is different to the input size") as caught:
            compare(lambda F, x, t, name=name: getattr(F, name)(x, t), [X, V], backend)
        text = "Using a target size (4,) that is different to the input size (3, 4). This will likely lead to incorrect"
        assert str(caught[0].message).startswith(text)


def test_kl_div_where_the_target_is_zero(backend):
    zeros = np.array([[0.0, 1.0], [0.25, 0.75]])
    compare(lambda F, x, t: F.kl_div(x, t, reduction="sum"), [-P[:2, :2], zeros], backend, differentiate=(0,))
    with pytest.warns(UserWarning, match="batchmean"):
        ours.kl_div(tensor(-P, backend), tensor(Q, backend))


# -- classes ------------------------------------------------------------------------------------------------------
CLASSES = {
    "plain": (X, C, {}),
    "single": (X[0], C[0], {}),
    "deep": (DEEP, DEEPC, {}),
    "deeper": (DEEP.reshape(2, 4, 3, 1), DEEPC.reshape(2, 3, 1), {}),
    "ignored": (X, np.array([0, -100, 1]), {}),
    "ignored-other": (X, C, {"ignore_index": 3}),
    "weight": (X, C, {"weight": V}),
    "weight-ignored": (X, C, {"weight": V, "ignore_index": 0}),
    "deep-weight": (DEEP, DEEPC, {"weight": V, "ignore_index": 2}),
    "bytes": (X, C.astype(np.uint8), {}),
}


def _options(options, make):
    return {name: make(value) if isinstance(value, np.ndarray) else value for name, value in options.items()}


def classes(backend, name, x, c, options, **more):
    check(
        lambda x: getattr(ours, name)(x, tensor(c, backend), **_options(options, lambda w: tensor(w, backend)), **more),
        [x],
        backend,
        reference=lambda x: getattr(theirs, name)(x, torch.tensor(c), **_options(options, torch.tensor), **more),
        narrow="weight" not in options,
    )


@REDUCTIONS
@pytest.mark.parametrize("case", CLASSES)
def test_nll_loss(backend, case, reduction):
    classes(backend, "nll_loss", *CLASSES[case], reduction=reduction)


@REDUCTIONS
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("case", CLASSES)
def test_cross_entropy(backend, case, smoothing, reduction):
    x, c, options = CLASSES[case]
    if c.dtype == np.uint8 and smoothing:
        return  # torch refuses
    classes(backend, "cross_entropy", x, c, options, reduction=reduction, label_smoothing=smoothing)


@REDUCTIONS
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("x", "shares"), [(X, SHARES), (X[0], SHARES[0]), (DEEP, DEEPSHARES)], ids=["2d", "1d", "3d"])
def test_cross_entropy_of_probabilities(backend, x, shares, weighted, smoothing, reduction):
    def function(F, x, t, *w):
        return F.cross_entropy(x, t, *w, reduction=reduction, label_smoothing=smoothing)

    compare(function, [x, shares, V] if weighted else [x, shares], backend, differentiate=(0, 1))


@pytest.mark.parametrize("name", ["nll_loss", "cross_entropy"])
@pytest.mark.parametrize("c", [np.array([-100, -100, -100]), np.zeros(0, dtype=np.int64)], ids=["ignored", "empty"])
def test_the_mean_over_no_targets_is_nan(backend, name, c):
    x = tensor(X[: len(c)], backend, True)
    loss = getattr(ours, name)(x, tensor(c, backend))
    assert math.isnan(float(loss))
    loss.backward()
    if name == "nll_loss":
        np.testing.assert_array_equal(host(x.grad), np.zeros_like(X[: len(c)]))


def test_ignored_rows_do_no_harm(backend):
    values = np.array([[0.0, -np.inf], [-1.0, -2.0]])
    x = tensor(values, backend, True)
    loss = ours.nll_loss(x, tensor(np.array([-100, 1]), backend))
    loss.backward()
    assert float(loss) == 2
    np.testing.assert_array_equal(host(x.grad), [[0, 0], [0, -1]])


@pytest.mark.parametrize("target", [4, -1])
def test_a_target_that_is_no_class_is_refused(backend, target):
    c = tensor(np.array([0, target, 1]), backend)
    try:
        loss = float(ours.cross_entropy(tensor(X, backend), c))
    except IndexError as error:
        assert "out of bounds" in str(error)  # noqa: PT017 - some libraries do not look, and give nan
    else:
        assert backend not in ("numpy", "array_api_strict")
        assert math.isnan(loss)


# -- layers -------------------------------------------------------------------------------------------------------
LAYERS = {
    "linear": (lambda F, x, w, b: F.linear(x, w, b), [X, Y[:2], V[:2]], None),
    "linear-bias": (lambda F, x, w: F.linear(x, w), [X, Y[:2]], None),
    "linear-vector": (lambda F, x, w, b: F.linear(x, w, b), [X[0], Y[:2], V[:2]], None),
    "linear-deep": (lambda F, x, w, b: F.linear(x, w, b), [DEEP, X[:, :3], V[:3]], None),
    "linear-dot": (lambda F, x, w: F.linear(x, w), [X, V], None),
    "linear-complex": (lambda F, x, w, b: F.linear(x, w, b), [X + 1j * Y, Y[:2] - 1j * X[:2], V[:2] + 1j], None),
    "normalize": (lambda F, x: F.normalize(x), [X], None),
    "normalize-0": (lambda F, x: F.normalize(x, dim=0), [X], None),
    "normalize-1": (lambda F, x: F.normalize(x, p=1, dim=-1), [X], None),
    "normalize-3": (lambda F, x: F.normalize(x, p=3.5), [X], None),
    "normalize-inf": (lambda F, x: F.normalize(x, p=math.inf), [X], None),
    "normalize-eps": (lambda F, x: F.normalize(x, eps=100.0), [X], None),
    "normalize-complex": (lambda F, x: F.normalize(x), [X + 1j * Y], None),
    "cosine": (lambda F, x, y: F.cosine_similarity(x, y), [X, Y], None),
    "cosine-0": (lambda F, x, y: F.cosine_similarity(x, y, dim=0), [X, Y], None),
    "cosine-broadcast": (lambda F, x, y: F.cosine_similarity(x, y, dim=-1), [X, V], None),
    "layer_norm": (lambda F, x, w, b: F.layer_norm(x, (4,), w, b), [X, V, Y[0]], None),
    "layer_norm-plain": (lambda F, x: F.layer_norm(x, (4,)), [X], None),
    "layer_norm-weight": (lambda F, x, w: F.layer_norm(x, (4,), w), [X, V], None),
    "layer_norm-bias": (lambda F, x, b: F.layer_norm(x, (4,), None, b, eps=0.1), [X, V], None),
    "layer_norm-all": (lambda F, x, w, b: F.layer_norm(x, (3, 4), w, b), [X, W, Y], None),
    "layer_norm-deep": (lambda F, x, w, b: F.layer_norm(x, (4, 3), w, b), [DEEP, W.T, Y.T], None),
    "layer_norm-frozen": (lambda F, x, w, b: F.layer_norm(x, (4,), w, b), [X, V, Y[0]], (1, 2)),
    "layer_norm-empty": (lambda F, x, w, b: F.layer_norm(x, (4,), w, b), [E, V, Y[0]], None),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_layer(backend, name):
    function, arrays, differentiate = LAYERS[name]
    compare(function, arrays, backend, differentiate=differentiate, rtol=1e-9)


def test_directions_of_the_zero_vector(backend):
    zero = np.zeros((1, 3))
    x = tensor(zero, backend, True)
    t = torch.tensor(zero, requires_grad=True)
    ours.normalize(x).sum().backward()
    theirs.normalize(t).sum().backward()
    np.testing.assert_array_equal(host(x.grad), t.grad.numpy())
    x.grad = t.grad = None
    ours.cosine_similarity(x, tensor(np.ones((1, 3)), backend)).sum().backward()
    theirs.cosine_similarity(t, torch.ones(1, 3, dtype=torch.float64)).sum().backward()
    np.testing.assert_allclose(host(x.grad), t.grad.numpy(), rtol=1e-12)


def test_dropout(backend):
    polygrad.manual_seed(5)
    x = tensor(np.ones((40, 50)), backend, True)
    y = ours.dropout(x, 0.25)
    kept = host(y) != 0
    assert 0.7 < kept.mean() < 0.8
    np.testing.assert_allclose(host(y)[kept], 1 / 0.75)
    y.sum().backward()
    np.testing.assert_allclose(host(x.grad), host(y))
    assert ours.dropout(x, 0.25, training=False) is x
    assert not host(ours.dropout(x, 1.0)).any()
    z = x * 1
    assert ours.dropout(z, 0.5, inplace=True) is z
    assert 0.4 < (host(z) != 0).mean() < 0.6
    assert (
        ours.dropout(tensor(np.ones(3, dtype=np.float32), backend)).dtype
        == tensor(np.ones(1, np.float32), backend).dtype
    )


def test_one_hot(backend):
    for c in (C, DEEPC, np.asarray(2)):
        got = ours.one_hot(tensor(c, backend), 5)
        np.testing.assert_array_equal(host(got), theirs.one_hot(torch.tensor(c), 5).numpy())
        assert polygrad.backend.dtype_name(got.dtype) == "int64"
        np.testing.assert_array_equal(host(ours.one_hot(tensor(c, backend))), theirs.one_hot(torch.tensor(c)).numpy())


EMBEDDINGS = [{}, {"padding_idx": 1}, {"padding_idx": -1}, {"scale_grad_by_freq": True}]


@pytest.mark.parametrize("options", EMBEDDINGS, ids=str)
@pytest.mark.parametrize(
    "indices", [np.array([0, 2, 2, 1]), np.array([[0, 2], [2, 1]]), np.asarray(1)], ids=["1d", "2d", "0d"]
)
def test_embedding(backend, indices, options):
    # Rows without a gradient and gradients divided by counts are no derivatives: then only torch is the measure.
    exact = not options
    function = lambda F, make, w: F.embedding(make(indices), w, **options)  # noqa: E731
    if exact:
        check(
            lambda w: function(ours, lambda i: tensor(i, backend), w), [X], backend,
            reference=lambda w: function(theirs, torch.tensor, w),
        )  # fmt: skip
    w, t = tensor(X, backend, True), torch.tensor(X, requires_grad=True)
    y, z = function(ours, lambda i: tensor(i, backend), w), function(theirs, torch.tensor, t)
    np.testing.assert_array_equal(host(y), z.detach().numpy())
    v = rng.normal(size=z.shape)
    y.backward(tensor(v, backend))
    z.backward(torch.tensor(v))
    np.testing.assert_allclose(host(w.grad), t.grad.numpy(), rtol=1e-12)


def test_embedding_shortens_the_rows_that_are_used(backend):
    w, t = tensor(X, backend), torch.tensor(X)
    y = ours.embedding(tensor(np.array([0, 2]), backend), w, max_norm=0.5)
    z = theirs.embedding(torch.tensor([0, 2]), t, max_norm=0.5)
    np.testing.assert_allclose(host(y), z.numpy(), rtol=1e-12)
    np.testing.assert_allclose(host(w), t.numpy(), rtol=1e-12)


# -- nodes, signatures, errors ------------------------------------------------------------------------------------
NODES = {
    **{name: (lambda F, x, t, c, name=name: getattr(F, name)(x)) for name, params in ACTIVATIONS if not params},
    "gelu-tanh": lambda F, x, t, c: F.gelu(x, approximate="tanh"),
    "softmax": lambda F, x, t, c: F.softmax(x, 1),
    "log_softmax": lambda F, x, t, c: F.log_softmax(x, 1),
    "logits": lambda F, x, t, c: F.binary_cross_entropy_with_logits(x, t),
    "bce": lambda F, x, t, c: F.binary_cross_entropy(x * 0 + 0.5, t),
    "mse": lambda F, x, t, c: F.mse_loss(x, t),
    "smooth": lambda F, x, t, c: F.smooth_l1_loss(x, t),
    "huber": lambda F, x, t, c: F.huber_loss(x, t),
    "nll": lambda F, x, t, c: F.nll_loss(x, c),
    "nll2d": lambda F, x, t, c: F.nll_loss(x[..., None, None], c[:, None, None]),
    "cross_entropy": lambda F, x, t, c: F.cross_entropy(x, c),
    "layer_norm": lambda F, x, t, c: F.layer_norm(x, (4,)),
    "embedding": lambda F, x, t, c: F.embedding(c[:2] * 0, x),
    "dropout": lambda F, x, t, c: F.dropout(x),
}


@pytest.mark.parametrize("name", NODES)
def test_nodes_have_the_names_of_torch(backend, name):
    x, t = tensor(X, backend, True), torch.tensor(X, requires_grad=True)
    y = NODES[name](ours, x, tensor(Q, backend), tensor(C, backend))
    z = NODES[name](theirs, t, torch.tensor(Q), torch.tensor(C))
    assert y.grad_fn.name() == z.grad_fn.name()
    if name == "cross_entropy":
        assert y.grad_fn.next_functions[0][0].name() == "LogSoftmaxBackward0"


@pytest.mark.skipif(not HAVE_TORCH, reason="torch is not installed")
@pytest.mark.parametrize("name", ours.__all__)
def test_signatures_are_those_of_torch(name):
    try:
        expected = inspect.signature(getattr(theirs, name))
    except ValueError:  # written in C
        lines = getattr(theirs, name).__doc__.strip().splitlines()[0]
        text = lines[lines.index("(") + 1 : lines.rindex(")")]
        expected = inspect.signature(eval(f"lambda {text}: None"))
    got = inspect.signature(getattr(ours, name))
    assert list(got.parameters) == list(expected.parameters)
    assert [p.default for p in got.parameters.values()] == [p.default for p in expected.parameters.values()]


def test_deprecated_reductions(backend):
    x, y = tensor(X, backend), tensor(Y, backend)
    for (average, reduce), reduction in {
        (None, True): "mean", (True, None): "mean", (False, None): "sum", (None, False): "none", (False, True): "sum",
    }.items():  # fmt: skip
        with pytest.warns(UserWarning, match=f"please use reduction='{reduction}' instead"):
            got = ours.mse_loss(x, y, average, reduce)
        np.testing.assert_array_equal(host(got), host(ours.mse_loss(x, y, reduction=reduction)))
    with pytest.warns(UserWarning, match="elementwise_mean"):
        ours.mse_loss(x, y, reduction="elementwise_mean")


ERRORS = {
    "target size": (
        lambda F, t: F.binary_cross_entropy_with_logits(t(X), t(Y[:2])),
        ValueError,
        r"Target size \(2, 4\) must be the same as input size \(3, 4\)",
    ),
    "bce size": (
        lambda F, t: F.binary_cross_entropy(t(P), t(Q[:2])),
        ValueError,
        r"Using a target size \(2, 4\) that is different to the input size \(3, 4\) is deprecated",
    ),
    "weight": (
        lambda F, t: F.binary_cross_entropy_with_logits(t(X), t(Q), t(V[:3])),
        ValueError,
        r"weight of shape \(3,\) does not broadcast to the input of shape \(3, 4\)",
    ),
    "reduction": (
        lambda F, t: F.mse_loss(t(X), t(Y), reduction="avg"),
        ValueError,
        "avg is not a valid value for reduction",
    ),
    "mse weight": (
        lambda F, t: F.mse_loss(t(X), t(Y), weight=t(V)),
        ValueError,
        "Weights and input must have the same size",
    ),
    "batch": (
        lambda F, t: F.nll_loss(t(X), t(C[:2])),
        ValueError,
        r"Expected input batch_size \(3\) to match target batch_size \(2\)\.",
    ),
    "target": (
        lambda F, t: F.cross_entropy(t(DEEP), t(DEEPC[:, :2])),
        RuntimeError,
        r"Expected target size \[2, 3\], got \[2, 2\]",
    ),
    "classes": (
        lambda F, t: F.nll_loss(t(X), t(C), t(V[:2])),
        RuntimeError,
        r"defined either for all 4 classes or no classes but got weight tensor of shape: \[2\]",
    ),
    "floating": (lambda F, t: F.nll_loss(t(X), t(V[:3])), RuntimeError, r"class indices.*but found"),
    "integers": (
        lambda F, t: F.cross_entropy(t(X), t(DEEPC.reshape(3, 2).repeat(2, 1))),
        RuntimeError,
        "Expected floating point type for target with class probabilities",
    ),
    "smoothing": (
        lambda F, t: F.cross_entropy(t(X), t(C), label_smoothing=2),
        RuntimeError,
        r"between 0\.0 and 1\.0\. Got: 2",
    ),
    "ignore": (
        lambda F, t: F.cross_entropy(t(X), t(SHARES), ignore_index=1),
        RuntimeError,
        "ignore_index is not supported",
    ),
    "beta": (
        lambda F, t: F.smooth_l1_loss(t(X), t(Y), beta=-1.0),
        RuntimeError,
        "does not support negative values for beta",
    ),
    "delta": (lambda F, t: F.huber_loss(t(X), t(Y), delta=0.0), RuntimeError, "non-positive values for delta"),
    "p": (lambda F, t: F.dropout(t(X), 1.5), ValueError, r"between 0 and 1, but got 1\.5"),
    "approximate": (lambda F, t: F.gelu(t(X), approximate="erf"), RuntimeError, "must be either none or tanh"),
    "hardtanh": (lambda F, t: F.hardtanh(t(X), 1.0, -1.0), ValueError, "min_val cannot be greater than max_val"),
    "layer": (
        lambda F, t: F.layer_norm(t(X), (5,)),
        RuntimeError,
        r"Given normalized_shape=\[5\], expected input with shape \[\*, 5\], but got input of size\[3, 4\]",
    ),
    "layer weight": (
        lambda F, t: F.layer_norm(t(X), (4,), t(V[:3])),
        RuntimeError,
        r"Expected weight to be of same shape as normalized_shape, but got weight of shape \[3\] and normalized_shape",
    ),
    "negative": (lambda F, t: F.one_hot(t(C - 1)), RuntimeError, r"Class values must be non-negative\."),
    "large": (lambda F, t: F.one_hot(t(C), 2), RuntimeError, "Class values must be smaller than num_classes"),
    "empty": (
        lambda F, t: F.one_hot(t(C[:0])),
        RuntimeError,
        "Can not infer total number of classes from empty tensor",
    ),
    "inplace": (lambda F, t: F.relu(t(X, True), inplace=True), RuntimeError, "a leaf Variable that requires grad"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_say_what_torch_says(backend, name):
    function, kind, text = ERRORS[name]
    if backend == "dask" and name in ("negative", "large"):
        pytest.skip("values are not looked at")
    with pytest.raises(kind, match=text):
        function(ours, lambda a, requires_grad=False: tensor(a, backend, requires_grad))


@pytest.mark.parametrize(
    "function",
    [
        ours.binary_cross_entropy_with_logits,
        lambda x, t, w: ours.binary_cross_entropy_with_logits(x, t, pos_weight=w),
        lambda x, t, w: ours.binary_cross_entropy(x * 0 + 0.5, t, w),
    ],
    ids=["weight", "pos_weight", "bce"],
)
def test_weights_have_no_derivative_as_in_torch(backend, function):
    loss = function(tensor(X, backend, True), tensor(Q, backend), tensor(W, backend, True))
    with pytest.raises(
        NotImplementedError, match=r"no derivative is known with respect to its argument '(pos_)?weight'"
    ):
        loss.backward()


def test_only_what_the_derivative_needs_is_saved(backend):
    """A target that requires no grad and a loss that is not differentiated keep nothing."""
    x, y = tensor(X, backend), tensor(Y, backend)
    assert ours.mse_loss(x, y).grad_fn is None
    z = ours.nll_loss(tensor(X, backend, True), tensor(C, backend))
    shapes = [getattr(value, "shape", None) for value in z.grad_fn.saved]
    assert (3, 4) not in [tuple(s) for s in shapes if s is not None]


def test_nested_transforms(backend):
    """The losses under a gradient of a gradient, and in forward mode over reverse mode."""
    x, t = tensor(X, backend), tensor(Q, backend)

    def loss(x):
        return ours.binary_cross_entropy_with_logits(x, t, reduction="sum")

    inner = polygrad.func.grad(loss)
    _, tangent = polygrad.func.jvp(inner, (x,), (tensor(np.ones_like(X), backend),))
    s = 1 / (1 + np.exp(-X))
    np.testing.assert_allclose(host(tangent), s * (1 - s), rtol=1e-10)
    twice = polygrad.func.grad(lambda x: (inner(x) * inner(x)).sum())(x)
    np.testing.assert_allclose(host(twice), 2 * (s - Q) * s * (1 - s), rtol=1e-10)


def test_warnings_point_at_the_caller(backend):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ours.mse_loss(tensor(X, backend), tensor(V, backend))
        ours.softmax(tensor(X, backend))
        ours.kl_div(tensor(X, backend), tensor(P, backend))
        ours.mse_loss(tensor(X, backend), tensor(Y, backend), True)
    assert [w.filename for w in caught] == [__file__] * 4
