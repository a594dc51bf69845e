"""Tensor: an array with a place in the graph.

The payload (``array``) is whatever the array library made; the operators and functions come from the namespace that is
bound to its backend. In-place operations and views are in ``views``.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from numbers import Integral
from typing import TYPE_CHECKING, Any

from ..backend.frame import Frame
from ..backend.select import backend_of, get_backend
from ..errors import (
    ArgumentError,
    BackendError,
    DtypeError,
    GraphError,
    ShapeError,
    describe,
)
from .graph import LEAF, Hooks, Node, NodeExtra, OutputNode, RemovableHandle
from .locks import fork_safe_lock
from .sites import located

_new = object.__new__
SCALARS = (bool, int, float, complex)
"""Python's numbers, from the lowest kind to the highest."""
SCALAR_TYPES = frozenset(SCALARS)
PLAIN_KEYS = frozenset((int, slice, type(None), type(...)))
"""The parts of a key that select a view."""

_extras = fork_safe_lock()


class TensorExtra:
    """Rarely used state of a Tensor, allocated on demand. An attribute is the class's until it is set."""

    grad: Tensor | None = None
    hooks: Hooks | None = None
    post_accumulate: Hooks | None = None
    node: NodeExtra | None = None
    """Of a leaf: the hooks of its AccumulateGrad."""
    accumulator: weakref.ref[Any] | None = None
    retains = False
    inference = False
    scope: Any = None
    """The trace of the array library in which the Tensor was made."""
    view: Any = None
    views: list[weakref.ref[Tensor]] | None = None


class Tensor:
    """An array of any library, with ``requires_grad``, ``grad`` and ``grad_fn`` as in torch.

    Args:
        array: an array of any library that speaks the Array API standard; it is taken as it is, not copied.
        requires_grad: whether to record what is done with it. Needs a floating or complex dtype.

    Raises:
        ArgumentError: ``array`` is no array (``polygrad.tensor`` makes one from lists and numbers).
        DtypeError: ``requires_grad`` with a dtype that has no gradient.
    """

    __slots__ = ("__weakref__", "_data", "_extra", "_frame", "_node")
    _data: Any
    _extra: TensorExtra | None
    _frame: Frame
    _node: Any
    _run_call: Callable[..., Any] | None = None
    """Function by which a kind of level that does not record runs a call (``levels.call``); None: the level records."""
    _is_batch = False
    """True for an example of a batch."""
    _by_element: Callable[..., Any] | None = None
    """A shorter way of such a level for elementwise operations."""
    _interpret: Callable[..., Any]
    """Function by which such a level runs an operation (``levels.operation``)."""

    if TYPE_CHECKING:  # what array_api.surface attaches

        def __getattr__(self, name: str) -> Any: ...
        def __iter__(self) -> Iterator[Tensor]: ...
        def __deepcopy__(self, memo: dict[int, Any]) -> Tensor: ...

    def __init__(self, array: Any, requires_grad: bool = False) -> None:
        if isinstance(array, Tensor):
            raise ArgumentError("Tensor(array): the argument is a Tensor already; use detach() or clone()")
        backend = backend_of(array)
        if backend is None:
            raise ArgumentError(
                f"Tensor(array) takes an array of some library, not {describe(array)}; polygrad.tensor(...) makes one from "
                f"numbers and lists"
            )
        backend.check(array)
        self._data = array
        self._frame = backend.frame()
        self._node = None
        self._extra = None
        if requires_grad:
            self.requires_grad_(True)
        elif backend.traces:
            note_scope(self)

    # -- what it is -------------------------------------------------------------------------------------------
    @property
    def array(self) -> Any:
        """The payload: an array of the library it came from (inside a transform: a Tensor of the level below)."""
        if self._frame.lifted:
            return self._data
        return self._frame.backend.present(self._data)

    @property
    def shape(self) -> tuple[int, ...]:
        return self._data.shape  # type: ignore[no-any-return]

    @property
    def dtype(self) -> Any:
        """The backend's own dtype object."""
        return self._data.dtype

    @property
    def device(self) -> Any:
        """The backend's own device object."""
        data = self._data
        return data.device if self._frame.lifted else self._frame.backend.device_of(data)

    @property
    def ndim(self) -> int:
        return self._data.ndim  # type: ignore[no-any-return]

    @property
    def size(self) -> int:
        """The number of elements."""
        size = 1
        for n in self._data.shape:
            size *= n
        return size

    @property
    def backend(self) -> str:
        """The name of the backend."""
        return self._frame.backend.name  # type: ignore[no-any-return]

    @property
    def nbytes(self) -> int:
        """The size of the payload in bytes."""
        info = self._frame.raw.finfo if self.dtype in self._frame.floating else None
        bits = (
            info(self.dtype).bits if info else 8 if self._kind() == "bool" else self._frame.raw.iinfo(self.dtype).bits
        )
        factor = 2 if self._kind() == "complex" else 1
        return self.size * bits * factor // 8

    @property
    def requires_grad(self) -> bool:
        return self._node is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if not self.is_leaf:
            raise self._no_leaf()
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Switch recording for this leaf on or off; returns the Tensor itself."""
        if self._node is not None and self._node is not LEAF:
            if not requires_grad:
                raise self._no_leaf()
            return self
        if requires_grad and self.dtype not in self._frame.floating:
            raise DtypeError(
                f"requires_grad: only Tensors of floating point and complex dtype can require gradients, and this one has dtype "
                f"{self.dtype}; convert it first, for example x.to('float64')"
            )
        self._node = LEAF if requires_grad else None
        if requires_grad and self._frame.backend.traces:
            note_scope(self)
        return self

    def _no_leaf(self) -> GraphError:
        error = GraphError(
            f"you can only change requires_grad flags of leaf variables, and this Tensor is the result of {self.grad_fn!r}. If you want to "
            "use a computed variable in a subgraph that doesn't require differentiation use var_no_grad = var.detach()."
        )
        return located(error, self._node)

    @property
    def is_leaf(self) -> bool:
        """True for a Tensor that no recorded operation made."""
        return self._node is None or self._node is LEAF

    @property
    def grad_fn(self) -> Node | None:
        """The node that made this Tensor; None for a leaf."""
        node = self._node
        if node is None or node is LEAF:
            return None
        if type(node) is OutputNode:
            return node.edges[0]  # type: ignore[no-any-return]
        return node if isinstance(node, Node) else None

    @property
    def output_nr(self) -> int:
        """The number of the output of ``grad_fn`` that this Tensor is."""
        return self._node.index if type(self._node) is OutputNode else 0

    @property
    def grad(self) -> Tensor | None:
        """The gradient accumulated so far; None before the first backward."""
        return None if self._extra is None else self._extra.grad

    @grad.setter
    def grad(self, value: Any) -> None:
        if value is not None:
            if not isinstance(value, Tensor):
                raise ArgumentError(f"grad: assigned grad is {describe(value)}, expected a Tensor or None")
            if value is self:
                raise GraphError("grad: a Tensor cannot be its own gradient")
            if value._frame.backend is self._frame.backend:
                refuse_leak(self, value._data, "grad")
            self._fits("grad", "assigned grad", value)
        self._own_extra().grad = value

    @grad.deleter
    def grad(self) -> None:
        self._own_extra().grad = None

    def _fits(self, where: str, what: str, value: Tensor) -> None:
        """Raise unless ``value`` has the backend, shape, dtype and device of this Tensor."""
        if value._frame.backend is not self._frame.backend:
            raise located(
                BackendError(
                    f"{where}: {what} is on the backend {value.backend!r}, the Tensor on {self.backend!r}; bring it there first: "
                    f"g.to_backend({self.backend!r})"
                ),
                self._node,
            )
        if value.shape != self.shape and not same_if_unknown(value.shape, self.shape):
            raise located(
                ShapeError(
                    f"{where}: {what} has shape {tuple(value.shape)}, the Tensor {tuple(self.shape)}; they have to be the same"
                ),
                self._node,
            )
        if value.dtype != self.dtype:
            raise located(
                DtypeError(
                    f"{where}: {what} has dtype {value.dtype}, the Tensor {self.dtype}; convert it: g.to(x.dtype)"
                ),
                self._node,
            )
        if value.device != self.device and None not in (value.device, self.device):  # None: not known while tracing
            raise located(
                BackendError(
                    f"{where}: {what} is on device {value.device}, the Tensor on {self.device}; move it: g.to(x.device)"
                ),
                self._node,
            )

    def is_inference(self) -> bool:
        """Return whether the Tensor was made in inference mode."""
        return self._extra is not None and self._extra.inference

    def is_floating_point(self) -> bool:
        return self._kind() == "float"

    def is_complex(self) -> bool:
        return self._kind() == "complex"

    def _kind(self) -> str:
        xp = self._frame.backend.xp
        for kind, name in (
            ("bool", "bool"),
            ("integral", "int"),
            ("real floating", "float"),
            ("complex floating", "complex"),
        ):
            if xp.isdtype(self.dtype, kind):
                return name
        return "float"

    def _own_extra(self) -> TensorExtra:
        if self._extra is None:
            with _extras:  # two threads may come here at once, and what the first one stores must not be lost
                if self._extra is None:
                    self._extra = TensorExtra()
        return self._extra

    # -- autograd ---------------------------------------------------------------------------------------------
    def _constant(self) -> Tensor:
        """The same values outside the graph."""
        return constant(self._data._constant() if self._frame.lifted else self._data, self._frame)

    def _outlived(self, where: str) -> Tensor:
        """Return what is left once the level of this Tensor is closed: its value on the level below."""
        data = self._data
        return data if isinstance(data, Tensor) else constant(data, self._frame.backend.frame())

    def _continue(self, value: Tensor, own: bool) -> Tensor:
        """``value`` with the history of this Tensor, on every level; ``own``: with its tangents too, instead of those of ``value``."""
        data = value._data
        if self._frame.lifted and value._frame.lifted:
            data = self._data._continue(data, own)
        return continued(data, value._frame, edge_of(self))

    def detach_(self) -> Tensor:
        """Take this Tensor out of its graph; it becomes a leaf that does not require grad."""
        if self._is_view():
            raise located(GraphError("Can't detach views in-place. Use detach() instead."), self._node)
        self._node = None
        return self

    def retain_grad(self) -> None:
        """Have ``grad`` filled although this is not a leaf."""
        if self._node is None:
            raise GraphError("can't retain_grad on Tensor that has requires_grad=False")
        if self._node is LEAF:
            return
        self._own_extra().retains = True
        self._node._retain(self)

    def _is_view(self) -> bool:
        """Return whether this Tensor is a view of another, so that writing to one shows in the other."""
        return self._base is not None

    @property
    def _base(self) -> Tensor | None:
        """The root base of a view, or None."""
        base, view = None, None if self._extra is None else self._extra.view
        while view is not None and not view.detached:
            base = view.base
            view = None if base._extra is None else base._extra.view
        return base

    @property
    def retains_grad(self) -> bool:
        return self._extra is not None and self._extra.retains

    def register_hook(self, hook: Callable[[Tensor], Any]) -> RemovableHandle:
        """``hook(grad)`` runs when the gradient of this Tensor is known; what it returns, if anything, replaces it."""
        if self._node is None:
            raise GraphError("cannot register a hook on a tensor that doesn't require gradient")
        if self._node is LEAF:
            extra = self._own_extra()
            if extra.hooks is None:
                extra.hooks = Hooks()
            return RemovableHandle(extra.hooks, hook)
        return self._node._add_tensor_hook(hook)  # type: ignore[no-any-return]

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], None]) -> RemovableHandle:
        """``hook(leaf)`` runs after ``grad`` of this leaf has been added to."""
        if self._node is not LEAF:
            raise located(
                GraphError(
                    "post accumulate grad hooks cannot be registered on non-leaf tensors or on leaves without grad"
                ),
                self._node,
            )
        extra = self._own_extra()
        if extra.post_accumulate is None:
            extra.post_accumulate = Hooks()
        return RemovableHandle(extra.post_accumulate, hook)

    # -- indexing and in-place ------------------------------------------------------------------------------------
    def __getitem__(self, key: Any, /) -> Tensor:
        return self._frame.namespace.getitem(self, key=key if type(key) in PLAIN_KEYS else plain_key(key))  # type: ignore[no-any-return]

    def __delitem__(self, key: Any) -> None:
        raise ArgumentError("a Tensor has a fixed size: elements cannot be deleted")


def same_if_unknown(shape: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    """Return whether two shapes are the same. Lengths that a lazy library does not know yet are nan, which is unequal to itself."""
    same = all(m == n or type(m) is type(n) is float for m, n in zip(shape, other, strict=False))
    return same and len(shape) == len(other)


def plain_key(key: Any) -> Any:
    """A key with Python's integers in the place of another library's (``numpy.int64``), which select a view as well."""
    if type(key) is tuple:
        return key if PLAIN_KEYS.issuperset(map(type, key)) else tuple(map(plain_key, key))
    return int(key) if isinstance(key, Integral) and not isinstance(key, bool) else key


# -- making Tensors ---------------------------------------------------------------------------------------------
def constant(data: Any, frame: Frame) -> Tensor:
    """A Tensor outside the graph."""
    out = _new(Tensor)
    out._data = data
    out._frame = frame
    out._node = None
    out._extra = None
    return out


def continued(data: Any, frame: Frame, edge: Any) -> Tensor:
    """A Tensor with these values that goes on from an edge (a node, or a leaf whose alias it becomes)."""
    out = _new(Tensor)
    out._data = data
    out._frame = frame
    out._node = edge
    out._extra = None
    return out


def edge_of(tensor: Tensor) -> Any:
    """The edge that an operation on this Tensor records; None when it does not require grad."""
    node = tensor._node
    return tensor if node is LEAF else node


def note_scope(tensor: Tensor) -> None:
    """Write down in which trace of the array library the Tensor was made, if in any."""
    scope = tensor._frame.backend.scope()
    if scope is not None:
        tensor._own_extra().scope = scope


def refuse_leak(tensor: Tensor, data: Any, where: str) -> None:
    """Raise if ``data``, about to be stored with ``tensor``, belongs to a trace that the Tensor is outside of."""
    backend = tensor._frame.backend
    if not backend.traces or tensor._frame.lifted:
        return
    scope = None if tensor._extra is None else tensor._extra.scope
    if backend.leaks(tensor._data, data, scope, tensor._node is LEAF):
        what = "its .grad" if where in ("backward", "grad") else "it"
        raise GraphError(
            f"{where}: a Tensor ({describe(tensor)}) that was made outside of a function which {backend.name} is tracing (for jit, vmap, "
            f"grad, ...) was about to be changed inside: {what} would hold a tracer, which means nothing once the function has returned. "
            f"Nothing was changed. Pass the Tensor to the function as an argument and return what is new, such as its gradient "
            f"(polygrad.autograd.grad and polygrad.func.grad return gradients); polygrad.jit hands changes of arguments back by itself"
        )


def live(tensor: Tensor, where: str) -> Tensor:
    """Return a Tensor without levels that are closed: what outlives its transform is a constant for every later one."""
    while not tensor._frame.level.open:
        tensor = tensor._outlived(where)
    return tensor


def live_tree(value: Any, where: str) -> Any:
    """Return nested tuples and lists with the Tensors in them ``live``."""
    if isinstance(value, Tensor):
        return live(value, where)
    return type(value)([live_tree(part, where) for part in value]) if type(value) in (tuple, list) else value


def level_of(value: Any) -> int:
    """The level of a Tensor; -1 for anything else."""
    return value._frame.level if isinstance(value, Tensor) else -1


def as_frame(value: Any, frame: Frame | None = None) -> Tensor:
    """``value`` as a Tensor: itself, an adopted array, or numbers made into an array on the backend of ``frame``."""
    if isinstance(value, Tensor):
        return value
    backend = backend_of(value)
    if backend is not None:
        backend.check(value)
        return constant(value, backend.frame())
    home = frame.backend if frame is not None else get_backend()
    return constant(home.raw.asarray(value), home.frame())
