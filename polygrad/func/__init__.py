"""Functional transforms: functions in, functions out.

They take and return raw arrays when given raw arrays, and Tensors when given Tensors, through pytrees (nested lists, tuples,
dictionaries and whatever is registered with optree).
"""

from __future__ import annotations

from .custom import custom_jvp, custom_vjp
from .gradients import grad, grad_and_value, value_and_grad
from .implicit import custom_fixed_point, custom_root
from .jacobians import hessian, hvp, jacfwd, jacrev
from .mapping import vmap
from .transforms import jvp, linearize, vjp

__all__ = [
    "custom_fixed_point", "custom_jvp", "custom_root", "custom_vjp", "grad", "grad_and_value", "hessian", "hvp", "jacfwd", "jacrev",
    "jvp", "linearize", "value_and_grad", "vjp", "vmap",
]  # fmt: skip
