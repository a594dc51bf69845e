"""Derivative tables, with one entry for each operation, grouped as the standard groups its functions."""
