"""Operations as methods of Tensor: a declaration names them, and the class has them without reading a table."""

from __future__ import annotations

import inspect
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import polygrad as pg
from polygrad.rules import declare, registry
from polygrad.rules.declare import OPS

READ = "sorted(m.removeprefix('polygrad.rules.') for m in sys.modules if m.removeprefix('polygrad.rules.') in TABLES)"
TABLES = [table for tables in registry.TABLES.values() for table in tables]
METHODS = {method: op for op in OPS.values() for method in op.methods}


def run(code: str) -> str:
    """What a fresh interpreter prints."""
    head = f"import sys; TABLES = {TABLES}\n"
    return subprocess.run(
        [sys.executable, "-c", head + code], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_one_entry_in_a_table_is_all_that_a_method_needs() -> None:
    """What the text of the tables says of methods is what they declare, so no list has to be kept."""
    found = [(method, table) for table in TABLES for method in registry.methods_in(table)]
    assert len(found) == len(dict(found))
    assert dict(found).keys() == METHODS.keys()
    assert set(OPS.method_names()) == METHODS.keys()
    assert len(METHODS) > 250


@pytest.mark.parametrize("name", METHODS)
def test_a_method_has_the_signature_of_its_operation(name: str) -> None:
    method = getattr(pg.Tensor, name)
    op = METHODS[name]
    assert (method.__name__, method.__qualname__, method.__module__) == (name, f"Tensor.{name}", "polygrad")
    assert method.__doc__ == f"As ``polygrad.{op.name}``{', in place' if name.endswith('_') else ''}."
    ours, theirs = inspect.signature(method).parameters, inspect.signature(op.call).parameters
    assert next(iter(ours)) == "self"
    assert set(list(ours)[1:]) == set(list(theirs)[1:])
    for parameter in list(theirs.values())[1:]:
        mine = ours[parameter.name]
        assert mine.default == parameter.default
        moved = parameter.name in op.by_position
        assert mine.kind is (parameter.POSITIONAL_OR_KEYWORD if moved else parameter.kind)
        assert not moved or parameter.kind is parameter.KEYWORD_ONLY
    assert getattr(pg.ones(1, dtype="float64"), name).__func__ is method
    assert pickle.loads(pickle.dumps(method)) is method


def test_the_class_has_them_and_no_table_is_read() -> None:
    code = f"""
import polygrad
x = polygrad.tensor([1.0])
names = dir(x)
assert names == sorted({{*dir(polygrad.Tensor)}}) and {{"cumsum", "masked_fill_", "relu", "norm"}} <= {{*names}}
print({READ}, hasattr(x, "iloc"), hasattr(polygrad.Tensor, "iloc"), hasattr(x, "_repr_html_"))
try:
    x.clonee
except AttributeError as error:
    print(error)
"""
    assert run(code) == "[] False False True\n'Tensor' object has no attribute 'clonee'"


def test_asking_for_one_reads_its_table_alone() -> None:
    code = f"""
import polygrad
print(polygrad.Tensor.cumsum.__name__, {READ})
print(hasattr(polygrad.Tensor, "clamp"), {READ})
"""
    assert run(code) == "cumsum ['reductions']\nTrue ['elementwise', 'reductions']"


def test_without_the_text_of_the_tables_they_are_read() -> None:
    """An installation may have bytecode alone."""
    code = f"""
import pathlib
read = pathlib.Path.read_text
def missing(self, *args, **options):
    if self.parent.name in ("rules", "special"):
        raise FileNotFoundError(self)
    return read(self, *args, **options)
pathlib.Path.read_text = missing
import polygrad
print(len({READ}) == len(TABLES), polygrad.tensor([3.0, 1.0]).cumsum(0).tolist(), polygrad.Tensor.sub_.__name__)
"""
    assert run(code) == "True [3.0, 4.0] sub_"


def test_parameters_by_position(backend: str) -> None:
    """What the standard takes by keyword alone torch's methods take by position."""
    x = pg.asarray(np.arange(6.0).reshape(2, 3), backend=backend)
    np.testing.assert_array_equal(x.sum(1, True).tolist(), [[3.0], [12.0]])
    np.testing.assert_array_equal(x.max(axis=0, keepdims=True).tolist(), [[3.0, 4.0, 5.0]])
    np.testing.assert_array_equal(x.flip(1).tolist(), [[2.0, 1.0, 0.0], [5.0, 4.0, 3.0]])
    np.testing.assert_array_equal(x.roll(1, 1).tolist(), [[2.0, 0.0, 1.0], [5.0, 3.0, 4.0]])
    np.testing.assert_array_equal(x.triu(1).tolist(), [[0.0, 1.0, 2.0], [0.0, 0.0, 5.0]])
    np.testing.assert_array_equal(x.tensordot(x.T, 1).tolist(), (x @ x.T).tolist())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: x.sum(0, axis=0), r"sum\(\) got multiple values for argument 'axis'"),
        (lambda x: x.triu(1, k=1), r"triu\(\) got multiple values for argument 'k'"),
        (lambda x: x.sum(0, True, 3), r"sum\(\) takes from 1 to 3 positional arguments but 4 were given"),
        (lambda x: x.exp_(1), r"exp_\(\) takes 1 positional argument but 2 were given"),
        (lambda x: x.sum(dim=0), r"sum\(\) got an unexpected keyword argument 'dim'"),
    ],
)
def test_wrong_calls(call: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        call(pg.ones((2, 2)))


def test_methods_of_transforms(backend: str) -> None:
    """Dual numbers and batches are Tensors of classes of their own."""
    x = pg.asarray(np.arange(6.0).reshape(2, 3), backend=backend)
    out, tangent = pg.func.jvp(lambda x: x.cumsum(1).amax(), (x,), (pg.ones_like(x),))
    assert (float(out), float(tangent)) == (12.0, 3.0)
    np.testing.assert_array_equal(pg.func.vmap(lambda row: row.sub(row.amin()))(x).tolist(), [[0.0, 1.0, 2.0]] * 2)


def test_methods_of_ones_own_come_and_go() -> None:
    op = declare.elementwise("doubled", 2, default=lambda xp, x: 2 * x, methods="doubled twice doubled_")
    try:
        x = pg.tensor([1.0, 2.0], requires_grad=True)
        x.twice().sum().backward()
        assert x.grad.tolist() == [2.0, 2.0]
        y = x.detach().clone()
        assert y.doubled_() is y
        assert y.tolist() == pg.Tensor.doubled(x).tolist() == [2.0, 4.0]
    finally:
        OPS.withdraw(op)
    assert not any(hasattr(pg.Tensor, name) for name in op.methods)


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ("cumsum", "mine: the method 'cumsum' is that of 'cumulative_sum' already"),
        ("detach", "Tensor has an attribute 'detach', so no operation can have a method of that name"),
    ],
)
def test_a_name_that_is_taken(method: str, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        declare.constant("mine", methods=f"mine {method}")
    assert "mine" not in OPS
    assert not hasattr(pg.Tensor, "mine")


# -- as NumPy's arrays ----------------------------------------------------------------------------------------------------
def test_a_vector_is_its_own_transpose(backend: str) -> None:
    v = pg.tensor([1.0, 2.0], backend=backend, requires_grad=True)
    assert v.T is v
    assert v[0].T.shape == ()
    (v.T @ v).backward()
    assert v.grad.tolist() == [2.0, 4.0]
    with pytest.raises(pg.PolygradError, match="T is for two axes"):
        _ = pg.ones(2, 2, 2).T


def test_transpose_without_axes_reverses_them(backend: str) -> None:
    x = pg.tensor(np.arange(24.0).reshape(2, 3, 4), backend=backend)
    assert x.transpose().tolist() == np.arange(24.0).reshape(2, 3, 4).transpose().tolist()


def test_operators_take_lists(backend: str) -> None:
    x = pg.tensor([1.0, 2.0, 3.0], backend=backend, requires_grad=True)
    more = [1.0, 2.0, 3.0]
    assert (x + more).tolist() == [2.0, 4.0, 6.0]
    assert ([1.0, 2.0, 3.0] - x).tolist() == [0.0, 0.0, 0.0]
    y = x * (x[0], x[1], 2.0)
    y.sum().backward()
    assert x.grad.tolist() == [2.0, 4.0, 2.0]


def test_a_list_of_tensors_is_assigned_with_its_gradient(backend: str) -> None:
    x = pg.tensor([1.0, 2.0, 3.0], backend=backend, requires_grad=True)
    y = x * 1
    y[:2] = [y[1] * 2, x[2]]
    y.sum().backward()
    assert y.tolist() == [4.0, 3.0, 3.0]
    assert x.grad.tolist() == [0.0, 2.0, 2.0]
