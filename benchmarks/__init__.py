"""Benchmarks against peers, side by side in one run, as ratios. ``python -m benchmarks``; not part of the wheel."""
