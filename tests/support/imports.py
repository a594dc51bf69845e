"""The imports of a package, read from its source: those at module level, inside functions and under TYPE_CHECKING."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path


class Package:
    """The modules of a package by name, counted from it; its own file, and those of the packages inside it, bear their folder's name."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.files = sorted(root.rglob("*.py"))
        self.modules = {self._name(path): path for path in self.files}

    def _name(self, path: Path) -> str:
        parts = path.relative_to(self.root).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)

    def imported(self, path: Path) -> Iterator[tuple[int, str]]:
        """The absolute names of everything that a file imports, at any depth, with the line."""
        package = [self.root.name, *path.relative_to(self.root).parts[:-1]]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = package[: len(package) - node.level + 1] if node.level else []
                source = ".".join([*base, *([node.module] if node.module else [])])
                for alias in node.names:
                    yield node.lineno, f"{source}.{alias.name}"

    def own(self, path: Path) -> Iterator[tuple[int, str]]:
        """The modules of the package that a file imports, with the line."""
        for line, name in self.imported(path):
            parts = name.split(".")
            if parts[0] != self.root.name:
                continue
            parts = parts[1:] or ["__init__"]
            while ".".join(parts) not in self.modules and len(parts) > 1:
                parts.pop()
            found = ".".join(parts)
            yield line, found if found in self.modules else "__init__"

    def circles(self) -> set[frozenset[str]]:
        """The strongly connected parts of the graph of imports, by Tarjan's algorithm."""
        edges = {name: {other for _, other in self.own(path) if other != name} for name, path in self.modules.items()}
        number: dict[str, int] = {}
        low: dict[str, int] = {}
        stack: list[str] = []
        found: set[frozenset[str]] = set()

        def visit(name: str) -> None:
            number[name] = low[name] = len(number)
            stack.append(name)
            for other in edges[name]:
                if other not in number:
                    visit(other)
                    low[name] = min(low[name], low[other])
                elif other in stack:
                    low[name] = min(low[name], number[other])
            if low[name] == number[name]:
                part = set()
                while name not in part:
                    part.add(stack.pop())
                if len(part) > 1:
                    found.add(frozenset(part))

        for name in edges:
            if name not in number:
                visit(name)
        return found
