"""A function of Tensors as a program of raw arrays that a compiler can trace, and the note of what the trace has shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from ..array_api.creation import DEFAULT_DTYPE
from ..backend.base import Backend
from ..backend.select import SELECTED, backend_of
from ..core import modes
from ..core.graph import LEAF, Node
from ..core.tensor import Tensor, constant, continued, edge_of
from ..errors import GeneratorNeeded, GraphError, describe
from ..func.transforms import jvp, vjp
from ..levels.foreign import Foreign
from ..levels.trees import flatten, unflatten

UNTRACKED, LEAVES, WITH_GRAD, COMPUTED, ARRAY = range(5)
"""Kinds of arguments: Tensors that do not require grad, leaves, leaves that have a ``grad``, results of operations; arrays."""


class Constant:
    """Result of a traced function besides its arrays; a compiler hands it through as it is."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class Traced(Foreign):
    """Function of a list of Tensors that returns a list of Tensors, as a function of raw arrays, differentiated by polygrad."""

    name = "Traced"

    def __init__(self, backend: Backend, function: Callable[[list[Any]], list[Any]]) -> None:
        self.backend = backend
        self.function = function
        self.ambient: Any = ambient()
        self.derived: dict[Any, Traced] = {}

    def _trace(self, *arrays: Any) -> tuple[list[Any], Constant]:
        frame = self.backend.frame()
        with _surroundings(self.ambient):
            outs, note = self.noted([constant(array, frame) for array in arrays])
        return [out._data for out in outs], Constant(note)

    def noted(self, inputs: list[Any]) -> tuple[list[Any], Any]:
        """Return the outputs of the function, and what has to be known of them at each call."""
        return self.function(inputs), None

    def run(self, arrays: Sequence[Any], tracked: bool) -> tuple[Sequence[Any], Foreign]:
        """Run the function on raw arrays, and return itself for the derivatives."""
        return self._trace(*arrays)[0], self

    def vjp(self, wanted: tuple[bool, ...], given: tuple[bool, ...]) -> Foreign:
        """Return the function of inputs and cotangents that gives the cotangents of the wanted inputs."""
        number = len(wanted)

        chosen = [i for i, want in enumerate(wanted) if want]

        def pullback(tensors: list[Any]) -> list[Any]:
            def partial(*values: Any) -> Any:
                outs = self.function(_replace(tensors[:number], chosen, values))
                return [out for out, carries in zip(outs, given, strict=True) if carries]

            _, pull = vjp(partial, *[tensors[i] for i in chosen])
            return list(pull(tensors[number:]))

        return self._derived((wanted, given), pullback)

    def jvp(self, moving: tuple[bool, ...]) -> Foreign:
        """Return the function of inputs and tangents that gives the tangents of the floating outputs."""
        number = len(moving)

        chosen = [i for i, moves in enumerate(moving) if moves]

        def pushforward(tensors: list[Any]) -> list[Any]:
            def partial(*values: Any) -> Any:
                outs = self.function(_replace(tensors[:number], chosen, values))
                return [out for out in outs if out.dtype in out._frame.floating]

            _, tangents = jvp(partial, tuple([tensors[i] for i in chosen]), tuple(tensors[number:]))
            return tangents  # type: ignore[no-any-return]

        return self._derived(moving, pushforward)

    def _derived(self, key: Any, function: Callable[[list[Any]], list[Any]]) -> Traced:
        if key not in self.derived:
            self.derived[key] = self._like(function)
        return self.derived[key]

    def _like(self, function: Callable[[list[Any]], list[Any]]) -> Traced:
        return Traced(self.backend, function)


class Compiled(Traced):
    """Traced function that the backend has compiled."""

    name = "Jit"

    def __init__(
        self, backend: Backend, function: Callable[[list[Any]], list[Any]], options: dict[str, Any], surroundings: Any
    ) -> None:
        super().__init__(backend, function)
        self.options = options
        self.ambient = surroundings
        self.compiled = backend.jit(self._trace, **options)

    def run(self, arrays: Sequence[Any], tracked: bool) -> tuple[Sequence[Any], Foreign]:
        """Run the compiled function on raw arrays, and return itself for the derivatives."""
        return self.compiled(*arrays)[0], self

    def _like(self, function: Callable[[list[Any]], list[Any]]) -> Traced:
        return Compiled(self.backend, function, self.options, self.ambient)


def _replace(values: list[Any], positions: Sequence[int], others: Sequence[Any]) -> list[Any]:
    """Return the list with other values at some positions."""
    values = list(values)
    for position, other in zip(positions, others, strict=True):
        values[position] = other
    return values


def _payload(tensor: Tensor | None) -> Any:
    return None if tensor is None else tensor._data


class Note:
    """Record of a trace: how the caller's results and Tensors follow from the arrays that come back."""

    __slots__ = ("effects", "given", "outputs", "structure", "tracked")

    def __init__(self, structure: Any, outputs: list[Any], effects: list[Any], given: tuple[bool, ...]) -> None:
        self.structure = structure
        self.outputs = outputs
        """For each leaf of the result: ("tensor" or "leaf", None), ("array", None), ("argument", which), or ("constant", value)."""
        self.effects = effects
        """(argument, "value", position of its array or None, new kind), or (argument, "grad", position, whether the old one is written)."""
        self.given = given
        """For each array, True if it belongs to a Tensor with a history."""
        self.tracked = any(given)


class Program(Compiled):
    """The user's function, compiled for one kind of call."""

    def __init__(
        self,
        call_with: Callable[..., Any],
        options: dict[str, Any],
        backend: Backend,
        tree: Any,
        kinds: Sequence[Any],
        first: Sequence[int],
        statics: Any,
        ambient: Any,
    ):
        self.call_with = call_with
        self.tree = tree
        self.kinds = kinds
        self.first = first
        self.statics = statics
        self.random = False
        super().__init__(backend, lambda inputs: self.noted(inputs)[0], options, ambient)

    def noted(self, inputs: list[Any]) -> tuple[list[Any], Note]:
        """Call the function on Tensors made of the inputs, and note what became of them."""
        if self.random:
            self.backend.set_generator(inputs[-1]._data)
        extra = iter(inputs[len(self.kinds) :])
        given: list[Any] = []  # the arguments of the function
        roots: list[Any] = []  # the leaf behind each Tensor
        before: list[Any] = []
        for i, kind in enumerate(self.kinds):
            root = inputs[i]
            if self.first[i] != i:  # the same Tensor once more
                root, value = roots[self.first[i]], given[self.first[i]]
            elif kind == ARRAY:
                value = root._data
            elif type(kind) is tuple:
                value = kind[1]
            elif kind == UNTRACKED:
                value = root
            else:
                if not root.requires_grad and type(root) is Tensor:
                    root.requires_grad_()
                value = root
                if kind == WITH_GRAD:
                    old = next(extra)
                    root._own_extra().grad = constant(old if root._frame.lifted else old._data, root._frame)
                elif kind == COMPUTED:
                    value = root._frame.namespace.clone(root)
            given.append(value)
            roots.append(root)
            before.append(
                None if not isinstance(value, Tensor) else (value._data, value._node, value.grad, _payload(value.grad))
            )
        args, kwargs = (
            (join_arguments(self.tree, given), {}) if type(self.tree) is tuple else unflatten(self.tree, given)
        )
        result = self.call_with(args, kwargs, self.statics)
        leaves, structure = flatten(result)
        outs: list[Any] = []
        outputs: list[Any] = []
        positions = {id(value): i for i, value in reversed(list(enumerate(given))) if isinstance(value, Tensor)}
        for leaf in leaves:
            home = leaf._frame.backend if isinstance(leaf, Tensor) else backend_of(leaf)
            if id(leaf) in positions:
                outputs.append(("argument", positions[id(leaf)]))
            elif home is not self.backend:
                outputs.append(("constant", leaf))
            elif isinstance(leaf, Tensor):
                outputs.append(("leaf" if leaf._node is LEAF and type(leaf) is Tensor else "tensor", None))
                outs.append(leaf)
            else:
                outputs.append(("array", None))
                outs.append(constant(leaf, self.backend.frame()))
        effects: list[Any] = []
        for i, (value, root, then) in enumerate(zip(given, roots, before, strict=True)):
            if then is None or self.first[i] != i:
                continue
            data, node, grad, grad_data = then
            if root is not value and root.grad is not None:
                raise GraphError(
                    f"jit: a backward pass inside of the compiled function reaches an argument ({describe(value)}) that is the result of "
                    f"an operation outside, where it would have to go on. Return the loss and call backward() outside; or give x.detach()"
                )
            if value._data is not data or value._node is not node:
                state = "leaf" if value._node is LEAF else "untracked" if value._node is None else "computed"
                position = None if value._data is data and state != "computed" else len(outs)
                effects.append((i, "value", position, state))
                if position is not None:
                    outs.append(continued(value._data, value._frame, edge_of(value) if state == "computed" else None))
            new = value.grad
            if new is not grad or (_payload(new) is not grad_data):
                effects.append((i, "grad", None if new is None else len(outs), new is grad))
                if new is not None:
                    outs.append(new)
        tracked = tuple([type(out) is Tensor and not out.is_leaf for out in outs])
        self._refuse_outsiders([out for out, yes in zip(outs, tracked, strict=True) if yes], roots)
        if self.random:
            outs.append(constant(self.backend.generator(), self.backend.frame()))
            tracked = (*tracked, False)
        return outs, Note(structure, outputs, effects, tracked)

    def _refuse_outsiders(self, outs: list[Tensor], inputs: list[Any]) -> None:
        """Raise if a result depends on a leaf outside, whose gradient would be lost."""
        known = {id(root) for root in inputs}
        stack = [edge_of(out) for out in outs]
        seen: set[Any] = set()
        while stack:
            edge = stack.pop()
            if edge is None or edge in seen:
                continue
            seen.add(edge)
            if isinstance(edge, Node):
                stack.extend(edge.edges)
            elif id(edge) not in known:
                scope = None if edge._extra is None else edge._extra.scope
                if self.backend.leaks(edge._data, outs[0]._data, scope, True):
                    raise GraphError(
                        f"jit: a result of the compiled function depends on a Tensor from outside that requires grad ({describe(edge)}), "
                        f"and no gradient could flow to it. Pass it as an argument (also inside of lists, tuples and dictionaries), or use "
                        f"its detach()"
                    )

    def execute(self, arrays: list[Any]) -> tuple[list[Any], Note]:
        """Return the arrays that come back, and the note of the trace that they come from."""
        if self.random:
            arrays.append(self.backend.generator())
        try:
            outs, note = self.compiled(*arrays)
        except GeneratorNeeded:
            if self.random:
                raise
            self.random = True
            self.compiled = self.backend.jit(self._trace, **self.options)
            return self.execute(arrays)
        if self.random:
            self.backend.set_generator(outs[-1])
        return outs, note.value


def split_arguments(args: Sequence[Any]) -> tuple[list[Any], tuple[Any, ...]]:
    """Return the arguments as leaves, and their structure, if they are leaves or flat containers.

    This takes half the time that a tree takes. Deeper containers stay leaves.
    """
    leaves: list[Any] = []
    structure: list[Any] = []
    for arg in args:
        kind = type(arg)
        if kind is dict:
            structure.append((dict, *arg))
            leaves.extend(arg.values())
        elif kind is list or kind is tuple:
            structure.append((kind, len(arg)))
            leaves.extend(arg)
        else:
            structure.append(None)
            leaves.append(arg)
    return leaves, tuple(structure)


def join_arguments(structure: tuple[Any, ...], leaves: Sequence[Any]) -> list[Any]:
    """Return the arguments again, from the result of ``split_arguments``."""
    rest = iter(leaves)
    args: list[Any] = []
    for part in structure:
        if part is None:
            args.append(next(rest))
        elif part[0] is dict:
            args.append({key: next(rest) for key in part[1:]})
        else:
            args.append(part[0]([next(rest) for _ in range(part[1])]))
    return args


def ambient() -> tuple[Any, ...]:
    """Return what decides a function's result besides its arguments: the modes, the selected backend, the default dtype."""
    state: Any = modes.current().at_bottom()
    if state is not modes.DEFAULT and state is not modes.NO_GRAD:
        state = tuple([getattr(state, name) for name in modes.State.FIELDS])
    return state, SELECTED.get(), DEFAULT_DTYPE.get()


@contextmanager
def _surroundings(ambient: Sequence[Any]) -> Iterator[None]:
    """Restore the surroundings in which a function was called, outside of every transform."""
    state, backend, dtype = ambient
    if type(state) is tuple:
        state = modes.DEFAULT.replace(**dict(zip(modes.State.FIELDS, state, strict=True)))
    tokens = [
        (variable, variable.set(value)) for variable, value in zip(_VARIABLES, (state, backend, dtype), strict=True)
    ]
    try:
        yield
    finally:
        for variable, token in tokens:
            variable.reset(token)


_VARIABLES: tuple[ContextVar[Any], ...] = (modes.MODE, SELECTED, DEFAULT_DTYPE)
