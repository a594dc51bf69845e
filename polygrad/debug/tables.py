"""Tables as plain text, and sizes for people."""

from __future__ import annotations

from collections.abc import Sequence


def format_table(titles: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """Set columns under their titles, as wide as they need to be; those numbered in ``right`` are set to the right."""
    widths = [max(len(row[i]) for row in (titles, *rows)) for i in range(len(titles))]
    lines = [
        "  ".join(
            [
                f"{cell:>{w}}" if i in right else f"{cell:<{w}}"
                for i, (cell, w) in enumerate(zip(row, widths, strict=True))
            ]
        )
        for row in (titles, ["-" * w for w in widths], *rows)
    ]
    return "\n".join([line.rstrip() for line in lines])


def format_size(number: int) -> str:
    """Format a number of bytes."""
    amount = float(number)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024 or unit == "GiB":
            break
        amount /= 1024
    return f"{number} B" if unit == "B" else f"{amount:.1f} {unit}"


def format_duration(seconds: float) -> str:
    """Format a time in milliseconds."""
    return f"{seconds * 1e3:.3f}"
