"""The values that a node has saved, as Tensors: with its history, under torch's names, and through the hooks that pack and unpack it.

A node keeps payloads. They become Tensors when somebody looks, or when the gradient is itself recorded.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from ..errors import ArgumentError, GraphError, describe, freed
from . import modes
from .graph import LEAF, Node, output_node
from .sites import located
from .tensor import SCALAR_TYPES, Tensor, constant, continued


def tensor_of(node: Node, source: int | None, value: Any) -> Any:
    """A saved value as a Tensor that goes on from where it was: from input number ``source``, or from output -1 - ``source``.

    Without a source it is a Tensor already, and a constant.
    """
    if value is None or source is None or type(value) in SCALAR_TYPES:
        return value
    frame = node.frame
    if isinstance(value, Tensor) is not frame.lifted:
        frame = frame.backend.frame(frame.level, not frame.lifted)
    if source >= 0:
        edge = node.edges[source]
        return constant(value, frame) if edge is None else continued(value, frame, edge)
    if node.outputs == 1:
        return continued(value, frame, node)
    return continued(value, frame, output_node(node, -1 - source) if value.dtype in frame.floating else None)


def wrapped(node: Node, saved: tuple[Any, ...]) -> tuple[Any, ...]:
    """The saved payloads as Tensors that continue the graph."""
    if not saved or not node.saves:  # a node may save for some of its inputs, none of which is differentiated here
        return node.continued(saved)
    return tuple([
        tensor_of(node, source, value if type(value) is not Packed else value.unpack())
        for source, value in zip(node.saves, saved, strict=True)
    ])  # fmt: skip


def seen(node: Node, source: int | None, value: Any) -> Any:
    """As ``tensor_of``, for users: a leaf is the leaf itself."""
    if type(value) is Packed:
        value = value.unpack()
    edge = node.edges[source] if source is not None and source >= 0 else None
    if isinstance(edge, Tensor) and edge._data is value:
        return edge
    return tensor_of(node, source, value)


# -- hooks ------------------------------------------------------------------------------------------------------
class Packed:
    """A saved value in the form that a pack hook has given it."""

    __slots__ = ("frame", "hook", "value")

    def __init__(self, value: Any, hook: Callable[[Any], Any], frame: Any) -> None:
        self.value = value
        self.hook = hook
        self.frame = frame

    def unpack(self) -> Any:
        """The payload; of a constant of the user's (without a frame) the Tensor."""
        with modes.no_grad():
            tensor = self.hook(self.value)
        if not isinstance(tensor, Tensor):
            raise ArgumentError(
                f"Output of saved tensor unpack_hook expected to be a Tensor but got result of type {type(tensor).__name__}"
            )
        frame = self.frame
        return tensor if frame is None or (tensor._frame.level != frame.level and frame.lifted) else tensor._data


def pack(node: Node, source: int | None, value: Any, hooks: tuple[Callable[[Any], Any], Callable[[Any], Any]]) -> Any:
    """A saved payload packed; numbers and what is not there stay as they are."""
    if value is None or type(value) in SCALAR_TYPES or not hasattr(value, "dtype"):
        return value
    tensor = tensor_of(node, source, value) if source is not None else value.detach()
    if source is not None and source >= 0 and isinstance(node.edges[source], Tensor):
        tensor._node = LEAF  # a leaf of its own: the hook must not be able to change the user's
    before = tensor._data
    with modes.no_grad():
        packed = hooks[0](tensor)
    if tensor._data is not before:
        raise GraphError(
            "A saved tensor pack hook is modifying its input in place. Tensors provided as input to pack hook cannot be modified by "
            "in-place operations as this can lead to unexpected side-effects: return a new Tensor instead"
        )
    return Packed(packed, hooks[1], node.frame if source is not None else None)


def pack_all(node: Node, hooks: tuple[Callable[[Any], Any], Callable[[Any], Any]]) -> None:
    """Pack what a node saves that has just been recorded."""
    saved = node.saved
    if not saved or not node.saves:  # what func.custom_vjp keeps is a tree of its own, which hooks do not see
        return
    node.saved = tuple([pack(node, source, value, hooks) for source, value in zip(node.saves, saved, strict=True)])
    expect_packed(node)


def expect_packed(node: Node) -> None:
    """Have a node unpack what it is given as saved."""
    node.__class__ = _unpacking(type(node))


def _unpacking(cls: type[Node]) -> type[Node]:
    """The class of such nodes. Each class holds its own, so that both can go."""
    made = cls.__dict__.get("unpacking")
    if made is None:
        if "unpacks" in cls.__dict__:
            return cls

        def pull(self: Node, xp: Any, g: Any, edges: tuple[Any, ...], saved: tuple[Any, ...]) -> Sequence[Any]:
            return cls.pull(self, xp, g, edges, unpacked(saved))

        def pull_absorbing(
            self: Node, xp: Any, g: Any, edges: tuple[Any, ...], saved: tuple[Any, ...]
        ) -> Sequence[Any]:
            return cls.pull_absorbing(self, xp, g, edges, unpacked(saved))

        members = {"__slots__": (), "__module__": cls.__module__, "unpacks": True}
        made = type(cls.__name__, (cls,), {**members, "pull": pull, "pull_absorbing": pull_absorbing})
        cls.unpacking = made  # type: ignore[attr-defined]
    return made


def unpacked(saved: tuple[Any, ...]) -> tuple[Any, ...]:
    """The payloads."""
    return tuple([value.unpack() if type(value) is Packed else value for value in saved])


# -- torch's names ------------------------------------------------------------------------------------------------
def value_of(node: Node, place: int) -> Any:
    """Return the value saved at a place, as ``node._saved_...`` gives it; None where it was not needed.

    Raises:
        GraphError: it has been freed.
    """
    if node.saved is None:
        raise located(freed(node.name()), node)
    return seen(node, node.saves[place], node.saved[place]) if node.saved else None


class SavedTensor:
    """One saved value of a node, for hooks of its own (``node._raw_saved_self.register_hooks(pack, unpack)``)."""

    __slots__ = ("_node", "_place")

    def __init__(self, node: Node, place: int) -> None:
        self._node = node
        self._place = place

    def _value(self) -> Any:
        if self._node.saved is None:
            raise located(freed(self._node.name()), self._node)
        return self._node.saved[self._place] if self._node.saved else None

    @property
    def data(self) -> Any:
        """The saved value: what the pack hook has made of it, where there is one."""
        value = self._value()
        return value.value if type(value) is Packed else self.unpack()

    def unpack(self) -> Any:
        """The Tensor."""
        return seen(self._node, self._node.saves[self._place], self._value())

    def register_hooks(self, pack_hook: Callable[[Any], Any], unpack_hook: Callable[[Any], Any]) -> None:
        """Pack the value now, and unpack it whenever it is asked for.

        Raises:
            GraphError: it has hooks already, is None, or has been freed.
        """
        for hook in (pack_hook, unpack_hook):
            if not callable(hook):
                raise ArgumentError(f"register_hooks: a hook has to be callable, got {describe(hook)}")
        value = self._value()
        if type(value) is Packed:
            raise GraphError(
                "Calling register_hooks on a saved tensor whose hooks have already been set. Hint: only one pair of hooks is allowed at a "
                "time."
            )
        if value is None:
            raise GraphError("Calling register_hooks on a saved tensor with value None is forbidden")
        node, place = self._node, self._place
        packed = pack(node, node.saves[place], value, (pack_hook, unpack_hook))
        node.saved = (*node.saved[:place], packed, *node.saved[place + 1 :])  # type: ignore[index]
        expect_packed(node)


def _saved_value(place: int, node: Node) -> Any:
    return value_of(node, place)


def _saved_raw(place: int, node: Node) -> Any:
    return SavedTensor(node, place)


def saved_names(cls: Any) -> dict[str, int]:
    """Return the names of the saved values of a class of nodes: torch's ``self``, ``other``, ``result``, and the operation's own; each
    with its place in ``saved``."""
    op = getattr(cls, "op", None)
    found: dict[str, int] = {}
    for place, source in enumerate(cls.saves):
        if source >= 0:
            found.setdefault(("self", "other")[source] if source < 2 else f"input{source}", place)
            if op is not None and source < len(op.arrays):
                found.setdefault(op.arrays[source], place)
        else:
            found.setdefault("result" if source == -1 else f"result{-1 - source}", place)
            if op is not None and op.outputs:
                found.setdefault(op.outputs[-1 - source], place)
    return found


def _name_saved(cls: type[Node]) -> None:
    """Give a class of nodes torch's names for what it saves: ``_saved_self``, ``_saved_result``, and ``_raw_saved_...`` to hook it.

    They are made once per class, for a ``__getattr__`` would slow down every look at a node.
    """
    super(Node, cls).__init_subclass__()
    if isinstance(cls.__dict__.get("saves"), tuple):
        for name, place in saved_names(cls).items():
            setattr(cls, f"_saved_{name}", property(functools.partial(_saved_value, place)))
            setattr(cls, f"_raw_saved_{name}", property(functools.partial(_saved_raw, place)))


Node.__init_subclass__ = classmethod(_name_saved)  # type: ignore[assignment]
