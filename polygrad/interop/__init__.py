"""Bridges to array libraries and to their consumers. The one place under ``polygrad/`` that may import array libraries.

``allow_detach`` lets library code take the values of tracked Tensors; ``polygrad.interop.sklearn`` moves fitted estimators between
array libraries. ``docs/consumers.md`` says how far SciPy, scikit-learn, xarray, einops and opt_einsum go.
"""

from ..modes import allow_detach

__all__ = ["allow_detach"]
