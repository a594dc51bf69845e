"""What every derivative is checked for: against torch, against finite differences, forward against reverse, second order.

The checks run on any backend; torch is used where it is installed, as a second opinion.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

import numpy as np
import pytest

import polygrad
from polygrad import func


class _NoTorch:
    """Stands for torch where it is not installed, so that tables of references can be written down. Who calls it skips his test."""

    class Tensor:
        """Nothing is one."""

    def __getattr__(self, name: str) -> _NoTorch:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        pytest.skip("torch is not installed")


try:
    import torch
except ImportError:
    torch = _NoTorch()
HAVE_TORCH = not isinstance(torch, _NoTorch)

NAMES = os.environ.get("POLYGRAD_TEST_BACKEND", "numpy,array_api_strict").split(",")
"""The backends that the tests run on."""


def only_on(name: str) -> None:
    """Leave out a module with the tests of one adapter, unless the tests run on that backend."""
    if name not in NAMES:
        pytest.skip(f"POLYGRAD_TEST_BACKEND does not name {name}", allow_module_level=True)


def other_backend(backend: str) -> str:
    """A backend beside this one; where none is installed the test is skipped."""
    name = "array_api_strict" if backend != "array_api_strict" else "numpy"
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    return name


EPS = 1e-6


def host(value: Any) -> np.ndarray:
    """A Tensor's values as a NumPy array."""
    array = np.asarray(value.tolist(), dtype=_np_dtype(value))
    # A lazy library may not know the shape of what depends on values before it is computed.
    return array if any(n != n for n in value.shape) else array.reshape(tuple(value.shape))  # noqa: PLR0124


def hosts(values: Sequence[Any]) -> list[np.ndarray]:
    """The values of several Tensors as NumPy arrays. A lazy library computes them together, and has to keep what it promised of them."""
    if not any(polygrad.get_backend(value.backend).lazy for value in values):
        return [host(value) for value in values]
    import dask

    arrays = [np.asarray(array) for array in dask.compute(*[value.array for value in values])]
    for array, value in zip(arrays, values, strict=True):
        assert array.dtype == value.dtype
        assert array.shape == value.shape or any(n != n for n in value.shape)  # noqa: PLR0124
    return arrays


def _np_dtype(value: Any) -> Any:
    return np.dtype(polygrad.backend.dtype_name(value.dtype))


def tensor(array: Any, backend: str, requires_grad: bool = False) -> Any:
    """A Tensor on the backend with the values and dtype of a NumPy array."""
    return polygrad.tensor(np.asarray(array), backend=backend, requires_grad=requires_grad)


def _together(groups: Sequence[Sequence[Any]]) -> list[list[np.ndarray]]:
    """As ``hosts``, of several lists."""
    arrays = iter(hosts([value for group in groups for value in group]))
    return [list(islice(arrays, len(group))) for group in groups]


def _outputs(out: Any) -> list[Any]:
    return list(out) if isinstance(out, (tuple, list)) else [out]


def _inner(a: np.ndarray, b: np.ndarray) -> float:
    """The real inner product, under which torch's complex gradients are gradients."""
    return float(np.sum(np.real(np.conj(a) * b)))


def _random(rng: np.random.Generator, like: np.ndarray) -> np.ndarray:
    v = rng.normal(size=like.shape)
    if np.iscomplexobj(like):
        v = v + 1j * rng.normal(size=like.shape)
    return np.asarray(v, dtype=like.dtype)


def check(
    function: Callable[..., Any],
    arrays: Sequence[Any],
    backend: str,
    *,
    reference: Callable[..., Any] | None = None,
    forward: bool = True,
    second: bool = True,
    differentiate: Sequence[int] | None = None,
    rtol: float = 1e-10,
    numeric: float = 2e-6,
    seed: int = 0,
    single: float | None = 1e-4,
    narrow: bool = True,
) -> None:
    """Check ``function(*tensors)`` and its derivatives at ``arrays`` (NumPy, float64 or complex128).

    Args:
        function: takes Tensors, returns a Tensor or a tuple of them; only differentiable outputs.
        reference: the same with torch tensors; its values and gradients have to agree to ``rtol``.
        differentiate: which arguments require grad (default: all floating ones).
        numeric: relative tolerance against central finite differences.
        single: relative tolerance of values and derivatives in single precision; None: they are not asked for.
        narrow: whether the values are in single precision then; not if ``function`` brings in double precision of its own.
    """
    rng = np.random.default_rng(seed)
    arrays = [np.asarray(a) for a in arrays]
    which = [i for i, a in enumerate(arrays) if a.dtype.kind in "fc"] if differentiate is None else list(differentiate)

    def evaluate(*points: Sequence[np.ndarray]) -> list[list[np.ndarray]]:
        with polygrad.no_grad():
            return _together([_outputs(function(*[tensor(v, backend) for v in values])) for values in points])

    def cotangents_of(values: Sequence[np.ndarray], vs: Sequence[np.ndarray], graph: bool = False) -> Any:
        ts = [tensor(v, backend, i in which) for i, v in enumerate(values)]
        ys = _outputs(function(*ts))
        gs = polygrad.autograd.grad(
            ys, [ts[i] for i in which], [tensor(v, backend) for v in vs], create_graph=graph, materialize_grads=True
        )
        for i, g in zip(which, gs, strict=True):
            assert g.dtype == ts[i].dtype, f"gradient of argument {i} has dtype {g.dtype}, not {ts[i].dtype}"
            assert tuple(g.shape) == tuple(ts[i].shape), f"gradient of argument {i} has shape {g.shape}"
        return ts, gs

    before = [a.copy() for a in arrays]
    [values] = evaluate(arrays)
    vs = [_random(rng, y) for y in values]
    ts, gs = cotangents_of(arrays, vs)
    grads, inputs = _together([gs, ts])
    us = [_random(rng, arrays[i]) for i in which]

    def moved(step: float) -> list[np.ndarray]:
        out = list(arrays)
        for i, u in zip(which, us, strict=True):
            out[i] = arrays[i] + step * u
        return out

    # the inputs are as they were
    for t, a in zip(inputs, before, strict=True):
        np.testing.assert_array_equal(t, a)

    # reverse mode against finite differences along a random direction
    plus, minus = evaluate(moved(EPS), moved(-EPS))
    slope = [(p - m) / (2 * EPS) for p, m in zip(plus, minus, strict=True)]
    expected = sum(_inner(v, s) for v, s in zip(vs, slope, strict=True))
    got = sum(_inner(g, u) for g, u in zip(grads, us, strict=True))
    scale = 1 + sum(float(np.sum(np.abs(g) * np.abs(u))) for g, u in zip(grads, us, strict=True))
    assert abs(got - expected) <= numeric * scale, f"reverse mode {got} against finite differences {expected}"

    # forward mode against finite differences and against reverse mode
    if forward:

        def partial(*moving: Any) -> Any:
            ts = [tensor(a, backend) for a in arrays]
            for i, m in zip(which, moving, strict=True):
                ts[i] = m
            return function(*ts)

        _, tangents = func.jvp(
            partial, tuple(tensor(arrays[i], backend) for i in which), tuple(tensor(u, backend) for u in us)
        )
        tangents = hosts(_outputs(tangents))
        for t, s, y in zip(tangents, slope, values, strict=True):
            assert (t.shape, t.dtype) == (y.shape, y.dtype)
            np.testing.assert_allclose(t, s, rtol=100 * numeric, atol=numeric * scale, err_msg="forward mode")
        dual = sum(_inner(v, t) for v, t in zip(vs, tangents, strict=True))
        assert abs(got - dual) <= rtol * 10 * scale, f"<J'v, u> = {got} but <v, J u> = {dual}"

    # second order: the gradient of <J'v, w> against finite differences of J'v
    if second:
        ts, gs = cotangents_of(arrays, vs, graph=True)
        ws = [_random(rng, g) for g in grads]
        recorded = [(g, w) for g, w in zip(gs, ws, strict=True) if g.requires_grad]
        if recorded:
            second_grads = polygrad.autograd.grad(
                [g for g, _ in recorded],
                [ts[i] for i in which],
                [tensor(w, backend) for _, w in recorded],
                materialize_grads=True,
            )
        else:
            second_grads = []
        up, down = cotangents_of(moved(EPS), vs)[1], cotangents_of(moved(-EPS), vs)[1]
        second_grads, up, down = _together([second_grads, up, down])
        got2 = sum(_inner(h, u) for h, u in zip(second_grads, us, strict=bool(recorded)))
        expected2 = sum(_inner(w, (p - m) / (2 * EPS)) for w, p, m in zip(ws, up, down, strict=True))
        scale2 = scale + sum(float(np.sum(np.abs(p) + np.abs(w))) for p, w in zip(up, ws, strict=True)) + abs(got2)
        assert abs(got2 - expected2) <= 5 * numeric * scale2, (
            f"second order {got2} against finite differences {expected2}"
        )

    if single is not None and not any(0 < np.abs(a).min(initial=1) < 1e-30 for a in arrays if a.dtype.kind in "fc"):
        _check_single(function, arrays, backend, which, vs, us, forward, single, narrow)

    # torch
    if reference is not None and HAVE_TORCH:
        tt = [torch.tensor(a, requires_grad=i in which) for i, a in enumerate(arrays)]
        ty = _outputs(reference(*tt))
        for y, t in zip(values, ty, strict=True):
            t = t.resolve_conj()
            np.testing.assert_allclose(y, t.detach().numpy(), rtol=rtol, atol=rtol, err_msg="value against torch")
        tg = torch.autograd.grad(ty, [tt[i] for i in which], [torch.tensor(v) for v in vs], allow_unused=True)
        for g, t in zip(grads, tg, strict=True):
            t = np.zeros_like(g) if t is None else t.resolve_conj().numpy()
            np.testing.assert_allclose(g, t, rtol=rtol, atol=rtol * scale, err_msg="gradient against torch")


def _check_single(
    function: Callable[..., Any],
    arrays: Sequence[np.ndarray],
    backend: str,
    which: Sequence[int],
    cotangents: Sequence[np.ndarray],
    tangents: Sequence[np.ndarray],
    forward: bool,
    rtol: float,
    narrowed: bool,
) -> None:
    """Values, gradients and tangents in float32 and complex64 against those in double precision at the same, rounded inputs."""
    narrow = {"float64": np.float32, "complex128": np.complex64}

    def rounded(values: Sequence[np.ndarray]) -> list[np.ndarray]:
        return [v.astype(narrow[v.dtype.name]) if v.dtype.name in narrow else v for v in values]

    def derivatives(values: Sequence[np.ndarray], vs: Sequence[np.ndarray], us: Sequence[np.ndarray]) -> Any:
        ts = [tensor(v, backend, i in which) for i, v in enumerate(values)]
        ys = _outputs(function(*ts))
        given = [tensor(v.astype(_np_dtype(y)), backend) for v, y in zip(vs, ys, strict=True)]
        gs = polygrad.autograd.grad(ys, [ts[i] for i in which], given, materialize_grads=True)
        found = [part.detach() for part in (*ys, *gs)]
        if forward:
            ts = [tensor(v, backend) for v in values]

            def partial(*moving: Any) -> Any:
                return function(*[moving[which.index(i)] if i in which else t for i, t in enumerate(ts)])

            _, dots = func.jvp(partial, tuple([ts[i] for i in which]), tuple([tensor(u, backend) for u in us]))
            found += _outputs(dots)
        return found

    values, us = rounded(arrays), rounded(tangents)
    wide = [v.astype(a.dtype) for v, a in zip(values, arrays, strict=True)]
    expected, got = _together(
        [
            derivatives(wide, cotangents, [u.astype(t.dtype) for u, t in zip(us, tangents, strict=True)]),
            derivatives(values, cotangents, us),
        ]
    )
    outputs = len(cotangents)
    for i, (single, double) in enumerate(zip(got, expected, strict=True)):
        if narrowed or outputs <= i < outputs + len(which):
            wanted = narrow.get(double.dtype.name, double.dtype)
            assert single.dtype == wanted, f"part {i} is {single.dtype} from single precision"
        scale = np.abs(double[np.isfinite(double)]).max(initial=1.0)
        np.testing.assert_allclose(single, double, rtol=rtol, atol=rtol * scale, err_msg=f"single precision, part {i}")


def check_x_sin_x(f: Callable[..., Any], x: Any) -> None:
    """``f``, the sum of x sin(x) by way of another library, of a leaf: three orders in reverse mode, and what the transforms make of it."""
    v = np.asarray(x.detach().tolist())
    first, second = np.cos(v) * v + np.sin(v), -np.sin(v) * v + 2 * np.cos(v)
    third = -np.cos(v) * v - 3 * np.sin(v)

    def close(got: Any, want: Any) -> None:
        np.testing.assert_allclose(np.asarray(got.tolist()), np.asarray(want), rtol=1e-12, atol=1e-12)

    (g,) = polygrad.autograd.grad(f(x), x, create_graph=True)
    (h,) = polygrad.autograd.grad(g.sum(), x, create_graph=True)
    (t,) = polygrad.autograd.grad(h.sum(), x)
    for got, want in ((g, first), (h, second), (t, third)):
        close(got, want)
    x = x.detach()
    ones = polygrad.ones_like(x)
    close(func.grad(f)(x), first)
    close(func.jvp(f, (x,), (ones,))[1], first.sum())
    close(func.jacfwd(func.grad(f))(x), np.diag(second))
    close(func.jacrev(func.grad(f))(x), np.diag(second))
    close(func.grad(lambda x: func.jvp(f, (x,), (ones,))[1])(x), second)
    close(func.vmap(f)(polygrad.stack([x, 2 * x])), [(np.sin(v) * v).sum(), (np.sin(2 * v) * 2 * v).sum()])
