"""The namespace as a whole: it has all of the standard with the standard's signatures, and nothing in it drops a gradient silently."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import polygrad as pg
from polygrad.core.record import node_class
from polygrad.levels.operation import _tangent
from polygrad.rules.declare import OPS, Rule

STANDARD = """
abs(x, /) acos(x, /) acosh(x, /) add(x1, x2, /) all(x, /, *, axis, keepdims) any(x, /, *, axis, keepdims)
arange(start, /, stop, step, *, dtype, device) argmax(x, /, *, axis, keepdims) argmin(x, /, *, axis, keepdims)
argsort(x, /, *, axis, descending, stable) asarray(obj, /, *, dtype, device, copy) asin(x, /) asinh(x, /)
astype(x, dtype, /, *, copy, device) atan(x, /) atan2(x1, x2, /) atanh(x, /) bitwise_and(x1, x2, /)
bitwise_invert(x, /) bitwise_left_shift(x1, x2, /) bitwise_or(x1, x2, /) bitwise_right_shift(x1, x2, /)
bitwise_xor(x1, x2, /) broadcast_arrays(*arrays) broadcast_shapes(*shapes) broadcast_to(x, /, shape) can_cast(from_, to, /) ceil(x, /)
clip(x, /, min, max) concat(arrays, /, *, axis) conj(x, /) copysign(x1, x2, /) cos(x, /) cosh(x, /)
count_nonzero(x, /, *, axis, keepdims) cumulative_prod(x, /, *, axis, dtype, include_initial)
cumulative_sum(x, /, *, axis, dtype, include_initial) diff(x, /, *, axis, n, prepend, append) divide(x1, x2, /)
empty(shape, *, dtype, device) empty_like(x, /, *, dtype, device) equal(x1, x2, /) exp(x, /) expand_dims(x, /, axis)
expm1(x, /) eye(n_rows, n_cols, /, *, k, dtype, device) finfo(type, /) flip(x, /, *, axis) floor(x, /)
floor_divide(x1, x2, /) from_dlpack(x, /, *, device, copy) full(shape, fill_value, *, dtype, device)
full_like(x, /, fill_value, *, dtype, device) greater(x1, x2, /) greater_equal(x1, x2, /) hypot(x1, x2, /)
iinfo(type, /) imag(x, /) isin(x1, x2, /, *, invert) isdtype(dtype, kind) isfinite(x, /) isinf(x, /) isnan(x, /) less(x1, x2, /)
less_equal(x1, x2, /) linspace(start, stop, /, num, *, dtype, device, endpoint) log(x, /) log10(x, /) log1p(x, /)
log2(x, /) logaddexp(x1, x2, /) logical_and(x1, x2, /) logical_not(x, /) logical_or(x1, x2, /) logical_xor(x1, x2, /)
matmul(x1, x2, /) matrix_transpose(x, /) max(x, /, *, axis, keepdims) maximum(x1, x2, /) mean(x, /, *, axis, keepdims)
meshgrid(*arrays, indexing) min(x, /, *, axis, keepdims) minimum(x1, x2, /) moveaxis(x, source, destination, /)
multiply(x1, x2, /) negative(x, /) nextafter(x1, x2, /) nonzero(x, /) not_equal(x1, x2, /)
ones(shape, *, dtype, device) ones_like(x, /, *, dtype, device) permute_dims(x, /, axes) positive(x, /) pow(x1, x2, /)
prod(x, /, *, axis, dtype, keepdims) real(x, /) reciprocal(x, /) remainder(x1, x2, /) repeat(x, repeats, /, *, axis)
reshape(x, /, shape, *, copy) result_type(*arrays_and_dtypes) roll(x, /, shift, *, axis) round(x, /)
searchsorted(x1, x2, /, *, side, sorter) sign(x, /) signbit(x, /) sin(x, /) sinh(x, /)
sort(x, /, *, axis, descending, stable) sqrt(x, /) square(x, /) squeeze(x, /, axis) stack(arrays, /, *, axis)
std(x, /, *, axis, correction, keepdims) subtract(x1, x2, /) sum(x, /, *, axis, dtype, keepdims)
take(x, indices, /, *, axis) take_along_axis(x, indices, /, *, axis) tan(x, /) tanh(x, /)
tensordot(x1, x2, /, *, axes) tile(x, repetitions, /) tril(x, /, *, k) triu(x, /, *, k) trunc(x, /) unique_all(x, /)
unique_counts(x, /) unique_inverse(x, /) unique_values(x, /) unstack(x, /, *, axis)
var(x, /, *, axis, correction, keepdims) vecdot(x1, x2, /, *, axis) where(condition, x1, x2, /)
zeros(shape, *, dtype, device) zeros_like(x, /, *, dtype, device) linalg.cholesky(x, /, *, upper)
linalg.cross(x1, x2, /, *, axis) linalg.det(x, /) linalg.diagonal(x, /, *, offset) linalg.eig(x, /) linalg.eigh(x, /) linalg.eigvals(x, /)
linalg.eigvalsh(x, /) linalg.inv(x, /) linalg.matmul(x1, x2, /) linalg.matrix_norm(x, /, *, keepdims, ord)
linalg.matrix_power(x, n, /) linalg.matrix_rank(x, /, *, rtol) linalg.matrix_transpose(x, /) linalg.outer(x1, x2, /)
linalg.pinv(x, /, *, rtol) linalg.qr(x, /, *, mode) linalg.slogdet(x, /) linalg.solve(x1, x2, /)
linalg.svd(x, /, *, full_matrices) linalg.svdvals(x, /) linalg.tensordot(x1, x2, /, *, axes)
linalg.trace(x, /, *, offset, dtype) linalg.vecdot(x1, x2, /, *, axis)
linalg.vector_norm(x, /, *, axis, keepdims, ord) fft.fft(x, /, *, n, axis, norm) fft.ifft(x, /, *, n, axis, norm)
fft.fftn(x, /, *, s, axes, norm) fft.ifftn(x, /, *, s, axes, norm) fft.rfft(x, /, *, n, axis, norm)
fft.irfft(x, /, *, n, axis, norm) fft.rfftn(x, /, *, s, axes, norm) fft.irfftn(x, /, *, s, axes, norm)
fft.hfft(x, /, *, n, axis, norm) fft.ihfft(x, /, *, n, axis, norm) fft.fftfreq(n, /, *, d, dtype, device)
fft.rfftfreq(n, /, *, d, dtype, device) fft.fftshift(x, /, *, axes) fft.ifftshift(x, /, *, axes)
"""
"""The functions of the Array API standard 2025.12 with the names and kinds of their parameters."""


def entries() -> dict[str, str]:
    """Each function of the table with its parameters."""
    return {part.partition("(")[0].strip(): part.partition("(")[2] for part in STANDARD.split(")") if "(" in part}


def find(namespace: Any, name: str) -> Any:
    for part in name.split("."):
        namespace = getattr(namespace, part)
    return namespace


@pytest.mark.parametrize("module", [False, True], ids=["namespace", "module"])
@pytest.mark.parametrize("name", entries())
def test_signature(name: str, module: bool) -> None:
    """The parameters of the standard, by name and kind; beyond them only keywords."""
    wanted = inspect.signature(eval(f"lambda {entries()[name]}: None")).parameters.values()
    got = dict(inspect.signature(find(pg if module else pg.namespace("numpy"), name)).parameters)
    positional = [p.name for p in got.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    assert positional == [p.name for p in wanted if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    for parameter in wanted:
        assert got[parameter.name].kind == parameter.kind, parameter.name
    extra = [p for p in got.values() if p.name not in {w.name for w in wanted}]
    assert all(p.kind is p.KEYWORD_ONLY for p in extra)


def test_the_default_namespace_is_the_module_itself(xp: Any) -> None:
    for name in entries():
        assert callable(find(pg, name))
        assert callable(find(xp, name))


def test_constants_and_dtypes(xp: Any) -> None:
    assert (xp.newaxis, xp.inf, xp.e, xp.pi) == (None, np.inf, np.e, np.pi)
    assert np.isnan(xp.nan)
    for name in ("bool", "int8", "int16", "int32", "int64", "uint8", "float32", "float64", "complex64", "complex128"):
        assert xp.isdtype(getattr(xp, name), ("bool", "numeric"))
    info = xp.__array_namespace_info__()
    assert "float64" in info.dtypes()
    assert xp.result_type(pg.ones(1, dtype="float32"), xp.float64) == xp.float64
    assert xp.can_cast(pg.ones(1, dtype="float32"), xp.float64)
    assert xp.finfo(pg.ones(1, dtype="float32")).bits == 32
    assert xp.iinfo(xp.int16).max == 32767
    assert xp.broadcast_shapes((2, 1), (3,)) == (2, 3)
    with pytest.raises(ValueError, match=r"broadcast_shapes: the shapes \(2,\), \(3,\) do not broadcast at axis -1"):
        xp.broadcast_shapes((2,), (3,))


def test_dtypes_by_any_name(backend: str, xp: Any) -> None:
    """A dtype may be the library's object, another library's, or a name; at top level arrays say which library is meant."""
    x = pg.ones(2, dtype="float32")
    with pg.use_backend("numpy"):
        for single in ("float32", np.float32, np.dtype("float32"), xp.float32):
            assert xp.isdtype(single, "real floating")
            assert xp.finfo(single).bits == 32
            assert xp.result_type(x, single) == xp.float32
            assert xp.result_type("float64", single) == xp.float64
            assert xp.can_cast(single, "float64")
            assert not xp.can_cast(x, "int32")
        assert pg.result_type(x, x.array, "float64") == xp.float64
        assert pg.can_cast(x, "float64")
        assert pg.finfo(x).dtype == xp.float32
        assert pg.result_type("int8", "int16") == np.int16
    with pytest.raises(TypeError, match=f"{backend} has no dtype 'float7'; it has .*float32"):
        xp.result_type(x, "float7")
    assert pg.__array_api_version__ == "2025.12"
    assert {"isdtype", "result_type", "broadcast_shapes", "isin", "__array_namespace_info__"} <= set(dir(xp))


@pytest.mark.parametrize("name", sorted(OPS))
def test_every_operation_has_a_derivative_or_says_that_it_has_none(name: str) -> None:
    """No third way: differentiable in both modes, a declared constant, made of others, or an error when asked."""
    op = OPS[name]
    if op.form == "constant":
        assert not op.partials
        assert op.vjps is None
    elif op.form == "composite":
        assert callable(op.body)
    elif op.form == "elementwise":
        assert len(op.partials) == len(op.arrays)
    else:
        assert op.vjps is not None
        if isinstance(op.vjps, Rule):
            several = isinstance(op.jvps, tuple) and None not in op.jvps
            assert several or isinstance(op.jvps, Rule) or op.jvps in ("self", "product"), "no forward mode"
        elif op.jvps not in ("self", "product"):
            jvps = op.jvps or (None,) * len(op.vjps)
            if not isinstance(jvps, Rule):
                assert [v is None for v in op.vjps] == [j is None for j in jvps], "the modes differ in what they can"


WITHOUT = [
    (name, position)
    for name in sorted(OPS)
    for position in range(len(OPS[name].arrays))
    if (OPS[name].form == "elementwise" and OPS[name].partials[position] is None)
    or (isinstance(OPS[name].vjps, tuple) and OPS[name].form != "elementwise" and OPS[name].vjps[position] is None)
]
"""Each input of each operation for which no derivative is declared."""


@pytest.mark.parametrize(("name", "position"), WITHOUT)
def test_no_silent_zero(name: str, position: int) -> None:
    """In both modes an input without a derivative is refused by name, whatever the other inputs are."""
    op = OPS[name]
    message = rf"^{name}: no derivative is known with respect to its argument '{op.arrays[position]}'; detach\(\)"
    one = pg.ones(1, dtype="float64")
    edges: list[Any] = [None] * len(op.arrays)
    edges[position] = one
    node = node_class(op, "Backward0")()
    node.static = {}
    with pytest.raises(NotImplementedError, match=message):
        node.pull(pg.namespace("numpy"), one, tuple(edges), (None,) * len(node.saves))
    with pytest.raises(NotImplementedError, match=message):
        _tangent(op, [one] * len(op.arrays), edges, {}, one)


def test_no_parameter_loses_its_history(backend: str, xp: Any) -> None:
    """A parameter is a constant of an operation. One that requires grad is refused, in both modes."""
    x, p = xp.ones(3, dtype="float64"), pg.tensor(2.0, dtype="float64", requires_grad=True)
    for call, name in (
        (lambda p: pg.addcmul(x, x, x, value=p), "addcmul: .*'value'"),
        (lambda p: pg.trapezoid(x, dx=p * 1.0), "trapezoid: .*'dx'"),
        (lambda p: xp.linalg.vector_norm(x, ord=p), "linalg.vector_norm: .*'ord'"),
        (lambda p: pg.nn.functional.leaky_relu(x, p), "nn.leaky_relu: .*'negative_slope'"),
    ):
        with pytest.raises(NotImplementedError, match=f"^{name}; detach"):
            call(p)
        with pytest.raises(NotImplementedError, match=f"^{name}; detach"):
            pg.func.jvp(call, (p.detach(),), (p.detach(),))
    with pg.no_grad():
        assert float(pg.addcmul(x, x, x, value=float(p))[0]) == 3.0
    y = xp.full(3, p)  # an index is no such parameter, nor is what is assigned
    y[xp.asarray([0])] = p * 2
    assert pg.isclose(y, x, atol=p).tolist() == [False, True, True]
    y.sum().backward()
    assert float(p.grad) == 4.0


def test_asking_for_a_derivative_that_is_not_there_raises(backend: str) -> None:
    x = pg.tensor([1.0, 2.0, 2.0], dtype="float64", requires_grad=True)
    try:
        values = pg.unique_values(x * 1)
    except NotImplementedError:
        pytest.skip("the backend has no unique_values")
    with pytest.raises(
        NotImplementedError, match=r"unique_values: no derivative is known with respect to its argument 'x'.*detach\(\)"
    ):
        values.sum().backward()
    for name in ("floor", "ceil", "round", "trunc"):
        assert not getattr(pg, name)(x).requires_grad


@pytest.mark.parametrize("name", sorted(OPS))
def test_every_function_says_what_it_is(name: str) -> None:
    text = OPS[name].call.__doc__
    assert text.strip()
    assert OPS[name].call.__name__ == name.rpartition(".")[2]


def test_documentation_of_derivatives() -> None:
    assert (
        "with respect to x1, x2.\n\nThe node keeps x1, x2" in pg.multiply.__doc__
        or "keeps x2, x1" in pg.multiply.__doc__
    )
    assert "The node keeps its result" in pg.exp.__doc__
    assert "The node keeps no arrays" in pg.add.__doc__
    assert "never requires grad" in pg.floor.__doc__
    assert "No derivative is known" in pg.unique_values.__doc__
