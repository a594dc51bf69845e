"""What may import what, and what an import costs: read from the source."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import polygrad

ROOT = Path(polygrad.__file__).parent
LIBRARIES = {
    "numpy", "torch", "jax", "cupy", "dask", "scipy", "sparse", "ndonnx", "array_api_strict", "array_api_compat", "array_api_extra"
}  # fmt: skip
MODULES = sorted(path for path in ROOT.rglob("*.py"))


def imports(path: Path) -> set[str]:
    """Absolute names of everything that a module imports, at any depth; inside TYPE_CHECKING does not count."""
    package = list(path.relative_to(ROOT.parent).with_suffix("").parts)
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: -node.level] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_array_library_outside_interop(path: Path) -> None:
    if path.relative_to(ROOT).parts[0] == "interop":
        return
    roots = {name.split(".")[0] for name in imports(path)}
    assert not roots & LIBRARIES


@pytest.mark.parametrize("path", [p for p in MODULES if p.parent.name == "rules"], ids=lambda path: path.name)
def test_rules_import_only_rules_and_errors(path: Path) -> None:
    ours = {name for name in imports(path) if name.startswith("polygrad")}
    assert all(name.startswith(("polygrad.rules", "polygrad.errors")) for name in ours), ours


@pytest.mark.parametrize("name", ["graph", "engine", "modes", "errors"])
def test_the_engine_knows_no_rules(name: str) -> None:
    assert not any(module.startswith("polygrad.rules") for module in imports(ROOT / f"{name}.py"))


def test_importing_imports_no_array_library() -> None:
    code = (
        "import sys, polygrad; "
        f"print(sorted(set(m.split('.')[0] for m in sys.modules) & {LIBRARIES!r}), "
        "any(m.startswith('polygrad_backends.') for m in sys.modules))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[] False"
