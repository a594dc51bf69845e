"""Printing Tensors."""
