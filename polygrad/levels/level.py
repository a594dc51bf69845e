"""Taking a Tensor to the level below and back: what a transform's arguments are outside of it, and what comes back inside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..backend.frame import Level, open_level
from ..backend.select import BY_TYPE, backend_of, get_backend
from ..core import modes
from ..core.graph import LEAF
from ..core.inplace import end_level
from ..core.modes import State
from ..core.tensor import SCALAR_TYPES, Tensor, constant, edge_of, level_of, live
from ..errors import ArgumentError, DtypeError, describe
from .trees import flatten, map_leaves, unflatten


def lowered(arg: Any, level: Level) -> Any:
    """An argument without that level."""
    if level_of(arg) != level:
        return arg
    data = arg._data
    return data if isinstance(data, Tensor) else constant(data, arg._frame.backend.frame())


def lifted(value: Any, level: Level, raw: bool) -> Any:
    """An output of the level below as a constant of that level; ``raw`` says that its payload may be a raw array."""
    if not isinstance(value, Tensor):
        return value
    if level == 0:
        return constant(value._data, value._frame)
    backend = value._frame.backend
    if raw and value._node is None and value._frame.level == 0:
        return constant(value._data, backend.frame(level, False))
    return constant(value, backend.frame(level, True))


class new_level:
    """Open a level above all that are open; ``with`` gives its number. See ``State.inside``.

    What was recorded in a level may be used after its end, under transforms that are opened by then: ``room`` is for so many of
    them below it.
    """

    __slots__ = ("before", "level", "records", "room")
    before: State
    level: Level

    def __init__(self, records: bool = True, room: int = 0) -> None:
        self.records = records
        self.room = room

    def __enter__(self) -> Level:
        self.before = modes.current()
        state = self.before.inside(self.records, self.room)
        modes.MODE.set(state)
        self.level = open_level(state.level)
        return self.level

    def __exit__(self, *exc_info: object) -> None:
        modes.MODE.set(self.before)
        end_level(self.level, failing=exc_info[0] is not None)


class drawing:
    """Have ``draw`` draw the random numbers of what runs inside (see ``State``)."""

    __slots__ = ("before", "draw")
    before: State

    def __init__(self, draw: Callable[..., Any] | None) -> None:
        self.draw = draw

    def __enter__(self) -> None:
        self.before = modes.current()
        modes.MODE.set(self.before.replace(draw=self.draw))

    def __exit__(self, *exc_info: object) -> None:
        modes.MODE.set(self.before)


def wrap(value: Any, level: Level, where: str, requires_grad: bool = True) -> Tensor:
    """Return an array or Tensor of a lower level as a leaf of this level."""
    if isinstance(value, Tensor):
        value = live(value, where)
        # A snapshot: what the caller does to the Tensor in place later is not seen here.
        inner = value if type(value) is not Tensor else alias(value)
        out = constant(inner, value._frame.backend.frame(level, True))
    else:
        backend = backend_of(value)
        if backend is None and type(value) in (float, complex):
            backend = get_backend()
            value = backend.raw.asarray(value)
        if backend is None:
            raise ArgumentError(
                f"{where}: the arguments to differentiate have to be arrays or Tensors, got {describe(value)}"
            )
        backend.check(value)
        out = constant(value, backend.frame(level, False))
    if requires_grad:
        if out._data.dtype not in out._frame.floating:
            raise DtypeError(
                f"{where}: can only differentiate with respect to floating or complex arrays, and an argument has dtype {out.dtype}; "
                f"choose others with argnums, or convert it"
            )
        out._node = LEAF
    return out


def adopt(value: Any) -> Any:
    """Return a raw array as a Tensor, so that a function sees only Tensors; anything else as it is."""
    if not isinstance(value, Tensor) and (backend := backend_of(value)) is not None:
        backend.check(value)
        return constant(value, backend.frame())
    return value


def adopt_tree(value: Any) -> Any:
    """Return a tree with each raw array in it as a Tensor."""
    kind = type(value)
    if kind is Tensor or kind in SCALAR_TYPES or value is None:
        return value
    return adopt(value) if kind in BY_TYPE else map_leaves(adopt, value)


def leaves_of(value: Any) -> tuple[list[Any], Any]:
    """Return the leaves of a tree and its structure, which is None where the tree is one leaf."""
    if isinstance(value, Tensor) or type(value) in BY_TYPE:
        return [value], None
    leaves, structure = flatten(value)
    return leaves, None if structure.is_leaf() else structure


def tree_of(structure: Any, leaves: Sequence[Any]) -> Any:
    """Return the tree of a structure that ``leaves_of`` has given, with these leaves."""
    return leaves[0] if structure is None else unflatten(structure, leaves)


def leaves_of_arguments(args: tuple[Any, ...]) -> tuple[list[Any], Any]:
    """Return the leaves of arguments and their structure, which is None where each argument is an array or Tensor."""
    for arg in args:
        if not isinstance(arg, Tensor) and type(arg) not in BY_TYPE:
            return flatten(args)
    return list(args), None


def arguments_of(structure: Any, leaves: Sequence[Any]) -> tuple[Any, ...]:
    """Return the arguments of a structure that ``leaves_of_arguments`` has given, with these leaves."""
    return tuple(leaves) if structure is None else unflatten(structure, leaves)


def alias(tensor: Tensor) -> Tensor:
    out = constant(tensor._data, tensor._frame)
    out._node = edge_of(tensor)
    return out


def unwrap(value: Any, level: Level) -> Any:
    """A result as the caller sees it: without this level."""
    return value._data if level_of(value) == level else value


def lower(value: Any) -> Any:
    """The raw array inside a Tensor that carries no history; anything else as it is. For those who passed raw arrays."""
    if isinstance(value, Tensor) and type(value) is Tensor and value._node is None and not value._frame.lifted:
        return value.array if value._frame.level == 0 else value
    return value
