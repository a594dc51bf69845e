"""The checks of polygrad, each in an environment of its own: `nox --list` names them.

An environment for one array library lacks the others, so that a stray import cannot hide. torch is
pinned wherever it is installed: the conformance oracle is one known release. A session whose
interpreter or hardware is not there is skipped and says so.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nox

nox.needs_version = ">=2025.10.14"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = False  # on CI too, where nox's own default is True
nox.options.reuse_venv = "no"

TORCH = "torch==2.13.0"
PYTHONS = ("3.11", "3.12", "3.13")

# backend: the extra that brings its library, and what is pinned beside it
BACKENDS: dict[str, tuple[str | None, list[str]]] = {
    "numpy": (None, []),
    "array_api_strict": ("strict", []),
    "torch": ("torch", [TORCH]),
    "jax": ("jax", []),
    "dask": ("dask", []),
    "cupy": ("cupy", []),
}

# JAX compiles each operation for each shape and dtype, which is most of what its tests take: 30 % less of the processor with these. A
# JAX that no longer knows one of them stops at its start and names it.
XLA = (
    "--xla_cpu_use_fusion_emitters=false",
    "--xla_backend_optimization_level=0",
    "--xla_cpu_parallel_codegen_split_count=1",
)
ENVIRONMENTS = {"jax": {"XLA_FLAGS": " ".join(XLA)}}

# NumPy runs on every Python, the others on the one that runs nox.
RUNS = [nox.param(python, "numpy", id=f"numpy-{python}") for python in PYTHONS] + [
    nox.param(None, backend, id=backend) for backend in BACKENDS if backend != "numpy"
]

WHEEL_TOP_LEVEL = {"polygrad", "polygrad_backends", "polygrad_conformance"}


def has_gpu() -> bool:
    """Whether an NVIDIA GPU answers."""
    nvidia_smi = shutil.which("nvidia-smi")
    if nvidia_smi is None:
        return False
    found = subprocess.run([nvidia_smi, "-L"], capture_output=True, text=True, check=False)
    return found.returncode == 0 and "GPU" in found.stdout


@nox.session
@nox.parametrize(("python", "backend"), RUNS)
def tests(session: nox.Session, backend: str) -> None:
    """The test suite on one backend, with no other optional library installed."""
    if backend == "cupy" and not has_gpu():
        session.skip("cupy needs an NVIDIA GPU, and nvidia-smi finds none")
    extra, pins = BACKENDS[backend]
    extras = ",".join(["cli", "test", *([extra] if extra else [])])
    session.install(*pins, "-e", f".[{extras}]")
    env = {"POLYGRAD_TEST_BACKEND": backend, **ENVIRONMENTS.get(backend, {})}
    session.run("python", "-m", "pytest", *session.posargs, env=env)


@nox.session
def oracle(session: nox.Session) -> None:
    """The test suite on NumPy with torch beside it: values, gradients and node names are compared with torch's, and the conformance
    suite is tested, its page in a browser where there is one. pydata/sparse is there as a library without an adapter."""
    session.install(TORCH, "sparse>=0.17", "playwright>=1.45", "-e", ".[conformance]")
    session.run("python", "-m", "pytest", *session.posargs, env={"POLYGRAD_TEST_BACKEND": "numpy"})


@nox.session(default=False)
def consumers(session: nox.Session) -> None:
    """SciPy, scikit-learn, xarray, einops and opt_einsum on Tensors: what reaches, counted by library."""
    session.install("-e", ".[cli,test,consumers]")
    env = {"SCIPY_ARRAY_API": "1", "POLYGRAD_TEST_BACKEND": "numpy"}
    session.run("python", "-m", "pytest", "tests/consumers", *session.posargs, env=env)


@nox.session
@nox.parametrize("backend", list(BACKENDS), ids=list(BACKENDS))
def conformance(session: nox.Session, backend: str) -> None:
    """The conformance suite on one backend, with torch as the reference; reports go to .nox/reports, or where --output says."""
    if backend == "cupy" and not has_gpu():
        session.skip("cupy needs an NVIDIA GPU, and nvidia-smi finds none")
    extra, pins = BACKENDS[backend]
    extras = ",".join(["conformance", *([extra] if extra else [])])
    session.install(*{TORCH, *pins}, "-e", f".[{extras}]")
    options = session.posargs or [
        "--jobs",
        "2",
        "--format",
        "json,junit,markdown",
        "--output",
        str(Path(".nox") / "reports"),
    ]
    session.run("polygrad", "conformance", "--backend", backend, *options)


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff: the rules, and the formatting."""
    session.install("ruff>=0.11")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Mypy, strict, on the three packages."""
    # beside mypy what the packages take classes and types from
    session.install("mypy>=1.15", "msgspec>=0.19", "jinja2>=3.1", "hypothesis>=6.110", "-e", ".[cli]")
    session.run("mypy", *session.posargs)


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """The benchmarks, beside torch, HIPS autograd and mygrad."""
    session.install(TORCH, "autograd", "mygrad", "-e", ".[cli,torch]")
    session.run("python", "-m", "benchmarks", *session.posargs)


@nox.session(default=False)
def wheel(session: nox.Session) -> None:
    """Build the wheel, look inside, and use it in an environment that has nothing else."""
    session.install("build")
    # absolute: the last commands run far from the checkout
    scratch = Path(session.create_tmp()).resolve()
    shutil.rmtree(scratch)
    elsewhere = scratch / "elsewhere"
    elsewhere.mkdir(parents=True)
    session.run("python", "-m", "build", "--outdir", str(scratch / "dist"))
    (built,) = (scratch / "dist").glob("*.whl")

    with zipfile.ZipFile(built) as archive:
        names = archive.namelist()
    top_level = {name.split("/")[0] for name in names}
    dist_info = {name for name in top_level if name.endswith(".dist-info")}
    if top_level - dist_info != WHEEL_TOP_LEVEL or len(dist_info) != 1:
        session.error(
            f"{built.name} holds {sorted(top_level)} at its top level, "
            f"where {sorted(WHEEL_TOP_LEVEL)} and one .dist-info should be"
        )
    missing = {f"{package}/py.typed" for package in WHEEL_TOP_LEVEL} - set(names)
    if missing:
        session.error(f"{built.name} lacks {sorted(missing)}")

    session.run("python", "-m", "venv", str(scratch / "clean"))
    binaries = scratch / "clean" / ("Scripts" if sys.platform == "win32" else "bin")
    python, polygrad = str(binaries / "python"), str(binaries / "polygrad")
    # The checkout must not be what is found: neither by the working folder nor by PYTHONPATH.
    env = {"PYTHONPATH": "", "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}"}
    session.run(python, "-m", "pip", "install", "--quiet", f"{built}[cli]", external=True)
    session.chdir(elsewhere)
    for command in ([python, "-c", "import polygrad"], [polygrad, "backends"], [polygrad, "demo"]):
        session.run(*command, external=True, env=env)


nox.options.sessions = ["tests", "oracle", "consumers", "lint", "types"]
