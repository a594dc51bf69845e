"""The registry of operations reads each table when it is needed, and is whole for whoever looks at it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import polygrad
from polygrad.rules import declare, registry
from polygrad.rules.declare import OPS

HELPERS = {
    "declare",
    "helpers",
    "keys",
    "registry",
    "special.forms",
    "vmap.alignment",
    "vmap.forms",
    "vmap.indexing",
    "vmap.rearranging",
}


def run(code: str) -> str:
    """What a fresh interpreter prints."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_every_table_is_known() -> None:
    root = Path(registry.__file__).parent
    modules = {
        ".".join(path.relative_to(root).with_suffix("").parts) for path in root.rglob("*.py") if path.stem != "__init__"
    }
    tables = [table for tables in registry.TABLES.values() for table in tables]
    assert len(tables) == len(set(tables))
    assert set(tables) == modules - HELPERS


def test_importing_reads_no_table() -> None:
    assert (
        run(
            "import sys, polygrad; "
            "print(sorted(m for m in sys.modules if m.startswith('polygrad.rules.')), 'optree' in sys.modules)"
        )
        == "['polygrad.rules.declare', 'polygrad.rules.helpers', 'polygrad.rules.registry', 'polygrad.rules.vmap', "
        "'polygrad.rules.vmap.alignment', 'polygrad.rules.vmap.forms'] False"
    )


def test_an_extension_reads_its_own_tables_first() -> None:
    code = "import sys, polygrad; polygrad.fft.fftn; polygrad.linalg.det; print(*sorted(m for m in sys.modules if 'polygrad.rules.' in m))"
    assert (
        run(code).replace("polygrad.rules.", "")
        == "declare fft helpers keys linalg registry vmap vmap.alignment vmap.forms"
    )


def test_a_first_gradient_reads_the_tables_of_its_operations_alone() -> None:
    """Also what an import statement inside asks the package for, such as polygrad.engine, is not looked for among the operations."""
    code = (
        "import sys, polygrad; x = polygrad.ones(3, requires_grad=True); (polygrad.sin(x) * 2).sum().backward(); "
        "print(sorted(m for m in sys.modules if m.startswith('polygrad.rules.') and 'linalg' in m or 'rules.special' in m))"
    )
    assert run(code) == "[]"


@pytest.mark.parametrize("ask", ["len(OPS)", "len(list(OPS))", "len(OPS.keys())", "len(OPS.items())", "len({**OPS})"])
def test_whoever_iterates_sees_every_operation(ask: str) -> None:
    assert run(f"from polygrad.rules.declare import OPS; print({ask})") == str(len(OPS))


def test_the_module_lists_the_operations_too() -> None:
    assert "logcumsumexp" in polygrad.__all__
    assert "einsum" in dir(polygrad)
    code = (
        "from polygrad import *; print(einsum.__name__, Tensor.__name__, autograd.__name__, set_printoptions.__name__)"
    )
    assert run(code) == "einsum Tensor polygrad.autograd set_printoptions"


def test_threads_that_use_operations_first_all_find_them_whole() -> None:
    code = """
import threading, numpy, polygrad
names = ("exp", "einsum", "sum", "logcumsumexp", "quantile", "concat", "cumulative_prod", "kron")
x = numpy.ones((2, 2))
wait = threading.Barrier(16)
errors = []
def work(i):
    wait.wait()
    try:
        t = polygrad.tensor(x, requires_grad=True)
        assert getattr(polygrad, names[i % len(names)]).__name__ == names[i % len(names)]
        (polygrad.linalg.det(t * 2) + polygrad.exp(t).sum() + polygrad.special.erf(t).mean()).backward()
        assert t.grad.shape == (2, 2)
    except BaseException as error:
        errors.append(error)
threads = [threading.Thread(target=work, args=(i,)) for i in range(16)]
[t.start() for t in threads]
[t.join() for t in threads]
print(errors)
"""
    assert run(code) == "[]"


def test_names_that_nobody_declared() -> None:
    assert "no_such_operation" not in OPS
    assert OPS.get("no_such_operation", 3) == 3
    with pytest.raises(KeyError, match="no_such_operation"):
        OPS["no_such_operation"]
    assert "__wrapped__" not in OPS


def test_an_operation_of_ones_own_is_there_at_once_and_only_once() -> None:
    op = declare.elementwise("of_my_own", lambda xp, x: xp.cos(x), default=lambda xp, x: xp.sin(x))
    try:
        assert OPS["of_my_own"] is op
        with pytest.raises(TypeError, match="the operation 'of_my_own' is declared twice"):
            declare.constant("of_my_own")
    finally:
        OPS.withdraw(op)
    assert "of_my_own" not in OPS
