"""Cost of importing: fresh processes that import polygrad, and that import NumPy, in turns."""

from __future__ import annotations

import subprocess
import sys

from .pairs import alternate, ratio

PROGRAMS = {
    "nothing": "pass",
    "numpy": "import numpy",
    "polygrad": "import polygrad",
    "both": "import numpy, polygrad",
    "first gradient": "import polygrad; x = polygrad.tensor([1.0, 2.0], requires_grad=True); (x * x).sum().backward()",
}


def report(rounds: int = 20) -> list[tuple[str, float, float | None]]:
    """Return rows of (what, measured ratio, bar). The interpreter's own start counts on both sides, as it does for a user."""
    programs = {
        name: lambda code=code: subprocess.run([sys.executable, "-c", code], check=True)  # type: ignore[misc]
        for name, code in PROGRAMS.items()
    }
    for program in programs.values():
        program()  # compiled to bytecode, and read from the disk once
    times = alternate(programs, rounds)
    print("milliseconds: " + ", ".join(f"{name} {min(seconds) * 1e3:.0f}" for name, seconds in times.items()))
    return [
        ("import polygrad / import numpy", ratio(times, "polygrad", "numpy"), 2.0),
        ("both / import numpy", ratio(times, "both", "numpy"), None),
        ("first gradient / import numpy", ratio(times, "first gradient", "numpy"), None),
    ]
