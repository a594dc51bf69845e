"""The demonstration behind `polygrad demo`: torch's two first examples, on any backend.

It uses nothing but polygrad's public names, which are torch's, so that its code can be read as an
example. Needs rich, for the tables.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import polygrad
from polygrad.nn import functional as F

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from polygrad.backend.select import BackendInfo

__all__ = ["backend_table", "run"]


def run(backend: str = "numpy", steps: int = 50, seed: int = 42, console: Console | None = None) -> None:
    """Train one layer and a straight line on `backend`, and print what autograd did.

    Parameters
    ----------
    backend
        The name of the array library, as one imports it.
    steps
        Steps of gradient descent for the one layer.
    seed
        Seed of the random numbers.
    console
        Where to print; standard output if None.

    Raises
    ------
    polygrad.errors.BackendError
        No such backend, or its library is not installed.
    """
    from rich.console import Console

    if console is None:
        console = Console()
    one_layer(console, backend, steps, seed)
    straight_line(console, backend, seed)
    console.rule("Backends")
    console.print(backend_table(polygrad.backends()))


def one_layer(console: Console, backend: str, steps: int, seed: int, lr: float = 0.5) -> None:
    """The one-layer network of torch's tutorial: 5 inputs, 3 outputs, cross entropy with zeros."""
    polygrad.manual_seed(seed)
    x = polygrad.ones(5, backend=backend)
    y = polygrad.zeros(3, backend=backend)
    w = polygrad.randn(5, 3, requires_grad=True, backend=backend)
    b = polygrad.randn(3, requires_grad=True, backend=backend)

    z = polygrad.matmul(x, w) + b
    loss = F.binary_cross_entropy_with_logits(z, y)
    loss.backward()

    console.rule(f"One layer on {backend}")
    show(console, "z = matmul(x, w) + b")
    show(console, f"  z.grad_fn = {type(z.grad_fn).__name__}")
    show(console, "loss = binary_cross_entropy_with_logits(z, y)")
    show(console, f"  loss = {loss.item():.6f}, loss.grad_fn = {type(loss.grad_fn).__name__}")
    show(console, "loss.backward()")
    show(console, "  w.grad =")
    for row in w.grad.tolist():
        show(console, f"    {numbers(row)}")
    show(console, f"  b.grad = {numbers(b.grad.tolist())}")

    show(console, f"{steps} steps of gradient descent, lr {lr}")
    table = new_table("step", "loss")
    for step in range(steps + 1):
        w.grad = b.grad = None
        loss = F.binary_cross_entropy_with_logits(polygrad.matmul(x, w) + b, y)
        if step in milestones(steps):
            table.add_row(str(step), f"{loss.item():.6f}")
        if step == steps:
            break
        loss.backward()
        with polygrad.no_grad():
            w -= lr * w.grad
            b -= lr * b.grad
    console.print(table)


def straight_line(console: Console, backend: str, seed: int, epochs: int = 200, lr: float = 0.1) -> None:
    """Linear regression on 120 points of y = 2x + 3."""
    polygrad.manual_seed(seed)
    b = polygrad.randn(1, requires_grad=True, backend=backend)
    w = polygrad.randn(1, requires_grad=True, backend=backend)
    x = polygrad.randn(120, backend=backend)
    y = 2 * x + 3

    table = new_table("epoch", "loss", "w.grad", "b.grad")
    for epoch in range(1, epochs + 1):
        error = y - (b + w * x)
        loss = (error**2).mean()
        loss.backward()
        if epoch in milestones(epochs):
            values = (loss.item(), w.grad.item(), b.grad.item())
            table.add_row(str(epoch), *(f"{value:.3e}" for value in values))
        with polygrad.no_grad():
            b -= lr * b.grad
            w -= lr * w.grad
        b.grad.zero_()
        w.grad.zero_()

    console.rule(f"Linear regression on {backend}")
    show(console, "120 points of y = 2x + 3, loss = ((y - (b + w * x)) ** 2).mean()")
    show(console, f"{epochs} epochs of gradient descent, lr {lr}")
    console.print(table)
    show(console, f"w = {w.item():.4f} and b = {b.item():.4f}, where the line has 2 and 3")


def backend_table(infos: Iterable[BackendInfo]) -> Table:
    """What `polygrad.backends()` says, as a coloured table."""
    from rich.text import Text

    table = new_table("backend", "found", "version", "devices, or what is missing")
    for info in infos:
        detail = ", ".join(info.devices) if info.available else info.reason or ""
        # Text, because a reason may hold square brackets, which rich would take for markup
        table.add_row(
            Text(info.name, style="bold"),
            Text("yes", style="green") if info.available else Text("no", style="red"),
            Text(info.version or "-"),
            Text(detail, style="" if info.available else "yellow"),
        )
    return table


def new_table(*columns: str) -> Table:
    """A table with these columns, the left one in cyan."""
    from rich.table import Table

    table = Table()
    for number, column in enumerate(columns):
        table.add_column(column, style="cyan" if number == 0 else "", overflow="fold")
    return table


def show(console: Console, line: str) -> None:
    """Print a line as it is: no markup, no wrapping."""
    console.print(line, markup=False, highlight=False, soft_wrap=True)


def milestones(last: int) -> set[int]:
    """The few steps worth a row: 0, 1, 2, 5, 10, 20, 50, ... and the last."""
    steps = {factor * 10**power for power in range(len(str(last))) for factor in (1, 2, 5)}
    return {0, last} | {step for step in steps if step < last}


def numbers(row: list[float]) -> str:
    """One row of numbers, in columns."""
    return "  ".join(f"{number: .4f}" for number in row)
