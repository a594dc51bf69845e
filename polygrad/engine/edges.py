"""The graph as users see it: nodes, edges, hooks on saved values, hooks on several gradients at once.

Four names of torch are missing on purpose. ``increment_version`` has no meaning, since in-place operations never touch what a graph has
saved. ``set_override_stale_capture_stream``, ``set_warn_on_accumulate_grad_stream_mismatch`` and ``region_activation_memory_budget``
are about streams and compiled regions, which belong to the array library.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple
from weakref import WeakKeyDictionary

from ..core.graph import AccumulateGrad, Hooks, Node, OutputNode, RemovableHandle, accumulator, output_node
from ..core.modes import Mode, State, current
from ..core.saved import SavedTensor, pack_all
from ..core.tensor import Tensor, constant, edge_of
from ..errors import ArgumentError, GraphError, describe
from . import passes

__all__ = [
    "GradientEdge",
    "Node",
    "RemovableHandle",
    "SavedTensor",
    "allow_mutation_on_saved_tensors",
    "disable_saved_tensors_hooks",
    "get_gradient_edge",
    "register_multi_grad_hook",
    "save_on_cpu",
    "saved_tensors_hooks",
]


# -- edges ----------------------------------------------------------------------------------------------------------
class Metadata(NamedTuple):
    """Facts of the value at an edge, which are known without the value."""

    frame: Any
    shape: tuple[int, ...]
    dtype: Any
    device: Any


class GradientEdge(NamedTuple):
    """A place in the graph: an output of a node.

    ``backward`` and ``grad`` take it where they take a Tensor, which it does not keep alive. ``ownership_token`` holds the shape, dtype and
    device of the Tensor.
    """

    node: Node
    output_nr: int
    ownership_token: Any = None

    @property
    def edge(self) -> Any:
        """The edge as the engine carries it."""
        node = self.node
        if isinstance(node, AccumulateGrad):
            return node.variable
        if not 0 <= self.output_nr < node.outputs:
            raise ArgumentError(
                f"GradientEdge: output_nr={self.output_nr} is out of range, {node.name()} has {node.outputs} outputs"
            )
        return node if node.outputs == 1 else output_node(node, self.output_nr)


def get_gradient_edge(tensor: Tensor) -> GradientEdge:
    """Return the edge at which the gradient of a Tensor arrives.

    Parameters
    ----------
    tensor
        A Tensor that requires grad.

    Returns
    -------
    GradientEdge
        ``(grad_fn, output_nr)``; of a leaf, (its ``AccumulateGrad``, 0).

    Raises
    ------
    GraphError
        The Tensor does not require grad.
    """
    if not isinstance(tensor, Tensor):
        raise ArgumentError(f"get_gradient_edge: expected a Tensor, got {describe(tensor)}")
    edge = edge_of(tensor)
    if edge is None:
        raise GraphError("It is not possible to get the gradient edge for a Tensor that does not require gradients")
    known = Metadata(tensor._frame, tuple(tensor.shape), tensor.dtype, tensor.device)
    if isinstance(edge, OutputNode):
        return GradientEdge(edge.edges[0], edge.index, known)
    return GradientEdge(edge if isinstance(edge, Node) else accumulator(edge), 0, known)


# -- hooks on saved values ------------------------------------------------------------------------------------------
class _Packing:
    """Observer of ``saved_tensors_hooks``: packs what each new node saves."""

    __slots__ = ("hooks",)

    def __init__(self, hooks: tuple[Callable[[Any], Any], Callable[[Any], Any]]) -> None:
        self.hooks = hooks

    def __call__(self, node: Node) -> None:
        pack_all(node, self.hooks)


class _Refusing:
    """Observer of ``disable_saved_tensors_hooks``: a mark that such hooks are refused. It does nothing."""

    __slots__ = ("message",)

    def __init__(self, message: str) -> None:
        self.message = message

    def __call__(self, node: Node) -> None:
        pass


def _refuse(state: State) -> None:
    for observer in state.observers:
        if isinstance(observer, _Refusing):
            raise GraphError(observer.message)


class saved_tensors_hooks(Mode):
    """Mode in which what the graph saves goes through ``pack_hook``, and through ``unpack_hook`` whenever it is needed.

    Of several pairs the innermost one is used. Both hooks run unrecorded. The saved values of operations that are recorded outside the mode
    cost nothing.

    Parameters
    ----------
    pack_hook
        ``pack_hook(tensor)`` returns anything.
    unpack_hook
        ``unpack_hook(packed)`` gets that, and returns a Tensor of the same values.

    Raises
    ------
    GraphError
        On entering, where ``disable_saved_tensors_hooks`` forbids it.
    """

    def __init__(self, pack_hook: Callable[[Tensor], Any], unpack_hook: Callable[[Any], Tensor]) -> None:
        for hook in (pack_hook, unpack_hook):
            if not callable(hook):
                raise ArgumentError(f"saved_tensors_hooks: a hook has to be callable, got {describe(hook)}")
        self.pack_hook = pack_hook
        self.unpack_hook = unpack_hook

    def _state(self) -> State:
        state = current()
        _refuse(state)
        others = tuple([observer for observer in state.observers if not isinstance(observer, _Packing)])
        return state.replace(observers=(*others, _Packing((self.pack_hook, self.unpack_hook))))

    def _fresh(self) -> Mode:
        return saved_tensors_hooks(self.pack_hook, self.unpack_hook)


class save_on_cpu(saved_tensors_hooks):
    """Mode in which what the graph saves is kept on the host as NumPy arrays, and moved back to its device when it is needed.

    Lazy and traced arrays, which have no values yet, stay where they are; so does what belongs to an outer transform.

    Parameters
    ----------
    pin_memory, device_type
        Accepted as in torch, without effect: pinning memory is the array library's affair.
    """

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        super().__init__(_to_host, _from_host)


def _to_host(tensor: Tensor) -> Any:
    frame, data = tensor._frame, tensor._data
    backend = frame.backend
    if frame.lifted or backend.lazy or not backend.concrete(data):
        return tensor.detach()
    return frame, backend.numpy(data), tensor.dtype, tensor.device


def _from_host(packed: Any) -> Tensor:
    if isinstance(packed, Tensor):
        return packed
    frame, host, dtype, device = packed
    return constant(frame.backend.from_host(host, dtype=dtype, device=device), frame)


class disable_saved_tensors_hooks(Mode):
    """Mode in which entering ``saved_tensors_hooks`` raises.

    Parameters
    ----------
    error_message
        The text of the error.

    Raises
    ------
    GraphError
        On entering, with the message, where hooks are in force already.
    """

    def __init__(self, error_message: str) -> None:
        self.error_message = error_message

    def _state(self) -> State:
        state = current()
        if any(isinstance(observer, _Packing) for observer in state.observers):
            raise GraphError(self.error_message)
        return state.replace(observers=(*state.observers, _Refusing(self.error_message)))

    def _fresh(self) -> Mode:
        return disable_saved_tensors_hooks(self.error_message)


@contextmanager
def allow_mutation_on_saved_tensors() -> Iterator[None]:
    """Do nothing: in-place operations are always allowed.

    An in-place operation rebinds its Tensor and never touches what a graph has saved, so that gradients are those of the values as they
    were. In torch this mode makes a copy before the first change.
    """
    yield


# -- hooks on several gradients -----------------------------------------------------------------------------------
def register_multi_grad_hook(
    tensors: Sequence[Tensor], fn: Callable[..., Any], *, mode: Literal["all", "any"] = "all"
) -> RemovableHandle:
    """Register a hook on several Tensors at once, which runs in each backward pass.

    Parameters
    ----------
    tensors
        Tensors that require grad.
    fn
        The hook.
    mode
        "all": ``fn(gradients)`` runs as soon as all the Tensors that the pass reaches have their gradient, with None for the others.
        "any": ``fn(gradient)`` runs at the first gradient.

    Returns
    -------
    RemovableHandle
        Its ``remove()`` takes the hook off all the Tensors.
    """
    if mode not in ("all", "any"):
        raise ArgumentError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    if not callable(fn):
        raise ArgumentError(f"register_multi_grad_hook: the hook has to be callable, got {describe(fn)}")
    edges = [edge_of(tensor) for tensor in tensors]
    lock = threading.Lock()
    state: WeakKeyDictionary[Any, dict[str, Any]] = WeakKeyDictionary()

    def hook_of(index: int) -> Callable[[Any], None]:
        def arrived(gradient: Any) -> None:
            running = passes.RUNNING.get()
            assert running is not None
            with lock:
                fresh = running not in state
                if fresh:
                    state[running] = {"gradients": [None] * len(tensors), "left": None, "done": False}
                mine = state[running]
            if mode == "any":
                if fresh:
                    fn(gradient)
                return
            if fresh:
                mine["left"] = sum(running.reaches(edge) for edge in edges)
                running.at_end.append(lambda: finish(mine))  # some of the Tensors may never get a gradient
            mine["gradients"][index] = gradient
            mine["left"] -= 1
            if mine["left"] == 0:
                finish(mine)

        return arrived

    def finish(mine: dict[str, Any]) -> None:
        if not mine["done"]:
            mine["done"] = True
            fn(mine["gradients"])

    return _Handles([tensor.register_hook(hook_of(i)) for i, tensor in enumerate(tensors)])


class _Handles(RemovableHandle):
    """Several handles as one."""

    def __init__(self, handles: Sequence[RemovableHandle]) -> None:
        super().__init__(Hooks(), None)
        self._handles = handles

    def remove(self) -> None:
        """Take the hook off every Tensor."""
        for handle in self._handles:
            handle.remove()
