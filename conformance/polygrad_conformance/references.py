"""References that torch does not have as one function, written out with those that it has."""

from __future__ import annotations
