"""What brings arrays into the domain of an op, and outputs into what is determined: written once, for Tensors and for torch's.

An eigenvector has a free phase, a Cholesky factor exists of positive definite matrices only, and what is differentiated has to be
a function that both libraries compute alike. So these stand before and after the op, on both sides.
"""

from __future__ import annotations

from typing import Any


def adjoint(x: Any) -> Any:
    """The conjugate transpose of the last two axes."""
    x = x.mT
    return x.conj() if x.is_complex() else x


def _eye(x: Any) -> Any:
    """The identity beside a matrix, made of what both libraries have."""
    n = x.shape[-1]
    zero = x[..., :, :].detach() * 0
    for i in range(n):
        zero[..., i, i] = 1.0
    return zero


def positive(x: Any, *rest: Any) -> Any:
    """A positive definite matrix."""
    square = x @ adjoint(x)
    return (square + _eye(square), *rest)


def hermitian(x: Any, *rest: Any) -> Any:
    """A hermitian matrix."""
    return (x + adjoint(x), *rest)


def factor(x: Any, *rest: Any) -> Any:
    """A Cholesky factor: lower triangular with a positive diagonal."""
    diagonal = x * _eye(x)
    return (x.tril() - diagonal + size(diagonal), *rest)


def lower_second(b: Any, x: Any, *rest: Any) -> Any:
    """The second array lower triangular."""
    return (b, x.tril(), *rest)


def size(x: Any) -> Any:
    """The squared modulus."""
    return (x.conj() * x).real if x.is_complex() else x * x


def eigen(out: Any) -> Any:
    """Eigenvalues, and of the eigenvectors what does not depend on their phases."""
    values, vectors = out
    first = vectors[..., :1]
    return values, size(vectors), first @ adjoint(first)


def singular(out: Any) -> Any:
    """Singular values, and of the vectors what does not depend on their phases."""
    u, s, vh = out
    n = s.shape[-1]
    u, vh = u[..., :, :n], vh[..., :n, :]
    return size(u), s, size(vh), u @ vh


def first(out: Any) -> Any:
    """The first output."""
    return out[0]


def second(out: Any) -> Any:
    """The second output."""
    return out[1]


def after_first(out: Any) -> Any:
    """All outputs but the first."""
    return tuple(out)[1:]
