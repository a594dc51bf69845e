"""Derivative tables of the special functions."""
