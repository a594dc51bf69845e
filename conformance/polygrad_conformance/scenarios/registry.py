"""The table of scenarios, what they observe, and how two observations are compared."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from math import isnan
from typing import Any, overload

from polygrad.backend import dtype_name
from polygrad.errors import UnsupportedError

Body = Callable[[Any, "Observer"], None]
DIGITS = 5
"""To how many significant digits numbers are noted: the values of scenarios are exact, or nearly so, in single precision."""


@dataclass(frozen=True)
class Scenario:
    """One scenario. ``name`` is ``group/function``."""

    name: str
    run: Body
    differs: str = ""
    """Why polygrad observes something else than torch here, on purpose; empty where it may not."""

    @property
    def group(self) -> str:
        return self.name.partition("/")[0]


SCENARIOS: dict[str, Scenario] = {}


@overload
def scenario(body: Body, /) -> Body: ...
@overload
def scenario(*, differs: str = "") -> Callable[[Body], Body]: ...
def scenario(body: Body | None = None, /, *, differs: str = "") -> Any:
    """Put a function into the table, under the name of its module and its own."""

    def register(body: Body) -> Body:
        name = f"{body.__module__.rpartition('.')[2]}/{body.__name__}"
        if name in SCENARIOS:
            raise ValueError(f"there are two scenarios {name}")
        SCENARIOS[name] = Scenario(name, body, differs)
        return body

    return register if body is None else register(body)


class Observer:
    """Takes down, as plain data, what a scenario hands to it."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def __call__(self, *values: Any) -> None:
        """Note values: numbers, text, Tensors (shape and values), nodes (their name), dtypes, and containers of these."""
        self.seen.append([plain(value) for value in values])

    def error(self, call: Callable[[], Any], containing: str = "") -> None:
        """Note what kind of error ``call`` raises, and whether its text contains these words (in any case); or that it raises none."""
        try:
            call()
        except Exception as error:
            self.seen.append(Raised.of(error, containing))
        else:
            self.seen.append("no error")


@dataclass(frozen=True)
class Raised:
    """An error: the built-in kinds that it belongs to, the most specific one first, and whether it said what was expected."""

    kinds: tuple[str, ...]
    says: bool
    text: str

    @staticmethod
    def of(error: BaseException, containing: str = "") -> Raised:
        kinds = tuple([kind.__name__ for kind in type(error).__mro__ if kind.__module__ == "builtins"])
        return Raised(kinds, containing.lower() in str(error).lower(), str(error))

    def agrees(self, other: Any) -> bool:
        """Return whether code that catches this error by its most specific built-in kind catches the other one."""
        return isinstance(other, Raised) and self.kinds[0] in other.kinds and self.says == other.says

    def __repr__(self) -> str:
        return f"{self.kinds[0]}({self.text.splitlines()[0] if self.text else ''!r}{'' if self.says else ', without the words'})"


def plain(value: Any) -> Any:
    """A value as plain data."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, complex):
        return [plain(value.real), plain(value.imag)]
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted(plain(item) for item in value)
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, BaseException):
        return Raised.of(value)
    if hasattr(value, "next_functions"):
        return type(value).__name__.replace("CppNode", "")
    if hasattr(value, "requires_grad") and hasattr(value, "tolist"):
        return {"shape": list(value.shape), "values": plain(value.tolist())}
    if "dtype" in type(value).__name__.lower() or "dtype" in type(type(value)).__name__.lower():
        return dtype_name(value)
    raise TypeError(f"a scenario notes plain data, Tensors, nodes and dtypes, not {value!r}")


def observe(scenario: Scenario, module: Any) -> list[Any]:
    """Run a scenario on a module and return what it saw. An error that the scenario did not expect is the last observation.

    Raises:
        UnsupportedError: the selected backend has no such function; nothing can be said of it then.
    """
    see = Observer()
    recording = module.is_grad_enabled()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            scenario.run(module, see)
        except UnsupportedError:
            raise
        except Exception as error:
            see.seen.append(["stopped by", Raised.of(error)])
        finally:
            module.set_grad_enabled(recording)  # whatever the scenario left behind
    return see.seen


def differences(expected: list[Any], got: list[Any]) -> list[str]:
    """One line for each observation that is not the same."""
    found = [
        f"observation {i}: expected {a!r}, got {b!r}"
        for i, (a, b) in enumerate(zip(expected, got, strict=False))
        if not _same(a, b)
    ]
    if len(expected) != len(got):
        found.append(f"expected {len(expected)} observations, got {len(got)}; the last one is {(got or [None])[-1]!r}")
    return found


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, Raised):
        return a.agrees(b)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    if isinstance(a, float) and isinstance(b, float):
        return a == b or (isnan(a) and isnan(b)) or abs(a - b) <= 2 * 10.0**-DIGITS * abs(a)
    return type(a) is type(b) and bool(a == b)
