"""The derivative tables of the special functions."""
