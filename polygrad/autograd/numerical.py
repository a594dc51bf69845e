"""Derivatives by finite differences, and their comparison with those of the graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..array_api.random import randn
from ..core.tensor import Tensor
from ..errors import ArgumentError, GradcheckError, describe
from ..func import jvp, vmap
from .gradients import grad

Array = Any
"""A Tensor. Its operators are made from the tables, where a type checker does not see them."""

Jacobian = list[list[Array]]
"""Blocks of a Jacobian, by ``[input][output]``."""


class Check:
    """One call of ``gradcheck``: the function, its arguments, and the options."""

    def __init__(self, func: Callable[..., Any], args: Sequence[Any], **options: Any) -> None:
        self.func = func
        self.args = tuple(args)
        self.options = options
        self.numbers = [i for i, x in enumerate(self.args) if isinstance(x, Tensor) and x.requires_grad]
        self.note = ""

    # -- evaluating -----------------------------------------------------------------------------------------------
    def leaves(self) -> list[Array]:
        """Return the inputs to differentiate, as new leaves."""
        return [self.args[i].detach().requires_grad_() for i in self.numbers]

    def outputs(self, inputs: Sequence[Any]) -> list[Array]:
        """Return the floating outputs for these inputs; of complex ones the part that is being checked."""
        args = list(self.args)
        for i, x in zip(self.numbers, inputs, strict=True):
            args[i] = x
        result = self.func(*args)
        listed = list(result) if isinstance(result, (tuple, list)) else [result]
        found = []
        for y in listed:
            if not isinstance(y, Tensor):
                raise ArgumentError(f"gradcheck: the function has to return Tensors, got {describe(y)}")
            if y.dtype in y._frame.complex:
                y = (y._frame.namespace.imag if "imaginary" in self.note else y._frame.namespace.real)(y)
            elif "imaginary" in self.note:
                continue
            if y.dtype in y._frame.floating:
                found.append(y)
        return found

    def fail(self, message: str) -> GradcheckError:
        """Return an error with the note on the part that is being checked."""
        return GradcheckError(self.note + message)

    # -- numerical ------------------------------------------------------------------------------------------------
    def differences(self, number: int, direction: Array) -> list[Array]:
        """Return the central difference of each output along a direction of one input."""
        eps = self.options["eps"]

        def at(step: float) -> list[Array]:
            inputs = self.leaves()
            inputs[number] = (inputs[number].detach() + direction * step).requires_grad_()
            return [y.detach() for y in self.outputs(inputs)]

        return [(after - before) / (2 * eps) for after, before in zip(at(eps), at(-eps), strict=True)]

    def numerical(self) -> Jacobian:
        """Return the Jacobian by finite differences."""
        return self.by_directions(self.differences)

    def by_directions(self, derivative: Callable[[int, Tensor], Sequence[Array]]) -> Jacobian:
        """Return the Jacobian, given the derivative of the outputs along a direction of an input."""
        jacobian: Jacobian = []
        for number, x in enumerate(self.leaves()):
            rows = []
            for unit in _units(x):
                columns = [_flat(y) for y in derivative(number, unit)]
                if x.dtype in x._frame.complex:
                    turned = [_flat(y) for y in derivative(number, unit * 1j)]
                    columns = [_complex(a, b, x.dtype) for a, b in zip(columns, turned, strict=True)]
                rows.append(columns)
            jacobian.append(self._stack(x, rows))
        return jacobian

    def _stack(self, x: Array, rows: list[list[Array]]) -> list[Array]:
        if rows:
            return [column[0]._frame.namespace.stack(list(column)) for column in zip(*rows, strict=True)]
        xp = x._frame.namespace
        return [xp.zeros((0, y.size), dtype=x.dtype) for y in self.outputs(self.leaves())]

    # -- analytical -----------------------------------------------------------------------------------------------
    def backward(self, outputs: Sequence[Array], inputs: Sequence[Array], gradients: Sequence[Any]) -> list[Array]:
        """Return the gradients of the outputs together; zeros where there is none."""
        pairs = [(y, g) for y, g in zip(outputs, gradients, strict=True) if y.requires_grad]
        if not pairs:
            return [x._frame.namespace.zeros_like(x.detach()) for x in inputs]
        found = grad([y for y, _ in pairs], inputs, [g for _, g in pairs], retain_graph=True, allow_unused=True)
        checked = []
        for x, g in zip(inputs, found, strict=True):
            if g is None:
                g = x._frame.namespace.zeros_like(x.detach())
            checked.append(g.detach())
        return checked

    def analytical(self) -> Jacobian:
        """Return the Jacobian by backward passes, one for each element of an output."""
        inputs = self.leaves()
        outputs = self.outputs(inputs)
        jacobian: Jacobian = [[] for _ in inputs]
        for y in outputs:
            columns: list[list[Array]] = [[] for _ in inputs]
            for unit in _units(y):
                for column, g in zip(columns, self.backward([y], inputs, [unit]), strict=True):
                    column.append(_flat(g))
            for x, row, column in zip(inputs, jacobian, columns, strict=True):
                xp = x._frame.namespace
                row.append(xp.stack(column, axis=1) if column else xp.zeros((x.size, 0), dtype=x.dtype))
        return jacobian

    def forward(self, number: int, direction: Array) -> list[Array]:
        """Return the derivative of the outputs along a direction of an input, by forward mode."""
        inputs = self.leaves()

        def moved(x: Array) -> tuple[Array, ...]:
            return tuple(self.outputs([*inputs[:number], x, *inputs[number + 1 :]]))

        _, tangents = jvp(moved, (inputs[number].detach(),), (direction,))
        return [tangent.detach() for tangent in tangents]

    # -- the checks -----------------------------------------------------------------------------------------------
    def compare(self, found: Jacobian, expected: Jacobian, mode: str) -> None:
        """Raise unless two Jacobians agree."""
        for i, (row, other) in enumerate(zip(found, expected, strict=True)):
            for o, (a, n) in enumerate(zip(row, other, strict=True)):
                if not _close(a, n, self.options["rtol"], self.options["atol"]):
                    raise self.fail(
                        f"Jacobian {mode}mismatch for output {o} with respect to input {self.numbers[i]},\n"
                        f"numerical:{n!r}\nanalytical:{a!r}\n"
                    )

    def check_whole(self) -> None:
        """Check whole Jacobians."""
        expected = self.numerical()
        if self.options["check_backward_ad"]:
            found = self.analytical()
            self.compare(found, expected, "")
            self.check_reentrant(found, self.analytical())
        if self.options["check_forward_ad"]:
            self.compare(self.by_directions(self.forward), expected, "computed with forward mode ")

    def check_reentrant(self, first: Jacobian, second: Jacobian) -> None:
        """Raise unless two runs of the same backward pass agree."""
        tolerance = self.options["nondet_tol"]
        for row, other in zip(first, second, strict=True):
            for a, b in zip(row, other, strict=True):
                if not _close(a, b, 0.0, tolerance):
                    raise self.fail(
                        f"Backward is not reentrant, i.e., running backward with same input and grad_output multiple times gives different "
                        f"values, although analytical gradient matches numerical gradient. The tolerance for nondeterminism was "
                        f"{tolerance}; pass nondet_tol if the function draws random numbers or adds in an order that changes."
                    )

    def check_projections(self) -> None:
        """Check random projections instead of whole Jacobians: uᵀJv, where u is a direction of an input and v a cotangent."""
        rtol, atol = self.options["rtol"], self.options["atol"]
        inputs = self.leaves()
        outputs = self.outputs(inputs)
        for number, x in enumerate(inputs):
            u = _random(x)
            numerical = self.differences(number, u)
            tangents = self.forward(number, u) if self.options["check_forward_ad"] else numerical
            for o, y in enumerate(outputs):
                v = _random(y)
                scale = max(1.0, float(_magnitude(u) * _magnitude(v)))
                n = float((v * numerical[o]).sum())
                pairs = [("computed with forward mode ", float((v * tangents[o]).sum()))]
                if self.options["check_backward_ad"]:
                    (g,) = self.backward([y], [x], [v])
                    again = self.backward([y], [x], [v])[0]
                    self.check_reentrant([[g]], [[again]])
                    pairs.insert(0, ("", _inner(g, u)))
                for mode, a in pairs:
                    if not abs(a - n) <= atol * scale + rtol * abs(n):
                        raise self._fast_failure(mode, number, o, n, a)

    def _fast_failure(self, mode: str, number: int, o: int, n: float, a: float) -> GradcheckError:
        expected = self.numerical()[number][o]
        found = (self.by_directions(self.forward) if mode else self.analytical())[number][o]
        xp = found._frame.namespace
        difference = float(xp.max(xp.abs(found - expected))) if found.size else 0.0
        return self.fail(
            f"Jacobian {mode}mismatch for output {o} with respect to input {self.numbers[number]},\nnumerical:{n}\nanalytical:{a}\n\n"
            f"The above quantities relating the numerical and analytical jacobians are computed in fast mode, by random projections. Below "
            f"are the whole jacobians:\n\nNumerical:\n{expected!r}\nAnalytical:\n{found!r}\n\nThe max per-element difference (slow mode) "
            f"is: {difference}.\n"
        )

    def check_undefined(self) -> None:
        """Check that an output without a cotangent counts as one with a cotangent of zeros."""
        inputs = self.leaves()
        outputs = [y for y in self.outputs(inputs) if y.requires_grad]
        for y in outputs if len(outputs) > 1 else ():
            ones = [z._frame.namespace.ones_like(z.detach()) * float(z is y) for z in outputs]
            try:
                alone = self.backward([y], inputs, [y._frame.namespace.ones_like(y.detach())])
            except Exception as error:
                raise self.fail(
                    f"Expected backward function to handle undefined output grads, and it raised {type(error).__name__}: {error}. An "
                    f"output that is not used has the gradient None where materialize_grads is off"
                ) from error
            together = self.backward(outputs, inputs, ones)
            for i, (a, b) in enumerate(zip(alone, together, strict=True)):
                if not _close(a, b, self.options["rtol"], self.options["atol"]):
                    raise self.fail(
                        f"Expected an output grad that is undefined to count as zero: the gradient of input {self.numbers[i]} is {a!r} "
                        f"with undefined output grads and {b!r} with zeros"
                    )

    def check_dtypes(self) -> None:
        """Check that gradients have dtype, shape and device of their input."""
        inputs = self.leaves()
        outputs = [y for y in self.outputs(inputs) if y.requires_grad]
        if not outputs:
            return
        found = grad(outputs, inputs, [y._frame.namespace.ones_like(y.detach()) for y in outputs], allow_unused=True)
        for i, (x, g) in enumerate(zip(inputs, found, strict=True)):
            if g is not None and (g.dtype != x.dtype or tuple(g.shape) != tuple(x.shape) or g.device != x.device):
                raise self.fail(
                    f"Gradient of input {self.numbers[i]} is {describe(g)} on {g.device}, the input {describe(x)} on {x.device}"
                )

    def check_batched_backward(self) -> None:
        """Check a batch of cotangents by ``vmap`` against one after the other."""
        inputs = self.leaves()
        for o, y in enumerate(self.outputs(inputs)):
            if not y.requires_grad:
                continue
            batch = y._frame.namespace.stack([_random(y), _random(y)])
            loop = [self.backward([y], inputs, [batch[k]]) for k in range(2)]
            try:
                together = grad(y, inputs, batch, retain_graph=True, allow_unused=True, is_grads_batched=True)
            except Exception as error:
                raise self.fail(
                    f"While computing batched gradients of output {o}, got {type(error).__name__}: {error}"
                ) from error
            self._same(loop, together, f"batched gradients of output {o}")

    def check_batched_forward(self) -> None:
        """Check a batch of tangents by ``vmap`` against one after the other."""
        for number, x in enumerate(self.leaves()):
            batch = x._frame.namespace.stack([_random(x), _random(x)])
            loop = [self.forward(number, batch[k]) for k in range(2)]
            try:
                together = vmap(lambda t, number=number: tuple(self.forward(number, t)))(batch)
            except Exception as error:
                raise self.fail(
                    f"While computing batched forward gradients of input {self.numbers[number]}, got {type(error).__name__}: {error}"
                ) from error
            self._same(loop, together, f"batched forward gradients of input {self.numbers[number]}")

    def _same(self, loop: Sequence[Sequence[Array]], together: Sequence[Array | None], what: str) -> None:
        for column, batch in zip(zip(*loop, strict=True), together, strict=True):
            expected = column[0]._frame.namespace.stack(list(column))
            found = expected * 0 if batch is None else batch.detach()
            if not _close(found, expected, self.options["rtol"], self.options["atol"]):
                raise self.fail(f"Mismatch of {what}: with vmap {found!r}, in a loop {expected!r}")

    def check(self) -> None:
        """Run every check that is asked for."""
        inputs = self.leaves()
        result = self.func(
            *[inputs[self.numbers.index(i)] if i in self.numbers else x for i, x in enumerate(self.args)]
        )
        listed = list(result) if isinstance(result, (tuple, list)) else [result]
        has_complex = any(isinstance(y, Tensor) and y.dtype in y._frame.complex for y in listed)
        if not any(isinstance(y, Tensor) and y.requires_grad for y in listed):
            for row in self.numerical():
                if any(bool((n != 0).any()) for n in row):
                    raise self.fail("Numerical gradient for function expected to be zero")
            return
        parts = ("real", "imaginary") if has_complex else ("",)
        for part in parts:
            self.note = f"While considering the {part} part of complex outputs only, " if part else ""
            self.check_projections() if self.options["fast_mode"] else self.check_whole()
            if self.options["check_batched_forward_grad"]:
                self.check_batched_forward()
            if self.options["check_backward_ad"]:
                if self.options["check_batched_grad"]:
                    self.check_batched_backward()
                if self.options["check_undefined_grad"]:
                    self.check_undefined()
                if self.options["check_grad_dtypes"]:
                    self.check_dtypes()


def _flat(x: Array) -> Array:
    return x._frame.namespace.reshape(x, (-1,))


def _units(x: Array) -> list[Array]:
    """Return the unit vectors of the space of ``x``."""
    xp = x._frame.namespace
    eye = xp.eye(x.size, dtype=x.dtype, device=x.device)
    return [xp.reshape(eye[i, ...], tuple(x.shape)) for i in range(x.size)]


def _complex(real: Array, imaginary: Array, dtype: Any) -> Array:
    xp = real._frame.namespace
    return xp.astype(real, dtype) + xp.astype(imaginary, dtype) * 1j


def _random(x: Array) -> Array:
    """Draw a random direction of unit length."""
    frame, xp = x._frame, x._frame.namespace
    real = xp.real(x.detach()).dtype if x.dtype in frame.complex else x.dtype
    drawn = [randn(tuple(x.shape), dtype=real, backend=frame.backend.name) for _ in range(2)]
    out = _complex(drawn[0], drawn[1], x.dtype) if x.dtype in frame.complex else drawn[0]
    length = float(_magnitude(out))
    return out / length if length else out


def _magnitude(x: Array) -> Array:
    xp = x._frame.namespace
    return xp.sqrt(xp.sum(xp.abs(x) ** 2))


def _inner(g: Array, u: Array) -> float:
    """Return the derivative along u, given the gradient."""
    xp = g._frame.namespace
    return float(xp.sum(xp.real(xp.conj(g) * u))) if g.dtype in g._frame.complex else float((g * u).sum())


def _close(a: Array, b: Array, rtol: float, atol: float) -> bool:
    xp = a._frame.namespace
    return bool(xp.all(xp.abs(a - b) <= atol + rtol * xp.abs(b)))


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)
