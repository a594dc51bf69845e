"""The demonstration behind `polygrad demo`: torch's first two examples, on any backend.

It uses polygrad's public names alone, which are torch's, so that its code can be read as an example. The tables need rich.
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
    train_one_layer(console, backend, steps, seed)
    fit_line(console, backend, seed)
    console.rule("Backends")
    console.print(backend_table(polygrad.backends()))


def train_one_layer(console: Console, backend: str, steps: int, seed: int, lr: float = 0.5) -> None:
    """Train the one-layer network of torch's tutorial: 5 inputs, 3 outputs, cross entropy with zeros."""
    polygrad.manual_seed(seed)
    x = polygrad.ones(5, backend=backend)
    y = polygrad.zeros(3, backend=backend)
    w = polygrad.randn(5, 3, requires_grad=True, backend=backend)
    b = polygrad.randn(3, requires_grad=True, backend=backend)

    z = polygrad.matmul(x, w) + b
    loss = F.binary_cross_entropy_with_logits(z, y)
    loss.backward()

    console.rule(f"One layer on {backend}")
    print_line(console, "z = matmul(x, w) + b")
    print_line(console, f"  z.grad_fn = {type(z.grad_fn).__name__}")
    print_line(console, "loss = binary_cross_entropy_with_logits(z, y)")
    print_line(console, f"  loss = {loss.item():.6f}, loss.grad_fn = {type(loss.grad_fn).__name__}")
    print_line(console, "loss.backward()")
    print_line(console, "  w.grad =")
    for row in w.grad.tolist():
        print_line(console, f"    {format_row(row)}")
    print_line(console, f"  b.grad = {format_row(b.grad.tolist())}")

    print_line(console, f"{steps} steps of gradient descent, lr {lr}")
    table = make_table("step", "loss")
    for step in range(steps + 1):
        w.grad = b.grad = None
        loss = F.binary_cross_entropy_with_logits(polygrad.matmul(x, w) + b, y)
        if step in choose_steps(steps):
            table.add_row(str(step), f"{loss.item():.6f}")
        if step == steps:
            break
        loss.backward()
        with polygrad.no_grad():
            w -= lr * w.grad
            b -= lr * b.grad
    console.print(table)


def fit_line(console: Console, backend: str, seed: int, epochs: int = 200, lr: float = 0.1) -> None:
    """Fit a line to 120 points of y = 2x + 3 by linear regression."""
    polygrad.manual_seed(seed)
    b = polygrad.randn(1, requires_grad=True, backend=backend)
    w = polygrad.randn(1, requires_grad=True, backend=backend)
    x = polygrad.randn(120, backend=backend)
    y = 2 * x + 3

    table = make_table("epoch", "loss", "w.grad", "b.grad")
    for epoch in range(1, epochs + 1):
        error = y - (b + w * x)
        loss = (error**2).mean()
        loss.backward()
        if epoch in choose_steps(epochs):
            values = (loss.item(), w.grad.item(), b.grad.item())
            table.add_row(str(epoch), *(f"{value:.3e}" for value in values))
        with polygrad.no_grad():
            b -= lr * b.grad
            w -= lr * w.grad
        b.grad.zero_()
        w.grad.zero_()

    console.rule(f"Linear regression on {backend}")
    print_line(console, "120 points of y = 2x + 3, loss = ((y - (b + w * x)) ** 2).mean()")
    print_line(console, f"{epochs} epochs of gradient descent, lr {lr}")
    console.print(table)
    print_line(console, f"w = {w.item():.4f} and b = {b.item():.4f}, where the line has 2 and 3")


def backend_table(infos: Iterable[BackendInfo]) -> Table:
    """Return the result of `polygrad.backends()` as a coloured table."""
    from rich.text import Text

    table = make_table("backend", "found", "version", "devices, or what is missing")
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


def make_table(*columns: str) -> Table:
    """Return an empty table with these columns, the left one in cyan."""
    from rich.table import Table

    table = Table()
    for number, column in enumerate(columns):
        table.add_column(column, style="cyan" if number == 0 else "", overflow="fold")
    return table


def print_line(console: Console, line: str) -> None:
    """Print a line as it is: no markup, no wrapping."""
    console.print(line, markup=False, highlight=False, soft_wrap=True)


def choose_steps(last: int) -> set[int]:
    """Return the few steps worth a row: 0, 1, 2, 5, 10, 20, 50, ... and the last."""
    steps = {factor * 10**power for power in range(len(str(last))) for factor in (1, 2, 5)}
    return {0, last} | {step for step in steps if step < last}


def format_row(row: list[float]) -> str:
    """Format one row of numbers."""
    return "  ".join(f"{number: .4f}" for number in row)
