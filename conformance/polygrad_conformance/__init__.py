"""Check the gradients of polygrad on one backend, and report which of them are right.

Every operation has a case, with sample inputs and a reference. Values, gradients, tangents and second derivatives are compared with
torch.autograd, with mpmath, with finite differences, and with each other. ``cases`` and ``scenarios`` say what is tried, ``checking``
checks one sample, ``running`` runs them all, ``report`` holds the documents of a run and what is made of them.
"""

__version__ = "0.1.0"
