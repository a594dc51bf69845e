"""``jit``: a function of Tensors, compiled by the backend's own compiler.

The function is run once on stand-ins for its arguments (it is *traced*), for each kind of call: the structure of the arguments, which of
them require grad, the values of the static ones, the modes in force. The compiled function takes and returns flat lists of raw arrays.
Its effects on Tensors (outputs with a history, gradients that arrive at arguments, arguments written in place) are noted while tracing,
and are carried out on the caller's Tensors at each call.
"""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from ..backend.base import Backend
from ..backend.frame import Frame
from ..backend.select import BY_TYPE, backend_of, get_backend
from ..core import modes
from ..core.dispatch import mark_inference
from ..core.graph import LEAF
from ..core.inplace import rebind
from ..core.record import attach
from ..core.tensor import SCALAR_TYPES, Tensor, constant, edge_of, refuse_leak
from ..errors import ArgumentError, BackendError, GraphError, Untraceable, describe
from ..levels.batched import Batched
from ..levels.foreign import Foreign, call, record
from ..levels.trees import flatten, unflatten
from .program import ARRAY, COMPUTED, LEAVES, UNTRACKED, WITH_GRAD, Note, Program, ambient, split_arguments


class Jitted:
    """Function that ``jit`` has returned. It is compiled for each kind of call, when the first call of that kind comes."""

    def __init__(
        self, function: Callable[..., Any], static_argnums: Any, static_argnames: Any, options: dict[str, Any]
    ) -> None:
        if not callable(function):
            raise ArgumentError(f"jit: expected a function, got {describe(function)}")
        functools.update_wrapper(self, function)
        self.function = function
        self.options = options
        numbers = (static_argnums,) if isinstance(static_argnums, int) else tuple(static_argnums)
        names = (static_argnames,) if isinstance(static_argnames, str) else tuple(static_argnames)
        self.static_numbers, self.static_names = _name_statics(function, numbers, names)
        self._programs: dict[Any, Program] = {}
        self._plain: set[Any] = set()
        """Kinds of calls that the backend's compiler cannot compile, so that they run as they are."""

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function, compiled for this kind of call."""
        dynamic, named, statics = args, kwargs, ()
        if self.static_numbers or self.static_names:
            dynamic, named, statics = self._without_statics(args, kwargs)
        leaves, tree = flatten((dynamic, named)) if named else split_arguments(dynamic)
        return self._run(args, kwargs, (dynamic, named), statics, leaves, tree)

    def _run(self, args: Any, kwargs: Any, dynamic: Any, statics: Any, leaves: list[Any], tree: Any) -> Any:
        """Run a call, given its arguments without the static ones, and these as leaves and their structure."""
        arrays: list[Any] = []
        kinds: list[int] = []
        tensors: list[Tensor] = []
        grads: list[Any] = []
        raw: list[int] = []
        frame = None
        for leaf in leaves:
            if type(leaf) is Tensor:
                arrays.append(leaf._data)
                tensors.append(leaf)
                if leaf._frame is not frame:
                    if frame is not None or leaf._frame.level:
                        return self._in_transform(args, kwargs, statics, *flatten(dynamic))
                    frame = leaf._frame
                node = leaf._node
                if node is None:
                    kinds.append(UNTRACKED)
                elif node is not LEAF:
                    kinds.append(COMPUTED)
                elif leaf._extra is None or (grad := leaf._extra.grad) is None or grad._node is not None:
                    kinds.append(LEAVES)
                else:
                    kinds.append(WITH_GRAD)
                    grads.append(grad._data)
            elif isinstance(leaf, Tensor):
                return self._in_transform(args, kwargs, statics, *flatten(dynamic))
            else:
                kind = type(leaf)
                if (
                    kind not in BY_TYPE
                    and kind not in SCALAR_TYPES
                    and type(tree) is tuple
                    and backend_of(leaf) is None
                ):
                    return self._run(args, kwargs, dynamic, statics, *flatten(dynamic))
                raw.append(len(arrays))
                arrays.append(leaf)
                kinds.append(ARRAY)
        home: Any = frame.backend if frame is not None else _home(leaves)
        if not home.compiles:
            return self.function(*args, **kwargs)
        for i in raw:
            if BY_TYPE.get(type(arrays[i])) is not home:
                _take(arrays, kinds, i, home)
        first = None if len(set(tensors)) == len(tensors) else _first(leaves)
        key = (home, tree, tuple(kinds), first, statics, *ambient())
        program = self._programs.get(key) or self._program(key)
        if program is None:
            return self.function(*args, **kwargs)
        arrays += grads
        try:
            outs, note = program.execute(arrays)
        except Untraceable as error:
            self._give_up(key, home, error)
            return self.function(*args, **kwargs)
        results: list[Any] | None = None
        if note.tracked and modes.current().records(0):
            results = [constant(out, home.frame()) for out in outs]
            edges = [
                edge_of(leaf) if kind in (LEAVES, WITH_GRAD, COMPUTED) else None
                for kind, leaf in zip(kinds, leaves, strict=True)
            ]
            edges += [None] * (len(arrays) - len(edges))
            if any(edge is not None for edge in edges):
                attach(record(program, arrays, edges, results, note.given), results, note.given)
        return _finish(note, leaves, outs if results is None else results, home.frame())

    def _in_transform(self, args: Any, kwargs: Any, statics: Any, leaves: list[Any], tree: Any) -> Any:
        """Run a call with Tensors of a functional transform among the arguments, or of several backends, which is an error."""
        home = next(leaf for leaf in leaves if isinstance(leaf, Tensor))._frame.backend
        for leaf in leaves:
            if isinstance(leaf, Tensor) and leaf._frame.backend is not home:
                raise BackendError(
                    f"jit: the arguments are on different backends: {home.name!r} and {leaf.backend!r}. Bring them together, for example "
                    f"with y.to_backend({home.name!r})"
                )
        if not home.compiles or any(map(_in_batch, leaves)):
            return self.function(*args, **kwargs)
        inputs = list(leaves)
        kinds: list[Any] = []
        for i, leaf in enumerate(leaves):
            kinds.append(COMPUTED if isinstance(leaf, Tensor) and leaf.dtype in leaf._frame.floating else UNTRACKED)
            if not isinstance(leaf, Tensor):
                kinds[i] = ARRAY
                _take(inputs, kinds, i, home)
                inputs[i] = constant(home.raw.asarray(inputs[i]), home.frame())
        tensors = [leaf for leaf in leaves if isinstance(leaf, Tensor)]
        first = None if len(set(tensors)) == len(tensors) else _first(leaves)
        key = (home, tree, tuple(kinds), first, statics, *ambient())
        program = self._programs.get(key) or self._program(key)
        if program is None:
            return self.function(*args, **kwargs)
        noting = _Noting(program)
        try:
            results = call(noting, inputs)
        except Untraceable as error:
            self._give_up(key, home, error)
            return self.function(*args, **kwargs)
        if noting.note.effects:
            raise GraphError(
                "jit: inside of a functional transform (grad, vjp, jvp, ...) a compiled function cannot write to its arguments or call "
                "backward() on them; return the new values instead"
            )
        return _finish(noting.note, leaves, results, home.frame())

    def _program(self, key: Any) -> Program | None:
        if key in self._plain:
            return None
        home, tree, kinds, first, statics, *ambient = key
        program = Program(self.call_with, self.options, home, tree, kinds, first or range(len(kinds)), statics, ambient)
        return self._programs.setdefault(key, program)

    def _give_up(self, key: Any, home: Backend, error: Exception) -> None:
        self._plain.add(key)
        del self._programs[key]
        name = getattr(self.function, "__name__", repr(self.function))
        warnings.warn(f"polygrad.jit: {home.name} cannot compile {name!r}, so it runs as it is: {error}", stacklevel=3)

    # -- static arguments -----------------------------------------------------------------------------------------
    def _without_statics(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any, Any]:
        positions = tuple([(n, args[n]) for n in self.static_numbers if n < len(args)])
        named = tuple([(name, kwargs[name]) for name in self.static_names if name in kwargs])
        for what, value in (*positions, *named):
            if isinstance(value, Tensor) or backend_of(value) is not None:
                raise ArgumentError(
                    f"jit: the static argument {what!r} is an array ({describe(value)}); a function is compiled anew for each value "
                    f"of a static argument, so these are for numbers, strings and the like"
                )
            try:
                hash(value)
            except TypeError:
                raise ArgumentError(
                    f"jit: the static argument {what!r} has to be hashable, got {describe(value)}; pass a tuple instead of a list"
                ) from None
        chosen = dict(positions)
        dynamic = tuple([None if i in chosen else arg for i, arg in enumerate(args)])
        others = {name: value for name, value in kwargs.items() if name not in self.static_names}
        # 1 and True and 1.0 are equal, but not the same to the function
        return dynamic, others, (positions, named, tuple([type(value) for _, value in (*positions, *named)]))

    def call_with(self, args: Any, kwargs: Any, statics: Any) -> Any:
        """Call the function with the static arguments in their places again."""
        if not statics:
            return self.function(*args, **kwargs)
        chosen = dict(statics[0])
        return self.function(*[chosen.get(i, arg) for i, arg in enumerate(args)], **kwargs, **dict(statics[1]))


class _Noting(Foreign):
    """Program that keeps the note of its last run, for one call."""

    name = Program.name

    def __init__(self, program: Program) -> None:
        self.program = program
        self.backend = program.backend
        self.note: Any = None

    def run(self, arrays: Sequence[Any], tracked: bool) -> tuple[Sequence[Any], Foreign]:
        """Run the program on raw arrays, and keep its note."""
        outs, self.note = self.program.execute(list(arrays))
        return outs, self.program


def _finish(note: Note, leaves: list[Any], outs: Sequence[Any], frame: Frame) -> Any:
    """Carry out the noted effects on the arguments, and return the results.

    ``outs`` are raw arrays, or Tensors if one of them has a history.
    """
    made = bool(outs) and isinstance(outs[0], Tensor)
    if note.effects:
        _check_effects(note, leaves, [out._data for out in outs] if made else outs)
    values: list[Any] = []
    following = 0
    scope: Any = None
    for kind, info in note.outputs:
        if kind == "argument":
            values.append(leaves[info])
        elif kind == "constant":
            values.append(info)
        else:
            out = outs[following]
            following += 1
            if kind == "array":
                values.append(out._data if made else out)
                continue
            if not made:
                out = constant(out, frame)
            if kind == "leaf":
                out._node = LEAF
                if scope is None:
                    scope = (frame.backend.scope(),)
                if scope[0] is not None:
                    out._own_extra().scope = scope[0]
            values.append(out)
    if modes.current().inference:
        mark_inference([value for value in values if isinstance(value, Tensor)])
    for index, what, position, how in note.effects:
        target = leaves[index]
        new: Any = None if position is None else outs[position] if made else constant(outs[position], frame)
        if what == "grad":
            if new is not None and how and target.grad is not None:
                target.grad._set_data(new._data)
            else:
                target._own_extra().grad = new
        elif how == "computed":
            with modes.enable_grad():
                rebind(target, new)
        else:
            extra = target._extra
            if new is not None and (extra is None or (extra.view is None and extra.views is None)):
                target._data = new._data
            elif new is not None:
                target._set_data(new._data)
            target._node = LEAF if how == "leaf" else None
    return unflatten(note.structure, values)


def _check_effects(note: Note, leaves: list[Any], arrays: Sequence[Any]) -> None:
    """Raise before anything has changed if an argument cannot be changed as the function has changed it."""
    for index, what, position, _ in note.effects:
        target = leaves[index]
        extra = target._extra
        if what == "grad" and extra is not None and (extra.hooks or extra.post_accumulate or extra.node is not None):
            raise GraphError(
                f"jit: a backward pass inside of the compiled function reaches a leaf with hooks ({describe(target)}), which cannot run in "
                f"there. Remove them, or return the loss and call backward() outside"
            )
        if position is not None:
            refuse_leak(target, arrays[position], "jit")
        if what == "value" and extra is not None and (extra.view is not None or extra.views):
            _refuse_relatives(target, leaves)


def _refuse_relatives(target: Tensor, leaves: list[Any]) -> None:
    """Raise if another argument is a view of the same memory as ``target``, which the function has written: inside they were apart."""
    base = _base(target)
    for leaf in leaves:
        if isinstance(leaf, Tensor) and leaf is not target and _base(leaf) is base:
            raise GraphError(
                f"jit: the function writes to an argument ({describe(target)}) that shares its memory with another one ({describe(leaf)}), "
                f"which would not see it. Pass one of them, and make the view inside"
            )


def _base(tensor: Tensor) -> Tensor:
    """Return the root base of a view, or the Tensor itself."""
    while tensor._extra is not None and tensor._extra.view is not None and tensor._extra.view.base is not None:
        tensor = tensor._extra.view.base
    return tensor


def _in_batch(value: Any) -> bool:
    """Return True if a Tensor is, at some level, an example of a batch: vmap knows operations, and no compiled functions."""
    while isinstance(value, Tensor):
        if isinstance(value, Batched):
            return True
        value = value._data
    return False


def _first(leaves: list[Any]) -> tuple[int, ...]:
    """Return for each leaf the position of the first that is the same Tensor."""
    seen: dict[int, int] = {}
    return tuple([seen.setdefault(id(leaf), i) if isinstance(leaf, Tensor) else i for i, leaf in enumerate(leaves)])


def _home(leaves: list[Any]) -> Backend:
    """Return the backend of raw arrays, or the selected one if there are none."""
    for leaf in leaves:
        if type(leaf) not in SCALAR_TYPES and (backend := backend_of(leaf)) is not None:
            return backend
    return get_backend()


def _take(arrays: list[Any], kinds: list[Any], i: int, home: Backend) -> None:
    """Bring an argument that is no Tensor into the form that the compiler takes: an array of its own backend, or a number."""
    leaf = arrays[i]
    if type(leaf) in SCALAR_TYPES:
        if not home.traces_numbers:
            arrays[i], kinds[i] = home.raw.asarray(0), (type(leaf), leaf)
        return
    backend = backend_of(leaf)
    if backend is home:
        return
    if backend is None:
        raise ArgumentError(
            f"jit: an argument is {describe(leaf)}; a compiled function takes Tensors, arrays, numbers and trees of these. Name arguments "
            f"of other kinds in static_argnames (or static_argnums)"
        )
    if backend.name == "numpy" and leaf.shape == ():
        arrays[i] = leaf.item()
        _take(arrays, kinds, i, home)
    else:
        raise BackendError(
            f"jit: an argument is an array of {backend.name} ({describe(leaf)}) among those of {home.name}; move it first, for example "
            f"with polygrad.asarray(a, backend={home.name!r})"
        )


def _name_statics(
    function: Callable[..., Any], numbers: tuple[int, ...], names: tuple[str, ...]
) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Return the static arguments by position and by name: in whichever way they are declared, they may be passed in both."""
    if not numbers and not names:
        return (), ()
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return numbers, names
    positional = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    known = {p.name for p in parameters}
    open_ended = {p.kind for p in parameters}
    for name in names:
        if name not in known and inspect.Parameter.VAR_KEYWORD not in open_ended:
            raise ArgumentError(
                f"jit: static_argnames names {name!r}, which is no parameter of the function; it has {', '.join(map(repr, known))}"
            )
    counted = []
    for number in numbers:
        if not -len(positional) <= number < len(positional) and inspect.Parameter.VAR_POSITIONAL not in open_ended:
            raise ArgumentError(
                f"jit: static_argnums names {number}, but the function has {len(positional)} positional arguments"
            )
        counted.append(number % len(positional) if number < 0 else number)
    counted += [positional.index(name) for name in names if name in positional]
    named = [*names, *[positional[n] for n in counted if n < len(positional)]]
    return tuple(dict.fromkeys(counted)), tuple(dict.fromkeys(named))


def jit(
    function: Callable[..., Any] | None = None,
    *,
    static_argnums: int | Sequence[int] = (),
    static_argnames: str | Sequence[str] = (),
    **options: Any,
) -> Any:
    """Compile a function of Tensors by the compiler of the backend that its arguments are on.

    On JAX that is ``jax.jit``. On torch the function is traced and given to ``torch.compile``; if torch cannot trace or compile it, it
    runs as it is, with a warning. NumPy, CuPy, dask and the rest have no such compiler: there the function is called as it is.

    The compiled function does the same as the function, gradients included. Results computed from arguments that require grad have a
    history of one node, whose derivatives (of any order, in both modes) are compiled when they are first asked for; they compute the
    forward pass anew instead of keeping intermediates. A ``backward()`` inside adds to ``grad`` of the arguments; arguments written in
    place are written. Python code runs only while the function is traced, once for each kind of call. Inside ``func.vmap`` the function
    runs as it is; compile the mapped function instead.

    Parameters
    ----------
    function
        Takes and returns Tensors, arrays, numbers, and trees of these. Without it a decorator is returned.
    static_argnums, static_argnames
        Arguments that are no arrays, by position or name; hashable. The function is compiled for each value of these.
    options
        Options of the backend's compiler (``jax.jit``, ``torch.compile``).

    Returns
    -------
    callable
        The compiled function.

    Raises
    ------
    ArgumentError
        An argument is neither array, number nor static, or a static one is not hashable.
    BackendError
        The arguments are on different backends.
    GraphError
        A result depends on a Tensor from outside that requires grad, or such a Tensor would be changed.
    """
    if function is None:
        return functools.partial(jit, static_argnums=static_argnums, static_argnames=static_argnames, **options)
    return Jitted(function, static_argnums, static_argnames, options)
