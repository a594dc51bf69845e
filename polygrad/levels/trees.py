"""Pytrees, by optree: nested lists, tuples, dictionaries, dataclasses and whatever is registered there. None is a node without leaves,
unless a function says otherwise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import optree


def flatten(tree: Any) -> tuple[list[Any], Any]:
    """The leaves of a tree and its structure."""
    leaves, structure = optree.tree_flatten(tree)
    return leaves, structure


def unflatten(structure: Any, leaves: Sequence[Any]) -> Any:
    """A tree of that structure with these leaves."""
    return optree.tree_unflatten(structure, leaves)


def map_leaves(function: Callable[[Any], Any], tree: Any) -> Any:
    """The tree with ``function`` applied to each leaf, None included."""
    return optree.tree_map(function, tree, none_is_leaf=True)
