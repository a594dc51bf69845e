"""Selections on a batch: keys whose index arrays may differ from example to example."""

from __future__ import annotations

from typing import Any

from ...errors import ShapeError
from ..helpers import broadcast_shapes, front_axis
from ..keys import along, is_basic, is_mask
from .alignment import Mapped, Run, add_batch, example_ndim, pad_rank, shift_axes


def _as_tuple(key: Any) -> tuple[Any, ...]:
    return key if type(key) is tuple else (key,)


def _move_batch_last(run: Run, x: Any) -> Any:
    return run.xp.moveaxis(x, 0, -1)


def _move_batch_first(run: Run, x: Any) -> Any:
    return run.xp.moveaxis(x, -1, 0)


def _keep_last_axis(key: Any) -> Any:
    """Return a key that leaves one more axis at the end alone."""
    keys = _as_tuple(key)
    return (*keys, slice(None)) if any(part is Ellipsis for part in keys) else key


class Selection:
    """A key with index arrays, some of them with a batch axis, split into a basic selection and one by arrays.

    Parameters
    ----------
    shape
        The shape of one example of the indexed array.
    batched
        True if the indexed array has the batch axis too.
    """

    def __init__(self, run: Run, key: Any, shape: tuple[int, ...], batched: bool) -> None:
        xp = self.xp = run.xp
        self.batched = batched
        # Integers, slices and None; a whole slice where an array indexes.
        self.basic: list[Any] = []
        # The axes of the basic selection that the arrays index, and the lengths of all of its axes.
        axes: list[int] = []
        sizes: list[int] = []
        arrays: list[Any] = []
        special: list[int] = []  # places in the key of arrays, and of integers beside them
        before: list[int] = []
        axis = 0
        for place, part in enumerate(self._parts(run, key, len(shape))):
            if isinstance(part, int):
                special.append(place)
                before.append(len(sizes) - len(axes))
                self.basic.append(part)
                axis += 1
            elif part is None or isinstance(part, slice):
                sizes.append(1 if part is None else len(range(shape[axis])[part]))
                self.basic.append(part)
                axis += part is not None
            else:
                special.append(place)
                before.append(len(sizes) - len(axes))
                axes.append(len(sizes))
                sizes.append(shape[axis])
                arrays.append(part)
                self.basic.append(slice(None))
                axis += 1
        adjacent = special == list(range(special[0], special[0] + len(special)))
        rest = [a for a in range(len(sizes)) if a not in axes]
        self.order = (0, *[a + 1 for a in (*axes, *rest)])
        self.sizes = tuple([sizes[a] for a in (*axes, *rest)])
        self.rest = tuple([sizes[a] for a in rest])
        ndim = max([part.ndim for part in arrays])
        lead = (run.size, *(1,) * ndim)
        indices = [pad_rank(run, part.data, ndim) if isinstance(part, Mapped) else part for part in arrays]
        # The axes that the arrays make, and where NumPy puts them: where the arrays are, or first if they are apart.
        self.new = broadcast_shapes(*[tuple(i.shape) for i in indices], lead)[1:]
        self.place = before[0] if adjacent else 0
        device = next(part.data for part in arrays if isinstance(part, Mapped)).device
        numbers = xp.reshape(xp.arange(run.size, device=device), lead) if batched else None
        self.key = (numbers, *indices) if batched else tuple(indices)
        self.trivial = all(isinstance(part, slice) and part == slice(None) for part in self.basic)

    @staticmethod
    def _parts(run: Run, key: Any, ndim: int) -> list[Any]:
        """Return one entry for each axis and each None."""
        parts: list[Any] = []
        for part in _as_tuple(key):
            if isinstance(part, list):
                part = run.xp.asarray(part)
            data = part.data if isinstance(part, Mapped) else part
            if is_mask(data):
                if isinstance(part, Mapped):
                    raise ShapeError(
                        "vmap: a boolean mask that differs from example to example selects different numbers of elements, so the results "
                        "are no array; use where, or multiply by the mask"
                    )
                parts.extend(run.xp.nonzero(part))
            else:
                parts.append(part)
        whole = ndim - sum([part is not None and part is not Ellipsis for part in parts])
        at = next((i for i, part in enumerate(parts) if part is Ellipsis), len(parts))
        return [*parts[:at], *[slice(None)] * whole, *parts[at + 1 :]]

    def narrow(self, x: Any) -> Any:
        """Apply the basic selection, and put the indexed axes in front."""
        if not self.trivial:
            x = self.xp.getitem(x, key=(slice(None), *self.basic) if self.batched else tuple(self.basic))
        order = self.order if self.batched else tuple([a - 1 for a in self.order[1:]])
        return x if order == tuple(range(len(order))) else self.xp.permute_dims(x, order)

    def widen(self, x: Any) -> Any:
        """Put the axes of a narrowed array (with a batch axis) back in their order."""
        back = tuple([self.order.index(a) for a in range(len(self.order))])
        return x if back == tuple(range(len(back))) else self.xp.permute_dims(x, back)

    def _move_new_axes(self, x: Any, back: bool) -> Any:
        new = len(self.new)
        front, there = tuple(range(1, 1 + new)), tuple(range(1 + self.place, 1 + self.place + new))
        if not new or not self.place:
            return x
        return self.xp.moveaxis(x, there, front) if back else self.xp.moveaxis(x, front, there)

    def take(self, x: Any) -> Any:
        """Apply both selections."""
        return self._move_new_axes(self.xp.getitem(self.narrow(x), key=self.key), back=False)

    def arrange_value(self, run: Run, value: Any, mapped: bool, full: bool) -> Any:
        """Return a value that is put at the key, in the order in which the arrays select.

        ``full`` broadcasts it to the whole shape.
        """
        if not hasattr(value, "ndim"):
            return value
        shape = (*self.rest[: self.place], *self.new, *self.rest[self.place :])
        value = pad_rank(run, value if mapped else run.xp.expand_dims(value, axis=0), len(shape))
        return self._move_new_axes(run.xp.broadcast_to(value, (run.size, *shape)) if full else value, back=True)


def _has_mapped(key: Any) -> bool:
    return any(isinstance(part, Mapped) for part in _as_tuple(key))


def getitem(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    """Batch ``getitem``."""
    (x,) = arrays
    key = params["key"]
    if _has_mapped(key):
        (own,) = mapped
        return Selection(run, key, tuple(x.shape[1:] if own else x.shape), own).take(x)
    if is_basic(key):
        return run(x, key=(slice(None), *_as_tuple(key)))
    # As the last axis the batch is out of the way, wherever the arrays put their axes.
    return _move_batch_first(run, run(_move_batch_last(run, x), key=_keep_last_axis(key)))


def getitem_adjoint(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    """Batch ``getitem_adjoint``."""
    (x,), (own,) = arrays, mapped
    key, shape = params["key"], tuple(params["shape"])
    if not _has_mapped(key):
        return _move_batch_first(run, run(_move_batch_last(run, x), key=_keep_last_axis(key), shape=(*shape, run.size)))
    chosen = Selection(run, key, shape, True)
    out = run(chosen.arrange_value(run, x, own, True), key=chosen.key, shape=(run.size, *chosen.sizes))
    out = chosen.widen(out)
    return out if chosen.trivial else run(out, key=(slice(None), *chosen.basic), shape=(run.size, *shape))


def set_at(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    """Batch ``set_at``."""
    x, value = arrays
    key = params["key"]
    x = add_batch(run, x, mapped[0])
    if not _has_mapped(key):
        if hasattr(value, "ndim"):
            value = (
                _move_batch_last(run, value)
                if mapped[1]
                else run.xp.expand_dims(value, axis=-1)
                if value.ndim
                else value
            )
        return _move_batch_first(run, run(_move_batch_last(run, x), value, key=_keep_last_axis(key)))
    if isinstance(key, Mapped) and is_mask(key.data) and example_ndim(value, mapped[1]) == 0:
        mask = run.xp.reshape(key.data, (*key.data.shape, *(1,) * (x.ndim - key.data.ndim)))
        value = pad_rank(run, value, x.ndim - 1) if mapped[1] else value
        if getattr(value, "dtype", x.dtype) != x.dtype:
            value = run.xp.astype(value, x.dtype)
        return run.xp.where(mask, value, x)
    chosen = Selection(run, key, tuple(x.shape[1:]), True)
    out = run(chosen.narrow(x), chosen.arrange_value(run, value, mapped[1], False), key=chosen.key)
    out = chosen.widen(out)
    return out if chosen.trivial else run(x, out, key=(slice(None), *chosen.basic))


def extreme_at(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    """Batch ``extreme_at``."""
    x, src = [add_batch(run, a, own) for a, own in zip(arrays, mapped, strict=True)]
    key = params["key"]
    if not _has_mapped(key):
        return _move_batch_first(
            run, run(_move_batch_last(run, x), _move_batch_last(run, src), **{**params, "key": _keep_last_axis(key)})
        )
    chosen = Selection(run, key, tuple(x.shape[1:]), True)
    if not chosen.trivial:
        return NotImplemented
    out = run(chosen.narrow(x), chosen.arrange_value(run, src, True, True), **{**params, "key": chosen.key})
    return chosen.widen(out)


def take(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    """Batch ``take``, which is a selection if the indices have the batch axis."""
    x, indices = arrays
    axis, ndim = params["axis"], example_ndim(x, mapped[0])
    if axis is None:
        x = run.xp.reshape(x, (run.size, -1) if mapped[0] else (-1,)) if ndim != 1 else x
        axis, ndim = 0, 1
    axis = front_axis("take", axis, ndim)
    if not mapped[1]:
        return run(x, indices, axis=axis + 1)
    return getitem(run, (x,), mapped[:1], {"key": along(axis, Mapped(indices))})


def take_along_axis(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    """Batch ``take_along_axis``."""
    x, indices = [add_batch(run, a, own) for a, own in zip(arrays, mapped, strict=True)]
    return run(x, indices, axis=shift_axes(run, params["axis"], x.ndim - 1))
