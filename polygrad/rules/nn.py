"""Losses and activations that torch has as a single node."""
