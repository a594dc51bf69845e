"""The derivative tables: one entry for each operation, grouped as the standard groups its functions."""
