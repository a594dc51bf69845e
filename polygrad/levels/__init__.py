"""Everything that stands between a call and the tape: dual numbers, batches, user functions, foreign functions."""
