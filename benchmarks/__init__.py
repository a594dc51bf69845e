"""Benchmarks against peers, side by side in one run, as ratios: ``python -m benchmarks``. They are not part of the wheel."""
