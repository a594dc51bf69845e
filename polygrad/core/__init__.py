"""Tensor, graph, modes, recording and dispatch: what an operation leaves behind."""
