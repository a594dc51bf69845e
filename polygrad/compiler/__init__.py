"""Compiling functions of Tensors."""
