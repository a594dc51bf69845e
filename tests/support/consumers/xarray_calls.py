"""The calls of xarray that are tried on DataArrays around Tensors, and what becomes of each."""

from __future__ import annotations

VERSION = "2026.9"
"""What the tables were made with. Older versions are skipped; with a newer one more may reach."""

GRADIENT = """
A + 1.5
A - b
A * a
A / 2
-A
abs(A)
A ** 2
2 ** A
np.exp(A)
np.sin(A)
xr.ufuncs.exp(A)
A @ Bm
xr.dot(A, B)
xr.dot(A, B, dim="time")
A.dot(B)
A.sum()
A.sum("time")
A.mean()
A.mean("space")
A.std("time")
A.var("time", ddof=1)
A.min("time")
A.max()
A.prod("time")
A.median("time")
A.median()
A.quantile(0.3, "time")
A.quantile([0.3, 0.6], "time")
A.cumsum("time")
A.cumprod("time")
A.diff("time")
A.differentiate("time")
A.integrate("time")
A.cumulative_integrate("time")
A.isel(time=2)
A.isel(time=slice(1, 3))
A.isel(time=[0, 2, 1])
A.sel(time=0.5)
A.sel(time=[0.5, 2.0])
A.where(A > 0)
A.where(A > 0, 0.0)
xr.where(A > 0, A, B)
A.fillna(0.0)
A.clip(-0.5, 0.5)
A.transpose("space", "time")
A.T
A.stack(z=("time", "space"))
A.stack(z=("time", "space")).unstack("z")
A.expand_dims("new")
A.squeeze()
A.broadcast_like(C3)
A.shift(time=1)
A.shift(time=1, fill_value=0.0)
A.roll(time=1)
A.pad(time=1)
A.pad(time=1, constant_values=0.0)
A.pad(time=(1, 2), mode="reflect")
A.pad(time=1, mode="edge")
A.weighted(weights).mean("time")
A.weighted(weights).sum("time")
A.weighted(weights).var("time")
A.rolling(time=2).mean()
A.rolling(time=2).sum()
A.rolling(time=2).construct("window")
A.rolling(time=2, min_periods=1).max()
A.drop_vars("label").coarsen(time=2).mean()
A.drop_vars("label").coarsen(time=2).sum()
A.groupby("label").mean()
A.groupby("label").sum()
A.groupby("label").map(double)
A.groupby_bins("time", 2).mean()
A.sortby("space", ascending=False)
A.reindex(time=[0.0, 0.5, 1.0, 9.0], fill_value=0.0)
A.drop_sel(time=0.5)
A.dropna("time")
A.map_blocks(double)
A.pipe(double)
A.reduce(total, dim="time")
A.astype("complex128")
A.real
A.conj()
A.copy()
A.copy(deep=True)
A.to_dataset(name="v").v
A.rename(time="t")
A.assign_coords(time=[0, 1, 2, 3])
A.swap_dims(time="label")
xr.concat([A, B], "time")
xr.concat([A, B], "new")
xr.align(A, B)
xr.broadcast(A, a)
xr.cov(A, B, dim="time")
xr.corr(A, B, dim="time")
xr.cross(P3, Q3, dim="axis")
xr.apply_ufunc(double, A)
xr.apply_ufunc(total_last, A, input_core_dims=[["space"]])
xr.Dataset({"u": A, "v": B}).mean().u
xr.Dataset({"u": A, "v": B}).to_array()
xr.merge([A.rename("u"), B.rename("v")]).u
xr.polyval(A, coefficients)
A.groupby("label") - A.groupby("label").mean()
A.combine_first(B)
A.head(time=2)
A.thin(time=2)
A.cumulative("time").mean()
"""
"""On the graph, with the gradient that finite differences give."""

CONSTANT = """
A > 0
A.argmax("time")
A.idxmax("time")
A.notnull()
A.isnull()
A.count("time")
A.any()
xr.full_like(A, 0.0)
xr.zeros_like(A)
A.equals(B)
"""
"""Off the graph, and rightly so: comparisons, positions and counts."""

OTHERS: list[tuple[str, str, str]] = [
    (
        "raises",
        "xarray passes the array to SciPy's interpolators or NumPy's through numpy.asarray",
        """
A.weighted(weights).quantile(0.3, dim="time")
A.interp(time=[0.25, 0.75])
A.interp(time=0.25)
A.interpolate_na("time")
A.curvefit("time", line)
""",
    ),
    (
        "raises",
        "xarray passes the number of decimals by position, which the standard does not allow",
        """
A.round(1)
""",
    ),
    (
        "raises",
        "NumPy passes out= on to xarray, and that to the namespace, which by the standard has none",
        """
A.polyfit("time", 1)
""",
    ),
]
"""What does not reach, with the outcome and the reason, which is never polygrad's."""
