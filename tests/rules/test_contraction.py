"""einsum in all its forms, and torch's sums of a matrix and a product."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polygrad
from polygrad.errors import ArgumentError, ShapeError
from support.gradient_checks import check, host, tensor, torch

RNG = np.random.default_rng(11)


def real(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape)


def complex_(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape) + 1j * RNG.normal(size=shape)


EQUATIONS = [
    # equation, operands
    ("i->i", [real(3)]),
    ("i->", [real(3)]),
    ("i", [real(3)]),
    ("ij->ji", [real(2, 3)]),
    ("ba", [real(2, 3)]),
    ("ii->i", [real(3, 3)]),
    ("ii", [real(3, 3)]),
    ("iij->ji", [real(3, 3, 2)]),
    ("iji->j", [complex_(3, 2, 3)]),
    ("iiijj->ji", [real(2, 2, 2, 3, 3)]),
    ("...ij->...", [real(2, 3, 4)]),
    ("i...->...", [real(3, 2, 2)]),
    ("->", [np.asarray(1.5)]),
    ("...", [np.asarray(1.5)]),
    ("ij,jk->ik", [real(2, 3), real(3, 4)]),
    ("ij,jk", [real(2, 3), real(3, 4)]),
    ("ij,kj->ki", [complex_(2, 3), complex_(4, 3)]),
    ("ij,jk->ik", [real(2, 3), complex_(3, 4)]),
    ("i,i->", [complex_(4), complex_(4)]),
    ("i,i", [real(4), real(4)]),
    ("i,j->ij", [real(2), complex_(3)]),
    ("i,j->ji", [real(2), real(3)]),
    ("bij,bjk->bik", [real(2, 2, 3), real(2, 3, 2)]),
    ("bij,bkj->ikb", [real(2, 2, 3), real(2, 4, 3)]),
    ("ij,ij->ij", [real(2, 3), real(2, 3)]),
    ("ij,i->ij", [real(2, 3), real(2)]),
    ("ij,j->i", [real(2, 3), real(3)]),
    ("ij,ij->i", [real(2, 3), complex_(2, 3)]),
    ("ij,kl->il", [real(2, 3), real(4, 2)]),
    ("ij,kl->", [real(2, 3), real(4, 2)]),
    ("ii,ij->j", [real(3, 3), real(3, 2)]),
    ("ii,jj->ij", [complex_(3, 3), complex_(2, 2)]),
    ("iji,j->", [real(3, 2, 3), real(2)]),
    (",i->i", [np.asarray(2.0), real(3)]),
    (",", [np.asarray(2.0), np.asarray(1.5)]),
    ("...ij,...jk->...ik", [real(2, 2, 3), real(3, 2)]),
    ("...ij,...jk->...ik", [real(2, 1, 2, 3), real(4, 3, 2)]),
    ("...ij,jk...", [real(4, 2, 3), real(3, 2, 4)]),
    ("i...,i...->...", [real(3, 1, 2), real(3, 4, 1)]),
    ("ij,ij->ij", [real(1, 3), real(2, 1)]),
    ("ij,jk->ik", [real(2, 1), real(3, 4)]),
    (" i j , j k -> i k ", [real(2, 3), real(3, 4)]),
    ("Ab,bA->A", [real(2, 3), real(3, 2)]),
    ("ij,jk->ik", [real(2, 0), real(0, 4)]),
    ("ij,jk->ik", [real(0, 3), real(3, 4)]),
    ("ij->j", [real(0, 3)]),
    ("ij,jk,kl->il", [real(2, 3), real(3, 4), real(4, 2)]),
    ("ij,ik,il->jkl", [real(3, 2), complex_(3, 2), real(3, 2)]),
    ("bij,jk,bkl,m->bilm", [real(2, 2, 3), real(3, 2), real(2, 2, 3), real(2)]),
    ("i,i,i->", [complex_(3), complex_(3), complex_(3)]),
    ("ii,...j,j->...", [real(2, 2), real(4, 3), real(3)]),
]


@pytest.mark.parametrize(("equation", "arrays"), EQUATIONS, ids=lambda v: v if isinstance(v, str) else "")
def test_einsum(equation: str, arrays: Any, backend: str) -> None:
    def reference(*ts: Any) -> Any:
        wide = any(t.is_complex() for t in ts)
        return torch.einsum(equation, *[t.to(torch.complex128) if wide else t for t in ts])

    check(lambda *ts: polygrad.einsum(equation, *ts), arrays, backend, reference=reference)


def test_einsum_of_a_list_and_of_lists_of_axes(backend: str) -> None:
    a, b = real(2, 3), real(3, 4)
    x, y = tensor(a, backend), tensor(b, backend)
    np.testing.assert_allclose(host(polygrad.einsum("ij,jk", [x, y])), a @ b)
    np.testing.assert_allclose(host(polygrad.einsum(x, [0, 1], y, [1, 2], [2, 0])), (a @ b).T)
    np.testing.assert_allclose(host(polygrad.einsum(x, [0, 1], y, [1, 2])), a @ b)
    np.testing.assert_allclose(host(polygrad.einsum(x, [Ellipsis, 1], [1, Ellipsis])), a.T)


def test_einsum_records_one_node_for_a_pair(xp: Any) -> None:
    x = polygrad.ones((2, 2), requires_grad=True)
    y = polygrad.ones((2, 2))
    out = polygrad.einsum("ij,jk->ik", x, y)
    assert out.grad_fn.name() == "EinsumBackward0"
    assert out.grad_fn.next_functions[0][0].name() == "AccumulateGrad"


def test_einsum_of_raw_arrays_and_numbers_of_another_kind(backend: str) -> None:
    x = tensor(real(2, 2), backend, requires_grad=True)
    ints = tensor(np.asarray([1, 2]), backend)
    out = polygrad.einsum("ij,j->i", x, ints)
    assert out.dtype == x.dtype
    out.sum().backward()
    np.testing.assert_allclose(host(x.grad), [[1.0, 2.0], [1.0, 2.0]])
    np.testing.assert_allclose(host(polygrad.einsum("ij,j->i", x.detach()._data, ints)), host(out.detach()))


def test_the_order_of_contractions_is_optimised(backend: str) -> None:
    """From the left, the chain would pass through a matrix of 400 by 400; the best order never leaves vectors."""
    sizes: list[int] = []
    a, b, c = real(400, 3), real(3, 400), real(400)
    xs = [tensor(x, backend, requires_grad=True) for x in (a, b, c)]
    out = polygrad.einsum("ij,jk,k->i", *xs)
    np.testing.assert_allclose(host(out), a @ (b @ c))
    stack = [out.grad_fn]
    while stack:  # the saved values of every node
        node = stack.pop()
        sizes += [int(np.prod(x.shape)) for x in getattr(node, "saved", ()) if hasattr(x, "shape")]
        stack += [parent for parent, _ in node.next_functions if parent is not None]
    assert max(sizes) <= 1200
    for gradient, expected in zip(
        polygrad.autograd.grad(out.sum(), xs),
        (np.outer(np.ones(400), b @ c), np.outer(a.sum(0), c), a.sum(0) @ b),
        strict=True,
    ):
        np.testing.assert_allclose(host(gradient), expected)


@pytest.mark.parametrize("installed", [True, False], ids=["opt_einsum", "numpy"])
def test_paths_of_both_libraries(installed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    from polygrad.backend import host as interop_host

    if installed:
        pytest.importorskip("opt_einsum")
    else:
        monkeypatch.setattr(interop_host.importlib.util, "find_spec", lambda name: None)
    interop_host.contraction_path.cache_clear()
    try:
        for equation, arrays in [case for case in EQUATIONS if case[0].count(",") > 1]:
            np.testing.assert_allclose(
                host(polygrad.einsum(equation, *map(polygrad.tensor, arrays))), np.einsum(equation, *arrays)
            )
        many = [real(2, 2) for _ in range(7)]
        chain = "ab,bc,cd,de,ef,fg,gh->ah"
        np.testing.assert_allclose(host(polygrad.einsum(chain, *map(polygrad.tensor, many))), np.linalg.multi_dot(many))
    finally:
        interop_host.contraction_path.cache_clear()


ERRORS = [
    ("ij,jk->ik", [(2, 3)], ArgumentError, "of 2 operands, but there are 1"),
    ("i1->i", [(2, 3)], ArgumentError, "not made of letters"),
    ("ijk->i", [(2, 3)], ShapeError, "'ijk' of 'ijk->i' do not fit"),
    ("i->i", [(2, 3)], ShapeError, "do not fit"),
    ("ij->iij", [(2, 3)], ArgumentError, "'i' has to stand once"),
    ("ij->ik", [(2, 3)], ArgumentError, "'k' has to stand once"),
    ("ij,jk->ik", [(2, 3), (4, 5)], ShapeError, "lengths 3 and 4"),
]


@pytest.mark.parametrize(("equation", "shapes", "kind", "text"), ERRORS)
def test_einsum_errors(equation: str, shapes: Any, kind: Any, text: str, backend: str) -> None:
    with pytest.raises(kind) as caught:
        polygrad.einsum(equation, *[polygrad.ones(shape) for shape in shapes])
    assert text in str(caught.value)


SUMS = [
    ("addmm", [real(2, 4), real(2, 3), real(3, 4)], {}),
    ("addmm", [real(4), complex_(2, 3), complex_(3, 4)], {"beta": 0.5, "alpha": 2.0}),
    ("addmm", [real(1), real(2, 3), real(3, 4)], {"beta": -2, "alpha": 3}),
    ("addmv", [real(2), real(2, 3), real(3)], {"alpha": 0.5}),
    ("addr", [real(2, 3), real(2), real(3)], {"beta": 2.0}),
    ("addbmm", [real(2, 4), real(5, 2, 3), real(5, 3, 4)], {"beta": 0.5, "alpha": -1.0}),
    ("baddbmm", [real(5, 2, 4), real(5, 2, 3), real(5, 3, 4)], {"alpha": 0.5}),
    ("inner", [real(2, 3), real(4, 3)], {}),
    ("inner", [complex_(3), complex_(3)], {}),
    ("inner", [np.asarray(1.5), real(4, 3)], {}),
]


@pytest.mark.parametrize(("name", "arrays", "params"), SUMS)
def test_sums_of_products(name: str, arrays: Any, params: Any, backend: str) -> None:
    def reference(*ts: Any) -> Any:
        wide = any(t.is_complex() for t in ts)
        return getattr(torch, name)(*[t.to(torch.complex128) if wide else t for t in ts], **params)

    check(lambda *ts: getattr(polygrad, name)(*ts, **params), arrays, backend, reference=reference)


def test_beta_of_zero_ignores_the_input(backend: str) -> None:
    a, b = real(2, 3), real(3, 2)
    out = polygrad.addmm(tensor(np.full((2, 2), np.nan), backend), tensor(a, backend), tensor(b, backend), beta=0)
    np.testing.assert_allclose(host(out), a @ b)
