"""Scenarios: what a user of torch.autograd sees, written once, run on torch and on polygrad.

Where a case proves the numbers of one operation, a scenario proves behaviour: which Tensors are leaves, what their nodes are called, in
which order hooks run, what raises and what is freed when. A scenario is a function of a module (torch, or polygrad under the same name)
and of an ``Observer``, to which it hands what it sees:

    @scenario
    def a_leaf_has_no_node(torch, see):
        x = torch.ones(3, requires_grad=True)
        see(x.is_leaf, x.grad_fn)

``differences`` runs nothing: it compares two lists of observations. A scenario in which polygrad departs from torch on purpose says why
(``@scenario(differs="...")``), and has to differ.
"""

from __future__ import annotations

from . import backward, forward, function, graph, hooks, inplace, leaves, lifetime, modes, nodes, utils, views
from .registry import SCENARIOS, Observer, Scenario, differences, observe, scenario

__all__ = [
    "SCENARIOS",
    "Observer",
    "Scenario",
    "backward",
    "differences",
    "forward",
    "function",
    "graph",
    "hooks",
    "inplace",
    "leaves",
    "lifetime",
    "modes",
    "nodes",
    "observe",
    "scenario",
    "utils",
    "views",
]
