"""Batching rules, by which operations run on a batch."""
