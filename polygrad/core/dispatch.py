"""The one path that every operation takes: unwrap, run on the payloads, record.

``apply`` is that path, for any operation at any level. The public functions (``build``) do the common case by themselves and hand
everything else to it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..backend.frame import Frame
from ..backend.select import backend_of, get_backend
from ..errors import ArgumentError, BackendError, PolygradError, describe
from ..rules.declare import Op
from . import modes
from .explain import explain
from .graph import LEAF
from .promotion import promote
from .record import attach, fact_of, no_derivative, record, record_several
from .tensor import SCALAR_TYPES, Tensor, constant, live_tree
from .views import link


# -- the generic path ---------------------------------------------------------------------------------------------
def apply(op: Op, args: Sequence[Any], params: dict[str, Any]) -> Any:
    """Run an operation on ``args`` (Tensors, raw arrays, Python scalars, None) and record it if need be."""
    top = None
    for arg in args:
        if isinstance(arg, Tensor):
            if not arg._frame.level.open:
                return apply(op, [live_tree(arg, op.name) for arg in args], params)
            if top is None or arg._frame.level > top._frame.level:
                top = arg
    for name, value in params.items():
        if type(value) not in SCALAR_TYPES:
            try:
                top = _top(value, top)
            except _Closed:
                return apply(op, args, {**params, name: live_tree(value, op.name)})
    if top is None:
        top, args = _adopt(op, args)
    level = top._frame.level
    if top._run_call is not None:
        return top._interpret(op, args, params, top)
    backend = top._frame.backend

    payloads: list[Any] = []
    edges: list[Any] = []
    tracked = False
    lifted = False
    for arg in args:
        if isinstance(arg, Tensor):
            if arg._frame.backend is not backend:
                raise _mixed(op, args)
            if arg._frame.level == level:
                node = arg._node
                edges.append(arg if node is LEAF else node)
                tracked = tracked or node is not None
                arg = arg._data
                lifted = lifted or isinstance(arg, Tensor)
            else:
                edges.append(None)
                if arg._frame is top._frame.ground and arg._node is None and type(arg) is Tensor:
                    arg = arg._data  # a constant of level 0 is as good as a raw array
                else:
                    lifted = True
        else:
            edges.append(None)
            if arg is not None and type(arg) not in SCALAR_TYPES:
                arg = _raw(op, arg, backend, args)
        payloads.append(arg)
    state = modes.current()
    if params:
        if state.records(level):
            refuse_tracked(op, params, level)
        params = {name: without_level(op, args, value, level, backend) for name, value in params.items()}
        if params.get("dtype") is not None:
            params["dtype"] = backend.dtype(params["dtype"])
        if params.get("device") is not None:
            params["device"] = backend.device(params["device"])
        lifted = lifted or any(map(_holds_tensor, params.values()))
    frame = backend.frame(level, lifted)

    if op.promote:
        payloads, casts = promote(op, payloads, frame, args)
        if casts and tracked:
            # Tracked inputs are cast by a recorded operation of their own; then there is nothing left to promote.
            cast = frame.namespace.astype
            given = zip(args, payloads, edges, strict=True)
            again = [
                cast(a, casts[i]) if e is not None and i in casts else a if e is not None else p
                for i, (a, p, e) in enumerate(given)
            ]
            return apply(op, again, params)
    try:
        out = call_raw(op, frame.call(op.name), payloads, params)
    except PolygradError:
        raise
    except Exception as error:
        raise explain(op, error, args, params) from error
    if type(out) in (tuple, list) or op.outputs:
        results = [_wrap(part, frame) for part in out]
        if tracked and state.records(level) and op.form != "constant":
            record_several(op, results, frame, payloads, edges, params, out)
        if state.inference:
            mark_inference(results)
        return op.result(*results) if len(results) == len(op.outputs) > 1 else tuple(results)
    result = _wrap(out, frame)
    _finish(op, result, frame, args, payloads, edges if tracked else None, params, state)
    return result


def meet(tensors: Sequence[Tensor]) -> Frame | None:
    """Return the frame in which Tensors meet of which some are constants of level 0; None where only ``apply`` can tell."""
    frame = max(tensors, key=lambda tensor: tensor._frame.level)._frame
    for tensor in tensors:
        if tensor._frame is not frame and (tensor._node is not None or tensor._frame is not frame.ground):
            return None
    return frame


def finish(op: Op, result: Tensor, args: Sequence[Tensor], params: dict[str, Any]) -> None:
    """Record a call on Tensors of one frame whose result is there already."""
    edges = [arg if arg._node is LEAF else arg._node for arg in args]
    tracked = any(edge is not None for edge in edges)
    _finish(
        op,
        result,
        result._frame,
        args,
        [arg._data for arg in args],
        edges if tracked else None,
        params,
        modes.current(),
    )


def observed(
    op: Op, result: Tensor, args: Sequence[Any], payloads: Sequence[Any], edges: Sequence[Any], state: modes.State
) -> Tensor:
    """Record a call whose result is there already, in a mode that wants to see each node."""
    edges = [arg if edge is LEAF else edge for arg, edge in zip(args, edges, strict=True)]
    _finish(op, result, result._frame, args, payloads, edges, {}, state)
    return result


def _finish(
    op: Op,
    result: Tensor,
    frame: Frame,
    args: Sequence[Any],
    payloads: Sequence[Any],
    edges: Sequence[Any] | None,
    params: dict[str, Any],
    state: modes.State,
) -> None:
    """Give a result its node, its mark of inference mode and its place as a view. ``edges`` is None where nothing is tracked."""
    if (
        edges is not None
        and op.form != "constant"
        and state.records(frame.level)
        and result._data.dtype in frame.floating
    ):
        attach(record(op, frame, payloads, edges, params, (result._data,)), (result,), (True,))
    if state.inference:
        mark_inference((result,))
    if op.view is not None and isinstance(args[0], Tensor) and args[0]._frame.level == frame.level and op.view(params):
        link(result, args[0], op, params)


def call_raw(op: Op, function: Callable[..., Any], payloads: Sequence[Any], params: dict[str, Any]) -> Any:
    """Call a raw function as the standard spells it; what is None by default is left out, since a library may not know it."""
    arrays = (list(payloads),) if op.sequence else payloads
    given = {name: value for name, value in params.items() if value is not None or name not in op.optional}
    if op.named:
        split = len(arrays) - len(op.named)
        given.update({name: array for name, array in zip(op.named, arrays[split:], strict=True) if array is not None})
        arrays = arrays[:split]
    return function(*arrays, *[given.pop(name) for name in op.leading], **given)


def call_public(op: Op, arrays: Sequence[Any], params: dict[str, Any]) -> Any:
    """Call the public function of an operation as its signature asks."""
    if op.direct:
        return op.call(*arrays, **params)
    given = dict(params)
    positional = [given.pop(name) for name in op.leading]
    if op.sequence:
        return op.call(list(arrays), *positional, **given)
    named = {name: value for name, value in zip(op.arrays, arrays, strict=True) if name not in op.positional}
    return op.call(*arrays[: len(op.arrays) - len(named)], *positional, **named, **given)


def write_back(op: Op, base: Tensor, value: Tensor, params: dict[str, Any]) -> Tensor:
    """``base`` with ``value`` in the place that the view operation ``op`` shows."""
    xp = base._frame.namespace
    if op.write is not None:
        return op.write(xp, base, value, **params)  # type: ignore[no-any-return]
    # The other views are rearrangements: their transpose is their inverse.
    (transpose,) = op.vjps
    facts = {name: fact_of(source, fact, [base], (value,), params) for name, source, fact in transpose.facts}
    return transpose.function(xp, value, **facts)  # type: ignore[no-any-return]


class _Closed(Exception):
    """A parameter holds a Tensor whose level is closed."""


def _top(value: Any, top: Any) -> Any:
    if isinstance(value, Tensor):
        if not value._frame.level.open:
            raise _Closed
        return value if top is None or value._frame.level > top._frame.level else top
    if type(value) in (tuple, list):
        for part in value:
            top = _top(part, top)
    return top


def _holds_tensor(value: Any) -> bool:
    return isinstance(value, Tensor) or (type(value) in (tuple, list) and any(map(_holds_tensor, value)))


def refuse_tracked(op: Op, params: dict[str, Any], level: int) -> None:
    """Raise for a parameter that has a gradient at this level: an operation is differentiated with respect to its arrays alone, and
    the history of the parameter would be lost."""
    for name, value in params.items():
        if type(value) not in SCALAR_TYPES and op.form != "constant" and _is_tracked(value, level):
            raise no_derivative(op, name)


def _is_tracked(value: Any, level: int) -> bool:
    if isinstance(value, Tensor):
        return value._node is not None and value._frame.level == level
    return type(value) in (tuple, list) and any(_is_tracked(part, level) for part in value)


def without_level(op: Op, args: Sequence[Any], value: Any, level: int, backend: Any) -> Any:
    """A parameter (such as a key that holds index arrays) as the payloads' namespace takes it. An index may be NumPy's on every backend,
    as it may be a list."""
    if type(value) is tuple:
        return tuple([without_level(op, args, part, level, backend) for part in value])
    if isinstance(value, Tensor):
        if value._frame.backend is not backend:
            raise _mixed(op, (*args, value))
        return value._data if value._frame.level == level else value
    if hasattr(value, "dtype") and hasattr(value, "shape") and not isinstance(value, type):
        found = backend_of(value)
        if found is not None and found is not backend:
            if found.name != "numpy":
                raise _mixed(op, (*args, value))
            return backend.from_host(value)
    return value


def _adopt(op: Op, args: Sequence[Any]) -> tuple[Tensor, Sequence[Any]]:
    """Arguments without any Tensor: raw arrays choose the backend; numbers alone go to the selected one."""
    for i, arg in enumerate(args):
        if type(arg) not in SCALAR_TYPES and (backend := backend_of(arg)) is not None:
            backend.check(arg)
            tensor = constant(arg, backend.frame())
            return tensor, [*args[:i], tensor, *args[i + 1 :]]
    if args and all(type(arg) in SCALAR_TYPES for arg in args):
        frame = get_backend().frame()
        first = constant(frame.raw.asarray(args[0]), frame)
        return first, [first, *args[1:]]
    kinds = ", ".join(describe(arg) for arg in args)
    raise ArgumentError(
        f"{op.name}: expected Tensors, arrays or numbers, got {kinds or 'nothing'}; polygrad.tensor makes one from lists"
    )


def _raw(op: Op, arg: Any, backend: Any, args: Sequence[Any]) -> Any:
    found = backend_of(arg)
    if found is None:
        raise ArgumentError(
            f"{op.name}: expected Tensors, arrays of {backend.name} or numbers, got {', '.join(describe(a) for a in args)}; "
            f"polygrad.asarray makes a Tensor"
        )
    if found is not backend:
        if found.name == "numpy" and arg.shape == () and hasattr(arg, "item"):
            return arg.item()  # a NumPy scalar, which is a number to every other library
        raise _mixed(op, args)
    backend.check(arg)
    return arg


def _mixed(op: Op, args: Sequence[Any]) -> BackendError:
    def home(arg: Any) -> str:
        backend = arg._frame.backend if isinstance(arg, Tensor) else backend_of(arg)
        return f"{describe(arg)} on {backend.name}" if backend is not None else describe(arg)

    first = next(arg for arg in args if isinstance(arg, Tensor))
    other = next(
        arg for arg in args if getattr(arg, "backend", None) != first.backend and type(arg) not in SCALAR_TYPES
    )
    moved = "y" if isinstance(other, Tensor) else "polygrad.asarray(y)"
    return BackendError(
        f"{op.name}: the arguments are on different backends: {' and '.join(home(arg) for arg in args)}. Bring them together, for example "
        f"with {moved}.to_backend({first.backend!r})"
    )


def _wrap(out: Any, frame: Frame) -> Tensor:
    if frame.lifted and not isinstance(out, Tensor):
        frame = frame.backend.frame(frame.level, False)
    return constant(out, frame)


def mark_inference(results: Sequence[Tensor]) -> None:
    for result in results:
        result._own_extra().inference = True


# -- promotion ------------------------------------------------------------------------------------------------


# -- errors -----------------------------------------------------------------------------------------------------
