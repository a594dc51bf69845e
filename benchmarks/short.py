"""Short programs on eight numbers, the functional way and ``backward()``, beside HIPS autograd.

Each program is written once, against a namespace, and differentiated as it stands: by ``func.grad(f)(x)``, ``func.value_and_grad(f)(x)``
and ``func.vjp(f, x)``, and by ``backward()`` with the construction of its Tensors. HIPS autograd runs its counterpart of each. A recurrent
network of 1024 steps is the long program among them.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

import polygrad
from polygrad import func

from .pairs import alternate, ratio, repeated

_RNG = np.random.default_rng(0)
X, ONE = _RNG.normal(size=8), np.ones(())
CONSTANTS = {
    "A": _RNG.normal(size=(8, 8)),
    "B": _RNG.normal(size=(8, 8)),
    "b": _RNG.normal(size=8),
    "y": _RNG.normal(size=8),
}
TIMES, HIDDEN = 1024, 8
SERIES = list(_RNG.normal(size=(TIMES, HIDDEN)))
WEIGHTS = tuple(0.3 * _RNG.normal(size=(HIDDEN, HIDDEN)) for _ in range(2))
RECURRENT = f"recurrent, {TIMES} steps"
WAYS = ("func.grad", "func.value_and_grad", "func.vjp")
BARS = {"backward()": 1.15, "HIPS": 0.5}
CALL_BAR, ADDITION = 40.0, 0.5
"""Microseconds that a trivial call may take on a machine that adds eight numbers in ``ADDITION`` microseconds."""

Program = Callable[[], Any]


def functions(xp: Any, constants: Mapping[str, Any]) -> dict[str, Callable[[Any], Any]]:
    """Return the programs, as functions of a vector that give a scalar. ``xp`` is polygrad or autograd.numpy."""
    a, b, bias, y = (constants[name] for name in ("A", "B", "b", "y"))

    def chain(x: Any) -> Any:
        for _ in range(33):
            x = xp.sin(x * bias + bias)
        return xp.sum(x)

    return {
        "x*x": lambda x: xp.sum(x * x),
        "sin": lambda x: xp.sum(xp.sin(x)),
        "A@x": lambda x: xp.sum(a @ x),
        "mean": xp.mean,
        "x[0]": lambda x: x[0],
        "Rosenbrock": lambda x: xp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2),
        "nine-operation model": lambda x: xp.mean((xp.tanh(b @ xp.tanh(a @ x + bias) + bias) - y) ** 2),
        "chain of 99": chain,
    }


def recurrent(xp: Any, series: list[Any]) -> Callable[[Any, Any], Any]:
    """Return a recurrent network that has read the series, as a function of its two weights."""

    def f(w: Any, u: Any) -> Any:
        h = series[0]
        for x in series:
            h = xp.tanh(w @ h + u @ x)
        return xp.sum(h * h)

    return f


def backward(f: Callable[..., Any], *args: np.ndarray) -> list[np.ndarray]:
    """Compute the gradient by ``backward()``, Tensors made anew."""
    leaves = [polygrad.Tensor(arg, requires_grad=True) for arg in args]
    f(*leaves).backward()
    return [leaf.grad.array for leaf in leaves]  # type: ignore[union-attr]


def ways(f: Callable[..., Any], *args: np.ndarray) -> dict[str, Program]:
    """Return the gradient of one program in each of polygrad's ways."""
    numbers = 0 if len(args) == 1 else tuple(range(len(args)))
    return {
        "func.grad": lambda: func.grad(f, numbers)(*args),
        "func.value_and_grad": lambda: func.value_and_grad(f, numbers)(*args)[1],
        "func.vjp": lambda: func.vjp(f, *args)[1](ONE),
        "backward()": lambda: backward(f, *args),
    }


def hips(f: Callable[..., Any], *args: np.ndarray) -> dict[str, Program]:
    """Return the gradient of one program in HIPS autograd's counterpart of each way."""
    import autograd

    numbers = 0 if len(args) == 1 else tuple(range(len(args)))
    return {
        "HIPS grad": lambda: autograd.grad(f, numbers)(*args),
        "HIPS value_and_grad": lambda: autograd.value_and_grad(f, numbers)(*args)[1],
        "HIPS vjp": lambda: autograd.make_vjp(f, numbers)(*args)[0](ONE),
    }


def arrays(gradient: Any) -> list[np.ndarray]:
    """Return a gradient, with respect to one argument or to several, as a list."""
    return list(gradient) if isinstance(gradient, (list, tuple)) else [gradient]


def programs(peers: bool = True) -> dict[str, dict[str, Program]]:
    """Return each program in all ways, after a check that all give the same gradient.

    With ``peers`` HIPS autograd's ways are among them, if it is installed.
    """
    tensors = {name: polygrad.Tensor(array) for name, array in CONSTANTS.items()}
    found = {name: ways(f, X) for name, f in functions(polygrad, tensors).items()}
    found[RECURRENT] = ways(recurrent(polygrad, [polygrad.Tensor(row) for row in SERIES]), *WEIGHTS)
    if peers and importlib.util.find_spec("autograd"):
        import autograd.numpy as anp

        for name, f in functions(anp, CONSTANTS).items():
            found[name] |= hips(f, X)
        found[RECURRENT] |= hips(recurrent(anp, SERIES), *WEIGHTS)
    for name, by_way in found.items():
        expected = by_way["backward()"]()
        for way, program in by_way.items():
            for got, want in zip(arrays(program()), expected, strict=True):
                np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-12, err_msg=f"{name}: {way}")
    return found


def trivial(rounds: int) -> tuple[float, float]:
    """Return the microseconds of ``sum(x * x)`` in the dearest of the functional ways, and of an addition of eight numbers."""
    f = functions(polygrad, CONSTANTS)["x*x"]
    calls = {
        "func.grad": lambda: func.grad(f)(X),
        "func.value_and_grad": lambda: func.value_and_grad(f)(X),
        "func.vjp": lambda: func.vjp(f, X)[1](ONE),
    }
    timed: dict[str, Program] = {name: repeated(program, 50) for name, program in calls.items()}
    times = alternate({**timed, "addition": repeated(lambda: X + X, 2000)}, rounds)
    empty = min(alternate({"empty": repeated(lambda: None, 2000)}, rounds)["empty"]) / 2000
    best = {name: min(times[name]) / 50 - empty for name in calls}
    print("microseconds a trivial call: " + ", ".join(f"{name} {seconds * 1e6:.1f}" for name, seconds in best.items()))
    return max(best.values()) * 1e6, (min(times["addition"]) / 2000 - empty) * 1e6


def report(rounds: int = 41) -> list[tuple[str, float, float | None]]:
    """Return rows of (what, measured ratio, bar): the worst program of each way beside each peer."""
    found = programs()
    names = list(next(iter(found.values())))
    print(f"microseconds (best of {rounds}){'':15}" + "".join(f"{name:>21}" for name in names))
    ratios: dict[tuple[str, str], dict[str, float]] = {}
    for name, peers in found.items():
        number = 1 if name == RECURRENT else 2 if name.startswith("chain") else 10
        turns = max(rounds // 4, 5) if name == RECURRENT else rounds
        times = alternate({way: repeated(program, number) for way, program in peers.items()}, turns)
        print(f"{name:40}" + "".join(f"{min(times[way]) / number * 1e6:21.1f}" for way in names))
        for way in (*WAYS, "backward()"):
            others = {
                "backward()": "backward()",
                "HIPS": f"HIPS {'grad' if way == 'backward()' else way.partition('.')[2]}",
            }
            for peer, other in others.items():
                if other in times and way != other:
                    ratios.setdefault((way, peer), {})[name] = ratio(times, way, other)
    print(f"\n{'ratios (median over the rounds)':40}" + "".join(f"{way + ' / ' + peer:>34}" for way, peer in ratios))
    for name in found:
        print(f"{name:40}" + "".join(f"{of[name]:34.2f}" for of in ratios.values()))
    rows: list[tuple[str, float, float | None]] = []
    for (way, peer), of in ratios.items():
        short = max((name for name in of if name != RECURRENT), key=of.__getitem__)
        bar = BARS[peer] if way in WAYS else None
        rows.append((f"{way} / {peer}: {short}, worst of 8", of[short], bar))
        rows.append((f"{way} / {peer}: {RECURRENT}", of[RECURRENT], bar))
    call, addition = trivial(rounds)
    print(f"a NumPy addition of eight numbers: {addition:.3f} microseconds")
    rows.append((f"trivial call, where NumPy adds in {ADDITION:g} µs", call / addition * ADDITION, CALL_BAR))
    return rows
