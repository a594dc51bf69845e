"""Connect libraries that want to be told of a new kind of array, scipy.fft and einops, when they are imported.

Neither is imported for it. A library that is there already is connected at once; for the other a finder stands among those of the import
system until the library comes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any


def connect_scipy_fft(module: Any) -> None:
    """Register the uarray backend that takes calls of ``scipy.fft`` with Tensors."""

    class Backend:
        """Backend that SciPy asks first; without a Tensor among the arguments the call goes on to SciPy's own."""

        __ua_domain__ = "numpy.scipy.fft"

        @staticmethod
        def __ua_function__(method: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
            """Run a function of ``scipy.fft``, if there is a Tensor among its arguments."""
            from ..core.tensor import Tensor

            x = args[0] if args else options.get("x")
            if not isinstance(x, Tensor):
                return NotImplemented
            from .scipy_fft import FUNCTIONS

            function = FUNCTIONS.get(method.__name__)
            return NotImplemented if function is None else function(*args, **options)

    module.register_backend(Backend)


def connect_einops(module: Any) -> None:
    """Define the backend class that einops finds among the subclasses of its own."""
    from ..array_api.namespace import namespace
    from ..core.tensor import Tensor

    class PolygradBackend(module.AbstractBackend):  # type: ignore[misc]
        """einops' elementary steps as polygrad's operations."""

        framework_name = "polygrad"

        def is_appropriate_type(self, tensor: Any) -> bool:
            return isinstance(tensor, Tensor)

        def from_numpy(self, x: Any) -> Any:
            return namespace().asarray(x)

        def to_numpy(self, x: Any) -> Any:
            return x.numpy()

        def arange(self, start: int, stop: int) -> Any:
            return namespace().arange(start, stop)

        def transpose(self, x: Any, axes: Any) -> Any:
            return x.permute(axes)

        def reduce(self, x: Any, operation: str, axes: Any) -> Any:
            return getattr(x, operation)(axis=tuple(axes))

        def stack_on_zeroth_dimension(self, tensors: list[Any]) -> Any:
            return tensors[0].__array_namespace__().stack(tensors)

        def add_axis(self, x: Any, new_position: int) -> Any:
            return x.unsqueeze(new_position)

        def tile(self, x: Any, repeats: Any) -> Any:
            return x.tile(repeats)

        def concat(self, tensors: list[Any], axis: int) -> Any:
            return tensors[0].__array_namespace__().concat(tensors, axis=axis)

        def is_float_type(self, x: Any) -> bool:
            return bool(x.is_floating_point() or x.is_complex())

        def einsum(self, pattern: str, *x: Any) -> Any:
            return x[0].__array_namespace__().einsum(pattern, *x)

    module.polygrad_backend = PolygradBackend  # keeps the class alive: einops finds it among the subclasses of its own


CONSUMERS: dict[str, Callable[[Any], None]] = {"scipy.fft": connect_scipy_fft, "einops._backends": connect_einops}
"""The function that connects each module once it has been executed."""


class _Watch:
    """Finder that finds nothing by itself. It has the others find a consumer, and connects that after it has been executed."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Return the spec of a consumer with a loader that connects it; None for any other module."""
        connect = CONSUMERS.get(name)
        if connect is None:
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        spec = next(filter(None, (finder.find_spec(name, path, target) for finder in others)), None)
        if spec is None or spec.loader is None:
            return None
        loader: Any = spec.loader
        execute = loader.exec_module

        def execute_and_connect(module: Any) -> None:
            execute(module)
            connect(module)

        loader.exec_module = execute_and_connect
        return spec


def watch() -> None:
    """Connect the consumers that have been imported, and the others when they are."""
    missing = False
    for name, connect in CONSUMERS.items():
        module = sys.modules.get(name)
        if module is None or getattr(module.__spec__, "_initializing", False):
            missing = True
        else:
            connect(module)
    if missing:
        sys.meta_path.insert(0, _Watch())
