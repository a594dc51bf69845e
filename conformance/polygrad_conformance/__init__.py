"""The conformance suite will live here.

It proves the gradients of a backend, op by op, against torch.autograd, against finite differences
and against each other, and publishes a report for each backend.
"""

__version__ = "0.1.0"
