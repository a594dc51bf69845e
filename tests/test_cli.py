"""The command line: `polygrad.cli` and the demonstration that it runs, `polygrad.demo`."""

import importlib.metadata
import os
import re
import subprocess
import sys

import pytest

import polygrad
from polygrad import cli

BACKENDS = os.environ.get("POLYGRAD_TEST_BACKEND", "numpy").split(",")


@pytest.fixture
def invoke():
    """Run `polygrad ARGS...` in this process, on a terminal wide enough not to wrap."""
    pytest.importorskip("rich")
    testing = pytest.importorskip("typer.testing")

    def run(*arguments):
        return testing.CliRunner().invoke(
            cli.build_app(), arguments, env={"COLUMNS": "250", "NO_COLOR": "1", "TERM": "dumb"}
        )

    return run


def losses(output, heading):
    """The first two columns of the table under `heading`."""
    section = re.split("One layer on|Linear regression on|Backends", output.split(heading)[1])[0]
    rows = re.findall(r"^[│|]\s*(\d+)\s*[│|]\s*([-+.e\d]+)", section, re.MULTILINE)
    return [int(step) for step, _ in rows], [float(loss) for _, loss in rows]


def test_version(invoke):
    result = invoke("--version")
    assert result.exit_code == 0
    assert result.output.strip() == f"polygrad {importlib.metadata.version('polygrad-xp')}"


def test_the_version_is_written_once():
    """Whoever repeats the version of pyproject.toml must agree with it."""
    installed = importlib.metadata.version("polygrad-xp")
    assert getattr(polygrad, "__version__", installed) == installed
    suite = pytest.importorskip("polygrad_conformance")
    assert getattr(suite, "__version__", installed) == installed


def test_backends_lists_all(invoke):
    result = invoke("backends")
    assert result.exit_code == 0, result.output
    rows = {
        words[0]: words
        for line in result.output.splitlines()
        if (words := [word.strip() for word in re.split("[│|]", line.strip("│| "))])
    }
    infos = polygrad.backends()
    assert {info.name for info in infos} >= {
        "numpy", "cupy", "jax", "torch", "dask", "array_api_strict",
    }  # fmt: skip
    for info in infos:
        row = rows[info.name]
        assert row[1] == ("yes" if info.available else "no")
        if info.available:
            assert row[2] == (info.version or "-")
            assert row[3] == ", ".join(info.devices)
        else:
            assert info.reason
            assert info.reason.splitlines()[0][:40] in row[3]


def test_a_reason_is_not_read_as_markup(invoke):
    rich_console = pytest.importorskip("rich.console")
    from polygrad import demo
    from polygrad.backend import BackendInfo

    info = BackendInfo(
        name="absent",
        available=False,
        version=None,
        devices=(),
        reason='not installed: pip install ".[bold]"',
    )
    console = rich_console.Console(width=200)
    with console.capture() as capture:
        console.print(demo.backend_table([info]))
    assert 'pip install ".[bold]"' in capture.get()


@pytest.mark.parametrize("backend", BACKENDS)
def test_demo(invoke, backend):
    result = invoke("demo", "--backend", backend, "--steps", "12", "--seed", "7")
    assert result.exit_code == 0, result.output
    output = result.output
    assert f"One layer on {backend}" in output
    assert re.search(r"z\.grad_fn = \w*Backward\d*", output)
    assert re.search(r"loss\.grad_fn = \w*Backward\d*", output)

    # z = x w + b with x all ones: each row of w.grad is b.grad
    block = output.split("w.grad =")[1].split("b.grad =")
    b_grad = block[1].splitlines()[0].split()
    assert len(b_grad) == 3
    assert [line.split() for line in block[0].splitlines() if line.strip()] == [b_grad] * 5

    steps, values = losses(output, "One layer on")
    assert steps == [0, 1, 2, 5, 10, 12]
    assert values == sorted(values, reverse=True)
    assert values[-1] < values[0]

    epochs, values = losses(output, "Linear regression on")
    assert epochs[-1] == 200
    assert values[-1] < 1e-6 < values[0]
    w, b = map(float, re.search(r"w = (\S+) and b = ([^\s,]+)", output).groups())
    assert w == pytest.approx(2, abs=1e-3)
    assert b == pytest.approx(3, abs=1e-3)

    assert "Backends" in output


def test_demo_is_reproducible(invoke):
    first, second, other = (invoke("demo", "--steps", "1", "--seed", seed).output for seed in ("3", "3", "4"))
    assert first == second
    assert first != other


def test_demo_without_steps(invoke):
    result = invoke("demo", "--steps", "0")
    assert result.exit_code == 0, result.output
    steps, values = losses(result.output, "One layer on")
    assert steps == [0]
    assert len(values) == 1


def test_demo_prints_where_it_is_told():
    rich_console = pytest.importorskip("rich.console")
    from polygrad import demo

    console = rich_console.Console(width=100)
    with console.capture() as capture:
        demo.run("numpy", steps=1, seed=0, console=console)
    assert "Linear regression on numpy" in capture.get()


def test_unknown_backend(invoke):
    result = invoke("demo", "--backend", "nympy")
    assert result.exit_code == 2
    assert "nympy" in result.stderr
    assert "numpy" in result.stderr  # those that exist
    assert "Traceback" not in result.output
    assert not result.stdout


def test_no_arguments_print_the_help(invoke):
    result = invoke()
    assert "backends" in result.output
    assert "demo" in result.output


@pytest.mark.parametrize("missing", ["typer", "rich"])
def test_missing_packages(monkeypatch, capsys, missing):
    for name in list(sys.modules):
        if name.partition(".")[0] in {"typer", "rich"}:
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 1
    message = capsys.readouterr().err
    assert message.startswith("polygrad's command line needs typer and rich: ")
    assert 'pip install -e ".[cli]"' in message


def test_a_fault_of_our_own_is_not_called_a_missing_package(monkeypatch):
    pytest.importorskip("typer")
    pytest.importorskip("rich")
    monkeypatch.setitem(sys.modules, "polygrad.errors", None)
    with pytest.raises(ModuleNotFoundError, match=r"polygrad\.errors"):
        cli.main()


def test_importing_polygrad_imports_neither():
    program = "import sys, polygrad.cli; print({'typer', 'rich'} & set(sys.modules))"
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "set()"


def test_python_dash_m():
    pytest.importorskip("typer")
    pytest.importorskip("rich")
    output = subprocess.run(
        [sys.executable, "-m", "polygrad", "--version"], capture_output=True, text=True, check=True
    ).stdout
    assert output.startswith("polygrad ")
