"""``python -m benchmarks.paired CHECKOUT [program ...]``: this checkout against another one, program by program, in one run.

Each checkout runs in a process of its own, and the two take turns, so that a machine whose speed drifts slows both. What is printed is the
median over the rounds of this checkout's time over the other's: 1.00 means that nothing has changed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .pairs import alternate, ratio

HERE = Path(__file__).resolve().parent.parent
WORKER = """
import sys
programs, checkout = sys.argv[1:]
sys.path.insert(0, programs)
import benchmarks  # the programs of one checkout, whatever polygrad they run on
sys.path[:1] = [checkout, f"{checkout}/backends", f"{checkout}/conformance"]
import polygrad
if not polygrad.__file__.startswith(f"{checkout}/"):
    raise SystemExit(f"{checkout} has no polygrad of its own; {polygrad.__file__} would be measured")
from benchmarks.paired import serve
serve()
"""


def programs() -> dict[str, Callable[[], Any]]:
    """Return the programs that can be compared, by name."""
    from . import network, overhead, short, transforms

    found: dict[str, Callable[[], Any]] = {
        "chain": overhead.polygrad_gradient,
        "recording off": overhead.polygrad_no_grad,
        "network": network.peers()["polygrad"],
    }
    for name, ways in short.programs(peers=False).items():
        found |= {f"{way}: {name}": program for way, program in ways.items()}
    return found | {task: peers["polygrad"] for task, peers in transforms.programs(peers=False).items()}


def serve() -> None:
    """Answer, in a worker, each line "name<tab>number" with a line when the program has run so many times."""
    found = programs()
    print(*found, sep="\t", flush=True)
    for line in sys.stdin:
        name, number = line.rstrip("\n").split("\t")
        program = found[name]
        for _ in range(int(number)):
            program()
        print("done", flush=True)


class Worker:
    """Process that runs the programs of this checkout on the polygrad of one."""

    def __init__(self, checkout: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORKER, str(HERE), str(checkout)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.names = self._answer().split("\t")

    def _answer(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("a worker has stopped; its error is above")
        return line.rstrip("\n")

    def run(self, name: str, number: int) -> None:
        """Run a program so many times."""
        assert self.process.stdin is not None
        print(name, number, sep="\t", file=self.process.stdin, flush=True)
        self._answer()

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def compare(checkout: Path, chosen: list[str], rounds: int, seconds: float) -> dict[str, float]:
    """Return the ratio of each program: this checkout's time over that of the other one."""
    workers = {"this": Worker(HERE), "other": Worker(checkout)}
    ratios = {}
    try:
        names = workers["this"].names
        unknown = set(chosen) - set(names)
        if unknown:
            raise SystemExit(f"there is no program {', '.join(sorted(unknown))}; there are {', '.join(names)}")
        for name in chosen or names:

            def turns(number: int, rounds: int, name: str = name) -> dict[str, list[float]]:
                return alternate({key: lambda worker=w: worker.run(name, number) for key, w in workers.items()}, rounds)

            once = min(map(min, turns(1, 3).values()))
            times = turns(max(1, round(seconds / once)), rounds)
            ratios[name] = ratio(times, "this", "other")
            print(f"{name:45}{ratios[name]:7.3f}", flush=True)
    finally:
        for worker in workers.values():
            worker.close()
    return ratios


def main() -> None:
    """Compare two checkouts."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.paired", description=__doc__)
    parser.add_argument("checkout", type=Path, help="the checkout to compare with")
    parser.add_argument("programs", nargs="*", help="which programs (default: all)")
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--seconds", type=float, default=0.02, help="how long a program runs in each turn")
    options = parser.parse_args()
    compare(options.checkout.resolve(), options.programs, options.rounds, options.seconds)


if __name__ == "__main__":
    main()
