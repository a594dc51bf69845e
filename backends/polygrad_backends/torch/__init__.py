"""torch as an array library, without its own autograd."""

from __future__ import annotations

from typing import Any

import array_api_compat.torch as xp
import torch

from polygrad.errors import ArgumentError, Untraceable, describe

from . import functions, indexing, special, tracing


class TorchBackend(tracing.Tracing):
    """torch tensors on any device."""

    name = "torch"
    install = "pip install torch"
    xp = xp
    overrides = {**functions.FUNCTIONS, **indexing.FUNCTIONS}  # noqa: RUF012
    others = frozenset({"fft.hfftn", "fft.ihfftn", "trapezoid"})
    native_special = special.NATIVE
    complex_special = special.COMPLEX

    def owns(self, kind: type) -> bool:
        return issubclass(kind, torch.Tensor)

    def check(self, array: Any) -> None:
        if array.requires_grad:
            raise ArgumentError(
                f"a torch tensor that requires grad ({describe(array)}) cannot be the payload of a Tensor: two graphs would be built, "
                f"torch's and polygrad's. Give t.detach() and ask polygrad for gradients; or, to have a polygrad function inside torch's "
                f"graph, wrap it: polygrad.interop.torch.to_torch(f)"
            )

    def devices(self) -> tuple[str, ...]:
        gpus = tuple(f"cuda:{i}" for i in range(torch.cuda.device_count())) if torch.cuda.is_available() else ()
        return ("cpu", *gpus)

    def device(self, spec: Any) -> Any:
        try:
            return torch.empty(0, device=spec).device  # this fails for a device that torch can name but does not have
        except (RuntimeError, AssertionError) as error:
            raise self.no_device(spec) from error

    def add_at(self, buffer: Any, key: Any, value: Any) -> Any:
        return indexing.add_at(buffer, key, value)

    def own(self, array: Any, alias: bool) -> Any:
        storage = array.untyped_storage()
        # A storage that cannot be resized belongs to another library, and came by DLPack or as a buffer.
        shared = alias or array._base is not None or storage.nbytes() != array.nbytes or not storage.resizable()
        return array.clone(memory_format=torch.contiguous_format) if shared else array

    def to_host(self, array: Any) -> Any:
        return array.tolist()

    def numpy(self, array: Any) -> Any:
        return array.detach().cpu().resolve_conj().resolve_neg().numpy()

    def from_host(self, data: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None) -> Any:
        if copy or not hasattr(data, "__array_interface__"):
            return xp.asarray(data, dtype=dtype, device=device, copy=copy)
        if any(stride < 0 for stride in getattr(data, "strides", ())):
            data = data.copy()  # torch has no negative strides
        return torch.as_tensor(data, dtype=dtype, device=device)

    def random(self, kind: str, shape: tuple[int, ...], dtype: Any, device: Any, **params: Any) -> Any:
        if tracing.fake_mode() is not None:
            raise Untraceable("it draws random numbers, which would be others in the forward and in the backward pass")
        if kind == "integers":
            return torch.randint(params["low"], params["high"], shape, dtype=dtype, device=device)
        return (torch.randn if kind == "normal" else torch.rand)(shape, dtype=dtype, device=device)

    def manual_seed(self, seed: int) -> None:
        torch.manual_seed(seed)

    def random_state(self) -> Any:
        return torch.get_rng_state(), torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []

    def set_random_state(self, state: Any) -> None:
        host, devices = state
        torch.set_rng_state(host)
        if devices:
            torch.cuda.set_rng_state_all(devices)

    def synchronize(self, *arrays: Any) -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()


BACKEND = TorchBackend()
