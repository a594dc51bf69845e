"""Compile functions of Tensors by the backend's own compiler: ``polygrad.jit``."""
