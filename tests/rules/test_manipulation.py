"""Views, rearrangements, joins, gathers: values, derivatives, writes through views."""

from __future__ import annotations

import inspect
import re
from typing import Any

import numpy as np
import pytest

import polygrad
from polygrad import func
from polygrad.rules.manipulation import _invert_permutation
from support.gradient_checks import check, host, tensor, torch


def sample(shape: tuple[int, ...], dtype: str, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=shape)
    return np.asarray(x + 1j * rng.normal(size=shape) if dtype == "complex128" else x)


def run(ours: Any, theirs: Any, shapes: Any, dtype: str, backend: str, indices: Any = ()) -> None:
    xp = polygrad.namespace(backend)
    arrays = [sample(shape, dtype, i) for i, shape in enumerate(shapes)] + [np.asarray(index) for index in indices]
    check(lambda *ts: ours(xp, *ts), arrays, backend, reference=theirs)


DTYPES = ["float64", "complex128"]


def grids(indexing: str) -> Any:
    return lambda *a: torch.meshgrid(*a, indexing=indexing)


# (name, function of (xp, x, ...), the same for torch, shapes)
CASES: list[tuple[str, Any, Any, Any]] = [
    ("reshape", lambda xp, x: xp.reshape(x, (3, 2)), lambda x: x.reshape(3, 2), [(2, 3)]),
    ("reshape -1", lambda xp, x: xp.reshape(x, (4, -1)), lambda x: x.reshape(4, -1), [(2, 3, 4)]),
    ("reshape 0-d", lambda xp, x: xp.reshape(x, (1, 1)), lambda x: x.reshape(1, 1), [()]),
    ("reshape copy", lambda xp, x: xp.reshape(x, (6,), copy=True), lambda x: x.reshape(6), [(2, 3)]),
    ("reshape empty", lambda xp, x: xp.reshape(x, (3, 0)), lambda x: x.reshape(3, 0), [(0, 2)]),
    ("permute_dims", lambda xp, x: xp.permute_dims(x, (2, 0, 1)), lambda x: x.permute(2, 0, 1), [(2, 3, 4)]),
    (
        "permute_dims from the end",
        lambda xp, x: xp.permute_dims(x, (-1, 0, -2)),
        lambda x: x.permute(-1, 0, -2),
        [(2, 3, 4)],
    ),
    ("permute_dims 0-d", lambda xp, x: xp.permute_dims(x, ()), lambda x: x.permute(()), [()]),
    ("expand_dims", lambda xp, x: xp.expand_dims(x, axis=1), lambda x: x.unsqueeze(1), [(2, 3)]),
    ("expand_dims negative", lambda xp, x: xp.expand_dims(x, axis=-1), lambda x: x.unsqueeze(-1), [(2, 3)]),
    ("expand_dims positional", lambda xp, x: xp.expand_dims(x, -3), lambda x: x.unsqueeze(-3), [(2, 3)]),
    ("expand_dims 0-d", lambda xp, x: xp.expand_dims(x), lambda x: x.unsqueeze(0), [()]),
    ("squeeze", lambda xp, x: xp.squeeze(x, 1), lambda x: x.squeeze(1), [(2, 1, 3)]),
    ("squeeze negative", lambda xp, x: xp.squeeze(x, axis=-2), lambda x: x.squeeze(-2), [(2, 1, 3)]),
    ("squeeze several", lambda xp, x: xp.squeeze(x, axis=(0, -1)), lambda x: x.squeeze((0, -1)), [(1, 2, 1)]),
    ("matrix_transpose", lambda xp, x: xp.matrix_transpose(x), lambda x: x.mT, [(2, 3, 4)]),
    ("T", lambda xp, x: x.T, lambda x: x.T, [(2, 3)]),
    ("swapaxes", lambda xp, x: xp.swapaxes(x, 0, -1), lambda x: x.swapaxes(0, -1), [(2, 3, 4)]),
    ("transpose", lambda xp, x: xp.transpose(x, 1, 2), lambda x: x.transpose(1, 2), [(2, 3, 4)]),
    ("transpose keywords", lambda xp, x: xp.transpose(x, axis0=-1, axis1=0), lambda x: x.transpose(-1, 0), [(2, 3, 4)]),
    ("moveaxis", lambda xp, x: xp.moveaxis(x, 0, 2), lambda x: x.moveaxis(0, 2), [(2, 3, 4)]),
    ("moveaxis several", lambda xp, x: xp.moveaxis(x, (0, -1), (1, 0)), lambda x: x.permute(2, 0, 1), [(2, 3, 4)]),
    ("flip", lambda xp, x: xp.flip(x), lambda x: x.flip(0, 1), [(2, 3)]),
    ("flip negative", lambda xp, x: xp.flip(x, axis=-1), lambda x: x.flip(-1), [(2, 3)]),
    ("flip several", lambda xp, x: xp.flip(x, axis=(0, 2)), lambda x: x.flip(0, 2), [(2, 3, 2)]),
    ("ravel", lambda xp, x: xp.ravel(x), lambda x: x.ravel(), [(2, 3)]),
    ("flatten", lambda xp, x: xp.flatten(x), lambda x: x.flatten(), [(2, 3, 2)]),
    ("flatten some", lambda xp, x: xp.flatten(x, 1, -2), lambda x: x.flatten(1, -2), [(2, 3, 2, 2)]),
    ("flatten 0-d", lambda xp, x: xp.flatten(x), lambda x: x.flatten(), [()]),
    ("flatten empty", lambda xp, x: xp.flatten(x, start_dim=1), lambda x: x.flatten(1), [(0, 2, 3)]),
    ("unstack", lambda xp, x: xp.unstack(x), lambda x: x.unbind(), [(3, 2)]),
    ("unstack negative", lambda xp, x: xp.unstack(x, axis=-1), lambda x: x.unbind(-1), [(2, 3)]),
    ("unbind", lambda xp, x: xp.unbind(x, 1), lambda x: x.unbind(1), [(2, 3, 2)]),
    ("select", lambda xp, x: xp.select(x, 1, -1), lambda x: x.select(1, -1), [(2, 3)]),
    ("narrow", lambda xp, x: xp.narrow(x, 1, 1, 2), lambda x: x.narrow(1, 1, 2), [(2, 4)]),
    ("narrow negative", lambda xp, x: xp.narrow(x, -2, -3, 2), lambda x: x.narrow(-2, -3, 2), [(4, 2)]),
    ("narrow empty", lambda xp, x: xp.narrow(x, 0, 2, 0), lambda x: x.narrow(0, 2, 0), [(2, 2)]),
    ("split", lambda xp, x: xp.split(x, 2), lambda x: x.split(2), [(5, 2)]),
    ("split sections", lambda xp, x: xp.split(x, [1, 0, 3], axis=-1), lambda x: x.split([1, 0, 3], -1), [(2, 4)]),
    ("split empty", lambda xp, x: xp.split(x, 2), lambda x: x.split(2), [(0, 2)]),
    ("chunk", lambda xp, x: xp.chunk(x, 3), lambda x: x.chunk(3), [(7,)]),
    ("chunk fewer", lambda xp, x: xp.chunk(x, 4, 1), lambda x: x.chunk(4, 1), [(2, 6)]),
    ("chunk empty", lambda xp, x: xp.chunk(x, 2), lambda x: x.chunk(2), [(0, 2)]),
    ("broadcast_to", lambda xp, x: xp.broadcast_to(x, (4, 2, 3)), lambda x: x.broadcast_to(4, 2, 3), [(2, 1)]),
    ("broadcast_to same", lambda xp, x: xp.broadcast_to(x, (2, 3)), lambda x: x.broadcast_to(2, 3), [(2, 3)]),
    ("broadcast_to 0-d", lambda xp, x: xp.broadcast_to(x, (2, 3)), lambda x: x.broadcast_to(2, 3), [()]),
    ("broadcast_to empty", lambda xp, x: xp.broadcast_to(x, (2, 0)), lambda x: x.broadcast_to(2, 0), [(2, 1)]),
    ("broadcast_arrays", lambda xp, *a: xp.broadcast_arrays(*a), torch.broadcast_tensors, [(3, 1), (2, 1, 4), ()]),
    ("expand", lambda xp, x: xp.expand(x, 4, -1, 3), lambda x: x.expand(4, -1, 3), [(2, 1)]),
    ("expand tuple", lambda xp, x: xp.expand(x, (2, 3)), lambda x: x.expand((2, 3)), [(1, 3)]),
    ("meshgrid", lambda xp, *a: xp.meshgrid(*a), grids("xy"), [(2,), (3,), (4,)]),
    ("meshgrid ij", lambda xp, *a: xp.meshgrid(*a, indexing="ij"), grids("ij"), [(2,), (3,), (2,)]),
    ("meshgrid one", lambda xp, x: xp.meshgrid(x), grids("ij"), [(2,)]),
    ("concat", lambda xp, *a: xp.concat(a), lambda *a: torch.cat(a), [(1, 2), (3, 2), (0, 2)]),
    ("concat negative", lambda xp, *a: xp.concat(list(a), axis=-1), lambda *a: torch.cat(a, -1), [(2, 1), (2, 3)]),
    (
        "concat flat",
        lambda xp, *a: xp.concat(a, axis=None),
        lambda *a: torch.cat([x.ravel() for x in a]),
        [(2, 1), (), (3,)],
    ),
    ("stack", lambda xp, *a: xp.stack(a), lambda *a: torch.stack(a), [(2, 3), (2, 3)]),
    ("stack negative", lambda xp, *a: xp.stack(list(a), axis=-1), lambda *a: torch.stack(a, -1), [(2, 3)] * 3),
    ("stack middle", lambda xp, *a: xp.stack(a, axis=1), lambda *a: torch.stack(a, 1), [(2, 3), (2, 3)]),
    ("stack 0-d", lambda xp, *a: xp.stack(a), lambda *a: torch.stack(a), [(), ()]),
    ("hstack", lambda xp, *a: xp.hstack(a), lambda *a: torch.hstack(a), [(2, 1), (2, 2)]),
    ("hstack 1-d", lambda xp, *a: xp.hstack(a), lambda *a: torch.hstack(a), [(2,), (), (1,)]),
    ("vstack", lambda xp, *a: xp.vstack(a), lambda *a: torch.vstack(a), [(3,), (2, 3)]),
    ("roll", lambda xp, x: xp.roll(x, 2), lambda x: x.roll(2), [(2, 3)]),
    ("roll axis", lambda xp, x: xp.roll(x, -1, axis=-1), lambda x: x.roll(-1, -1), [(2, 3)]),
    ("roll several", lambda xp, x: xp.roll(x, (1, -2), axis=(0, 1)), lambda x: x.roll((1, -2), (0, 1)), [(2, 3)]),
    ("repeat", lambda xp, x: xp.repeat(x, 3), lambda x: x.repeat_interleave(3), [(2, 2)]),
    ("repeat axis", lambda xp, x: xp.repeat(x, 2, axis=-1), lambda x: x.repeat_interleave(2, dim=-1), [(2, 3)]),
    ("repeat 0", lambda xp, x: xp.repeat(x, 0, axis=0), lambda x: x.repeat_interleave(0, dim=0), [(2, 3)]),
    ("tile", lambda xp, x: xp.tile(x, (2, 3)), lambda x: x.tile(2, 3), [(2, 2)]),
    ("tile fewer", lambda xp, x: xp.tile(x, (2,)), lambda x: x.tile(2), [(2, 3)]),
    ("tile more", lambda xp, x: xp.tile(x, (2, 1, 3)), lambda x: x.tile(2, 1, 3), [(2, 2)]),
    ("tile ones", lambda xp, x: xp.tile(x, (1, 1, 1)), lambda x: x.tile(1, 1, 1), [(2, 2)]),
    ("tile 0-d", lambda xp, x: xp.tile(x, (3,)), lambda x: x.tile(3), [()]),
    ("tril", lambda xp, x: xp.tril(x), lambda x: x.tril(), [(3, 3)]),
    ("tril k", lambda xp, x: xp.tril(x, k=-1), lambda x: x.tril(-1), [(2, 3, 4)]),
    ("triu", lambda xp, x: xp.triu(x, k=1), lambda x: x.triu(1), [(2, 3, 4)]),
    ("clone", lambda xp, x: xp.clone(x), lambda x: x.clone(), [(2, 3)]),
    ("contiguous", lambda xp, x: xp.contiguous(x), lambda x: x.contiguous(), [(2, 3)]),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("ours", "theirs", "shapes"), [pytest.param(*case[1:], id=case[0]) for case in CASES])
def test_derivatives(ours: Any, theirs: Any, shapes: Any, dtype: str, backend: str) -> None:
    run(ours, theirs, shapes, dtype, backend)


def test_inverse_permutation() -> None:
    assert (
        _invert_permutation((2, 0, 1)) == _invert_permutation((-1, 0, -2)) == (1, 2, 0)
    )  # negative axes: some libraries take them


def taken(axis: int) -> Any:
    return lambda xp, x, i: xp.take(x, i, axis=axis), lambda x, i: x.index_select(axis, i % x.shape[axis])


def along(axis: int) -> Any:
    return lambda xp, x, i: xp.take_along_axis(x, i, axis=axis), lambda x, i: torch.take_along_dim(x, i, axis)


def repeated(axis: int) -> Any:
    return lambda xp, x, i: xp.repeat(x, i, axis=axis), lambda x, i: x.repeat_interleave(i, dim=axis)


# (name, (function of (xp, x, indices), the same for torch), shape, indices)
GATHERS: list[tuple[str, Any, Any, Any]] = [
    ("take", (lambda xp, x, i: xp.take(x, i), lambda x, i: x.take(i)), (4,), [3, 0, 3, 3]),
    ("take axis", taken(1), (2, 3), [2, 0, 2, 1]),
    ("take negative", taken(-2), (2, 3, 2), [1, -1]),
    ("take empty", taken(0), (2, 3), np.zeros(0, dtype=np.int64)),
    ("index_select", (lambda xp, x, i: xp.index_select(x, 0, i), lambda x, i: x.index_select(0, i)), (3, 2), [0, 0, 2]),
    ("take_along_axis", along(-1), (2, 3), [[0, 0], [2, 1]]),
    ("take_along_axis 0", along(0), (2, 3), [[1, 0, 1]]),
    ("take_along_axis longer", along(-2), (2, 2, 2), [[[1, 0], [1, 1], [0, 1]]] * 2),
    ("take_along_axis broadcast", along(1), (3, 4), [[1, 1, 2]]),
    ("repeat array", repeated(1), (2, 3), [2, 0, 1]),
    ("repeat array of one", repeated(0), (2, 3), [2]),
    (
        "repeat array flat",
        (lambda xp, x, i: xp.repeat(x, i), lambda x, i: x.ravel().repeat_interleave(i)),
        (2, 2),
        [0, 1, 2, 1],
    ),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("pair", "shape", "indices"), [pytest.param(*case[1:], id=case[0]) for case in GATHERS])
def test_gathers(pair: Any, shape: Any, indices: Any, dtype: str, backend: str) -> None:
    run(*pair, [shape], dtype, backend, [indices])


def test_indices_may_be_raw_arrays(backend: str, xp: Any) -> None:
    raw = tensor(np.array([1, 1]), backend).array
    x = tensor(np.arange(6.0).reshape(2, 3), backend, True)
    for y in (
        xp.take(x, raw, axis=1),
        xp.index_select(x, 1, raw),
        xp.take_along_axis(x, xp.reshape(raw, (2, 1)), axis=1),
    ):
        (g,) = polygrad.autograd.grad(xp.sum(y), [x])
        assert host(g)[:, 1].tolist() == [y.shape[1]] * 2
        assert host(g)[:, ::2].tolist() == [[0.0, 0.0]] * 2


def test_take_accumulates_duplicates(backend: str, xp: Any) -> None:
    x = tensor(np.arange(3.0), backend, True)
    y = xp.take(x, tensor(np.array([2, 0, 2, 2]), backend), axis=0)
    (g,) = polygrad.autograd.grad(y, [x], [tensor(np.array([1.0, 10.0, 100.0, 1000.0]), backend)])
    assert host(g).tolist() == [10.0, 0.0, 1101.0]


def test_gathers_under_nested_transforms(backend: str, xp: Any) -> None:
    i, j, n = (tensor(np.array(values), backend) for values in ([[1, 1], [0, 2]], [0, 0, 2], [2, 1]))

    def f(x: Any) -> Any:
        parts = (xp.take_along_axis(x, i, axis=1), xp.take(x, j, axis=1), xp.repeat(x, n, axis=0), xp.moveaxis(x, 0, 1))
        return xp.sum(xp.concat(parts, axis=None) ** 3)

    a = sample((2, 3), "float64", 0)
    counts = np.array([[0, 2, 0], [1, 0, 1]]) + np.array([[2, 0, 1]] * 2) + np.array([[2], [1]]) + 1
    x, ones = tensor(a, backend), tensor(np.ones((2, 3)), backend)
    reverse = func.grad(lambda x: xp.sum(func.grad(f)(x)))(x)
    over = func.jvp(func.grad(f), (x,), (ones,))[1]
    under = func.grad(lambda x: func.jvp(f, (x,), (ones,))[1])(x)
    for second in (reverse, over, under):
        np.testing.assert_allclose(host(second), 6 * a * counts, rtol=1e-12)


def test_a_write_through_a_view_inside_a_transform(backend: str, xp: Any) -> None:
    def f(x: Any) -> Any:
        base = x * 1
        view = xp.moveaxis(xp.reshape(base, (3, 2)), 0, 1)
        view[...] = view * view
        base[0, :] = base[0, :] * 2
        return xp.sum(base)

    a = sample((2, 3), "float64", 0)
    expected = 2 * a * np.array([[2], [1]])
    x = tensor(a, backend)
    np.testing.assert_allclose(host(func.grad(f)(x)), expected)
    _, tangent = func.jvp(f, (x,), (tensor(np.ones((2, 3)), backend),))
    np.testing.assert_allclose(tangent.item(), expected.sum())


# -- astype ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("float64", "float64"),
        ("float64", "complex128"),
        ("complex128", "complex128"),
        ("float64", "float32"),
        ("complex128", "complex64"),
    ],
)
def test_astype(source: str, target: str, backend: str, xp: Any) -> None:
    x = tensor(sample((2, 3), source, 0), backend, True)
    y = xp.astype(x, getattr(xp, target))
    assert polygrad.backend.dtype_name(y.dtype) == target
    assert y.grad_fn.name() == "ToCopyBackward0"
    v = sample((2, 3), "complex128", 1)
    v = (v if "complex" in target else v.real).astype(target)
    (g,) = polygrad.autograd.grad(y, [x], [tensor(v, backend)])
    assert g.dtype == x.dtype
    np.testing.assert_allclose(host(g), v if "complex" in source else v.real, rtol=1e-6)
    _, t = func.jvp(lambda z: xp.astype(z, getattr(xp, target)), (x.detach(),), (x.detach(),))
    assert t.dtype == y.dtype
    np.testing.assert_allclose(host(t), host(x.detach()).astype(target), rtol=1e-6)


def test_astype_second_order(backend: str) -> None:
    xp = polygrad.namespace(backend)

    def function(x: Any) -> Any:
        return xp.astype(x, xp.complex128) * xp.astype(x * x, xp.complex128)

    check(function, [sample((3,), "float64", 0)], backend, narrow=False)


def test_astype_takes_names(xp: Any) -> None:
    assert xp.astype(xp.ones((2,)), "float32").dtype == xp.float32


def test_astype_to_integers_ends_the_graph(backend: str, xp: Any) -> None:
    x = tensor(np.array([1.5, -2.5]), backend, True)
    for dtype in (xp.int64, xp.bool):
        y = xp.astype(x, dtype)
        assert not y.requires_grad
        assert y.grad_fn is None
    value, tangent = func.jvp(lambda z: xp.astype(z, xp.int64), (x.detach(),), (xp.ones((2,), dtype=x.dtype),))
    assert host(value).tolist() == [1, -2]
    assert host(tangent).tolist() == [0, 0]
    (g,) = polygrad.autograd.grad(xp.sum(x * xp.astype(xp.astype(x, xp.int64), x.dtype)), [x])
    assert host(g).tolist() == [1.0, -2.0]


# -- promotion ---------------------------------------------------------------------------------
def test_joins_promote(backend: str) -> None:
    xp = polygrad.namespace(backend)
    arrays = [sample((2,), "float64", 0), sample((2,), "complex128", 1)]
    check(lambda x, z: xp.concat([x, z]), arrays, backend, reference=lambda x, z: torch.cat([x, z]))
    check(lambda x, z: xp.stack([x, z]), arrays, backend, reference=lambda x, z: torch.stack([x + 0j, z]))
    ints = np.array([1, 2])
    check(lambda x, n: xp.concat([n, x]), [arrays[0], ints], backend, reference=lambda x, n: torch.cat([n, x]))


def test_a_join_gives_no_cotangent_where_none_is_wanted(backend: str, xp: Any) -> None:
    x, y = tensor(np.ones(2), backend, True), tensor(np.ones(2), backend)
    for z in (xp.concat([x, y, x]), xp.stack([x, y, x])):
        assert [node is not None for node, _ in z.grad_fn.next_functions] == [True, False, True]
        (g,) = polygrad.autograd.grad(xp.sum(z * z), [x])
        assert host(g).tolist() == [4.0, 4.0]


# -- node names, what is saved, signatures -----------------------------------------------------------------------------
NAMES = [
    ("reshape", lambda xp, x: xp.reshape(x, (6,)), lambda x: x.reshape(6)),
    ("permute_dims", lambda xp, x: xp.permute_dims(x, (1, 0)), lambda x: x.permute(1, 0)),
    ("T", lambda xp, x: x.T, lambda x: x.T),
    ("mT", lambda xp, x: x.mT, lambda x: x.mT),
    ("expand_dims", lambda xp, x: xp.expand_dims(x, axis=0), lambda x: x.unsqueeze(0)),
    ("squeeze", lambda xp, x: xp.squeeze(x[:1, :], 0), lambda x: x[:1, :].squeeze(0)),
    ("squeeze several", lambda xp, x: xp.squeeze(x[:1, :], (0,)), lambda x: x[:1, :].squeeze((0,))),
    ("swapaxes", lambda xp, x: xp.swapaxes(x, 0, 1), lambda x: x.swapaxes(0, 1)),
    ("transpose", lambda xp, x: xp.transpose(x, 0, 1), lambda x: x.transpose(0, 1)),
    ("moveaxis", lambda xp, x: xp.moveaxis(x, 0, 1), lambda x: x.moveaxis(0, 1)),
    ("flip", lambda xp, x: xp.flip(x), lambda x: x.flip(0)),
    ("ravel", lambda xp, x: xp.ravel(x), lambda x: x.ravel()),
    ("flatten", lambda xp, x: xp.flatten(x), lambda x: x.flatten()),
    ("select", lambda xp, x: xp.select(x, 0, 0), lambda x: x.select(0, 0)),
    ("narrow", lambda xp, x: xp.narrow(x, 0, 0, 1), lambda x: x.narrow(0, 0, 1)),
    ("broadcast_to", lambda xp, x: xp.broadcast_to(x, (2, 2, 3)), lambda x: x.broadcast_to(2, 2, 3)),
    ("expand", lambda xp, x: xp.expand(x, 2, 2, 3), lambda x: x.expand(2, 2, 3)),
    ("concat", lambda xp, x: xp.concat([x, x]), lambda x: torch.cat([x, x])),
    ("hstack", lambda xp, x: xp.hstack([x, x]), lambda x: torch.hstack([x, x])),
    ("stack", lambda xp, x: xp.stack([x, x]), lambda x: torch.stack([x, x])),
    ("roll", lambda xp, x: xp.roll(x, 1), lambda x: x.roll(1)),
    ("tile", lambda xp, x: xp.tile(x, (2, 2)), lambda x: x.tile(2, 2)),
    ("tril", lambda xp, x: xp.tril(x), lambda x: x.tril()),
    ("triu", lambda xp, x: xp.triu(x), lambda x: x.triu()),
    ("clone", lambda xp, x: xp.clone(x), lambda x: x.clone()),
    ("astype", lambda xp, x: xp.astype(x, xp.float32), lambda x: x.to(torch.float32)),
]


@pytest.mark.parametrize(("ours", "theirs"), [pytest.param(*case[1:], id=case[0]) for case in NAMES])
def test_nodes_are_named_as_in_torch(ours: Any, theirs: Any, backend: str, xp: Any) -> None:
    y = ours(xp, tensor(np.ones((2, 3)), backend, True))
    assert y.grad_fn.name() == theirs(torch.ones(2, 3, dtype=torch.float64, requires_grad=True)).grad_fn.name()


def test_gathers_are_named_as_in_torch(backend: str, xp: Any) -> None:
    x, i = tensor(np.ones(2), backend, True), tensor(np.array([0]), backend)
    assert xp.take(x, i).grad_fn.name() == "TakeBackward0"
    assert xp.take(x, i, axis=0).grad_fn.name() == "IndexSelectBackward0"
    assert xp.take_along_axis(x, i).grad_fn.name() == "GatherBackward0"


def test_nothing_is_saved_but_indices(backend: str, xp: Any) -> None:
    x, i = tensor(np.ones((2, 3)), backend, True), tensor(np.array([0]), backend)
    for y in (
        xp.concat([x, x]),
        xp.stack([x, x]),
        xp.roll(x, 1),
        xp.tile(x, (2,)),
        xp.repeat(x, 2),
        xp.broadcast_to(x, (2, 2, 3)),
    ):
        assert y.grad_fn.saved_arrays == ()
    (saved,) = xp.take(x, i, axis=0).grad_fn.saved_arrays
    assert saved.tolist() == [0] if hasattr(saved, "tolist") else True


STANDARD = [
    "astype", "broadcast_arrays", "broadcast_to", "concat", "flip", "matmul", "matrix_transpose", "meshgrid", "moveaxis",
    "permute_dims", "repeat", "reshape", "roll", "squeeze", "stack", "take", "take_along_axis", "tensordot", "tile", "tril",
    "triu", "unstack", "vecdot",
]  # fmt: skip
"""Not ``expand_dims``: its axis is keyword-only in 2024.12 and has no default in 2025.12; here it is neither."""


@pytest.mark.parametrize("name", STANDARD)
def test_signatures_are_the_standards(name: str) -> None:
    strict = pytest.importorskip("array_api_strict")
    ours = list(inspect.signature(getattr(polygrad, name)).parameters.values())
    theirs = list(inspect.signature(getattr(strict, name)).parameters.values())
    assert [(p.name, p.kind) for p in ours] == [(p.name, p.kind) for p in theirs]
    for mine, other in zip(ours, theirs, strict=True):
        if mine.name != "device":  # which may also be left out, there
            assert mine.default == other.default


# -- views ---------------------------------------------------------------------------------
# (name, function of (xp, x), the same for torch, shape)
VIEWS: list[tuple[str, Any, Any, Any]] = [
    ("reshape", lambda xp, x: xp.reshape(x, (3, 2)), lambda x: x.view(3, 2), (2, 3)),
    ("permute_dims", lambda xp, x: xp.permute_dims(x, (2, 0, 1)), lambda x: x.permute(2, 0, 1), (2, 3, 4)),
    ("expand_dims", lambda xp, x: xp.expand_dims(x, axis=1), lambda x: x.unsqueeze(1), (2, 3)),
    ("squeeze", lambda xp, x: xp.squeeze(x, (0, -1)), lambda x: x.squeeze((0, -1)), (1, 3, 1)),
    ("matrix_transpose", lambda xp, x: xp.matrix_transpose(x), lambda x: x.mT, (2, 3, 4)),
    ("swapaxes", lambda xp, x: xp.swapaxes(x, 0, 2), lambda x: x.swapaxes(0, 2), (2, 3, 4)),
    ("transpose", lambda xp, x: xp.transpose(x, 0, 1), lambda x: x.transpose(0, 1), (2, 3)),
    ("moveaxis", lambda xp, x: xp.moveaxis(x, 0, -1), lambda x: x.moveaxis(0, -1), (2, 3, 4)),
    ("ravel", lambda xp, x: xp.ravel(x), lambda x: x.ravel(), (2, 3)),
    ("flatten", lambda xp, x: xp.flatten(x, 1), lambda x: x.flatten(1), (2, 3, 2)),
    ("select", lambda xp, x: xp.select(x, 1, -1), lambda x: x.select(1, -1), (2, 3)),
    ("narrow", lambda xp, x: xp.narrow(x, 1, 1, 2), lambda x: x.narrow(1, 1, 2), (2, 4)),
    (
        "a chain",
        lambda xp, x: xp.swapaxes(x, 0, 1)[1:, :].T[:, ::2],
        lambda x: x.swapaxes(0, 1)[1:, :].T[:, ::2],
        (2, 5),
    ),
]


@pytest.mark.parametrize(("ours", "theirs", "shape"), [pytest.param(*case[1:], id=case[0]) for case in VIEWS])
def test_a_write_to_a_view_reaches_the_base_and_back(ours: Any, theirs: Any, shape: Any, backend: str, xp: Any) -> None:
    a, w = sample(shape, "float64", 0), sample(shape, "float64", 1)

    def script(x: Any, weights: Any, view: Any) -> Any:
        base = x * 2
        v = view(base)
        v.mul_(3)  # the base changes
        after_view = base * weights
        base.add_(weights)  # the view changes
        return base, v, (after_view * after_view).sum() + (v * v * v).sum()

    x = tensor(a, backend, True)
    base, v, loss = script(x, tensor(w, backend), lambda b: ours(xp, b))
    tx = torch.tensor(a, requires_grad=True)
    tbase, tv, tloss = script(tx, torch.tensor(w), theirs)
    np.testing.assert_allclose(host(base.detach()), tbase.detach().numpy())
    np.testing.assert_allclose(host(v.detach()), tv.detach().numpy())
    loss.backward()
    tloss.backward()
    np.testing.assert_allclose(host(x.grad), tx.grad.numpy())


# torch refuses to write to these, or has no such view
SELECTIONS: list[tuple[str, Any, Any]] = [
    ("flip", lambda xp, x: xp.flip(x, axis=1), lambda a: a[:, ::-1]),
    ("unstack", lambda xp, x: xp.unstack(x)[1], lambda a: a[1]),
    ("unbind", lambda xp, x: xp.unbind(x, 1)[0], lambda a: a[:, 0]),
    ("split", lambda xp, x: xp.split(x, 2, 1)[1], lambda a: a[:, 2:4]),
    ("chunk", lambda xp, x: xp.chunk(x, 2, axis=1)[0], lambda a: a[:, :2]),
]


@pytest.mark.parametrize(("ours", "theirs"), [pytest.param(*case[1:], id=case[0]) for case in SELECTIONS])
def test_selections_are_views(ours: Any, theirs: Any, backend: str, xp: Any) -> None:
    a = sample((2, 3), "float64", 0)
    x = tensor(a, backend, True)
    base = x * 1
    v = ours(xp, base)
    v.mul_(3)
    factor = np.ones_like(a)
    theirs(factor)[...] = 3
    np.testing.assert_allclose(host(base.detach()), a * factor)
    base.mul_(2)
    np.testing.assert_allclose(host(v.detach()), theirs(a * factor * 2))
    xp.sum(base).backward()
    np.testing.assert_allclose(host(x.grad), 2 * factor)


def test_copies_are_no_views(backend: str, xp: Any) -> None:
    for copy in (
        lambda x: xp.reshape(x, (3, 2), copy=True),
        xp.clone,
        lambda x: xp.roll(x, 0),
        lambda x: xp.concat([x]),
    ):
        base = tensor(np.ones((2, 3)), backend)
        copy(base).mul_(2)
        assert host(base).tolist() == [[1.0] * 3] * 2


# -- errors ---------------------------------------------------------------------------------
ERRORS = [
    (lambda xp, x: xp.unstack(x, axis=2), IndexError, r"unstack: Dimension out of range .*\[-2, 1\], but got 2"),
    (lambda xp, x: xp.flatten(x, 1, 0), ValueError, "flatten: start_dim=1 comes after end_dim=0"),
    (
        lambda xp, x: xp.narrow(x, 1, 2, 2),
        IndexError,
        r"narrow: start \(2\) \+ length \(2\) exceeds dimension size \(3\)",
    ),
    (lambda xp, x: xp.select(x, 1, 3), IndexError, "select: index 3 out of range for axis 1"),
    (lambda xp, x: xp.split(x, 0), ValueError, "split: the size of the pieces has to be positive, got 0"),
    (
        lambda xp, x: xp.split(x, [1, 2]),
        ValueError,
        r"split: the sizes of the pieces have to sum up to 2.*got \[1, 2\]",
    ),
    (lambda xp, x: xp.chunk(x, 0), ValueError, "chunk: chunk expects `chunks` to be greater than 0, got: 0"),
    (lambda xp, x: xp.expand(x, -1, 2, 3), ValueError, "expand: -1 keeps a length"),
    (
        lambda xp, x: xp.broadcast_arrays(x, x[:, :2]),
        ValueError,
        "do not broadcast: axis -1 has length 3 in one and 2 in another",
    ),
    (lambda xp, x: xp.meshgrid(x), ValueError, r"meshgrid: expected arrays of one axis, got .*\[2, 3\]"),
    (lambda xp, x: xp.meshgrid(x[0, :], indexing="ab"), ValueError, 'indexing must be "xy" or "ij"'),
    (lambda xp, x: xp.reshape(x, (4,)), RuntimeError, r"reshape\(.*shape=\(4,\)"),
]


@pytest.mark.parametrize(("function", "kind", "text"), ERRORS, ids=[text[:24] for _, _, text in ERRORS])
def test_errors(function: Any, kind: Any, text: str, backend: str, xp: Any) -> None:
    with pytest.raises(kind, match=text):
        function(xp, tensor(np.ones((2, 3)), backend))


@pytest.mark.parametrize("axes", [(0, 0), (0, -2), (0, 2), (-3, 0), (0,)])
def test_permute_dims_takes_every_axis_once(axes: tuple[int, ...], backend: str, xp: Any) -> None:
    with pytest.raises(
        (ValueError, IndexError, RuntimeError),
        match=rf"permute_dims\(.*{re.escape(f'axes={axes}')}\): .*(ax[ei]s|[dD]im)",
    ):
        xp.permute_dims(tensor(np.ones((2, 3)), backend), axes)
