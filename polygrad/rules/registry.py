"""The registry of operations, which reads a rule table when it is asked for a name that no table read so far declares.

So an import reads no table, and one entry in a table is all that an operation needs: there is no list of names. The methods that tables
declare for Tensor have to be there from the start; their names are found in the text of the tables. Whoever iterates sees every operation.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, ItemsView, Iterator, KeysView, Sequence, ValuesView
from importlib import import_module
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .declare import Op

# The modules of this package that declare operations, by the extension to which most of theirs belong. A name is looked for first in
# the tables of its extension, then in the others.
TABLES = {
    "": (
        "elementwise", "reductions", "manipulation", "indexing", "products", "selection", "sorting", "assembly", "padding",
        "differences", "contraction", "numerics", "running", "statistics",
    ),
    "linalg": ("linalg", "solutions", "norms", "decompositions"),
    "fft": ("fft",),
    "special": (
        "special.special", "special.bessel", "special.gamma", "special.incomplete", "special.distributions", "special.carlson",
        "special.waves",
    ),
    "nn": ("nn", "losses"),
}  # fmt: skip


_METHODS = re.compile(r'methods="([^"]*)"')


def methods_in(table: str) -> list[str]:
    """Return the names of the Tensor methods that a table declares, found in its text: running the table would take too long.

    Raises
    ------
    OSError
        There is no text, as in an installation of bytecode alone.
    """
    path = Path(__file__).parent / (table.replace(".", "/") + ".py")
    return " ".join(_METHODS.findall(path.read_text(encoding="utf-8"))).split()


class Registry(dict[str, "Op"]):
    """Every operation by name; ``linalg.`` and the like stand before the names of the extensions.

    The operations of a table are listed once the table has been read to its end, so that a thread never sees half of one.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lock = RLock()
        if hasattr(os, "register_at_fork"):  # a table that another thread reads just then is read to its end
            os.register_at_fork(
                before=self.lock.acquire, after_in_parent=self.lock.release, after_in_child=self.lock.release
            )
        self._declared: dict[str, Op] = {}
        self._unread = self._tables()
        # The operation of each method of Tensor, as far as declared, and the table of each, as far as one declares it.
        self._methods: dict[str, Op] = {}
        self._method_tables: dict[str, str] = {}
        # Functions that give Tensor the methods of an operation that no table declares, and take them away; array_api.surface sets both.
        self.attach: Callable[[Sequence[str]], None] = lambda names: None
        self.detach: Callable[[Sequence[str]], None] = lambda names: None

    @staticmethod
    def _tables() -> list[str]:
        return [table for tables in TABLES.values() for table in tables]

    def declare(self, op: Op) -> Op:
        """Enter an operation, and return it.

        Raises
        ------
        TypeError
            An operation of that name exists, or Tensor has an attribute with the name of one of the methods.
        """
        if op.name in self._declared:
            raise TypeError(f"the operation {op.name!r} is declared twice")
        for name in op.methods:
            if name in self._methods:
                raise TypeError(f"{op.name}: the method {name!r} is that of {self._methods[name].name!r} already")
        self.attach([name for name in op.methods if name not in self._method_tables])
        self._methods.update(dict.fromkeys(op.methods, op))
        self._declared[op.name] = op
        return op

    def withdraw(self, op: Op) -> None:
        """Take an operation off the list, and its methods off Tensor."""
        del self._declared[op.name]
        self.pop(op.name, None)
        for name in op.methods:
            del self._methods[name]
        self.detach(op.methods)

    def method_names(self) -> list[str]:
        """Return the names of the methods that the tables declare for Tensor. Tables are read only if one has no text."""
        try:
            self._method_tables = {name: table for table in self._tables() for name in methods_in(table)}
        except OSError:
            self.load_all()
        return [*{**self._method_tables, **self._methods}]

    def method(self, name: str) -> Op:
        """Return the operation that a method of Tensor calls."""
        with self.lock:
            if name not in self._methods:
                self._load(self._method_tables[name])
            return self._methods[name]

    def load_all(self) -> None:
        """Read every table."""
        self._read(None)

    def _read(self, name: str | None) -> None:
        """Read tables until one declares the name; None reads all."""
        likely = TABLES.get((name or "").rpartition(".")[0], ())
        with self.lock:
            self.update(self._declared)
            for table in sorted(self._unread, key=lambda table: table not in likely):
                if name in self._declared:
                    break
                self._load(table)

    def _load(self, table: str) -> None:
        """Read a table."""
        import_module(f"{__package__}.{table}")
        self._unread.remove(table)
        self.update(self._declared)

    def __missing__(self, name: str) -> Op:
        if not name.rpartition(".")[2].startswith("_"):  # a name that Python and its tools ask every object for
            self._read(name)
            if dict.__contains__(self, name):
                return self[name]
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        return self.get(name) is not None

    def get(self, name: Any, default: Any = None) -> Any:
        """Return the operation of that name, or ``default``."""
        try:
            return self[name]
        except KeyError:
            return default

    def __iter__(self) -> Iterator[str]:
        self.load_all()
        return super().__iter__()

    def __len__(self) -> int:
        self.load_all()
        return super().__len__()

    def keys(self) -> KeysView[str]:  # type: ignore[override]
        """Return the names of all operations."""
        return KeysView(self)

    def values(self) -> ValuesView[Op]:  # type: ignore[override]
        """Return all operations."""
        return ValuesView(self)

    def items(self) -> ItemsView[str, Op]:  # type: ignore[override]
        """Return all operations with their names."""
        return ItemsView(self)
