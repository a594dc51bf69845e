"""The registry of operations, which reads a rule table when a name is first asked for that no table read so far declares.

So an import reads none of them, and one entry in a table is still all that an operation needs: there is no list of names.
Whoever iterates sees every operation.
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, ValuesView
from importlib import import_module
from threading import RLock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .declare import Op

TABLES = {
    "": (
        "elementwise", "reductions", "manipulation", "indexing", "products", "selection", "sorting", "assembly", "padding",
        "contraction", "numerics", "running", "statistics",
    ),
    "linalg": ("linalg", "solutions", "norms", "decompositions"),
    "fft": ("fft",),
    "special": (
        "special.special", "special.bessel", "special.gamma", "special.incomplete", "special.distributions", "special.carlson",
        "special.waves",
    ),
    "nn": ("nn", "losses"),
}  # fmt: skip
"""The modules of this package that declare operations, by the extension where most of theirs are: that is where a name is looked for
first, and among the others next."""


class Registry(dict[str, "Op"]):
    """Every operation by name; ``linalg.`` and the like in front for the extensions.

    What a table declares is listed once the table has been read to its end, so that a thread never sees half of one.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lock = RLock()
        self._declared: dict[str, Op] = {}
        self._unread = [table for tables in TABLES.values() for table in tables]

    def declare(self, op: Op) -> Op:
        """Enter an operation, and return it.

        Raises:
            TypeError: there is one of that name.
        """
        if op.name in self._declared:
            raise TypeError(f"the operation {op.name!r} is declared twice")
        self._declared[op.name] = op
        return op

    def withdraw(self, op: Op) -> None:
        """Take an operation off the list."""
        del self._declared[op.name]
        self.pop(op.name, None)

    def load_all(self) -> None:
        """Read every table."""
        self._read(None)

    def _read(self, name: str | None) -> None:
        """Read tables until one declares the name; None: all."""
        likely = TABLES.get((name or "").rpartition(".")[0], ())
        with self.lock:
            self.update(self._declared)
            for table in sorted(self._unread, key=lambda table: table not in likely):
                if name in self._declared:
                    break
                import_module(f"{__package__}.{table}")
                self._unread.remove(table)
                self.update(self._declared)

    def __missing__(self, name: str) -> Op:
        if not name.rpartition(".")[2].startswith("_"):  # what Python and its tools ask every object for
            self._read(name)
            if dict.__contains__(self, name):
                return self[name]
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        return self.get(name) is not None

    def get(self, name: Any, default: Any = None) -> Any:
        """The operation of that name, or ``default``."""
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
        """The names of all operations."""
        return KeysView(self)

    def values(self) -> ValuesView[Op]:  # type: ignore[override]
        """All operations."""
        return ValuesView(self)

    def items(self) -> ItemsView[str, Op]:  # type: ignore[override]
        """All operations with their names."""
        return ItemsView(self)
