"""What the table of xarray calls may name: arrays under short names, made into labelled ones, and functions to map."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

_rng = np.random.default_rng(2)
INPUTS: dict[str, Any] = {
    "A": _rng.normal(size=(4, 3)),
    "B": _rng.normal(size=(4, 3)),
    "a": _rng.normal(size=4),
    "b": _rng.normal(size=3),
    "C3": _rng.normal(size=(2, 4, 3)),
    "Bm": _rng.normal(size=(3, 2)),
    "P3": _rng.normal(size=(5, 3)),
    "Q3": _rng.normal(size=(5, 3)),
    "weights": _rng.uniform(0.5, 2.0, size=4),
    "coefficients": _rng.normal(size=3),
}
DIMENSIONS = {
    "A": ("time", "space"), "B": ("time", "space"), "a": ("time",), "b": ("space",), "C3": ("member", "time", "space"),
    "Bm": ("space", "other"), "P3": ("point", "axis"), "Q3": ("point", "axis"), "weights": ("time",), "coefficients": ("degree",),
}  # fmt: skip
COORDINATES: dict[str, Any] = {
    "time": np.asarray([0.0, 0.5, 1.0, 2.0]), "label": ("time", ["u", "v", "u", "v"]), "space": [10, 20, 30], "degree": [0, 1, 2],
}  # fmt: skip


def labelled(name: str, data: Any) -> Any:
    """The DataArray around an array, with the coordinates of its dimensions."""
    dims = DIMENSIONS[name]
    coords = {
        key: value for key, value in COORDINATES.items() if key in dims or (isinstance(value, tuple) and "time" in dims)
    }
    return xr.DataArray(data, dims=dims, coords=coords)


def double(x: Any) -> Any:
    return x * 2.0


def total(x: Any, axis: Any) -> Any:
    return x.__array_namespace__().sum(x, axis=axis)


def total_last(x: Any) -> Any:
    return total(x, -1)


def line(x: Any, slope: Any, intercept: Any) -> Any:
    return slope * x + intercept


SCOPE: dict[str, Any] = {"xr": xr, "np": np} | {f.__name__: f for f in (double, total, total_last, line)}
