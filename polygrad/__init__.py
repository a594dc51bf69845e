"""polygrad: torch's autograd for the arrays that you have."""

from __future__ import annotations

from .tensor import Tensor
from .namespace import FUNCTIONS as _F
from .namespace import namespace
from .backend import backends, get_backend, use_backend
from . import backend
from .modes import *
from .creation import *
from . import autograd, func
globals().update(_F)
