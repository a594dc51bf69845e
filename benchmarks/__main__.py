"""``python -m benchmarks [part ...] [--check]``: ratios against peers; with --check a missed bar is a failure."""

from __future__ import annotations

import argparse
import platform
import sys
from importlib.metadata import PackageNotFoundError, version

from . import jit, memory, network, overhead, scatter, short, slices, startup, transforms

PARTS = {
    "overhead": overhead.report,
    "short": short.report,
    "network": network.report,
    "memory": memory.report,
    "slices": slices.report,
    "scatter": scatter.report,
    "startup": startup.report,
    "jit": jit.report,
    "transforms": transforms.report,
}


def main() -> int:
    """Run the parts and print measured ratios beside their bars."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="which parts to run (default: all)")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a bar is missed")
    options = parser.parse_args()
    libraries = []
    for name in ("numpy", "torch", "jax", "autograd", "mygrad"):
        try:
            libraries.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            libraries.append(f"{name} not installed")
    print(f"Python {platform.python_version()}, {platform.machine()}; {', '.join(libraries)}\n")
    missed = 0
    for name in options.parts or PARTS:
        rows = PARTS[name]()
        print()
        for what, ratio, bar in rows:
            verdict = "" if bar is None else f"   bar {bar:g}   {'met' if ratio <= bar else 'MISSED'}"
            missed += bar is not None and ratio > bar
            print(f"  {what:58}{ratio:7.2f}{verdict}")
        print()
    return 1 if options.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())
